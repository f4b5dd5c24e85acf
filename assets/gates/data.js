// What Python sends, unpacked: readers, tracks and heatmaps, and the numbers behind them. No document.

import { identity, rowsOf, surpriseLimit } from "../shared/geometry.js";
import { spoken } from "../shared/letters.js";
import { shown } from "../shared/numbering.js";
import { layersText, unitsText } from "../shared/phrases.js";
import { columnsOf } from "../shared/tables.js";
import { facts, tr } from "../shared/words.js";

export const GAP = 65535; // a column in which a reader reads nothing: the other text has more characters here

export function unpack(data) {
  const { meta, view } = data;
  const readers = meta.readers.map((reader, place) => {
    const columns = columnsOf(data[`reader${place}`]);
    return { ...reader, ...columns, place, ranks: [0, 1, 2].filter((rank) => `next${rank}` in columns) };
  });
  const tracks = meta.tracks.map((track, place) => unpackTrack(track, place, data));
  const between = "between" in data ? columnsOf(data.between).disagreement : null;
  const peaks = meta.peaks ?? [];
  const cap = surpriseLimit(readers.map((reader) => reader.surprise));
  return { meta, view, readers, tracks, heats: tracks.flatMap((track) => track.heats), between, peaks, cap };
}

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

/** The number behind a cell of a heatmap, or NaN where its window was not sent. */
export function valueAt(data, heat, step, unit) {
  const { start, columns, levels } = data.meta;
  const { units } = heat.track;
  if (unit >= units || isGap(data, heat.track, step)) return NaN;
  const within = step >= start && step < start + columns;
  const raw = within ? heat.numbers[(step - start) * units + unit] : step === start - 1 && heat.before ? heat.before[unit] : NaN;
  return heat.signal.bounded ? heat.low + (raw / levels) * (heat.high - heat.low) : raw;
}

/** Whether one of the texts that a track compares has no character here. */
export const isGap = (data, track, step) => track.readers.some((place) => data.readers[place].typed[step] === GAP);

/** What is painted: 0 to meta.levels, whatever the signal's own numbers are. */
export function levelsOf(inst, heat) {
  if (heat.signal.bounded) return heat.numbers;
  if (isSquashed(inst, heat)) return (heat.squashed ??= toLevels(heat.numbers, inst.data.meta.levels, Math.tanh, 1));
  return (heat.scaled ??= toLevels(heat.numbers, inst.data.meta.levels, (value) => value, heat.high));
}

export const isSquashed = (inst, heat) => inst.squash && !heat.signal.bounded && !heat.track.difference;

function toLevels(numbers, levels, squash, limit) {
  const out = new Uint16Array(numbers.length);
  const half = levels / 2;
  for (let k = 0; k < out.length; k++) {
    const share = squash(numbers[k]) / limit;
    out[k] = half + half * (share > 1 ? 1 : share < -1 ? -1 : share) + 0.5;
  }
  return out;
}

/** Which unit stands in each row, and in which row each unit stands, of a track. */
export function orderOf(inst, track) {
  const key = `${inst.order}/${track.place}`;
  if (!inst.rows.has(key)) {
    const units = track.orders[inst.order] ?? identity(track.units);
    inst.rows.set(key, { units, rows: rowsOf(units) });
  }
  return inst.rows.get(key);
}

export const trackOf = (inst, { track }) => inst.data.tracks[track];

/** The unit that the cursor is on in any track: layers of one model share it, every other model keeps its own. */
export function unitIn(inst, track) {
  const { cursor } = inst;
  const [reader] = track.readers;
  return reader === trackOf(inst, cursor).readers[0] ? cursor.unit : (inst.visited.get(reader) ?? 0);
}

export const isReplaced = (reader, step) => reader.typed[step] !== GAP && reader.typed[step] !== reader.read[step];

/** Whether the two texts that are set side by side differ here. */
export const isChanged = (data, step) => data.meta.strips.length > 1 && data.readers.some((reader) => reader.typed[step] !== data.readers[0].typed[step]);

/** What a reader read next, past the columns in which it read nothing; -1 at its end. */
export function comesAfter(reader, step) {
  const { read } = reader;
  let after = step + 1;
  while (read[after] === GAP) after++;
  return after < read.length ? read[after] : -1;
}

/** Which rows these are: of one model its layer, of several also which model. */
export function titleOf(data, track) {
  if (data.readers.length === 1) return tr("layer {layer}", { layer: shown("layer", track.layer) });
  const { name, layers, cell } = data.readers[track.readers[0]];
  const which = layers > 1 && layersText([track.layer], layers);
  return track.difference ? facts(track.difference, which) : facts(`${name} · ${cell}`, which, unitsText(track.units));
}

/** What the columns are: the pieces of one text, or those of two side by side. */
export const pieceOf = ({ meta }) => (meta.strips.length > 1 ? "column" : meta.step);

export const nameAt = ({ meta }, index) => (index === GAP ? tr("nothing here") : spoken(meta.glyphs[index]));
export const shownAt = (data, reader, step) => (reader.typed[step] === GAP ? ["–", tr("no character of this text"), "quiet"] : data.meta.glyphs[reader.typed[step]]);

/** What a track is called between reruns, in which its place may change. */
export function namesOf(data, { track }) {
  const { layer, readers } = data.tracks[track];
  return { layer, model: data.readers[readers[0]].model };
}
