// Where everything stands.

import { visibleColumns } from "../shared/geometry.js";
import { clamp } from "../shared/numbers.js";
import { orderOf, shownSignals } from "./data.js";

const COMPACT = 620;
const GUTTER = 188;
export const PAD = 6;
const COLUMN = { least: 12, most: 26 };
export const HEADS = { text: 30, surprise: 30, expects: 52 };
export const LABEL = { wide: 10, compact: 28 };
const ROWS = { several: { least: 40, most: 96 }, one: { least: 160, most: 320 } };

export function layoutOf(inst) {
  const { meta } = inst.data;
  const width = Math.max(240, inst.root.clientWidth);
  const compact = width < COMPACT;
  const gutter = compact ? 0 : GUTTER;
  const signals = shownSignals(inst);
  const bands = [];
  let y = 0;
  const add = (kind, height, signal) => {
    bands.push({ kind, y, height, signal });
    y += height;
  };
  for (const kind of ["text", "surprise", "expects"]) add(kind, HEADS[kind]);
  const { least, most } = signals.length > 1 ? ROWS.several : ROWS.one;
  const tall = clamp(meta.units * (signals.length > 1 ? 1 : 4), least, most);
  for (const signal of signals) {
    add("label", compact ? LABEL.compact : LABEL.wide, signal);
    add("heat", tall, signal);
  }
  const plot = width - gutter;
  return { width, compact, gutter, plot, bands, height: y + 4, column: clamp(plot / meta.columns, COLUMN.least, COLUMN.most) };
}

export const xOf = (inst, step) => inst.layout.gutter + step * inst.layout.column - inst.scroll;
export const yOf = (inst, band, unit) => band.y + ((orderOf(inst).rows[unit] + 0.5) / inst.data.meta.units) * band.height;
export const endOf = (inst) => Math.min(inst.layout.width, xOf(inst, inst.data.meta.columns));
export const heats = (inst) => inst.layout.bands.filter(({ kind }) => kind === "heat");

export function visible(inst) {
  return visibleColumns(inst.scroll, inst.layout.plot, inst.layout.column, inst.data.meta.columns);
}

/** What the parts of charts need to know of the columns in view. */
export function columnsInView(inst) {
  return { ...visible(inst), column: inst.layout.column, xOf: (step) => xOf(inst, step) };
}
