// The Inside page: the cell's drawing, alive with the numbers of one layer of a trained model.
//
// Python (pages/common/inside/view.py) sends the signals, the layer's weights and the cell's equations as trees; everything
// here runs without the server, but for three messages: "pin" when a (step, unit) is pinned, "start" when another window of
// a long text is needed, and, when hands are at rest, "look": how the drawing is looked at. No cell is known by its name:
// its equations say what is computed, its picture says where it is drawn.

import { readTheme } from "../shared/colours.js";
import { instances, run } from "../shared/instances.js";
import { shown } from "../shared/numbering.js";
import { clamp } from "../shared/numbers.js";
import { showPlaying } from "../shared/player.js";
import { build, connect } from "./controls.js";
import { askForWindow, moveCursor, writeAll } from "./cursor.js";
import { unpack } from "./data.js";
import { pathsOf } from "./path.js";
import { readArt } from "./picture.js";
import { arrange, settle } from "./row.js";
import { DRAWING_COLOURS, FIRST_LOOK, COLOUR_PROPERTIES } from "./settings.js";
import { showLook } from "./view_settings.js";

function create(root, data) {
  const { meta } = data;
  const inst = {
    root, data, theme: readTheme(root), ratio: window.devicePixelRatio || 1, look: { ...FIRST_LOOK }, walk: data.view.walk,
    speed: 2, playing: false, cursor: { step: 0, unit: 0, layer: meta.layer }, pin: null, serial: null, lookSerial: null,
    asked: null, timers: {}, scratch: document.createElement("canvas"), copies: [], moments: new Map(), epoch: 0, anchor: 0,
    first: 0, moved: 0, hasty: false, labels: [], dragged: 0, drag: null, pointed: null, part: null, measured: null, art: null,
  };
  build(inst);
  inst.el.speed.value = inst.speed;
  inst.player = { here: () => inst.cursor.step, last: () => inst.data.meta.steps - 1, go: (step) => moveCursor(inst, { step }) };
  showPlaying(inst);
  connect(inst);
  return inst;
}

/** Takes new data in, keeping the cursor, the pin and the look wherever they still make sense. */
function update(inst, data) {
  const { meta, view } = data;
  clearTimeout(inst.timers.ask);
  inst.timers.ask = 0;
  const appended = isAppended(inst.data, data);
  Object.assign(inst, { data, asked: null, walk: view.walk, theme: readTheme(inst.root), moments: new Map(), paths: pathsOf(data) });
  inst.inks = DRAWING_COLOURS[inst.theme.dark ? "dark" : "light"];
  for (const [name, as] of Object.entries(COLOUR_PROPERTIES)) inst.root.style.setProperty(`--cell-${as}`, inst.inks[name]);
  inst.root.style.setProperty("--replaced", inst.theme.replaced);
  if (inst.art?.text !== meta.svg) Object.assign(inst, { art: readArt(meta.svg), copies: [], measured: null, part: null, pointed: null });
  inst.part ??= { value: meta.states.find((name) => name !== "hidden") ?? "hidden", offset: 0 };
  inst.el.unit.max = shown("unit", meta.units - 1);
  const told = view.serial !== inst.serial;
  inst.serial = view.serial;
  if (told && view.pin) inst.pin = view.pin;
  if (inst.pin) inst.pin = fitted(inst.pin, meta);
  inst.cursor = fitted(told && view.pin ? view.pin : inst.cursor, meta);
  if (appended) {
    inst.cursor.step = meta.steps - 1;
    inst.hasty = true; // while a person types nothing slides
  }
  if (view.lookSerial !== inst.lookSerial) {
    inst.lookSerial = view.lookSerial;
    inst.look = { ...FIRST_LOOK, ...view.look, walk: Number(view.look.walk ?? 0) };
  }
  if (inst.look.walk > inst.walk.length) inst.look.walk = 0;
  if (inst.look.biases === "two" && meta.biases.length < 2) inst.look.biases = "one";
  arrange(inst);
  settle(inst, 0);
  showLook(inst);
  writeAll(inst);
  askForWindow(inst);
}

const fitted = ({ step, unit }, meta) => ({ step: clamp(step, 0, meta.steps - 1), unit: clamp(unit, 0, meta.units - 1), layer: meta.layer });

/** True when a person typed on: the old text is the beginning of the new. */
function isAppended(old, now) {
  if (!old || old === now || old.meta.steps >= now.meta.steps || old.meta.model !== now.meta.model) return false;
  const name = (data, step) => data.meta.glyphs[data.steps.typed[step]][1];
  for (let step = 0; step < old.meta.steps; step++) if (name(old, step) !== name(now, step)) return false;
  return true;
}

export default function (args) {
  return run(args, { selector: ".inside", unpack, create, update });
}

/** Shows data that the browser's engine has filled: `DrawingFiller` of from_reading.js. */
export function show(args) {
  return run(args, { selector: ".inside", unpack: (data) => data, create, update });
}

/** Moves the cursor of what is shown at an element to where that of another view is. @param {HTMLElement} parentElement @param {{ step: number, unit?: number }} place */
export function follow(parentElement, place) {
  const inst = instances.get(parentElement);
  if (inst) moveCursor(inst, place, false);
}
