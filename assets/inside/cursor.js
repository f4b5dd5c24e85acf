// Moving and pinning the cursor; asking for another window of a long text.

import { shown } from "../shared/numbering.js";
import { clamp } from "../shared/numbers.js";
import { sentences, tr } from "../shared/words.js";
import { paintCopy } from "./copy.js";
import { writeEquations } from "./equations.js";
import { writePart } from "./part.js";
import { writePath } from "./path.js";
import { placeSentence, speakSoon, writeReadout } from "./readout.js";
import { place, settle } from "./row.js";
import { WINDOW_MARGIN, SLIDE_MS } from "./settings.js";
import { paintTape } from "./tape.js";

/** Everything that follows the cursor, but for the copies themselves. */
export function writeAll(inst) {
  paintTape(inst);
  writeReadout(inst);
  writePart(inst);
  writeEquations(inst);
  writePath(inst);
  if (document.activeElement !== inst.el.unit && inst.root.getRootNode().activeElement !== inst.el.unit) inst.el.unit.value = shown("unit", inst.cursor.unit);
}

/** to: { step, unit }, what stays may be left out. isSpoken: false where another view says where the cursor is. */
export function moveCursor(inst, to, isSpoken = true) {
  const { meta } = inst.data;
  const step = clamp(to.step ?? inst.cursor.step, 0, meta.steps - 1);
  const unit = clamp(to.unit ?? inst.cursor.unit, 0, meta.units - 1);
  const by = step - inst.cursor.step;
  if (!by && unit === inst.cursor.unit) return;
  inst.cursor = { step, unit, layer: meta.layer };
  if (by) inst.part = { ...inst.part, offset: 0 };
  const now = performance.now();
  const slow = now - inst.moved > 140 && (!inst.playing || inst.speed <= 5);
  if (by) inst.moved = now;
  const slide = Math.abs(by) === 1 && inst.look.copies === "three" && slow;
  inst.hasty = by !== 0 && !slide;
  place(inst, Math.abs(by) > 4);
  settle(inst, slide ? SLIDE_MS : 0);
  writeAll(inst);
  askForWindow(inst);
  if (isSpoken) speakSoon(inst, () => placeSentence(inst));
}

export function pinCursor(inst) {
  inst.pin = { ...inst.cursor };
  paintTape(inst);
  inst.send("pin", { ...inst.pin, serial: inst.serial });
  speakSoon(inst, () => sentences(tr("Pinned."), placeSentence(inst)));
}

export function point(inst, part) {
  const same = inst.pointed?.value === part?.value && inst.pointed?.offset === part?.offset;
  if (part) inst.part = part;
  if (part) writePart(inst);
  if (same) return;
  inst.pointed = part;
  for (const copy of inst.copies) if (copy.step !== null) paintCopy(inst, copy);
}

export function askForWindow(inst) {
  if (inst.timers.ask || !missing(inst)) return;
  // A new wish would break off the run that answers the one before.
  const patience = inst.asked === null ? 150 : Math.max(150, inst.askedAt + 4000 - performance.now());
  inst.timers.ask = setTimeout(() => {
    inst.timers.ask = 0;
    const { columns, steps, start } = inst.data.meta;
    const first = missing(inst) ? clamp(inst.cursor.step - Math.floor(columns / 2), 0, steps - columns) : inst.asked;
    if (first === inst.asked || first === start) return;
    Object.assign(inst, { asked: first, askedAt: performance.now() });
    inst.send("start", { first, serial: inst.serial });
  }, patience);
}

function missing(inst) {
  const { start, columns, steps } = inst.data.meta;
  const { step } = inst.cursor;
  return (start > 0 && step - WINDOW_MARGIN < start) || (start + columns < steps && step + WINDOW_MARGIN > start + columns);
}
