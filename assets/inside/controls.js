// The elements of the view, and what they do.

import { choice, element } from "../shared/elements.js";
import { indexOf, shown } from "../shared/numbering.js";
import { speedChoices } from "../shared/phrases.js";
import { stepButtons, togglePlay } from "../shared/player.js";
import { saveButtons } from "../shared/saving.js";
import { tr } from "../shared/words.js";
import { moveCursor, pinCursor, point, writeAll } from "./cursor.js";
import { onKey, toggled } from "./keys.js";
import { writePart } from "./part.js";
import { onClick, onDown, onMagnified, onMove, onTape, onUp } from "./pointer.js";
import { arrange, settle } from "./row.js";
import { savePng, saveSvg } from "./saving.js";
import { SPEEDS } from "./settings.js";
import { setLook, writeFoot } from "./view_settings.js";

/** What the drawing is made of: its name, and how it is drawn. */
const key = () => [
  [tr("learned layer"), `<rect x="22" y="8" width="40" height="24" rx="4" fill="var(--cell-layer)" stroke="var(--cell-layer-edge)" stroke-width="2"/><text x="42" y="25.500" text-anchor="middle" font-size="16" fill="var(--cell-text)">σ</text>`],
  [tr("pointwise operation"), `<circle cx="42" cy="20" r="12.500" fill="var(--cell-operation)" stroke="var(--cell-operation-edge)" stroke-width="2"/><text x="42" y="26.500" text-anchor="middle" font-size="19" fill="var(--cell-text)">×</text>`],
  [tr("vector transfer"), `<path d="M8 20H66" stroke="currentColor" stroke-width="9"/><path d="M9 20H65" stroke="var(--paper)" stroke-width="6"/>CELLS<path d="M80 20l-15-8v16z"/>`],
  [tr("concatenate"), `<path d="M8 11H34Q46 11 46 20H66M8 29H34Q46 29 46 20" fill="none" stroke="currentColor" stroke-width="3"/><path d="M80 20l-15-6v12z"/>`],
  [tr("copy"), `<path d="M8 20H36Q46 20 46 14V12Q46 10 52 10H66M36 20Q46 20 46 26V28Q46 30 52 30H66" fill="none" stroke="currentColor" stroke-width="3"/><path d="M78 10l-13-5v10zM78 30l-13-5v10z"/>`],
];

const MINI = ["#a63d00", "#eaa679", "#ffffff", "#86b3e0", "#0b4f9e", "#86b3e0", "#ffffff", "#eaa679"];

/** The notation, in small drawings of our own. */
function notation() {
  const cells = MINI.map((fill, k) => `<rect x="${9 + 7 * k}" y="17" width="7" height="6" fill="${fill}"/>`).join("");
  const items = key().map(([words, drawing]) => {
    const item = element("span", { className: "item" });
    item.innerHTML = `<svg viewBox="0 0 84 40" aria-hidden="true">${drawing.replace("CELLS", cells)}</svg>`; // no word of a text or a file is in it
    item.append(words);
    return item;
  });
  return element("div", { className: "notation", "aria-label": tr("How the drawing is read") }, ...items);
}

function segmented(inst, label, name, choices) {
  const buttons = choices.map(([value, words, title]) => {
    const button = element("button", { type: "button", textContent: words, title: title ?? words });
    Object.assign(button.dataset, { look: name, choice: value });
    button.onclick = () => setLook(inst, { [name]: value });
    return button;
  });
  return element("div", { className: "group joined", role: "group", "aria-label": label }, element("span", { textContent: label }), ...buttons);
}

