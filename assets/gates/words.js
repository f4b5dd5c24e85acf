// The readout, what screen readers hear, the caption.

import { fixed, percent, written } from "../shared/numbers.js";
import { speakSoon } from "../shared/speech.js";
import { GAP, isReplaced, nameAt, shownAt, titleOf, trackOf, valueAt } from "./data.js";

const surpriseText = (nats) => (Number.isNaN(nats) ? "no surprise: the first character" : `surprise ${fixed(nats, 2)} nats (${percent(Math.exp(-nats))})`);

export function writeReadout(inst) {
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
  speakSoon(inst, () => sentence(inst));
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
  return named.concat(told.map((reader) => `read as ${nameAt(inst.data, reader.read[step])}${by(reader)}`)).join(", ");
}

function sentence(inst) {
  const { data, cursor, el } = inst;
  const values = trackOf(inst, cursor).heats.map(
    (heat) => `${heat.signal.title} ${heat.signal.symbol} ${written(valueAt(data, heat, cursor.step, cursor.unit))}`,
  );
  const several = data.readers.length > 1;
  const readers = data.readers.map((reader) => (several ? `. ${reader.name}: ` : ", ") + spokenReader(inst, reader));
  const apart = data.between ? `. ${el.surprise.textContent}` : "";
  const where = `${nameAt(inst.data, data.readers[0].typed[cursor.step])}, ${el.step.textContent}`;
  return `${where}${readers.join("")}${apart}. At ${el.unit.textContent}: ${values.join(", ")}.`;
}

function spokenReader(inst, reader) {
  const { step } = inst.cursor;
  if (reader.typed[step] === GAP) return "no character here";
  const next = reader.ranks.map((rank) => `${nameAt(inst.data, reader[`next${rank}`][step])} ${percent(reader[`chance${rank}`][step] / 65535)}`);
  const typed = inst.data.meta.strips.length > 1 ? `${nameAt(inst.data, reader.typed[step])}, ` : "";
  const read = isReplaced(reader, step) ? `read as ${nameAt(inst.data, reader.read[step])}, ` : "";
  return `${typed}${read}${surpriseText(reader.surprise[step])}. Expects ${next.join(", ")}`;
}

export function captionOf(inst) {
  const { readers, tracks, meta } = inst.data;
  if (meta.caption) return meta.caption;
  const [reader] = readers;
  const shown = tracks.map((track) => track.layer + 1).join(" and ");
  const which = reader.layers > 1 ? `layer${tracks.length > 1 ? "s" : ""} ${shown} of ${reader.layers}` : "1 layer";
  const primed = tracks[0].signals.some((signal) => signal.lead.join("").includes("h′")) ? " h′ is h of the step before." : "";
  return `${reader.name}: ${reader.cell}, ${which}, ${tracks[0].units} units. ${reader.note}${primed}`;
}

export function poolingNote(inst) {
  const rows = Math.round(inst.layout.rowHeight * inst.ratio);
  const what = inst.pooling === "farthest" ? "the value farthest from rest among" : "the mean of";
  const sizes = [...new Set(inst.data.tracks.map((track) => track.units))].filter((units) => units > rows);
  return sizes.map((units) => `${units} units in ${rows} rows: each row shows ${what} ${shareOf(units, rows)} units.`).join(" ");
}

function shareOf(units, rows) {
  const [few, many] = [Math.floor(units / rows), Math.ceil(units / rows)];
  return few === many ? `${few}` : `${few}–${many}`;
}

export function writeFoot(inst) {
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
