// The coloured texts, the lines and the maps.

import { drawColourBar, drawMarker, lineColour, lineStyle, pixelImage } from "../shared/charts.js";
import { colourTable, luminance, mix } from "../shared/colours.js";
import { shown } from "../shared/numbering.js";
import { clamp, count, percent, power, short, shortOfLog } from "../shared/numbers.js";
import { widthOf } from "../shared/pens.js";
import { tr } from "../shared/words.js";
import { DIRECT, fateOf, logAt, logsOf, nameAt, pushAt, pushLimit, stateOf, targetOf } from "./data.js";
import { GUTTER, legendPlaces, legendStyle, letterPlace, LINES, mapX, mapY, PAD, rangeOf, xOfStep, yOfLog } from "./layout.js";

const DASHES = [[], [8, 4], [12, 3, 3, 3], [5, 2]]; // each reader's line
const DIRECT_DASH = [1.5, 3.5];

export function drawHead(pen, inst) {
  for (const band of inst.layout.bands) ({ pushes: drawPushBar, title: drawTitle, text: drawText, lines: drawLines })[band.kind](pen, inst, band);
}

const lineOf = (inst, reader) => lineStyle(inst, reader.place, DASHES, 2);

export function drawModelMarker(pen, inst, { place }, x, y, r) {
  drawMarker(pen, inst.theme, place % DASHES.length, x, y, r, lineColour(inst, place), 1);
}

export function drawSample(pen, inst, reader, x, y) {
  pen.path([[x, y], [x + 30, y]], lineOf(inst, reader));
  drawModelMarker(pen, inst, reader, x + 15, y, 4);
}

function drawTitle(pen, inst, { reader, y }) {
  const { theme, data, layout } = inst;
  drawSample(pen, inst, reader, PAD, y + 10);
  const style = { size: 12.5, weight: 600, fill: theme.ink, family: theme.sans };
  pen.text(reader.name, PAD + 38, y + 14, style);
  const after = PAD + 38 + widthOf(reader.name, style) + 10;
  const quiet = { ...style, weight: 400, fill: theme.quiet };
  const gave = tr("{cell}: gave {character} {percent}", { cell: reader.cell, character: nameAt(data, reader.aim[inst.row]), percent: percent(reader.chance[inst.row]) });
  pen.text(gave, after, y + 14, quiet);
  const limit = tr("colours to ±{push} nats", { push: short(pushLimit(inst, reader), 3) });
  if (after + widthOf(`${gave}   ${limit}`, quiet) < layout.width - PAD) pen.text(limit, layout.width - PAD, y + 14, { ...quiet, align: "right" });
}

/** How a push is coloured: blue through the background to orange, in even steps, or by the root, which shows small ones. */
function pushColour(inst, push, limit) {
  const share = clamp(push / limit, -1, 1);
  const level = inst.rooted ? Math.sign(share) * Math.sqrt(Math.abs(share)) : share;
  return pushColours(inst)[Math.round(127.5 + 127.5 * level)];
}

function pushColours(inst) {
  const theme = inst.theme.name;
  if (inst.pushColours?.theme !== theme) {
    const hex = inst.data.meta.colours.diverging[theme];
    const fills = Array.from({ length: 256 }, (_, k) => `#${hex.slice(6 * k, 6 * k + 6)}`);
    const inks = fills.map((fill) => (Math.abs(luminance(fill) - luminance(inst.theme.ink)) > 0.42 ? inst.theme.ink : inst.theme.paper));
    inst.pushColours = Object.assign(fills.map((fill, k) => [fill, inks[k]]), { theme });
  }
  return inst.pushColours;
}

function drawText(pen, inst, band) {
  const { data, theme, row, layout } = inst;
  const { wide, tall } = layout.letters;
  const [target, limit] = [targetOf(inst), pushLimit(inst, band.reader)];
  const size = Math.min(15, wide / 0.62);
  const faint = mix(theme.ink, theme.paper, 0.38);
  for (let step = 0; step < data.meta.columns; step++) {
    const [x, y] = letterPlace(inst, band, step);
    const [fill, ink] = step <= target ? pushColour(inst, pushAt(inst, band.reader, row, step), limit) : [null, faint];
    if (fill && fill !== theme.paper) pen.rect(x, y + 1, wide, tall - 2, { fill });
    drawLetter(pen, inst, data.meta.glyphs[data.typed[step]], x + wide / 2, y + tall * 0.7, size, ink, wide);
  }
  drawAim(pen, inst, band, target + 1);
}

