/** How far a reading is from a trace that somebody else computed. */

/**
 * The largest differences from a trace at some of its steps, over all units of all layers: of each signal (of one without a range relative to
 * the trace's value, where that is over 1), and of the probabilities. NaN counts as infinitely far.
 * @param {EngineReading} reading which has read these steps
 * @param {{ steps: number[], values: Record<string, Float32Array> }} trace each signal (layer, step, unit), and "probs" (step, character)
 * @returns {Record<string, number>}
 */
export function differencesFrom(reading, { steps, values }) {
  const { model } = reading;
  const { units } = model;
  const size = model.vocabulary.size;
  /** @type {Record<string, number>} */
  const found = {};
  for (const { name, range } of model.meta.signals) {
    const isRelative = range.includes(null);
    let most = 0;
    model.layers.forEach((_, layer) =>
      steps.forEach((step, k) => {
        const from = (layer * steps.length + k) * units;
        most = Math.max(most, farthest(reading.at(layer, name, step), values[name].subarray(from, from + units), isRelative));
      }),
    );
    found[name] = most;
  }
  found.probs = Math.max(...steps.map((step, k) => farthest(reading.probs.subarray(step * size, (step + 1) * size), values.probs.subarray(k * size, (k + 1) * size), false)));
  return found;
}

/** @param {Float32Array} found @param {Float32Array} wanted @param {boolean} isRelative */
function farthest(found, wanted, isRelative) {
  let most = 0;
  for (let k = 0; k < wanted.length; k++) {
    const difference = Math.abs(found[k] - wanted[k]) / (isRelative ? Math.max(1, Math.abs(wanted[k])) : 1);
    if (!(difference <= most)) most = Number.isNaN(difference) ? Infinity : difference;
  }
  return most;
}
