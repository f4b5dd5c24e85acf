// The linked picture of the page Long range: which characters mattered for the prediction after character t, how far back
// its gradient reaches as lines, and the same for every t as a map.
//
// Python (pages/common/long_range/view.py) sends numbers, of each loss only what came before it. Everything here runs
// without the server, but for one message: "pin" when a character is pinned.

import { colourTable, luminance, mix, readTheme } from "../shared/colours.js";
import { choice, element, iconButton, option, saveAs } from "../shared/elements.js";
import { destroy, instances } from "../shared/instances.js";
import { clamp, count, counted, percent, power, short, shortOfLog, signed } from "../shared/numbers.js";
import { penOn, SERIF, SvgPen, widthOf, wrapped } from "../shared/pens.js";
import { showPlaying, stop, togglePlay } from "../shared/player.js";

const COMPACT = 620;
const PAD = 6;
const GUTTER = 58; // left of the lines: their axis
const LINES = { legend: 18, plot: 236, plotCompact: 200, foot: 22, top: 8 };
const LETTER = { few: 250, wide: 11, narrow: 8, tall: 24, short: 19 }; // a text of more than `few` characters is set smaller
const MOST_ROWS = 16; // rows of coloured text; more, and one model's is drawn at a time
const MAP = { title: 22, foot: 18, gap: 26, least: 240, most: 340 };
const DASHES = [[], [8, 4], [12, 3, 3, 3], [5, 2]]; // each reader's line
const BELT = [1.5, 3.5];
const SPEEDS = [2, 5, 10, 20];
const DECADES = 6; // that the lines show below their top
const BACK = 10; // characters that are looked back at first
const ENDLESS = 65535;

// ---------------------------------------------------------------- the data

const columnsOf = (table) => Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name).toArray()]));

function unpack(data) {
  const { meta, view } = data;
  const starts = new Uint32Array(meta.targets.length); // where each loss's row begins in the flat columns
  for (let row = 1; row < starts.length; row++) starts[row] = starts[row - 1] + meta.targets[row - 1] + 1;
  const readers = meta.readers.map((reader, place) => {
    const [norms, fates] = [columnsOf(data[`norms${place}`]), columnsOf(data[`fates${place}`])];
    return { ...reader, place, norms, fates, ...columnsOf(data[`pushes${place}`]), ...columnsOf(data[`loss${place}`]), logs: {} };
  });
  return { meta, view, readers, starts, typed: columnsOf(data.text).typed };
}

const stateOf = (inst, reader) => (inst.state === "memory" ? reader.memory : "hidden");

/** The common logarithms of a reader's norms: -Infinity for nothing at all, Infinity without bounds. */
function logsOf({ meta }, reader, name) {
  return (reader.logs[name] ??= Float32Array.from(reader.norms[name], (level) => {
    if (level === 0) return -Infinity;
    return level === ENDLESS ? Infinity : meta.low + ((level - 1) * (meta.high - meta.low)) / (meta.levels - 1);
  }));
}

/** The logarithm of a norm as it is drawn: of the norm itself, or of its share of the value at the loss's own step. */
function logAt(inst, reader, name, row, step) {
  const { data } = inst;
  const logs = logsOf(data, reader, name);
  const log = logs[data.starts[row] + step];
  if (inst.scale === "norm") return log;
  const own = logsOf(data, reader, name.replace("belt ", ""))[data.starts[row] + data.meta.targets[row]];
  return log === own ? 0 : log - own;
}

const fateOf = (inst, reader, kind, row) => reader.fates[`${kind} ${stateOf(inst, reader)}`][row];
const pushAt = ({ data }, reader, row, step) => reader.pushes[data.starts[row] + step];
const targetOf = (inst) => inst.data.meta.targets[inst.row];
const probeOf = (inst) => Math.max(0, targetOf(inst) - inst.back);

/** The loss that is followed back nearest to a step of the stretch. */
function rowNear({ meta }, step) {
  const { targets, stride } = meta;
  return clamp(Math.round((step - targets[0]) / stride), 0, targets.length - 1);
}

// ---------------------------------------------------------------- where everything stands

function layoutOf(inst) {
  const { meta, readers } = inst.data;
  const width = Math.max(240, inst.root.clientWidth);
  const compact = width < COMPACT;
  const letters = lettersFor(meta.columns, width);
  const shown = shownTexts(inst, letters);
  const bands = [{ kind: "pushes", y: 0, height: 22 }];
  let y = 22;
  for (const reader of shown) {
    bands.push({ kind: "title", reader, y, height: 20 });
    bands.push({ kind: "text", reader, y: y + 20, height: letters.rows * letters.tall });
    y += 20 + letters.rows * letters.tall + 8;
  }
  const legend = legendRows(inst, width) * LINES.legend;
  const plot = compact ? LINES.plotCompact : LINES.plot;
  const lines = { kind: "lines", y, legend, top: y + legend + LINES.top, plot, height: legend + LINES.top + plot + LINES.foot };
  bands.push(lines);
  y += lines.height + 14;
  const maps = mapGrid(readers, width, y);
  const bar = maps.at(-1).y + maps.at(-1).height + MAP.foot + 12;
  return { width, compact, letters, shown, bands, lines, maps, bar, plotWidth: width - GUTTER - PAD, height: bar + (compact ? 40 : 20) };
}

