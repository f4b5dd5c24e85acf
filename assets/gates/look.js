// The look: zoom, order of the units, height of the rows, pooling, tanh; what was chosen is kept in a link.

import { option } from "../shared/elements.js";
import { reportLook } from "../shared/look.js";
import { clamp } from "../shared/numbers.js";
import { alternatives, tr } from "../shared/words.js";
import { narrowest } from "./layout.js";
import { arrange, paint, readScroll, repaint } from "./screen.js";

const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8, 10, 13, 17, 22, 28, 36];
export const COLUMN = { least: 17, most: 26 }; // a short text gets wider columns at first sight

function zoomTo(inst, columnWidth) {
  const place = clamp((inst.cursor.step * inst.columnWidth - inst.scroll) / inst.layout.plot, 0, 0.9);
  inst.columnWidth = columnWidth;
  arrange(inst);
  inst.el.scroller.scrollLeft = inst.cursor.step * inst.columnWidth - place * inst.layout.plot;
  readScroll(inst);
  paint(inst);
  showLook(inst);
}

export function zoomBy(inst, direction) {
  const wider = ZOOMS.find((zoom) => zoom > inst.columnWidth + 0.01);
  const narrower = ZOOMS.findLast((zoom) => zoom < inst.columnWidth - 0.01);
  const target = direction > 0 ? wider : narrower;
  if (target) choose(inst, "zoom", String(target));
}

/** The settings where nothing was chosen. */
function defaultLook({ heats, tracks, view }) {
  const rows = heats.length === 1 ? "large" : heats.length <= 6 ? "medium" : "small";
  return { order: view.order, rows, pooling: tracks.some((track) => track.difference) ? "farthest" : "mean", squash: "off" };
}

/** Brings the settings up to what was chosen; an order that these heatmaps lack waits for others. */
export function applyLook(inst) {
  const { look, data } = inst;
  const first = defaultLook(data);
  const orders = inst.orders.map(([value]) => value);
  const order = [look.order, first.order === "mean" ? data.heats[0].name : first.order, "index"].find((name) => orders.includes(name));
  const { rows: rowSize, pooling, squash } = { ...first, ...look };
  Object.assign(inst, { order, rowSize, pooling, squash: squash === "on" });
}

export function choose(inst, name, value) {
  const { [name]: _, ...look } = inst.look;
  inst.look = value === defaultLook(inst.data)[name] ? look : { ...look, [name]: value };
  applyLook(inst);
  if (name === "zoom") zoomTo(inst, chosenWidth(inst));
  else repaint(inst);
  showLook(inst);
  reportLook(inst, () => inst.look);
}

export function showLook(inst) {
  const { el, columnWidth } = inst;
  el.order.value = inst.order;
  el.heights.value = inst.rowSize;
  el.narrower.disabled = columnWidth <= Math.max(ZOOMS[0], narrowest(inst)) + 0.01;
  el.wider.disabled = columnWidth >= ZOOMS.at(-1);
  inst.root.dataset.look = JSON.stringify({ zoom: columnWidth, order: inst.order, rows: inst.rowSize, pooling: inst.pooling, squash: inst.squash });
}

/** How wide a column is to be: as chosen, or, of a short text, wider at first sight. */
export function chosenWidth(inst) {
  const { zoom } = inst.look;
  const even = inst.layout.plot / inst.data.meta.steps;
  if (zoom === "fit") return clamp(even, narrowest(inst), 28);
  return zoom ? Number(zoom) : clamp(Math.floor(even), COLUMN.least, COLUMN.most);
}

export function fillOrders(inst) {
  const { order } = inst.el;
  const symbols = new Map();
  for (const { name, signal } of inst.data.heats) symbols.set(name, (symbols.get(name) ?? new Set()).add(signal.symbol));
  const size = inst.data.tracks.some((track) => track.difference) ? ["|", "|"] : ["", ""];
  const means = [...symbols].map(([name, letters]) => [name, tr("units by mean {symbols}", { symbols: alternatives([...letters].map((s) => size.join(s))) })]);
  const choices = [["index", tr("units by index")], ["grouped", tr("units grouped")], ...means];
  if (JSON.stringify(choices) === JSON.stringify(inst.orders)) return;
  inst.orders = choices;
  order.replaceChildren(...choices.map(([value, words]) => option(value, words)));
}
