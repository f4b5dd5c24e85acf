// The linked picture of the pages Gates and Compare: text, predictions and every heatmap under one cursor.
//
// Python (pages/common/gates/view.py) sends numbers. A reader is one reading of a text: what was typed, what was expected.
// A track is one layer of a reader's model with its heatmaps, or the difference of two. Everything here runs without the
// server, but for three messages: "pin" when a (step, unit, layer, model) is pinned, "start" when the view leaves the
// window of columns that was sent, and, when hands are at rest, "look": zoom, order of the units, rows, pooling, tanh.

import { colourTable, mix, readTheme } from "../shared/colours.js";
import { choice, element, iconButton, option, reducedMotion, saveAs } from "../shared/elements.js";
import { destroy, instances } from "../shared/instances.js";
import { clamp, fixed, percent, short, written } from "../shared/numbers.js";
import { drawSymbol, penOn, SvgPen, widthOf, wrapped } from "../shared/pens.js";
import { showPlaying, stop, togglePlay } from "../shared/player.js";

const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8, 10, 13, 17, 22, 28, 36];
const READABLE = 9; // columns narrower than this show no letters
const ROW_HEIGHTS = { small: 40, medium: 66, large: 124 };
const LEAST_ROW = 20;
const TALLEST = 8192; // device pixels of one canvas: more fails on phones
const SPEEDS = [2, 5, 10, 20, 50];
const COMPACT = 620;
const GUTTER = 188;
const PAD = 6;
const PATIENCE = 900; // milliseconds without a change before the look goes into the address
const COLUMN = { least: 17, most: 26 }; // a short text gets wider columns at first sight
const MARGIN = 100; // columns beyond the view that should be there before a person scrolls to them
const GAP = 65535; // a column in which a reader reads nothing: the other text has more characters here
const DASHES = [[], [7, 3], [2, 2.5], [9, 3, 2, 3], [14, 4], [5, 2, 1.5, 2, 1.5, 2]]; // each reader's line
const LINES = { label: 16, tall: 84 };

// ---------------------------------------------------------------- the data

function unpack(data) {
  const { meta, view } = data;
  const readers = meta.readers.map((reader, place) => {
    const columns = columnsOf(data[`reader${place}`]);
    return { ...reader, ...columns, place, ranks: [0, 1, 2].filter((rank) => `next${rank}` in columns) };
  });
  const tracks = meta.tracks.map((track, place) => unpackTrack(track, place, data));
  const between = "between" in data ? columnsOf(data.between).disagreement : null;
  const peaks = meta.peaks ?? [];
  const cap = Math.max(...readers.map((reader) => surpriseCap(reader.surprise)));
  return { meta, view, readers, tracks, heats: tracks.flatMap((track) => track.heats), between, peaks, cap };
}

const columnsOf = (table) => Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name).toArray()]));

function unpackTrack(described, place, data) {
  const track = { ...described, place, orders: columnsOf(data[`orders${place}`]) };
  const [values, before] = [columnsOf(data[`values${place}`]), columnsOf(data[`before${place}`])];
  track.heats = described.signals.map((signal) => {
    const [low, high, most] = signal.limits;
    const { name } = signal;
    return { name, track, signal, low, high, most, before: before[name] ?? null, numbers: values[name], squashed: null, scaled: null };
  });
  return track;
}

function surpriseCap(surprise) {
  let most = 4;
  for (const nats of surprise) if (nats > most) most = nats;
  return Math.min(10, Math.ceil(most));
}

/** The number behind a cell of a heatmap, or NaN where its window was not sent. */
function valueAt(data, heat, step, unit) {
  const { start, columns, levels } = data.meta;
  const { units } = heat.track;
  if (unit >= units || isGap(data, heat.track, step)) return NaN;
  const within = step >= start && step < start + columns;
  const raw = within ? heat.numbers[(step - start) * units + unit] : step === start - 1 && heat.before ? heat.before[unit] : NaN;
  return heat.signal.bounded ? heat.low + (raw / levels) * (heat.high - heat.low) : raw;
}

/** Whether one of the texts that a track compares has no character here. */
const isGap = (data, track, step) => track.readers.some((place) => data.readers[place].typed[step] === GAP);

/** What is painted: 0 to meta.levels, whatever the signal's own numbers are. */
function levelsOf(inst, heat) {
  if (heat.signal.bounded) return heat.numbers;
  if (isSquashed(inst, heat)) return (heat.squashed ??= toLevels(heat.numbers, inst.data.meta.levels, Math.tanh, 1));
  return (heat.scaled ??= toLevels(heat.numbers, inst.data.meta.levels, (value) => value, heat.high));
}

const isSquashed = (inst, heat) => inst.squash && !heat.signal.bounded && !heat.track.difference;

function toLevels(numbers, levels, squash, limit) {
  const out = new Uint16Array(numbers.length);
  const half = levels / 2;
  for (let k = 0; k < out.length; k++) {
    const share = squash(numbers[k]) / limit;
    out[k] = half + half * (share > 1 ? 1 : share < -1 ? -1 : share) + 0.5;
  }
  return out;
}

const identity = (units) => Uint16Array.from({ length: units }, (_, k) => k);

/** Which unit stands in each row, and in which row each unit stands, of a track. */
function orderOf(inst, track) {
  const key = `${inst.order}/${track.place}`;
  if (!inst.rows.has(key)) {
    const units = track.orders[inst.order] ?? identity(track.units);
    const rows = new Uint16Array(units.length);
    units.forEach((unit, row) => (rows[unit] = row));
    inst.rows.set(key, { units, rows });
  }
  return inst.rows.get(key);
}

const trackOf = (inst, { track }) => inst.data.tracks[track];

/** The unit that the cursor is on in any track: layers of one model share it, every other model keeps its own. */
function unitIn(inst, track) {
  const { cursor } = inst;
  const [reader] = track.readers;
  return reader === trackOf(inst, cursor).readers[0] ? cursor.unit : (inst.visited.get(reader) ?? 0);
}

// ---------------------------------------------------------------- colours

function colourTables(inst) {
  const { colours, levels } = inst.data.meta;
  const theme = inst.theme.dark ? "dark" : "light";
  if (inst.tables?.theme !== theme) {
    inst.tables = { theme };
    for (const scale in colours) inst.tables[scale] = colourTable(colours[scale][theme], levels);
  }
  return inst.tables;
}

// ---------------------------------------------------------------- where everything stands

function layoutOf(inst) {
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
  return Math.max(LEAST_ROW, Math.min(wanted, room));
}


const xOf = (inst, step) => inst.layout.gutter + step * inst.columnWidth - inst.scroll;
const yOf = (inst, band, unit) => band.y + ((orderOf(inst, band.heat.track).rows[unit] + 0.5) / band.heat.track.units) * band.height;
const heatBands = (inst, track) => inst.layout.bands.filter((b) => b.kind === "heat" && (!track || b.heat.track === track));

function visible(inst) {
  const { steps } = inst.data.meta;
  const first = clamp(Math.floor(inst.scroll / inst.columnWidth), 0, steps - 1);
  return { first, last: clamp(Math.ceil((inst.scroll + inst.layout.plot) / inst.columnWidth), first + 1, steps) };
}

// ---------------------------------------------------------------- the picture

