// What stands beside the bands: names, symbols, operations, colour bars, legends.

import { drawColourBar, drawMarker, lineColour, lineStyle } from "../shared/charts.js";
import { colourTables } from "../shared/colours.js";
import { clamp, short } from "../shared/numbers.js";
import { drawSymbol, widthOf } from "../shared/pens.js";
import { surpriseRange } from "../shared/phrases.js";
import { tr } from "../shared/words.js";
import { isSquashed, titleOf } from "./data.js";
import { legendPitch, PAD } from "./layout.js";

export const DASHES = [[], [7, 3], [2, 2.5], [9, 3, 2, 3], [14, 4], [5, 2, 1.5, 2, 1.5, 2]]; // of a reader's line, or a signal's: told apart without colours too
export const MARKER_EDGE = 0.75; // pixels around a marker
export const lineOf = (inst, reader) => lineStyle(inst, reader.place, DASHES, 1.75);

/** A reader's line and marker, a finger wide, for a legend. */
export function drawSample(pen, inst, reader, x, y) {
  pen.path([[x, y], [x + 26, y]], lineOf(inst, reader));
  drawMarker(pen, inst.theme, reader.place, x + 13, y, 3.5, lineColour(inst, reader.place), MARKER_EDGE);
}

function limitsText(inst, heat) {
  if (heat.signal.bounded) return [short(heat.low, 3), short(heat.high, 3)];
  if (isSquashed(inst, heat)) return ["−1", "1"];
  return [short(heat.low, 3), short(heat.high, 3)];
}

function drawHeatBar(pen, inst, heat, x, y, width) {
  const table = colourTables(inst, inst.data.meta.levels)[heat.signal.scale];
  return drawColourBar(pen, inst.theme, table, limitsText(inst, heat), x, y, { width, canvas: inst.scratch });
}

/** Beyond which the colours stop telling values apart, where some values lie there. */
function overflowText(inst, heat) {
  if (heat.signal.bounded || isSquashed(inst, heat) || heat.most <= heat.high) return "";
  return tr("largest {value}", { value: short(heat.most, 3) });
}

const symbolOf = (inst, heat) => (isSquashed(inst, heat) ? `tanh ${heat.signal.symbol}` : heat.signal.symbol);

export function drawGutter(pen, inst, band) {
  const { theme, layout } = inst;
  const quiet = { size: 12, fill: theme.quiet, family: theme.sans };
  const words = { text: band.strip && stripTitle(inst, band), surprise: surpriseRange(inst.data.cap), expects: tr("expects next") }[band.kind];
  if (band.kind === "lines") drawLegend(pen, inst, band.y + 16, layout.gutter - 60);
  if (band.kind === "between") pen.text(tr("disagreement, 0–{limit}", { limit: short(inst.data.meta.widest, 3) }), PAD, band.y + 26, quiet);
  if (band.kind === "expected") {
    drawSample(pen, inst, band.reader, PAD, band.y + 10);
    pen.text(tr("expects next"), PAD + 32, band.y + 14, quiet);
  }
  if (words) pen.text(words, PAD, band.y + (band.kind === "text" ? 20 : 14), quiet);
  if (band.kind === "operations") drawOperations(pen, inst, band.heat.signal.lead, layout.gutter - 22, band.y + band.height / 2, "right");
  if (band.kind !== "heat") return;
  const { heat } = band;
  const after = drawSymbol(pen, theme, symbolOf(inst, heat), "t", PAD, band.y + 18, 19);
  pen.text(heat.signal.title, after + 8, band.y + 18, quiet);
  const end = drawHeatBar(pen, inst, heat, PAD, band.y + 28, 56);
  if (overflowText(inst, heat)) pen.text(overflowText(inst, heat), band.height < 60 ? end + 8 : PAD, band.y + (band.height < 60 ? 35.5 : 50), { ...quiet, size: 10.5 });
}

const stripTitle = (inst, { strip }) => (inst.data.meta.strips.length > 1 ? inst.data.readers[strip[0]].name : tr("reads"));

