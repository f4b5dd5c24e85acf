// The equations of the chosen unit, in numbers.

import { element } from "../shared/elements.js";
import { shown } from "../shared/numbering.js";
import { numbered } from "../shared/phrases.js";
import { tr } from "../shared/words.js";
import { isSent } from "./data.js";
import { momentAt } from "./formulas.js";
import { inLetters, letters, plainText, roman, symbolOf } from "./letters.js";
import { svg } from "./picture.js";
import { barsOf, chainOf } from "./unit_numbers.js";
import { spokenGlyph } from "./words.js";

export function linesShown(inst) {
  const moment = momentAt(inst, inst.cursor.step);
  return inst.data.meta.signals.map((signal) => ({ signal, chain: chainOf(moment, signal, inst.cursor.unit, inst.look) }));
}

function equationRow(inst, signal) {
  const left = [...symbolOf(inst.data, signal.name), ...roman(" = ")];
  const symbolic = element("span", { className: "symbolic" }, ...inLetters([...left, ...letters(inst.data, signal.tree, inst.look)]));
  const row = element("div", { className: "row" }, symbolic, element("span", { className: "numbers" }));
  row.dataset.line = signal.name;
  row.tabIndex = -1;
  return row;
}

export function buildEquations(inst) {
  inst.el.rows.replaceChildren(...inst.data.meta.signals.map((signal) => equationRow(inst, signal)));
  const step = inst.look.walk ? inst.walk[inst.look.walk - 1] : null;
  inst.el.walkRows.replaceChildren(...(step ? inst.data.meta.signals.filter((s) => step.equations.includes(s.name)).map((s) => equationRow(inst, s)) : []));
}

export function writeEquations(inst) {
  const { el, data, cursor } = inst;
  const [character, place] = [spokenGlyph(inst, data.steps.typed[cursor.step]), numbered(data.meta.step, cursor.step)];
  el.unitTitle.textContent = tr("Unit {unit} at {character}, {place}", { unit: shown("unit", cursor.unit), character, place });
  if (!isSent(data, cursor.step)) return;
  const chains = Object.fromEntries(linesShown(inst).map(({ signal, chain }) => [signal.name, chain]));
  for (const row of [...el.rows.children, ...el.walkRows.children]) {
    row.lastChild.textContent = `= ${chains[row.dataset.line].text}`;
    row.dataset.value = chains[row.dataset.line].value;
  }
  writeBars(inst);
}

/** Kept and written as two bars that add up to the state, from the walk's own words. */
function writeBars(inst) {
  const { el, data, cursor, look, theme } = inst;
  const step = look.walk ? inst.walk[look.walk - 1] : null;
  const signal = step?.bars ? data.meta.signals.find((s) => step.equations.includes(s.name) && s.terms.length > 1) : null;
  el.bars.hidden = !signal;
  if (!signal) return;
  const { parts, value, text } = barsOf(momentAt(inst, cursor.step), signal, cursor.unit);
  const ends = [0, value, ...parts.map((_, k) => parts.slice(0, k + 1).reduce((sum, part) => sum + part.value, 0))];
  const reach = Math.max(...ends.map(Math.abs), 1e-9) * 1.08;
  const [wide, tall] = [inst.layout.compact ? 250 : 520, 30];
  const x = (v) => wide / 2 + (v / reach) * (wide / 2 - 70);
  const rows = [];
  let from = 0;
  for (const part of parts) {
    rows.push({ from, to: from + part.value, words: part.kept ? tr("kept") : tr("written"), letters: letters(data, part.tree, look), text: part.text, fill: theme.dark ? (part.kept ? "#d9b64a" : "#e79ab4") : part.kept ? "#b8860b" : "#bf5573" });
    from += part.value;
  }
  rows.push({ from: 0, to: value, words: tr("together"), letters: symbolOf(data, signal.name), text, fill: theme.ink });
  const picture = svg("svg", { viewBox: `0 0 ${wide} ${tall * rows.length}`, "aria-hidden": "true" });
  rows.forEach((row, k) => {
    const [a, b] = [x(Math.min(row.from, row.to)), x(Math.max(row.from, row.to))];
    picture.append(svg("rect", { x: a, y: k * tall + 6, width: Math.max(1.5, b - a), height: 18, fill: row.fill, rx: 2 }));
    if (k) picture.append(svg("path", { d: `M${x(row.from)} ${k * tall - 6}V${k * tall + 24}`, stroke: theme.quiet, "stroke-dasharray": "2 3" }));
    picture.append(svg("text", { x: wide - 4, y: k * tall + 20, "text-anchor": "end", "font-size": 15, "font-weight": 600, fill: theme.ink, "font-family": theme.sans }));
    picture.lastChild.textContent = row.text;
  });
  picture.append(svg("path", { d: `M${x(0)} 0V${tall * rows.length}`, stroke: theme.ink, "stroke-width": 1 }));
  const names = rows.map((row) => element("div", {}, element("span", { className: "quiet", textContent: `${row.words} ` }), ...inLetters(row.letters)));
  el.bars.replaceChildren(element("div", { className: "names" }, ...names), picture);
  el.bars.setAttribute("role", "img");
  el.bars.setAttribute("aria-label", rows.map((row) => `${row.words} ${plainText(row.letters)} ${row.text}`).join(", "));
  el.bars.dataset.numbers = JSON.stringify(rows.map((row) => row.text));
}
