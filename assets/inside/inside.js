// The Inside page: the cell's drawing, alive with the numbers of one layer of a trained model.
//
// Python (pages/common/inside/view.py) sends the signals, the layer's weights and the cell's equations as trees; everything
// here runs without the server, but for three messages: "pin" when a (step, unit) is pinned, "start" when another window of
// a long text is needed, and, when hands are at rest, "look": how the drawing is looked at. No cell is known by its name:
// its equations say what is computed, its picture says where it is drawn.

import { colourTable, mix, readTheme } from "../shared/colours.js";
import { choice, element, iconButton, reducedMotion, saveAs } from "../shared/elements.js";
import { destroy, instances } from "../shared/instances.js";
import { agrees, clamp, DECIMALS, fixed, MOST_DECIMALS, percent, precisions, rounded, short, written } from "../shared/numbers.js";
import { penOn, STANDALONE, wrapped } from "../shared/pens.js";
import { showPlaying, stop, togglePlay } from "../shared/player.js";

const SPEEDS = [1, 2, 5, 10, 20];
const MARGIN = 60; // steps beyond the cursor that should be there before a person gets to them
const COMPACT = 640;
const TALLEST = 620; // pixels of a drawing
const CASING = 12.5; // of a line, in units of the drawing: its edges
const STRIP = 10; // of the coloured cells on it
const HEAD = 1.85; // arrowheads are so much larger than they were drawn: lines are wider
const TIP = 11 * HEAD;
const RIM = 5; // of the cells around a box
const OVERLAP = 20; // of two copies: the lines of one run into those of the next
const SLIDE = 190; // milliseconds
const PATIENCE = 900; // milliseconds without a change before the look goes into the address

const LOOK = { reading: "all", copies: "three", weights: "one", biases: "one", path: "off", state: "plain", walk: 0 };
const INKS = {
  light: { body: "#e4efdf", bodyEdge: "#6aa84f", layer: "#fff2cc", layerEdge: "#c9940a", operation: "#fbd3dc", operationEdge: "#bf5573", reads: "#d6e6f5", writes: "#e6dcef", text: "#1a1a1a" },
  dark: { body: "#1c2b1f", bodyEdge: "#6aa84f", layer: "#57471a", layerEdge: "#e0b040", operation: "#6d3346", operationEdge: "#e79ab4", reads: "#24405c", writes: "#453358", text: "#f4f4f4" },
};
const NAMES = { body: "body", bodyEdge: "body-edge", layer: "layer", layerEdge: "layer-edge", operation: "operation", operationEdge: "operation-edge", reads: "reads", writes: "writes", text: "text" };
const SVG_SPACE = "http://www.w3.org/2000/svg";
const CURVES = { sigmoid: (z) => 0.5 + 0.5 * Math.tanh(0.5 * z), tanh: Math.tanh };

// ---------------------------------------------------------------- the data

const columnsOfTable = (table) => Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name).toArray()]));

function unpack(data) {
  const { meta, view } = data;
  const weights = Object.fromEntries(meta.parameters.map((name) => [name, columnsOfTable(data[name])[name]]));
  const inputs = data[meta.input === "hidden" ? "below" : "embedding"];
  const steps = columnsOfTable(data.steps);
  return {
    meta, view, weights, steps,
    ids: columnsOfTable(data.ids).ids,
    values: columnsOfTable(data.values),
    before: columnsOfTable(data.before),
    x: inputs ? Object.values(columnsOfTable(inputs))[0] : null,
    signals: Object.fromEntries(meta.signals.map((signal) => [signal.name, signal])),
    functions: Object.fromEntries(Object.entries(meta.functions).map(([name, given]) => [name, squashing(name, given)])),
    ranks: [0, 1, 2].filter((rank) => `next${rank}` in steps),
  };
}

/** A squashing function: a straight line that is cut off says so itself, the curves are known here. */
function squashing(name, { label, line, range }) {
  const [low, high] = [range[0] ?? -Infinity, range[1] ?? Infinity];
  const of = line ? (z) => clamp(line[0] * z + line[1], low, high) : CURVES[name];
  if (!of) throw new Error(`The drawing knows no function “${name}”; it knows ${Object.keys(CURVES).join(", ")} and straight lines.`);
  return { label, of };
}

const isSent = ({ meta }, step) => step >= meta.start && step < meta.start + meta.columns;

/** One row of a signal: a step of the window, or the state before it; null where it was not sent. */
function rowOf(data, name, step) {
  const { start, units } = data.meta;
  if (step === start - 1) return data.before[name] ?? null;
  return isSent(data, step) ? data.values[name].subarray((step - start) * units, (step - start + 1) * units) : null;
}

function inputAt(data, step) {
  const { input, inputs, start } = data.meta;
  if (input === "one-hot") {
    const hot = new Float32Array(inputs);
    hot[data.ids[step]] = 1;
    return hot;
  }
  const row = input === "hidden" ? step - start : data.ids[step];
  return data.x.subarray(row * inputs, (row + 1) * inputs);
}

// ---------------------------------------------------------------- the equations, evaluated

/** One step: the vectors that its equations read, and all that was computed from them so far. */
class Moment {
  constructor(data, step) {
    Object.assign(this, { data, step, vectors: new Map(), cells: new Map() });
  }

  /** A vector of the drawing, all units of it. */
  vector(node) {
    if (!this.vectors.has(node.spelling)) this.vectors.set(node.spelling, ALL[node.kind](this, node));
    return this.vectors.get(node.spelling);
  }

  drawn(value) {
    return this.vector(this.data.meta.drawn[value].tree);
  }

  held({ name, previous }) {
    return name === "x" ? inputAt(this.data, this.step) : rowOf(this.data, name, previous ? this.step - 1 : this.step);
  }

  /** What an affine map's inputs and biases add to one unit: [{source, node or bias, value}]. */
  shares(affine, unit) {
    const read = affine.inputs.map((node, k) => {
      const vector = this.vector(node);
      const { weight, row } = this.block(affine.sources[k], affine.rows, vector.length);
      let value = 0;
      for (let j = 0, at = row * vector.length + unit * vector.length; j < vector.length; j++, at++) value += weight[at] * vector[j];
      return { source: affine.sources[k], node, value };
    });
    return read.concat(biasesOf(this.data, affine).map(({ name, source, row }) => ({ source, bias: name, value: this.data.weights[name][row + unit] })));
  }

  block(source, rows) {
    const place = this.data.meta.rows[source].indexOf(rows);
    return { weight: this.data.weights[`weight_${source}`], row: place * this.data.meta.units };
  }

  diagonal({ rows }) {
    const { weight, row } = this.block("peephole", rows);
    return weight.subarray(row, row + this.data.meta.units);
  }
}

/** The biases of an affine map: their names, their sources, where they begin. */
function biasesOf({ meta }, affine) {
  return meta.biases
    .map((name) => ({ name, source: name.slice("bias_".length) }))
    .filter(({ source }) => affine.sources.includes(source))
    .map((bias) => ({ ...bias, row: meta.rows[bias.source].indexOf(affine.rows) * meta.units }));
}

const each = (vector, of) => Float64Array.from(vector, of);

const ALL = {
  vector: (moment, node) => moment.held(node),
  diagonal: (moment, node) => moment.diagonal(node),
  affine: (moment, node) => Float64Array.from({ length: moment.data.meta.units }, (_, unit) => moment.shares(node, unit).reduce((sum, { value }) => sum + value, 0)),
  apply: (moment, node) => each(moment.vector(node.argument), moment.data.functions[node.function].of),
  sum: (moment, node) => pairwise(moment, node, (a, b) => a + b),
  product: (moment, node) => pairwise(moment, node, (a, b) => a * b),
  complement: (moment, node) => each(moment.vector(node.argument), (value) => 1 - value),
  concatenation: (moment, node) => Float64Array.from(node.inputs.flatMap((input) => Array.from(moment.vector(input)))),
};

function pairwise(moment, node, of) {
  const [left, right] = [moment.vector(node.left), moment.vector(node.right)];
  return each(left, (value, k) => of(value, right[k]));
}

/** Every node of an expression, outermost first. */
function* walkTree(node) {
  yield node;
  for (const child of childrenOf(node)) yield* walkTree(child);
}

const childrenOf = (node) => node.inputs ?? [node.argument, node.left, node.right].filter(Boolean);

function momentAt(inst, step) {
  const { moments } = inst;
  if (!moments.has(step)) {
    if (moments.size > 24) moments.clear();
    moments.set(step, new Moment(inst.data, step));
  }
  return moments.get(step);
}

// ---------------------------------------------------------------- one unit in numbers that add up

/** The same expression with this unit's numbers for leaves; an affine map is one number that knows its shares. */
function putIn(moment, node, unit, look) {
  const of = (child) => putIn(moment, child, unit, look);
  switch (node.kind) {
    case "vector":
      return { kind: "number", value: moment.held(node)[unit] };
    case "diagonal":
      return { kind: "number", value: moment.diagonal(node)[unit] };
    case "affine": {
      const shares = grouped(moment.shares(node, unit), look);
      return { kind: "number", value: shares.reduce((a, b) => a + b, 0), shares: shares.length > 1 ? shares : null };
    }
    case "apply":
      return { kind: "apply", function: moment.data.functions[node.function], argument: of(node.argument) };
    case "complement":
      return { kind: "complement", argument: of(node.argument) };
    default:
      return { kind: node.kind, left: of(node.left), right: of(node.right) };
  }
}

/** The shares of a pre-activation as the switches group them: one W or two, the biases within, as one, or as two. */
function grouped(shares, look) {
  const sum = (some) => some.reduce((total, { value }) => total + value, 0);
  const [read, biases] = [shares.filter((s) => s.node), shares.filter((s) => s.bias)];
  const own = (share) => share.value + (look.biases === "within" ? sum(biases.filter((b) => b.source === share.source)) : 0);
  const products = read.map(own);
  const left = look.weights === "two" ? products : [products.reduce((a, b) => a + b, 0)];
  if (look.biases === "within" || !biases.length) return left;
  return left.concat(look.biases === "two" ? biases.map(({ value }) => value) : [sum(biases)]);
}

/** An expression of numbers, evaluated; with decimals, from the numbers as they are written. */
function evaluated(tree, decimals = null) {
  switch (tree.kind) {
    case "number":
      return decimals === null ? tree.value : rounded(tree.value, decimals);
    case "apply":
      return tree.function.of(evaluated(tree.argument, decimals));
    case "sum":
      return evaluated(tree.left, decimals) + evaluated(tree.right, decimals);
    case "product":
      return evaluated(tree.left, decimals) * evaluated(tree.right, decimals);
    case "complement":
      return 1 - evaluated(tree.argument, decimals);
    default:
      throw new Error(`No number is made of “${tree.kind}”.`);
  }
}

const guarded = (text) => (text.startsWith("−") ? `(${text})` : text);

/** An expression of numbers as it is written; shares: the decimals of the summands that stand for a sum, or null. */
function numbersText(tree, decimals, shares = null, inside = false) {
  const of = (child, within) => guarded(numbersText(child, decimals, shares, within));
  switch (tree.kind) {
    case "number": {
      if (!tree.shares || shares === null) return fixed(tree.value, decimals);
      const text = tree.shares.map((value, k) => (k ? guarded(fixed(value, shares)) : fixed(value, shares))).join(" + ");
      return inside ? `(${text})` : text;
    }
    case "apply":
      return `${tree.function.label}(${numbersText(tree.argument, decimals, shares)})`;
    case "sum": {
      const text = `${numbersText(tree.left, decimals, shares)} + ${of(tree.right)}`;
      return inside ? `(${text})` : text;
    }
    case "product":
      return `${of(tree.left, true)} × ${of(tree.right, true)}`;
    default: {
      const text = `1 − ${of(tree.argument, true)}`;
      return inside ? `(${text})` : text;
    }
  }
}

/** The fewest decimals, `least` or more, with which what is written gives `value` as it is written with `digits`; or -1. */
function finest(least, digits, value, evaluate) {
  for (let decimals = least; decimals <= MOST_DECIMALS + 2; decimals++) if (agrees(evaluate(decimals), value, digits)) return decimals;
  return -1;
}

const leavesOf = (tree) => (tree.kind === "number" ? [tree] : childrenOf(tree).flatMap(leavesOf));

/** The decimals that all shares of all sums need, so that each sum is what is written for it with `decimals`. */
function sharesDecimals(tree, decimals) {
  const sums = leavesOf(tree).filter((leaf) => leaf.shares);
  for (let fine = decimals; fine <= MOST_DECIMALS + 2; fine++) {
    if (sums.every((leaf) => agrees(leaf.shares.reduce((sum, value) => sum + rounded(value, fine), 0), leaf.value, decimals))) return fine;
  }
  return -1;
}

/** A signal of one unit as a chain of equal expressions, from its shares to its value: each = holds for what is written. */
function chainOf(moment, signal, unit, look) {
  const value = moment.held({ name: signal.name })[unit];
  const tree = putIn(moment, signal.tree, unit, look);
  const computed = evaluated(tree);
  if (Math.abs(computed - value) > 1e-3 * Math.max(1, Math.abs(value))) return heldAt(moment, signal, value, computed);
  const outer = tree.kind === "apply" ? tree : null;
  for (const [digits, more] of precisions()) {
    const whole = outer ? outer.function.of(rounded(evaluated(outer.argument), more)) : evaluated(tree, more);
    if (!agrees(whole, value, digits)) continue;
    const operands = outer ? finest(more, more, evaluated(outer.argument), (d) => evaluated(outer.argument, d)) : more;
    const shares = operands < 0 ? -1 : sharesDecimals(tree, operands);
    if (shares < 0) continue;
    const links = [];
    if (leavesOf(tree).some((leaf) => leaf.shares)) links.push(numbersText(tree, operands, shares));
    if (!outer || outer.argument.kind !== "number") links.push(numbersText(tree, operands));
    if (outer) links.push(`${outer.function.label}(${fixed(evaluated(outer.argument), more)})`);
    return { value, text: `${[...links, fixed(value, digits)].join(" = ")}` };
  }
  return { value, text: `${numbersText(tree, DECIMALS)} ≈ ${fixed(value, DECIMALS)}` }; // too large for float32 to hold its decimals
}

