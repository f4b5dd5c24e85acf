// Numbers as text for a person. lstm_core/numbers.py has the same functions; tests/cases/numbers.json judges both.
//
// Ties are rounded away from zero. A minus is U+2212. Nothing rounds to "-0", and what is not a number is an en dash.

import { tr } from "./words.js";

const MINUS = "−";
const NONE = "–";
export const DECIMALS = 2; // of a result, where the numbers add up with no more
export const MOST_DECIMALS = 7; // of an operand: what float32 holds of a number about 1
const [LEAST, MOST] = [-3, 1e6]; // a first digit below 10^LEAST, or a whole from MOST on, is written with its power of ten
const WHOLE = 2 ** 53; // from here on every float is a whole number

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** @type {Record<string, string>} */
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/**
 * The number nearest to the value with so many decimals; ties away from zero.
 * @param {number} value
 * @param {number} decimals
 */
export const rounded = (value, decimals) => (Math.abs(value) < WHOLE ? Number(value.toFixed(decimals)) : value);

/**
 * So many decimals: "0.50", "−1.07". From 2^53 on, where a float has no decimals, six digits and a power of ten.
 * @param {number} value
 * @param {number} decimals
 * @returns {string}
 */
export function fixed(value, decimals) {
  if (!(Math.abs(value) < WHOLE)) return short(value, 6);
  const text = value.toFixed(decimals);
  return text.replace("-", /[1-9]/.test(text) ? MINUS : "");
}

/**
 * A value beside a picture: three decimals below 10, two below 100, one below 1000, then whole: "0.250", "10.00".
 * @param {number} value
 */
export function written(value) {
  if (!Number.isFinite(value)) return NONE;
  for (const [limit, decimals] of [[10, 3], [100, 2], [1000, 1]]) {
    if (Math.abs(rounded(value, decimals)) < limit) return fixed(value, decimals);
  }
  return short(value, 4);
}

/**
 * So many significant digits, or all of a whole number's: "0.012", "3.4", "1,235", "3.2·10⁻⁷", "∞".
 * @param {number} value
 * @param {number} [digits]
 * @returns {string}
 */
export function short(value, digits = 2) {
  if (Number.isNaN(value)) return NONE;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const [leading, exponent] = value.toExponential(digits - 1).split("e");
  const first = Number(exponent); // of what is shown: 9.96 in two digits is 10
  if (first < LEAST || Math.abs(rounded(value, 0)) >= MOST) return `${leading.replace("-", MINUS)}·${tenTo(first)}`;
  const [whole, decimals = ""] = fixed(value, Math.max(0, digits - 1 - first)).split(".");
  const kept = decimals.replace(/0+$/, "");
  return grouped(whole) + (kept && `.${kept}`);
}

/**
 * `short` of a size given as its logarithm to base 10, which may be beyond what a float can hold.
 * @param {number} log
 * @param {number} [digits]
 */
export function shortOfLog(log, digits = 2) {
  if (!(log < -300 || log > 300) || !Number.isFinite(log)) return short(10 ** log, digits);
  const first = Math.floor(log);
  const leading = (10 ** (log - first)).toFixed(digits - 1);
  return leading.startsWith("10") ? `${(1).toFixed(digits - 1)}·${tenTo(first + 1)}` : `${leading}·${tenTo(first)}`;
}

/**
 * A change, with its sign where it is not zero as written: "+0.120", "−0.003", "0.000".
 * @param {number} value
 * @param {number} [decimals]
 */
export function signed(value, decimals = 3) {
  const text = fixed(value, decimals);
  return rounded(value, decimals) > 0 ? `+${text}` : text;
}

/**
 * Two digits of a share, or of what it lacks to the whole, with so many decimals at most: "7.1 %", "61 %", "98.2 %".
 * Only 0 is "0 %" and only 1 is "100 %": between stand "under 0.1 %" and "over 99.9 %". Over a half, one decimal at most.
 * A share below 0 or above 1 has whole percents.
 * @param {number} share
 * @param {number} [decimals]
 */
export function percent(share, decimals = 1) {
  if (!Number.isFinite(share)) return NONE;
  if (!(share > 0 && share < 1)) return `${fixed(100 * share, 0)} %`;
  const upper = share >= 0.5;
  const finest = upper ? Math.min(decimals, 1) : decimals;
  const exact = 100 * (upper ? 1 - share : share);
  let places = 0;
  while (places < finest && rounded(exact, places + 1) < Number(`1e${1 - places}`)) places++;
  const small = rounded(exact, places);
  if (small === 0) {
    const least = Number(`1e-${places}`);
    return upper ? tr("over {percent} %", { percent: fixed(100 - least, places) }) : tr("under {percent} %", { percent: fixed(least, places) });
  }
  return `${fixed(upper ? 100 - small : small, places)} %`;
}

/**
 * A whole number with its thousands set apart: "1,235".
 * @param {number} number
 */
export const count = (number) => grouped(fixed(number, 0));

/**
 * A power of ten, as on the ticks of an axis: "0.001", "1", "1000", "10⁴", "10⁻⁷".
 * @param {number} exponent
 */
export const power = (exponent) => (exponent >= -3 && exponent <= 3 ? fixed(Number(`1e${exponent}`), Math.max(0, -exponent)) : tenTo(exponent));

// ---------------------------------------------------------------- numbers that add up

/**
 * Numbers and their sum, written with as few decimals as it takes for the written numbers to add up; null where none do.
 * @param {readonly number[]} values
 * @param {number} total the sum of the values, up to float32's rounding
 * @param {number} [decimals] of the total, at least
 * @returns {[string[], string] | null}
 */
export function addingUp(values, total, decimals = DECIMALS) {
  const found = fitting(total, (more) => values.reduce((sum, value) => sum + rounded(value, more), 0), decimals);
  if (!found) return null;
  const [digits, more] = found;
  return [values.map((value) => fixed(value, more)), fixed(total, digits)];
}

/**
 * How many decimals of the result, and of its operands, it takes for the written operands to give the written result;
 * null where no decimals do.
 * @param {number} result
 * @param {(decimals: number) => number} evaluate the result from operands of so many decimals
 * @param {number} [decimals] of the result, at least, where that is possible
 * @returns {[number, number] | null}
 */
export function fitting(result, evaluate, decimals = DECIMALS) {
  for (const [digits, more] of precisions(decimals)) if (agrees(evaluate(more), result, digits)) return [digits, more];
  return null;
}

/**
 * Whether what was found rounds to the value as it is written with so many decimals.
 * @param {number} found
 * @param {number} value
 * @param {number} decimals
 */
export function agrees(found, value, decimals) {
  // A hair less than half a unit of the last digit: whoever rounds a tie the other way agrees as well.
  return Math.abs(found - rounded(value, decimals)) < 0.4999 * Number(`1e-${decimals}`);
}

/**
 * Few decimals of the result first, and for each, few decimals of the operands; one of the result in the end.
 * @returns {Generator<[number, number]>}
 */
export function* precisions(decimals = DECIMALS) {
  const results = [];
  for (let digits = decimals; digits < MOST_DECIMALS; digits++) results.push(digits);
  for (let digits = decimals - 1; digits >= 0; digits--) results.push(digits);
  for (const digits of results) {
    for (let more = Math.max(digits, DECIMALS); more <= Math.max(MOST_DECIMALS, digits + 2); more++) yield [digits, more];
  }
}

/** @param {number} exponent */
const tenTo = (exponent) => `10${[...String(exponent)].map((digit) => RAISED[digit]).join("")}`;

/** @param {string} whole */
const grouped = (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ",");
