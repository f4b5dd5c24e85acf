// The linked picture of the page Training: one text at every checkpoint of a model's life, under one slider.
// 
// Python (pages/common/training/view.py) sends all checkpoints at once. Everything here runs without the server, but for
// one message: "pin" when a (checkpoint, character, unit) is pinned.

import { readTheme } from "../shared/colours.js";
import { run } from "../shared/instances.js";
import { clamp } from "../shared/numbers.js";
import { showPlaying } from "../shared/player.js";
import { build, connect } from "./controls.js";
import { moveStage, repaint } from "./cursor.js";
import { unpack } from "./data.js";
import { writeFoot } from "./words.js";

function create(root, data) {
  const last = data.stages.length - 1;
  const inst = {
    root, data, theme: readTheme(root), ratio: window.devicePixelRatio || 1, scroll: 0, at: { stage: last, step: 0, unit: 0 },
    pin: null, serial: null, signal: "all", order: "grouped", speed: 2, playing: false, timers: {}, scratch: document.createElement("canvas"),
  };
  inst.el = build(root);
  inst.el.speed.value = inst.speed;
  inst.player = { here: () => inst.at.stage, last: () => inst.data.stages.length - 1, go: (stage) => moveStage(inst, stage) };
  showPlaying(inst);
  connect(inst);
  return inst;
}

/** Takes new data in, keeping the place wherever it still makes sense; who looks at the newest checkpoint stays with it. */
function update(inst, data) {
  const old = inst.data;
  const { meta, view, stages } = data;
  const same = old.meta.name === meta.name;
  const newest = inst.at.stage === old.stages.length - 1;
  const step = old.stages[inst.at.stage].step;
  Object.assign(inst, { data, theme: readTheme(inst.root), tables: null, ordered: null });
  inst.root.style.setProperty("--replaced", inst.theme.replaced);
  const fitted = (place) => ({ stage: place.stage < 0 ? stages.length - 1 : Math.min(place.stage, stages.length - 1), step: clamp(place.step, 0, meta.columns - 1), unit: clamp(place.unit, 0, meta.units - 1) });
  if (view.serial !== inst.serial) {
    inst.serial = view.serial;
    inst.at = fitted(view.at);
    inst.pin = view.pinned ? fitted(view.at) : null;
  } else if (old !== data) {
    const nearest = stages.reduce((best, stage) => (Math.abs(stage.step - step) < Math.abs(stages[best].step - step) ? stage.place : best), 0);
    inst.at = fitted({ ...inst.at, stage: newest ? stages.length - 1 : nearest });
    inst.pin = inst.pin && same ? fitted(inst.pin) : null;
  }
  writeFoot(inst);
  repaint(inst);
}

export default function (args) {
  return run(args, { selector: ".life", unpack, create, update });
}