function drawPicture(pen, inst) {
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

function drawGlyph(pen, inst, glyph, x, y, size, fill, more = {}) {
  const [shown, , kind] = glyph;
  const style = { size, fill, family: inst.theme.mono, align: "center", ...more };
  if (kind !== "boxed") return pen.text(shown, x, y, style);
  const small = Math.min(size * 0.5, (inst.columnWidth - 4) / (0.62 * shown.length));
  const width = Math.min(inst.columnWidth - 2, 0.62 * small * shown.length + 3);
  pen.rect(x - width / 2, y - size * 0.72, width, size * 0.86, { stroke: fill, radius: 2, alpha: more.alpha });
  pen.text(shown, x, y - size * 0.29 + small * 0.36, { ...style, size: small });
}

const isReplaced = (reader, step) => reader.typed[step] !== GAP && reader.typed[step] !== reader.read[step];

/** Whether the two texts that are set side by side differ here. */
const isChanged = (data, step) => data.meta.strips.length > 1 && data.readers.some((reader) => reader.typed[step] !== data.readers[0].typed[step]);

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
    const fill = replaced ? theme.replaced : glyph[2] === "quiet" ? mix(theme.ink, theme.paper, 0.42) : theme.ink;
    drawGlyph(pen, inst, glyph, left + columnWidth / 2, band.y + 20, size, fill, { weight: 500 });
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

/** Slanted lines: there is nothing to show here. */
function drawHatching(pen, theme, x, y, width, height) {
  pen.within(x, y, width, height, () => {
    for (let k = -height; k < width; k += 7) pen.path([[x + k, y + height], [x + k + height, y]], { stroke: theme.faint });
  });
}

function drawSurprise(pen, inst, band) {
  const { data, theme, columnWidth } = inst;
  const { first, last } = visible(inst);
  const { surprise } = data.readers[0];
  const tall = band.height - 6;
  const inset = Math.min(4, columnWidth * 0.2);
  pen.path([[inst.layout.gutter, band.y + 0.5], [xOf(inst, last), band.y + 0.5]], { stroke: theme.faint });
  for (let step = first; step < last; step++) {
    const share = Math.min(1, surprise[step] / data.cap);
    if (share > 0) pen.rect(xOf(inst, step) + inset, band.y + 1, columnWidth - 2 * inset, Math.max(1, share * tall), { fill: theme.quiet, alpha: 0.75 });
  }
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
    const style = lineStyle(inst, reader);
    for (const points of stretches(reader.surprise, first, last, (step) => xOf(inst, step) + columnWidth / 2, yAt)) {
      if (points.length > 1) pen.path(points, style);
      if (columnWidth >= READABLE) for (const [x, y] of points) drawMarker(pen, reader.place, x, y, 3, style.stroke, theme);
    }
  }
}

/** The runs of numbers in a column that has holes, as points. */
function stretches(values, first, last, xAt, yAt) {
  const found = [];
  let open = null;
  for (let step = Math.max(0, first - 1); step < Math.min(values.length, last + 1); step++) {
    if (Number.isNaN(values[step])) open = null;
    else if (open) open.push([xAt(step), yAt(values[step])]);
    else found.push((open = [[xAt(step), yAt(values[step])]]));
  }
  return found;
}

const colourOf = (inst, reader) => inst.data.meta.lines[inst.theme.dark ? "dark" : "light"][reader.place];
const lineStyle = (inst, reader) => ({ stroke: colourOf(inst, reader), line: 1.75, dash: DASHES[reader.place % DASHES.length] });

function drawMarker(pen, place, x, y, r, fill, theme) {
  const around = { fill, stroke: theme.paper, line: 0.75 };
  const polygon = (...corners) => pen.path([...corners, corners[0]].map(([a, b]) => [x + a * r, y + b * r]), around);
  if (place === 0) pen.circle(x, y, r, around);
  else if (place === 1) polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]);
  else if (place === 2) polygon([0, -1.3], [1.2, 0.9], [-1.2, 0.9]);
  else if (place === 3) polygon([0, -1.4], [1.2, 0], [0, 1.4], [-1.2, 0]);
  else if (place === 4) polygon([-1.2, -0.9], [1.2, -0.9], [0, 1.3]);
  else pen.circle(x, y, r * 0.8, { fill: theme.paper, stroke: fill, line: 1.5 });
}

/** A reader's line and marker, a finger wide, for a legend. */
function drawSample(pen, inst, reader, x, y) {
  pen.path([[x, y], [x + 26, y]], lineStyle(inst, reader));
  drawMarker(pen, reader.place, x + 13, y, 3.5, colourOf(inst, reader), inst.theme);
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
  for (const rank of reader.ranks) drawExpectations(pen, inst, reader, rank, band.y + 13 + 16 * rank, 15);
}

/** Of several readers, what each thinks the likeliest. */
function drawExpected(pen, inst, band) {
  drawExpectations(pen, inst, band.reader, 0, band.y + 14, 14);
}

function drawExpectations(pen, inst, reader, rank, y, tallest) {
  const { data, theme, columnWidth } = inst;
  const { first, last } = visible(inst);
  const largest = Math.min(tallest, columnWidth / 0.64);
  const [next, chance] = [reader[`next${rank}`], reader[`chance${rank}`]];
  for (let step = first; step < last; step++) {
    if (next[step] === GAP) continue;
    const weight = Math.sqrt(chance[step] / 65535);
    const hit = next[step] === comesAfter(reader, step);
    const style = { alpha: 0.2 + 0.8 * weight, weight: hit ? 700 : 400 };
    const size = largest * (0.68 + 0.32 * weight);
    const x = xOf(inst, step) + columnWidth / 2;
    drawGlyph(pen, inst, data.meta.glyphs[next[step]], x, y, size, hit ? theme.accent : theme.ink, style);
  }
}

/** What a reader read next, past the columns in which it read nothing; -1 at its end. */
function comesAfter(reader, step) {
  const { read } = reader;
  let after = step + 1;
  while (read[after] === GAP) after++;
  return after < read.length ? read[after] : -1;
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
    if (width > 80) pen.text("loading …", left + width / 2, band.y + band.height / 2 + 4, style);
  }
}

/** Steps from..to of one heatmap on a small canvas: at most one pixel a screen pixel, units and steps pooled into it. */
function heatImage(inst, band, from, to) {
  const rows = Math.min(band.heat.track.units, Math.round(band.height * inst.ratio));
  const columns = Math.min(to - from, Math.ceil((to - from) * inst.columnWidth * inst.ratio));
  const canvas = inst.scratch;
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const pool = inst.pooling === "farthest" ? poolFarthest : poolMean;
  pool(inst, band.heat, from, to, columns, rows, pixels);
  context.putImageData(image, 0, 0);
  return canvas;
}

function poolMean(inst, heat, from, to, columns, rows, pixels) {
  const { start } = inst.data.meta;
  const { units } = heat.track;
  const table = colourTables(inst)[heat.signal.scale];
  const levels = levelsOf(inst, heat);
  const order = orderOf(inst, heat.track).units;
  const sums = new Float64Array(rows);
  const rowOf = rowsOf(units, rows);
  const sizes = new Uint32Array(rows);
  for (let place = 0; place < units; place++) sizes[rowOf[place]]++;
  for (let column = 0; column < columns; column++) {
    const [a, b] = stretch(column, columns, from, to);
    sums.fill(0);
    for (let step = a; step < b; step++) {
      const base = (step - start) * units;
      for (let place = 0; place < units; place++) sums[rowOf[place]] += levels[base + order[place]];
    }
    for (let row = 0; row < rows; row++) pixels[row * columns + column] = table[(sums[row] / (sizes[row] * (b - a)) + 0.5) | 0];
  }
}

/** Of the values that share a pixel, the one farthest from rest: 0, or for a gate half open. */
function poolFarthest(inst, heat, from, to, columns, rows, pixels) {
  const { start, levels: top } = inst.data.meta;
  const { units } = heat.track;
  const table = colourTables(inst)[heat.signal.scale];
  const levels = levelsOf(inst, heat);
  const order = orderOf(inst, heat.track).units;
  const rowOf = rowsOf(units, rows);
  const rest = top / 2;
  const best = new Uint16Array(rows);
  for (let column = 0; column < columns; column++) {
    const [a, b] = stretch(column, columns, from, to);
    best.fill(rest);
    for (let step = a; step < b; step++) {
      const base = (step - start) * units;
      for (let place = 0; place < units; place++) {
        const level = levels[base + order[place]];
        if (Math.abs(level - rest) > Math.abs(best[rowOf[place]] - rest)) best[rowOf[place]] = level;
      }
    }
    for (let row = 0; row < rows; row++) pixels[row * columns + column] = table[best[row]];
  }
}

const rowsOf = (units, rows) => Uint16Array.from({ length: units }, (_, place) => Math.floor((place * rows) / units));

function stretch(column, columns, from, to) {
  const a = from + Math.floor((column * (to - from)) / columns);
  return [a, Math.max(a + 1, from + Math.floor(((column + 1) * (to - from)) / columns))];
}

