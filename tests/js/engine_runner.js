/**
 * Runs the browser's engine over cases that Python wrote: `node engine_runner.js FOLDER`.
 *
 * FOLDER/cases.json lists them: the model's meta, the files of its weights and of the trace (float32, little-endian), what was read, from
 * which state, and what was held. Prints, as JSON, the largest differences of each case from the trace: over the whole text, and of each
 * step from the trace's own state.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Model } from "../../assets/shared/engine/model.js";
import { Reading } from "../../assets/shared/engine/reading.js";
import { Vocabulary } from "../../assets/shared/engine/vocabulary.js";

/**
 * @typedef {{ meta: EngineMeta, weights: string, text: string, signals: Record<string, string>, probs: string, surprise: string,
 *   initial: Record<string, string>, initialProbs: string | null, clamps: Clamp[],
 *   chars: string[], readAs: string[], ids: number[] }} Case
 */

const folder = process.argv[2];

/** @param {string} name */
function floats(name) {
  const bytes = readFileSync(join(folder, name));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** @param {ArrayLike<number>} found @param {ArrayLike<number>} wanted @param {boolean} relative to what is wanted, where it is over 1 */
function largest(found, wanted, relative) {
  if (found.length !== wanted.length) throw new Error(`${found.length} values instead of ${wanted.length}`);
  let most = 0;
  for (let k = 0; k < wanted.length; k++) {
    const difference = Math.abs(found[k] - wanted[k]) / (relative ? Math.max(1, Math.abs(wanted[k])) : 1);
    if (Number.isNaN(found[k]) !== Number.isNaN(wanted[k])) return Infinity;
    if (difference > most) most = difference;
  }
  return most;
}

/** @param {Record<string, number>} into @param {string} name @param {number} value */
function note(into, name, value) {
  into[name] = Math.max(into[name] ?? 0, value);
}

/** @param {Case} given */
function compared(given) {
  const { meta } = given;
  const model = new Model(meta, new Uint8Array(readFileSync(join(folder, given.weights))));
  const { units, layers } = model;
  const trace = Object.fromEntries(Object.entries(given.signals).map(([name, file]) => [name, floats(file)]));
  const initial = Object.fromEntries(Object.entries(given.initial).map(([name, file]) => [name, floats(file)]));
  const probs = floats(given.probs);
  const surprise = floats(given.surprise);
  const { length } = given.ids;
  const size = model.vocabulary.size;
  const limits = Object.fromEntries(meta.signals.map(({ name, range }) => [name, range.includes(null)]));

  /** @param {number} t of the step before which the state is wanted */
  function stateBefore(t) {
    /** @param {string} name @param {number} layer */
    const of = (name, layer) =>
      t ? trace[name].slice((layer * length + t - 1) * units, (layer * length + t) * units) : initial[name].slice(layer * units, (layer + 1) * units);
    const before = given.initialProbs ? floats(given.initialProbs) : null;
    return {
      values: Object.fromEntries(model.states.map((name) => [name, layers.map((_, layer) => of(name, layer))])),
      probs: t ? probs.slice((t - 1) * size, t * size) : before,
    };
  }

  const whole = new Reading(model, { state: stateBefore(0), clamps: given.clamps });
  whole.write(given.text);
  whole.read();
  if (JSON.stringify([whole.chars, whole.readAs, [...whole.ids]]) !== JSON.stringify([given.chars, given.readAs, given.ids]))
    throw new Error("the text is read as other characters");
  /** @type {Record<string, number>} */
  const run = {};
  for (const name of model.signals)
    layers.forEach((_, layer) =>
      note(run, name, largest(whole.signal(layer, name), trace[name].subarray(layer * length * units, (layer + 1) * length * units), limits[name])),
    );
  note(run, "probs", largest(whole.probs, probs, false));
  note(run, "surprise", largest(whole.surprise, surprise, true));

  /** @type {Record<string, number>} */
  const steps = {};
  for (let t = 0; t < length; t++) {
    const clamps = given.clamps.filter(({ start, stop }) => start <= t && (stop === null || t < stop)).map((clamp) => ({ ...clamp, start: 0, stop: null }));
    const one = new Reading(model, { state: stateBefore(t), clamps });
    one.put([given.ids[t]]);
    one.read();
    for (const name of model.signals)
      layers.forEach((_, layer) => {
        const at = (layer * length + t) * units;
        note(steps, name, largest(one.signal(layer, name), trace[name].subarray(at, at + units), limits[name]));
      });
    note(steps, "probs", largest(one.probs, probs.subarray(t * size, (t + 1) * size), false));
  }
  return { whole: run, steps };
}

/** @param {{ vocabulary: VocabularyMeta, text: string }} given */
function encoded({ vocabulary, text }) {
  const { chars, readAs, ids } = new Vocabulary(vocabulary).encode(text);
  return { chars, readAs, ids: [...ids] };
}

const { cases = [], texts = [] } = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
// half surrogate pairs, which name bytes, are written as escapes: UTF-8 has none
const answer = JSON.stringify({ cases: cases.map(compared), texts: texts.map(encoded) });
process.stdout.write(answer);
