/** A model as the engine reads it: what lstm_core/browser/engine.py sends, with the weights of each layer laid out for its products. */

import { packRow, padded, pointwise, product } from "./kernels.js";
import { planOf } from "./plan.js";
import { Vocabulary } from "./vocabulary.js";

/** A character model whose weights are here. */
export class Model {
  /** @param {EngineMeta} meta @param {ArrayBuffer | Uint8Array<ArrayBuffer>} weights float32, little-endian, at the places that meta names */
  constructor(meta, weights) {
    const bytes = weights instanceof Uint8Array ? weights : new Uint8Array(weights);
    if (bytes.byteLength !== meta.bytes) throw new Error(`the weights of ${meta.name} are ${meta.bytes} bytes, and ${bytes.byteLength} came`);
    /** @type {Map<string, Float32Array>} */
    this.parameters = new Map();
    const aligned = bytes.byteOffset % 4 ? bytes.slice() : bytes;
    for (const [name, { offset, shape }] of Object.entries(meta.weights)) {
      const count = shape.reduce((all, each) => all * each, 1);
      this.parameters.set(name, new Float32Array(aligned.buffer, aligned.byteOffset + offset, count));
    }
    this.meta = meta;
    this.name = meta.name;
    this.version = meta.version;
    this.units = meta.units;
    this.signals = meta.signals.map((signal) => signal.name);
    this.states = meta.program.states;
    this.vocabulary = new Vocabulary(meta.vocabulary);
    const plans = [true, false].map((looksUp) => planOf(meta.program, looksUp));
    this.layers = Array.from({ length: meta.layers }, (_, layer) => this.layerOf(plans[layer ? 1 : 0], layer));
    this.head = this.packedHead();
  }

  /** A layer's parameter, or undefined where it has none of that name. @param {string} name @param {number} layer */
  parameter(name, layer) {
    return this.parameters.get(`${name}_l${layer}`);
  }

  /** One that must be there. @param {string} name @returns {Float32Array} */
  weight(name) {
    const found = this.parameters.get(name);
    if (found === undefined) throw new Error(`${this.name} has no weights ${name}; it has ${[...this.parameters.keys()].join(", ")}`);
    return found;
  }

  /** @param {Plan} plan @param {number} layer @returns {EngineLayer} */
  layerOf(plan, layer) {
    /** @type {Map<number, Float32Array>} */
    const weights = new Map();
    plan.buffers.forEach(({ role, name, block }, k) => {
      if (role === "weight") weights.set(k, this.weight(`${name}_l${layer}`).subarray(block * this.units, (block + 1) * this.units));
    });
    const steps = plan.steps.map((step) => {
      const run = step.product < 0 ? pointwise(step.kind, step.function, this.meta.functions) : pointwise("copy", "", {});
      return { product: step.product, run, into: step.into, left: step.left, right: step.right, finished: step.finished };
    });
    return { buffers: plan.buffers, products: plan.products.map((each) => this.packed(each, plan.buffers, layer)), weights, steps };
  }

  /** @param {PlanProduct} found @param {ProgramBuffer[]} buffers @param {number} layer @returns {PackedProduct} */
  packed(found, buffers, layer) {
    const units = this.units;
    const rows = padded(found.maps.length * units);
    const columns = found.reads.length * units; // x of the layers above the first is as long as h
    const matrix = new Float32Array(rows * columns);
    const base = new Float32Array(rows);
    found.maps.forEach((parts, map) => {
      parts.forEach((part, place) => {
        const weight = this.weight(`${part.weight}_l${layer}`);
        for (let unit = 0; unit < units; unit++)
          packRow(matrix, columns, map * units + unit, place * units, weight, (part.block * units + unit) * units, units);
      });
      for (const part of [...parts, ...found.lookedUp.slice(map, map + 1)]) {
        const bias = this.parameter(part.bias, layer);
        for (let unit = 0; bias && unit < units; unit++) base[map * units + unit] += bias[part.block * units + unit];
      }
    });
    const lookedUp = found.lookedUp.length ? { parts: found.lookedUp, rows: [] } : null;
    return { reads: found.reads, into: found.into, rows, columns, packed: matrix, base, lookedUp };
  }

  /** What is added to a product: the biases and, in the first layer, what the character adds, looked up. @param {PackedProduct} packed @param {number} id */
  baseOf(packed, id) {
    if (packed.lookedUp === null) return packed.base;
    return (packed.lookedUp.rows[id] ??= this.inputRow(packed.base, packed.lookedUp.parts, id));
  }

  /** @param {Float32Array} base @param {ProgramPart[]} parts @param {number} id */
  inputRow(base, parts, id) {
    const { units, meta } = this;
    const row = base.slice();
    const embedding = meta.input === "embedding" ? this.weight("embedding.weight") : null;
    parts.forEach((part, map) => {
      const weight = this.weight(`${part.weight}_l0`);
      for (let unit = 0; unit < units; unit++) {
        const start = (part.block * units + unit) * meta.inputs;
        let sum = embedding ? 0 : weight[start + id];
        if (embedding) for (let k = 0; k < meta.inputs; k++) sum += weight[start + k] * embedding[id * meta.inputs + k];
        row[map * units + unit] += sum;
      }
    });
    return row;
  }

  packedHead() {
    const [count, units] = [this.vocabulary.size, this.units];
    const rows = padded(count);
    const packed = new Float32Array(rows * units);
    const base = new Float32Array(rows);
    const weight = this.weight("head.weight");
    for (let row = 0; row < count; row++) packRow(packed, units, row, 0, weight, row * units, units);
    base.set(this.parameters.get("head.bias") ?? []);
    return { rows, packed, base };
  }

  /** What the next character is expected to be, before softmax. @param {Float32Array} out @param {Float32Array} hidden */
  logits(out, hidden) {
    product(out, this.head.base, this.head.packed, hidden, this.head.rows, this.units);
  }
}