/** A character of a small text: a boxed one as its frame alone. */
function drawLetter(pen, inst, [letter, , kind], x, y, size, fill, wide) {
  const style = { size, fill, family: inst.theme.mono, align: "center" };
  if (kind !== "boxed") return pen.text(letter, x, y, kind === "quiet" ? { ...style, alpha: 0.5 } : style);
  pen.rect(x - wide / 2 + 1, y - size * 0.72, wide - 2, size * 0.86, { stroke: fill, radius: 2 });
}

/** The character that came next: the loss is about it. */
function drawAim(pen, inst, band, step) {
  if (step >= inst.data.meta.columns) return;
  const { wide, tall } = inst.layout.letters;
  const [x, y] = letterPlace(inst, band, step);
  pen.rect(x + 1, y + tall - 3.5, wide - 2, 2.5, { fill: inst.theme.accent });
}

function drawLegend(pen, inst, band) {
  const style = legendStyle(inst);
  for (const { x, row, words, reader } of legendPlaces(inst, inst.layout.width)) {
    const y = band.y + row * LINES.legend + 9;
    if (reader) drawSample(pen, inst, reader, x, y);
    else pen.path([[x, y], [x + 30, y]], { stroke: inst.theme.ink, line: 1.5, dash: DIRECT_DASH });
    pen.text(words, x + 37, y + 4, style);
  }
}

function drawLines(pen, inst, band) {
  const { layout, data } = inst;
  drawLegend(pen, inst, band);
  drawAxes(pen, inst, band);
  pen.within(GUTTER, band.top, layout.plotWidth, band.plot, () => {
    if (inst.scale === "share") drawLimits(pen, inst, band);
    for (const reader of data.readers) {
      const name = stateOf(inst, reader);
      if (reader.states[name].direct) drawLine(pen, inst, reader, DIRECT + name, { ...lineOf(inst, reader), line: 1.5, dash: DIRECT_DASH });
      drawLine(pen, inst, reader, name, lineOf(inst, reader));
    }
  });
  drawFates(pen, inst, band);
}

function drawAxes(pen, inst, band) {
  const { theme, layout, data } = inst;
  const [low, high] = rangeOf(inst);
  const style = { size: 11, fill: theme.quiet, family: theme.sans, align: "right" };
  const right = GUTTER + layout.plotWidth;
  const apart = Math.ceil(((high - low) * 16) / band.plot);
  for (let decade = Math.ceil(low); decade <= high; decade += 1) {
    const y = yOfLog(inst, decade);
    pen.path([[GUTTER, y], [right, y]], { stroke: theme.faint });
    if (decade % apart === 0) pen.text(power(decade), GUTTER - 6, y + 4, style);
  }
  const foot = band.top + band.plot;
  const t = xOfStep(inst, targetOf(inst));
  pen.rect(t, band.top, right - t, band.plot, { fill: theme.empty });
  if (right - t > 90) pen.text(tr("not read yet"), (t + right) / 2, band.top + band.plot / 2, { ...style, align: "center", halo: theme.empty });
  pen.rect(GUTTER, band.top, layout.plotWidth, band.plot, { stroke: theme.faint });
  const { start, columns } = data.meta;
  pen.text(tr("character {character}", { character: count(shown("character", start)) }), GUTTER, foot + 15, { ...style, align: "left" });
  pen.text(count(shown("character", start + columns - 1)), right, foot + 15, style);
  const middle = layout.compact ? "s →" : tr("s, the character looked back at →");
  pen.text(middle, GUTTER + layout.plotWidth / 2, foot + 15, { ...style, align: "center" });
}

/** The two limits, as lines with their names. */
function drawLimits(pen, inst, band) {
  const { theme, data, layout } = inst;
  const style = { size: 11, fill: theme.quiet, family: theme.sans, halo: theme.paper };
  const limits = layout.compact
    ? [["vanished", "1/1000"], ["exploded", "10 ×"]]
    : [["vanished", tr("vanished: below 1/1000 of its value at s = t")], ["exploded", tr("exploded: above 10 times its value at s = t")]];
  for (const [kind, words] of limits) {
    const y = yOfLog(inst, Math.log10(data.meta[kind]));
    pen.path([[GUTTER, y], [GUTTER + layout.plotWidth, y]], { stroke: theme.quiet, dash: [3, 3] });
    pen.text(words, GUTTER + 6, kind === "vanished" ? y - 5 : y + 13, style);
  }
}

