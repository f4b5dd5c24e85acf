// The readout, what screen readers hear, the caption.

import { option } from "../shared/elements.js";
import { shown } from "../shared/numbering.js";
import { count, fixed, percent, short, written } from "../shared/numbers.js";
import { layersText, lengthText, modelCaption, placeText, surpriseText, unitsText, unitText } from "../shared/phrases.js";
import { speakSoon } from "../shared/speech.js";
import { facts, sentences, tr, trN } from "../shared/words.js";
import { inOneLine, nameAt, stageOf, stageWords, valueAt } from "./data.js";

export function writeStage(inst) {
  const { el, data, at } = inst;
  const stage = stageOf(inst);
  const [when, read, loss, here] = stageWords(inst);
  el.when.textContent = when;
  el.read.textContent = read;
  el.loss.textContent = stage.loss === null ? loss : tr("loss {loss} nats a character", { loss: fixed(stage.loss, 3) });
  el.here.textContent = here;
  el.prompt.textContent = inOneLine(data.meta.prompt);
  el.written.textContent = inOneLine(stage.written);
  el.slider.value = at.stage;
  el.slider.setAttribute("aria-valuetext", facts(when, read, loss));
  el.back.disabled = at.stage === 0;
  el.forward.disabled = at.stage === data.stages.length - 1;
  Object.assign(inst.root.dataset, { stage: at.stage, trained: stage.step });
}

export function writeCursor(inst) {
  const { el, data, at } = inst;
  const stage = stageOf(inst);
  const [glyph, name] = data.meta.glyphs[stage.typed[at.step]];
  el.typed.textContent = glyph;
  el.typed.title = name;
  el.step.textContent = placeText("character", at.step, data.meta.columns);
  const next = data.ranks.map((rank) => `${data.meta.glyphs[stage[`next${rank}`][at.step]][0]} ${percent(stage[`chance${rank}`][at.step] / 65535)}`);
  el.surprise.textContent = surpriseText(stage.surprise[at.step]);
  el.expects.textContent = tr("expects {next}", { next: next.join("  ") });
  el.unit.textContent = unitText(at.unit);
  Object.assign(inst.root.dataset, { step: at.step, unit: at.unit, pinned: inst.pin ? `${inst.pin.stage}:${inst.pin.step}:${inst.pin.unit}` : "" });
  speakSoon(inst, () => sentence(inst));
}

/** The same for the ear: the checkpoint, the character, what is expected, every signal of the unit. */
function sentence(inst) {
  const { data, at, el } = inst;
  const stage = stageOf(inst);
  const next = data.ranks.map((rank) => `${nameAt(data, stage[`next${rank}`][at.step])} ${percent(stage[`chance${rank}`][at.step] / 65535)}`);
  const values = data.meta.signals.map((signal) => `${signal.title} ${written(valueAt(data, stage, signal, at.step, at.unit))}`);
  const checkpoint = tr("Checkpoint {number} of {all}, {stage}.", { number: shown("checkpoint", at.stage), all: data.stages.length, stage: facts(...stageWords(inst)) });
  const came = facts(nameAt(data, stage.typed[at.step]), el.step.textContent, el.surprise.textContent);
  const read = tr("{came}, expects {next}.", { came, next: next.join(", ") });
  return sentences(checkpoint, read, tr("Unit {unit}: {values}.", { unit: shown("unit", at.unit), values: values.join(", ") }));
}

export function captionOf(inst) {
  const { meta, stages } = inst.data;
  const layer = meta.layers > 1 && layersText([meta.layer], meta.layers);
  const order = inst.order === "grouped" ? tr("Units that move together at the last checkpoint stand together, in the same rows at every one.") : tr("Units stand by their number.");
  const free = meta.signals.filter(({ bounded }) => !bounded);
  const model = modelCaption(meta.name, [meta.cell, layer, unitsText(meta.units), checkpointsText(stages.length)], meta.note);
  return sentences(model, order, ...free.map(limitText), tr("Loss: {judged}, and this text.", { judged: meta.judged }));
}

const checkpointsText = (number) => trN("{n} checkpoint", "{n} checkpoints", number, { n: count(number) });

function limitText({ symbol, high, most }) {
  const end = short(high, 3);
  if (!(most > high)) return tr("{symbol}’s colours end at ±{end} at every checkpoint.", { symbol, end });
  return tr("{symbol}’s colours end at ±{end} at every checkpoint; the largest is {most}.", { symbol, end, most: short(most, 3) });
}

export function writeFoot(inst) {
  const { el, data } = inst;
  const { meta, stages } = data;
  el.caption.textContent = captionOf(inst);
  el.slider.max = stages.length - 1;
  const every = meta.signals.map(({ name, symbol, title }) => [name, `${symbol} ${title}`]);
  const choices = every.length > 1 ? [["all", tr("all signals")], ...every] : every;
  el.signal.replaceChildren(...choices.map(([value, words]) => option(value, words)));
  if (!choices.some(([value]) => value === inst.signal)) inst.signal = choices[0][0];
  el.signal.value = inst.signal;
  const length = lengthText("character", meta.columns, count(meta.columns));
  const keys = tr("Left and right move through the text, up and down through the units, Page Up and Page Down through the checkpoints, Enter pins, Space plays.");
  el.cursor.setAttribute("aria-label", sentences(tr("Heatmaps over {length} of {model}.", { length, model: meta.name }), keys));
  const losses = stages.map(({ step, loss }) => (loss === null ? tr("step {step}: none", { step }) : tr("step {step}: {loss}", { step, loss: fixed(loss, 2) })));
  el.curve.setAttribute("aria-label", tr("The loss at {checkpoints}: {losses}.", { checkpoints: checkpointsText(stages.length), losses: losses.join(", ") }));
}
