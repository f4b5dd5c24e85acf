// The walk through the drawing, and how the drawing is looked at.

import { element } from "../shared/elements.js";
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
  const end = element("button", { type: "button", textContent: "End", title: "End the walk (0 or Esc)", hidden: !look.walk, className: "end" });
  end.onclick = () => setLook(inst, { walk: 0 });
  const title = element("span", { className: "quiet", textContent: "Walk", hidden: !walk.length });
  const held = inst.root.getRootNode().activeElement;
  const at = el.walk.contains(held) ? [...el.walk.children].indexOf(held) : -1;
  el.walk.replaceChildren(title, ...buttons, end);
  if (at >= 0) (el.walk.children[at].hidden ? el.stage : el.walk.children[at]).focus();
  const step = look.walk ? walk[look.walk - 1] : null;
  el.station.hidden = !step;
  if (!step) return;
  el.stationTitle.textContent = `${look.walk}. ${step.title}`;
  el.stationText.textContent = step.text;
  el.stationTry.replaceChildren(element("b", { textContent: "Try: " }), step.attempt);
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
  if (!change.walk) speakSoon(inst, () => `${spokenLook(inst, before)} ${placeSentence(inst)}`);
  else speakSoon(inst, () => `${inst.el.stationTitle.textContent}. ${inst.el.stationText.textContent} ${inst.el.stationTry.textContent}`);
  reportLook(inst);
}

/** What a switch has changed, in words. */
function spokenLook(inst, before) {
  const { look, el } = inst;
  const words = {
    reading: look.reading === "unit" ? "Each line shows one unit." : `Each line shows ${el.every.textContent}.`,
    copies: `${look.copies} of the cell.`,
    state: look.state === "tanh" ? `Coloured by ${el.squash.textContent}.` : "Coloured by the state itself.",
    path: look.path === "on" ? `${el.pathButton.textContent}: lit.` : "Path not lit.",
    walk: "The walk has ended.",
  };
  return Object.keys(look).filter((name) => look[name] !== before[name]).map((name) => words[name] ?? `${name}: ${look[name]}.`).join(" ");
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
  el.pathButton.textContent = `${main ? `${data.signals[main].symbol} → ` : ""}${data.signals.hidden.symbol} → next ${Object.values(data.meta.drawn).some(({ scale, rest }) => scale === "gate" && rest) ? "gates" : "step"}`;
  el.every.textContent = `all ${data.meta.units} units`;
  buildWalk(inst);
  buildEquations(inst);
  paintScales(inst);
  writeFoot(inst);
}

export function captionOf(inst) {
  const { meta } = inst.data;
  const which = meta.allLayers > 1 ? `layer ${meta.layer + 1} of ${meta.allLayers}` : "1 layer";
  return `${meta.model}: ${meta.cell}, ${which}, ${meta.units} units, ${meta.inputs} inputs. ${meta.note}`;
}

export function poolingNote(inst) {
  const strips = inst.raster.filter((strip) => strip.bins < strip.size);
  if (inst.look.reading === "unit") return "On the drawing each number is rounded by itself; in the equations they are written so that they add up.";
  if (!strips.length) return "";
  const most = Math.max(...strips.map((strip) => Math.ceil(strip.size / strip.bins)));
  return `Where a line is shorter than its vector, one cell stands for up to ${most} neighbours and shows the value farthest from rest.`;
}

export function writeFoot(inst) {
  const { el, art, look } = inst;
  const note = poolingNote(inst);
  el.caption.textContent = [captionOf(inst), note, note && look.reading === "all" ? "The strip below the drawing shows every unit." : ""].filter(Boolean).join(" ");
  el.stage.setAttribute("aria-label", `${art.title}, alive. ${art.description} Left and right move along the text, up and down change the unit, comma and full stop go through the parts, Enter pins, Space plays, digits walk.`);
}