function lettersFor(columns, width) {
  const [wide, tall] = columns <= LETTER.few ? [LETTER.wide, LETTER.tall] : [LETTER.narrow, LETTER.short];
  const perRow = Math.max(10, Math.floor((width - 2 * PAD) / wide));
  return { wide, tall, perRow, rows: Math.ceil(columns / perRow) };
}

function shownTexts(inst, letters) {
  const { readers } = inst.data;
  const choice = inst.texts === null ? (letters.rows * readers.length <= MOST_ROWS ? "all" : 0) : inst.texts;
  return choice === "all" ? readers : [readers[Math.min(choice, readers.length - 1)]];
}

function mapGrid(readers, width, top) {
  const most = width < COMPACT ? 1 : clamp(Math.floor((width + MAP.gap) / (MAP.least + MAP.gap)), 1, readers.length);
  const across = readers.length === 4 && most === 3 ? 2 : most;
  const wide = Math.min(560, (width - GUTTER - PAD - (across - 1) * (MAP.gap + 24)) / across);
  const height = clamp(Math.round(wide * 0.72), 170, MAP.most);
  return readers.map((reader, k) => {
    const [column, row] = [k % across, Math.floor(k / across)];
    return { reader, x: GUTTER + column * (wide + MAP.gap + 24), y: top + MAP.title + row * (MAP.title + height + MAP.foot + 10), width: wide, height };
  });
}

const xOfStep = (inst, step) => GUTTER + ((step + 0.5) / inst.data.meta.columns) * inst.layout.plotWidth;

function letterPlace(inst, band, step) {
  const { perRow, wide, tall } = inst.layout.letters;
  return [PAD + (step % perRow) * wide, band.y + Math.floor(step / perRow) * tall];
}

/** Which powers of ten the lines lie between; the same for every t, so that nothing jumps. */
function rangeOf(inst) {
  const key = `${inst.scale}/${inst.state}`;
  if (inst.ranges.has(key)) return inst.ranges.get(key);
  const { data } = inst;
  let [least, most] = [Infinity, -Infinity];
  for (const reader of data.readers) {
    const name = stateOf(inst, reader);
    for (let row = 0; row < data.meta.targets.length; row++) {
      for (let step = 0; step <= data.meta.targets[row]; step++) {
        const log = logAt(inst, reader, name, row, step);
        if (log < least && log !== -Infinity) least = log;
        if (log > most && log !== Infinity) most = log;
      }
    }
  }
  if (!Number.isFinite(most)) [least, most] = [-1, 0];
  const share = inst.scale === "share";
  const high = share ? Math.max(Math.log10(data.meta.exploded) + 0.35, most + 0.2) : most + 0.2;
  const floor = share ? Math.min(Math.log10(data.meta.vanished) - 1, Math.max(least, -DECADES)) : Math.max(least - 0.2, most - DECADES - 1);
  inst.ranges.set(key, [Math.min(floor, high - 2), high]);
  return inst.ranges.get(key);
}

function yOfLog(inst, log) {
  const [low, high] = rangeOf(inst);
  const { top, plot } = inst.layout.lines;
  return top + plot - ((clamp(log, low - 1, high + 1) - low) / (high - low)) * plot;
}

// ---------------------------------------------------------------- the coloured text and the lines

function drawHead(pen, inst) {
  for (const band of inst.layout.bands) ({ pushes: drawPushBar, title: drawTitle, text: drawText, lines: drawLines })[band.kind](pen, inst, band);
}

const colourOf = (inst, reader) => inst.data.meta.lines[inst.theme.dark ? "dark" : "light"][reader.place];
const lineStyle = (inst, reader) => ({ stroke: colourOf(inst, reader), line: 2, dash: DASHES[reader.place % DASHES.length] });
const layerText = (reader) => (reader.layers > 1 ? `, layer ${reader.layer + 1} of ${reader.layers}` : "");

function drawMarker(pen, inst, reader, x, y, r) {
  const around = { fill: colourOf(inst, reader), stroke: inst.theme.paper, line: 1 };
  const polygon = (...corners) => pen.path([...corners, corners[0]].map(([a, b]) => [x + a * r, y + b * r]), around);
  const shapes = [
    () => pen.circle(x, y, r, around),
    () => polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]),
    () => polygon([0, -1.3], [1.2, 0.9], [-1.2, 0.9]),
    () => polygon([0, -1.4], [1.2, 0], [0, 1.4], [-1.2, 0]),
  ];
  shapes[reader.place % shapes.length]();
}

function drawSample(pen, inst, reader, x, y) {
  pen.path([[x, y], [x + 30, y]], lineStyle(inst, reader));
  drawMarker(pen, inst, reader, x + 15, y, 4);
}

function drawTitle(pen, inst, { reader, y }) {
  const { theme, data, layout } = inst;
  drawSample(pen, inst, reader, PAD, y + 10);
  const style = { size: 12.5, weight: 600, fill: theme.ink, family: theme.sans };
  pen.text(reader.name, PAD + 38, y + 14, style);
  const after = PAD + 38 + widthOf(reader.name, style) + 10;
  const quiet = { ...style, weight: 400, fill: theme.quiet };
  const said = `${reader.cell}: gave ${spoken(data, reader.aim[inst.row])} ${percent(reader.chance[inst.row])}`;
  pen.text(said, after, y + 14, quiet);
  const limit = `colours to ±${short(pushLimit(inst, reader), 3)} nats`;
  if (after + widthOf(`${said}   ${limit}`, quiet) < layout.width - PAD) pen.text(limit, layout.width - PAD, y + 14, { ...quiet, align: "right" });
}

