// The text and its heatmaps, their labels, and above them the cursor and the pin.

import {
  drawCellFrame, drawColourBar, drawCursorLines, drawExpectations, drawPinDot, drawPinHead, drawSurprises, pixelImage,
} from "../shared/charts.js";
import { colourTables } from "../shared/colours.js";
import { pooledRows } from "../shared/geometry.js";
import { drawGlyph, letterColour } from "../shared/letters.js";
import { clamp, short, written } from "../shared/numbers.js";
import { drawSymbol } from "../shared/pens.js";
import { surpriseRange } from "../shared/phrases.js";
import { tr } from "../shared/words.js";
import { orderOf, shareOf, stageOf, valueAt } from "./data.js";
import { columnsInView, endOf, HEADS, heats, LABEL, PAD, visible, xOf, yOf } from "./layout.js";

export function drawPicture(pen, inst) {
  const { layout } = inst;
  const draw = { text: drawText, surprise: drawSurprise, expects: drawExpects, heat: drawHeat };
  pen.within(layout.gutter, 0, layout.plot, layout.height, () => {
    for (const band of layout.bands) draw[band.kind]?.(pen, inst, band);
  });
  for (const band of layout.bands) (layout.compact ? drawCompactLabel : drawGutter)(pen, inst, band);
}

function drawText(pen, inst, band) {
  const { theme, data, layout } = inst;
  const { typed, read } = stageOf(inst);
  const { first, last } = visible(inst);
  const size = Math.min(16, layout.column / 0.64);
  for (let step = first; step < last; step++) {
    const glyph = data.meta.glyphs[typed[step]];
    const replaced = typed[step] !== read[step];
    drawGlyph(pen, theme, glyph, xOf(inst, step) + layout.column / 2, band.y + 20, size, letterColour(theme, glyph, replaced), layout.column, { weight: 500 });
    if (replaced) pen.rect(xOf(inst, step) + 2, band.y + 25, layout.column - 4, 2, { fill: theme.replaced, radius: 1 });
  }
}

function drawSurprise(pen, inst, band) {
  const { theme, data, layout } = inst;
  const place = { left: layout.gutter, right: endOf(inst), y: band.y, tall: band.height - 7 };
  drawSurprises(pen, theme, stageOf(inst).surprise, data.cap, { ...columnsInView(inst), ...place });
}

/** The three likeliest next characters; the one that came is in colour. */
function drawExpects(pen, inst, band) {
  const { theme, data } = inst;
  const stage = stageOf(inst);
  for (const rank of data.ranks) {
    const expected = { next: stage[`next${rank}`], chance: stage[`chance${rank}`], came: (step) => stage.read[step + 1] };
    drawExpectations(pen, theme, data.meta.glyphs, expected, { ...columnsInView(inst), y: band.y + 13 + 16 * rank, tallest: 15 });
  }
}

function drawHeat(pen, inst, band) {
  const { layout, theme } = inst;
  const { first, last } = visible(inst);
  pen.image(heatImage(inst, band, first, last), xOf(inst, first), band.y, (last - first) * layout.column, band.height);
  pen.rect(layout.gutter + 0.5, band.y - 0.5, endOf(inst) - layout.gutter - 1, band.height + 1, { stroke: theme.faint });
}

/** A pixel a character and a unit; where units have less than a pixel of the screen, the mean of those that share it. */
function heatImage(inst, { signal, height }, first, last) {
  const { units } = inst.data.meta;
  const rows = Math.min(units, Math.max(1, Math.round(height * inst.ratio)));
  const table = colourTables(inst, 255)[signal.scale];
  const shares = (raw) => shareOf(inst.data, signal, raw);
  const source = { numbers: stageOf(inst).values[signal.name], order: orderOf(inst).units, from: first, to: last };
  return pixelImage(inst.scratch, last - first, rows, (pixels) => poolUnits(source, shares, table, rows, pixels));
}

/** The mean share of the units in each row, of columns from..to, as pixels. numbers: a row of units for each column. */
function poolUnits({ numbers, order, from, to }, shareOfNumber, table, rows, pixels) {
  const units = order.length;
  const rowOf = pooledRows(units, rows);
  const [sums, sizes] = [new Float64Array(rows), new Uint32Array(rows)];
  for (const row of rowOf) sizes[row]++;
  for (let column = from; column < to; column++) {
    sums.fill(0);
    for (let place = 0; place < units; place++) sums[rowOf[place]] += shareOfNumber(numbers[column * units + order[place]]);
    for (let row = 0; row < rows; row++) pixels[row * (to - from) + column - from] = table[Math.round((255 * sums[row]) / sizes[row])];
  }
}

