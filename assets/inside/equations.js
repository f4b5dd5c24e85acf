// The equations of the chosen unit, in numbers.

import { drawBars, equationRow, writeRows } from "../shared/equations/panel.js";
import { chainOf } from "../shared/equations/unit_numbers.js";
import { shown } from "../shared/numbering.js";
import { numbered } from "../shared/phrases.js";
import { tr } from "../shared/words.js";
import { isSent } from "./data.js";
import { momentAt } from "./moments.js";
import { spokenGlyph } from "./words.js";

export function linesShown(inst) {
  const moment = momentAt(inst, inst.cursor.step);
  return inst.data.equations.signals.map((signal) => ({ signal, chain: chainOf(moment, signal, inst.cursor.unit, inst.look) }));
}

export function buildEquations(inst) {
  const { equations } = inst.data;
  const rowsOf = (signals) => signals.map((signal) => equationRow(equations, signal, inst.look));
  const step = inst.look.walk ? inst.walk[inst.look.walk - 1] : null;
  inst.el.rows.replaceChildren(...rowsOf(equations.signals));
  inst.el.walkRows.replaceChildren(...(step ? rowsOf(equations.signals.filter((signal) => step.equations.includes(signal.name))) : []));
}

export function writeEquations(inst) {
  const { el, data, cursor, look, theme, layout } = inst;
  const { step, unit } = cursor;
  const [character, place] = [spokenGlyph(inst, data.steps.typed[step]), numbered(data.meta.step, step)];
  el.unitTitle.textContent = tr("Unit {unit} at {character}, {place}", { unit: shown("unit", unit), character, place });
  if (!isSent(data, step)) return;
  writeRows([...el.rows.children, ...el.walkRows.children], momentAt(inst, step), unit, look);
  const walked = look.walk ? inst.walk[look.walk - 1] : null;
  const signal = walked?.bars ? data.equations.signals.find((s) => walked.equations.includes(s.name) && s.terms.length > 1) : null;
  el.bars.hidden = !signal;
  if (signal) drawBars(el.bars, momentAt(inst, step), signal, unit, look, theme, layout.compact);
}
