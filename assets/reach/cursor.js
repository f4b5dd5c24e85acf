// Painting on the screen, and moving the cursor by keys and by pointer.

import { pointIn } from "../shared/geometry.js";
import { clamp } from "../shared/numbers.js";
import { penOn } from "../shared/pens.js";
import { stop, togglePlay } from "../shared/player.js";
import { probeOf, rowNear, targetOf } from "./data.js";
import { GUTTER, layoutOf, PAD } from "./layout.js";
import { drawOverlay } from "./overlay.js";
import { drawHead, drawMaps } from "./paint.js";
import { writeFoot, writeReadout } from "./words.js";

function arrange(inst) {
  inst.ratio = Math.min(window.devicePixelRatio || 1, 3);
  inst.layout = layoutOf(inst);
  inst.el.stage.style.height = `${inst.layout.height}px`;
}

function paint(inst) {
  const { el, layout, ratio } = inst;
  drawMaps(penOn(el.maps, layout.width, layout.height, ratio), inst);
  paintMoving(inst);
}

/** All that moves with t: the colours of the text, the lines, the marks, the words. */
function paintMoving(inst) {
  const { el, layout, ratio } = inst;
  const head = layout.lines.y + layout.lines.height;
  drawHead(penOn(el.head, layout.width, head, ratio), inst);
  paintOverlay(inst);
}

function paintOverlay(inst) {
  const { el, layout, ratio } = inst;
  drawOverlay(penOn(el.cursor, layout.width, layout.height, ratio), inst);
  writeReadout(inst);
}

export function moveTo(inst, row, back = inst.back) {
  const next = clamp(row, 0, inst.data.meta.targets.length - 1);
  const far = clamp(back, 0, inst.data.meta.columns - 1);
  if (next === inst.row && far === inst.back) return;
  const moved = next !== inst.row;
  Object.assign(inst, { row: next, back: far });
  if (moved) paintMoving(inst);
  else paintOverlay(inst);
}

const moveBack = (inst, by) => moveTo(inst, inst.row, clamp(targetOf(inst) - probeOf(inst) + by, 0, targetOf(inst)));

/** What lies under the pointer: a loss, and how far back is looked. */
function placeAt(inst, event) {
  const [x, y] = pointIn(inst.el.cursor, event);
  const { layout, data } = inst;
  const { columns, targets } = data.meta;
  const text = layout.bands.find((band) => band.kind === "text" && y >= band.y && y < band.y + band.height);
  if (text) {
    const { perRow, wide, tall } = layout.letters;
    const [column, line] = [Math.floor((x - PAD) / wide), Math.floor((y - text.y) / tall)];
    const step = line * perRow + column;
    return column >= 0 && column < perRow && step < columns ? { row: rowNear(data, step) } : null;
  }
  const { top, plot } = layout.lines;
  if (y >= top && y < top + plot && x >= GUTTER && x < GUTTER + layout.plotWidth) {
    const step = Math.floor(((x - GUTTER) / layout.plotWidth) * columns);
    return { row: inst.row, back: Math.max(0, targetOf(inst) - step) };
  }
  const map = layout.maps.find((m) => x >= m.x && x < m.x + m.width && y >= m.y && y < m.y + m.height);
  if (!map) return null;
  const row = clamp(Math.floor(((y - map.y) / map.height) * targets.length), 0, targets.length - 1);
  const step = Math.floor(((x - map.x) / map.width) * columns);
  return { row, back: Math.max(0, targets[row] - step) };
}

function pinCursor(inst) {
  inst.pin = inst.row;
  paintOverlay(inst);
  inst.send("pin", { step: inst.data.meta.start + targetOf(inst), serial: inst.serial });
}

const page = (inst) => Math.max(1, Math.round(inst.data.meta.targets.length / 10));

export const KEYS = {
  ArrowLeft: (inst, far) => moveTo(inst, inst.row - (far ? 10 : 1)),
  ArrowRight: (inst, far) => moveTo(inst, inst.row + (far ? 10 : 1)),
  ArrowUp: (inst, far) => moveBack(inst, far ? 10 : 1),
  ArrowDown: (inst, far) => moveBack(inst, far ? -10 : -1),
  Home: (inst) => moveTo(inst, 0),
  End: (inst) => moveTo(inst, Infinity),
  PageUp: (inst) => moveTo(inst, inst.row - page(inst)),
  PageDown: (inst) => moveTo(inst, inst.row + page(inst)),
  Enter: (inst) => pinCursor(inst),
  Escape: (inst) => inst.pin !== null && moveTo(inst, inst.pin),
  " ": (inst) => togglePlay(inst),
};

export function hover(inst, event) {
  const place = placeAt(inst, event);
  if (place && !inst.playing) moveTo(inst, place.row, place.back);
}

export function click(inst, event) {
  const place = placeAt(inst, event);
  if (!place) return;
  stop(inst);
  moveTo(inst, place.row, place.back);
  pinCursor(inst);
}

export function repaint(inst) {
  arrange(inst);
  paint(inst);
  writeFoot(inst);
}