/** Whose line is which, and the scale of all. */
function drawLegend(pen, inst, y, width) {
  const { data, theme } = inst;
  data.readers.forEach((reader, k) => drawReaderName(pen, inst, reader, PAD, y + k * legendPitch(inst), width));
  if (!inst.layout.compact) pen.text(surpriseRange(data.cap), PAD, y - 6, { size: 10.5, fill: theme.quiet, family: theme.sans });
}

function drawReaderName(pen, inst, reader, x, y, width) {
  const { theme, layout } = inst;
  const style = { size: Math.min(12, legendPitch(inst)), fill: theme.ink, family: theme.sans };
  const middle = y + (layout.compact ? 0 : 5);
  drawSample(pen, inst, reader, x, middle);
  pen.text(shortened(reader.name, style, width - 32), x + 32, middle + 4, style);
}

function shortened(words, style, width) {
  if (widthOf(words, style) <= width) return words;
  let length = words.length - 1;
  while (length > 1 && widthOf(`${words.slice(0, length)}…`, style) > width) length--;
  return `${words.slice(0, length)}…`;
}

export function drawCompactLabel(pen, inst, band) {
  const { theme, layout, data } = inst;
  const quiet = { size: 11, fill: theme.quiet, family: theme.sans };
  if (band.kind === "lines") {
    drawLegend(pen, inst, band.y + 8, layout.width - 110);
    pen.text(surpriseRange(data.cap), layout.width - 2, band.y + 12, { ...quiet, align: "right" });
  }
  if (band.kind === "expected") drawMarker(pen, theme, band.reader.place, 6, band.y + 9, 4, lineColour(inst, band.reader.place), MARKER_EDGE);
  if (band.kind === "between") pen.text(tr("disagreement, 0–{limit} nats", { limit: short(data.meta.widest, 3) }), 2, band.y + 12, quiet);
  if (band.kind !== "operations") return;
  const { heat } = band;
  const middle = band.y + band.height / 2 + 2;
  const start = heat.signal.lead.length ? drawOperations(pen, inst, heat.signal.lead, 0, middle, "left") + 8 : 2;
  const after = drawSymbol(pen, theme, symbolOf(inst, heat), "t", start, middle + 5, 18);
  pen.text(heat.signal.title, after + 7, middle + 4, { size: 12, fill: theme.quiet, family: theme.sans });
  const [low, high] = limitsText(inst, heat);
  const style = { size: 10.5, family: theme.sans };
  drawHeatBar(pen, inst, heat, layout.width - 52 - widthOf(low, style) - widthOf(high, style), middle - 3, 40);
}

export function drawTrackTitle(pen, inst, band) {
  const { theme, layout, data } = inst;
  pen.path([[0, band.y + 7.5], [layout.width, band.y + 7.5]], { stroke: theme.faint });
  const style = { size: 13, weight: 650, fill: theme.ink, family: theme.sans };
  pen.text(shortened(titleOf(data, band.track), style, layout.width - 90), PAD, band.y + 22, style);
}

/** The pointwise operations as pink circles and pills in a row; returns where the row ends. */
export function drawOperations(pen, inst, operations, x, y, align) {
  const { theme, layout } = inst;
  const style = { size: 12.5, weight: 600, family: theme.sans };
  const widths = operations.map((words) => (words.length === 1 ? 19 : widthOf(words, style) + 14));
  const total = widths.reduce((sum, width) => sum + width + 4, -4);
  let left = { left: x, right: x + 11 - total, center: x - total / 2 }[align];
  if (align === "center") left = clamp(left, layout.gutter + 2, layout.width - total - 2);
  operations.forEach((words, k) => {
    pen.rect(left, y - 9.5, widths[k], 19, { fill: theme.operation, stroke: theme.operationEdge, radius: 9.5 });
    pen.text(words, left + widths[k] / 2, y + 4.5, { ...style, align: "center", fill: theme.dark ? "#fff" : "#3c1420" });
    left += widths[k] + 4;
  });
  return left - 4;
}
