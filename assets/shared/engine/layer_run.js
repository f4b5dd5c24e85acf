/** One layer at work: its vectors, and one step of its program after another. */

import { product } from "./kernels.js";

/** The vectors of one layer over a text. Signals are kept for every step, one step after another in one array. */
export class LayerRun {
  /** @param {EngineModel} model @param {number} layer from 0 @param {Record<string, Float32Array>} initial the states before the first step */
  constructor(model, layer, initial) {
    this.model = model;
    this.layer = model.layers[layer];
    this.initial = initial;
    this.capacity = 0;
    /** @type {Record<string, Float32Array>} */
    this.signals = Object.fromEntries(model.signals.map((name) => [name, new Float32Array(0)]));
    /** @type {Record<string, Clamp[]>} */
    this.held = {};
    const { buffers, products, weights } = this.layer;
    const units = model.units;
    // where each vector stands: an array, and how far into it; those of x, states and signals move from step to step
    this.arrays = buffers.map(({ role }, k) => weights.get(k) ?? new Float32Array(role === "value" ? units : 0));
    this.offsets = new Int32Array(buffers.length);
    this.vectors = products.map(({ columns }) => new Float32Array(columns));
    this.results = products.map(({ rows }) => new Float32Array(rows));
    products.forEach(({ into }, number) => {
      into.forEach((buffer, map) => {
        this.arrays[buffer] = this.results[number];
        this.offsets[buffer] = map * units;
      });
    });
    this.nothing = new Float32Array(units);
    this.moving = buffers.flatMap(({ role, name }, k) => (role === "value" || role === "weight" ? [] : [{ k, role, name }]));
  }

  /** Makes room for so many steps, of which `done` are kept. @param {number} steps @param {number} done */
  reserve(steps, done) {
    if (steps <= this.capacity) return;
    this.capacity = steps;
    for (const [name, old] of Object.entries(this.signals)) {
      this.signals[name] = new Float32Array(steps * this.model.units);
      this.signals[name].set(old.subarray(0, done * this.model.units));
    }
  }

  /**
   * Runs one step. id: what is read; below: the layer below, or null for the first.
   * @param {number} t @param {number} id @param {LayerRun | null} below
   */
  step(t, id, below) {
    const { arrays, offsets, model } = this;
    const { units } = model;
    for (const { k, role, name } of this.moving) {
      if (role === "input" || role === "below") {
        arrays[k] = below ? below.signals[role === "input" ? "hidden" : name] : this.nothing;
        offsets[k] = below ? t * units : 0;
      } else if (role === "signal" || t > 0) {
        arrays[k] = this.signals[name];
        offsets[k] = (role === "signal" ? t : t - 1) * units;
      } else {
        arrays[k] = this.initial[name];
        offsets[k] = 0;
      }
    }
    for (const { product: number, run, into, left, right, finished } of this.layer.steps) {
      if (number >= 0) this.multiply(number, id);
      else run(arrays[into], offsets[into], arrays[left], offsets[left], arrays[right], offsets[right], units);
      if (finished && this.held[finished]) hold(this.held[finished], t, arrays[into], offsets[into], units);
    }
  }

  /** @param {number} number @param {number} id */
  multiply(number, id) {
    const packed = this.layer.products[number];
    const vector = this.vectors[number];
    const { units } = this.model;
    packed.reads.forEach((k, place) => {
      const [array, from] = [this.arrays[k], this.offsets[k]];
      for (let unit = 0; unit < units; unit++) vector[place * units + unit] = array[from + unit];
    });
    product(this.results[number], this.model.baseOf(packed, id), packed.packed, vector, packed.rows, packed.columns);
  }
}

/** Writes what is held over what was computed; of two clamps, the later one holds.
 * @param {Clamp[]} clamps @param {number} t @param {Float32Array} values @param {number} at @param {number} units */
function hold(clamps, t, values, at, units) {
  for (const { value, units: which, start, stop } of clamps) {
    if (t < start || (stop !== null && t >= stop)) continue;
    if (which === null) values.fill(value, at, at + units);
    else for (const unit of which) values[at + unit] = value;
  }
}