/** Where the colours of a text end: at the largest push that this reader's loss got. */
function pushLimit(inst, reader) {
  const { limits, data, row } = inst;
  const key = `${reader.place}/${row}`;
  if (!limits.has(key)) {
    let most = 0;
    for (let step = 0; step <= data.meta.targets[row]; step++) most = Math.max(most, Math.abs(pushAt(inst, reader, row, step)));
    limits.set(key, most || 1);
  }
  return limits.get(key);
}

/** How a push is coloured: blue through the background to orange, in even steps, or by the root, which shows small ones. */
function pushColour(inst, push, limit) {
  const share = clamp(push / limit, -1, 1);
  const level = inst.rooted ? Math.sign(share) * Math.sqrt(Math.abs(share)) : share;
  return pushColours(inst)[Math.round(127.5 + 127.5 * level)];
}

function pushColours(inst) {
  const theme = inst.theme.dark ? "dark" : "light";
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
    drawGlyph(pen, inst, data.meta.glyphs[data.typed[step]], x + wide / 2, y + tall * 0.7, size, ink, wide);
  }
  drawAim(pen, inst, band, target + 1);
}

function drawGlyph(pen, inst, [shown, , kind], x, y, size, fill, wide) {
  const style = { size, fill, family: inst.theme.mono, align: "center" };
  if (kind !== "boxed") return pen.text(shown, x, y, kind === "quiet" ? { ...style, alpha: 0.5 } : style);
  pen.rect(x - wide / 2 + 1, y - size * 0.72, wide - 2, size * 0.86, { stroke: fill, radius: 2 });
}

/** The character that came next: the loss is about it. */
function drawAim(pen, inst, band, step) {
  if (step >= inst.data.meta.columns) return;
  const { wide, tall } = inst.layout.letters;
  const [x, y] = letterPlace(inst, band, step);
  pen.rect(x + 1, y + tall - 3.5, wide - 2, 2.5, { fill: inst.theme.accent });
}

function legendItems(inst) {
  return inst.data.readers.map((reader) => {
    const { symbol, belt } = reader.states[stateOf(inst, reader)];
    return { reader, symbol, belt, words: `${reader.name}${layerText(reader)}: through ${symbol}` };
  });
}

const LEGEND = { size: 12 };
const legendStyle = (inst) => ({ ...LEGEND, family: inst.theme.sans, fill: inst.theme.ink });

/** The rows that the legend takes, and where each item stands. */
function legendPlaces(inst, width) {
  const style = legendStyle(inst);
  const items = legendItems(inst);
  const entries = items.map((item) => ({ ...item, wide: 38 + widthOf(item.words, style) + 22 }));
  if (items.some((item) => item.belt)) entries.push({ words: beltWords(items), wide: 38 + widthOf(beltWords(items), style) });
  let [x, row] = [PAD, 0];
  for (const entry of entries) {
    if (x > PAD && x + entry.wide > width) [x, row] = [PAD, row + 1];
    Object.assign(entry, { x, row });
    x += entry.wide;
  }
  return entries;
}

const beltWords = (items) => {
  const symbols = [...new Set(items.filter((item) => item.belt).map((item) => item.symbol))].join(" and ");
  return `dotted: the belt, ${symbols} through its gates alone`;
};

const legendRows = (inst, width) => legendPlaces(inst, width).at(-1).row + 1;