function drawLine(pen, inst, reader, name, style) {
  const points = [];
  const target = targetOf(inst);
  for (let step = 0; step <= target; step++) {
    const log = logAt(inst, reader, name, inst.row, step);
    if (!Number.isNaN(log)) points.push([xOfStep(inst, step), yOfLog(inst, log)]);
  }
  if (points.length > 1) pen.path(points, style);
  if (points.length) pen.circle(...points.at(-1), 2, { fill: style.stroke });
}

/** Where each line vanishes or explodes: a mark, and the word. */
function drawFates(pen, inst, band) {
  const places = { vanished: band.top + band.plot - 8, exploded: band.top + 42 };
  for (const kind of ["vanished", "exploded"]) {
    const marked = inst.data.readers.filter((reader) => fateOf(inst, reader, kind, inst.row) >= 0);
    marked.forEach((reader, k) => drawFate(pen, inst, reader, kind, places[kind] + (kind === "vanished" ? k - marked.length + 1 : k) * 15));
  }
}

function drawFate(pen, inst, reader, kind, y) {
  const { theme, layout, data } = inst;
  const step = fateOf(inst, reader, kind, inst.row);
  const fate = kind === "exploded" ? tr("exploded here") : layout.compact ? tr("vanished") : tr("vanished from here back");
  const words = data.readers.length > 1 ? tr("{model} {fate}", { model: reader.name, fate }) : fate;
  const style = { size: 11.5, weight: 600, fill: lineColour(inst, reader.place), family: theme.sans, halo: theme.paper };
  const x = xOfStep(inst, step);
  const on = clamp(yOfLog(inst, logAt(inst, reader, stateOf(inst, reader), inst.row, step)), layout.lines.top, layout.lines.top + layout.lines.plot);
  const wide = widthOf(words, style);
  const left = clamp(x - wide - 7 > GUTTER ? x - wide - 7 : x + 7, GUTTER + 3, GUTTER + layout.plotWidth - wide - 3);
  pen.path([[x, on], [x, y - 4]], { stroke: lineColour(inst, reader.place), dash: [1, 2] });
  drawModelMarker(pen, inst, reader, x, on, 4.5);
  pen.text(words, left, y, style);
}

export function drawMaps(pen, inst) {
  for (const map of inst.layout.maps) drawMap(pen, inst, map);
  drawBar(pen, inst);
}

function drawMap(pen, inst, map) {
  const { theme, data, layout } = inst;
  const { reader, x, y, width, height } = map;
  const symbol = reader.states[stateOf(inst, reader)].symbol;
  const style = { size: 12.5, weight: 600, fill: theme.ink, family: theme.sans };
  drawSample(pen, inst, reader, x, y - 10);
  pen.text(reader.name, x + 38, y - 6, style);
  const after = x + 38 + widthOf(reader.name, style) + 8;
  const quiet = { size: 11, fill: theme.quiet, family: theme.sans };
  const norm = tr("|∂ loss at t / ∂ {state} at s|", { state: symbol });
  if (after + widthOf(norm, quiet) < x + width) pen.text(norm, after, y - 6, quiet);
  pen.rect(x, y, width, height, { fill: theme.empty });
  pen.image(mapImage(inst, map), x, y, width, height);
  pen.within(x, y, width, height, () => drawEdge(pen, inst, map));
  pen.rect(x, y, width, height, { stroke: theme.faint });
  pen.text("t ↓", x - 8, y + 12, { ...quiet, align: "right" });
  pen.text("s →", x + width, y + height + 13, { ...quiet, align: "right" });
  if (layout.compact || width > 200) pen.text(count(shown("character", data.meta.start)), x, y + height + 13, quiet);
}

/** What the map's colours run between, as logarithms: blank where it has vanished, full ink at s = t. */
function mapEnds(inst) {
  if (inst.scale === "share") return [Math.log10(inst.data.meta.vanished), 0];
  const [low, high] = rangeOf(inst);
  return [low, high];
}

/** Every loss's row and every step on a small canvas; of those that share a pixel the largest. */
function mapImage(inst, { reader, width, height }) {
  const { data, theme } = inst;
  const { targets, columns } = data.meta;
  const wide = Math.min(columns, Math.round(width * inst.ratio));
  const tall = Math.min(targets.length, Math.round(height * inst.ratio));
  const key = `${reader.place}/${stateOf(inst, reader)}/${inst.scale}/${wide}/${tall}/${theme.dark}`;
  if (inst.images.has(key)) return inst.images.get(key);
  const canvas = pixelImage(document.createElement("canvas"), wide, tall, (pixels) => fillMap(inst, reader, wide, tall, pixels));
  inst.images.set(key, canvas);
  return canvas;
}

