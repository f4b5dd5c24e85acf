/**
 * A text as a model reads it in the browser: every signal of every layer at every character, kept while the text is edited.
 *
 *     const reading = new Reading(model);
 *     reading.write("To be");
 *     while (!reading.read({ milliseconds: 8 })) await nextFrame();
 *     reading.signal(0, "forget"); // (time x unit), time first
 */

import { softmax } from "./kernels.js";
import { LayerRun } from "./layer_run.js";

const TINY = 2 ** -126; // the least normal float32: as in Python, no surprise is infinite

/** The state before any text. @param {EngineModel} model @returns {EngineState} */
export function zeroState(model) {
  const zeros = () => model.layers.map(() => new Float32Array(model.units));
  return { values: Object.fromEntries(model.states.map((name) => [name, zeros()])), probs: null };
}

/** @param {EngineModel} model @param {EngineState} state */
function checkState(model, state) {
  for (const name of model.states) {
    const found = state.values[name] ?? [];
    if (found.length !== model.layers.length || found.some((layer) => layer.length !== model.units))
      throw new Error(`${model.name} needs the state ${name} of ${model.layers.length} layers x ${model.units} units`);
  }
  if (state.probs && state.probs.length !== model.vocabulary.size)
    throw new Error(`the state predicts ${state.probs.length} characters; ${model.name} knows ${model.vocabulary.size}`);
}

/** @param {EngineModel} model @param {Clamp[]} clamps */
function checkClamps(model, clamps) {
  for (const { signal, value, layer, units } of clamps) {
    if (!model.signals.includes(signal)) throw new Error(`${model.name} has no signal ${signal} to hold; it has ${model.signals.join(", ")}`);
    if (!Number.isFinite(value)) throw new Error(`${signal} is held at a finite number, not at ${value}`);
    if (!(layer >= 0 && layer < model.layers.length)) throw new Error(`there is no layer ${layer}; there are layers 0 to ${model.layers.length - 1}`);
    for (const unit of units ?? [])
      if (!(unit >= 0 && unit < model.units)) throw new Error(`there is no unit ${unit}; there are units 0 to ${model.units - 1}`);
  }
}

/** A model that reads a text, or has read as much of it as it was given time for. Steps, layers and units are counted from 0. */
export class Reading {
  /** @param {EngineModel} model @param {{ state?: EngineState | null, clamps?: Clamp[] }} [from] the state before the first step, and what is held */
  constructor(model, { state = null, clamps = [] } = {}) {
    this.model = model;
    this.initial = state ?? zeroState(model);
    checkState(model, this.initial);
    this.runs = model.layers.map((_, layer) => {
      const initial = Object.fromEntries(model.states.map((name) => [name, this.initial.values[name][layer].slice()]));
      return new LayerRun(model, layer, initial);
    });
    /** @type {string[]} the characters as typed, one a step; "" at the further bytes of one */
    this.chars = [];
    /** @type {string[]} what the model read in their place */
    this.readAs = [];
    this.ids = new Int32Array(0);
    /** How many steps are read: what is asked for is there for these alone. */
    this.done = 0;
    /** @type {Clamp[]} */
    this.clamps = [];
    this.capacity = 0;
    this.allProbs = new Float32Array(0);
    this.allSurprise = new Float32Array(0);
    this.logits = new Float32Array(model.head.rows);
    this.top = new Float32Array(model.units);
    this.hold(clamps);
  }

  /** How many steps the text has. */
  get steps() {
    return this.ids.length;
  }

  /**
   * Puts another text in the place of the one that stands here. What was read before the first change is kept. Returns the first step that
   * is to be read, if any are. Throws a RangeError, one sentence for the person, for a text that is too long, and keeps the old one.
   * @param {string} text
   */
  write(text) {
    const { chars, readAs, ids } = this.model.vocabulary.encode(text);
    return this.put(ids, chars, readAs);
  }

  /** The same with ids. @param {ArrayLike<number>} ids @param {string[]} [chars] @param {string[]} [readAs] */
  put(ids, chars, readAs) {
    const symbols = this.model.vocabulary.symbols;
    const before = this.ids;
    this.ids = Int32Array.from(ids);
    this.chars = chars ?? Array.from(this.ids, (id) => symbols[id]);
    this.readAs = readAs ?? this.chars;
    let same = 0;
    while (same < this.done && same < this.steps && before[same] === this.ids[same]) same++;
    return (this.done = same);
  }