function drawLegend(pen, inst, band) {
  const style = legendStyle(inst);
  for (const { x, row, words, reader } of legendPlaces(inst, inst.layout.width)) {
    const y = band.y + row * LINES.legend + 9;
    if (reader) drawSample(pen, inst, reader, x, y);
    else pen.path([[x, y], [x + 30, y]], { stroke: inst.theme.ink, line: 1.5, dash: BELT });
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
      if (reader.states[name].belt) drawLine(pen, inst, reader, `belt ${name}`, { ...lineStyle(inst, reader), line: 1.5, dash: BELT });
      drawLine(pen, inst, reader, name, lineStyle(inst, reader));
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
  if (right - t > 90) pen.text("not read yet", t + 8, foot - 8, { ...style, align: "left" });
  pen.rect(GUTTER, band.top, layout.plotWidth, band.plot, { stroke: theme.faint });
  const { start, columns } = data.meta;
  pen.text(`character ${count(start + 1)}`, GUTTER, foot + 15, { ...style, align: "left" });
  pen.text(count(start + columns), right, foot + 15, style);
  const middle = layout.compact ? "s →" : "s, the character looked back at →";
  pen.text(middle, GUTTER + layout.plotWidth / 2, foot + 15, { ...style, align: "center" });
}

/** The two limits, as lines with their names. */
function drawLimits(pen, inst, band) {
  const { theme, data, layout } = inst;
  const style = { size: 11, fill: theme.quiet, family: theme.sans, halo: theme.paper };
  const said = layout.compact
    ? [["vanished", "1/1000"], ["exploded", "10 ×"]]
    : [["vanished", "vanished: below 1/1000 of its value at s = t"], ["exploded", "exploded: above 10 times its value at s = t"]];
  for (const [kind, words] of said) {
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
  const fate = kind === "exploded" ? "exploded here" : layout.compact ? "vanished" : "vanished from here back";
  const words = `${data.readers.length > 1 ? `${reader.name} ` : ""}${fate}`;
  const style = { size: 11.5, weight: 600, fill: colourOf(inst, reader), family: theme.sans, halo: theme.paper };
  const x = xOfStep(inst, step);
  const on = clamp(yOfLog(inst, logAt(inst, reader, stateOf(inst, reader), inst.row, step)), layout.lines.top, layout.lines.top + layout.lines.plot);
  const wide = widthOf(words, style);
  const left = clamp(x - wide - 7 > GUTTER ? x - wide - 7 : x + 7, GUTTER + 3, GUTTER + layout.plotWidth - wide - 3);
  pen.path([[x, on], [x, y - 4]], { stroke: colourOf(inst, reader), dash: [1, 2] });
  drawMarker(pen, inst, reader, x, on, 4.5);
  pen.text(words, left, y, style);
}

// ---------------------------------------------------------------- the maps: every t, every s

function drawMaps(pen, inst) {
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
  const said = `|∂ loss at t / ∂ ${symbol} at s|`;
  if (after + widthOf(said, quiet) < x + width) pen.text(said, after, y - 6, quiet);
  pen.rect(x, y, width, height, { fill: theme.empty });
  pen.image(mapImage(inst, map), x, y, width, height);
  pen.within(x, y, width, height, () => drawEdge(pen, inst, map));
  pen.rect(x, y, width, height, { stroke: theme.faint });
  pen.text("t ↓", x - 8, y + 12, { ...quiet, align: "right" });
  pen.text("s →", x + width, y + height + 13, { ...quiet, align: "right" });
  if (layout.compact || width > 200) pen.text(`${count(data.meta.start + 1)}`, x, y + height + 13, quiet);
}

const mapX = (inst, map, step) => map.x + (step / inst.data.meta.columns) * map.width;
const mapY = (inst, map, row) => map.y + (row / inst.data.meta.targets.length) * map.height;

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
  const canvas = Object.assign(document.createElement("canvas"), { width: wide, height: tall });
  const context = canvas.getContext("2d");
  const image = context.createImageData(wide, tall);
  fillMap(inst, reader, wide, tall, new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
  inst.images.set(key, canvas);
  return canvas;
}

function fillMap(inst, reader, wide, tall, pixels) {
  const { data } = inst;
  const { targets, columns, colours } = data.meta;
  const theme = inst.theme.dark ? "dark" : "light";
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
  const room = widthOf(kind, style) + 12;
  for (const part of [0.78, 0.92, 0.64, 0.5, 0.36]) {
    const row = Math.min(rows - 1, Math.floor(part * rows));
    const step = fateOf(inst, map.reader, kind, row);
    const wide = step < 0 ? 0 : mapX(inst, map, step + 1) - map.x;
    if (wide >= room) return pen.text(kind, map.x + wide / 2, mapY(inst, map, row) + 4, { ...style, align: "center" });
  }
}

/** What the colours mean: of the maps, and of the text above. */
function drawBar(pen, inst) {
  const { theme, layout, data } = inst;
  const style = { size: 11, fill: theme.quiet, family: theme.sans };
  const [low, high] = mapEnds(inst);
  const ends = inst.scale === "share" ? ["vanished, below 1/1000", "1, its value at s = t"] : [shortOfLog(low), shortOfLog(high)];
  const after = drawScale(pen, inst, "gate", PAD, layout.bar, ends, style);
  if (inst.scale !== "share") return;
  const words = "exploded, above 10";
  const [x, y] = after + 40 + widthOf(words, style) < layout.width ? [after + 16, layout.bar] : [PAD, layout.bar + 20];
  pen.rect(x, y, 14, 9, { fill: `#${data.meta.colours.diverging[theme.dark ? "dark" : "light"].slice(-6)}` });
  pen.text(words, x + 20, y + 8.5, style);
}

/** What the colours of the text mean; of one text alone also where they end. */
function drawPushBar(pen, inst, { y }) {
  const style = { size: 11.5, fill: inst.theme.quiet, family: inst.theme.sans };
  const most = Math.max(...inst.layout.shown.map((reader) => pushLimit(inst, reader)));
  const alone = inst.layout.shown.length === 1 ? ` ±${short(most, 3)} nats` : "";
  const sides = inst.layout.compact ? ["less likely", `likelier${alone}`] : ["made what came less likely", `likelier${alone}`];
  drawScale(pen, inst, "diverging", PAD, y + 4, sides, style);
}

/**
 * @param {Pen} pen
 * @param {Instance} inst
 * @param {string} scale
 * @param {number} x
 * @param {number} y
 * @param {string[]} ends
 * @param {TextStyle} style
 */
function drawScale(pen, inst, scale, x, y, [low, high], style) {
  const { theme } = inst;
  const table = colourTable(inst.data.meta.colours[scale][theme.dark ? "dark" : "light"], 63);
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 1 });
  const context = canvas.getContext("2d");
  const image = context.createImageData(64, 1);
  new Uint32Array(image.data.buffer).set(table);
  context.putImageData(image, 0, 0);
  const left = x + widthOf(low, style) + 6;
  pen.text(low, x, y + 8.5, style);
  pen.image(canvas, left, y, 80, 9);
  pen.rect(left, y, 80, 9, { stroke: theme.faint });
  pen.text(high, left + 86, y + 8.5, style);
  return left + 86 + widthOf(high, style);
}

// ---------------------------------------------------------------- the cursor and the pin, above the picture

function drawOverlay(pen, inst) {
  for (const band of inst.layout.bands) if (band.kind === "text") drawTextMarks(pen, inst, band);
  drawLineMarks(pen, inst);
  for (const map of inst.layout.maps) drawMapMarks(pen, inst, map);
}

