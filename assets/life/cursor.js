// Painting on the screen, and moving through checkpoints, characters and units by keys and by pointer.

import { pointIn } from "../shared/geometry.js";
import { clamp } from "../shared/numbers.js";
import { penOn } from "../shared/pens.js";
import { stop, togglePlay } from "../shared/player.js";
import { CURVE, drawCurve, drawCurvePlace } from "./curve.js";
import { orderOf } from "./data.js";
import { heats, layoutOf } from "./layout.js";
import { drawOverlay, drawPicture } from "./paint.js";
import { writeCursor, writeStage } from "./words.js";

function arrange(inst) {
  inst.ratio = Math.min(window.devicePixelRatio || 1, 3);
  inst.layout = layoutOf(inst);
  const { el, layout, data } = inst;
  el.stage.style.width = `${layout.width}px`;
  el.stage.style.height = `${layout.height}px`;
  el.spacer.style.width = `${Math.max(layout.width, layout.gutter + data.meta.columns * layout.column)}px`;
  inst.scroll = el.scroller.scrollLeft;
}

export function repaint(inst) {
  arrange(inst);
  paint(inst);
}

/** All that changes with the checkpoint. */
function paint(inst) {
  const { el, layout, ratio } = inst;
  drawCurve(penOn(el.curve, layout.width, CURVE.tall, ratio), inst, layout.width);
  drawCurvePlace(penOn(el.place, layout.width, CURVE.tall, ratio), inst);
  drawPicture(penOn(el.picture, layout.width, layout.height, ratio), inst);
  writeStage(inst);
  paintCursor(inst);
}

/** All that changes with the character and the unit. */
function paintCursor(inst) {
  const { el, layout, ratio } = inst;
  drawOverlay(penOn(el.cursor, layout.width, layout.height, ratio), inst);
  writeCursor(inst);
}

export function moveStage(inst, stage) {
  const next = clamp(stage, 0, inst.data.stages.length - 1);
  if (next === inst.at.stage) return;
  inst.at.stage = next;
  paint(inst);
}

function moveCursor(inst, step, unit) {
  const { columns, units } = inst.data.meta;
  const next = { step: clamp(step, 0, columns - 1), unit: clamp(unit, 0, units - 1) };
  if (next.step === inst.at.step && next.unit === inst.at.unit) return;
  Object.assign(inst.at, next);
  paintCursor(inst);
}

function moveStep(inst, by) {
  moveCursor(inst, inst.at.step + by, inst.at.unit);
  bringIntoView(inst);
}

function moveUnit(inst, by) {
  const { units, rows } = orderOf(inst);
  moveCursor(inst, inst.at.step, units[clamp(rows[inst.at.unit] + by, 0, units.length - 1)]);
}

function bringIntoView(inst) {
  const { layout, at, el } = inst;
  const left = at.step * layout.column;
  if (left < el.scroller.scrollLeft) el.scroller.scrollLeft = left - layout.plot * 0.2;
  else if (left + layout.column > el.scroller.scrollLeft + layout.plot) el.scroller.scrollLeft = left - layout.plot * 0.8;
}

function pinCursor(inst) {
  inst.pin = { ...inst.at };
  drawCurvePlace(penOn(inst.el.place, inst.layout.width, CURVE.tall, inst.ratio), inst);
  paintCursor(inst);
  inst.send("pin", { ...inst.pin, serial: inst.serial });
}

export const KEYS = {
  ArrowLeft: (inst, far) => moveStep(inst, far ? -10 : -1),
  ArrowRight: (inst, far) => moveStep(inst, far ? 10 : 1),
  ArrowUp: (inst, far) => moveUnit(inst, far ? -10 : -1),
  ArrowDown: (inst, far) => moveUnit(inst, far ? 10 : 1),
  Home: (inst) => moveStep(inst, -Infinity),
  End: (inst) => moveStep(inst, Infinity),
  PageUp: (inst) => moveStage(inst, inst.at.stage - 1),
  PageDown: (inst) => moveStage(inst, inst.at.stage + 1),
  Enter: (inst) => pinCursor(inst),
  " ": (inst) => togglePlay(inst),
};

function placeAt(inst, event) {
  const [x, y] = pointIn(inst.el.cursor, event);
  const { layout, data } = inst;
  const step = Math.floor((x - layout.gutter + inst.scroll) / layout.column);
  if (x < layout.gutter || step < 0 || step >= data.meta.columns) return null;
  const band = heats(inst).find((heat) => y >= heat.y && y < heat.y + heat.height);
  const row = band ? Math.floor(((y - band.y) / band.height) * data.meta.units) : -1;
  return { step, unit: row < 0 ? inst.at.unit : orderOf(inst).units[clamp(row, 0, data.meta.units - 1)] };
}

export function hover(inst, event) {
  const place = placeAt(inst, event);
  if (place) moveCursor(inst, place.step, place.unit);
}

export function click(inst, event) {
  const place = placeAt(inst, event);
  if (!place) return;
  stop(inst);
  moveCursor(inst, place.step, place.unit);
  pinCursor(inst);
}

/** The checkpoint whose point is nearest to where the curve is pressed. */
export function dragCurve(inst, event) {
  const [x] = pointIn(inst.el.place, event);
  const far = inst.data.stages.map(({ step }) => Math.abs(inst.scale.x(step) - x));
  stop(inst);
  moveStage(inst, far.indexOf(Math.min(...far)));
}

export function moveByHand(inst, stage) {
  stop(inst);
  moveStage(inst, stage);
}

export function onScroll(inst) {
  const before = inst.scroll;
  inst.scroll = inst.el.scroller.scrollLeft;
  if (inst.scroll === before) return;
  drawPicture(penOn(inst.el.picture, inst.layout.width, inst.layout.height, inst.ratio), inst);
  paintCursor(inst);
}
