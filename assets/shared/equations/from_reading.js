/** What a cell's equations read at a step that the browser's engine has read. No document. */

/**
 * One step of one layer, both counted from 0. What it gives holds until the reading's text is changed.
 * @param {EngineReading} reading @param {number} layer @param {number} step @returns {StepValues}
 */
export function stepOf(reading, layer, step) {
  const { model, ids } = reading;
  return {
    units: model.units,
    isClamped: reading.clamps.length > 0,
    signal: (name, previous) => (previous ? reading.before(layer, name, step) : reading.at(layer, name, step)),
    input: () => (layer ? reading.at(layer - 1, "hidden", step) : inputOf(model, ids[step])),
    weights: (name) => model.weight(`${name}_l${layer}`),
  };
}

/** A character as the first layer reads it. @param {EngineModel} model @param {number} id */
function inputOf(model, id) {
  const { inputs, input } = model.meta;
  if (input === "embedding") return model.weight("embedding.weight").subarray(id * inputs, (id + 1) * inputs);
  const hot = new Float32Array(inputs);
  hot[id] = 1;
  return hot;
}