export function build(inst) {
  const { root } = inst;
  const reading = segmented(inst, tr("Each line shows"), "reading", [["all", tr("all units"), tr("Each line as a strip of all units (u)")], ["unit", tr("one unit"), tr("Each line as one unit’s number (u)")]]);
  const el = {
    ...stepButtons(),
    speed: choice(tr("Speed"), speedChoices(SPEEDS)),
    unit: element("input", { type: "number", min: shown("unit", 0), step: 1, "aria-label": tr("Unit"), title: tr("Unit (↑ ↓ on the drawing)"), className: "unit" }),
    pin: element("button", { type: "button", textContent: tr("Pin"), title: tr("Pin this character and unit (Enter)") }),
    text: element("canvas", { "aria-hidden": "true" }),
    here: element("div", { className: "here" }),
    pinned: element("div", { className: "pinned" }),
    tape: element("div", { className: "tape", role: "slider", tabIndex: 0, "aria-label": tr("The text: left and right move along it"), "aria-valuemin": String(shown("character", 0)) }),
    stage: element("div", { className: "stage", role: "application", tabIndex: 0 }),
    track: element("div", { className: "track" }),
    scales: element("div", { className: "scales" }),
    walk: element("div", { className: "bar walk", role: "toolbar", "aria-label": tr("The walk") }),
    station: element("section", { className: "station" }),
    stationTitle: element("h4", {}),
    stationText: element("p", {}),
    stationTry: element("p", { className: "try" }),
    walkRows: element("div", { className: "rows" }),
    bars: element("div", { className: "bars" }),
    path: element("section", { className: "path" }),
    part: element("section", { className: "part", "aria-hidden": "true" }),
    partName: element("span", { className: "symbolic name" }),
    partWords: element("span", { className: "quiet" }),
    partShape: element("span", { className: "shape" }),
    partValue: element("span", { className: "value" }),
    magnified: element("canvas", { className: "magnified", "aria-hidden": "true" }),
    unitTitle: element("h4", {}),
    rows: element("div", { className: "rows" }),
    squash: element("button", { type: "button", title: tr("Show tanh of the unbounded state in place of it") }),
    pathButton: element("button", { type: "button", title: tr("How cell states reach each other") }),
    ...saveButtons(),
    ...readoutParts(),
    every: reading.querySelector("[data-choice=all]"),
    biases: segmented(inst, tr("Biases"), "biases", [["within", tr("hidden"), tr("Counted within the sums, not written")], ["one", tr("one"), tr("One bias: the sum of all")], ["two", tr("PyTorch’s two"), tr("b_ih and b_hh, as PyTorch keeps them")]]),
    caption: element("span", { className: "caption" }),
    live: element("div", { className: "live", "aria-live": "polite" }),
  };
  inst.el = el;
  const copies = segmented(inst, tr("Copies"), "copies", [["three", tr("three"), tr("The step before, this step, the next")], ["one", tr("one"), tr("This step alone")]]);
  const weights = segmented(inst, tr("Weights"), "weights", [["one", tr("one W on [h, x]")], ["two", "W x + W h", tr("The same numbers, regrouped: what comes from x and what from h")]]);
  const player = element("div", { className: "group" }, el.back, el.play, el.forward, el.speed);
  const unit = element("label", { className: "group" }, element("span", { textContent: tr("Unit") }), el.unit, el.pin);
  const bar = element("div", { className: "bar", role: "toolbar", "aria-label": tr("Time and unit") }, player, unit, reading, copies, el.pathButton);
  el.tape.append(el.here, el.text, el.pinned);
  el.stage.append(el.track);
  el.station.append(el.stationTitle, el.stationText, element("div", { className: "proof" }, el.walkRows, el.bars), el.stationTry);
  el.part.append(element("div", { className: "line" }, el.partName, el.partWords, el.partShape, el.partValue), el.magnified);
  const head = element("div", { className: "bar head" }, el.unitTitle, weights, el.biases);
  const foot = element("div", { className: "foot" }, el.caption, el.png, el.svg);
  const legend = element("div", { className: "key" }, notation(), el.scales);
  root.append(bar, el.tape, el.readout, legend, el.walk, el.stage, el.station, el.path, el.part, head, el.rows, foot, el.live);
  return el;
}

function readoutParts() {
  const span = (className) => element("span", { className });
  const parts = { typed: span("typed"), step: span("quiet"), replaced: span("replaced"), surprise: span("surprise") };
  const nexts = [0, 1, 2].map(() => span("next"));
  const expects = element("span", { className: "expects" }, element("span", { className: "quiet", textContent: tr("expects") }));
  for (const next of nexts) expects.append(next, element("span", { className: "quiet" }));
  return { ...parts, nexts, readout: element("div", { className: "readout", "aria-hidden": "true" }, parts.typed, parts.step, parts.surprise, expects, parts.replaced) };
}

export function connect(inst) {
  const { el } = inst;
  el.back.onclick = () => moveCursor(inst, { step: inst.cursor.step - 1 });
  el.forward.onclick = () => moveCursor(inst, { step: inst.cursor.step + 1 });
  el.play.onclick = () => togglePlay(inst);
  el.speed.onchange = () => (inst.speed = Number(el.speed.value));
  el.unit.oninput = () => el.unit.value !== "" && moveCursor(inst, { unit: indexOf("unit", Math.round(Number(el.unit.value))) });
  el.unit.onblur = () => (el.unit.value = shown("unit", inst.cursor.unit));
  el.unit.onkeydown = (event) => void (event.key === "Enter" && pinCursor(inst)); // false would cancel every other key
  el.pin.onclick = () => pinCursor(inst);
  el.squash.onclick = () => toggled(inst, "state", "tanh", "plain");
  el.pathButton.onclick = () => toggled(inst, "path", "on", "off");
  el.png.onclick = () => savePng(inst);
  el.svg.onclick = () => saveSvg(inst);
  el.tape.onclick = (event) => onTape(inst, event);
  el.tape.onkeydown = (event) => onKey(inst, event);
  el.stage.onkeydown = (event) => onKey(inst, event);
  el.stage.onpointermove = (event) => onMove(inst, event);
  el.stage.onpointerleave = () => !inst.drag && point(inst, null);
  el.stage.onpointerdown = (event) => onDown(inst, event);
  el.stage.onpointerup = (event) => onUp(inst, event);
  el.stage.onpointercancel = (event) => onUp(inst, event);
  el.stage.onclick = (event) => onClick(inst, event);
  el.magnified.onpointermove = (event) => event.pointerType !== "touch" && onMagnified(inst, event, false);
  el.magnified.onpointerleave = () => writePart(inst);
  el.magnified.onclick = (event) => onMagnified(inst, event, true);
  inst.observer = new ResizeObserver(() => {
    if (inst.root.clientWidth === inst.layout?.wide) return;
    arrange(inst);
    settle(inst, 0);
    writeAll(inst);
    writeFoot(inst);
  });
  inst.observer.observe(inst.root);
}