/** In a clamped trace a signal may be held at another value than its equation gives. */
function heldAt(moment, signal, value, computed) {
  if (!moment.data.meta.clamped) throw new Error(`The trace shows ${signal.name} = ${value}, but the weights give ${computed}: it is another model's.`);
  return { value, text: `${written(value)}, held; by itself it would be ${written(computed)}` };
}

/** A state as the sum of what was kept and what was written, in numbers that add up. */
function barsOf(moment, signal, unit) {
  const parts = signal.terms.map((term) => ({ ...term, value: moment.vector(term.tree)[unit] }));
  parts.sort((a, b) => b.kept - a.kept);
  const value = moment.held({ name: signal.name })[unit];
  for (const [digits, more] of precisions()) {
    if (!agrees(parts.reduce((sum, part) => sum + rounded(part.value, more), 0), value, digits)) continue;
    return { parts: parts.map((part) => ({ ...part, text: fixed(part.value, more) })), value, text: fixed(value, digits) };
  }
  return { parts: parts.map((part) => ({ ...part, text: fixed(part.value, DECIMALS) })), value, text: `≈ ${fixed(value, DECIMALS)}` };
}

// ---------------------------------------------------------------- letters

const roman = (text) => [{ text, kind: "roman" }];
const sub = (text) => [{ text, kind: "sub" }];
const sup = (text) => [{ text, kind: "sup" }];

function letter(symbol) {
  const [base, accent] = symbol.normalize("NFD").split(/(?=\p{M}$)/u);
  return [{ text: base, kind: "letter", mark: accent ?? "", accent: accent && (STANDALONE[accent] ?? accent) }];
}

function symbolOf(data, name, previous) {
  const symbol = name === "x" ? "x" : data.signals[name].symbol;
  return [...letter(symbol), ...sub(previous ? "t−1" : "t")];
}

const listed = (items) => items.flatMap((item, k) => (k ? [...roman(", "), ...item] : item));

/** An expression in the essay's letters, as runs of text. */
function letters(data, node, look, inside = false) {
  const of = (child, within = false) => letters(data, child, look, within);
  const apart = (runs) => (inside ? [...roman("("), ...runs, ...roman(")")] : runs);
  switch (node.kind) {
    case "vector":
      return symbolOf(data, node.name, node.previous);
    case "diagonal":
      return [...letter("p"), ...sub(node.rows)];
    case "affine":
      return apart(affineLetters(data, node, look));
    case "apply":
      return [...roman(`${data.functions[node.function].label}(`), ...of(node.argument), ...roman(")")];
    case "sum":
      return apart([...of(node.left), ...roman(" + "), ...of(node.right)]);
    case "product":
      return [...of(node.left, true), ...roman(" × "), ...of(node.right, true)];
    case "complement":
      return apart([...roman("1 − "), ...of(node.argument, true)]);
    default:
      return [...roman("["), ...listed(node.inputs.map((input) => of(input))), ...roman("]")];
  }
}

const SOURCE_LETTERS = { ih: "x", hh: "h", ch: "C" };

function affineLetters(data, node, look) {
  const W = (more = []) => [...letter("W"), ...sub(node.symbol), ...more];
  const many = node.inputs.length > 1;
  const inputs = node.inputs.map((input) => (input.kind === "vector" ? letters(data, input, look) : [...roman("("), ...letters(data, input, look), ...roman(")")]));
  let runs;
  if (many && look.weights === "two") {
    const products = inputs.map((input, k) => [...W(sup(SOURCE_LETTERS[node.sources[k]])), ...roman(" "), ...input]);
    runs = products.flatMap((product, k) => (k ? [...roman(" + "), ...product] : product));
  } else if (many) {
    runs = [...W(), ...roman(" · ["), ...listed(node.inputs.map((input) => letters(data, input, look))), ...roman("]")];
  } else runs = [...W(), ...roman(" "), ...inputs[0]];
  const biases = biasesOf(data, node);
  if (!biases.length || look.biases === "within") return runs;
  const named = look.biases === "two" ? biases.map(({ source }) => sup(source)) : [[]];
  return [...runs, ...named.flatMap((name) => [...roman(" + "), ...letter("b"), ...sub(node.symbol), ...name])];
}

function plainText(runs) {
  const text = runs.map(({ text, kind, mark }) => (text ? { sub: `_${text}`, sup: `^${text}` }[kind] ?? text + (mark ?? "") : ""));
  return text.join("");
}

function inLetters(runs) {
  return runs.filter(({ text }) => text).map(({ text, kind, accent }) => {
    if (kind === "sub" || kind === "sup") return element(kind, { textContent: text });
    if (kind === "roman") return document.createTextNode(text);
    const node = element("i", { textContent: text });
    if (accent) node.append(element("span", { className: "accent", textContent: accent }));
    return node;
  });
}

/** What a vector of the drawing is, in words. */
function wordsOf(data, node) {
  const of = (child) => wordsOf(data, child);
  switch (node.kind) {
    case "vector": {
      if (node.name === "x") return { "one-hot": "the character, one-hot", embedding: "the character’s embedding", hidden: `h of layer ${data.meta.layer}` }[data.meta.input];
      return data.signals[node.name].title + (node.previous ? " of the step before" : "");
    }
    case "diagonal":
      return "one weight a unit";
    case "affine":
      return `weighted sum of ${node.inputs.map(of).join(" and ")}`;
    case "apply":
      return `${data.functions[node.function].label} of the ${of(node.argument)}`;
    case "sum":
      return `${of(node.left)} plus ${of(node.right)}`;
    case "product":
      return `${of(node.left)} times ${of(node.right)}`;
    case "complement":
      return `1 minus the ${of(node.argument)}`;
    default:
      return `${node.inputs.map(of).join(" and ")}, put end to end`;
  }
}

// ---------------------------------------------------------------- colours

function colourTables(inst) {
  const theme = inst.theme.dark ? "dark" : "light";
  if (inst.tables?.theme !== theme) {
    inst.tables = { theme };
    for (const scale in inst.data.meta.colours) inst.tables[scale] = colourTable(inst.data.meta.colours[scale][theme], 511);
  }
  return inst.tables;
}

/** A vector as colours, one a cell, and how far each value is from rest: what a pooled cell shows is the farthest. */
function cellsOf(inst, moment, value) {
  const key = `${value}/${inst.theme.dark}/${inst.look.state}`;
  if (!moment.cells.has(key)) moment.cells.set(key, coloured(inst, moment, inst.data.meta.drawn[value].tree));
  return moment.cells.get(key);
}

function coloured(inst, moment, node) {
  if (node.kind === "concatenation") {
    const parts = node.inputs.map((input) => coloured(inst, moment, input));
    return { colours: parts.flatMap((p) => Array.from(p.colours)), far: parts.flatMap((p) => Array.from(p.far)) };
  }
  const { scale, low, high, rest, state } = inst.data.meta.drawn[node.spelling];
  const squash = state && inst.look.state === "tanh";
  const table = colourTables(inst)[scale];
  const vector = moment.vector(node);
  const [colours, far] = [new Uint32Array(vector.length), new Float32Array(vector.length)];
  for (let k = 0; k < vector.length; k++) {
    const share = squash ? (Math.tanh(vector[k]) + 1) / 2 : (vector[k] - low) / (high - low);
    colours[k] = table[(clamp(share, 0, 1) * 511 + 0.5) | 0];
    far[k] = Math.abs(vector[k] - rest);
  }
  return { colours, far };
}

/** The colours of a strip of so many cells; fewer than the vector has: the value farthest from rest stands for its neighbours. */
function pooled({ colours, far }, bins) {
  const n = colours.length;
  if (bins >= n) return colours;
  const out = new Uint32Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    let best = Math.floor((bin * n) / bins);
    for (let k = best + 1, stop = Math.floor(((bin + 1) * n) / bins); k < stop; k++) if (far[k] > far[best]) best = k;
    out[bin] = colours[best];
  }
  return out;
}

const hexOf = (pixel) => `#${[0, 8, 16].map((shift) => ((pixel >>> shift) & 255).toString(16).padStart(2, "0")).join("")}`;

/** True for a vector that has one number a unit; the input and concatenations are read as a whole, by every unit. */
const isByUnit = (data, value) => !["concatenation"].includes(data.meta.drawn[value].tree.kind) && value !== "x";

/** Where a unit's own cell lies in a vector, counted from 0; -1 where there is none. */
function cellOfUnit(data, value, unit) {
  const { tree } = data.meta.drawn[value];
  if (value === "x") return -1;
  if (tree.kind !== "concatenation") return unit;
  let before = 0;
  for (const input of tree.inputs) {
    if (input.spelling !== "x") return before + unit;
    before += sizeOf(data, input);
  }
  return -1;
}

const sizeOf = (data, node) => (node.kind === "concatenation" ? node.inputs.reduce((sum, input) => sum + sizeOf(data, input), 0) : node.spelling === "x" ? data.meta.inputs : data.meta.units);

// ---------------------------------------------------------------- the picture: its lines, its boxes, and where they run

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG_SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** The picture as it was drawn: what it carries, before it is brought to life. */
function readArt(text) {
  const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const [, , width, height] = (root.getAttribute("viewBox") ?? "").split(/\s+/).map(Number);
  if (root.localName !== "svg" || !(width > 0 && height > 0)) throw new Error("The cell’s picture is no SVG with a viewBox.");
  return { text, root, width, height, stride: width - OVERLAP, title: root.querySelector("title")?.textContent ?? "", description: root.querySelector("desc")?.textContent ?? "" };
}

/** Points along an outline, with the way to each and its direction; `ends` marks where the pen was lifted. */
function sampled(shape) {
  const total = shape.getTotalLength();
  const count = Math.max(2, Math.ceil(total / 0.75));
  const points = Array.from({ length: count + 1 }, (_, k) => {
    const way = (k / count) * total;
    const { x, y } = shape.getPointAtLength(way);
    return { x, y, way };
  });
  const gap = 1.6 * (total / count);
  const strokes = [[]];
  points.forEach((point, k) => {
    if (k && Math.hypot(point.x - points[k - 1].x, point.y - points[k - 1].y) > gap) strokes.push([]);
    strokes.at(-1).push(point);
  });
  for (const stroke of strokes) {
    stroke.forEach((point, k) => {
      const [a, b] = [stroke[Math.max(0, k - 1)], stroke[Math.min(stroke.length - 1, k + 1)]];
      const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
      [point.dx, point.dy] = [(b.x - a.x) / length, (b.y - a.y) / length];
    });
  }
  return { total, strokes: strokes.filter((stroke) => stroke.length > 1) };
}

/** All that is coloured in the picture, measured once on a copy that stands on the page. */
function measureArt(inst, copy) {
  const strips = copy.parts.flatMap((part, index) => {
    if (part.kind === "label") return [];
    const line = part.kind === "line";
    const { total, strokes } = sampled(part.shape);
    if (!line) {
      for (const point of strokes.flat()) {
        point.x -= point.dy * (RIM / 2); // outlines run clockwise: this is inwards
        point.y += point.dx * (RIM / 2);
      }
    }
    return [{ index, line, value: part.value, total, strokes, half: (line ? STRIP : RIM) / 2 }];
  });
  const boxes = copy.parts.filter((part) => part.kind === "box" || part.kind === "end").map((part) => part.shape.getBBox());
  const labels = inst.labels.find(({ offset }) => offset === 0).parts.map((part) => part.element.getBBox());
  return { strips, boxes, labels };
}

/** For each strip, the pixels it covers, the cell each belongs to and how far it covers it. */
function rasterised(inst, strip, scale, width, height) {
  const length = strip.total * scale;
  const size = sizeOf(inst.data, inst.data.meta.drawn[strip.value].tree);
  const bins = Math.max(1, Math.min(size, Math.floor(length)));
  const half = strip.half * scale;
  const found = new Map();
  for (const stroke of strip.strokes) {
    stroke.forEach((point, k) => {
      const [x, y] = [point.x * scale, point.y * scale];
      const reach = Math.ceil(half + 1.5);
      for (let row = Math.max(0, Math.floor(y) - reach); row <= Math.min(height - 1, Math.floor(y) + reach); row++) {
        for (let column = Math.max(0, Math.floor(x) - reach); column <= Math.min(width - 1, Math.floor(x) + reach); column++) {
          const [px, py] = [column + 0.5 - x, row + 0.5 - y];
          const along = px * point.dx + py * point.dy;
          if (strip.line && isBeyond(stroke, k, column + 0.5, row + 0.5, scale)) continue;
          const far = Math.hypot(px, py);
          const at = row * width + column;
          const before = found.get(at);
          if (before && before.far <= far) continue;
          const cover = clamp(half + 0.5 - Math.abs(px * point.dy - py * point.dx), 0, 1);
          found.set(at, { far, cover: far > half + 1.5 ? 0 : cover, cell: clamp(Math.floor(((point.way * scale + along) / length) * bins), 0, bins - 1) });
        }
      }
    });
  }
  const kept = [...found].filter(([, { cover }]) => cover > 0);
  return {
    index: strip.index, value: strip.value, bins, size,
    pixels: Int32Array.from(kept, ([at]) => at),
    cells: Uint16Array.from(kept, ([, { cell }]) => cell),
    alphas: Uint8Array.from(kept, ([, { cover }]) => Math.round(255 * cover)),
  };
}

