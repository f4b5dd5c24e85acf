// Pointing and dragging.

import { clamp } from "../shared/numbers.js";
import { stop } from "../shared/player.js";
import { sizeOf } from "./colours.js";
import { moveCursor, pinCursor, point } from "./cursor.js";
import { partSentence, valueWords } from "./part.js";
import { speakSoon } from "./readout.js";
import { place, settle } from "./row.js";
import { SLIDE_MS } from "./settings.js";
import { TAPE } from "./tape.js";

function partAt(inst, event) {
  const hit = event.composedPath()[0];
  const root = hit?.closest?.(".copy");
  const copy = inst.copies.find((c) => c.root === root);
  if (!copy) return null;
  const part = hit.dataset?.part === undefined ? null : copy.parts[hit.dataset.part];
  return { copy, part, unit: part?.kind === "line" ? unitAt(inst, copy, Number(hit.dataset.part), event) : null };
}

/** Which unit's cell of a line lies under the pointer. */
function unitAt(inst, copy, index, event) {
  const strip = inst.measured.strips.find((s) => s.index === index);
  const box = copy.over.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) / inst.layout.scale, (event.clientY - box.top) / inst.layout.scale];
  let best = null;
  for (const p of strip.strokes.flat()) {
    const far = (p.x - x) ** 2 + (p.y - y) ** 2;
    if (!best || far < best.far) best = { far, way: p.way };
  }
  return unitOfCell(inst.data, strip.value, best.way / strip.total);
}

/** The unit whose cell lies at a share of a vector; null among inputs. */
function unitOfCell(data, value, share) {
  const { tree } = data.meta.drawn[value];
  let cell = Math.floor(clamp(share, 0, 0.9999) * sizeOf(data, tree));
  for (const input of tree.kind === "concatenation" ? tree.inputs : [tree]) {
    const size = sizeOf(data, input);
    if (cell < size) return input.spelling === "x" ? null : cell;
    cell -= size;
  }
  return null;
}

export function onMove(inst, event) {
  if (inst.drag) return dragTo(inst, event);
  if (event.pointerType === "touch" || inst.playing) return;
  const at = partAt(inst, event);
  point(inst, at?.part ? { value: at.part.value, offset: at.copy.step - inst.cursor.step } : null);
  if (at?.part && at.unit !== null) inst.el.partValue.textContent = valueWords(inst, at.part.value, at.unit);
}

export function onDown(inst, event) {
  if (event.button || inst.look.copies === "one") return;
  if (inst.hasty) {
    inst.hasty = false;
    place(inst);
  }
  inst.drag = { from: event.clientX, last: event.clientX, id: event.pointerId, moving: false };
}

function dragTo(inst, event) {
  const { drag, el, layout, anchor, cursor } = inst;
  drag.last = event.clientX;
  const by = drag.last - drag.from;
  if (!drag.moving && Math.abs(by) < 8) return;
  if (!drag.moving) {
    stop(inst);
    el.stage.setPointerCapture(drag.id);
    drag.moving = true;
  }
  el.track.style.transition = "none";
  el.track.style.transform = `translateX(${(anchor - cursor.step) * layout.stride + by}px)`;
}

/** A drag along the row moves along the text. */
export function onUp(inst, event) {
  const { drag, layout } = inst;
  inst.drag = null;
  if (!drag?.moving) return;
  inst.dragged = performance.now();
  const by = drag.last - drag.from;
  const steps = Math.abs(by) > 0.18 * layout.stride ? -Math.sign(by) * Math.max(1, Math.round(Math.abs(by) / layout.stride)) : 0;
  if (event.type === "pointerup" && steps) moveCursor(inst, { step: inst.cursor.step + steps });
  settle(inst, SLIDE_MS);
}

export function onClick(inst, event) {
  if (performance.now() - inst.dragged < 80) return;
  const at = partAt(inst, event);
  if (!at || at.copy.step < 0 || at.copy.step >= inst.data.meta.steps) return;
  stop(inst);
  const offset = at.copy.step - inst.cursor.step;
  if (at.part) point(inst, { value: at.part.value, offset });
  const unit = inst.look.reading === "all" && at.unit !== null ? at.unit : inst.cursor.unit;
  if (!offset && unit === inst.cursor.unit && !at.part) return;
  moveCursor(inst, { step: at.copy.step, unit });
  if (at.part) speakSoon(inst, () => partSentence(inst));
  if (at.unit !== null || offset) pinCursor(inst);
}

export function onTape(inst, event) {
  const box = inst.el.tape.getBoundingClientRect();
  const step = inst.first + Math.floor((event.clientX - box.left) / TAPE.column);
  if (step < inst.data.meta.steps) moveCursor(inst, { step });
}

export function onMagnified(inst, event, pick) {
  const box = inst.el.magnified.getBoundingClientRect();
  const unit = unitOfCell(inst.data, inst.part.value, (event.clientX - box.left) / box.width);
  if (unit === null) return;
  inst.el.partValue.textContent = valueWords(inst, inst.part.value, unit);
  if (!pick) return;
  moveCursor(inst, { unit });
  pinCursor(inst);
}
