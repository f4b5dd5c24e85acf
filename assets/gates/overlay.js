// The cursor, the pin and the values beside the rows, above the picture.

import { drawCellFrame, drawCursorLines, drawPinDot, drawPinHead } from "../shared/charts.js";
import { clamp, written } from "../shared/numbers.js";
import { drawSymbol, widthOf } from "../shared/pens.js";
import { unitText } from "../shared/phrases.js";
import { drawCurves } from "./curves.js";
import { isSquashed, trackOf, unitIn, valueAt } from "./data.js";
import { drawOperations } from "./labels.js";
import { heatBands, legendPitch, PAD, READABLE, visible, xOf, yOf } from "./layout.js";

export function drawOverlay(pen, inst) {
  const { layout } = inst;
  const curves = layout.bands.find((band) => band.kind === "curves");
  if (curves) drawCurves(pen, inst, curves);
  pen.within(layout.gutter, 0, layout.plot, layout.height, () => {
    if (inst.pin) drawPin(pen, inst);
    drawCursor(pen, inst);
  });
  drawValues(pen, inst);
}

function drawPin(pen, inst) {
  const { theme, layout, pin, columnWidth } = inst;
  const x = xOf(inst, pin.step);
  const centre = x + columnWidth / 2;
  drawPinHead(pen, theme, x, Math.max(1, columnWidth), centre);
  for (const [top, foot] of cursorStretches(layout)) {
    pen.path([[centre, Math.max(29, top)], [centre, foot]], { stroke: theme.accent, dash: [2, 4], line: 1.25, alpha: 0.9 });
  }
  const end = Math.min(layout.width, xOf(inst, inst.data.meta.steps));
  for (const band of heatBands(inst, trackOf(inst, pin))) {
    const y = yOf(inst, band, pin.unit);
    pen.path([[layout.gutter, y], [end, y]], { stroke: theme.paper, line: 3, alpha: 0.5 });
    pen.path([[layout.gutter, y], [end, y]], { stroke: theme.accent, line: 1.25 });
    drawPinDot(pen, theme, centre, y);
  }
  drawPinTag(pen, inst, end);
}

function drawPinTag(pen, inst, end) {
  const { theme, layout, pin } = inst;
  const [top] = heatBands(inst, trackOf(inst, pin));
  if (!top) return;
  const words = unitText(pin.unit);
  const style = { size: 10.5, weight: 600, family: theme.sans };
  const width = widthOf(words, style) + 10;
  const y = clamp(yOf(inst, top, pin.unit), top.y + 8, top.y + top.height - 8);
  const x = Math.min(layout.width - width - 2, end + 3);
  pen.rect(x, y - 8, width, 16, { fill: theme.accent, radius: 8 });
  pen.text(words, x + width / 2, y + 4, { ...style, fill: theme.paper, align: "center" });
}

function drawCursor(pen, inst) {
  const { theme, layout, cursor, columnWidth } = inst;
  const x = xOf(inst, cursor.step);
  const sides = columnWidth >= 6 ? [x + 0.5, x + columnWidth - 0.5] : [x + columnWidth / 2];
  drawCursorLines(pen, theme, sides, cursorStretches(layout));
  for (const band of heatBands(inst, trackOf(inst, cursor))) {
    const tall = Math.max(4, band.height / band.heat.track.units) + 2;
    const wide = Math.max(5, columnWidth) + 2;
    drawCellFrame(pen, theme, x + columnWidth / 2 - wide / 2, yOf(inst, band, cursor.unit) - tall / 2, wide, tall);
  }
  const { first, last } = visible(inst);
  if (cursor.step < first || cursor.step >= last) return;
  if (!layout.compact) drawCursorOperations(pen, inst);
  if (columnWidth < READABLE) drawLenses(pen, inst);
}

/** From top to foot; on a phone the rows' labels stand between the heatmaps, and the line leaves them out. */
function cursorStretches(layout) {
  if (!layout.compact) return [[0, layout.height]];
  const head = layout.bands.find((band) => band.kind === "curves" || band.kind === "operations" || band.kind === "title").y;
  const labelled = layout.bands.filter((band) => band.legend).map((band) => [band.y, band.y + band.legend]);
  const free = labelled.length ? [[0, labelled[0][0]], ...labelled.map(([, foot], k) => [foot, labelled[k + 1]?.[0] ?? head])] : [[0, head]];
  return [...free, ...layout.bands.filter((band) => band.kind === "heat").map((band) => [band.y, band.y + band.height])];
}

function drawCursorOperations(pen, inst) {
  const centre = xOf(inst, inst.cursor.step) + inst.columnWidth / 2;
  for (const band of inst.layout.bands) {
    if (band.kind !== "operations" || !band.heat.signal.lead.length) continue;
    drawPreviousLink(pen, inst, band, centre);
    drawOperations(pen, inst, band.heat.signal.lead, centre, band.y + band.height / 2, "center");
  }
}