/** True for a place before a stroke's start or after its end: lines are cut off square. */
function isBeyond(stroke, k, x, y, scale) {
  const past = (point) => (x - point.x * scale) * point.dx + (y - point.y * scale) * point.dy;
  return (k < CASING && past(stroke[0]) < -0.5) || (k > stroke.length - 1 - CASING && past(stroke.at(-1)) > 0.5);
}

/** The point of a line at a share of its way, 0 to 1. */
function pointAlong(strip, share) {
  const way = share * strip.total;
  let best = strip.strokes[0][0];
  for (const stroke of strip.strokes) {
    const [first, last] = [stroke[0], stroke.at(-1)];
    if (way < first.way - 1 || way > last.way + 1) continue;
    best = stroke[clamp(Math.round(((way - first.way) / (last.way - first.way || 1)) * (stroke.length - 1)), 0, stroke.length - 1)];
  }
  return best;
}

/** Where the unit's number of each vector is written: on one of its lines or beside it, where least is in the way. */
function placePills(inst, wide, tall) {
  const { strips, boxes, labels } = inst.measured;
  const lines = strips.filter((strip) => strip.line);
  const placed = new Map();
  for (const value of new Set(lines.map((strip) => strip.value).filter((value) => isByUnit(inst.data, value)))) {
    const strangers = lines.filter((strip) => strip.value !== value).flatMap((strip) => strip.strokes.flat());
    let best = null;
    for (const strip of lines.filter((s) => s.value === value)) {
      for (const box of seatsAlong(inst, strip, wide, tall)) {
        const blocked = overlap(box, boxes) + overlap(box, [...placed.values()]);
        const crossed = strangers.filter((p) => p.x > box.x - 6 && p.x < box.x + wide + 6 && p.y > box.y - 6 && p.y < box.y + tall + 6).length;
        const cost = 6 * blocked + 4 * overlap(box, labels) + 25 * crossed + box.cost;
        if (!best || cost < best.cost) best = { ...box, cost, blocked };
      }
    }
    if (best && best.blocked < 0.2 * wide * tall) placed.set(value, best);
  }
  return placed;
}

/** Where along a line a number may stand: best upon its middle, else nearer its ends, else beside it. */
function* seatsAlong(inst, strip, wide, tall) {
  const away = { x: wide / 2 + CASING / 2 + 3, y: tall / 2 + CASING / 2 + 3 };
  const sides = [[0, 0], [away.x, 0], [-away.x, 0], [0, away.y], [0, -away.y]];
  for (const stroke of strip.strokes) {
    for (let k = 4; k < stroke.length - 4; k += 4) {
      const { x, y, way } = stroke[k];
      const hidesHead = Math.max(0, TIP - (strip.total - way) + tall / 2);
      for (const [dx, dy] of sides) {
        const left = clamp(x + dx - wide / 2, 2, inst.art.width - wide - 2);
        yield { x: left, y: y + dy - tall / 2, width: wide, height: tall, cost: (dx || dy ? 160 : 10 * hidesHead) + 0.3 * Math.abs(way - strip.total / 2) };
      }
    }
  }
}

const overlap = (box, others) => others.reduce((sum, o) => sum + Math.max(0, Math.min(box.x + box.width, o.x + o.width) - Math.max(box.x, o.x)) * Math.max(0, Math.min(box.y + box.height, o.y + o.height) - Math.max(box.y, o.y)), 0);

// ---------------------------------------------------------------- a copy of the cell: one step

const kindOf = (node) => (node.localName === "path" && node.dataset.from ? "line" : node.dataset.signal ? "box" : node.classList.contains("reads") || node.classList.contains("writes") ? "end" : "label");

function makeCopy(inst) {
  const { root, width, height } = inst.art;
  const under = document.importNode(root, true);
  under.setAttribute("aria-hidden", "true");
  under.removeAttribute("role");
  under.querySelectorAll("title, desc, metadata").forEach((node) => node.remove());
  for (const node of under.querySelectorAll("[data-value]")) if (kindOf(node) === "label" && hasTime(node)) node.remove();
  under.querySelectorAll(".reads text, .writes text").forEach((text) => text.remove()); // see makeLabels
  const over = svg("svg", { viewBox: `0 0 ${width} ${height}`, "font-family": under.getAttribute("font-family") ?? "serif", "aria-hidden": "true" });
  const parts = [...under.querySelectorAll("[data-value]")].filter((node) => !node.closest("defs")).map((node) => {
    const kind = kindOf(node);
    const shape = kind === "line" ? node : kind === "label" ? null : node.querySelector("rect, circle, ellipse, polygon, path");
    const targets = new Set([...(node.dataset.to ?? "").split(" "), node.dataset.signal ?? ""].filter(Boolean));
    return { element: node, shape, kind, value: node.dataset.value, targets, tip: null };
  });
  const tips = svg("g", { class: "tips" });
  for (const tip of under.querySelectorAll("path.tip")) {
    const line = parts.findLast((part) => part.kind === "line" && part.element.compareDocumentPosition(tip) & Node.DOCUMENT_POSITION_FOLLOWING);
    const [, x, y] = /^M\s*([-\d.]+)[ ,]+([-\d.]+)/.exec(tip.getAttribute("d"));
    tip.setAttribute("transform", `translate(${x} ${y}) scale(${HEAD}) translate(${-x} ${-y})`);
    if (line) line.tip = tip;
    tips.append(tip);
  }
  const hits = svg("g", { class: "hits", fill: "transparent", stroke: "none" });
  for (const [index, part] of parts.entries()) {
    if (!part.shape) continue;
    const hit = part.shape.cloneNode(false);
    for (const name of ["data-from", "data-to", "data-value", "class", "fill"]) hit.removeAttribute(name);
    if (part.kind === "line") Object.entries({ fill: "none", stroke: "transparent", "stroke-width": 20 }).forEach(([name, value]) => hit.setAttribute(name, value));
    hit.dataset.part = index;
    if (part.kind === "line") hits.prepend(hit);
    else hits.append(hit);
  }
  const pills = svg("g", { class: "pills", "text-anchor": "middle" });
  over.append(tips, pills, hits);
  const canvas = element("canvas", {});
  const copy = { root: element("div", { className: "copy" }, under, canvas, over), under, over, canvas, parts, pills, tips, pillTexts: new Map(), step: null, painted: "", image: null, ...endsOf(under) };
  copy.ghost = element("div", { className: "ghost" });
  copy.root.append(copy.ghost);
  return copy;
}

const hasTime = (node) => [...node.querySelectorAll("tspan")].some((span) => TIMES.includes(span.textContent));
const TIMES = ["t", "t−1"];
const timeText = (offset) => (offset === 0 ? "t" : offset > 0 ? `t+${offset}` : `t−${-offset}`);

/** The letters of a copy that many steps from the cursor: they move with the cursor, so that no text is laid out anew. */
function makeLabels(inst, offset) {
  const { root } = inst.art;
  const layer = document.importNode(root, true);
  layer.setAttribute("class", "letters");
  layer.setAttribute("aria-hidden", "true");
  layer.removeAttribute("role");
  for (const group of layer.querySelectorAll(".reads, .writes")) {
    const circle = group.querySelector("circle, ellipse");
    if (group.classList.contains("reads")) standBeside(circle, group.querySelector("text"));
    circle.remove();
  }
  const kept = [...layer.querySelectorAll("[data-value]")].filter((node) => kindOf(node) !== "line" && hasTime(node));
  for (const node of [...layer.children]) if (!kept.some((part) => node.contains(part))) node.remove();
  for (const span of layer.querySelectorAll("tspan")) if (TIMES.includes(span.textContent)) span.textContent = timeText(TIMES.indexOf(span.textContent) * -1 + offset);
  layer.querySelectorAll(".reads text, .writes text").forEach((text) => text.setAttribute("fill", text.closest(".reads") ? "currentColor" : "var(--cell-text, #1a1a1a)"));
  return { layer, offset, parts: kept.map((element) => ({ element, value: element.dataset.value, kind: kindOf(element), targets: new Set() })) };
}

function standBeside(circle, text) {
  const [x, y] = [Number(circle.getAttribute("cx")), Number(circle.getAttribute("cy"))];
  const away = Number(circle.getAttribute("r") ?? circle.getAttribute("rx")) + 9;
  Object.entries({ x: x + away, y: y + 6, "text-anchor": "start" }).forEach(([name, value]) => text.setAttribute(name, value));
  return { x, y };
}

/** In the circle below stands the character itself, x_t beside it; beside the circle above, where h goes. */
function endsOf(under) {
  const [reads, writes] = [under.querySelector(".reads"), under.querySelector(".writes")];
  const glyph = svg("text", { "text-anchor": "middle", "font-size": 27, "font-style": "normal", stroke: "none", class: "glyph" });
  const expects = svg("text", { "font-size": 17, stroke: "none", "font-style": "normal", class: "expects" });
  const below = svg("text", { "font-size": 17, stroke: "none", "font-style": "normal", class: "expects" });
  if (reads) {
    const { x, y } = standBeside(reads.querySelector("circle, ellipse"), below);
    below.setAttribute("x", Number(below.getAttribute("x")) + 30); // x_t stands between
    glyph.setAttribute("x", x);
    glyph.setAttribute("y", y + 9);
    reads.append(glyph, below);
  }
  if (writes) {
    standBeside(writes.querySelector("circle, ellipse"), expects);
    writes.append(expects);
  }
  return { glyph, expects, below };
}

/** Theme and sizes of a copy: presentation attributes alone, so that a downloaded drawing carries them. */
function dressCopy(inst, copy) {
  const { theme, layout } = inst;
  for (const node of [copy.under, copy.over, copy.canvas]) {
    node.style.width = `${layout.width}px`;
    node.style.height = `${layout.height}px`;
  }
  copy.root.style.width = `${layout.width}px`;
  copy.root.style.height = `${layout.height}px`;
  copy.under.style.color = theme.ink;
  copy.tips.setAttribute("fill", theme.ink);
  copy.tips.querySelectorAll("path").forEach((tip) => tip.setAttribute("fill", theme.ink));
  copy.glyph.setAttribute("font-family", theme.mono);
  copy.glyph.setAttribute("fill", inst.inks.text);
  for (const words of [copy.expects, copy.below]) {
    words.setAttribute("font-family", theme.sans);
    words.setAttribute("fill", theme.ink);
  }
  copy.canvas.width = layout.pixels;
  copy.canvas.height = layout.rows;
  copy.image = null;
  copy.painted = "";
  copy.pills.replaceChildren();
  copy.pillTexts.clear();
  for (const [value, box] of inst.pills) {
    const frame = svg("rect", { x: box.x, y: box.y, width: box.width, height: box.height, rx: box.height / 2, fill: theme.paper, stroke: theme.ink, "stroke-width": 1.25 });
    const text = svg("text", { x: box.x + box.width / 2, y: box.y + box.height / 2 + 0.35 * layout.letters, "font-size": layout.letters, "font-family": theme.sans, fill: theme.ink, "font-weight": 600 });
    const group = svg("g", { class: "pill" }, frame, text);
    copy.pills.append(group);
    copy.pillTexts.set(value, { group, text });
  }
}

/** How strongly each part stands out: all of them, or those that a step of the walk, or the path, lights. */
function lightsAt(inst, offset) {
  if (inst.look.walk) return inst.walk[inst.look.walk - 1].lights;
  if (inst.look.path === "on") return inst.paths[offset] ?? [];
  return null;
}

function isLit(part, lights) {
  return lights.some((light) => {
    const [value, target] = light.split(" -> ");
    return value === part.value && (!target || part.targets.has(target) || !part.targets.size);
  });
}

const DIM = 0.13;

function lightCopy(inst, copy, offset) {
  const lights = lightsAt(inst, offset);
  const pointed = inst.pointed?.offset === offset ? inst.pointed.value : null;
  const key = `${lights?.join("|")}/${pointed}/${inst.theme.ink}/${inst.look.reading}/${inst.epoch}`;
  if (copy.lighting === key) return;
  copy.lighting = key;
  copy.strength = new Float32Array(copy.parts.length).fill(1);
  copy.parts.forEach((part, index) => {
    const lit = lights ? isLit(part, lights) : null;
    const here = part.value === pointed;
    copy.strength[index] = lit === false && !here ? DIM : 1;
    const edge = here ? inst.theme.accent : inst.theme.ink;
    part.element.setAttribute("opacity", lit === false && !here ? DIM * 1.4 : 1);
    part.element.dataset.lit = lit === null ? "" : lit;
    if (part.kind === "line") {
      part.element.setAttribute("stroke", edge);
      part.element.setAttribute("stroke-width", CASING + (lit ? 3 : 0) + (here ? 4 : 0));
    } else if (part.shape) {
      part.shape.setAttribute("stroke-width", 2 + (lit ? 2 : 0) + (here ? 3 : 0));
      if (here) part.shape.setAttribute("stroke", edge);
      else part.shape.removeAttribute("stroke");
    }
    if (part.tip) {
      part.tip.setAttribute("fill", edge);
      part.tip.setAttribute("opacity", lit === false && !here ? DIM * 1.4 : 1);
    }
  });
  for (const [value, { group }] of copy.pillTexts) {
    const lit = !lights || copy.parts.some((part) => part.value === value && isLit(part, lights));
    group.setAttribute("opacity", lit ? 1 : DIM);
  }
}

