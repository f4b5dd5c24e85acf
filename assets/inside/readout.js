// What stands above the drawing, and what is spoken.

import { shown } from "../shared/numbering.js";
import { placeText, surpriseAndChance } from "../shared/phrases.js";
import { facts, tr } from "../shared/words.js";
import { isSent } from "./data.js";
import { linesShown } from "./equations.js";
import { expected, spokenGlyph } from "./words.js";

export function writeReadout(inst) {
  const { el, data, cursor } = inst;
  const { step, unit } = cursor;
  const [glyph, name] = data.meta.glyphs[data.steps.typed[step]];
  const [typed, read] = [data.steps.typed[step], data.steps.read[step]];
  el.typed.textContent = glyph;
  el.typed.title = name;
  el.step.textContent = placeText(data.meta.step, step, data.meta.steps);
  el.surprise.textContent = surpriseAndChance(data.steps.surprise[step]);
  el.replaced.textContent = typed === read ? "" : tr("read as {character}", { character: spokenGlyph(inst, read) });
  const likeliest = expected(inst, step);
  el.nexts.forEach((next, rank) => {
    const [index, chance] = likeliest[rank] ?? [];
    next.textContent = chance ? data.meta.glyphs[index][0] : "";
    next.nextSibling.textContent = chance ? ` ${chance}` : "";
  });
  el.tape.setAttribute("aria-valuenow", shown("character", step));
  el.tape.setAttribute("aria-valuemax", shown("character", data.meta.steps - 1));
  el.tape.setAttribute("aria-valuetext", facts(spokenGlyph(inst, typed), el.step.textContent));
  Object.assign(inst.root.dataset, { step, unit, layer: data.meta.layer, look: JSON.stringify(inst.look) });
}

/** Screen readers hear where hands came to rest, not every place they passed. */
export function speakSoon(inst, sentence) {
  clearTimeout(inst.timers.speak);
  inst.timers.speak = setTimeout(() => (inst.el.live.textContent = sentence()), inst.playing ? 1500 : 250);
}

export function placeSentence(inst) {
  const { data, cursor, el } = inst;
  const next = expected(inst, cursor.step).map(([index, chance]) => `${spokenGlyph(inst, index)} ${chance}`);
  const lines = isSent(data, cursor.step) ? linesShown(inst).map(({ signal, chain }) => `${signal.title} ${signal.symbol} ${chain.text.split(" = ").at(-1)}`) : [];
  const came = facts(spokenGlyph(inst, data.steps.typed[cursor.step]), el.replaced.textContent, el.step.textContent, el.surprise.textContent);
  const read = tr("{came}. Expects {next}", { came, next: next.join(", ") });
  return tr("{read}. Layer {layer}, unit {unit}: {values}.", { read, layer: shown("layer", data.meta.layer), unit: shown("unit", cursor.unit), values: lines.join(", ") });
}