// ---------------------------------------------------------------- labels

function limitsText(inst, heat) {
  if (heat.signal.bounded) return [short(heat.low, 3), short(heat.high, 3)];
  if (isSquashed(inst, heat)) return ["−1", "1"];
  return [short(heat.low, 3), short(heat.high, 3)];
}

function drawColourBar(pen, inst, heat, x, y, width) {
  const { theme } = inst;
  const table = colourTables(inst)[heat.signal.scale];
  const canvas = inst.scratch;
  canvas.width = 64;
  canvas.height = 1;
  const context = canvas.getContext("2d");
  const image = context.createImageData(64, 1);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < 64; k++) pixels[k] = table[Math.round((k / 63) * inst.data.meta.levels)];
  context.putImageData(image, 0, 0);
  const [low, high] = limitsText(inst, heat);
  const style = { size: 10.5, fill: theme.quiet, family: theme.sans };
  const left = x + widthOf(low, style) + 4;
  pen.text(low, x, y + 7.5, style);
  pen.image(canvas, left, y, width, 7);
  pen.rect(left, y, width, 7, { stroke: theme.faint });
  pen.text(high, left + width + 4, y + 7.5, style);
  return left + width + 4 + widthOf(high, style);
}

/** Beyond which the colours stop telling values apart, where some values lie there. */
function beyond(inst, heat) {
  if (heat.signal.bounded || isSquashed(inst, heat) || heat.most <= heat.high) return "";
  return `largest ${short(heat.most, 3)}`;
}

const symbolOf = (inst, heat) => (isSquashed(inst, heat) ? `tanh ${heat.signal.symbol}` : heat.signal.symbol);

function drawGutter(pen, inst, band) {
  const { theme, layout } = inst;
  const quiet = { size: 12, fill: theme.quiet, family: theme.sans };
  const words = { text: band.strip && stripTitle(inst, band), surprise: `surprise, 0–${inst.data.cap} nats`, expects: "expects next" }[band.kind];
  if (band.kind === "lines") drawLegend(pen, inst, band.y + 16, layout.gutter - 60);
  if (band.kind === "between") pen.text(`disagreement, 0–${short(inst.data.meta.widest, 3)}`, PAD, band.y + 26, quiet);
  if (band.kind === "expected") {
    drawSample(pen, inst, band.reader, PAD, band.y + 10);
    pen.text("expects next", PAD + 32, band.y + 14, quiet);
  }
  if (words) pen.text(words, PAD, band.y + (band.kind === "text" ? 20 : 14), quiet);
  if (band.kind === "operations") drawOperations(pen, inst, band.heat.signal.lead, layout.gutter - 22, band.y + band.height / 2, "right");
  if (band.kind !== "heat") return;
  const { heat } = band;
  const after = drawSymbol(pen, theme, symbolOf(inst, heat), "t", PAD, band.y + 18, 19);
  pen.text(heat.signal.title, after + 8, band.y + 18, quiet);
  const end = drawColourBar(pen, inst, heat, PAD, band.y + 28, 56);
  if (beyond(inst, heat)) pen.text(beyond(inst, heat), band.height < 60 ? end + 8 : PAD, band.y + (band.height < 60 ? 35.5 : 50), { ...quiet, size: 10.5 });
}

const stripTitle = (inst, { strip }) => (inst.data.meta.strips.length > 1 ? inst.data.readers[strip[0]].name : "reads");

/** Whose line is which, and the scale of all. */
function drawLegend(pen, inst, y, width) {
  const { data, theme } = inst;
  data.readers.forEach((reader, k) => drawReaderName(pen, inst, reader, PAD, y + k * legendPitch(inst), width));
  const words = `surprise, 0–${data.cap} nats`;
  if (!inst.layout.compact) pen.text(words, PAD, y - 6, { size: 10.5, fill: theme.quiet, family: theme.sans });
}

const legendPitch = (inst) => (inst.layout.compact ? LINES.label : Math.min(LINES.label, (LINES.tall - 22) / inst.data.readers.length));

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

function drawCompactLabel(pen, inst, band) {
  const { theme, layout, data } = inst;
  const quiet = { size: 11, fill: theme.quiet, family: theme.sans };
  if (band.kind === "lines") {
    drawLegend(pen, inst, band.y + 8, layout.width - 110);
    pen.text(`surprise, 0–${data.cap} nats`, layout.width - 2, band.y + 12, { ...quiet, align: "right" });
  }
  if (band.kind === "expected") drawMarker(pen, band.reader.place, 6, band.y + 9, 4, colourOf(inst, band.reader), theme);
  if (band.kind === "between") pen.text(`disagreement, 0–${short(data.meta.widest, 3)} nats`, 2, band.y + 12, quiet);
  if (band.kind !== "operations") return;
  const { heat } = band;
  const middle = band.y + band.height / 2 + 2;
  const start = heat.signal.lead.length ? drawOperations(pen, inst, heat.signal.lead, 0, middle, "left") + 8 : 2;
  const after = drawSymbol(pen, theme, symbolOf(inst, heat), "t", start, middle + 5, 18);
  pen.text(heat.signal.title, after + 7, middle + 4, { size: 12, fill: theme.quiet, family: theme.sans });
  const [low, high] = limitsText(inst, heat);
  const style = { size: 10.5, family: theme.sans };
  drawColourBar(pen, inst, heat, layout.width - 52 - widthOf(low, style) - widthOf(high, style), middle - 3, 40);
}

function drawTrackTitle(pen, inst, band) {
  const { theme, layout, data } = inst;
  pen.path([[0, band.y + 7.5], [layout.width, band.y + 7.5]], { stroke: theme.faint });
  const style = { size: 13, weight: 650, fill: theme.ink, family: theme.sans };
  pen.text(shortened(titleOf(data, band.track), style, layout.width - 90), PAD, band.y + 22, style);
}

/** Which rows these are: of one model its layer, of several also which model. */
function titleOf(data, track) {
  const layer = `layer ${track.layer + 1}`;
  if (data.readers.length === 1) return layer;
  const { name, layers, cell } = data.readers[track.readers[0]];
  if (track.difference) return `${track.difference}${layers > 1 ? `, ${layer} of ${layers}` : ""}`;
  return `${name} · ${cell}${layers > 1 ? `, ${layer} of ${layers}` : ""}, ${track.units} units`;
}