function drawTextMarks(pen, inst, band) {
  const { theme, layout } = inst;
  const { wide, tall } = layout.letters;
  const box = (step, style) => {
    const [x, y] = letterPlace(inst, band, step);
    pen.rect(x + 0.5, y + 1.5, wide - 1, tall - 3, { radius: 2.5, ...style });
  };
  if (inst.pin !== null) box(inst.data.meta.targets[inst.pin], { stroke: theme.accent, line: 2 });
  box(targetOf(inst), { stroke: theme.ink, line: 1.75 });
  const [x, y] = letterPlace(inst, band, probeOf(inst));
  if (probeOf(inst) !== targetOf(inst)) pen.path([[x + wide / 2 - 3.5, y + tall + 1], [x + wide / 2 + 3.5, y + tall + 1], [x + wide / 2, y + tall - 5]], { fill: theme.ink });
}

function drawLineMarks(pen, inst) {
  const { theme, layout, data } = inst;
  const { top, plot } = layout.lines;
  const t = xOfStep(inst, targetOf(inst));
  pen.path([[t, top], [t, top + plot]], { stroke: theme.ink, line: 1.25 });
  pen.text("t", t + 4, top + 11, { size: 12, italic: true, fill: theme.ink, family: SERIF, halo: theme.paper });
  const s = xOfStep(inst, probeOf(inst));
  if (probeOf(inst) === targetOf(inst)) return;
  pen.path([[s, top], [s, top + plot]], { stroke: theme.ink, dash: [2, 3] });
  pen.text("s", s + 4, top + 11, { size: 12, italic: true, fill: theme.ink, family: SERIF, halo: theme.paper });
  pen.within(GUTTER, top, layout.plotWidth, plot, () => {
    for (const reader of data.readers) {
      const log = logAt(inst, reader, stateOf(inst, reader), inst.row, probeOf(inst));
      if (!Number.isNaN(log)) drawMarker(pen, inst, reader, s, yOfLog(inst, log), 4.5);
    }
  });
}

function drawMapMarks(pen, inst, map) {
  const { theme, data } = inst;
  const middle = (row) => mapY(inst, map, row + 0.5);
  if (inst.pin !== null) {
    const y = middle(inst.pin);
    pen.path([[map.x - 6, y - 4.5], [map.x - 6, y + 4.5], [map.x, y]], { fill: theme.accent });
  }
  const y = middle(inst.row);
  const end = mapX(inst, map, targetOf(inst) + 1);
  pen.path([[map.x, y], [end, y]], { stroke: theme.paper, line: 3.5, alpha: 0.6 });
  pen.path([[map.x, y], [end, y]], { stroke: theme.accent, line: 1.5 });
  const s = mapX(inst, map, probeOf(inst) + 0.5);
  pen.circle(s, y, 3.5, { fill: theme.accent, stroke: theme.paper, line: 1.25 });
  if (data.meta.columns > 1) pen.text("t", Math.min(end + 4, map.x + map.width - 8), y + 4, { size: 12, italic: true, fill: theme.ink, family: SERIF, halo: theme.paper });
}

// ---------------------------------------------------------------- painting on the screen

function arrange(inst) {
  inst.ratio = Math.min(window.devicePixelRatio || 1, 3);
  inst.layout = layoutOf(inst);
  inst.el.stage.style.height = `${inst.layout.height}px`;
}

function paint(inst) {
  const { el, layout, ratio } = inst;
  drawMaps(penOn(el.maps, layout.width, layout.height, ratio), inst);
  paintMoving(inst);
}

/** All that moves with t: the colours of the text, the lines, the marks, the words. */
function paintMoving(inst) {
  const { el, layout, ratio } = inst;
  const head = layout.lines.y + layout.lines.height;
  drawHead(penOn(el.head, layout.width, head, ratio), inst);
  paintOverlay(inst);
}

function paintOverlay(inst) {
  const { el, layout, ratio } = inst;
  drawOverlay(penOn(el.cursor, layout.width, layout.height, ratio), inst);
  writeReadout(inst);
}

// ---------------------------------------------------------------- words

function spoken({ meta }, index) {
  const [shown, name, kind] = meta.glyphs[index];
  return kind === "plain" ? `“${shown}”` : name;
}

function writeReadout(inst) {
  const { el, data, row } = inst;
  const { meta, typed, readers } = data;
  const target = targetOf(inst);
  const [shown, name] = meta.glyphs[typed[target]];
  el.typed.textContent = shown;
  el.typed.title = name;
  el.step.textContent = `t: after character ${count(meta.start + target + 1)} of ${count(meta.steps)}`;
  const last = meta.start + target === meta.steps - 1;
  el.aim.textContent = last ? "the text ends: the likeliest character is meant" : `then came ${spoken(data, readers[0].aim[row])}`;
  const back = target - probeOf(inst);
  el.probe.textContent = `s: ${spoken(data, typed[probeOf(inst)])}, ${back ? `${counted(back, "character")} back` : "the same"}`;
  readers.forEach((reader, k) => writeReader(inst, reader, el.lines[k]));
  Object.assign(inst.root.dataset, { step: meta.start + target, back, pinned: inst.pin === null ? "" : meta.start + meta.targets[inst.pin] });
  inst.root.dataset.left = readers.map((reader) => shortOfLog(leftAt(inst, reader))).join(" ");
  speakSoon(inst);
}

const leftAt = (inst, reader, prefix = "") => logAt(inst, reader, prefix + stateOf(inst, reader), inst.row, probeOf(inst));

