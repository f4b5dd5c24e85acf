/**
 * The arithmetic of the engine over flat arrays: products with weights, and what is done unit by unit.
 *
 * Every value is kept as float32, as in Python's trace; sums and functions are computed in double.
 */

/** How many rows of weights are multiplied at a time. */
export const TOGETHER = 4;

/** @param {number} rows */
export function padded(rows) {
  return Math.ceil(rows / TOGETHER) * TOGETHER;
}

/**
 * Puts a row of weights at its place among those that are multiplied together: four rows lie in one array, a column of them after the other.
 * @param {Float32Array} packed @param {number} columns of the packed matrix @param {number} row @param {number} from the first column of it
 * @param {Float32Array} weights @param {number} start @param {number} count
 */
export function packRow(packed, columns, row, from, weights, start, count) {
  const within = row % TOGETHER;
  const first = (row - within) * columns + from * TOGETHER + within;
  for (let k = 0; k < count; k++) packed[first + k * TOGETHER] = weights[start + k];
}

/**
 * out = base + packed · vector, for a multiple of four rows: two columns at a time, so that eight sums are under way at once.
 * @param {Float32Array} out @param {Float32Array} base @param {Float32Array} packed @param {Float32Array} vector
 * @param {number} rows @param {number} columns
 */
export function product(out, base, packed, vector, rows, columns) {
  const pairs = columns - (columns % 2);
  let at = 0;
  for (let row = 0; row < rows; row += 4) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let e = 0;
    let f = 0;
    let g = 0;
    let h = 0;
    for (let k = 0; k < pairs; k += 2) {
      const even = vector[k];
      a += packed[at] * even;
      b += packed[at + 1] * even;
      c += packed[at + 2] * even;
      d += packed[at + 3] * even;
      const odd = vector[k + 1];
      e += packed[at + 4] * odd;
      f += packed[at + 5] * odd;
      g += packed[at + 6] * odd;
      h += packed[at + 7] * odd;
      at += 8;
    }
    if (pairs < columns) {
      const last = vector[pairs];
      a += packed[at] * last;
      b += packed[at + 1] * last;
      c += packed[at + 2] * last;
      d += packed[at + 3] * last;
      at += 4;
    }
    out[row] = base[row] + a + e;
    out[row + 1] = base[row + 1] + b + f;
    out[row + 2] = base[row + 2] + c + g;
    out[row + 3] = base[row + 3] + d + h;
  }
}

/** @type {Pointwise} */
function add(out, at, left, leftAt, right, rightAt, count) {
  for (let k = 0; k < count; k++) out[at + k] = left[leftAt + k] + right[rightAt + k];
}

/** @type {Pointwise} */
function multiply(out, at, left, leftAt, right, rightAt, count) {
  for (let k = 0; k < count; k++) out[at + k] = left[leftAt + k] * right[rightAt + k];
}

/** @type {Pointwise} */
function complement(out, at, left, leftAt, right, rightAt, count) {
  for (let k = 0; k < count; k++) out[at + k] = 1 - left[leftAt + k];
}

/** @type {Pointwise} */
function copy(out, at, left, leftAt, right, rightAt, count) {
  for (let k = 0; k < count; k++) out[at + k] = left[leftAt + k];
}

/** @type {Pointwise} */
function sigmoid(out, at, left, leftAt, right, rightAt, count) {
  for (let k = 0; k < count; k++) out[at + k] = 1 / (1 + Math.exp(-left[leftAt + k]));
}

/** @type {Pointwise} */
function tanh(out, at, left, leftAt, right, rightAt, count) {
  for (let k = 0; k < count; k++) out[at + k] = Math.tanh(left[leftAt + k]);
}

/** The operations of a program, by kind. @type {Record<string, Pointwise>} */
const OPERATIONS = { add, multiply, complement, copy };

/** The functions that are no straight lines, by name. @type {Record<string, Pointwise>} */
const CURVES = { sigmoid, tanh };

/**
 * A straight line that is cut off at its range, whose ends may be null: without end.
 * @param {number} slope @param {number} offset @param {number | null} low @param {number | null} high @returns {Pointwise}
 */
function cutLine(slope, offset, low, high) {
  const least = low ?? -Infinity;
  const most = high ?? Infinity;
  return (out, at, left, leftAt, right, rightAt, count) => {
    for (let k = 0; k < count; k++) out[at + k] = Math.min(most, Math.max(least, slope * left[leftAt + k] + offset));
  };
}

/**
 * What an operation of a program does. Throws an Error, naming it, for a kind or a function that the engine does not know.
 * @param {string} kind @param {string} name of the function, of "apply" alone @param {Record<string, FunctionMeta>} functions
 * @returns {Pointwise}
 */
export function pointwise(kind, name, functions) {
  if (kind !== "apply") {
    if (!Object.hasOwn(OPERATIONS, kind)) throw new Error(`the engine has no operation ${kind}; it has ${Object.keys(OPERATIONS).join(", ")}`);
    return OPERATIONS[kind];
  }
  if (Object.hasOwn(CURVES, name)) return CURVES[name];
  const found = functions[name];
  if (!found?.line) throw new Error(`the engine has no function ${name}; it has ${Object.keys(CURVES).join(", ")} and straight lines`);
  return cutLine(found.line[0], found.line[1], found.range[0], found.range[1]);
}

/**
 * Probabilities of logits: 0 to 1, and 1 together.
 * @param {Float32Array} out @param {number} at @param {Float32Array} logits @param {number} count
 */
export function softmax(out, at, logits, count) {
  let most = -Infinity;
  for (let k = 0; k < count; k++) if (logits[k] > most) most = logits[k];
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const each = Math.exp(logits[k] - most);
    out[at + k] = each;
    sum += each;
  }
  for (let k = 0; k < count; k++) out[at + k] /= sum;
}
