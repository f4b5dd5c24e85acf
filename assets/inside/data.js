// What Python sends, unpacked.

import { equationsOf } from "../shared/equations/equations.js";
import { columnsOf } from "../shared/tables.js";

export function unpack(data) {
  const { meta, view } = data;
  const weights = Object.fromEntries(meta.parameters.map((name) => [name, columnsOf(data[name])[name]]));
  const inputs = data[meta.input === "hidden" ? "below" : "embedding"];
  const steps = columnsOf(data.steps);
  const equations = equationsOf(meta);
  return {
    meta, view, weights, steps,
    ids: columnsOf(data.ids).ids,
    values: columnsOf(data.values),
    before: columnsOf(data.before),
    x: inputs ? Object.values(columnsOf(inputs))[0] : null,
    equations,
    signals: equations.named,
    ranks: [0, 1, 2].filter((rank) => `next${rank}` in steps),
  };
}

export const isSent = ({ meta }, step) => step >= meta.start && step < meta.start + meta.columns;

/** One row of a signal: a step of the window, or the state before it; null where it was not sent. */
export function rowOf(data, name, step) {
  const { start, units } = data.meta;
  if (step === start - 1) return data.before[name] ?? null;
  return isSent(data, step) ? data.values[name].subarray((step - start) * units, (step - start + 1) * units) : null;
}

/** What the equations read at a step that was sent: see assets/shared/equations/moment.js. */
export function stepAt(data, step) {
  return {
    units: data.meta.units,
    isClamped: data.meta.clamped,
    signal: (name, previous) => rowOf(data, name, previous ? step - 1 : step),
    input: () => inputAt(data, step),
    weights: (name) => data.weights[name],
  };
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