/** The pointwise operations as pink circles and pills in a row; returns where the row ends. */
function drawOperations(pen, inst, operations, x, y, align) {
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

// ---------------------------------------------------------------- the cursor and the pin, above the picture

function drawOverlay(pen, inst) {
  const { layout } = inst;
  pen.within(layout.gutter, 0, layout.plot, layout.height, () => {
    if (inst.pin) drawPin(pen, inst);
    drawCursor(pen, inst);
  });
  drawLedger(pen, inst);
}

function drawPin(pen, inst) {
  const { theme, layout, pin, columnWidth } = inst;
  const x = xOf(inst, pin.step);
  const centre = x + columnWidth / 2;
  pen.rect(x, 0, Math.max(1, columnWidth), 29, { fill: theme.accent, alpha: 0.22, radius: 3 });
  pen.path([[centre - 5, 0], [centre + 5, 0], [centre, 7]], { fill: theme.accent });
  for (const [top, foot] of cursorStretches(layout)) {
    pen.path([[centre, Math.max(29, top)], [centre, foot]], { stroke: theme.accent, dash: [2, 4], line: 1.25, alpha: 0.9 });
  }
  const end = Math.min(layout.width, xOf(inst, inst.data.meta.steps));
  for (const band of heatBands(inst, trackOf(inst, pin))) {
    const y = yOf(inst, band, pin.unit);
    pen.path([[layout.gutter, y], [end, y]], { stroke: theme.paper, line: 3, alpha: 0.5 });
    pen.path([[layout.gutter, y], [end, y]], { stroke: theme.accent, line: 1.25 });
    pen.circle(centre, y, 4.5, { fill: theme.accent, stroke: theme.paper, line: 1.5 });
  }
  drawPinTag(pen, inst, end);
}

function drawPinTag(pen, inst, end) {
  const { theme, layout, pin } = inst;
  const [top] = heatBands(inst, trackOf(inst, pin));
  if (!top) return;
  const words = `unit ${pin.unit}`;
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
  for (const [top, foot] of cursorStretches(layout)) {
    for (const side of sides) {
      pen.path([[side, top], [side, foot]], { stroke: theme.paper, line: 3, alpha: 0.45 });
      pen.path([[side, top], [side, foot]], { stroke: theme.ink, line: 1.1 });
    }
  }
  for (const band of heatBands(inst, trackOf(inst, cursor))) drawCrosshair(pen, inst, band);
  const { first, last } = visible(inst);
  if (cursor.step < first || cursor.step >= last) return;
  if (!layout.compact) drawCursorOperations(pen, inst);
  if (columnWidth < READABLE) drawLenses(pen, inst);
}

/** From top to foot; on a phone the rows' labels stand between the heatmaps, and the line leaves them out. */
function cursorStretches(layout) {
  if (!layout.compact) return [[0, layout.height]];
  const head = layout.bands.find((band) => band.kind === "operations" || band.kind === "title").y;
  const labelled = layout.bands.filter((band) => band.legend).map((band) => [band.y, band.y + band.legend]);
  const free = labelled.length ? [[0, labelled[0][0]], ...labelled.map(([, foot], k) => [foot, labelled[k + 1]?.[0] ?? head])] : [[0, head]];
  return [...free, ...layout.bands.filter((band) => band.kind === "heat").map((band) => [band.y, band.y + band.height])];
}

function drawCrosshair(pen, inst, band) {
  const { theme, cursor, columnWidth } = inst;
  const tall = Math.max(4, band.height / band.heat.track.units) + 2;
  const wide = Math.max(5, columnWidth) + 2;
  const x = xOf(inst, cursor.step) + columnWidth / 2 - wide / 2;
  const y = yOf(inst, band, cursor.unit) - tall / 2;
  pen.rect(x - 1, y - 1, wide + 2, tall + 2, { stroke: theme.paper, line: 2.5, radius: 2.5 });
  pen.rect(x, y, wide, tall, { stroke: theme.ink, line: 1.5, radius: 2 });
}

function drawCursorOperations(pen, inst) {
  const centre = xOf(inst, inst.cursor.step) + inst.columnWidth / 2;
  for (const band of inst.layout.bands) {
    if (band.kind !== "operations" || !band.heat.signal.lead.length) continue;
    drawRecall(pen, inst, band, centre);
    drawOperations(pen, inst, band.heat.signal.lead, centre, band.y + band.height / 2, "center");
  }
}

/** From the state's cell of the step before to the operation that takes it up. */
function drawRecall(pen, inst, band, centre) {
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
function drawLedger(pen, inst) {
  const { layout, cursor, theme } = inst;
  const style = { size: 13.5, weight: 600, fill: theme.ink, family: theme.sans, align: "right" };
  const right = layout.gutter - 12;
  for (const band of layout.bands) {
    if (band.kind === "operations") drawRecalledValue(pen, inst, band, style);
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
  pen.text(`unit ${unitIn(inst, band.track)}`, layout.width - 4, band.y + 22, { ...style, size: 12, weight: 500, alpha, halo: inst.theme.paper });
}

function drawRecalledValue(pen, inst, band, style) {
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

// ---------------------------------------------------------------- painting on the screen

/** Lays everything out anew, keeping the column `anchor` where it is on the screen. */
function arrange(inst) {
  const { el, data } = inst;
  inst.ratio = window.devicePixelRatio || 1;
  inst.layout = layoutOf(inst);
  inst.columnWidth = Math.max(inst.columnWidth, narrowest(inst));
  const total = inst.layout.gutter + data.meta.steps * inst.columnWidth;
  el.spacer.style.width = `${Math.max(inst.layout.width, Math.ceil(total))}px`;
  el.spacer.style.height = `${inst.layout.height}px`;
  el.stage.style.width = `${inst.layout.width}px`;
  el.map.hidden = total <= inst.layout.width + 1;
  readScroll(inst);
}

/** Columns may not get so narrow that more of them are in view than were sent. */
function narrowest(inst) {
  const { columns, steps } = inst.data.meta;
  return columns < steps ? Math.max(0.25, inst.layout.plot / (columns * 0.8)) : 0.25;
}

function readScroll(inst) {
  inst.scroll = Math.round(inst.el.scroller.scrollLeft * inst.ratio) / inst.ratio;
}

function paint(inst) {
  const { el, layout, ratio } = inst;
  drawPicture(penOn(el.picture, layout.width, layout.height, ratio), inst);
  paintOverlay(inst);
  askForWindow(inst);
}

function paintOverlay(inst) {
  const { el, layout, ratio } = inst;
  drawOverlay(penOn(el.cursor, layout.width, layout.height, ratio), inst);
  if (!el.map.hidden) paintMap(inst);
  writeReadout(inst);
}

function paintMap(inst) {
  const { el, theme, data, layout, cursor, pin } = inst;
  const { steps, start, columns } = data.meta;
  const [width, height] = [layout.width, 30];
  const pen = penOn(el.map, width, height, inst.ratio);
  const x = (step) => (step / steps) * width;
  pen.rect(0, 0, width, height, { fill: theme.empty, radius: 4 });
  pen.image(mapProfile(inst, width), 0, 0, width, height);
  if (columns < steps) pen.rect(x(start), height - 2, x(columns), 2, { fill: theme.quiet });
  const view = visible(inst);
  pen.rect(x(view.first), 1, Math.max(6, x(view.last - view.first)), height - 2, { fill: theme.accent, alpha: 0.14, radius: 3 });
  pen.rect(x(view.first), 1, Math.max(6, x(view.last - view.first)), height - 2, { stroke: theme.accent, radius: 3 });
  data.peaks.forEach((step) => pen.path([[x(step + 0.5) - 3, 3], [x(step + 0.5) + 3, 3], [x(step + 0.5), 9]], { fill: theme.accent, alpha: 0.7 }));
  if (pin) pen.path([[x(pin.step) - 4, 0], [x(pin.step) + 4, 0], [x(pin.step), 6]], { fill: theme.accent });
  pen.path([[x(cursor.step + 0.5), 0], [x(cursor.step + 0.5), height]], { stroke: theme.ink, line: 1.25 });
}

/** Surprise along the whole text, painted once and kept: mean where many steps share a pixel. */
function mapProfile(inst, width) {
  const key = `${width}/${inst.ratio}/${inst.theme.ink}`;
  if (inst.profile?.key === key) return inst.profile.canvas;
  const { readers, cap, meta } = inst.data;
  const canvas = document.createElement("canvas");
  const pen = penOn(canvas, width, 30, inst.ratio);
  const bars = Math.min(Math.floor(width), meta.steps);
  for (let bar = 0; bar < bars; bar++) {
    const [a, b] = stretch(bar, bars, 0, meta.steps);
    let sum = 0;
    for (const { surprise } of readers) for (let step = a; step < b; step++) sum += surprise[step] || 0;
    const tall = Math.min(1, sum / (b - a) / readers.length / cap) * 26;
    pen.rect((bar * width) / bars, 29 - tall, Math.max(0.5, width / bars - 0.25), tall, { fill: inst.theme.quiet, alpha: 0.6 });
  }
  inst.profile = { key, canvas };
  return canvas;
}

// ---------------------------------------------------------------- words

function spoken(inst, index) {
  if (index === GAP) return "nothing here";
  const [shown, name, kind] = inst.data.meta.glyphs[index];
  return kind === "plain" ? `“${shown}”` : name;
}

const shownAt = (data, reader, step) => (reader.typed[step] === GAP ? ["–", "no character of this text", "quiet"] : data.meta.glyphs[reader.typed[step]]);

const surpriseText = (nats) => (Number.isNaN(nats) ? "no surprise: the first character" : `surprise ${fixed(nats, 2)} nats (${percent(Math.exp(-nats))})`);

function writeReadout(inst) {
  const { el, data, cursor } = inst;
  const { step, unit, track } = cursor;
  const [first] = data.readers;
  const glyph = shownAt(data, first, step);
  el.typed.textContent = glyph[0];
  el.typed.title = glyph[1];
  el.step.textContent = `${data.meta.strips.length > 1 ? "column" : data.meta.step} ${step + 1} of ${data.meta.steps}`;
  el.replaced.textContent = remark(inst, step);
  el.replaced.className = data.readers.some((reader) => isReplaced(reader, step)) ? "replaced" : "quiet";
  el.unit.textContent = `${whose(inst)}layer ${data.tracks[track].layer + 1}, unit ${unit}`;
  if (data.readers.length === 1) {
    el.surprise.textContent = surpriseText(first.surprise[step]);
    writeExpected(inst, first, el.nexts);
  } else {
    el.surprise.textContent = data.between ? `disagreement ${fixed(data.between[step], 3)} nats${rankText(data, step)}` : "";
    data.readers.forEach((reader, k) => writeReader(inst, reader, el.lines[k]));
  }
  Object.assign(inst.root.dataset, { step, unit, layer: data.tracks[track].layer, model: data.readers[data.tracks[track].readers[0]].model });
  speakSoon(inst);
}

const whose = (inst) => (inst.data.readers.length > 1 && !trackOf(inst, inst.cursor).difference ? `${inst.data.readers[trackOf(inst, inst.cursor).readers[0]].name}, ` : "");

function rankText(data, step) {
  const rank = data.peaks.indexOf(step);
  return rank < 0 ? "" : `, number ${rank + 1} of this text`;
}

function writeExpected(inst, reader, spans) {
  const { data, cursor } = inst;
  spans.forEach((span, rank) => {
    const index = reader.ranks.includes(rank) ? reader[`next${rank}`][cursor.step] : GAP;
    span.textContent = index === GAP ? "" : data.meta.glyphs[index][0];
    span.nextSibling.textContent = index === GAP ? "" : ` ${percent(reader[`chance${rank}`][cursor.step] / 65535)}`;
  });
}

function writeReader(inst, reader, line) {
  const { data, cursor } = inst;
  const nats = reader.surprise[cursor.step];
  line.typed.textContent = data.meta.strips.length > 1 ? shownAt(data, reader, cursor.step)[0] : "";
  line.surprise.textContent = Number.isNaN(nats) ? "–" : `${fixed(nats, 2)} nats`;
  line.chance.textContent = Number.isNaN(nats) ? "" : ` (${percent(Math.exp(-nats))})`;
  writeExpected(inst, reader, line.nexts);
}

/** What a person can't see in the glyph: its name, and what was read in its place, by which model. */
function remark(inst, step) {
  const { data } = inst;
  const [first] = data.readers;
  const [, name, kind] = shownAt(data, first, step);
  const named = kind === "plain" && name.length < 4 ? [] : [name];
  const told = data.readers.filter((reader) => isReplaced(reader, step));
  const by = (reader) => (data.readers.length > 1 ? ` by ${reader.name}` : "");
  return named.concat(told.map((reader) => `read as ${spoken(inst, reader.read[step])}${by(reader)}`)).join(", ");
}

/** Screen readers hear where the cursor came to rest, not every place it passed. */
function speakSoon(inst) {
  clearTimeout(inst.timers.speak);
  inst.timers.speak = setTimeout(() => (inst.el.live.textContent = sentence(inst)), inst.playing ? 1500 : 200);
}

function sentence(inst) {
  const { data, cursor, el } = inst;
  const values = trackOf(inst, cursor).heats.map(
    (heat) => `${heat.signal.title} ${heat.signal.symbol} ${written(valueAt(data, heat, cursor.step, cursor.unit))}`,
  );
  const several = data.readers.length > 1;
  const readers = data.readers.map((reader) => (several ? `. ${reader.name}: ` : ", ") + spokenReader(inst, reader));
  const apart = data.between ? `. ${el.surprise.textContent}` : "";
  const where = `${spoken(inst, data.readers[0].typed[cursor.step])}, ${el.step.textContent}`;
  return `${where}${readers.join("")}${apart}. At ${el.unit.textContent}: ${values.join(", ")}.`;
}

function spokenReader(inst, reader) {
  const { step } = inst.cursor;
  if (reader.typed[step] === GAP) return "no character here";
  const next = reader.ranks.map((rank) => `${spoken(inst, reader[`next${rank}`][step])} ${percent(reader[`chance${rank}`][step] / 65535)}`);
  const typed = inst.data.meta.strips.length > 1 ? `${spoken(inst, reader.typed[step])}, ` : "";
  const read = isReplaced(reader, step) ? `read as ${spoken(inst, reader.read[step])}, ` : "";
  return `${typed}${read}${surpriseText(reader.surprise[step])}. Expects ${next.join(", ")}`;
}

function captionOf(inst) {
  const { readers, tracks, meta } = inst.data;
  if (meta.caption) return meta.caption;
  const [reader] = readers;
  const shown = tracks.map((track) => track.layer + 1).join(" and ");
  const which = reader.layers > 1 ? `layer${tracks.length > 1 ? "s" : ""} ${shown} of ${reader.layers}` : "1 layer";
  const primed = tracks[0].signals.some((signal) => signal.lead.join("").includes("h′")) ? " h′ is h of the step before." : "";
  return `${reader.name}: ${reader.cell}, ${which}, ${tracks[0].units} units. ${reader.note}${primed}`;
}

function poolingNote(inst) {
  const rows = Math.round(inst.layout.rowHeight * inst.ratio);
  const what = inst.pooling === "farthest" ? "the value farthest from rest among" : "the mean of";
  const sizes = [...new Set(inst.data.tracks.map((track) => track.units))].filter((units) => units > rows);
  return sizes.map((units) => `${units} units in ${rows} rows: each row shows ${what} ${shareOf(units, rows)} units.`).join(" ");
}

function shareOf(units, rows) {
  const [few, many] = [Math.floor(units / rows), Math.ceil(units / rows)];
  return few === many ? `${few}` : `${few}–${many}`;
}

function writeFoot(inst) {
  const { el, data } = inst;
  el.caption.textContent = `${captionOf(inst)} ${poolingNote(inst)}`.trim();
  el.pooling.hidden = !poolingNote(inst);
  el.pooling.textContent = inst.pooling === "farthest" ? "Show means" : "Show extremes";
  const free = data.heats.find((heat) => !heat.signal.bounded && !heat.track.difference);
  el.squash.hidden = !free;
  if (free) el.squash.textContent = `${inst.squash ? "Show" : "Show tanh"} ${free.signal.symbol}`;
  el.squash.setAttribute("aria-pressed", inst.squash);
  const rows = data.tracks.map((track) => `${data.tracks.length > 1 ? `${titleOf(data, track)}: ` : ""}${track.signals.map((signal) => signal.title).join(", ")}`);
  const more = `${data.tracks.length > 1 ? " M goes to the next rows." : ""}${data.peaks.length ? " D goes to the next disagreement." : ""}`;
  el.cursor.setAttribute("aria-label", `Heatmaps over ${data.meta.steps} ${data.meta.step}s: ${rows.join("; ")}. Arrow keys move, Enter pins, Space plays.${more}`);
  el.picture.setAttribute("aria-label", el.caption.textContent);
}

// ---------------------------------------------------------------- moving

function moveCursor(inst, to, follow = true) {
  const { cursor, data } = inst;
  const track = to.track ?? cursor.track;
  const step = clamp(to.step ?? cursor.step, 0, data.meta.steps - 1);
  const unit = clamp(to.unit ?? unitIn(inst, data.tracks[track]), 0, data.tracks[track].units - 1);
  if (step === cursor.step && unit === cursor.unit && track === cursor.track) return;
  inst.cursor = { step, unit, track };
  inst.visited.set(data.tracks[track].readers[0], unit);
  if (follow && bringIntoView(inst, step)) return; // the scroll has painted
  paintOverlay(inst);
}

function moveTrack(inst, by) {
  const { length } = inst.data.tracks;
  moveCursor(inst, { track: (inst.cursor.track + by + length) % length });
}

/** To the next marked disagreement in the text, or the one before; round at the ends. */
function movePeak(inst, by) {
  const places = [...inst.data.peaks].sort((a, b) => a - b);
  if (!places.length) return;
  const { step } = inst.cursor;
  const next = by > 0 ? (places.find((place) => place > step) ?? places[0]) : (places.findLast((place) => place < step) ?? places.at(-1));
  moveCursor(inst, { step: next });
}

/** Scrolls so that a step is in view, with some text before and after it; true when that took scrolling. */
function bringIntoView(inst, step) {
  const { columnWidth, layout, el } = inst;
  const room = Math.min(4 * columnWidth, layout.plot / 4);
  const x = step * columnWidth;
  const inside = x >= inst.scroll + room && x + columnWidth <= inst.scroll + layout.plot - room;
  const free = inst.scroll + layout.plot;
  const atStart = x < room && inst.scroll === 0;
  const atEnd = x + columnWidth <= free && free >= inst.data.meta.steps * columnWidth - 1;
  if (inside || atStart || (atEnd && x >= inst.scroll + room)) return false;
  const target = reducedMotion.matches ? x - layout.plot / 4 : x < inst.scroll + room ? x - room : x + columnWidth + room - layout.plot;
  const before = el.scroller.scrollLeft;
  el.scroller.scrollLeft = target;
  if (el.scroller.scrollLeft === before) return false;
  readScroll(inst);
  paint(inst);
  return true;
}

function moveUnit(inst, by) {
  const { units, rows } = orderOf(inst, trackOf(inst, inst.cursor));
  const row = clamp(rows[inst.cursor.unit] + by, 0, units.length - 1);
  moveCursor(inst, { unit: units[row] });
}

function placeAt(inst, event) {
  const box = inst.el.cursor.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  if (x < inst.layout.gutter) return null;
  const step = Math.floor((x - inst.layout.gutter + inst.scroll) / inst.columnWidth);
  if (step >= inst.data.meta.steps) return null;
  const band = heatBands(inst).find((b) => y >= b.y && y < b.y + b.height);
  if (!band) return { step };
  const { units } = orderOf(inst, band.heat.track);
  const row = clamp(Math.floor(((y - band.y) / band.height) * units.length), 0, units.length - 1);
  return { step, unit: units[row], track: band.heat.track.place };
}

function pinCursor(inst) {
  inst.pin = { ...inst.cursor };
  paintOverlay(inst);
  const { step, unit } = inst.pin;
  inst.send("pin", { step, unit, ...namesOf(inst.data, inst.pin), serial: inst.serial });
}

/** What a track is called between reruns, in which its place may change. */
function namesOf(data, { track }) {
  const { layer, readers } = data.tracks[track];
  return { layer, model: data.readers[readers[0]].model };
}

const KEYS = {
  ArrowLeft: (inst, far) => moveCursor(inst, { step: inst.cursor.step - (far ? 10 : 1) }),
  ArrowRight: (inst, far) => moveCursor(inst, { step: inst.cursor.step + (far ? 10 : 1) }),
  ArrowUp: (inst, far) => moveUnit(inst, far ? -10 : -1),
  ArrowDown: (inst, far) => moveUnit(inst, far ? 10 : 1),
  Home: (inst) => moveCursor(inst, { step: 0 }),
  End: (inst) => moveCursor(inst, { step: inst.data.meta.steps - 1 }),
  PageUp: (inst) => moveCursor(inst, { step: inst.cursor.step - pageOf(inst) }),
  PageDown: (inst) => moveCursor(inst, { step: inst.cursor.step + pageOf(inst) }),
  Enter: (inst) => pinCursor(inst),
  Escape: (inst) => inst.pin && moveCursor(inst, inst.pin),
  " ": (inst) => togglePlay(inst),
  m: (inst) => moveTrack(inst, 1),
  M: (inst) => moveTrack(inst, -1),
  d: (inst) => movePeak(inst, 1),
  D: (inst) => movePeak(inst, -1),
};

const pageOf = (inst) => Math.max(1, Math.floor((0.9 * inst.layout.plot) / inst.columnWidth));

function onKey(inst, event) {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act(inst, event.shiftKey);
}

// ---------------------------------------------------------------- the window of columns that was sent

function askForWindow(inst) {
  if (inst.timers.ask || !missing(inst)) return;
  // A new wish would break off the run that answers the one before.
  const patience = inst.asked === null ? 150 : Math.max(150, inst.askedAt + 4000 - performance.now());
  inst.timers.ask = setTimeout(() => {
    inst.timers.ask = 0;
    const first = missing(inst) ? wantedStart(inst) : inst.asked;
    if (first === inst.asked || first === inst.data.meta.start) return;
    inst.asked = first;
    inst.askedAt = performance.now();
    inst.send("start", { first, serial: inst.serial });
  }, patience);
}

function missing(inst) {
  const { start, columns, steps } = inst.data.meta;
  const { first, last } = visible(inst);
  const spare = Math.min(MARGIN, Math.floor((columns - (last - first)) / 4));
  return (start > 0 && first - spare < start) || (start + columns < steps && last + spare > start + columns);
}

function wantedStart(inst) {
  const { columns, steps } = inst.data.meta;
  const { first, last } = visible(inst);
  return clamp(Math.round((first + last - columns) / 2), 0, steps - columns);
}

// ---------------------------------------------------------------- zoom, order, height

function zoomTo(inst, columnWidth) {
  const place = clamp((inst.cursor.step * inst.columnWidth - inst.scroll) / inst.layout.plot, 0, 0.9);
  inst.columnWidth = columnWidth;
  arrange(inst);
  inst.el.scroller.scrollLeft = inst.cursor.step * inst.columnWidth - place * inst.layout.plot;
  readScroll(inst);
  paint(inst);
  showLook(inst);
}

function zoomBy(inst, direction) {
  const wider = ZOOMS.find((zoom) => zoom > inst.columnWidth + 0.01);
  const narrower = ZOOMS.findLast((zoom) => zoom < inst.columnWidth - 0.01);
  const target = direction > 0 ? wider : narrower;
  if (target) choose(inst, "zoom", String(target));
}

function repaint(inst) {
  arrange(inst);
  paint(inst);
  writeFoot(inst);
}

// ---------------------------------------------------------------- the look: what a person chose, and a link keeps

/** What holds where nobody chose. */
function firstLook({ heats, tracks, view }) {
  const rows = heats.length === 1 ? "large" : heats.length <= 6 ? "medium" : "small";
  return { order: view.order, rows, pooling: tracks.some((track) => track.difference) ? "farthest" : "mean", squash: "off" };
}

/** Brings the settings up to what was chosen; an order that these heatmaps lack waits for others. */
function obeyLook(inst) {
  const { look, data } = inst;
  const first = firstLook(data);
  const orders = inst.orders.map(([value]) => value);
  const order = [look.order, first.order === "mean" ? data.heats[0].name : first.order, "index"].find((wish) => orders.includes(wish));
  const { rows: rowSize, pooling, squash } = { ...first, ...look };
  Object.assign(inst, { order, rowSize, pooling, squash: squash === "on" });
}

function choose(inst, name, value) {
  const { [name]: _, ...look } = inst.look;
  inst.look = value === firstLook(inst.data)[name] ? look : { ...look, [name]: value };
  obeyLook(inst);
  if (name === "zoom") zoomTo(inst, chosenWidth(inst));
  else repaint(inst);
  showLook(inst);
  reportLook(inst);
}

/** The look goes into the address once hands are at rest; nothing comes back from it. */
function reportLook(inst) {
  clearTimeout(inst.timers.look);
  inst.timers.look = setTimeout(() => inst.send("look", { ...inst.look, serial: inst.lookSerial }), PATIENCE);
}

function showLook(inst) {
  const { el, columnWidth } = inst;
  el.order.value = inst.order;
  el.heights.value = inst.rowSize;
  el.narrower.disabled = columnWidth <= Math.max(ZOOMS[0], narrowest(inst)) + 0.01;
  el.wider.disabled = columnWidth >= ZOOMS.at(-1);
  inst.root.dataset.look = JSON.stringify({ zoom: columnWidth, order: inst.order, rows: inst.rowSize, pooling: inst.pooling, squash: inst.squash });
}

/** How wide a column is to be: as chosen, or, of a short text, wider at first sight. */
function chosenWidth(inst) {
  const { zoom } = inst.look;
  const even = inst.layout.plot / inst.data.meta.steps;
  if (zoom === "fit") return clamp(even, narrowest(inst), 28);
  return zoom ? Number(zoom) : clamp(Math.floor(even), COLUMN.least, COLUMN.most);
}

function fillOrders(inst) {
  const { order } = inst.el;
  const symbols = new Map();
  for (const { name, signal } of inst.data.heats) symbols.set(name, (symbols.get(name) ?? new Set()).add(signal.symbol));
  const size = inst.data.tracks.some((track) => track.difference) ? ["|", "|"] : ["", ""];
  const means = [...symbols].map(([name, letters]) => [name, `units by mean ${[...letters].map((s) => size.join(s)).join(" or ")}`]);
  const choices = [["index", "units by index"], ["grouped", "units grouped"], ...means];
  if (JSON.stringify(choices) === JSON.stringify(inst.orders)) return;
  inst.orders = choices;
  order.replaceChildren(...choices.map(([value, words]) => option(value, words)));
}

// ---------------------------------------------------------------- taking the picture away

const CAPTION = { size: 11.5, pitch: 17 };

/** The picture as it is taken away: its caption's lines, and how large it is with them. */
function measured(inst) {
  const { layout, theme } = inst;
  const style = { size: CAPTION.size, fill: theme.quiet, family: theme.sans };
  const said = [captionOf(inst), textExcerpt(inst), `${poolingNote(inst)} ${inst.data.meta.version}.`.trim()];
  const caption = said.flatMap((line) => wrapped(line, style, layout.width - 8));
  return { caption, style, width: layout.width, height: layout.height + 10 + CAPTION.pitch * caption.length };
}

function drawExported(pen, inst, { caption, style, width, height }) {
  pen.rect(0, 0, width, height, { fill: inst.theme.paper });
  drawPicture(pen, inst);
  drawOverlay(pen, inst);
  caption.forEach((line, k) => pen.text(line, 4, inst.layout.height + 18 + CAPTION.pitch * k, style));
}

function textExcerpt(inst) {
  const { data, el } = inst;
  const { first, last } = visible(inst);
  const texts = data.meta.strips.map(([place]) => `“${excerpt(data, data.readers[place], first, last)}”`);
  const [noun] = el.step.textContent.split(" ");
  return `${texts.join(" and ")}, ${noun}s ${first + 1} to ${last} of ${data.meta.steps}; cursor at ${el.step.textContent}, ${el.unit.textContent}.`;
}

function excerpt(data, reader, first, last) {
  const typed = [...reader.typed.slice(first, last)].filter((index) => index !== GAP && index !== data.meta.rest);
  const letters = typed.slice(0, 60).map((index) => (data.meta.glyphs[index][1] === "space" ? " " : data.meta.glyphs[index][0]));
  return `${letters.join("")}${typed.length > 60 ? "…" : ""}`;
}

const download = (inst, blob, extension) => saveAs(blob, `${inst.data.meta.file}.${extension}`);

function saveSvg(inst) {
  const pen = new SvgPen();
  const size = measured(inst);
  drawExported(pen, inst, size);
  download(inst, new Blob([pen.finished(size.width, size.height)], { type: "image/svg+xml" }), "svg");
}

function savePng(inst) {
  const canvas = document.createElement("canvas");
  const size = measured(inst);
  drawExported(penOn(canvas, size.width, size.height, Math.max(2, inst.ratio)), inst, size);
  canvas.toBlob((blob) => download(inst, blob, "png"));
}

// ---------------------------------------------------------------- the elements

function build(root) {
  const el = {
    back: iconButton("back", "Step back", "←"),
    play: iconButton("play", "Play", "Space"),
    forward: iconButton("forward", "Step forward", "→"),
    narrower: iconButton("minus", "Narrower columns"),
    wider: iconButton("plus", "Wider columns"),
    peakBack: iconButton("back", "Disagreement before", "Shift+D"),
    peakNext: iconButton("forward", "Next disagreement", "D"),
    fit: element("button", { type: "button", textContent: "Fit", title: "The whole text at once, as far as it goes" }),
    map: element("canvas", { className: "map", "aria-hidden": "true" }),
    picture: element("canvas", { className: "picture", role: "img" }),
    cursor: element("canvas", { className: "cursor", role: "img", tabIndex: 0 }),
    stage: element("div", { className: "stage" }),
    spacer: element("div", { className: "spacer" }),
    scroller: element("div", { className: "scroller", tabIndex: -1 }),
    speed: choice("Speed", SPEEDS.map((speed) => [speed, `${speed} a second`])),
    order: choice("Order of the units", []),
    heights: choice("Height of the rows", [["small", "low rows"], ["medium", "medium rows"], ["large", "tall rows"], ["every", "a row a unit"]]),
    live: element("div", { className: "live", "aria-live": "polite" }),
    caption: element("span", { className: "caption" }),
    pooling: element("button", { type: "button" }),
    squash: element("button", { type: "button" }),
    png: element("button", { type: "button", textContent: "PNG", "aria-label": "Save as PNG", title: "Save what is in view as PNG" }),
    svg: element("button", { type: "button", textContent: "SVG", "aria-label": "Save as SVG", title: "Save what is in view as SVG" }),
  };
  Object.assign(el, readoutParts());
  const columns = element("div", { className: "group", role: "group", "aria-label": "Columns" }, element("span", { textContent: "Columns" }), el.narrower, el.wider, el.fit);
  const player = element("div", { className: "group" }, el.back, el.play, el.forward);
  el.peaks = element("div", { className: "group", role: "group", "aria-label": "Disagreements" }, element("span", { textContent: "Disagreement" }), el.peakBack, el.peakNext);
  const bar = element("div", { className: "bar", role: "toolbar", "aria-label": "Time and view" }, player, el.speed, el.peaks, el.order, columns, el.heights);
  el.stage.append(el.picture, el.cursor);
  el.spacer.append(el.stage);
  el.scroller.append(el.spacer);
  const foot = element("div", { className: "foot" }, el.caption, el.squash, el.pooling, el.png, el.svg);
  root.append(bar, el.readout, el.table, el.map, el.scroller, foot, el.live);
  return el;
}

function readoutParts() {
  const span = (className) => element("span", { className });
  const parts = { typed: span("typed"), step: span("quiet"), replaced: span("replaced"), surprise: span("surprise"), unit: span("place") };
  const [expects, nexts] = expectations("expects", element("span", { className: "quiet", textContent: "expects" }));
  const shown = [parts.typed, parts.step, parts.surprise, expects, parts.replaced, parts.unit];
  const readout = element("div", { className: "readout", "aria-hidden": "true" }, ...shown);
  return { ...parts, expects, nexts, readout, table: element("div", { className: "readers", "aria-hidden": "true" }), lines: [] };
}

/** @returns {[HTMLElement, HTMLElement[]]} */
function expectations(className, ...before) {
  const nexts = [0, 1, 2].map(() => element("span", { className: "next" }));
  const pairs = nexts.flatMap((next) => [next, element("span", { className: "quiet" })]);
  return [element("span", { className }, ...before, ...pairs), nexts];
}

/** Of several readers, a line each: its name, its surprise, what it expects. */
function fillReaders(inst) {
  const { el, data, theme, ratio } = inst;
  const several = data.readers.length > 1;
  el.table.hidden = el.expects.hidden = !several;
  el.expects.hidden = several;
  el.surprise.hidden = several && !data.between;
  el.readout.classList.toggle("several", several);
  el.typed.hidden = data.meta.strips.length > 1;
  el.peaks.hidden = !data.peaks.length;
  const texts = data.meta.strips.length > 1;
  el.lines = several ? data.readers.map(() => readerLine(texts)) : [];
  el.table.replaceChildren(...el.lines.map((line) => line.row));
  el.lines.forEach(({ name, sample }, k) => {
    name.textContent = data.readers[k].name;
    drawSample(penOn(sample, 28, 12, ratio), { ...inst, theme }, data.readers[k], 1, 6);
  });
}

function readerLine(texts) {
  const span = (className) => element("span", { className });
  const line = { name: span("name"), sample: element("canvas", { className: "sample" }), typed: span("typed"), surprise: span("nats"), chance: span("quiet") };
  [line.expects, line.nexts] = expectations("expects", element("span", { className: "quiet", textContent: "expects" }));
  const shown = [line.sample, line.name, ...(texts ? [line.typed] : []), element("span", {}, line.surprise, line.chance), line.expects];
  return { ...line, row: element("div", { className: "reader" }, ...shown) };
}

function connect(inst) {
  const { el } = inst;
  el.back.onclick = () => moveCursor(inst, { step: inst.cursor.step - 1 });
  el.forward.onclick = () => moveCursor(inst, { step: inst.cursor.step + 1 });
  el.play.onclick = () => togglePlay(inst);
  el.speed.onchange = () => (inst.speed = Number(el.speed.value));
  el.narrower.onclick = () => zoomBy(inst, -1);
  el.wider.onclick = () => zoomBy(inst, 1);
  el.fit.onclick = () => choose(inst, "zoom", "fit");
  el.peakBack.onclick = () => movePeak(inst, -1);
  el.peakNext.onclick = () => movePeak(inst, 1);
  el.order.onchange = () => choose(inst, "order", el.order.value);
  el.heights.onchange = () => choose(inst, "rows", el.heights.value);
  el.pooling.onclick = () => choose(inst, "pooling", inst.pooling === "mean" ? "farthest" : "mean");
  el.squash.onclick = () => choose(inst, "squash", inst.squash ? "off" : "on");
  el.png.onclick = () => savePng(inst);
  el.svg.onclick = () => saveSvg(inst);
  el.scroller.onscroll = () => onScroll(inst);
  el.cursor.onkeydown = (event) => onKey(inst, event);
  el.cursor.onpointermove = (event) => event.pointerType !== "touch" && hover(inst, event);
  el.cursor.onclick = (event) => click(inst, event);
  el.map.onpointerdown = (event) => el.map.setPointerCapture(event.pointerId);
  el.map.onpointermove = (event) => el.map.hasPointerCapture(event.pointerId) && dragMap(inst, event);
  el.map.onclick = (event) => dragMap(inst, event);
  inst.observer = new ResizeObserver(() => inst.root.clientWidth !== inst.layout?.width && repaint(inst));
  inst.observer.observe(inst.root);
}

function hover(inst, event) {
  const place = placeAt(inst, event);
  if (place && !inst.playing) moveCursor(inst, place, false);
}

function click(inst, event) {
  const place = placeAt(inst, event);
  if (!place) return;
  stop(inst);
  moveCursor(inst, place, false);
  pinCursor(inst);
}

function onScroll(inst) {
  const before = inst.scroll;
  readScroll(inst);
  if (inst.scroll !== before) paint(inst);
}

function dragMap(inst, event) {
  const box = inst.el.map.getBoundingClientRect();
  const step = Math.floor(((event.clientX - box.left) / box.width) * inst.data.meta.steps);
  inst.el.scroller.scrollLeft = step * inst.columnWidth - inst.layout.plot / 2;
  onScroll(inst);
  moveCursor(inst, { step }, false);
}

// ---------------------------------------------------------------- each run

function create(root, data) {
  const inst = {
    root, data, theme: readTheme(root), ratio: window.devicePixelRatio || 1,
    columnWidth: COLUMN.least, scroll: 0, look: {}, lookSerial: null, orders: [], speed: 10, playing: false, rows: new Map(),
    cursor: { step: 0, unit: 0, track: 0 }, visited: new Map(), pin: null, serial: null, asked: null, timers: {},
    scratch: document.createElement("canvas"),
  };
  inst.el = build(root);
  inst.el.speed.value = inst.speed;
  inst.player = { here: () => inst.cursor.step, last: () => inst.data.meta.steps - 1, go: (step) => moveCursor(inst, { step }) };
  showPlaying(inst);
  connect(inst);
  return inst;
}

/** Takes new data in, keeping the cursor, the pin and the view wherever they still make sense. */
function update(inst, data) {
  const old = inst.data;
  const appended = isAppended(old, data);
  clearTimeout(inst.timers.ask);
  inst.timers.ask = 0;
  Object.assign(inst, { data, asked: null, profile: null, rows: new Map(), theme: readTheme(inst.root) });
  const { meta, view } = data;
  const told = view.serial !== inst.serial;
  inst.serial = view.serial;
  inst.root.style.setProperty("--replaced", inst.theme.replaced);
  fillOrders(inst);
  const asked = view.lookSerial !== inst.lookSerial;
  inst.lookSerial = view.lookSerial;
  if (asked) inst.look = { ...view.look };
  obeyLook(inst);
  fillReaders(inst);
  keepVisited(inst, old);
  const named = (place) => place && { ...place, ...namesOf(old, place) };
  inst.pin = told && view.pin ? fitted(view.pin, data) : inst.pin && fitted(named(inst.pin), data);
  inst.cursor = fitted(told && view.pin ? view.pin : named(inst.cursor), data);
  if (appended) inst.cursor.step = meta.steps - 1;
  arrange(inst);
  if (asked || (old.meta.steps !== meta.steps && !appended)) {
    inst.columnWidth = chosenWidth(inst);
    arrange(inst);
  }
  if (asked || (told && view.pin) || appended) bringIntoView(inst, inst.cursor.step);
  paint(inst);
  showLook(inst);
  writeFoot(inst);
}

/** The unit that each model was looked at last; of a new one the unit that its h swings most. */
function keepVisited(inst, old) {
  const before = new Map([...inst.visited].map(([place, unit]) => [old.readers[place].model, unit]));
  inst.visited = new Map(
    inst.data.tracks.map((track) => {
      const { model } = inst.data.readers[track.readers[0]];
      return [track.readers[0], clamp(before.get(model) ?? track.liveliest, 0, track.units - 1)];
    }),
  );
}

/** A place by the name of its track, as one of the tracks there are now: else of that model, else the first. */
function fitted({ step, unit, layer, model }, { tracks, readers, meta }) {
  const of = (track) => readers[track.readers[0]].model === model;
  const level = (track) => track.layer === layer;
  const found = tracks.find((track) => of(track) && level(track)) ?? tracks.find(of) ?? tracks.find(level) ?? tracks[0];
  return { step: clamp(step, 0, meta.steps - 1), unit: clamp(unit, 0, found.units - 1), track: found.place };
}

/** True when a person typed on: the old text is the beginning of the new. */
function isAppended(old, now) {
  if (old === now || old.meta.steps >= now.meta.steps || old.meta.file !== now.meta.file || now.meta.strips.length > 1) return false;
  const name = ({ meta, readers }, step) => meta.glyphs[readers[0].typed[step]][1];
  for (let step = 0; step < old.meta.steps; step++) if (name(old, step) !== name(now, step)) return false;
  return true;
}

/** Where the cursor stands first: two thirds into what is in view, at the unit that speaks loudest there. */
function firstPlace(inst) {
  const { meta, heats } = inst.data;
  const step = Math.floor(0.66 * Math.min(meta.steps - 1, inst.layout.plot / inst.columnWidth));
  const heat = heats.filter((h) => h.track === inst.data.tracks[0]).at(-1);
  let unit = 0;
  for (let k = 0; k < heat.track.units; k++) {
    if (Math.abs(valueAt(inst.data, heat, step, k)) > Math.abs(valueAt(inst.data, heat, step, unit))) unit = k;
  }
  moveCursor(inst, { step, unit });
}

export default function ({ data, parentElement, setStateValue }) {
  const unpacked = unpack(data);
  let inst = instances.get(parentElement);
  const fresh = !inst;
  if (fresh) {
    inst = create(parentElement.querySelector(".gates"), unpacked);
    instances.set(parentElement, inst);
  }
  inst.send = setStateValue;
  update(inst, unpacked);
  if (fresh && !inst.pin) firstPlace(inst);
  return () => destroy(parentElement);
}