/** The letters: lit or dimmed as their vectors are; where a copy stands on the left, its own label names the line that comes in. */
function lightLabels(inst) {
  for (const { offset, parts, layer } of inst.labels) {
    const lights = lightsAt(inst, offset);
    layer.style.color = inst.theme.ink;
    for (const { element, value, kind, targets } of parts) {
      const lit = !lights || isLit({ value, targets }, lights);
      element.setAttribute("opacity", lit ? 1 : 2 * DIM);
      element.setAttribute("visibility", kind === "label" && value.endsWith("@-1") && inst.look.copies === "three" ? "hidden" : "visible");
    }
  }
}

/** Brings a copy to show its step: colours, numbers, the character, the subscripts. Does nothing when it does already. */
function paintCopy(inst, copy) {
  const { data, cursor, look } = inst;
  const offset = copy.step - cursor.step;
  lightCopy(inst, copy, offset);
  const key = `${inst.epoch}/${copy.step}/${look.reading}/${look.state}/${cursor.unit}/${copy.lighting}`;
  if (copy.painted === key) return;
  copy.painted = key;
  const there = copy.step >= 0 && copy.step < data.meta.steps;
  const sent = there && isSent(data, copy.step);
  copy.root.classList.toggle("absent", !sent);
  copy.ghost.replaceChildren(...(sent ? [] : [element("span", { textContent: absence(inst, copy.step, there) })]));
  copy.ghost.style.justifyContent = offset < 0 ? "flex-end" : offset > 0 ? "flex-start" : "center"; // of a neighbour, the near side is in view
  const context = copy.canvas.getContext("2d");
  if (!sent) {
    context.clearRect(0, 0, copy.canvas.width, copy.canvas.height);
    copy.image = null;
    return;
  }
  const moment = momentAt(inst, copy.step);
  const { image } = (copy.image ??= blank(context, inst.layout));
  const byUnit = look.reading === "unit";
  const order = [...inst.raster].sort((a, b) => copy.strength[a.index] - copy.strength[b.index]); // what is lit lies on top
  for (const strip of order) paintStrip(copy, strip, stripColours(inst, moment, strip, byUnit));
  context.putImageData(image, 0, 0);
  if (!byUnit) drawTicks(inst, copy, context);
  writePills(inst, copy, moment, byUnit);
  writeEnds(inst, copy);
}

function absence(inst, step, there) {
  if (there) return "…";
  if (step >= inst.data.meta.steps) return "nothing comes after the last character, yet";
  const { data } = inst;
  const states = data.meta.states.map((name) => [data.signals[name].symbol, rowOf(data, name, -1)]);
  const zero = states.every(([, row]) => !row || row.every((value) => value === 0));
  const names = states.map(([symbol]) => symbol).join(" and ");
  return zero ? `before the text: ${names} start${states.length > 1 ? "" : "s"} at 0 in every unit` : `before the text: ${names} as an earlier text left ${states.length > 1 ? "them" : "it"}`;
}

function blank(context, { pixels, rows }) {
  const image = context.createImageData(pixels, rows);
  return { image, words: new Uint32Array(image.data.buffer) };
}

function stripColours(inst, moment, strip, byUnit) {
  const cells = cellsOf(inst, moment, strip.value);
  if (byUnit && isByUnit(inst.data, strip.value)) return cells.colours[inst.cursor.unit];
  return pooled(cells, strip.bins);
}

function paintStrip(copy, { index, pixels, cells, alphas }, colours) {
  const { words } = copy.image;
  const strength = copy.strength[index];
  const one = typeof colours === "number";
  for (let k = 0; k < pixels.length; k++) {
    const colour = one ? colours : colours[cells[k]];
    words[pixels[k]] = (colour & 0xffffff) | ((alphas[k] * strength) << 24);
  }
}

