// The keyboard.

import { togglePlay } from "../shared/player.js";
import { moveCursor, pinCursor, point } from "./cursor.js";
import { partSentence } from "./part.js";
import { speakSoon } from "./readout.js";
import { setLook } from "./view_settings.js";

/** The parts in the order in which the eye meets them: along each line, from left to right. */
function partsInOrder(inst) {
  return [...new Set(inst.copies[0].parts.filter((part) => part.kind !== "label").map((part) => part.value))];
}

function nextPart(inst, by) {
  const values = partsInOrder(inst);
  const at = values.indexOf(inst.part.value);
  point(inst, { value: values[(at + by + values.length) % values.length], offset: 0 });
  speakSoon(inst, () => partSentence(inst));
}

export const toggled = (inst, name, one, other) => setLook(inst, { [name]: inst.look[name] === one ? other : one });

const KEYS = {
  ArrowLeft: (inst, far) => moveCursor(inst, { step: inst.cursor.step - (far ? 10 : 1) }),
  ArrowRight: (inst, far) => moveCursor(inst, { step: inst.cursor.step + (far ? 10 : 1) }),
  ArrowUp: (inst, far) => moveCursor(inst, { unit: inst.cursor.unit - (far ? 10 : 1) }),
  ArrowDown: (inst, far) => moveCursor(inst, { unit: inst.cursor.unit + (far ? 10 : 1) }),
  Home: (inst) => moveCursor(inst, { step: 0 }),
  End: (inst) => moveCursor(inst, { step: inst.data.meta.steps - 1 }),
  PageUp: (inst) => moveCursor(inst, { step: inst.cursor.step - 20 }),
  PageDown: (inst) => moveCursor(inst, { step: inst.cursor.step + 20 }),
  Enter: (inst) => pinCursor(inst),
  Escape: (inst) => (inst.look.walk ? setLook(inst, { walk: 0 }) : inst.pin && moveCursor(inst, inst.pin)),
  " ": (inst) => togglePlay(inst),
  ",": (inst) => nextPart(inst, -1),
  ".": (inst) => nextPart(inst, 1),
  u: (inst) => toggled(inst, "reading", "unit", "all"),
  0: (inst) => setLook(inst, { walk: 0 }),
};

export function onKey(inst, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const digit = Number(event.key);
  const act = digit >= 1 && digit <= inst.walk.length ? () => setLook(inst, { walk: digit }) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act(inst, event.shiftKey);
}
