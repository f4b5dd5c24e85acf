// The elements of the view, and what they do.

import { choice, element, iconButton, span } from "../shared/elements.js";
import { watchWidth } from "../shared/instances.js";
import { keyHandler } from "../shared/keys.js";
import { penOn } from "../shared/pens.js";
import { speedChoices } from "../shared/phrases.js";
import { stepButtons, togglePlay } from "../shared/player.js";
import { connectSaving, saveButtons } from "../shared/saving.js";
import { liveRegion } from "../shared/speech.js";
import { tr } from "../shared/words.js";
import { click, dragMap, hover, KEYS, moveCursor, movePeak, onScroll } from "./cursor.js";
import { pictureOf } from "./export.js";
import { drawSample } from "./labels.js";
import { choose, zoomBy } from "./look.js";
import { repaint } from "./screen.js";

const SPEEDS = [2, 5, 10, 20, 50];

export function build(root) {
  const el = {
    ...stepButtons(),
    narrower: iconButton("minus", tr("Narrower columns")),
    wider: iconButton("plus", tr("Wider columns")),
    peakBack: iconButton("back", tr("Disagreement before"), "Shift+D"),
    peakNext: iconButton("forward", tr("Next disagreement"), "D"),
    fit: element("button", { type: "button", textContent: tr("Fit"), title: tr("The whole text at once, as far as it goes") }),
    map: element("canvas", { className: "map", "aria-hidden": "true" }),
    picture: element("canvas", { className: "picture", role: "img" }),
    cursor: element("canvas", { className: "cursor", role: "img", tabIndex: 0 }),
    stage: element("div", { className: "stage" }),
    spacer: element("div", { className: "spacer" }),
    scroller: element("div", { className: "scroller", tabIndex: -1 }),
    speed: choice(tr("Speed"), speedChoices(SPEEDS)),
    order: choice(tr("Order of the units"), []),
    heights: choice(tr("Height of the rows"), [["small", tr("low rows")], ["medium", tr("medium rows")], ["large", tr("tall rows")], ["every", tr("a row a unit")]]),
    live: liveRegion(),
    caption: span("caption"),
    pooling: element("button", { type: "button" }),
    squash: element("button", { type: "button" }),
    peaks: element("div", { className: "group", role: "group", "aria-label": tr("Disagreements") }),
    ...saveButtons((format) => tr("Save what is in view as {format}", { format })),
    ...readoutParts(),
  };
  const columns = element("div", { className: "group", role: "group", "aria-label": tr("Columns") }, element("span", { textContent: tr("Columns") }), el.narrower, el.wider, el.fit);
  const player = element("div", { className: "group" }, el.back, el.play, el.forward);
  el.peaks.append(element("span", { textContent: tr("Disagreement") }), el.peakBack, el.peakNext);
  const bar = element("div", { className: "bar", role: "toolbar", "aria-label": tr("Time and view") }, player, el.speed, el.peaks, el.order, columns, el.heights);
  el.stage.append(el.picture, el.cursor);
  el.spacer.append(el.stage);
  el.scroller.append(el.spacer);
  const foot = element("div", { className: "foot" }, el.caption, el.squash, el.pooling, el.png, el.svg);
  root.append(bar, el.readout, el.table, el.map, el.scroller, foot, el.live);
  return el;
}

function readoutParts() {
  const parts = { typed: span("typed"), step: span("quiet"), replaced: span("replaced"), surprise: span("surprise"), unit: span("place") };
  const [expects, nexts] = expectations("expects", element("span", { className: "quiet", textContent: tr("expects") }));
  const readout = element("div", { className: "readout", "aria-hidden": "true" }, parts.typed, parts.step, parts.surprise, expects, parts.replaced, parts.unit);
  return { ...parts, expects, nexts, readout, table: element("div", { className: "readers", "aria-hidden": "true" }), lines: [] };
}

/** @returns {[HTMLElement, HTMLElement[]]} */
function expectations(className, ...before) {
  const nexts = [0, 1, 2].map(() => element("span", { className: "next" }));
  const pairs = nexts.flatMap((next) => [next, element("span", { className: "quiet" })]);
  return [element("span", { className }, ...before, ...pairs), nexts];
}

/** Of several readers, a line each: its name, its surprise, what it expects. */
export function fillReaders(inst) {
  const { el, data, theme, ratio } = inst;
  const several = data.readers.length > 1;
  el.table.hidden = el.expects.hidden = !several;
  el.expects.hidden = several;
  el.surprise.hidden = several && !data.between;
  el.readout.classList.toggle("several", several);
  el.typed.hidden = data.meta.strips.length > 1;
  el.peaks.hidden = !data.peaks.length;
  const texts = data.meta.strips.length > 1;
  el.lines = several ? data.readers.map(() => readerRow(texts)) : [];
  el.table.replaceChildren(...el.lines.map((line) => line.row));
  el.lines.forEach(({ name, sample }, k) => {
    name.textContent = data.readers[k].name;
    drawSample(penOn(sample, 28, 12, ratio), { ...inst, theme }, data.readers[k], 1, 6);
  });
}

function readerRow(texts) {
  const line = { name: span("name"), sample: element("canvas", { className: "sample" }), typed: span("typed"), surprise: span("nats"), chance: span("quiet") };
  [line.expects, line.nexts] = expectations("expects", element("span", { className: "quiet", textContent: tr("expects") }));
  const shown = [line.sample, line.name, ...(texts ? [line.typed] : []), element("span", {}, line.surprise, line.chance), line.expects];
  return { ...line, row: element("div", { className: "reader" }, ...shown) };
}

export function connect(inst) {
  const { el } = inst;
  el.back.onclick = () => moveCursor(inst, { step: inst.cursor.step - 1 });
  el.forward.onclick = () => moveCursor(inst, { step: inst.cursor.step + 1 });
  el.play.onclick = () => togglePlay(inst);
  el.speed.onchange = () => (inst.speed = Number(el.speed.value));
  el.narrower.onclick = () => zoomBy(inst, -1);
  el.wider.onclick = () => zoomBy(inst, 1);
  el.fit.onclick = () => choose(inst, "zoom", "fit");
  el.peakBack.onclick = () => movePeak(inst, -1);
  el.peakNext.onclick = () => movePeak(inst, 1);
  el.order.onchange = () => choose(inst, "order", el.order.value);
  el.heights.onchange = () => choose(inst, "rows", el.heights.value);
  el.pooling.onclick = () => choose(inst, "pooling", inst.pooling === "mean" ? "farthest" : "mean");
  el.squash.onclick = () => choose(inst, "squash", inst.squash ? "off" : "on");
  connectSaving(inst, pictureOf);
  el.scroller.onscroll = () => onScroll(inst);
  el.cursor.onkeydown = keyHandler(inst, KEYS);
  el.cursor.onpointermove = (event) => event.pointerType !== "touch" && hover(inst, event);
  el.cursor.onclick = (event) => click(inst, event);
  el.map.onpointerdown = (event) => el.map.setPointerCapture(event.pointerId);
  el.map.onpointermove = (event) => el.map.hasPointerCapture(event.pointerId) && dragMap(inst, event);
  el.map.onclick = (event) => dragMap(inst, event);
  watchWidth(inst, repaint);
}