function writeReader(inst, reader, line) {
  const { row } = inst;
  line.chance.textContent = `gave ${spoken(inst.data, reader.aim[row])} ${percent(reader.chance[row])}`;
  line.left.textContent = leftWords(inst, reader);
  line.belt.textContent = beltShare(inst, reader);
  line.fate.textContent = fateWords(inst, reader);
  line.push.textContent = `push ${signed(pushAt(inst, reader, row, probeOf(inst)))}`;
}

const leftWords = (inst, reader) => `${inst.scale === "share" ? "left at s" : "norm at s"} ${shortOfLog(leftAt(inst, reader))}`;

function beltShare(inst, reader) {
  const { belt } = reader.states[stateOf(inst, reader)];
  if (!belt) return "no belt";
  return `belt alone ${shortOfLog(leftAt(inst, reader, "belt "))}`;
}

function fateWords(inst, reader) {
  const target = targetOf(inst);
  const [gone, loud] = ["vanished", "exploded"].map((kind) => fateOf(inst, reader, kind, inst.row));
  const exploded = loud >= 0 ? `exploded ${counted(target - loud, "character")} back` : "";
  const end = inst.data.meta.start ? "reaches the beginning of the stretch" : "reaches the first character";
  const vanished = gone >= 0 ? `vanished ${counted(target - gone, "character")} back` : end;
  return [exploded, vanished].filter(Boolean).join(", ");
}

function speakSoon(inst) {
  clearTimeout(inst.timers.speak);
  inst.timers.speak = setTimeout(() => (inst.el.live.textContent = sentence(inst)), inst.playing ? 1500 : 200);
}

function sentence(inst) {
  const { el, data } = inst;
  const readers = data.readers.map((reader, k) => {
    const { chance, left, belt, fate, push } = el.lines[k];
    return `${reader.name}: ${[chance, left, belt, push, fate].map((part) => part.textContent).join(", ")}`;
  });
  return `${spoken(data, data.typed[targetOf(inst)])}, ${el.step.textContent}, ${el.aim.textContent}. ${el.probe.textContent}. ${readers.join(". ")}.`;
}

function captionOf(inst) {
  const { meta, readers } = inst.data;
  const of = readers.map((reader) => `${reader.name} (${reader.cell}${layerText(reader)}, ${reader.units} units, through ${reader.states[stateOf(inst, reader)].symbol})`);
  const what = inst.scale === "share" ? "as a share of its value at s = t" : "as it is";
  const stretch = meta.columns < meta.steps ? ` Characters ${count(meta.start + 1)} to ${count(meta.start + meta.columns)} of ${count(meta.steps)}.` : "";
  const stride = meta.stride > 1 ? ` Every ${ordinal(meta.stride)} character’s loss.` : "";
  const symbols = [...new Set(readers.filter((reader) => reader.states[stateOf(inst, reader)].belt).map((reader) => reader.states[stateOf(inst, reader)].symbol))];
  const belt = symbols.length ? ` Dotted: what goes along ${symbols.join(" or ")} alone, multiplied by what the gate keeps at each step.` : "";
  return (
    `${of.join("; ")}.${stretch}${stride} Lines and maps: the size of the gradient of the loss after character t with respect to the state after character s, ${what}.${belt}` +
    ` Vanished: below 1/1000 of its value at s = t, from there back. Exploded: above 10 times that.` +
    ` Text: gradient times input, nats; orange made the character that came likelier, blue less likely; each text’s colours end at the largest push of this t${inst.rooted ? ", and grow by the root" : ""}; the largest of all is ${short(meta.most, 3)}.`
  );
}

const ordinal = (n) => `${n}${n % 10 === 1 && n % 100 !== 11 ? "st" : n % 10 === 2 && n % 100 !== 12 ? "nd" : n % 10 === 3 && n % 100 !== 13 ? "rd" : "th"}`;

function poolingNote(inst) {
  const [map] = inst.layout.maps;
  const { columns, targets } = inst.data.meta;
  const shared = columns > map.width * inst.ratio + 1 || targets.length > map.height * inst.ratio + 1;
  return shared ? "In the maps several share a pixel: the largest is shown." : "";
}

function writeFoot(inst) {
  const { el, data } = inst;
  const { readers } = data;
  el.caption.textContent = `${captionOf(inst)} ${poolingNote(inst)}`.trim();
  el.state.hidden = readers.every((reader) => reader.memory === "hidden");
  el.scale.textContent = inst.scale === "share" ? "Show sizes" : "Show shares";
  el.scale.title = inst.scale === "share" ? "The gradients as they are" : "As shares of each one's value at s = t";
  el.small.textContent = inst.rooted ? "Even colours" : "Show small pushes";
  el.small.setAttribute("aria-pressed", inst.rooted);
  el.texts.hidden = readers.length === 1;
  const choices = [["all", "text of all models"], ...readers.map((reader, k) => [k, `text of ${reader.name}`])];
  el.texts.replaceChildren(...choices.map(([value, words]) => option(value, words)));
  el.texts.value = inst.layout.shown.length > 1 ? "all" : inst.layout.shown[0].place;
  const names = readers.map((reader) => reader.name).join(", ");
  el.cursor.setAttribute("aria-label", `Gradients over ${data.meta.columns} characters, of ${names}. Left and right move t, up and down move s, Enter pins, Space plays.`);
  el.head.setAttribute("aria-label", el.caption.textContent);
}

// ---------------------------------------------------------------- moving