/** From the state's cell of the step before to the operation that takes it up. */
function drawPreviousLink(pen, inst, band, centre) {
  const { cursor, columnWidth, theme } = inst;
  const { track, signal } = band.heat;
  const source = heatBands(inst, track).find((b) => b.heat.signal.name === signal.recalls);
  if (!source || source.y > band.y || columnWidth < READABLE || trackOf(inst, cursor) !== track) return;
  const x = centre - columnWidth;
  const y = yOf(inst, source, cursor.unit);
  const end = [centre - 9.5, band.y + band.height / 2];
  const bend = [[x, y], [x, band.y + band.height * 0.62], [x + 2, end[1]], end];
  pen.path(bend, { stroke: theme.paper, line: 4, alpha: 0.6, curve: true });
  pen.path(bend, { stroke: theme.operationEdge, line: 1.75, curve: true });
  pen.circle(x, y, 2.5, { fill: theme.operationEdge, stroke: theme.paper });
}

/** Where columns are too narrow for letters: the text around the cursor, readable. */
function drawLenses(pen, inst) {
  for (const band of inst.layout.bands) if (band.kind === "text") drawLens(pen, inst, band);
}

function drawLens(pen, inst, band) {
  const { data, theme, cursor, layout } = inst;
  const { typed } = data.readers[band.strip[0]];
  const half = layout.compact ? 9 : 16;
  const wide = 11;
  const total = (2 * half + 1) * wide;
  const centre = clamp(xOf(inst, cursor.step) + inst.columnWidth / 2, layout.gutter + total / 2, layout.width - total / 2);
  pen.rect(centre - total / 2, band.y + 1, total, 27, { fill: theme.paper, stroke: theme.quiet, radius: 6 });
  pen.rect(centre - wide / 2, band.y + 3, wide, 23, { fill: theme.accent, alpha: 0.22, radius: 3 });
  for (let k = -half; k <= half; k++) {
    const glyph = data.meta.glyphs[typed[cursor.step + k]];
    if (!glyph) continue;
    const shown = glyph[2] === "boxed" ? ["▯", "", "quiet"] : glyph;
    const fill = shown[2] === "quiet" && k ? theme.quiet : theme.ink;
    pen.text(shown[0], centre + k * wide, band.y + 20, { size: 14, fill, family: theme.mono, align: "center", weight: k ? 400 : 700 });
  }
}

/** Beside each row its value for the unit under the cursor: read downwards, the equation in numbers. */
function drawValues(pen, inst) {
  const { layout, cursor, theme } = inst;
  const style = { size: 13.5, weight: 600, fill: theme.ink, family: theme.sans, align: "right" };
  const right = layout.gutter - 12;
  for (const band of layout.bands) {
    if (band.kind === "operations") drawPreviousValue(pen, inst, band, style);
    if (band.kind === "lines") drawSurpriseValues(pen, inst, band, style);
    if (band.kind === "title") drawUnitOf(pen, inst, band, style);
    if (band.kind === "between") {
      const place = layout.compact ? [layout.width - 2, band.y + 12] : [right, band.y + 26];
      pen.text(written(inst.data.between[cursor.step]), ...place, { ...style, size: 12 });
    }
    if (band.kind !== (layout.compact ? "operations" : "heat")) continue;
    const value = written(shownValue(inst, band.heat, cursor.step));
    const place = layout.compact ? [layout.width - 100, band.y + band.height / 2 + 6] : [right, band.y + 18];
    pen.text(value, ...place, { ...style, alpha: ownAlpha(inst, band.heat.track) });
  }
}

const ownAlpha = (inst, track) => (track === trackOf(inst, inst.cursor) ? 1 : 0.45);

function drawSurpriseValues(pen, inst, band, style) {
  const { layout, cursor, data } = inst;
  if (layout.compact) return;
  data.readers.forEach((reader, k) => {
    const size = Math.min(12, legendPitch(inst));
    pen.text(written(reader.surprise[cursor.step]), layout.gutter - 12, band.y + 25 + k * legendPitch(inst), { ...style, size });
  });
}

/** Which unit's values stand beside a track's rows. */
function drawUnitOf(pen, inst, band, style) {
  const { layout } = inst;
  const alpha = ownAlpha(inst, band.track);
  pen.text(unitText(unitIn(inst, band.track)), layout.width - 4, band.y + 22, { ...style, size: 12, weight: 500, alpha, halo: inst.theme.paper });
}

function drawPreviousValue(pen, inst, band, style) {
  const { layout, cursor, theme, data } = inst;
  const { track, signal } = band.heat;
  const heat = signal.recalls && track.heats.find((h) => h.signal.name === signal.recalls);
  if (!heat || layout.compact || signal.lead.join("").length > 3) return;
  const y = band.y + band.height / 2 + 4.5;
  drawSymbol(pen, theme, heat.signal.symbol, "t−1", PAD, y, 16, theme.quiet);
  const value = written(valueAt(data, heat, cursor.step - 1, unitIn(inst, track)));
  pen.text(value, layout.gutter - 42, y, { ...style, weight: 500, alpha: ownAlpha(inst, track) });
}

function shownValue(inst, heat, step) {
  const value = valueAt(inst.data, heat, step, unitIn(inst, heat.track));
  return isSquashed(inst, heat) ? Math.tanh(value) : value;
}
