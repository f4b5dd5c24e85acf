// The text around the cursor.

import { mix } from "../shared/colours.js";
import { clamp } from "../shared/numbers.js";
import { penOn } from "../shared/pens.js";

export const TAPE = { column: 17, height: 46 };

function tapeView(inst) {
  const { steps } = inst.data.meta;
  const fit = Math.max(5, Math.floor(inst.layout.wide / TAPE.column));
  const room = Math.min(8, Math.floor(fit / 4));
  const { step } = inst.cursor;
  const end = Math.max(0, steps - fit);
  const near = (step < inst.first + room && inst.first > 0) || (step >= inst.first + fit - room && inst.first < end);
  if (near || inst.first > end) inst.first = clamp(step - Math.floor(fit / 3), 0, end); // a page at a time: text that stands still is read
  return { first: inst.first, last: Math.min(steps, inst.first + fit), fit };
}

export function paintTape(inst) {
  const { el, layout, cursor, pin } = inst;
  const { first, last } = tapeView(inst);
  const x = (step) => `translateX(${(step - first) * TAPE.column}px)`;
  const key = `${inst.epoch}/${first}/${last}`;
  if (inst.taped !== key) paintText(inst, first, last);
  inst.taped = key;
  el.here.style.transform = x(cursor.step);
  el.pinned.hidden = !pin || pin.step < first || pin.step >= last;
  if (pin) el.pinned.style.transform = x(pin.step);
  el.tape.style.height = `${TAPE.height}px`;
  el.tape.style.width = `${layout.wide}px`;
}

function paintText(inst, first, last) {
  const { el, data, theme, layout } = inst;
  const pen = penOn(el.text, layout.wide, TAPE.height, inst.ratio);
  const x = (step) => (step - first) * TAPE.column;
  for (let step = first; step < last; step++) {
    const [shown, , kind] = data.meta.glyphs[data.steps.typed[step]];
    const replaced = data.steps.typed[step] !== data.steps.read[step];
    const fill = replaced ? theme.replaced : kind === "quiet" ? mix(theme.ink, theme.paper, 0.42) : theme.ink;
    const small = kind === "boxed" ? Math.min(9, (TAPE.column - 4) / (0.62 * shown.length)) : 16;
    pen.text(shown, x(step) + TAPE.column / 2, 21, { size: small, fill, family: theme.mono, align: "center", weight: 500 });
    if (replaced) pen.rect(x(step) + 3, 25, TAPE.column - 6, 2, { fill: theme.replaced, radius: 1 });
    const nats = data.steps.surprise[step];
    if (nats > 0) pen.rect(x(step) + 3.5, 29, TAPE.column - 7, Math.max(1, Math.min(1, nats / 8) * 16), { fill: theme.quiet, alpha: 0.7 });
  }
}
