// The readout, what screen readers hear, the caption.

import { shown } from "../shared/numbering.js";
import { fixed, percent, written } from "../shared/numbers.js";
import { layersText, lengthText, modelCaption, placeText, surpriseAndChance, unitsText } from "../shared/phrases.js";
import { speakSoon } from "../shared/speech.js";
import { facts, sentences, tr } from "../shared/words.js";
import { GAP, isReplaced, nameAt, pieceOf, shownAt, titleOf, trackOf, valueAt } from "./data.js";

export function writeReadout(inst) {
  const { el, data, cursor } = inst;
  const { step, unit, track } = cursor;
  const [first] = data.readers;
  const glyph = shownAt(data, first, step);
  el.typed.textContent = glyph[0];
  el.typed.title = glyph[1];
  el.step.textContent = placeText(pieceOf(data), step, data.meta.steps);
  el.replaced.textContent = remark(inst, step);
  el.replaced.className = data.readers.some((reader) => isReplaced(reader, step)) ? "replaced" : "quiet";
  el.unit.textContent = facts(whose(inst), tr("layer {layer}, unit {unit}", { layer: shown("layer", data.tracks[track].layer), unit: shown("unit", unit) }));
  if (data.readers.length === 1) {
    el.surprise.textContent = isUnread(data, step) ? tr("not read yet") : surpriseAndChance(first.surprise[step]);
    writeExpected(inst, first, el.nexts);
  } else {
    el.surprise.textContent = data.between ? disagreementText(data, step) : "";
    data.readers.forEach((reader, k) => writeReader(inst, reader, el.lines[k]));
  }
  Object.assign(inst.root.dataset, { step, unit, layer: data.tracks[track].layer, model: data.readers[data.tracks[track].readers[0]].model });
  speakSoon(inst, () => sentence(inst));
}

const whose = (inst) => inst.data.readers.length > 1 && !trackOf(inst, inst.cursor).difference && inst.data.readers[trackOf(inst, inst.cursor).readers[0]].name;

function disagreementText(data, step) {
  const nats = fixed(data.between[step], 3);
  const rank = data.peaks.indexOf(step);
  return rank < 0 ? tr("disagreement {nats} nats", { nats }) : tr("disagreement {nats} nats, number {rank} of this text", { nats, rank: rank + 1 });
}

const isUnread = ({ meta }, step) => meta.isReading && step >= meta.columns;

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
  line.surprise.textContent = Number.isNaN(nats) ? "–" : tr("{nats} nats", { nats: fixed(nats, 2) });
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
  return facts(...named, ...told.map((reader) => readAs(inst, reader, data.readers.length > 1)));
}

function readAs({ data, cursor }, reader, saysWho = false) {
  const character = nameAt(data, reader.read[cursor.step]);
  return saysWho ? tr("read as {character} by {model}", { character, model: reader.name }) : tr("read as {character}", { character });
}

function sentence(inst) {
  const { data, cursor, el } = inst;
  const values = trackOf(inst, cursor).heats.map(
    (heat) => `${heat.signal.title} ${heat.signal.symbol} ${written(valueAt(data, heat, cursor.step, cursor.unit))}`,
  );
  const [first] = data.readers;
  const where = facts(nameAt(data, first.typed[cursor.step]), el.step.textContent);
  const readers = data.readers.map((reader) => `${reader.name}: ${spokenReader(inst, reader)}`);
  const told = data.readers.length > 1 ? [where, ...readers, ...(data.between ? [el.surprise.textContent] : [])].join(". ") : facts(where, spokenReader(inst, first));
  return tr("{told}. At {place}: {values}.", { told, place: el.unit.textContent, values: values.join(", ") });
}

function spokenReader(inst, reader) {
  const { step } = inst.cursor;
  if (reader.typed[step] === GAP) return tr("no character here");
  if (isUnread(inst.data, step)) return tr("not read yet");
  const next = reader.ranks.map((rank) => `${nameAt(inst.data, reader[`next${rank}`][step])} ${percent(reader[`chance${rank}`][step] / 65535)}`);
  const typed = inst.data.meta.strips.length > 1 && nameAt(inst.data, reader.typed[step]);
  const read = isReplaced(reader, step) && readAs(inst, reader);
  return tr("{came}. Expects {next}", { came: facts(typed, read, surpriseAndChance(reader.surprise[step])), next: next.join(", ") });
}

export function captionOf(inst) {
  const { readers, tracks, meta } = inst.data;
  if (meta.caption) return meta.caption;
  const [reader] = readers;
  const which = layersText(tracks.map((track) => track.layer), reader.layers);
  const primed = tracks[0].signals.some((signal) => signal.lead.join("").includes("h′")) && tr("h′ is h of the step before.");
  return sentences(modelCaption(reader.name, [reader.cell, which, unitsText(tracks[0].units)], reader.note), primed);
}

export function poolingNote(inst) {
  const rows = Math.round(inst.layout.rowHeight * inst.ratio);
  const sizes = [...new Set(inst.data.tracks.map((track) => track.units))].filter((units) => units > rows);
  const note = (units, share) =>
    inst.pooling === "farthest"
      ? tr("{units} units in {rows} rows: each row shows the value farthest from rest among {share} units.", { units, rows, share })
      : tr("{units} units in {rows} rows: each row shows the mean of {share} units.", { units, rows, share });
  return sentences(...sizes.map((units) => note(units, shareOf(units, rows))));
}

function shareOf(units, rows) {
  const [few, many] = [Math.floor(units / rows), Math.ceil(units / rows)];
  return few === many ? `${few}` : `${few}–${many}`;
}

export function writeFoot(inst) {
  const { el, data } = inst;
  el.caption.textContent = sentences(captionOf(inst), poolingNote(inst));
  el.pooling.hidden = !poolingNote(inst);
  el.pooling.textContent = inst.pooling === "farthest" ? tr("Show means") : tr("Show extremes");
  const free = data.heats.find((heat) => !heat.signal.bounded && !heat.track.difference);
  el.squash.hidden = !free;
  if (free) el.squash.textContent = inst.squash ? tr("Show {symbol}", { symbol: free.signal.symbol }) : tr("Show tanh {symbol}", { symbol: free.signal.symbol });
  el.squash.setAttribute("aria-pressed", inst.squash);
  const rows = data.tracks.map((track) => `${data.tracks.length > 1 ? `${titleOf(data, track)}: ` : ""}${track.signals.map((signal) => signal.title).join(", ")}`);
  const length = lengthText(data.meta.step, data.meta.steps);
  const keys = tr("Heatmaps over {length}: {rows}. Arrow keys move, Enter pins, Space plays.", { length, rows: rows.join("; ") });
  const more = [data.tracks.length > 1 && tr("M goes to the next rows."), data.peaks.length > 0 && tr("D goes to the next disagreement.")];
  el.cursor.setAttribute("aria-label", sentences(keys, ...more));
  el.picture.setAttribute("aria-label", el.caption.textContent);
}