/** Where the picked unit's cell lies on each line. */
function drawTicks(inst, copy, context) {
  const { data, cursor, layout, theme } = inst;
  const scale = layout.scale * inst.ratio;
  const ways = inst.measured.strips.filter((strip) => strip.line && copy.strength[strip.index] === 1).map((strip) => {
    const cell = cellOfUnit(data, strip.value, cursor.unit);
    if (cell < 0) return null;
    const { x, y, dx, dy } = pointAlong(strip, (cell + 0.5) / sizeOf(data, data.meta.drawn[strip.value].tree));
    const reach = STRIP / 2 + 3.5;
    return [(x - dy * reach) * scale, (y + dx * reach) * scale, (x + dy * reach) * scale, (y - dx * reach) * scale];
  });
  for (const [colour, wide] of [[theme.paper, 4.2], [theme.accent, 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = wide * scale;
    context.beginPath();
    for (const way of ways.filter(Boolean)) {
      context.moveTo(way[0], way[1]);
      context.lineTo(way[2], way[3]);
    }
    context.stroke();
  }
}

function writePills(inst, copy, moment, byUnit) {
  copy.pills.setAttribute("visibility", byUnit ? "visible" : "hidden");
  if (!byUnit) return;
  for (const [value, { group, text }] of copy.pillTexts) {
    const number = moment.drawn(value)[inst.cursor.unit];
    text.textContent = written(number); // tanh C changes the colours alone: these numbers add up
    group.dataset.shown = value;
    group.dataset.number = number;
  }
}

function writeEnds(inst, copy) {
  const { data } = inst;
  const shown = data.meta.glyphs[data.steps.typed[copy.step]];
  copy.glyph.textContent = shown[0];
  copy.glyph.setAttribute("font-size", shown[2] === "boxed" ? 13 : 27);
  copy.below.textContent = data.meta.layer ? `= h of layer ${data.meta.layer}` : "";
  const top = data.meta.layer === data.meta.allLayers - 1;
  const next = data.ranks.length && data.meta.glyphs[data.steps.next0[copy.step]];
  copy.expects.textContent = !top ? `to layer ${data.meta.layer + 2}` : next ? `expects ${next[0]} ${percent(data.steps.chance0[copy.step] / 65535)}` : "";
}

// ---------------------------------------------------------------- the row of copies

function layoutStage(inst) {
  const { art } = inst;
  const wide = Math.max(240, inst.root.clientWidth);
  const compact = wide < COMPACT;
  const three = inst.look.copies === "three";
  const two = inst.look.path === "on" && !compact && three;
  const share = two ? wide / (art.width + art.stride + 30) : ((compact || !three ? 1 : 0.7) * wide) / art.width;
  const wanted = Math.min(share, 1.12, TALLEST / art.height);
  inst.ratio = window.devicePixelRatio || 1;
  const pixels = Math.round(art.width * wanted * inst.ratio);
  const scale = pixels / inst.ratio / art.width;
  const rows = Math.ceil(art.height * scale * inst.ratio);
  const letters = Math.max(15, 11 / scale);
  return {
    wide, compact, scale, pixels, rows, letters, width: pixels / inst.ratio, height: rows / inst.ratio,
    stride: (Math.round(art.stride * scale * inst.ratio) / inst.ratio), origin: Math.round(wide / 2 - (art.width / 2 + (two ? art.stride / 2 : 0)) * scale),
  };
}

function arrange(inst) {
  const { el } = inst;
  inst.layout = layoutStage(inst);
  inst.epoch++;
  inst.moments.clear();
  if (!inst.copies.length) {
    inst.copies = Array.from({ length: 5 }, () => makeCopy(inst));
    inst.labels = [-2, -1, 0, 1, 2].map((offset) => makeLabels(inst, offset));
    el.track.replaceChildren(...inst.copies.map((copy) => copy.root), ...inst.labels.map(({ layer }) => layer));
  }
  for (const { layer } of inst.labels) Object.assign(layer.style, { width: `${inst.layout.width}px`, height: `${inst.layout.height}px` });
  el.stage.style.height = `${inst.layout.height}px`;
  inst.copies[0].under.style.width = `${inst.layout.width}px`;
  inst.measured ??= measureArt(inst, inst.copies[0]);
  inst.raster = inst.measured.strips.map((strip) => rasterised(inst, strip, inst.layout.scale * inst.ratio, inst.layout.pixels, inst.layout.rows));
  inst.pills = placePills(inst, inst.layout.letters * 3.5, inst.layout.letters * 1.4);
  for (const copy of inst.copies) {
    copy.lighting = "";
    dressCopy(inst, copy);
  }
  place(inst, true);
  lightLabels(inst);
}

/** Puts the copies around the cursor; each keeps its step as long as it can, so that a move paints one of them. */
function place(inst, afresh = false) {
  const { cursor, layout, look, data } = inst;
  const reach = look.copies === "one" ? 0 : inst.hasty ? 1 : 2; // the outermost are seen only where the row slides
  if (afresh || Math.abs(cursor.step - inst.anchor) > 500) inst.anchor = cursor.step;
  const wanted = [];
  for (let step = cursor.step - reach; step <= cursor.step + reach; step++) if (step >= -1 && step <= data.meta.steps) wanted.push(step);
  const free = inst.copies.filter((copy) => !wanted.includes(copy.step));
  for (const step of wanted) {
    const copy = inst.copies.find((c) => c.step === step) ?? free.shift();
    copy.step = step;
    copy.root.hidden = false;
    copy.root.dataset.step = step;
    copy.root.style.transform = `translateX(${layout.origin + (step - inst.anchor) * layout.stride}px)`;
    copy.root.classList.toggle("aside", step !== cursor.step && !(look.path === "on" && step === cursor.step + 1));
    paintCopy(inst, copy);
  }
  for (const copy of free) {
    copy.root.hidden = true;
    copy.step = null;
    delete copy.root.dataset.step;
  }
  for (const { layer, offset } of inst.labels) {
    layer.style.display = wanted.includes(cursor.step + offset) && isSent(data, cursor.step + offset) ? "" : "none";
    layer.style.opacity = offset === 0 || (look.path === "on" && offset === 1) ? 1 : 0.5;
    layer.style.transform = `translateX(${layout.origin + (cursor.step + offset - inst.anchor) * layout.stride}px)`;
  }
}

/** The track stands so that the cursor's copy is in the middle; it slides there when hands are slow enough to be followed. */
function settle(inst, slide) {
  const { el, cursor, layout } = inst;
  el.track.style.transition = slide && !reducedMotion.matches ? `transform ${slide}ms ease-out` : "none";
  el.track.style.transform = `translateX(${(inst.anchor - cursor.step) * layout.stride}px)`;
}

const current = (inst) => inst.copies.find((copy) => copy.step === inst.cursor.step);

// ---------------------------------------------------------------- the text around the cursor

const TAPE = { column: 17, height: 46 };

function tapeView(inst) {
  const { steps } = inst.data.meta;
  const fit = Math.max(5, Math.floor(inst.layout.wide / TAPE.column));
  const room = Math.min(8, Math.floor(fit / 4));
  const { step } = inst.cursor;
  const end = Math.max(0, steps - fit);
  const near = (step < inst.first + room && inst.first > 0) || (step >= inst.first + fit - room && inst.first < end);
  if (near || inst.first > end) inst.first = clamp(step - Math.floor(fit / 3), 0, end); // a page at a time: text that stands still is read
  return { first: inst.first, last: Math.min(steps, inst.first + fit), fit };
}

function paintTape(inst) {
  const { el, layout, cursor, pin } = inst;
  const { first, last } = tapeView(inst);
  const x = (step) => `translateX(${(step - first) * TAPE.column}px)`;
  const key = `${inst.epoch}/${first}/${last}`;
  if (inst.taped !== key) paintText(inst, first, last);
  inst.taped = key;
  el.here.style.transform = x(cursor.step);
  el.pinned.hidden = !pin || pin.step < first || pin.step >= last;
  if (pin) el.pinned.style.transform = x(pin.step);
  el.tape.style.height = `${TAPE.height}px`;
  el.tape.style.width = `${layout.wide}px`;
}

function paintText(inst, first, last) {
  const { el, data, theme, layout } = inst;
  const pen = penOn(el.text, layout.wide, TAPE.height, inst.ratio);
  const x = (step) => (step - first) * TAPE.column;
  for (let step = first; step < last; step++) {
    const [shown, , kind] = data.meta.glyphs[data.steps.typed[step]];
    const replaced = data.steps.typed[step] !== data.steps.read[step];
    const fill = replaced ? theme.replaced : kind === "quiet" ? mix(theme.ink, theme.paper, 0.42) : theme.ink;
    const small = kind === "boxed" ? Math.min(9, (TAPE.column - 4) / (0.62 * shown.length)) : 16;
    pen.text(shown, x(step) + TAPE.column / 2, 21, { size: small, fill, family: theme.mono, align: "center", weight: 500 });
    if (replaced) pen.rect(x(step) + 3, 25, TAPE.column - 6, 2, { fill: theme.replaced, radius: 1 });
    const nats = data.steps.surprise[step];
    if (nats > 0) pen.rect(x(step) + 3.5, 29, TAPE.column - 7, Math.max(1, Math.min(1, nats / 8) * 16), { fill: theme.quiet, alpha: 0.7 });
  }
}

// ---------------------------------------------------------------- words

const spokenGlyph = (inst, index) => {
  const [shown, name, kind] = inst.data.meta.glyphs[index];
  return kind === "plain" ? `“${shown}”` : name;
};

const expected = (inst, step) => inst.data.ranks.map((rank) => [inst.data.steps[`next${rank}`][step], percent(inst.data.steps[`chance${rank}`][step] / 65535)]);

function writeReadout(inst) {
  const { el, data, cursor } = inst;
  const { step, unit } = cursor;
  const [shown, name] = data.meta.glyphs[data.steps.typed[step]];
  const [typed, read, nats] = [data.steps.typed[step], data.steps.read[step], data.steps.surprise[step]];
  el.typed.textContent = shown;
  el.typed.title = name;
  el.step.textContent = `${data.meta.step} ${step + 1} of ${data.meta.steps}`;
  el.surprise.textContent = Number.isNaN(nats) ? "no surprise: the first character" : `surprise ${fixed(nats, 2)} nats (${percent(Math.exp(-nats))})`;
  el.replaced.textContent = typed === read ? "" : `read as ${spokenGlyph(inst, read)}`;
  expected(inst, step).forEach(([index, chance], rank) => {
    el.nexts[rank].textContent = data.meta.glyphs[index][0];
    el.nexts[rank].nextSibling.textContent = ` ${chance}`;
  });
  el.tape.setAttribute("aria-valuenow", step + 1);
  el.tape.setAttribute("aria-valuemax", data.meta.steps);
  el.tape.setAttribute("aria-valuetext", `${spokenGlyph(inst, typed)}, ${el.step.textContent}`);
  Object.assign(inst.root.dataset, { step, unit, layer: data.meta.layer, look: JSON.stringify(inst.look) });
}

/** Screen readers hear where hands came to rest, not every place they passed. */
function speakSoon(inst, sentence) {
  clearTimeout(inst.timers.speak);
  inst.timers.speak = setTimeout(() => (inst.el.live.textContent = sentence()), inst.playing ? 1500 : 250);
}

function placeSentence(inst) {
  const { data, cursor, el } = inst;
  const next = expected(inst, cursor.step).map(([index, chance]) => `${spokenGlyph(inst, index)} ${chance}`);
  const read = el.replaced.textContent ? `, ${el.replaced.textContent}` : "";
  const lines = isSent(data, cursor.step) ? linesShown(inst).map(({ signal, chain }) => `${signal.title} ${signal.symbol} ${chain.text.split(" = ").at(-1)}`) : [];
  return `${spokenGlyph(inst, data.steps.typed[cursor.step])}${read}, ${el.step.textContent}, ${el.surprise.textContent}. Expects ${next.join(", ")}. Layer ${data.meta.layer + 1}, unit ${cursor.unit}: ${lines.join(", ")}.`;
}

// ---------------------------------------------------------------- the part under the finger

/** The weights that a box applies itself: those of its equation that have no box of their own. */
function weightsOf(inst, part) {
  const { data } = inst;
  const own = data.signals[part.value]?.tree ?? data.meta.drawn[part.value].tree;
  const boxes = new Set(inst.copies[0].parts.filter((p) => p.kind === "box").map((p) => p.value));
  const found = [];
  const visit = (node, top) => {
    if (!top && boxes.has(node.spelling)) return;
    if (node.kind === "affine" || node.kind === "diagonal") found.push(node);
    childrenOf(node).forEach((child) => visit(child, false));
  };
  if (data.signals[part.value] || boxes.has(part.value)) visit(own, true);
  return found;
}

function shapeWords(inst, node) {
  const { data, look } = inst;
  const { units } = data.meta;
  if (node.kind === "diagonal") return `p_${node.rows}: ${units}, one weight a unit`;
  const sizes = node.inputs.map((input) => sizeOf(data, input));
  const total = sizes.reduce((a, b) => a + b, 0);
  const symbol = node.symbol ? `_${node.symbol}` : "";
  const biases = biasesOf(data, node);
  const bias = !biases.length ? "no bias" : biases.length > 1 && look.biases === "two" ? `b${symbol}^ih and b${symbol}^hh: ${units} each` : `b${symbol}: ${units}${biases.length > 1 ? ", the sum of two" : ""}`;
  if (sizes.length > 1 && look.weights === "two") {
    return `${node.sources.map((source, k) => `W${symbol}^${SOURCE_LETTERS[source]}: ${units} × ${sizes[k]}`).join(", ")}, ${bias}`;
  }
  const apart = sizes.length > 1 ? ` = ${units} × (${sizes.join(" + ")})` : "";
  return `W${symbol}: ${units} × ${total}${apart}, ${bias}`;
}

function rangeWords(inst, value) {
  const { tree, low, high, most, state, scale } = inst.data.meta.drawn[value];
  if (tree.kind === "concatenation") return "";
  if (scale === "gate") return value === "x" ? "one 1, the rest 0" : "0 to 1";
  const free = state || most > high || !Number.isInteger(high);
  return free ? `unbounded, colours to ±${short(high, 3)}${most > high ? `, largest ${short(most, 3)}` : ""}` : `${short(low, 3)} to ${short(high, 3)}`;
}

function sizeWords(inst, value) {
  const { tree } = inst.data.meta.drawn[value];
  if (tree.kind === "concatenation") return `${tree.inputs.map((input) => sizeOf(inst.data, input)).join(" + ")} = ${sizeOf(inst.data, tree)} numbers`;
  return `${sizeOf(inst.data, tree)} numbers${isByUnit(inst.data, value) ? ", one a unit" : ""}`;
}

function partStep(inst) {
  return inst.cursor.step + (inst.part.offset ?? 0);
}

function valueWords(inst, value, unit) {
  const { data } = inst;
  const step = partStep(inst);
  if (!isSent(data, step)) return "";
  const moment = momentAt(inst, step);
  const vector = moment.drawn(value);
  if (value === "x" && data.meta.input === "one-hot") return `the 1 is in cell ${data.ids[step]}: ${spokenGlyph(inst, data.steps.read[step])}`;
  const cell = cellOfUnit(data, value, unit);
  const own = cell < 0 ? "" : `unit ${unit}: ${written(vector[cell])}`;
  const [least, most] = [Math.min(...vector), Math.max(...vector)];
  const all = isByUnit(data, value) ? `all ${vector.length}: ${written(least)} to ${written(most)}, mean ${written(vector.reduce((a, b) => a + b, 0) / vector.length)}` : "";
  return [own, all].filter(Boolean).join("; ");
}

/** The symbol that names a vector of the copy at the cursor; in a neighbour its time is another. */
function partLetters(inst) {
  const { tree } = inst.data.meta.drawn[inst.part.value];
  const offset = inst.part.offset ?? 0;
  const runs = letters(inst.data, tree, inst.look);
  if (!offset) return runs;
  return runs.map((r) => {
    if (r.kind !== "sub" || !TIMES.includes(r.text)) return r;
    return { ...r, text: timeText((r.text === "t" ? 0 : -1) + offset) };
  });
}

function writePart(inst) {
  const { el, data, part, cursor } = inst;
  const { tree } = data.meta.drawn[part.value];
  const weights = weightsOf(inst, part);
  el.partName.replaceChildren(...inLetters(partLetters(inst)));
  el.partWords.textContent = [wordsOf(data, tree), rangeWords(inst, part.value), sizeWords(inst, part.value)].filter(Boolean).join(" · ");
  el.partShape.textContent = weights.map((node) => shapeWords(inst, node)).join("; ");
  el.partValue.textContent = valueWords(inst, part.value, cursor.unit);
  Object.assign(el.part.dataset, { value: part.value });
  paintMagnified(inst);
}

function partSentence(inst) {
  const { el, part } = inst;
  return [`${plainText(partLetters(inst))}: ${wordsOf(inst.data, inst.data.meta.drawn[part.value].tree)}`, rangeWords(inst, part.value), sizeWords(inst, part.value), el.partShape.textContent, el.partValue.textContent].filter(Boolean).join(". ") + ".";
}

/** The vector under the finger across the whole width, no cell pooled: here each unit can be pointed at. */
function paintMagnified(inst) {
  const { el, data, part, cursor, layout, theme } = inst;
  const step = partStep(inst);
  const pen = penOn(el.magnified, layout.wide, 30, inst.ratio);
  if (!isSent(data, step)) return;
  const { colours } = cellsOf(inst, momentAt(inst, step), part.value);
  const canvas = inst.scratch;
  [canvas.width, canvas.height] = [colours.length, 1];
  const context = canvas.getContext("2d");
  const image = context.createImageData(colours.length, 1);
  new Uint32Array(image.data.buffer).set(colours);
  context.putImageData(image, 0, 0);
  pen.image(canvas, 0, 5, layout.wide, 20);
  pen.rect(0.5, 5, layout.wide - 1, 20, { stroke: theme.quiet });
  const cell = cellOfUnit(data, part.value, cursor.unit);
  if (cell < 0) return;
  const wide = layout.wide / colours.length;
  pen.rect(cell * wide - 1.5, 3.5, wide + 3, 23, { stroke: theme.paper, line: 4, radius: 2 });
  pen.rect(cell * wide - 1.5, 3.5, wide + 3, 23, { stroke: theme.accent, line: 2, radius: 2 });
}

function paintScales(inst) {
  const { el, theme, data, layout, look } = inst;
  const tables = colourTables(inst);
  const free = Object.values(data.meta.drawn).find(({ tree, state }) => state && tree.kind === "vector" && !tree.previous && tree.name === state);
  const tanh = look.state === "tanh";
  const scales = [["gates", "gate", "0", "1"], ["others", "diverging", "−1", "1"]];
  if (free) scales.push([tanh ? `tanh ${data.signals[free.state].symbol}` : data.signals[free.state].symbol, "diverging", tanh ? "−1" : short(free.low, 3), tanh ? "1" : short(free.high, 3) + (free.most > free.high ? ` (largest ${short(free.most, 3)})` : "")]);
  const used = scales.filter(([, scale]) => scale !== "gate" || data.meta.signals.some((s) => data.meta.drawn[s.name].scale === "gate"));
  el.scales.replaceChildren(
    ...used.map(([name, scale, low, high]) => {
      const bar = element("canvas", { width: 64, height: 1, "aria-hidden": "true" });
      const context = bar.getContext("2d");
      const image = context.createImageData(64, 1);
      new Uint32Array(image.data.buffer).set(Array.from({ length: 64 }, (_, k) => tables[scale][Math.round((k / 63) * 511)]));
      context.putImageData(image, 0, 0);
      return element("span", { className: "scale" }, element("b", { textContent: name }), ` ${low} `, bar, ` ${high}`);
    }),
    el.squash,
  );
}

// ---------------------------------------------------------------- the equations of the picked unit

function linesShown(inst) {
  const moment = momentAt(inst, inst.cursor.step);
  return inst.data.meta.signals.map((signal) => ({ signal, chain: chainOf(moment, signal, inst.cursor.unit, inst.look) }));
}

function equationRow(inst, signal) {
  const left = [...symbolOf(inst.data, signal.name), ...roman(" = ")];
  const symbolic = element("span", { className: "symbolic" }, ...inLetters([...left, ...letters(inst.data, signal.tree, inst.look)]));
  const row = element("div", { className: "row" }, symbolic, element("span", { className: "numbers" }));
  row.dataset.line = signal.name;
  row.tabIndex = -1;
  return row;
}

function buildEquations(inst) {
  inst.el.rows.replaceChildren(...inst.data.meta.signals.map((signal) => equationRow(inst, signal)));
  const step = inst.look.walk ? inst.walk[inst.look.walk - 1] : null;
  inst.el.walkRows.replaceChildren(...(step ? inst.data.meta.signals.filter((s) => step.equations.includes(s.name)).map((s) => equationRow(inst, s)) : []));
}

function writeEquations(inst) {
  const { el, data, cursor } = inst;
  el.unitTitle.textContent = `Unit ${cursor.unit} at ${spokenGlyph(inst, data.steps.typed[cursor.step])}, ${data.meta.step} ${cursor.step + 1}`;
  if (!isSent(data, cursor.step)) return;
  const chains = Object.fromEntries(linesShown(inst).map(({ signal, chain }) => [signal.name, chain]));
  for (const row of [...el.rows.children, ...el.walkRows.children]) {
    row.lastChild.textContent = `= ${chains[row.dataset.line].text}`;
    row.dataset.value = chains[row.dataset.line].value;
  }
  writeBars(inst);
}

/** Kept and written as two bars that add up to the state, from the walk's own words. */
function writeBars(inst) {
  const { el, data, cursor, look, theme } = inst;
  const step = look.walk ? inst.walk[look.walk - 1] : null;
  const signal = step?.bars ? data.meta.signals.find((s) => step.equations.includes(s.name) && s.terms.length > 1) : null;
  el.bars.hidden = !signal;
  if (!signal) return;
  const { parts, value, text } = barsOf(momentAt(inst, cursor.step), signal, cursor.unit);
  const ends = [0, value, ...parts.map((_, k) => parts.slice(0, k + 1).reduce((sum, part) => sum + part.value, 0))];
  const reach = Math.max(...ends.map(Math.abs), 1e-9) * 1.08;
  const [wide, tall] = [inst.layout.compact ? 250 : 520, 30];
  const x = (v) => wide / 2 + (v / reach) * (wide / 2 - 70);
  const rows = [];
  let from = 0;
  for (const part of parts) {
    rows.push({ from, to: from + part.value, words: part.kept ? "kept" : "written", letters: letters(data, part.tree, look), text: part.text, fill: theme.dark ? (part.kept ? "#d9b64a" : "#e79ab4") : part.kept ? "#b8860b" : "#bf5573" });
    from += part.value;
  }
  rows.push({ from: 0, to: value, words: "together", letters: symbolOf(data, signal.name), text, fill: theme.ink });
  const picture = svg("svg", { viewBox: `0 0 ${wide} ${tall * rows.length}`, "aria-hidden": "true" });
  rows.forEach((row, k) => {
    const [a, b] = [x(Math.min(row.from, row.to)), x(Math.max(row.from, row.to))];
    picture.append(svg("rect", { x: a, y: k * tall + 6, width: Math.max(1.5, b - a), height: 18, fill: row.fill, rx: 2 }));
    if (k) picture.append(svg("path", { d: `M${x(row.from)} ${k * tall - 6}V${k * tall + 24}`, stroke: theme.quiet, "stroke-dasharray": "2 3" }));
    picture.append(svg("text", { x: wide - 4, y: k * tall + 20, "text-anchor": "end", "font-size": 15, "font-weight": 600, fill: theme.ink, "font-family": theme.sans }));
    picture.lastChild.textContent = row.text;
  });
  picture.append(svg("path", { d: `M${x(0)} 0V${tall * rows.length}`, stroke: theme.ink, "stroke-width": 1 }));
  const names = rows.map((row) => element("div", {}, element("span", { className: "quiet", textContent: `${row.words} ` }), ...inLetters(row.letters)));
  el.bars.replaceChildren(element("div", { className: "names" }, ...names), picture);
  el.bars.setAttribute("role", "img");
  el.bars.setAttribute("aria-label", `${rows.map((row) => `${row.words} ${plainText(row.letters)} ${row.text}`).join(", ")}`);
  el.bars.dataset.numbers = JSON.stringify(rows.map((row) => row.text));
}

// ---------------------------------------------------------------- from C to h to the gates of the next step

/** What the path lights in this copy and in the next, read off the equations. */
function pathsOf(data) {
  const { states, signals } = data.meta;
  const main = states.find((name) => name !== "hidden") ?? "hidden";
  const has = (node, name, previous) => [...walkTree(node)].some((n) => n.kind === "vector" && n.name === name && n.previous === previous);
  const now = ["hidden", "hidden -> out"];
  if (main !== "hidden") {
    now.push(`${main} -> ${main}`);
    for (const signal of signals.filter((s) => s.name !== main && has(s.tree, main, false))) {
      for (const node of walkTree(signal.tree)) if (has(node, main, false)) now.push(`${node.spelling} -> ${signal.name}`);
      now.push(signal.name === "hidden" ? "hidden" : `${signal.name} -> hidden`, `${signal.name} -> ${signal.name}`);
    }
  }
  const next = [];
  for (const signal of signals) {
    const affines = [...walkTree(signal.tree)].filter((node) => node.kind === "affine" && has(node, "hidden", true));
    if (!affines.length) continue;
    next.push(`${signal.name} -> ${signal.name}`, `hidden@-1 -> ${signal.name}`);
    for (const node of walkTree(signal.tree)) if (has(node, "hidden", true)) next.push(`${node.spelling} -> ${signal.name}`);
    for (const affine of affines) next.push(`[${affine.inputs.map((input) => input.spelling).join(", ")}] -> ${signal.name}`);
  }
  return { 0: now, 1: next };
}

/** For each affine map that reads h: what the picked unit's h of this step adds to all units' sums at the next. */
function contributions(inst) {
  const { data, cursor } = inst;
  const moment = momentAt(inst, cursor.step + 1);
  const { units } = data.meta;
  return data.meta.signals.flatMap((signal) =>
    [...walkTree(signal.tree)].filter((node) => node.kind === "affine").flatMap((affine) =>
      affine.inputs.flatMap((input, k) => {
        if (affine.sources[k] !== "hh") return [];
        const { weight, row } = moment.block("hh", affine.rows);
        const own = moment.vector(input)[cursor.unit];
        const added = Float64Array.from({ length: units }, (_, unit) => weight[(row + unit) * units + cursor.unit] * own);
        return [{ signal, affine, input, own, added }];
      }),
    ),
  );
}

function writePath(inst) {
  const { el, data, cursor, look, theme } = inst;
  el.path.hidden = look.path !== "on";
  if (look.path !== "on" || !isSent(data, cursor.step)) return;
  if (cursor.step + 1 >= data.meta.steps || !isSent(data, cursor.step + 1)) {
    el.path.replaceChildren(element("p", { textContent: "Nothing comes after this character, so its h has not been read by any gate yet." }));
    return;
  }
  const found = contributions(inst);
  const limit = Math.max(1e-9, ...found.flatMap(({ added }) => added.reduce((most, v) => Math.max(most, Math.abs(v)), 0)));
  const table = colourTables(inst).diverging;
  const next = spokenGlyph(inst, data.steps.typed[cursor.step + 1]);
  const head = element("p", { textContent: `What unit ${cursor.unit} hands on here is weighed anew for every unit of the next step: so its state reaches theirs. Each strip: what it adds to all ${data.meta.units} sums at ${next}, before the squashing; colours to ±${short(limit, 3)}.` });
  const rows = found.map(({ signal, affine, input, own, added }) => {
    const bar = element("canvas", { width: added.length, height: 1 });
    const context = bar.getContext("2d");
    const image = context.createImageData(added.length, 1);
    new Uint32Array(image.data.buffer).set(Array.from(added, (v) => table[Math.round(((v / limit + 1) / 2) * 511)]));
    context.putImageData(image, 0, 0);
    let most = 0;
    added.forEach((v, k) => Math.abs(v) > Math.abs(added[most]) && (most = k));
    bar.title = `most: unit ${most}, ${written(added[most])}`;
    const symbol = affine.symbol ? `_${affine.symbol}` : "";
    const label = element("span", { className: "label" }, "to ", ...inLetters(letter(signal.symbol)), element("span", { className: "quiet", textContent: `  column ${cursor.unit} of W${symbol} × ${written(own)}` }));
    const row = element("div", { className: "added" }, label, bar, element("span", { className: "most", textContent: `most: unit ${most}, ${written(added[most])}` }));
    Object.assign(row.dataset, { signal: signal.name, input: input.spelling, most, added: added[most] });
    row.setAttribute("role", "img");
    row.setAttribute("aria-label", `To ${signal.title}: most to unit ${most}, ${written(added[most])}`);
    return row;
  });
  el.path.replaceChildren(head, ...rows);
  el.path.style.setProperty("--line", theme.faint);
}

// ---------------------------------------------------------------- the walk

function buildWalk(inst) {
  const { el, walk, look } = inst;
  const buttons = walk.map((step, k) => {
    const button = element("button", { type: "button", title: `${step.title} (${k + 1})`, "aria-pressed": String(look.walk === k + 1) }, element("b", { textContent: k + 1 }), element("span", { textContent: step.title }));
    button.dataset.walk = k + 1;
    button.onclick = () => setLook(inst, { walk: look.walk === k + 1 ? 0 : k + 1 });
    return button;
  });
  const end = element("button", { type: "button", textContent: "End", title: "End the walk (0 or Esc)", hidden: !look.walk, className: "end" });
  end.onclick = () => setLook(inst, { walk: 0 });
  const title = element("span", { className: "quiet", textContent: "Walk", hidden: !walk.length });
  const held = inst.root.getRootNode().activeElement;
  const at = el.walk.contains(held) ? [...el.walk.children].indexOf(held) : -1;
  el.walk.replaceChildren(title, ...buttons, end);
  if (at >= 0) (el.walk.children[at].hidden ? el.stage : el.walk.children[at]).focus();
  const step = look.walk ? walk[look.walk - 1] : null;
  el.station.hidden = !step;
  if (!step) return;
  el.stationTitle.textContent = `${look.walk}. ${step.title}`;
  el.stationText.textContent = step.text;
  el.stationTry.replaceChildren(element("b", { textContent: "Try: " }), step.attempt);
}

const TOGETHER = { walk: { path: "off" }, path: { walk: 0 } }; // each lights the drawing in its own way

function setLook(inst, change) {
  const before = inst.look;
  for (const name of Object.keys(TOGETHER)) if (change[name] && change[name] !== "off") change = { ...TOGETHER[name], ...change };
  inst.look = { ...before, ...change };
  if (inst.look.walk > inst.walk.length) inst.look.walk = 0;
  inst.hasty = false;
  if (before.copies !== inst.look.copies || before.path !== inst.look.path) arrange(inst);
  else place(inst);
  lightLabels(inst);
  settle(inst, 0);
  showLook(inst);
  writeAll(inst);
  if (!change.walk) speakSoon(inst, () => `${spokenLook(inst, before)} ${placeSentence(inst)}`);
  else speakSoon(inst, () => `${inst.el.stationTitle.textContent}. ${inst.el.stationText.textContent} ${inst.el.stationTry.textContent}`);
  reportLook(inst);
}

/** What a switch has changed, in words. */
function spokenLook(inst, before) {
  const { look, el } = inst;
  const words = {
    reading: look.reading === "unit" ? "Each line shows one unit." : `Each line shows ${el.every.textContent}.`,
    copies: `${look.copies} of the cell.`,
    state: look.state === "tanh" ? `Coloured by ${el.squash.textContent}.` : "Coloured by the state itself.",
    path: look.path === "on" ? `${el.pathButton.textContent}: lit.` : "Path not lit.",
    walk: "The walk has ended.",
  };
  return Object.keys(look).filter((name) => look[name] !== before[name]).map((name) => words[name] ?? `${name}: ${look[name]}.`).join(" ");
}

/** The look goes into the address once hands are at rest; nothing comes back from it. */
function reportLook(inst) {
  clearTimeout(inst.timers.look);
  inst.timers.look = setTimeout(() => {
    const said = Object.entries(inst.look).filter(([name, value]) => value !== LOOK[name]);
    inst.send("look", { ...Object.fromEntries(said.map(([name, value]) => [name, String(value)])), serial: inst.lookSerial });
  }, PATIENCE);
}

function showLook(inst) {
  const { el, look, data } = inst;
  for (const button of inst.root.querySelectorAll("button[data-look]")) button.setAttribute("aria-pressed", look[button.dataset.look] === button.dataset.choice);
  el.biases.hidden = !data.meta.biases.length;
  el.biases.querySelector("[data-choice=two]").hidden = data.meta.biases.length < 2;
  const free = Object.values(data.meta.drawn).find(({ state }) => state);
  el.squash.hidden = !free;
  if (free) el.squash.textContent = `tanh ${data.signals[free.state].symbol}`;
  el.squash.setAttribute("aria-pressed", look.state === "tanh");
  el.pathButton.setAttribute("aria-pressed", look.path === "on");
  const main = data.meta.states.find((name) => name !== "hidden");
  el.pathButton.textContent = `${main ? `${data.signals[main].symbol} → ` : ""}${data.signals.hidden.symbol} → next ${Object.values(data.meta.drawn).some(({ scale, rest }) => scale === "gate" && rest) ? "gates" : "step"}`;
  el.every.textContent = `all ${data.meta.units} units`;
  buildWalk(inst);
  buildEquations(inst);
  paintScales(inst);
  writeFoot(inst);
}

function captionOf(inst) {
  const { meta } = inst.data;
  const which = meta.allLayers > 1 ? `layer ${meta.layer + 1} of ${meta.allLayers}` : "1 layer";
  return `${meta.model}: ${meta.cell}, ${which}, ${meta.units} units, ${meta.inputs} inputs. ${meta.note}`;
}

function poolingNote(inst) {
  const strips = inst.raster.filter((strip) => strip.bins < strip.size);
  if (inst.look.reading === "unit") return "On the drawing each number is rounded by itself; in the equations they are written so that they add up.";
  if (!strips.length) return "";
  const most = Math.max(...strips.map((strip) => Math.ceil(strip.size / strip.bins)));
  return `Where a line is shorter than its vector, one cell stands for up to ${most} neighbours and shows the value farthest from rest.`;
}

function writeFoot(inst) {
  const { el, art, look } = inst;
  const note = poolingNote(inst);
  el.caption.textContent = [captionOf(inst), note, note && look.reading === "all" ? "The strip below the drawing shows every unit." : ""].filter(Boolean).join(" ");
  el.stage.setAttribute("aria-label", `${art.title}, alive. ${art.description} Left and right move along the text, up and down change the unit, comma and full stop go through the parts, Enter pins, Space plays, digits walk.`);
}

// ---------------------------------------------------------------- moving

/** Everything that follows the cursor, but for the copies themselves. */
function writeAll(inst) {
  paintTape(inst);
  writeReadout(inst);
  writePart(inst);
  writeEquations(inst);
  writePath(inst);
  if (document.activeElement !== inst.el.unit && inst.root.getRootNode().activeElement !== inst.el.unit) inst.el.unit.value = inst.cursor.unit;
}

function moveCursor(inst, to) {
  const { meta } = inst.data;
  const step = clamp(to.step ?? inst.cursor.step, 0, meta.steps - 1);
  const unit = clamp(to.unit ?? inst.cursor.unit, 0, meta.units - 1);
  const by = step - inst.cursor.step;
  if (!by && unit === inst.cursor.unit) return;
  inst.cursor = { step, unit, layer: meta.layer };
  if (by) inst.part = { ...inst.part, offset: 0 };
  const now = performance.now();
  const slow = now - inst.moved > 140 && (!inst.playing || inst.speed <= 5);
  if (by) inst.moved = now;
  const slide = Math.abs(by) === 1 && inst.look.copies === "three" && slow;
  inst.hasty = by !== 0 && !slide;
  place(inst, Math.abs(by) > 4);
  settle(inst, slide ? SLIDE : 0);
  writeAll(inst);
  askForWindow(inst);
  speakSoon(inst, () => placeSentence(inst));
}

function pinCursor(inst) {
  inst.pin = { ...inst.cursor };
  paintTape(inst);
  inst.send("pin", { ...inst.pin, serial: inst.serial });
  speakSoon(inst, () => `Pinned. ${placeSentence(inst)}`);
}

/** The parts in the order in which the eye meets them: along each line, from left to right. */
function partsInOrder(inst) {
  return [...new Set(inst.copies[0].parts.filter((part) => part.kind !== "label").map((part) => part.value))];
}

function nextPart(inst, by) {
  const values = partsInOrder(inst);
  const at = values.indexOf(inst.part.value);
  point(inst, { value: values[(at + by + values.length) % values.length], offset: 0 });
  speakSoon(inst, () => partSentence(inst));
}

function point(inst, part) {
  const same = inst.pointed?.value === part?.value && inst.pointed?.offset === part?.offset;
  if (part) inst.part = part;
  if (part) writePart(inst);
  if (same) return;
  inst.pointed = part;
  for (const copy of inst.copies) if (copy.step !== null) paintCopy(inst, copy);
}

const toggled = (inst, name, one, other) => setLook(inst, { [name]: inst.look[name] === one ? other : one });

const KEYS = {
  ArrowLeft: (inst, far) => moveCursor(inst, { step: inst.cursor.step - (far ? 10 : 1) }),
  ArrowRight: (inst, far) => moveCursor(inst, { step: inst.cursor.step + (far ? 10 : 1) }),
  ArrowUp: (inst, far) => moveCursor(inst, { unit: inst.cursor.unit - (far ? 10 : 1) }),
  ArrowDown: (inst, far) => moveCursor(inst, { unit: inst.cursor.unit + (far ? 10 : 1) }),
  Home: (inst) => moveCursor(inst, { step: 0 }),
  End: (inst) => moveCursor(inst, { step: inst.data.meta.steps - 1 }),
  PageUp: (inst) => moveCursor(inst, { step: inst.cursor.step - 20 }),
  PageDown: (inst) => moveCursor(inst, { step: inst.cursor.step + 20 }),
  Enter: (inst) => pinCursor(inst),
  Escape: (inst) => (inst.look.walk ? setLook(inst, { walk: 0 }) : inst.pin && moveCursor(inst, inst.pin)),
  " ": (inst) => togglePlay(inst),
  ",": (inst) => nextPart(inst, -1),
  ".": (inst) => nextPart(inst, 1),
  u: (inst) => toggled(inst, "reading", "unit", "all"),
  0: (inst) => setLook(inst, { walk: 0 }),
};

function onKey(inst, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const digit = Number(event.key);
  const act = digit >= 1 && digit <= inst.walk.length ? () => setLook(inst, { walk: digit }) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act(inst, event.shiftKey);
}

function askForWindow(inst) {
  if (inst.timers.ask || !missing(inst)) return;
  // A new wish would break off the run that answers the one before.
  const patience = inst.asked === null ? 150 : Math.max(150, inst.askedAt + 4000 - performance.now());
  inst.timers.ask = setTimeout(() => {
    inst.timers.ask = 0;
    const { columns, steps, start } = inst.data.meta;
    const first = missing(inst) ? clamp(inst.cursor.step - Math.floor(columns / 2), 0, steps - columns) : inst.asked;
    if (first === inst.asked || first === start) return;
    Object.assign(inst, { asked: first, askedAt: performance.now() });
    inst.send("start", { first, serial: inst.serial });
  }, patience);
}

function missing(inst) {
  const { start, columns, steps } = inst.data.meta;
  const { step } = inst.cursor;
  return (start > 0 && step - MARGIN < start) || (start + columns < steps && step + MARGIN > start + columns);
}

// ---------------------------------------------------------------- pointing and dragging

function partAt(inst, event) {
  const hit = event.composedPath()[0];
  const root = hit?.closest?.(".copy");
  const copy = inst.copies.find((c) => c.root === root);
  if (!copy) return null;
  const part = hit.dataset?.part === undefined ? null : copy.parts[hit.dataset.part];
  return { copy, part, unit: part?.kind === "line" ? unitAt(inst, copy, Number(hit.dataset.part), event) : null };
}

/** Which unit's cell of a line lies under the pointer. */
function unitAt(inst, copy, index, event) {
  const strip = inst.measured.strips.find((s) => s.index === index);
  const box = copy.over.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) / inst.layout.scale, (event.clientY - box.top) / inst.layout.scale];
  let best = null;
  for (const p of strip.strokes.flat()) {
    const far = (p.x - x) ** 2 + (p.y - y) ** 2;
    if (!best || far < best.far) best = { far, way: p.way };
  }
  return unitOfCell(inst.data, strip.value, best.way / strip.total);
}

