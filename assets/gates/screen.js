// Painting on the screen: the layout, the scroll, the map of the whole text, the window of columns that was sent.

import { reducedMotion } from "../shared/elements.js";
import { pooledSteps } from "../shared/geometry.js";
import { clamp } from "../shared/numbers.js";
import { penOn } from "../shared/pens.js";
import { askForWindow, isOutside } from "../shared/windows.js";
import { layoutOf, narrowest, visible } from "./layout.js";
import { drawOverlay } from "./overlay.js";
import { drawPicture } from "./paint.js";
import { writeFoot, writeReadout } from "./words.js";

const MARGIN = 100; // columns overflowText the view that should be there before a person scrolls to them

/** Lays everything out anew, keeping the column `anchor` where it is on the screen. */
export function arrange(inst) {
  const { el, data } = inst;
  inst.ratio = window.devicePixelRatio || 1;
  inst.layout = layoutOf(inst);
  inst.columnWidth = Math.max(inst.columnWidth, narrowest(inst));
  const total = inst.layout.gutter + data.meta.steps * inst.columnWidth;
  el.spacer.style.width = `${Math.max(inst.layout.width, Math.ceil(total))}px`;
  el.spacer.style.height = `${inst.layout.height}px`;
  el.stage.style.width = `${inst.layout.width}px`;
  el.map.hidden = total <= inst.layout.width + 1;
  readScroll(inst);
}

export function readScroll(inst) {
  inst.scroll = Math.round(inst.el.scroller.scrollLeft * inst.ratio) / inst.ratio;
}

export function paint(inst) {
  const { el, layout, ratio } = inst;
  drawPicture(penOn(el.picture, layout.width, layout.height, ratio), inst);
  paintOverlay(inst);
  askForWindow(inst, () => isMissing(inst), () => wantedStart(inst));
}

export function paintOverlay(inst) {
  const { el, layout, ratio } = inst;
  drawOverlay(penOn(el.cursor, layout.width, layout.height, ratio), inst);
  if (!el.map.hidden) paintMap(inst);
  writeReadout(inst);
}

function paintMap(inst) {
  const { el, theme, data, layout, cursor, pin } = inst;
  const { steps, start, columns } = data.meta;
  const [width, height] = [layout.width, 30];
  const pen = penOn(el.map, width, height, inst.ratio);
  const x = (step) => (step / steps) * width;
  pen.rect(0, 0, width, height, { fill: theme.empty, radius: 4 });
  pen.image(mapProfile(inst, width), 0, 0, width, height);
  if (columns < steps) pen.rect(x(start), height - 2, x(columns), 2, { fill: theme.quiet });
  const view = visible(inst);
  pen.rect(x(view.first), 1, Math.max(6, x(view.last - view.first)), height - 2, { fill: theme.accent, alpha: 0.14, radius: 3 });
  pen.rect(x(view.first), 1, Math.max(6, x(view.last - view.first)), height - 2, { stroke: theme.accent, radius: 3 });
  data.peaks.forEach((step) => pen.path([[x(step + 0.5) - 3, 3], [x(step + 0.5) + 3, 3], [x(step + 0.5), 9]], { fill: theme.accent, alpha: 0.7 }));
  if (pin) pen.path([[x(pin.step) - 4, 0], [x(pin.step) + 4, 0], [x(pin.step), 6]], { fill: theme.accent });
  pen.path([[x(cursor.step + 0.5), 0], [x(cursor.step + 0.5), height]], { stroke: theme.ink, line: 1.25 });
}

/** Surprise along the whole text, painted once and kept: mean where many steps share a pixel. */
function mapProfile(inst, width) {
  const key = `${width}/${inst.ratio}/${inst.theme.ink}`;
  if (inst.profile?.key === key) return inst.profile.canvas;
  const { readers, cap, meta } = inst.data;
  const canvas = document.createElement("canvas");
  const pen = penOn(canvas, width, 30, inst.ratio);
  const bars = Math.min(Math.floor(width), meta.steps);
  for (let bar = 0; bar < bars; bar++) {
    const [a, b] = pooledSteps(bar, bars, 0, meta.steps);
    let sum = 0;
    for (const { surprise } of readers) for (let step = a; step < b; step++) sum += surprise[step] || 0;
    const tall = Math.min(1, sum / (b - a) / readers.length / cap) * 26;
    pen.rect((bar * width) / bars, 29 - tall, Math.max(0.5, width / bars - 0.25), tall, { fill: inst.theme.quiet, alpha: 0.6 });
  }
  inst.profile = { key, canvas };
  return canvas;
}

/** Scrolls so that a step is in view, with some text before and after it; true when that took scrolling. */
export function bringIntoView(inst, step) {
  const { columnWidth, layout, el } = inst;
  const room = Math.min(4 * columnWidth, layout.plot / 4);
  const x = step * columnWidth;
  const inside = x >= inst.scroll + room && x + columnWidth <= inst.scroll + layout.plot - room;
  const free = inst.scroll + layout.plot;
  const atStart = x < room && inst.scroll === 0;
  const atEnd = x + columnWidth <= free && free >= inst.data.meta.steps * columnWidth - 1;
  if (inside || atStart || (atEnd && x >= inst.scroll + room)) return false;
  const target = reducedMotion.matches ? x - layout.plot / 4 : x < inst.scroll + room ? x - room : x + columnWidth + room - layout.plot;
  const before = el.scroller.scrollLeft;
  el.scroller.scrollLeft = target;
  if (el.scroller.scrollLeft === before) return false;
  readScroll(inst);
  paint(inst);
  return true;
}

function isMissing(inst) {
  const { meta } = inst.data;
  if (meta.isReading) return false; // the rest comes by itself
  const { first, last } = visible(inst);
  return isOutside(meta, first, last, Math.min(MARGIN, Math.floor((meta.columns - (last - first)) / 4)));
}

function wantedStart(inst) {
  const { columns, steps } = inst.data.meta;
  const { first, last } = visible(inst);
  return clamp(Math.round((first + last - columns) / 2), 0, steps - columns);
}

export function repaint(inst) {
  arrange(inst);
  paint(inst);
  writeFoot(inst);
}