function drawGutter(pen, inst, band) {
  const { theme, data } = inst;
  const quiet = { size: 12, fill: theme.quiet, family: theme.sans };
  const words = { text: tr("reads"), surprise: surpriseRange(data.cap), expects: tr("expects next") }[band.kind];
  if (words) pen.text(words, PAD, band.y + (band.kind === "text" ? 20 : 14), quiet);
  if (band.kind !== "heat") return;
  const after = drawSymbol(pen, theme, band.signal.symbol, "t", PAD, band.y + 16, 18);
  pen.text(band.signal.title, after + 7, band.y + 16, quiet);
  drawSignalBar(pen, inst, band.signal, PAD, band.y + 24, 56);
}

function drawSignalBar(pen, inst, { scale, low, high }, x, y, width) {
  drawColourBar(pen, inst.theme, colourTables(inst, 255)[scale], [short(low, 3), short(high, 3)], x, y, { width, canvas: inst.scratch });
}

function drawCompactLabel(pen, inst, band) {
  if (band.kind !== "label") return;
  const { theme, layout } = inst;
  const middle = band.y + band.height / 2 + 2;
  const after = drawSymbol(pen, theme, band.signal.symbol, "t", 2, middle + 5, 17);
  pen.text(band.signal.title, after + 7, middle + 4, { size: 12, fill: theme.quiet, family: theme.sans });
  drawSignalBar(pen, inst, band.signal, layout.width - 112, middle - 3, 40);
}

export function drawOverlay(pen, inst) {
  const { layout } = inst;
  pen.within(layout.gutter, 0, layout.plot, layout.height, () => {
    if (inst.pin) drawPin(pen, inst);
    drawCursor(pen, inst);
  });
  for (const band of heats(inst)) drawUnitHistory(pen, inst, band);
}

function drawPin(pen, inst) {
  const { theme, layout, pin } = inst;
  const centre = xOf(inst, pin.step) + layout.column / 2;
  drawPinHead(pen, theme, xOf(inst, pin.step), layout.column, centre);
  for (const band of heats(inst)) drawPinDot(pen, theme, centre, yOf(inst, band, pin.unit));
}

function drawCursor(pen, inst) {
  const { theme, layout, at } = inst;
  const x = xOf(inst, at.step);
  const stretches = layout.compact ? [[0, HEADS.text + HEADS.surprise + HEADS.expects], ...heats(inst).map(({ y, height }) => [y, y + height])] : [[0, layout.height]];
  drawCursorLines(pen, theme, [x + 0.5, x + layout.column - 0.5], stretches);
  for (const band of heats(inst)) {
    const tall = Math.max(4, band.height / inst.data.meta.units) + 2;
    drawCellFrame(pen, theme, x - 1, yOf(inst, band, at.unit) - tall / 2, layout.column + 2, tall);
  }
}

/** The value under the cursor, and beside the row a small line: the same character and unit through all checkpoints. */
function drawUnitHistory(pen, inst, band) {
  const { theme, layout, data, at } = inst;
  const { signal } = band;
  const style = { size: 13.5, weight: 600, fill: theme.ink, family: theme.sans, align: "right" };
  const value = written(valueAt(data, stageOf(inst), signal, at.step, at.unit));
  if (layout.compact) return pen.text(value, layout.width - 122, band.y - LABEL.compact / 2 + 6, style);
  pen.text(value, layout.gutter - 12, band.y + 16, style);
  const { stages } = data;
  const [left, wide, top] = [layout.gutter - 74, 62, band.y + 24];
  const tall = Math.min(18, band.height - 26);
  if (stages.length < 2 || tall < 8) return;
  const point = (stage) => {
    const share = clamp((valueAt(data, stage, signal, at.step, at.unit) - signal.low) / (signal.high - signal.low), 0, 1);
    return [left + (stage.place / (stages.length - 1)) * wide, top + tall - share * tall];
  };
  pen.path([[left, top + tall / 2], [left + wide, top + tall / 2]], { stroke: theme.faint });
  pen.path(stages.map(point), { stroke: theme.quiet, line: 1.25 });
  pen.circle(...point(stageOf(inst)), 3, { fill: theme.accent, stroke: theme.paper });
}