  /** Holds these clamps and no others; what was read before the first change is kept. Returns the first step to be read. @param {Clamp[]} clamps */
  hold(clamps) {
    checkClamps(this.model, clamps);
    const [before, after] = [this.clamps, clamps].map((list) => list.map((clamp) => JSON.stringify(clamp)));
    let same = 0;
    while (same < before.length && same < after.length && before[same] === after[same]) same++;
    for (const { start } of [...this.clamps.slice(same), ...clamps.slice(same)]) this.done = Math.min(this.done, start);
    this.clamps = clamps;
    this.runs.forEach((run, layer) => {
      run.held = {};
      for (const clamp of clamps) if (clamp.layer === layer) (run.held[clamp.signal] ??= []).push(clamp);
    });
    return this.done;
  }

  /**
   * Reads on, to the step `until` and for as long as is given, at least one step. Returns whether all up to `until` is read.
   * @param {{ until?: number, milliseconds?: number }} [limits]
   */
  read({ until = this.steps, milliseconds = Infinity } = {}) {
    const stop = Math.min(until, this.steps);
    if (this.done >= stop) return true;
    this.reserve(this.steps);
    const end = performance.now() + milliseconds;
    do this.step(this.done++);
    while (this.done < stop && (milliseconds === Infinity || performance.now() < end));
    return this.done >= stop;
  }

  /** @param {number} steps */
  reserve(steps) {
    if (steps <= this.capacity) return;
    this.capacity = Math.max(steps, Math.min(this.capacity * 2, this.model.vocabulary.limit), 64);
    for (const run of this.runs) run.reserve(this.capacity, this.done);
    const [probs, surprise] = [this.allProbs, this.allSurprise];
    this.allProbs = new Float32Array(this.capacity * this.model.vocabulary.size);
    this.allProbs.set(probs.subarray(0, this.done * this.model.vocabulary.size));
    this.allSurprise = new Float32Array(this.capacity);
    this.allSurprise.set(surprise.subarray(0, this.done));
  }

  /** @param {number} t */
  step(t) {
    const { model, runs, top } = this;
    const size = model.vocabulary.size;
    const id = this.ids[t];
    for (let layer = 0; layer < runs.length; layer++) runs[layer].step(t, id, layer ? runs[layer - 1] : null);
    const { hidden } = runs[runs.length - 1].signals;
    for (let unit = 0; unit < model.units; unit++) top[unit] = hidden[t * model.units + unit];
    model.logits(this.logits, top);
    softmax(this.allProbs, t * size, this.logits, size);
    const likelihood = t ? this.allProbs[(t - 1) * size + id] : (this.initial.probs?.[id] ?? NaN);
    this.allSurprise[t] = -Math.log(likelihood < TINY ? TINY : likelihood);
  }

  /** A signal at every step that is read: (done x unit), time first. It is overwritten when the text is. @param {number} layer @param {string} name */
  signal(layer, name) {
    return this.run(layer, name).subarray(0, this.done * this.model.units);
  }

  /** A signal at one step. @param {number} layer @param {string} name @param {number} step */
  at(layer, name, step) {
    this.check(step);
    return this.run(layer, name).subarray(step * this.model.units, (step + 1) * this.model.units);
  }

  /** A state as a step found it. @param {number} layer @param {string} name @param {number} step */
  before(layer, name, step) {
    this.check(step);
    if (!this.model.states.includes(name)) throw new Error(`${name} is no state of ${this.model.name}; its states are ${this.model.states.join(", ")}`);
    return step ? this.at(layer, name, step - 1) : this.runs[layer].initial[name];
  }

  /** The predictions after each step that is read: (done x vocabulary), 0 to 1. */
  get probs() {
    return this.allProbs.subarray(0, this.done * this.model.vocabulary.size);
  }

  /** How unlikely each character was by the prediction before it, in nats; NaN where there was none. */
  get surprise() {
    return this.allSurprise.subarray(0, this.done);
  }

  /** What the model remembers after a step, from which another reading may go on. @param {number} [step] the last one that is read @returns {EngineState} */
  state(step = this.done - 1) {
    this.check(step);
    const size = this.model.vocabulary.size;
    const values = this.model.states.map((name) => [name, this.runs.map((_, layer) => this.at(layer, name, step).slice())]);
    return { values: Object.fromEntries(values), probs: this.allProbs.slice(step * size, (step + 1) * size) };
  }

  /** @param {number} layer @param {string} name */
  run(layer, name) {
    const found = this.runs[layer]?.signals[name];
    if (found === undefined)
      throw new Error(`${this.model.name} has no ${name} in layer ${layer}; it has ${this.model.signals.join(", ")} in layers 0 to ${this.runs.length - 1}`);
    return found;
  }

  /** @param {number} step */
  check(step) {
    if (!(step >= 0 && step < this.done)) throw new Error(`step ${step} is not read; ${this.done} steps are`);
  }
}
