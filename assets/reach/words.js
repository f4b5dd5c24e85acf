// The readout, what screen readers hear, the caption.

import { option } from "../shared/elements.js";
import { shown } from "../shared/numbering.js";
import { count, percent, short, shortOfLog, signed } from "../shared/numbers.js";
import { speakSoon } from "../shared/speech.js";
import { tr, trN } from "../shared/words.js";
import { DIRECT, fateOf, logAt, nameAt, probeOf, pushAt, stateOf, targetOf } from "./data.js";

export function writeReadout(inst) {
  const { el, data, row } = inst;
  const { meta, typed, readers } = data;
  const target = targetOf(inst);
  const [glyph, name] = meta.glyphs[typed[target]];
  el.typed.textContent = glyph;
  el.typed.title = name;
  el.step.textContent = tr("t: after character {character} of {steps}", { character: characterText(meta.start + target), steps: count(meta.steps) });
  const last = meta.start + target === meta.steps - 1;
  el.aim.textContent = last ? tr("the text ends: the likeliest character is meant") : tr("then came {character}", { character: nameAt(data, readers[0].aim[row]) });
  const back = target - probeOf(inst);
  el.probe.textContent = probeText(nameAt(data, typed[probeOf(inst)]), back);
  readers.forEach((reader, k) => writeReader(inst, reader, el.lines[k]));
  Object.assign(inst.root.dataset, { step: meta.start + target, back, pinned: inst.pin === null ? "" : meta.start + meta.targets[inst.pin] });
  inst.root.dataset.left = readers.map((reader) => shortOfLog(leftAt(inst, reader))).join(" ");
  speakSoon(inst, () => sentence(inst));
}

const characterText = (step) => count(shown("character", step));

const probeText = (character, back) =>
  back
    ? trN("s: {character}, {n} character back", "s: {character}, {n} characters back", back, { character, n: count(back) })
    : tr("s: {character}, the same", { character });

const leftAt = (inst, reader, prefix = "") => logAt(inst, reader, prefix + stateOf(inst, reader), inst.row, probeOf(inst));

function writeReader(inst, reader, line) {
  const { row } = inst;
  line.chance.textContent = tr("gave {character} {percent}", { character: nameAt(inst.data, reader.aim[row]), percent: percent(reader.chance[row]) });
  line.left.textContent = leftText(inst, reader);
  line.direct.textContent = directText(inst, reader);
  line.fate.textContent = fateText(inst, reader);
  line.push.textContent = tr("push {push}", { push: signed(pushAt(inst, reader, row, probeOf(inst))) });
}

function leftText(inst, reader) {
  const left = shortOfLog(leftAt(inst, reader));
  return inst.scale === "share" ? tr("left at s {left}", { left }) : tr("norm at s {left}", { left });
}

function directText(inst, reader) {
  const { direct } = reader.states[stateOf(inst, reader)];
  if (!direct) return tr("no direct path");
  return tr("direct path {left}", { left: shortOfLog(leftAt(inst, reader, DIRECT)) });
}

function fateText(inst, reader) {
  const target = targetOf(inst);
  const [vanished, exploded] = ["vanished", "exploded"].map((kind) => fateOf(inst, reader, kind, inst.row));
  return [exploded >= 0 ? explodedText(target - exploded) : "", vanished >= 0 ? vanishedText(target - vanished) : reachText(inst)].filter(Boolean).join(", ");
}

const explodedText = (back) => trN("exploded {n} character back", "exploded {n} characters back", back, { n: count(back) });
const vanishedText = (back) => trN("vanished {n} character back", "vanished {n} characters back", back, { n: count(back) });
const reachText = (inst) => (inst.data.meta.start ? tr("reaches the beginning of the stretch") : tr("reaches the first character"));

function sentence(inst) {
  const { el, data } = inst;
  const readers = data.readers.map((reader, k) => {
    const { chance, left, direct, fate, push } = el.lines[k];
    return `${reader.name}: ${[chance, left, direct, push, fate].map((part) => part.textContent).join(", ")}`;
  });
  return `${nameAt(data, data.typed[targetOf(inst)])}, ${el.step.textContent}, ${el.aim.textContent}. ${el.probe.textContent}. ${readers.join(". ")}.`;
}