/** The unit whose cell lies at a share of a vector; null among inputs. */
function unitOfCell(data, value, share) {
  const { tree } = data.meta.drawn[value];
  let cell = Math.floor(clamp(share, 0, 0.9999) * sizeOf(data, tree));
  for (const input of tree.kind === "concatenation" ? tree.inputs : [tree]) {
    const size = sizeOf(data, input);
    if (cell < size) return input.spelling === "x" ? null : cell;
    cell -= size;
  }
  return null;
}

function onMove(inst, event) {
  if (inst.drag) return dragTo(inst, event);
  if (event.pointerType === "touch" || inst.playing) return;
  const at = partAt(inst, event);
  point(inst, at?.part ? { value: at.part.value, offset: at.copy.step - inst.cursor.step } : null);
  if (at?.part && at.unit !== null) inst.el.partValue.textContent = valueWords(inst, at.part.value, at.unit);
}

function onDown(inst, event) {
  if (event.button || inst.look.copies === "one") return;
  if (inst.hasty) {
    inst.hasty = false;
    place(inst);
  }
  inst.drag = { from: event.clientX, last: event.clientX, id: event.pointerId, moving: false };
}

function dragTo(inst, event) {
  const { drag, el, layout, anchor, cursor } = inst;
  drag.last = event.clientX;
  const by = drag.last - drag.from;
  if (!drag.moving && Math.abs(by) < 8) return;
  if (!drag.moving) {
    stop(inst);
    el.stage.setPointerCapture(drag.id);
    drag.moving = true;
  }
  el.track.style.transition = "none";
  el.track.style.transform = `translateX(${(anchor - cursor.step) * layout.stride + by}px)`;
}

