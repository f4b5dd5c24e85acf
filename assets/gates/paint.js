// The picture below the cursor: texts, surprise, expectations, heatmaps.

import { drawExpectations, drawHatching, drawMarker, drawSurprises } from "../shared/charts.js";
import { runsOf } from "../shared/geometry.js";
import { drawGlyph, letterColour } from "../shared/letters.js";
import { tr } from "../shared/words.js";
import { comesAfter, GAP, isChanged, isGap, isReplaced } from "./data.js";
import { heatImage } from "./heatmap.js";
import { drawCompactLabel, drawGutter, drawTrackTitle, lineOf, MARKER_EDGE } from "./labels.js";
import { columnsInView, LINES, READABLE, visible, xOf } from "./layout.js";

export function drawPicture(pen, inst) {
  const { layout } = inst;
  const draw = {
    text: drawText, surprise: drawSurprise, lines: drawLines, between: drawBetween, expects: drawExpects, expected: drawExpected, heat: drawHeat,
  };
  pen.within(layout.gutter, 0, layout.plot, layout.height, () => {
    for (const band of layout.bands) draw[band.kind]?.(pen, inst, band);
  });
  for (const band of layout.bands) {
    if (band.kind === "title") drawTrackTitle(pen, inst, band);
    else if (layout.compact) drawCompactLabel(pen, inst, band);
    else drawGutter(pen, inst, band);
  }
}

function drawText(pen, inst, band) {
  const { data, theme, columnWidth } = inst;
  if (columnWidth < 5) return drawDensity(pen, inst, band);
  const readers = band.strip.map((place) => data.readers[place]);
  const size = Math.min(16, columnWidth / 0.64);
  const { first, last } = visible(inst);
  for (let step = first; step < last; step++) {
    const left = xOf(inst, step);
    if (isChanged(data, step)) pen.rect(left, band.y + 3, columnWidth, band.height - 6, { fill: theme.replaced, alpha: 0.16 });
    if (readers[0].typed[step] === GAP) {
      drawHatching(pen, theme, left, band.y + 6, columnWidth, band.height - 12);
      continue;
    }
    const glyph = data.meta.glyphs[readers[0].typed[step]];
    const replaced = readers.some((reader) => isReplaced(reader, step));
    drawGlyph(pen, theme, glyph, left + columnWidth / 2, band.y + 20, size, letterColour(theme, glyph, replaced), columnWidth, { weight: 500 });
    if (readers[0].typed[step] === data.meta.rest) pen.rect(left - columnWidth / 2, band.y + 27, columnWidth, 1.5, { fill: theme.quiet });
    if (replaced) pen.rect(left + columnWidth * 0.15, band.y + 25, columnWidth * 0.7, 2, { fill: theme.replaced, radius: 1 });
  }
}

/** Text too small to read: a mark for each letter, a gap for each space. */
function drawDensity(pen, inst, band) {
  const { data, theme, columnWidth } = inst;
  const readers = band.strip.map((place) => data.readers[place]);
  const { first, last } = visible(inst);
  for (let step = first; step < last; step++) {
    const typed = readers[0].typed[step];
    if (typed === GAP || data.meta.glyphs[typed][2] === "quiet") continue;
    const odd = isChanged(data, step) || readers.some((reader) => isReplaced(reader, step));
    pen.rect(xOf(inst, step), band.y + 14, columnWidth, 5, { fill: odd ? theme.replaced : theme.quiet, alpha: 0.7 });
  }
}

function drawSurprise(pen, inst, band) {
  const { data, theme, layout } = inst;
  const view = columnsInView(inst);
  const place = { left: layout.gutter, right: view.xOf(view.last), y: band.y, tall: band.height - 6 };
  drawSurprises(pen, theme, data.readers[0].surprise, data.cap, { ...view, ...place });
}

/** One line a reader: how surprised each was. Told apart by dash and marker as well as by colour. */
function drawLines(pen, inst, band) {
  const { data, theme, columnWidth, layout } = inst;
  const { first, last } = visible(inst);
  const foot = band.y + band.height - 4;
  const tall = LINES.tall - 14;
  const end = Math.min(layout.width, xOf(inst, data.meta.steps));
  for (const share of [0, 0.5, 1]) pen.path([[layout.gutter, foot - share * tall], [end, foot - share * tall]], { stroke: theme.faint });
  const yAt = (nats) => foot - Math.min(1, nats / data.cap) * tall;
  for (const reader of data.readers) {
    const style = lineOf(inst, reader);
    for (const points of runsOf(reader.surprise, first, last, (step) => xOf(inst, step) + columnWidth / 2, yAt)) {
      if (points.length > 1) pen.path(points, style);
      if (columnWidth >= READABLE) for (const [x, y] of points) drawMarker(pen, theme, reader.place, x, y, 3, style.stroke, MARKER_EDGE);
    }
  }
}