function moveTo(inst, row, back = inst.back) {
  const next = clamp(row, 0, inst.data.meta.targets.length - 1);
  const far = clamp(back, 0, inst.data.meta.columns - 1);
  if (next === inst.row && far === inst.back) return;
  const moved = next !== inst.row;
  Object.assign(inst, { row: next, back: far });
  if (moved) paintMoving(inst);
  else paintOverlay(inst);
}

const moveBack = (inst, by) => moveTo(inst, inst.row, clamp(targetOf(inst) - probeOf(inst) + by, 0, targetOf(inst)));

/** What lies under the pointer: a loss, and how far back is looked. */
function placeAt(inst, event) {
  const box = inst.el.cursor.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const { layout, data } = inst;
  const { columns, targets } = data.meta;
  const text = layout.bands.find((band) => band.kind === "text" && y >= band.y && y < band.y + band.height);
  if (text) {
    const { perRow, wide, tall } = layout.letters;
    const [column, line] = [Math.floor((x - PAD) / wide), Math.floor((y - text.y) / tall)];
    const step = line * perRow + column;
    return column >= 0 && column < perRow && step < columns ? { row: rowNear(data, step) } : null;
  }
  const { top, plot } = layout.lines;
  if (y >= top && y < top + plot && x >= GUTTER && x < GUTTER + layout.plotWidth) {
    const step = Math.floor(((x - GUTTER) / layout.plotWidth) * columns);
    return { row: inst.row, back: Math.max(0, targetOf(inst) - step) };
  }
  const map = layout.maps.find((m) => x >= m.x && x < m.x + m.width && y >= m.y && y < m.y + m.height);
  if (!map) return null;
  const row = clamp(Math.floor(((y - map.y) / map.height) * targets.length), 0, targets.length - 1);
  const step = Math.floor(((x - map.x) / map.width) * columns);
  return { row, back: Math.max(0, targets[row] - step) };
}

function pinCursor(inst) {
  inst.pin = inst.row;
  paintOverlay(inst);
  inst.send("pin", { step: inst.data.meta.start + targetOf(inst), serial: inst.serial });
}

const page = (inst) => Math.max(1, Math.round(inst.data.meta.targets.length / 10));

const KEYS = {
  ArrowLeft: (inst, far) => moveTo(inst, inst.row - (far ? 10 : 1)),
  ArrowRight: (inst, far) => moveTo(inst, inst.row + (far ? 10 : 1)),
  ArrowUp: (inst, far) => moveBack(inst, far ? 10 : 1),
  ArrowDown: (inst, far) => moveBack(inst, far ? -10 : -1),
  Home: (inst) => moveTo(inst, 0),
  End: (inst) => moveTo(inst, Infinity),
  PageUp: (inst) => moveTo(inst, inst.row - page(inst)),
  PageDown: (inst) => moveTo(inst, inst.row + page(inst)),
  Enter: (inst) => pinCursor(inst),
  Escape: (inst) => inst.pin !== null && moveTo(inst, inst.pin),
  " ": (inst) => togglePlay(inst),
};

function onKey(inst, event) {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (event.key !== " ") stop(inst);
  act(inst, event.shiftKey);
}

function hover(inst, event) {
  const place = placeAt(inst, event);
  if (place && !inst.playing) moveTo(inst, place.row, place.back);
}

function click(inst, event) {
  const place = placeAt(inst, event);
  if (!place) return;
  stop(inst);
  moveTo(inst, place.row, place.back);
  pinCursor(inst);
}

// ---------------------------------------------------------------- taking the picture away

const CAPTION = { size: 11.5, pitch: 17 };

function measured(inst) {
  const { layout, theme, el } = inst;
  const style = { size: CAPTION.size, fill: theme.quiet, family: theme.sans };
  const at = `${el.step.textContent}; ${el.aim.textContent}; ${el.probe.textContent}.`;
  const caption = [at, el.caption.textContent].flatMap((line) => wrapped(line, style, layout.width - 2 * PAD));
  return { caption, style, width: layout.width, height: layout.height + 10 + CAPTION.pitch * caption.length };
}

function drawExported(pen, inst, { caption, style, width, height }) {
  pen.rect(0, 0, width, height, { fill: inst.theme.paper });
  drawHead(pen, inst);
  drawMaps(pen, inst);
  drawOverlay(pen, inst);
  caption.forEach((line, k) => pen.text(line, PAD, inst.layout.height + 14 + CAPTION.pitch * k, style));
}

function saveSvg(inst) {
  const pen = new SvgPen();
  const size = measured(inst);
  drawExported(pen, inst, size);
  saveAs(new Blob([pen.finished(size.width, size.height)], { type: "image/svg+xml" }), `${inst.data.meta.file}.svg`);
}

function savePng(inst) {
  const canvas = document.createElement("canvas");
  const size = measured(inst);
  drawExported(penOn(canvas, size.width, size.height, Math.max(2, inst.ratio)), inst, size);
  canvas.toBlob((blob) => saveAs(blob, `${inst.data.meta.file}.png`));
}

// ---------------------------------------------------------------- the elements

