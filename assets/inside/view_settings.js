// The walk through the drawing, and how the drawing is looked at.

import { element } from "../shared/elements.js";
import { layersText, modelCaption, unitsText } from "../shared/phrases.js";
import { sentences, tr, trN } from "../shared/words.js";
import { lightLabels } from "./copy.js";
import { writeAll } from "./cursor.js";
import { buildEquations } from "./equations.js";
import { paintScales } from "./part.js";
import { placeSentence, speakSoon } from "./readout.js";
import { arrange, place, settle } from "./row.js";
import { FIRST_LOOK, LOOK_DELAY_MS } from "./settings.js";

function buildWalk(inst) {
  const { el, walk, look } = inst;
  const buttons = walk.map((step, k) => {
    const button = element("button", { type: "button", title: `${step.title} (${k + 1})`, "aria-pressed": String(look.walk === k + 1) }, element("b", { textContent: k + 1 }), element("span", { textContent: step.title }));
    button.dataset.walk = k + 1;
    button.onclick = () => setLook(inst, { walk: look.walk === k + 1 ? 0 : k + 1 });
    return button;
  });
  const end = element("button", { type: "button", textContent: tr("End"), title: tr("End the walk (0 or Esc)"), hidden: !look.walk, className: "end" });
  end.onclick = () => setLook(inst, { walk: 0 });
  const title = element("span", { className: "quiet", textContent: tr("Walk"), hidden: !walk.length });
  const held = inst.root.getRootNode().activeElement;
  const at = el.walk.contains(held) ? [...el.walk.children].indexOf(held) : -1;
  el.walk.replaceChildren(title, ...buttons, end);
  if (at >= 0) (el.walk.children[at].hidden ? el.stage : el.walk.children[at]).focus();
  const step = look.walk ? walk[look.walk - 1] : null;
  el.station.hidden = !step;
  if (!step) return;
  el.stationTitle.textContent = `${look.walk}. ${step.title}`;
  el.stationText.textContent = step.text;
  el.stationTry.replaceChildren(element("b", { textContent: `${tr("Try:")} ` }), step.attempt);
}

const EXCLUSIVE_LOOKS = { walk: { path: "off" }, path: { walk: 0 } }; // each lights the drawing in its own way

export function setLook(inst, change) {
  const before = inst.look;
  for (const name of Object.keys(EXCLUSIVE_LOOKS)) if (change[name] && change[name] !== "off") change = { ...EXCLUSIVE_LOOKS[name], ...change };
  inst.look = { ...before, ...change };
  if (inst.look.walk > inst.walk.length) inst.look.walk = 0;
  inst.hasty = false;
  if (before.copies !== inst.look.copies || before.path !== inst.look.path) arrange(inst);
  else place(inst);
  lightLabels(inst);
  settle(inst, 0);
  showLook(inst);
  writeAll(inst);
  if (!change.walk) speakSoon(inst, () => sentences(spokenLook(inst, before), placeSentence(inst)));
  else speakSoon(inst, () => `${inst.el.stationTitle.textContent}. ${inst.el.stationText.textContent} ${inst.el.stationTry.textContent}`);
  reportLook(inst);
}

/** What a switch has changed, in words. */
function spokenLook(inst, before) {
  const { look, el } = inst;
  const words = {
    reading: look.reading === "unit" ? tr("Each line shows one unit.") : tr("Each line shows {units}.", { units: el.every.textContent }),
    copies: look.copies === "three" ? tr("three of the cell.") : tr("one of the cell."),
    weights: look.weights === "two" ? tr("weights: two.") : tr("weights: one."),
    biases: { within: tr("biases: within."), one: tr("biases: one."), two: tr("biases: two.") }[look.biases],
    state: look.state === "tanh" ? tr("Coloured by {symbol}.", { symbol: el.squash.textContent }) : tr("Coloured by the state itself."),
    path: look.path === "on" ? tr("{path}: lit.", { path: el.pathButton.textContent }) : tr("Path not lit."),
    walk: tr("The walk has ended."),
  };
  return sentences(...Object.keys(look).filter((name) => look[name] !== before[name]).map((name) => words[name]));
}

/** The look goes into the address once hands are at rest; nothing comes back from it. */
function reportLook(inst) {
  clearTimeout(inst.timers.look);
  inst.timers.look = setTimeout(() => {
    const said = Object.entries(inst.look).filter(([name, value]) => value !== FIRST_LOOK[name]);
    inst.send("look", { ...Object.fromEntries(said.map(([name, value]) => [name, String(value)])), serial: inst.lookSerial });
  }, LOOK_DELAY_MS);
}

export function showLook(inst) {
  const { el, look, data } = inst;
  for (const button of inst.root.querySelectorAll("button[data-look]")) button.setAttribute("aria-pressed", look[button.dataset.look] === button.dataset.choice);
  el.biases.hidden = !data.meta.biases.length;
  el.biases.querySelector("[data-choice=two]").hidden = data.meta.biases.length < 2;
  const free = Object.values(data.meta.drawn).find(({ state }) => state);
  el.squash.hidden = !free;
  if (free) el.squash.textContent = `tanh ${data.signals[free.state].symbol}`;
  el.squash.setAttribute("aria-pressed", look.state === "tanh");
  el.pathButton.setAttribute("aria-pressed", look.path === "on");
  const main = data.meta.states.find((name) => name !== "hidden");
  const way = [main, "hidden"].filter(Boolean).map((name) => data.signals[name].symbol).join(" → ");
  const gated = Object.values(data.meta.drawn).some(({ scale, rest }) => scale === "gate" && rest);
  el.pathButton.textContent = gated ? tr("{way} → next gates", { way }) : tr("{way} → next step", { way });
  el.every.textContent = tr("all {units} units", { units: data.meta.units });
  buildWalk(inst);
  buildEquations(inst);
  paintScales(inst);
  writeFoot(inst);
}

export function captionOf(inst) {
  const { meta } = inst.data;
  const inputs = trN("{n} input", "{n} inputs", meta.inputs);
  return modelCaption(meta.model, [meta.cell, layersText([meta.layer], meta.allLayers), unitsText(meta.units), inputs], meta.note);
}

export function poolingNote(inst) {
  const strips = inst.raster.filter((strip) => strip.bins < strip.size);
  if (inst.look.reading === "unit") return tr("On the drawing each number is rounded by itself; in the equations they are written so that they add up.");
  if (!strips.length) return "";
  const most = Math.max(...strips.map((strip) => Math.ceil(strip.size / strip.bins)));
  return tr("Where a line is shorter than its vector, one cell stands for up to {most} neighbours and shows the value farthest from rest.", { most });
}

export function writeFoot(inst) {
  const { el, art, look } = inst;
  const note = poolingNote(inst);
  el.caption.textContent = sentences(captionOf(inst), note, note && look.reading === "all" && tr("The strip below the drawing shows every unit."));
  el.stage.setAttribute("aria-label", sentences(tr("{title}, alive.", { title: art.title }), art.description, tr("Left and right move along the text, up and down change the unit, comma and full stop go through the parts, Enter pins, Space plays, digits walk.")));
}
