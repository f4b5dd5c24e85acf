// The readout, what screen readers hear, the caption.

import { option } from "../shared/elements.js";
import { count, counted, percent, short, shortOfLog, signed } from "../shared/numbers.js";
import { speakSoon } from "../shared/speech.js";
import { fateOf, layerText, logAt, nameAt, probeOf, pushAt, stateOf, targetOf } from "./data.js";

export function writeReadout(inst) {
  const { el, data, row } = inst;
  const { meta, typed, readers } = data;
  const target = targetOf(inst);
  const [shown, name] = meta.glyphs[typed[target]];
  el.typed.textContent = shown;
  el.typed.title = name;
  el.step.textContent = `t: after character ${count(meta.start + target + 1)} of ${count(meta.steps)}`;
  const last = meta.start + target === meta.steps - 1;
  el.aim.textContent = last ? "the text ends: the likeliest character is meant" : `then came ${nameAt(data, readers[0].aim[row])}`;
  const back = target - probeOf(inst);
  el.probe.textContent = `s: ${nameAt(data, typed[probeOf(inst)])}, ${back ? `${counted(back, "character")} back` : "the same"}`;
  readers.forEach((reader, k) => writeReader(inst, reader, el.lines[k]));
  Object.assign(inst.root.dataset, { step: meta.start + target, back, pinned: inst.pin === null ? "" : meta.start + meta.targets[inst.pin] });
  inst.root.dataset.left = readers.map((reader) => shortOfLog(leftAt(inst, reader))).join(" ");
  speakSoon(inst, () => sentence(inst));
}

const leftAt = (inst, reader, prefix = "") => logAt(inst, reader, prefix + stateOf(inst, reader), inst.row, probeOf(inst));

function writeReader(inst, reader, line) {
  const { row } = inst;
  line.chance.textContent = `gave ${nameAt(inst.data, reader.aim[row])} ${percent(reader.chance[row])}`;
  line.left.textContent = leftWords(inst, reader);
  line.direct.textContent = directShare(inst, reader);
  line.fate.textContent = fateWords(inst, reader);
  line.push.textContent = `push ${signed(pushAt(inst, reader, row, probeOf(inst)))}`;
}

const leftWords = (inst, reader) => `${inst.scale === "share" ? "left at s" : "norm at s"} ${shortOfLog(leftAt(inst, reader))}`;

function directShare(inst, reader) {
  const { direct } = reader.states[stateOf(inst, reader)];
  if (!direct) return "no direct path";
  return `direct path ${shortOfLog(leftAt(inst, reader, "direct "))}`;
}

function fateWords(inst, reader) {
  const target = targetOf(inst);
  const [gone, loud] = ["vanished", "exploded"].map((kind) => fateOf(inst, reader, kind, inst.row));
  const exploded = loud >= 0 ? `exploded ${counted(target - loud, "character")} back` : "";
  const end = inst.data.meta.start ? "reaches the beginning of the stretch" : "reaches the first character";
  const vanished = gone >= 0 ? `vanished ${counted(target - gone, "character")} back` : end;
  return [exploded, vanished].filter(Boolean).join(", ");
}

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
  const of = readers.map((reader) => `${reader.name} (${reader.cell}${layerText(reader)}, ${reader.units} units, through ${reader.states[stateOf(inst, reader)].symbol})`);
  const what = inst.scale === "share" ? "as a share of its value at s = t" : "as it is";
  const stretch = meta.columns < meta.steps ? ` Characters ${count(meta.start + 1)} to ${count(meta.start + meta.columns)} of ${count(meta.steps)}.` : "";
  const stride = meta.stride > 1 ? ` Every ${ordinal(meta.stride)} character’s loss.` : "";
  const symbols = [...new Set(readers.filter((reader) => reader.states[stateOf(inst, reader)].direct).map((reader) => reader.states[stateOf(inst, reader)].symbol))];
  const direct = symbols.length ? ` Dotted: the direct path, along ${symbols.join(" or ")} alone, multiplied by what the gate keeps at each step.` : "";
  return (
    `${of.join("; ")}.${stretch}${stride} Lines and maps: the size of the gradient of the loss after character t with respect to the state after character s, ${what}.${direct}` +
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

export function writeFoot(inst) {
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
