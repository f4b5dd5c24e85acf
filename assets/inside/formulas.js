// A cell's equations, evaluated from the model's weights. No DOM here.

import { inputAt, rowOf } from "./data.js";

/** One step: the vectors that its equations read, and all that was computed from them so far. */
class Moment {
  constructor(data, step) {
    this.data = data;
    this.step = step;
    this.vectors = new Map();
    this.cells = new Map();
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
      const { weight, row } = this.block(affine.sources[k], affine.rows);
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
export function biasesOf({ meta }, affine) {
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
export function* walkTree(node) {
  yield node;
  for (const child of childrenOf(node)) yield* walkTree(child);
}

export const childrenOf = (node) => node.inputs ?? [node.argument, node.left, node.right].filter(Boolean);

export function momentAt(inst, step) {
  const { moments } = inst;
  if (!moments.has(step)) {
    if (moments.size > 24) moments.clear();
    moments.set(step, new Moment(inst.data, step));
  }
  return moments.get(step);
}
