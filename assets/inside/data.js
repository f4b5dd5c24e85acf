// What Python sends, unpacked.

import { clamp } from "../shared/numbers.js";

const CURVES = { sigmoid: (z) => 0.5 + 0.5 * Math.tanh(0.5 * z), tanh: Math.tanh };

const columnsOfTable = (table) => Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name).toArray()]));

export function unpack(data) {
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

export const isSent = ({ meta }, step) => step >= meta.start && step < meta.start + meta.columns;

/** One row of a signal: a step of the window, or the state before it; null where it was not sent. */
export function rowOf(data, name, step) {
  const { start, units } = data.meta;
  if (step === start - 1) return data.before[name] ?? null;
  return isSent(data, step) ? data.values[name].subarray((step - start) * units, (step - start + 1) * units) : null;
}

export function inputAt(data, step) {
  const { input, inputs, start } = data.meta;
  if (input === "one-hot") {
    const hot = new Float32Array(inputs);
    hot[data.ids[step]] = 1;
    return hot;
  }
  const row = input === "hidden" ? step - start : data.ids[step];
  return data.x.subarray(row * inputs, (row + 1) * inputs);
}
