// Moving the cursor and pinning it, by keys and by pointer.

import { pointIn } from "../shared/geometry.js";
import { clamp } from "../shared/numbers.js";
import { stop, togglePlay } from "../shared/player.js";
import { namesOf, orderOf, trackOf, unitIn } from "./data.js";
import { heatBands } from "./layout.js";
import { bringIntoView, paint, paintOverlay, readScroll } from "./screen.js";

export function moveCursor(inst, to, follow = true) {
  const { cursor, data } = inst;
  const track = to.track ?? cursor.track;
  const step = clamp(to.step ?? cursor.step, 0, data.meta.steps - 1);
  const unit = clamp(to.unit ?? unitIn(inst, data.tracks[track]), 0, data.tracks[track].units - 1);
  if (step === cursor.step && unit === cursor.unit && track === cursor.track && (to.isPassing || inst.chosen === cursor)) return;
  inst.cursor = { step, unit, track };
  inst.visited.set(data.tracks[track].readers[0], unit);
  if (!to.isPassing) inst.chosen = inst.cursor;
  if (!follow || !bringIntoView(inst, step)) paintOverlay(inst); // else the scroll has painted
  if (!to.isPassing) inst.onChosen?.();
}

function moveTrack(inst, by) {
  const { length } = inst.data.tracks;
  moveCursor(inst, { track: (inst.cursor.track + by + length) % length });
}

/** To the next marked disagreement in the text, or the one before; round at the ends. */
export function movePeak(inst, by) {
  const places = [...inst.data.peaks].sort((a, b) => a - b);
  if (!places.length) return;
  const { step } = inst.cursor;
  const next = by > 0 ? (places.find((place) => place > step) ?? places[0]) : (places.findLast((place) => place < step) ?? places.at(-1));
  moveCursor(inst, { step: next });
}

function moveUnit(inst, by) {
  const { units, rows } = orderOf(inst, trackOf(inst, inst.cursor));
  const row = clamp(rows[inst.cursor.unit] + by, 0, units.length - 1);
  moveCursor(inst, { unit: units[row] });
}

function placeAt(inst, event) {
  const [x, y] = pointIn(inst.el.cursor, event);
  if (x < inst.layout.gutter) return null;
  const step = Math.floor((x - inst.layout.gutter + inst.scroll) / inst.columnWidth);
  if (step >= inst.data.meta.steps) return null;
  const band = heatBands(inst).find((b) => y >= b.y && y < b.y + b.height);
  if (!band) return { step };
  const { units } = orderOf(inst, band.heat.track);
  const row = clamp(Math.floor(((y - band.y) / band.height) * units.length), 0, units.length - 1);
  return { step, unit: units[row], track: band.heat.track.place };
}

function pinCursor(inst) {
  inst.pin = inst.chosen = inst.cursor;
  paintOverlay(inst);
  const { step, unit } = inst.pin;
  inst.send("pin", { step, unit, ...namesOf(inst.data, inst.pin), serial: inst.serial });
}

export const KEYS = {
  ArrowLeft: (inst, far) => moveCursor(inst, { step: inst.cursor.step - (far ? 10 : 1) }),
  ArrowRight: (inst, far) => moveCursor(inst, { step: inst.cursor.step + (far ? 10 : 1) }),
  ArrowUp: (inst, far) => moveUnit(inst, far ? -10 : -1),
  ArrowDown: (inst, far) => moveUnit(inst, far ? 10 : 1),
  Home: (inst) => moveCursor(inst, { step: 0 }),
  End: (inst) => moveCursor(inst, { step: inst.data.meta.steps - 1 }),
  PageUp: (inst) => moveCursor(inst, { step: inst.cursor.step - pageOf(inst) }),
  PageDown: (inst) => moveCursor(inst, { step: inst.cursor.step + pageOf(inst) }),
  Enter: (inst) => pinCursor(inst),
  Escape: (inst) => inst.pin && moveCursor(inst, inst.pin),
  " ": (inst) => togglePlay(inst),
  m: (inst) => moveTrack(inst, 1),
  M: (inst) => moveTrack(inst, -1),
  d: (inst) => movePeak(inst, 1),
  D: (inst) => movePeak(inst, -1),
};

const pageOf = (inst) => Math.max(1, Math.floor((0.9 * inst.layout.plot) / inst.columnWidth));

export function hover(inst, event) {
  const place = placeAt(inst, event);
  if (place && !inst.playing) moveCursor(inst, { ...place, isPassing: true }, false);
}

export function click(inst, event) {
  const place = placeAt(inst, event);
  if (!place) return;
  stop(inst);
  moveCursor(inst, place, false);
  pinCursor(inst);
}

export function onScroll(inst) {
  const before = inst.scroll;
  readScroll(inst);
  if (inst.scroll !== before) paint(inst);
}

export function dragMap(inst, event) {
  const box = inst.el.map.getBoundingClientRect();
  const step = Math.floor(((event.clientX - box.left) / box.width) * inst.data.meta.steps);
  inst.el.scroller.scrollLeft = step * inst.columnWidth - inst.layout.plot / 2;
  onScroll(inst);
  moveCursor(inst, { step }, false);
}