function captionOf(inst) {
  const { meta, readers } = inst.data;
  const states = [...new Set(readers.filter((reader) => reader.states[stateOf(inst, reader)].direct).map((reader) => reader.states[stateOf(inst, reader)].symbol))];
  return [
    `${readers.map((reader) => readerText(inst, reader)).join("; ")}.`,
    meta.columns < meta.steps ? stretchText(meta) : "",
    meta.stride > 1 ? tr("Every {ordinal} character’s loss.", { ordinal: ordinal(meta.stride) }) : "",
    normsText(inst),
    states.length ? tr("Dotted: the direct path, along {states} alone, multiplied by what the gate keeps at each step.", { states: alternatives(states) }) : "",
    tr("Vanished: below 1/1000 of its value at s = t, from there back."),
    tr("Exploded: above 10 times that."),
    pushesText(inst),
  ]
    .filter(Boolean)
    .join(" ");
}

const stretchText = ({ start, columns, steps }) =>
  tr("Characters {first} to {last} of {steps}.", { first: characterText(start), last: characterText(start + columns - 1), steps: count(steps) });

function readerText(inst, reader) {
  const { name: model, cell, layers, units } = reader;
  const { symbol: state } = reader.states[stateOf(inst, reader)];
  if (layers === 1) return trN("{model} ({cell}, {n} unit, through {state})", "{model} ({cell}, {n} units, through {state})", units, { model, cell, state });
  return trN(
    "{model} ({cell}, layer {layer} of {layers}, {n} unit, through {state})",
    "{model} ({cell}, layer {layer} of {layers}, {n} units, through {state})",
    units,
    { model, cell, layer: shown("layer", reader.layer), layers, state },
  );
}

const normsText = (inst) =>
  inst.scale === "share"
    ? tr("Lines and maps: the size of the gradient of the loss after character t with respect to the state after character s, as a share of its value at s = t.")
    : tr("Lines and maps: the size of the gradient of the loss after character t with respect to the state after character s, as it is.");

function pushesText(inst) {
  const most = short(inst.data.meta.most, 3);
  return inst.rooted
    ? tr("Text: gradient times input, nats; orange made the character that came likelier, blue less likely; each text’s colours end at the largest push of this t, and grow by the root; the largest of all is {most}.", { most })
    : tr("Text: gradient times input, nats; orange made the character that came likelier, blue less likely; each text’s colours end at the largest push of this t; the largest of all is {most}.", { most });
}

const alternatives = (items) => items.reduce((first, next) => tr("{first} or {next}", { first, next }));

const ordinal = (n) => `${n}${n % 10 === 1 && n % 100 !== 11 ? "st" : n % 10 === 2 && n % 100 !== 12 ? "nd" : n % 10 === 3 && n % 100 !== 13 ? "rd" : "th"}`;

function poolingNote(inst) {
  const [map] = inst.layout.maps;
  const { columns, targets } = inst.data.meta;
  const shared = columns > map.width * inst.ratio + 1 || targets.length > map.height * inst.ratio + 1;
  return shared ? tr("In the maps several share a pixel: the largest is shown.") : "";
}

export function writeFoot(inst) {
  const { el, data } = inst;
  const { readers } = data;
  el.caption.textContent = `${captionOf(inst)} ${poolingNote(inst)}`.trim();
  el.state.hidden = readers.every((reader) => reader.memory === "hidden");
  el.scale.textContent = inst.scale === "share" ? tr("Show sizes") : tr("Show shares");
  el.scale.title = inst.scale === "share" ? tr("The gradients as they are") : tr("As shares of each one's value at s = t");
  el.small.textContent = inst.rooted ? tr("Even colours") : tr("Show small pushes");
  el.small.setAttribute("aria-pressed", inst.rooted);
  el.texts.hidden = readers.length === 1;
  const choices = [["all", tr("text of all models")], ...readers.map((reader, k) => [k, tr("text of {model}", { model: reader.name })])];
  el.texts.replaceChildren(...choices.map(([value, words]) => option(value, words)));
  el.texts.value = inst.layout.texts.length > 1 ? "all" : inst.layout.texts[0].place;
  el.cursor.setAttribute("aria-label", cursorLabel(data));
  el.head.setAttribute("aria-label", el.caption.textContent);
}

const cursorLabel = ({ meta, readers }) =>
  trN(
    "Gradients over {n} character, of {models}. Left and right move t, up and down move s, Enter pins, Space plays.",
    "Gradients over {n} characters, of {models}. Left and right move t, up and down move s, Enter pins, Space plays.",
    meta.columns,
    { models: readers.map((reader) => reader.name).join(", ") },
  );
