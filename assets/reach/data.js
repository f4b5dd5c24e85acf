// What Python sends, unpacked: the norms of the gradients, the pushes, the losses. No document.

import { spoken } from "../shared/letters.js";
import { clamp } from "../shared/numbers.js";
import { columnsOf } from "../shared/tables.js";

const UNBOUNDED = 65535;
export const DIRECT = "direct "; // before a state's name: the norms along its direct path

export function unpack(data) {
  const { meta, view } = data;
  const starts = new Uint32Array(meta.targets.length); // where each loss's row begins in the flat columns
  for (let row = 1; row < starts.length; row++) starts[row] = starts[row - 1] + meta.targets[row - 1] + 1;
  const readers = meta.readers.map((reader, place) => {
    const [norms, fates] = [columnsOf(data[`norms${place}`]), columnsOf(data[`fates${place}`])];
    return { ...reader, place, norms, fates, ...columnsOf(data[`pushes${place}`]), ...columnsOf(data[`loss${place}`]), logs: {} };
  });
  return { meta, view, readers, starts, typed: columnsOf(data.text).typed };
}

export const nameAt = ({ meta }, index) => spoken(meta.glyphs[index]);
export const stateOf = (inst, reader) => (inst.state === "memory" ? reader.memory : "hidden");

/** The common logarithms of a reader's norms: -Infinity for nothing at all, Infinity without bounds. */
export function logsOf({ meta }, reader, name) {
  return (reader.logs[name] ??= Float32Array.from(reader.norms[name], (level) => {
    if (level === 0) return -Infinity;
    return level === UNBOUNDED ? Infinity : meta.low + ((level - 1) * (meta.high - meta.low)) / (meta.levels - 1);
  }));
}

/** The logarithm of a norm as it is drawn: of the norm itself, or of its share of the value at the loss's own step. */
export function logAt(inst, reader, name, row, step) {
  const { data } = inst;
  const logs = logsOf(data, reader, name);
  const log = logs[data.starts[row] + step];
  if (inst.scale === "norm") return log;
  const own = logsOf(data, reader, name.replace(DIRECT, ""))[data.starts[row] + data.meta.targets[row]];
  return log === own ? 0 : log - own;
}

export const fateOf = (inst, reader, kind, row) => reader.fates[`${kind} ${stateOf(inst, reader)}`][row];
export const pushAt = ({ data }, reader, row, step) => reader.pushes[data.starts[row] + step];
export const targetOf = (inst) => inst.data.meta.targets[inst.row];
export const probeOf = (inst) => Math.max(0, targetOf(inst) - inst.back);

/** The loss that is followed back nearest to a step of the stretch. */
export function rowNear({ meta }, step) {
  const { targets, stride } = meta;
  return clamp(Math.round((step - targets[0]) / stride), 0, targets.length - 1);
}

/** Where the colours of a text end: at the largest push that this reader's loss got. */
export function pushLimit(inst, reader) {
  const { limits, data, row } = inst;
  const key = `${reader.place}/${row}`;
  if (!limits.has(key)) {
    let most = 0;
    for (let step = 0; step <= data.meta.targets[row]; step++) most = Math.max(most, Math.abs(pushAt(inst, reader, row, step)));
    limits.set(key, most || 1);
  }
  return limits.get(key);
}