function fillMap(inst, reader, wide, tall, pixels) {
  const { data } = inst;
  const { targets, columns, colours } = data.meta;
  const theme = inst.theme.name;
  const table = colourTable(colours.gate[theme], 255);
  const over = colourTable(colours.diverging[theme], 255)[255];
  const [low, high] = mapEnds(inst);
  const loud = inst.scale === "share" ? Math.log10(data.meta.exploded) : Infinity;
  const logs = logsOf(data, reader, stateOf(inst, reader));
  const best = new Float32Array(wide * tall).fill(NaN);
  for (let row = 0; row < targets.length; row++) {
    const base = data.starts[row];
    const own = inst.scale === "share" ? logs[base + targets[row]] : 0;
    const line = Math.floor((row * tall) / targets.length) * wide;
    for (let step = 0; step <= targets[row]; step++) {
      const at = line + Math.floor((step * wide) / columns);
      const log = logs[base + step] - own;
      if (!(best[at] >= log)) best[at] = log;
    }
  }
  for (let k = 0; k < best.length; k++) {
    if (Number.isNaN(best[k])) continue; // not read yet
    pixels[k] = best[k] > loud ? over : table[Math.round(255 * clamp((best[k] - low) / (high - low), 0, 1))];
  }
}

/** Where the gradients have vanished, a mark a row; and the words for what is blank and what is orange. */
function drawEdge(pen, inst, map) {
  const { data, theme } = inst;
  const rows = data.meta.targets.length;
  const edge = (row) => fateOf(inst, map.reader, "vanished", row);
  for (let row = 0; row < rows; row++) {
    if (edge(row) < 0) continue;
    const x = mapX(inst, map, edge(row) + 1);
    pen.path([[x, mapY(inst, map, row)], [x, mapY(inst, map, row + 1)]], { stroke: theme.quiet, line: 1.25 });
  }
  drawFateWord(pen, inst, map, "vanished");
  drawFateWord(pen, inst, map, "exploded");
}

const mapWords = (theme) => ({ size: 11.5, weight: 600, fill: theme.ink, family: theme.sans, halo: theme.paper });

/** The word for a fate, where there is room for it: from its step back. */
function drawFateWord(pen, inst, map, kind) {
  const rows = inst.data.meta.targets.length;
  const style = mapWords(inst.theme);
  const word = kind === "vanished" ? tr("vanished") : tr("exploded");
  const room = widthOf(word, style) + 12;
  for (const part of [0.78, 0.92, 0.64, 0.5, 0.36]) {
    const row = Math.min(rows - 1, Math.floor(part * rows));
    const step = fateOf(inst, map.reader, kind, row);
    const wide = step < 0 ? 0 : mapX(inst, map, step + 1) - map.x;
    if (wide >= room) return pen.text(word, map.x + wide / 2, mapY(inst, map, row) + 4, { ...style, align: "center" });
  }
}

/** What the colours mean: of the maps, and of the text above. */
function drawBar(pen, inst) {
  const { theme, layout, data } = inst;
  const style = { size: 11, fill: theme.quiet, family: theme.sans };
  const [low, high] = mapEnds(inst);
  const ends = inst.scale === "share" ? [tr("vanished, below 1/1000"), tr("1, its value at s = t")] : [shortOfLog(low), shortOfLog(high)];
  const after = drawScale(pen, inst, "gate", PAD, layout.bar, ends, style.size);
  if (inst.scale !== "share") return;
  const words = tr("exploded, above 10");
  const [x, y] = after + 40 + widthOf(words, style) < layout.width ? [after + 16, layout.bar] : [PAD, layout.bar + 20];
  pen.rect(x, y, 14, 9, { fill: `#${data.meta.colours.diverging[theme.name].slice(-6)}` });
  pen.text(words, x + 20, y + 8.5, style);
}

/** What the colours of the text mean; of one text alone also where they end. */
function drawPushBar(pen, inst, { y }) {
  const { compact, texts } = inst.layout;
  const lower = compact ? tr("less likely") : tr("made what came less likely");
  const higher = texts.length === 1 ? tr("likelier ±{push} nats", { push: short(pushLimit(inst, texts[0]), 3) }) : tr("likelier");
  drawScale(pen, inst, "diverging", PAD, y + 4, [lower, higher], 11.5);
}

function drawScale(pen, inst, scale, x, y, ends, size) {
  return drawColourBar(pen, inst.theme, colourTable(inst.data.meta.colours[scale][inst.theme.name], 63), ends, x, y, { width: 80, height: 9, size, gap: 6 });
}
