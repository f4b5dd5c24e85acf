// The elements of the view, and what they do.

import { choice, element, iconButton, span } from "../shared/elements.js";
import { watchWidth } from "../shared/instances.js";
import { keyHandler } from "../shared/keys.js";
import { speedChoices } from "../shared/phrases.js";
import { stop, togglePlay } from "../shared/player.js";
import { connectSaving, saveButtons } from "../shared/saving.js";
import { liveRegion } from "../shared/speech.js";
import { tr } from "../shared/words.js";
import { click, dragCurve, hover, KEYS, moveByHand, onScroll, repaint } from "./cursor.js";
import { pictureOf } from "./export.js";
import { writeFoot } from "./words.js";

const SPEEDS = [1, 2, 4];

export function build(root) {
  const el = {
    back: iconButton("back", tr("Checkpoint before"), "Page Up"),
    play: iconButton("play", tr("Play"), "Space"),
    forward: iconButton("forward", tr("Next checkpoint"), "Page Down"),
    slider: element("input", { type: "range", className: "slider", min: 0, max: 1, step: 1, "aria-label": tr("Checkpoint in the model’s life") }),
    speed: choice(tr("Speed"), speedChoices(SPEEDS)),
    signal: choice(tr("Which signals"), []),
    order: choice(tr("Order of the units"), [["grouped", tr("units grouped")], ["index", tr("units by index")]]),
    when: span("when"), read: span("quiet"), loss: span("loss"), here: span("quiet"),
    typed: span("typed"), step: span("quiet"), surprise: span("surprise"), expects: span("expects"), unit: span("unit"),
    prompt: span("quiet"), written: span("written"),
    curve: element("canvas", { className: "curve", role: "img" }),
    place: element("canvas", { className: "place", "aria-hidden": "true" }),
    picture: element("canvas", { className: "picture", "aria-hidden": "true" }),
    cursor: element("canvas", { className: "cursor", role: "img", tabIndex: 0 }),
    stage: element("div", { className: "stage" }),
    spacer: element("div", { className: "spacer" }),
    scroller: element("div", { className: "scroller", tabIndex: -1 }),
    caption: span("caption"),
    ...saveButtons(),
    live: liveRegion(),
  };
  const player = element("div", { className: "group" }, el.back, el.play, el.forward);
  const bar = element("div", { className: "bar", role: "toolbar", "aria-label": tr("Life and view") }, player, el.slider, el.speed, el.signal, el.order);
  const told = element("div", { className: "told", "aria-hidden": "true" }, el.when, el.read, el.loss, el.here);
  const wrote = element("div", { className: "wrote" }, el.prompt, el.written);
  const readout = element("div", { className: "readout", "aria-hidden": "true" }, el.typed, el.step, el.surprise, el.expects, el.unit);
  el.stage.append(el.picture, el.cursor);
  el.spacer.append(el.stage);
  el.scroller.append(el.spacer);
  const curves = element("div", { className: "curves" }, el.curve, el.place);
  root.append(bar, told, curves, wrote, readout, el.scroller, element("div", { className: "foot" }, el.caption, el.png, el.svg), el.live);
  return el;
}

export function connect(inst) {
  const { el } = inst;
  el.back.onclick = () => moveByHand(inst, inst.at.stage - 1);
  el.forward.onclick = () => moveByHand(inst, inst.at.stage + 1);
  el.play.onclick = () => togglePlay(inst);
  el.slider.oninput = () => moveByHand(inst, Number(el.slider.value));
  el.speed.onchange = () => (inst.speed = Number(el.speed.value));
  el.signal.onchange = () => set(inst, "signal", el.signal.value);
  el.order.onchange = () => set(inst, "order", el.order.value);
  connectSaving(inst, pictureOf);
  el.scroller.onscroll = () => onScroll(inst);
  el.cursor.onkeydown = keyHandler(inst, KEYS, (key) => key.startsWith("Page") && stop(inst));
  el.cursor.onpointermove = (event) => event.pointerType !== "touch" && hover(inst, event);
  el.cursor.onclick = (event) => click(inst, event);
  el.place.onpointerdown = (event) => {
    el.place.setPointerCapture(event.pointerId);
    dragCurve(inst, event);
  };
  el.place.onpointermove = (event) => el.place.hasPointerCapture(event.pointerId) && dragCurve(inst, event);
  watchWidth(inst, repaint);
}

function set(inst, name, value) {
  inst[name] = value;
  repaint(inst);
  writeFoot(inst);
}