function build(root) {
  const span = (className, words = "") => element("span", { className, textContent: words });
  const button = (words, title) => element("button", { type: "button", textContent: words, title, "aria-label": title });
  const el = {
    back: iconButton("back", "Step back", "←"),
    play: iconButton("play", "Play", "Space"),
    forward: iconButton("forward", "Step forward", "→"),
    speed: choice("Speed", SPEEDS.map((speed) => [speed, `${speed} a second`])),
    state: choice("Gradient through", [["memory", "through what each keeps: C, or h"], ["hidden", "through h"]]),
    texts: choice("Whose text", []),
    scale: element("button", { type: "button" }),
    small: element("button", { type: "button", title: "Colours by the square root, so that small pushes show" }),
    typed: span("typed"), step: span("quiet"), aim: span("aim"), probe: span("probe"),
    table: element("div", { className: "readers", "aria-hidden": "true" }),
    lines: [],
    stage: element("div", { className: "stage" }),
    maps: element("canvas", { className: "maps", "aria-hidden": "true" }),
    head: element("canvas", { className: "head", role: "img" }),
    cursor: element("canvas", { className: "cursor", role: "img", tabIndex: 0 }),
    caption: span("caption"),
    png: button("PNG", "Save as PNG"),
    svg: button("SVG", "Save as SVG"),
    live: element("div", { className: "live", "aria-live": "polite" }),
  };
  const player = element("div", { className: "group" }, el.back, el.play, el.forward);
  const bar = element("div", { className: "bar", role: "toolbar", "aria-label": "Time and view" }, player, el.speed, el.state, el.scale, el.small, el.texts);
  const readout = element("div", { className: "readout", "aria-hidden": "true" }, el.typed, el.step, el.aim, el.probe);
  el.stage.append(el.maps, el.head, el.cursor);
  root.append(bar, readout, el.table, el.stage, element("div", { className: "foot" }, el.caption, el.png, el.svg), el.live);
  return el;
}

/** A line a model: what it expected, what is left of its gradient at s, how much goes along the belt, what becomes of it. */
function fillReaders(inst) {
  const { el, data, ratio } = inst;
  const span = (className) => element("span", { className });
  el.lines = data.readers.map((reader) => {
    const line = { sample: element("canvas", { className: "sample" }), name: span("name"), chance: span("quiet"), left: span("left"), belt: span("quiet"), push: span("quiet"), fate: span("fate") };
    line.row = element("div", { className: "reader" }, ...Object.values(line));
    line.name.textContent = reader.name;
    drawSample(penOn(line.sample, 32, 12, ratio), inst, reader, 1, 6);
    return line;
  });
  el.table.replaceChildren(...el.lines.map((line) => line.row));
}

function connect(inst) {
  const { el } = inst;
  el.back.onclick = () => moveTo(inst, inst.row - 1);
  el.forward.onclick = () => moveTo(inst, inst.row + 1);
  el.play.onclick = () => togglePlay(inst);
  el.speed.onchange = () => (inst.speed = Number(el.speed.value));
  el.state.onchange = () => set(inst, "state", el.state.value);
  el.texts.onchange = () => set(inst, "texts", el.texts.value === "all" ? "all" : Number(el.texts.value));
  el.scale.onclick = () => set(inst, "scale", inst.scale === "share" ? "norm" : "share");
  el.small.onclick = () => set(inst, "rooted", !inst.rooted);
  el.png.onclick = () => savePng(inst);
  el.svg.onclick = () => saveSvg(inst);
  el.cursor.onkeydown = (event) => onKey(inst, event);
  el.cursor.onpointermove = (event) => event.pointerType !== "touch" && hover(inst, event);
  el.cursor.onclick = (event) => click(inst, event);
  inst.observer = new ResizeObserver(() => inst.root.clientWidth !== inst.layout?.width && repaint(inst));
  inst.observer.observe(inst.root);
}

function set(inst, name, value) {
  inst[name] = value;
  repaint(inst);
}

function repaint(inst) {
  arrange(inst);
  paint(inst);
  writeFoot(inst);
}

// ---------------------------------------------------------------- each run

function create(root, data) {
  const inst = {
    root, data, theme: readTheme(root), ratio: window.devicePixelRatio || 1, row: 0, back: BACK, pin: null, serial: null,
    state: "memory", scale: "share", rooted: false, texts: null, speed: 5, playing: false, timers: {}, ranges: new Map(), images: new Map(), limits: new Map(),
  };
  inst.el = build(root);
  inst.el.speed.value = inst.speed;
  inst.player = { here: () => inst.row, last: () => inst.data.meta.targets.length - 1, go: (row) => moveTo(inst, row) };
  showPlaying(inst);
  connect(inst);
  return inst;
}

/** Takes new data in, keeping t, s and the pin wherever they still make sense. */
function update(inst, data) {
  const old = inst.data;
  const before = old.meta.start + (old.meta.targets[inst.row] ?? 0);
  Object.assign(inst, { data, theme: readTheme(inst.root), ranges: new Map(), images: new Map(), limits: new Map(), pushColours: null });
  const { meta, view } = data;
  const told = view.serial !== inst.serial;
  inst.serial = view.serial;
  const rowOf = (step) => rowNear(data, step - meta.start);
  if (told) inst.pin = inst.row = rowOf(view.step);
  else if (old !== data) {
    inst.row = rowOf(before);
    inst.pin = inst.pin === null ? null : rowOf(old.meta.start + old.meta.targets[inst.pin]);
  }
  fillReaders(inst);
  repaint(inst);
}

export default function ({ data, parentElement, setStateValue }) {
  const unpacked = unpack(data);
  let inst = instances.get(parentElement);
  if (!inst) {
    inst = create(parentElement.querySelector(".reach"), unpacked);
    instances.set(parentElement, inst);
  }
  inst.send = setStateValue;
  update(inst, unpacked);
  return () => destroy(parentElement);
}
