// Where everything stands: bands from top to foot, columns from left to right.

import { visibleColumns } from "../shared/geometry.js";
import { orderOf } from "./data.js";

export const READABLE = 9; // columns narrower than this show no letters
const ROW_HEIGHTS = { small: 40, medium: 66, large: 124 };
const SHORTEST_ROW = 20;
const TALLEST = 8192; // device pixels of one canvas: more fails on phones
const COMPACT = 620;
const GUTTER = 188;
export const PAD = 6;
export const LINES = { label: 16, tall: 84 };
export const CURVES = { label: 40, tall: 112 };

export function layoutOf(inst) {
  const { tracks, readers } = inst.data;
  const width = Math.max(240, inst.root.clientWidth);
  const compact = width < COMPACT;
  const bands = [];
  let y = 0;
  const add = (kind, height, more = {}) => {
    bands.push({ kind, y, height, ...more });
    y += height;
  };
  addHead(inst, add, compact);
  const legend = compact ? CURVES.label : 0;
  if (inst.data.meta.curves) add("curves", CURVES.tall + legend, { legend });
  const operations = compact ? 30 : 28;
  const rowHeight = rowHeightOf(inst, y + inst.data.heats.length * operations + 40 * tracks.length);
  for (const track of tracks) {
    if (tracks.length > 1 || readers.length > 1) add("title", 26, { track });
    for (const heat of track.heats) {
      const label = compact || heat.signal.lead.length;
      add("operations", label ? operations : 10, { heat });
      add("heat", rowHeight, { heat });
    }
  }
  const gutter = compact ? 0 : GUTTER;
  return { width, compact, gutter, plot: width - gutter, bands, height: y + 4, rowHeight };
}

/** What stands above the heatmaps: the text, the surprise, what is expected next. */
function addHead(inst, add, compact) {
  const { meta, readers, between } = inst.data;
  for (const strip of meta.strips) add("text", 30, { strip });
  const legend = compact ? LINES.label * readers.length + 4 : 0;
  if (readers.length > 1) add("lines", LINES.tall + legend, { legend });
  else add("surprise", 26);
  if (between) add("between", 40 + (compact ? LINES.label : 0), { legend: compact ? LINES.label : 0 });
  if (inst.columnWidth < READABLE) return;
  if (readers.length > 1) for (const reader of readers) add("expected", 19, { reader });
  else add("expects", 52);
}

function rowHeightOf(inst, others) {
  const { heats, tracks } = inst.data;
  const wanted = inst.rowSize === "every" ? Math.max(...tracks.map((track) => track.units)) : ROW_HEIGHTS[inst.rowSize];
  const room = Math.floor((TALLEST / inst.ratio - others) / heats.length);
  return Math.max(SHORTEST_ROW, Math.min(wanted, room));
}

export const xOf = (inst, step) => inst.layout.gutter + step * inst.columnWidth - inst.scroll;
export const yOf = (inst, band, unit) => band.y + ((orderOf(inst, band.heat.track).rows[unit] + 0.5) / band.heat.track.units) * band.height;
export const heatBands = (inst, track) => inst.layout.bands.filter((b) => b.kind === "heat" && (!track || b.heat.track === track));

export function visible(inst) {
  return visibleColumns(inst.scroll, inst.layout.plot, inst.columnWidth, inst.data.meta.steps);
}

/** What the parts of charts need to know of the columns in view. */
export function columnsInView(inst) {
  return { ...visible(inst), column: inst.columnWidth, xOf: (step) => xOf(inst, step) };
}

export const legendPitch = (inst) => (inst.layout.compact ? LINES.label : Math.min(LINES.label, (LINES.tall - 22) / inst.data.readers.length));

/** Columns may not get so narrow that more of them are in view than were sent. */
export function narrowest(inst) {
  const { columns, steps, isReading } = inst.data.meta;
  return columns < steps && !isReading ? Math.max(0.25, inst.layout.plot / (columns * 0.8)) : 0.25;
}
