/** A cell's equations, evaluated at one step from the model's weights. No document. */

import { biasesOf } from "./equations.js";

/** One step of one layer: the vectors that its equations read, and all that was computed from them so far. */
export class Moment {
  /** @param {Equations} equations @param {StepValues} values of that step, from a trace or from the engine */
  constructor(equations, values) {
    this.equations = equations;
    this.values = values;
    /** @type {Map<string, NumberArray>} */
    this.vectors = new Map();
  }

  /** The value of an expression, all units of it. @param {Expression} node */
  vector(node) {
    let found = this.vectors.get(node.spelling);
    if (found === undefined) this.vectors.set(node.spelling, (found = this.computed(node)));
    return found;
  }

  /** x, a signal of this step, or a state as the step found it. @param {{ name: string, previous?: boolean }} vector */
  held({ name, previous = false }) {
    return name === "x" ? this.values.input() : this.values.signal(name, previous);
  }

  /** @param {Expression} node @returns {NumberArray} */
  computed(node) {
    switch (node.kind) {
      case "vector":
        return this.held(node);
      case "diagonal":
        return this.diagonal(node);
      case "affine":
        return this.sums(node);
      case "apply":
        return Float64Array.from(this.vector(node.argument), this.equations.functions[node.function].of);
      case "sum":
        return this.pairwise(node, (a, b) => a + b);
      case "product":
        return this.pairwise(node, (a, b) => a * b);
      case "complement":
        return Float64Array.from(this.vector(node.argument), (value) => 1 - value);
      case "concatenation":
        return Float64Array.from(node.inputs.flatMap((input) => Array.from(this.vector(input))));
    }
  }

  /** @param {{ left: Expression, right: Expression }} node @param {(a: number, b: number) => number} of */
  pairwise({ left, right }, of) {
    const second = this.vector(right);
    return Float64Array.from(this.vector(left), (value, k) => of(value, second[k]));
  }

  /** What an affine map's inputs and biases add to one unit: of a bias its name, of an input its expression. @param {AffineMap} affine @param {number} unit @returns {Share[]} */
  shares(affine, unit) {
    const { units } = this.values;
    const read = affine.inputs.map((node, k) => {
      const vector = this.vector(node);
      const { weight, row } = this.block(affine.sources[k], affine.rows);
      let value = 0;
      for (let j = 0, at = (row + unit) * vector.length; j < vector.length; j++, at++) value += weight[at] * vector[j];
      return { source: affine.sources[k], node, bias: "", value };
    });
    const biases = biasesOf(this.equations, affine);
    return [...read, ...biases.map(({ name, source, block }) => ({ source, node: null, bias: name, value: this.values.weights(name)[block * units + unit] }))];
  }

  /** What an affine map gives, all units of it. @param {AffineMap} affine */
  sums(affine) {
    const { units } = this.values;
    const out = new Float64Array(units);
    affine.inputs.forEach((node, k) => {
      const vector = this.vector(node);
      const { weight, row } = this.block(affine.sources[k], affine.rows);
      for (let unit = 0, at = row * vector.length; unit < units; unit++) {
        let value = 0;
        for (let j = 0; j < vector.length; j++, at++) value += weight[at] * vector[j];
        out[unit] += value;
      }
    });
    for (const { name, block } of biasesOf(this.equations, affine)) {
      const bias = this.values.weights(name);
      for (let unit = 0; unit < units; unit++) out[unit] += bias[block * units + unit];
    }
    return out;
  }

  /** The weights of a source, and at which row those of a signal begin. @param {string} source @param {string} rows */
  block(source, rows) {
    const place = this.equations.rows[source].indexOf(rows);
    return { weight: this.values.weights(`weight_${source}`), row: place * this.values.units };
  }

  /** @param {{ rows: string }} node @returns {NumberArray} */
  diagonal({ rows }) {
    const { weight, row } = this.block("peephole", rows);
    return Float64Array.from({ length: this.values.units }, (_, unit) => weight[row + unit]);
  }
}