/** How far apart the readers' expectations are after each character; the widest are marked, with their rank. */
function drawBetween(pen, inst, band) {
  const { data, theme, columnWidth, layout } = inst;
  const { first, last } = visible(inst);
  const foot = band.y + band.height - 2;
  const tall = 24;
  const inset = Math.min(4, columnWidth * 0.2);
  pen.path([[layout.gutter, foot + 0.5], [xOf(inst, last), foot + 0.5]], { stroke: theme.faint });
  for (let step = first; step < last; step++) {
    const share = data.between[step] / data.meta.widest;
    if (share > 0) pen.rect(xOf(inst, step) + inset, foot - share * tall, columnWidth - 2 * inset, share * tall, { fill: theme.ink, alpha: 0.62 });
  }
  data.peaks.forEach((step, rank) => {
    if (step < first - 1 || step > last) return;
    const x = xOf(inst, step) + columnWidth / 2;
    const y = foot - (data.between[step] / data.meta.widest) * tall - 2;
    pen.path([[x - 4, y - 6], [x + 4, y - 6], [x, y]], { fill: theme.accent });
    pen.text(`${rank + 1}`, x + 6, y, { size: 9.5, weight: 600, fill: theme.accent, family: theme.sans, halo: theme.paper });
  });
}

function drawExpects(pen, inst, band) {
  const [reader] = inst.data.readers;
  for (const rank of reader.ranks) drawReaderExpectations(pen, inst, reader, rank, band.y + 13 + 16 * rank, 15);
}

/** Of several readers, what each thinks the likeliest. */
function drawExpected(pen, inst, band) {
  drawReaderExpectations(pen, inst, band.reader, 0, band.y + 14, 14);
}

function drawReaderExpectations(pen, inst, reader, rank, y, tallest) {
  const expected = { next: reader[`next${rank}`], chance: reader[`chance${rank}`], came: (step) => comesAfter(reader, step) };
  drawExpectations(pen, inst.theme, inst.data.meta.glyphs, expected, { ...columnsInView(inst), y, tallest });
}

function drawHeat(pen, inst, band) {
  const { layout, theme, data, columnWidth } = inst;
  const { start, columns } = data.meta;
  const { first, last } = visible(inst);
  const [from, to] = [Math.max(first, start), Math.min(last, start + columns)];
  const end = Math.min(layout.width, xOf(inst, data.meta.steps));
  pen.rect(layout.gutter, band.y, end - layout.gutter, band.height, { fill: theme.empty });
  if (to > from) pen.image(heatImage(inst, band, from, to), xOf(inst, from), band.y, (to - from) * columnWidth, band.height);
  drawUnsent(pen, inst, band, first, last);
  if (band.heat.track.difference) {
    for (let step = from; step < to; step++) {
      if (isGap(data, band.heat.track, step)) drawHatching(pen, theme, xOf(inst, step), band.y, columnWidth, band.height);
    }
  }
  pen.rect(layout.gutter + 0.5, band.y - 0.5, end - layout.gutter - 1, band.height + 1, { stroke: theme.faint });
}

/** Columns that are on their way: hatched, and said. */
function drawUnsent(pen, inst, band, first, last) {
  const { start, columns } = inst.data.meta;
  const { theme, layout } = inst;
  for (const [a, b] of [[first, Math.min(last, start)], [Math.max(first, start + columns), last]]) {
    if (a >= b) continue;
    const left = Math.max(layout.gutter, xOf(inst, a));
    const width = Math.min(layout.width, xOf(inst, b)) - left;
    drawHatching(pen, theme, left, band.y, width, band.height);
    const style = { size: 12, fill: theme.quiet, family: theme.sans, align: "center", halo: theme.paper };
    if (width > 80) pen.text(tr("loading …"), left + width / 2, band.y + band.height / 2 + 4, style);
  }
}