/** A drag along the row moves along the text. */
function onUp(inst, event) {
  const { drag, layout } = inst;
  inst.drag = null;
  if (!drag?.moving) return;
  inst.dragged = performance.now();
  const by = drag.last - drag.from;
  const steps = Math.abs(by) > 0.18 * layout.stride ? -Math.sign(by) * Math.max(1, Math.round(Math.abs(by) / layout.stride)) : 0;
  if (event.type === "pointerup" && steps) moveCursor(inst, { step: inst.cursor.step + steps });
  settle(inst, SLIDE);
}

function onClick(inst, event) {
  if (performance.now() - inst.dragged < 80) return;
  const at = partAt(inst, event);
  if (!at || at.copy.step < 0 || at.copy.step >= inst.data.meta.steps) return;
  stop(inst);
  const offset = at.copy.step - inst.cursor.step;
  if (at.part) point(inst, { value: at.part.value, offset });
  const unit = inst.look.reading === "all" && at.unit !== null ? at.unit : inst.cursor.unit;
  if (!offset && unit === inst.cursor.unit && !at.part) return;
  moveCursor(inst, { step: at.copy.step, unit });
  if (at.part) speakSoon(inst, () => partSentence(inst));
  if (at.unit !== null || offset) pinCursor(inst);
}

function onTape(inst, event) {
  const box = inst.el.tape.getBoundingClientRect();
  const step = inst.first + Math.floor((event.clientX - box.left) / TAPE.column);
  if (step < inst.data.meta.steps) moveCursor(inst, { step });
}

function onMagnified(inst, event, pick) {
  const box = inst.el.magnified.getBoundingClientRect();
  const unit = unitOfCell(inst.data, inst.part.value, (event.clientX - box.left) / box.width);
  if (unit === null) return;
  inst.el.partValue.textContent = valueWords(inst, inst.part.value, unit);
  if (!pick) return;
  moveCursor(inst, { unit });
  pinCursor(inst);
}

// ---------------------------------------------------------------- taking the drawing away

/** The cells of a line as coloured pieces of it, of any size. */
function pieces(inst, copy, moment) {
  const group = svg("g", { fill: "none" });
  for (const strip of inst.measured.strips) {
    const { bins } = inst.raster.find((r) => r.index === strip.index);
    const colours = stripColours(inst, moment, { value: strip.value, bins }, inst.look.reading === "unit");
    const count = typeof colours === "number" ? 1 : bins;
    const strength = copy.strength[strip.index];
    for (const stroke of strip.strokes) {
      for (let bin = 0; bin < count; bin++) {
        const [from, to] = [(bin / count) * strip.total, ((bin + 1) / count) * strip.total];
        if (to <= stroke[0].way || from >= stroke.at(-1).way) continue;
        const points = [pointIn(stroke, from), ...stroke.filter((p) => p.way > from && p.way < to), pointIn(stroke, to + (bin < count - 1 ? 0.6 : 0))];
        const d = `M${straightened(points).map(({ x, y }) => `${+x.toFixed(2)} ${+y.toFixed(2)}`).join("L")}`;
        const piece = svg("path", { d, stroke: hexOf(count === 1 && typeof colours === "number" ? colours : colours[bin]), "stroke-width": 2 * strip.half });
        if (strength < 1) piece.setAttribute("opacity", strength);
        group.append(piece);
      }
    }
  }
  return group;
}

function pointIn(stroke, way) {
  const [first, last] = [stroke[0], stroke.at(-1)];
  const at = clamp(((way - first.way) / (last.way - first.way || 1)) * (stroke.length - 1), 0, stroke.length - 1);
  const [a, b] = [stroke[Math.floor(at)], stroke[Math.ceil(at)]];
  const share = at - Math.floor(at);
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}

function straightened(points) {
  return points.filter((p, k) => {
    if (k === 0 || k === points.length - 1) return true;
    const [a, b] = [points[k - 1], points[k + 1]];
    return Math.abs((p.x - a.x) * (b.y - a.y) - (p.y - a.y) * (b.x - a.x)) > 0.01;
  });
}

function excerpt(inst) {
  const { data, cursor } = inst;
  const [first, last] = [Math.max(0, cursor.step - 24), Math.min(data.meta.steps, cursor.step + 25)];
  const typed = Array.from({ length: last - first }, (_, k) => data.steps.typed[first + k]);
  const shown = typed.filter((index) => index !== data.meta.rest).map((index) => data.meta.glyphs[index]);
  const text = shown.map(([drawn, name]) => (name === "space" ? " " : drawn)).join("");
  return `“${first ? "…" : ""}${text}${last < data.meta.steps ? "…" : ""}”, at ${spokenGlyph(inst, data.steps.typed[cursor.step])}, ${data.meta.step} ${cursor.step + 1} of ${data.meta.steps}; unit ${cursor.unit}.`;
}

/** What is shown as one SVG that needs nothing else: copies, cells, numbers, caption. */
function exported(inst) {
  const { art, theme, data, cursor, look } = inst;
  const shown = inst.copies.filter((copy) => copy.step !== null && Math.abs(copy.step - cursor.step) <= (look.copies === "one" ? 0 : 1) && isSent(data, copy.step)).sort((a, b) => a.step - b.step);
  const wide = art.width + (shown.length - 1) * art.stride + SPARE;
  const style = { size: 15, fill: theme.quiet, family: EVERYWHERE };
  const numbers = linesShown(inst).map(({ signal, chain }) => `${plainText(symbolOf(data, signal.name))} = ${chain.text}`);
  const said = [captionOf(inst), excerpt(inst), poolingNote(inst), numbers.join(";  "), `Drawn for ${data.meta.version} after the figures of Christopher Olah, “Understanding LSTM Networks” (2015).`];
  const lines = said.filter(Boolean).flatMap((sentence) => wrapped(sentence, style, wide - 60));
  const tall = art.height + 30 + 21 * lines.length;
  const root = svg("svg", { xmlns: SVG_SPACE, viewBox: `0 0 ${wide} ${tall}`, width: wide, height: tall, color: theme.ink });
  root.append(svg("rect", { width: wide, height: tall, fill: theme.paper }));
  shown.forEach((copy, k) => {
    const group = svg("g", { transform: `translate(${k * art.stride} 0)`, "font-family": copy.under.getAttribute("font-family"), "font-size": copy.under.getAttribute("font-size") ?? 20 });
    const over = [...copy.over.children].filter((node) => !node.classList.contains("hits")).map((node) => node.cloneNode(true));
    const letters = inst.labels.find(({ offset }) => offset === copy.step - cursor.step).layer;
    const [under, named] = [copy.under, letters].map((layer) => [...layer.children].map((node) => node.cloneNode(true)));
    group.append(...under, pieces(inst, copy, momentAt(inst, copy.step)), ...named, ...over);
    if (copy.step !== cursor.step && look.path === "off") group.setAttribute("opacity", 0.62);
    root.append(group);
  });
  lines.forEach((line, k) => {
    const text = svg("text", { x: 20, y: art.height + 24 + 21 * k, fill: theme.quiet, "font-size": 15 });
    text.textContent = line;
    root.append(text);
  });
  const resolve = (value) => value.replace(/var\(--cell-([a-z-]+),[^)]*\)/g, (_, name) => inst.inks[Object.keys(NAMES).find((key) => NAMES[key] === name)] ?? theme.ink).replace(/currentColor/g, theme.ink);
  root.setAttribute("font-family", EVERYWHERE);
  for (const node of root.querySelectorAll("*")) {
    if (node.getAttribute("font-family") === theme.sans) node.setAttribute("font-family", EVERYWHERE);
    for (const name of ["fill", "stroke"]) if (node.hasAttribute(name)) node.setAttribute(name, resolve(node.getAttribute(name)));
    for (const { name } of [...node.attributes]) if (name === "class" || name === "style") node.removeAttribute(name);
  }
  return { text: new XMLSerializer().serializeToString(root), wide, tall };
}

const EVERYWHERE = "Arial, Helvetica, 'Liberation Sans', sans-serif"; // the page's own font does not travel with a file
const SPARE = 40; // beside the last copy, for what is expected next

const fileName = (inst, ending) => `${inst.data.meta.model}-inside-layer-${inst.data.meta.layer + 1}-${inst.data.meta.step}-${inst.cursor.step + 1}-unit-${inst.cursor.unit}.${ending}`;

function saveSvg(inst) {
  saveAs(new Blob([exported(inst).text], { type: "image/svg+xml" }), fileName(inst, "svg"));
}

