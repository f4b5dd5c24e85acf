// The linked picture of the page Long range: which characters mattered for the prediction after character t, how far back
// its gradient reaches as lines, and the same for every t as a map.
// 
// Python (pages/common/long_range/view.py) sends numbers, of each loss only what came before it. Everything here runs
// without the server, but for one message: "pin" when a character is pinned.

import { readTheme } from "../shared/colours.js";
import { run } from "../shared/instances.js";
import { showPlaying } from "../shared/player.js";
import { build, connect, fillReaders } from "./controls.js";
import { moveTo, repaint } from "./cursor.js";
import { rowNear, unpack } from "./data.js";

const BACK = 10; // characters that are looked back at first

function create(root, data) {
  const inst = {
    root, data, theme: readTheme(root), ratio: window.devicePixelRatio || 1, row: 0, back: BACK, pin: null, serial: null,
    state: "memory", scale: "share", rooted: false, texts: null, speed: 5, playing: false, timers: {}, ranges: new Map(), images: new Map(), limits: new Map(),
  };
  inst.el = build(root);
  inst.el.speed.value = inst.speed;
  inst.player = { here: () => inst.row, last: () => inst.data.meta.targets.length - 1, go: (row) => moveTo(inst, row) };
  showPlaying(inst);
  connect(inst);
  return inst;
}

/** Takes new data in, keeping t, s and the pin wherever they still make sense. */
function update(inst, data) {
  const old = inst.data;
  const before = old.meta.start + (old.meta.targets[inst.row] ?? 0);
  Object.assign(inst, { data, theme: readTheme(inst.root), ranges: new Map(), images: new Map(), limits: new Map(), pushColours: null });
  const { meta, view } = data;
  const asked = view.serial !== inst.serial;
  inst.serial = view.serial;
  const rowOf = (step) => rowNear(data, step - meta.start);
  if (asked) inst.pin = inst.row = rowOf(view.step);
  else if (old !== data) {
    inst.row = rowOf(before);
    inst.pin = inst.pin === null ? null : rowOf(old.meta.start + old.meta.targets[inst.pin]);
  }
  fillReaders(inst);
  repaint(inst);
}

export default function (args) {
  return run(args, { selector: ".reach", unpack, create, update });
}
