// Where everything stands: texts, lines, maps, and the range of the lines' axis.

import { shown } from "../shared/numbering.js";
import { clamp } from "../shared/numbers.js";
import { widthOf } from "../shared/pens.js";
import { tr } from "../shared/words.js";
import { logAt, stateOf } from "./data.js";

const COMPACT = 620;
export const PAD = 6;
export const GUTTER = 58; // left of the lines: their axis
export const LINES = { legend: 18, plot: 236, plotCompact: 200, foot: 22, top: 8 };
const LETTER = { few: 250, wide: 11, narrow: 8, tall: 24, short: 19 }; // a text of more than `few` characters is set smaller
const MAX_TEXT_ROWS = 16; // rows of coloured text; more, and one model's is drawn at a time
const MAP = { title: 22, foot: 18, gap: 26, least: 240, most: 340 };
const DECADES = 6; // that the lines show below their top

export function layoutOf(inst) {
  const { meta, readers } = inst.data;
  const width = Math.max(240, inst.root.clientWidth);
  const compact = width < COMPACT;
  const letters = lettersFor(meta.columns, width);
  const texts = shownTexts(inst, letters);
  const bands = [{ kind: "pushes", y: 0, height: 22 }];
  let y = 22;
  for (const reader of texts) {
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
  return { width, compact, letters, texts, bands, lines, maps, bar, plotWidth: width - GUTTER - PAD, height: bar + (compact ? 40 : 20) };
}

function lettersFor(columns, width) {
  const [wide, tall] = columns <= LETTER.few ? [LETTER.wide, LETTER.tall] : [LETTER.narrow, LETTER.short];
  const perRow = Math.max(10, Math.floor((width - 2 * PAD) / wide));
  return { wide, tall, perRow, rows: Math.ceil(columns / perRow) };
}

function shownTexts(inst, letters) {
  const { readers } = inst.data;
  const choice = inst.texts === null ? (letters.rows * readers.length <= MAX_TEXT_ROWS ? "all" : 0) : inst.texts;
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

export const xOfStep = (inst, step) => GUTTER + ((step + 0.5) / inst.data.meta.columns) * inst.layout.plotWidth;

export function letterPlace(inst, band, step) {
  const { perRow, wide, tall } = inst.layout.letters;
  return [PAD + (step % perRow) * wide, band.y + Math.floor(step / perRow) * tall];
}

/** Which powers of ten the lines lie between; the same for every t, so that nothing jumps. */
export function rangeOf(inst) {
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

export function yOfLog(inst, log) {
  const [low, high] = rangeOf(inst);
  const { top, plot } = inst.layout.lines;
  return top + plot - ((clamp(log, low - 1, high + 1) - low) / (high - low)) * plot;
}

const legendText = ({ name: model, layer, layers }, state) =>
  layers > 1 ? tr("{model}, layer {layer} of {layers}: through {state}", { model, layer: shown("layer", layer), layers, state }) : tr("{model}: through {state}", { model, state });

function legendItems(inst) {
  return inst.data.readers.map((reader) => {
    const { symbol, direct } = reader.states[stateOf(inst, reader)];
    return { reader, symbol, direct, words: legendText(reader, symbol) };
  });
}

const LEGEND = { size: 12 };
export const legendStyle = (inst) => ({ ...LEGEND, family: inst.theme.sans, fill: inst.theme.ink });

/** The rows that the legend takes, and where each item stands. */
export function legendPlaces(inst, width) {
  const style = legendStyle(inst);
  const items = legendItems(inst);
  const entries = items.map((item) => ({ ...item, wide: 38 + widthOf(item.words, style) + 22 }));
  if (items.some((item) => item.direct)) entries.push({ words: directText(items), wide: 38 + widthOf(directText(items), style) });
  let [x, row] = [PAD, 0];
  for (const entry of entries) {
    if (x > PAD && x + entry.wide > width) [x, row] = [PAD, row + 1];
    Object.assign(entry, { x, row });
    x += entry.wide;
  }
  return entries;
}

function directText(items) {
  const symbols = [...new Set(items.filter((item) => item.direct).map((item) => item.symbol))];
  const states = symbols.reduce((first, next) => tr("{first} and {next}", { first, next }));
  return tr("dotted: the direct path, {states} through its gates alone", { states });
}

const legendRows = (inst, width) => legendPlaces(inst, width).at(-1).row + 1;
export const mapX = (inst, map, step) => map.x + (step / inst.data.meta.columns) * map.width;
export const mapY = (inst, map, row) => map.y + (row / inst.data.meta.targets.length) * map.height;
