// The readout, what screen readers hear, the caption.

import { option } from "../shared/elements.js";
import { counted, fixed, percent, short, written } from "../shared/numbers.js";
import { speakSoon } from "../shared/speech.js";
import { inOneLine, nameAt, stageOf, stageWords, valueAt } from "./data.js";

export function writeStage(inst) {
  const { el, data, at } = inst;
  const stage = stageOf(inst);
  const [when, read, loss, here] = stageWords(inst);
  el.when.textContent = when;
  el.read.textContent = read;
  el.loss.textContent = `${loss} nats a character`;
  el.here.textContent = here;
  el.prompt.textContent = inOneLine(data.meta.prompt);
  el.written.textContent = inOneLine(stage.written);
  el.slider.value = at.stage;
  el.slider.setAttribute("aria-valuetext", [when, read, loss].join(", "));
  el.back.disabled = at.stage === 0;
  el.forward.disabled = at.stage === data.stages.length - 1;
  Object.assign(inst.root.dataset, { stage: at.stage, trained: stage.step });
}

export function writeCursor(inst) {
  const { el, data, at } = inst;
  const stage = stageOf(inst);
  const [shown, name] = data.meta.glyphs[stage.typed[at.step]];
  el.typed.textContent = shown;
  el.typed.title = name;
  el.step.textContent = `character ${at.step + 1} of ${data.meta.columns}`;
  const nats = stage.surprise[at.step];
  el.surprise.textContent = Number.isNaN(nats) ? "no surprise: the first character" : `surprise ${fixed(nats, 2)} nats`;
  el.expects.textContent = `expects ${data.ranks.map((rank) => `${data.meta.glyphs[stage[`next${rank}`][at.step]][0]} ${percent(stage[`chance${rank}`][at.step] / 65535)}`).join("  ")}`;
  el.unit.textContent = `unit ${at.unit}`;
  Object.assign(inst.root.dataset, { step: at.step, unit: at.unit, pinned: inst.pin ? `${inst.pin.stage}:${inst.pin.step}:${inst.pin.unit}` : "" });
  speakSoon(inst, () => sentence(inst));
}

/** The same for the ear: the checkpoint, the character, what is expected, every signal of the unit. */
function sentence(inst) {
  const { data, at, el } = inst;
  const stage = stageOf(inst);
  const next = data.ranks.map((rank) => `${nameAt(data, stage[`next${rank}`][at.step])} ${percent(stage[`chance${rank}`][at.step] / 65535)}`);
  const values = data.meta.signals.map((signal) => `${signal.title} ${written(valueAt(data, stage, signal, at.step, at.unit))}`);
  const checkpoint = `Checkpoint ${at.stage + 1} of ${data.stages.length}, ${stageWords(inst).filter(Boolean).join(", ")}`;
  return `${checkpoint}. ${nameAt(data, stage.typed[at.step])}, ${el.step.textContent}, ${el.surprise.textContent}, expects ${next.join(", ")}. Unit ${at.unit}: ${values.join(", ")}.`;
}

export function captionOf(inst) {
  const { meta, stages } = inst.data;
  const layer = meta.layers > 1 ? `layer ${meta.layer + 1} of ${meta.layers}, ` : "";
  const order = inst.order === "grouped" ? "Units that move together at the last checkpoint stand together, in the same rows at every one." : "Units stand by their number.";
  const free = meta.signals.filter(({ bounded }) => !bounded);
  const limits = free.map(({ symbol, high, most }) => `${symbol}’s colours end at ±${short(high, 3)} at every checkpoint${most > high ? `; the largest is ${short(most, 3)}` : ""}.`);
  return `${meta.name}: ${meta.cell}, ${layer}${meta.units} units, ${counted(stages.length, "checkpoint")}. ${meta.note} ${order} ${limits.join(" ")} Loss: ${meta.judged}, and this text.`.replace(/ +/g, " ");
}

export function writeFoot(inst) {
  const { el, data } = inst;
  const { meta, stages } = data;
  el.caption.textContent = captionOf(inst);
  el.slider.max = stages.length - 1;
  const every = meta.signals.map(({ name, symbol, title }) => [name, `${symbol} ${title}`]);
  const choices = every.length > 1 ? [["all", "all signals"], ...every] : every;
  el.signal.replaceChildren(...choices.map(([value, words]) => option(value, words)));
  if (!choices.some(([value]) => value === inst.signal)) inst.signal = choices[0][0];
  el.signal.value = inst.signal;
  el.cursor.setAttribute("aria-label", `Heatmaps over ${counted(meta.columns, "character")} of ${meta.name}. Left and right move through the text, up and down through the units, Page Up and Page Down through the checkpoints, Enter pins, Space plays.`);
  el.curve.setAttribute("aria-label", `The loss at ${counted(stages.length, "checkpoint")}: ${stages.map(({ step, loss }) => `step ${step}: ${loss === null ? "none" : fixed(loss, 2)}`).join(", ")}.`);
}
