// What stands above the drawing, and what is spoken.

import { fixed, percent } from "../shared/numbers.js";
import { isSent } from "./data.js";
import { linesShown } from "./equations.js";
import { expected, spokenGlyph } from "./words.js";

export function writeReadout(inst) {
  const { el, data, cursor } = inst;
  const { step, unit } = cursor;
  const [shown, name] = data.meta.glyphs[data.steps.typed[step]];
  const [typed, read, nats] = [data.steps.typed[step], data.steps.read[step], data.steps.surprise[step]];
  el.typed.textContent = shown;
  el.typed.title = name;
  el.step.textContent = `${data.meta.step} ${step + 1} of ${data.meta.steps}`;
  el.surprise.textContent = Number.isNaN(nats) ? "no surprise: the first character" : `surprise ${fixed(nats, 2)} nats (${percent(Math.exp(-nats))})`;
  el.replaced.textContent = typed === read ? "" : `read as ${spokenGlyph(inst, read)}`;
  expected(inst, step).forEach(([index, chance], rank) => {
    el.nexts[rank].textContent = data.meta.glyphs[index][0];
    el.nexts[rank].nextSibling.textContent = ` ${chance}`;
  });
  el.tape.setAttribute("aria-valuenow", step + 1);
  el.tape.setAttribute("aria-valuemax", data.meta.steps);
  el.tape.setAttribute("aria-valuetext", `${spokenGlyph(inst, typed)}, ${el.step.textContent}`);
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
  const read = el.replaced.textContent ? `, ${el.replaced.textContent}` : "";
  const lines = isSent(data, cursor.step) ? linesShown(inst).map(({ signal, chain }) => `${signal.title} ${signal.symbol} ${chain.text.split(" = ").at(-1)}`) : [];
  return `${spokenGlyph(inst, data.steps.typed[cursor.step])}${read}, ${el.step.textContent}, ${el.surprise.textContent}. Expects ${next.join(", ")}. Layer ${data.meta.layer + 1}, unit ${cursor.unit}: ${lines.join(", ")}.`;
}