function savePng(inst) {
  const { text, wide, tall } = exported(inst);
  const picture = new Image();
  picture.onload = () => {
    const canvas = element("canvas", { width: 2 * wide, height: 2 * tall });
    canvas.getContext("2d").drawImage(picture, 0, 0, 2 * wide, 2 * tall);
    URL.revokeObjectURL(picture.src);
    canvas.toBlob((blob) => saveAs(blob, fileName(inst, "png")));
  };
  picture.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
}

// ---------------------------------------------------------------- the elements

const KEY = [
  ["learned layer", `<rect x="22" y="8" width="40" height="24" rx="4" fill="var(--cell-layer)" stroke="var(--cell-layer-edge)" stroke-width="2"/><text x="42" y="25.500" text-anchor="middle" font-size="16" fill="var(--cell-text)">σ</text>`],
  ["pointwise operation", `<circle cx="42" cy="20" r="12.500" fill="var(--cell-operation)" stroke="var(--cell-operation-edge)" stroke-width="2"/><text x="42" y="26.500" text-anchor="middle" font-size="19" fill="var(--cell-text)">×</text>`],
  ["vector transfer", `<path d="M8 20H66" stroke="currentColor" stroke-width="9"/><path d="M9 20H65" stroke="var(--paper)" stroke-width="6"/>CELLS<path d="M80 20l-15-8v16z"/>`],
  ["concatenate", `<path d="M8 11H34Q46 11 46 20H66M8 29H34Q46 29 46 20" fill="none" stroke="currentColor" stroke-width="3"/><path d="M80 20l-15-6v12z"/>`],
  ["copy", `<path d="M8 20H36Q46 20 46 14V12Q46 10 52 10H66M36 20Q46 20 46 26V28Q46 30 52 30H66" fill="none" stroke="currentColor" stroke-width="3"/><path d="M78 10l-13-5v10zM78 30l-13-5v10z"/>`],
];
const MINI = ["#a63d00", "#eaa679", "#ffffff", "#86b3e0", "#0b4f9e", "#86b3e0", "#ffffff", "#eaa679"];

/** The notation, in small drawings of our own. */
function notation() {
  const cells = MINI.map((fill, k) => `<rect x="${9 + 7 * k}" y="17" width="7" height="6" fill="${fill}"/>`).join("");
  const items = KEY.map(([words, drawing]) => {
    const item = element("span", { className: "item" });
    item.innerHTML = `<svg viewBox="0 0 84 40" aria-hidden="true">${drawing.replace("CELLS", cells)}</svg>`; // no word of a text or a file is in it
    item.append(words);
    return item;
  });
  return element("div", { className: "notation", "aria-label": "How the drawing is read" }, ...items);
}

function segmented(inst, label, name, choices) {
  const buttons = choices.map(([value, words, title]) => {
    const button = element("button", { type: "button", textContent: words, title: title ?? words });
    Object.assign(button.dataset, { look: name, choice: value });
    button.onclick = () => setLook(inst, { [name]: value });
    return button;
  });
  return element("div", { className: "group joined", role: "group", "aria-label": label }, element("span", { textContent: label }), ...buttons);
}

function build(inst) {
  const { root } = inst;
  const el = {
    back: iconButton("back", "Step back", "←"),
    play: iconButton("play", "Play", "Space"),
    forward: iconButton("forward", "Step forward", "→"),
    speed: choice("Speed", SPEEDS.map((speed) => [speed, `${speed} a second`])),
    unit: element("input", { type: "number", min: 0, step: 1, "aria-label": "Unit", title: "Unit (↑ ↓ on the drawing)", className: "unit" }),
    pin: element("button", { type: "button", textContent: "Pin", title: "Pin this character and unit (Enter)" }),
    text: element("canvas", { "aria-hidden": "true" }),
    here: element("div", { className: "here" }),
    pinned: element("div", { className: "pinned" }),
    tape: element("div", { className: "tape", role: "slider", tabIndex: 0, "aria-label": "The text: left and right move along it", "aria-valuemin": "1" }),
    stage: element("div", { className: "stage", role: "application", tabIndex: 0 }),
    track: element("div", { className: "track" }),
    scales: element("div", { className: "scales" }),
    walk: element("div", { className: "bar walk", role: "toolbar", "aria-label": "The walk" }),
    station: element("section", { className: "station" }),
    stationTitle: element("h4", {}),
    stationText: element("p", {}),
    stationTry: element("p", { className: "try" }),
    walkRows: element("div", { className: "rows" }),
    bars: element("div", { className: "bars" }),
    path: element("section", { className: "path" }),
    part: element("section", { className: "part", "aria-hidden": "true" }),
    partName: element("span", { className: "symbolic name" }),
    partWords: element("span", { className: "quiet" }),
    partShape: element("span", { className: "shape" }),
    partValue: element("span", { className: "value" }),
    magnified: element("canvas", { className: "magnified", "aria-hidden": "true" }),
    unitTitle: element("h4", {}),
    rows: element("div", { className: "rows" }),
    squash: element("button", { type: "button", title: "Show tanh of the unbounded state in place of it" }),
    pathButton: element("button", { type: "button", title: "How cell states reach each other" }),
    png: element("button", { type: "button", textContent: "PNG", "aria-label": "Save as PNG" }),
    svg: element("button", { type: "button", textContent: "SVG", "aria-label": "Save as SVG" }),
    caption: element("span", { className: "caption" }),
    live: element("div", { className: "live", "aria-live": "polite" }),
  };
  inst.el = Object.assign(el, readoutParts());
  const reading = segmented(inst, "Each line shows", "reading", [["all", "all units", "Each line as a strip of all units (u)"], ["unit", "one unit", "Each line as one unit’s number (u)"]]);
  el.every = reading.querySelector("[data-choice=all]");
  const copies = segmented(inst, "Copies", "copies", [["three", "three", "The step before, this step, the next"], ["one", "one", "This step alone"]]);
  const weights = segmented(inst, "Weights", "weights", [["one", "one W on [h, x]"], ["two", "W x + W h", "The same numbers, regrouped: what comes from x and what from h"]]);
  el.biases = segmented(inst, "Biases", "biases", [["within", "hidden", "Counted within the sums, not written"], ["one", "one", "One bias: the sum of all"], ["two", "PyTorch’s two", "b_ih and b_hh, as PyTorch keeps them"]]);
  const player = element("div", { className: "group" }, el.back, el.play, el.forward, el.speed);
  const unit = element("label", { className: "group" }, element("span", { textContent: "Unit" }), el.unit, el.pin);
  const bar = element("div", { className: "bar", role: "toolbar", "aria-label": "Time and unit" }, player, unit, reading, copies, el.pathButton);
  el.tape.append(el.here, el.text, el.pinned);
  el.stage.append(el.track);
  el.station.append(el.stationTitle, el.stationText, element("div", { className: "proof" }, el.walkRows, el.bars), el.stationTry);
  el.part.append(element("div", { className: "line" }, el.partName, el.partWords, el.partShape, el.partValue), el.magnified);
  const head = element("div", { className: "bar head" }, el.unitTitle, weights, el.biases);
  const foot = element("div", { className: "foot" }, el.caption, el.png, el.svg);
  const key = element("div", { className: "key" }, notation(), el.scales);
  root.append(bar, el.tape, el.readout, key, el.walk, el.stage, el.station, el.path, el.part, head, el.rows, foot, el.live);
  return el;
}

function readoutParts() {
  const span = (className) => element("span", { className });
  const parts = { typed: span("typed"), step: span("quiet"), replaced: span("replaced"), surprise: span("surprise") };
  const nexts = [0, 1, 2].map(() => span("next"));
  const expects = element("span", { className: "expects" }, element("span", { className: "quiet", textContent: "expects" }));
  for (const next of nexts) expects.append(next, element("span", { className: "quiet" }));
  return { ...parts, nexts, readout: element("div", { className: "readout", "aria-hidden": "true" }, parts.typed, parts.step, parts.surprise, expects, parts.replaced) };
}

function connect(inst) {
  const { el } = inst;
  el.back.onclick = () => moveCursor(inst, { step: inst.cursor.step - 1 });
  el.forward.onclick = () => moveCursor(inst, { step: inst.cursor.step + 1 });
  el.play.onclick = () => togglePlay(inst);
  el.speed.onchange = () => (inst.speed = Number(el.speed.value));
  el.unit.oninput = () => el.unit.value !== "" && moveCursor(inst, { unit: Math.round(Number(el.unit.value)) });
  el.unit.onblur = () => (el.unit.value = inst.cursor.unit);
  el.unit.onkeydown = (event) => void (event.key === "Enter" && pinCursor(inst)); // false would cancel every other key
  el.pin.onclick = () => pinCursor(inst);
  el.squash.onclick = () => toggled(inst, "state", "tanh", "plain");
  el.pathButton.onclick = () => toggled(inst, "path", "on", "off");
  el.png.onclick = () => savePng(inst);
  el.svg.onclick = () => saveSvg(inst);
  el.tape.onclick = (event) => onTape(inst, event);
  el.tape.onkeydown = (event) => onKey(inst, event);
  el.stage.onkeydown = (event) => onKey(inst, event);
  el.stage.onpointermove = (event) => onMove(inst, event);
  el.stage.onpointerleave = () => !inst.drag && point(inst, null);
  el.stage.onpointerdown = (event) => onDown(inst, event);
  el.stage.onpointerup = (event) => onUp(inst, event);
  el.stage.onpointercancel = (event) => onUp(inst, event);
  el.stage.onclick = (event) => onClick(inst, event);
  el.magnified.onpointermove = (event) => event.pointerType !== "touch" && onMagnified(inst, event, false);
  el.magnified.onpointerleave = () => writePart(inst);
  el.magnified.onclick = (event) => onMagnified(inst, event, true);
  inst.observer = new ResizeObserver(() => {
    if (inst.root.clientWidth === inst.layout?.wide) return;
    arrange(inst);
    settle(inst, 0);
    writeAll(inst);
    writeFoot(inst);
  });
  inst.observer.observe(inst.root);
}

// ---------------------------------------------------------------- each run

function create(root, data) {
  const { meta } = data;
  const inst = {
    root, data, theme: readTheme(root), ratio: window.devicePixelRatio || 1, look: { ...LOOK }, walk: data.view.walk,
    speed: 2, playing: false, cursor: { step: 0, unit: 0, layer: meta.layer }, pin: null, serial: null, lookSerial: null,
    asked: null, timers: {}, scratch: document.createElement("canvas"), copies: [], moments: new Map(), epoch: 0, anchor: 0,
    first: 0, moved: 0, hasty: false, labels: [], dragged: 0, drag: null, pointed: null, part: null, measured: null, art: null,
  };
  build(inst);
  inst.el.speed.value = inst.speed;
  inst.player = { here: () => inst.cursor.step, last: () => inst.data.meta.steps - 1, go: (step) => moveCursor(inst, { step }) };
  showPlaying(inst);
  connect(inst);
  return inst;
}

/** Takes new data in, keeping the cursor, the pin and the look wherever they still make sense. */
function update(inst, data) {
  const { meta, view } = data;
  clearTimeout(inst.timers.ask);
  inst.timers.ask = 0;
  const appended = isAppended(inst.data, data);
  Object.assign(inst, { data, asked: null, walk: view.walk, theme: readTheme(inst.root), moments: new Map(), paths: pathsOf(data) });
  inst.inks = INKS[inst.theme.dark ? "dark" : "light"];
  for (const [name, as] of Object.entries(NAMES)) inst.root.style.setProperty(`--cell-${as}`, inst.inks[name]);
  inst.root.style.setProperty("--replaced", inst.theme.replaced);
  if (inst.art?.text !== meta.svg) Object.assign(inst, { art: readArt(meta.svg), copies: [], measured: null, part: null, pointed: null });
  inst.part ??= { value: meta.states.find((name) => name !== "hidden") ?? "hidden", offset: 0 };
  inst.el.unit.max = meta.units - 1;
  const told = view.serial !== inst.serial;
  inst.serial = view.serial;
  if (told && view.pin) inst.pin = view.pin;
  if (inst.pin) inst.pin = fitted(inst.pin, meta);
  inst.cursor = fitted(told && view.pin ? view.pin : inst.cursor, meta);
  if (appended) inst.cursor.step = meta.steps - 1;
  if (view.lookSerial !== inst.lookSerial) {
    inst.lookSerial = view.lookSerial;
    inst.look = { ...LOOK, ...view.look, walk: Number(view.look.walk ?? 0) };
  }
  if (inst.look.walk > inst.walk.length) inst.look.walk = 0;
  if (inst.look.biases === "two" && meta.biases.length < 2) inst.look.biases = "one";
  arrange(inst);
  settle(inst, 0);
  showLook(inst);
  writeAll(inst);
  askForWindow(inst);
}

const fitted = ({ step, unit }, meta) => ({ step: clamp(step, 0, meta.steps - 1), unit: clamp(unit, 0, meta.units - 1), layer: meta.layer });

/** True when a person typed on: the old text is the beginning of the new. */
function isAppended(old, now) {
  if (!old || old === now || old.meta.steps >= now.meta.steps || old.meta.model !== now.meta.model) return false;
  const name = (data, step) => data.meta.glyphs[data.steps.typed[step]][1];
  for (let step = 0; step < old.meta.steps; step++) if (name(old, step) !== name(now, step)) return false;
  return true;
}

export default function ({ data, parentElement, setStateValue }) {
  const unpacked = unpack(data);
  let inst = instances.get(parentElement);
  if (!inst) {
    inst = create(parentElement.querySelector(".inside"), unpacked);
    instances.set(parentElement, inst);
  }
  inst.send = setStateValue;
  update(inst, unpacked);
  return () => destroy(parentElement);
}
