// The linked picture of the pages Gates and Compare: text, predictions and every heatmap under one cursor.
// 
// Python (pages/common/gates/view.py) sends numbers. A reader is one reading of a text: what was typed, what was expected.
// A track is one layer of a reader's model with its heatmaps, or the difference of two. Everything here runs without the
// server, but for three messages: "pin" when a (step, unit, layer, model) is pinned, "start" when the view leaves the
// window of columns that was sent, and, after a pause, "look": zoom, order of the units, rows, pooling, tanh.

import { readTheme } from "../shared/colours.js";
import { instances, run } from "../shared/instances.js";
import { isContinued } from "../shared/letters.js";
import { clamp } from "../shared/numbers.js";
import { showPlaying } from "../shared/player.js";
import { build, connect, fillReaders } from "./controls.js";
import { moveCursor } from "./cursor.js";
import { namesOf, unpack, valueAt } from "./data.js";
import { applyLook, chosenWidth, COLUMN, fillOrders, showLook } from "./look.js";
import { arrange, bringIntoView, paint } from "./screen.js";
import { writeFoot } from "./words.js";

function create(root, data) {
  const inst = {
    root, data, theme: readTheme(root), ratio: window.devicePixelRatio || 1,
    columnWidth: COLUMN.least, scroll: 0, look: {}, lookSerial: null, orders: [], speed: 10, playing: false, rows: new Map(),
    cursor: { step: 0, unit: 0, track: 0 }, chosen: { step: 0, unit: 0, track: 0 }, visited: new Map(), pin: null, serial: null, asked: null, timers: {},
    scratch: document.createElement("canvas"),
  };
  inst.el = build(root);
  inst.el.speed.value = inst.speed;
  inst.player = { here: () => inst.cursor.step, last: () => inst.data.meta.steps - 1, go: (step) => moveCursor(inst, { step }) };
  showPlaying(inst);
  connect(inst);
  return inst;
}

/** Takes new data in, keeping the cursor, the pin and the view wherever they still make sense. */
function update(inst, data) {
  const old = inst.data;
  const appended = isAppended(old, data);
  clearTimeout(inst.timers.ask);
  inst.timers.ask = 0;
  Object.assign(inst, { data, asked: null, profile: null, rows: new Map(), theme: readTheme(inst.root) });
  const { meta, view } = data;
  const told = view.serial !== inst.serial;
  inst.serial = view.serial;
  inst.root.style.setProperty("--replaced", inst.theme.replaced);
  fillOrders(inst);
  const asked = view.lookSerial !== inst.lookSerial;
  inst.lookSerial = view.lookSerial;
  if (asked) inst.look = { ...view.look };
  applyLook(inst);
  fillReaders(inst);
  keepVisited(inst, old);
  const named = (place) => place && { ...place, ...namesOf(old, place) };
  inst.pin = told && view.pin ? fitted(view.pin, data) : inst.pin && fitted(named(inst.pin), data);
  const kept = (place) => fitted(told && view.pin ? view.pin : named(place), data);
  [inst.cursor, inst.chosen] = [inst.cursor, inst.chosen].map(kept);
  if (appended) inst.cursor.step = inst.chosen.step = meta.steps - 1;
  arrange(inst);
  if (asked || (old.meta.steps !== meta.steps && !appended)) {
    inst.columnWidth = chosenWidth(inst);
    arrange(inst);
  }
  const follows = asked || (told && view.pin) || appended;
  if (!follows || !bringIntoView(inst, inst.cursor.step)) paint(inst); // else the scroll has painted
  showLook(inst);
  writeFoot(inst);
}

/** The unit that each model was looked at last; of a new one the unit that its h swings most. */
function keepVisited(inst, old) {
  const before = new Map([...inst.visited].map(([place, unit]) => [old.readers[place].model, unit]));
  inst.visited = new Map(
    inst.data.tracks.map((track) => {
      const { model } = inst.data.readers[track.readers[0]];
      return [track.readers[0], clamp(before.get(model) ?? track.liveliest, 0, track.units - 1)];
    }),
  );
}

/** A place by the name of its track, as one of the tracks there are now: else of that model, else the first. */
function fitted({ step, unit, layer, model }, { tracks, readers, meta }) {
  const of = (track) => readers[track.readers[0]].model === model;
  const level = (track) => track.layer === layer;
  const found = tracks.find((track) => of(track) && level(track)) ?? tracks.find(of) ?? tracks.find(level) ?? tracks[0];
  return { step: clamp(step, 0, meta.steps - 1), unit: clamp(unit, 0, found.units - 1), track: found.place };
}

/** True when a person typed on: the old text is the beginning of the new. */
function isAppended(old, now) {
  if (old === now || old.meta.file !== now.meta.file || now.meta.strips.length > 1) return false;
  const nameIn = ({ meta, readers }) => (step) => meta.glyphs[readers[0].typed[step]][1];
  return isContinued(old.meta.steps, now.meta.steps, nameIn(old), nameIn(now));
}

/** Where the cursor stands first: two thirds into what is in view, at the unit that speaks loudest there. */
function firstPlace(inst) {
  const { meta, heats } = inst.data;
  const step = Math.floor(0.66 * Math.min(meta.steps - 1, inst.layout.plot / inst.columnWidth));
  const heat = heats.filter((h) => h.track === inst.data.tracks[0]).at(-1);
  let unit = 0;
  for (let k = 0; k < heat.track.units; k++) {
    if (Math.abs(valueAt(inst.data, heat, step, k)) > Math.abs(valueAt(inst.data, heat, step, unit))) unit = k;
  }
  moveCursor(inst, { step, unit });
}

const view = { selector: ".gates", create, update, settle: (inst) => inst.pin || firstPlace(inst) };

/**
 * Paints what no server sent and nobody packed: the data of from_reading.js. onChosen: called with {step, unit, layer, model} for each place
 * that is chosen: by a key, a click, playing or new data, not by pointing.
 * @param {ComponentArguments} args
 * @param {((place: { step: number, unit: number, layer: number, model: string }) => void) | null} onChosen
 */
export function show(args, onChosen = null) {
  const end = run(args, { ...view, unpack: (data) => data });
  const inst = instances.get(args.parentElement);
  inst.onChosen = () => onChosen?.({ step: inst.chosen.step, unit: inst.chosen.unit, ...namesOf(inst.data, inst.chosen) });
  inst.onChosen();
  return end;
}

export default function (args) {
  return run(args, { ...view, unpack });
}
