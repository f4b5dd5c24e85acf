// The elements of the view, what they do, and the picture as it is saved.

import { choice, element, iconButton, span } from "../shared/elements.js";
import { watchWidth } from "../shared/instances.js";
import { keyHandler } from "../shared/keys.js";
import { penOn } from "../shared/pens.js";
import { stop, togglePlay } from "../shared/player.js";
import { captionOfLines, connectSaving, drawCaption, saveButtons } from "../shared/saving.js";
import { liveRegion } from "../shared/speech.js";
import { tr } from "../shared/words.js";
import { click, hover, KEYS, moveTo, repaint } from "./cursor.js";
import { PAD } from "./layout.js";
import { drawOverlay } from "./overlay.js";
import { drawHead, drawMaps, drawSample } from "./paint.js";

const SPEEDS = [2, 5, 10, 20];

/** The picture as it is saved: all that is shown, and a caption below. */
function pictureOf(inst) {
  const { layout, theme, el, data } = inst;
  const place = `${el.step.textContent}; ${el.aim.textContent}; ${el.probe.textContent}.`;
  const caption = captionOfLines([place, el.caption.textContent], theme, layout.width - 2 * PAD);
  const { width } = layout;
  const height = layout.height + 10 + caption.height;
  const draw = (pen) => {
    pen.rect(0, 0, width, height, { fill: theme.paper });
    drawHead(pen, inst);
    drawMaps(pen, inst);
    drawOverlay(pen, inst);
    drawCaption(pen, caption, PAD, layout.height + 14);
  };
  return { name: data.meta.file, width, height, draw };
}

export function build(root) {
  const el = {
    back: iconButton("back", tr("Step back"), "←"),
    play: iconButton("play", tr("Play"), "Space"),
    forward: iconButton("forward", tr("Step forward"), "→"),
    speed: choice(tr("Speed"), SPEEDS.map((speed) => [speed, tr("{speed} a second", { speed })])),
    state: choice(tr("Gradient through"), [["memory", tr("through what each keeps: C, or h")], ["hidden", tr("through h")]]),
    texts: choice(tr("Whose text"), []),
    scale: element("button", { type: "button" }),
    small: element("button", { type: "button", title: tr("Colours by the square root, so that small pushes show") }),
    typed: span("typed"), step: span("quiet"), aim: span("aim"), probe: span("probe"),
    table: element("div", { className: "readers", "aria-hidden": "true" }),
    lines: [],
    stage: element("div", { className: "stage" }),
    maps: element("canvas", { className: "maps", "aria-hidden": "true" }),
    head: element("canvas", { className: "head", role: "img" }),
    cursor: element("canvas", { className: "cursor", role: "img", tabIndex: 0 }),
    caption: span("caption"),
    ...saveButtons(),
    live: liveRegion(),
  };
  const player = element("div", { className: "group" }, el.back, el.play, el.forward);
  const bar = element("div", { className: "bar", role: "toolbar", "aria-label": tr("Time and view") }, player, el.speed, el.state, el.scale, el.small, el.texts);
  const readout = element("div", { className: "readout", "aria-hidden": "true" }, el.typed, el.step, el.aim, el.probe);
  el.stage.append(el.maps, el.head, el.cursor);
  root.append(bar, readout, el.table, el.stage, element("div", { className: "foot" }, el.caption, el.png, el.svg), el.live);
  return el;
}

/** A line a model: what it expected, what is left of its gradient at s, what is left along the direct path, what becomes of it. */
export function fillReaders(inst) {
  const { el, data, ratio } = inst;
  el.lines = data.readers.map((reader) => {
    const line = { sample: element("canvas", { className: "sample" }), name: span("name"), chance: span("quiet"), left: span("left"), direct: span("quiet"), push: span("quiet"), fate: span("fate") };
    line.row = element("div", { className: "reader" }, ...Object.values(line));
    line.name.textContent = reader.name;
    drawSample(penOn(line.sample, 32, 12, ratio), inst, reader, 1, 6);
    return line;
  });
  el.table.replaceChildren(...el.lines.map((line) => line.row));
}

export function connect(inst) {
  const { el } = inst;
  el.back.onclick = () => moveTo(inst, inst.row - 1);
  el.forward.onclick = () => moveTo(inst, inst.row + 1);
  el.play.onclick = () => togglePlay(inst);
  el.speed.onchange = () => (inst.speed = Number(el.speed.value));
  el.state.onchange = () => set(inst, "state", el.state.value);
  el.texts.onchange = () => set(inst, "texts", el.texts.value === "all" ? "all" : Number(el.texts.value));
  el.scale.onclick = () => set(inst, "scale", inst.scale === "share" ? "norm" : "share");
  el.small.onclick = () => set(inst, "rooted", !inst.rooted);
  connectSaving(inst, pictureOf);
  el.cursor.onkeydown = keyHandler(inst, KEYS, (key) => key !== " " && stop(inst));
  el.cursor.onpointermove = (event) => event.pointerType !== "touch" && hover(inst, event);
  el.cursor.onclick = (event) => click(inst, event);
  watchWidth(inst, repaint);
}

function set(inst, name, value) {
  inst[name] = value;
  repaint(inst);
}
