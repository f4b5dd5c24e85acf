import assert from "node:assert/strict";
import { test } from "node:test";

import { colourTable, luminance, mix } from "../../assets/shared/colours.js";
import { pooledRows, pooledSteps, rowsOf, runsOf, surpriseLimit, visibleColumns } from "../../assets/shared/geometry.js";
import { isContinued, spoken } from "../../assets/shared/letters.js";
import { drawSymbol, SvgPen, wrapped } from "../../assets/shared/pens.js";
import { stop, togglePlay } from "../../assets/shared/player.js";
import { columnsOf } from "../../assets/shared/tables.js";
import { askForWindow, isOutside } from "../../assets/shared/windows.js";

/** Ten pixels a character. @type {Ruler} */
const ruler = (string) => 10 * string.length;

test("colours are mixed channel by channel", () => {
  assert.equal(mix("#ff0000", "#0000ff", 1), "#ff0000");
  assert.equal(mix("#ff0000", "#0000ff", 0), "#0000ff");
  assert.equal(mix("#ffffff", "#000000", 0.5), "#808080");
});

test("luminance goes from black to white, and green is lighter than blue", () => {
  assert.equal(luminance("#000000"), 0);
  assert.ok(Math.abs(luminance("#ffffff") - 1) < 1e-12);
  assert.ok(luminance("#00ff00") > luminance("#ff0000") && luminance("#ff0000") > luminance("#0000ff"));
});

test("a table of colours has a pixel for each level, from the first colour to the last", () => {
  const hex = Array.from({ length: 256 }, (_, k) => k.toString(16).padStart(2, "0").repeat(3)).join("");
  const table = colourTable(hex, 5);
  assert.deepEqual([...table].map((pixel) => pixel.toString(16)), ["ff000000", "ff333333", "ff666666", "ff999999", "ffcccccc", "ffffffff"]);
  assert.equal(colourTable("010203".repeat(256), 1)[0], 0xff030201); // red is the lowest byte
});

test("a sentence is broken between words, and a long word stands alone", () => {
  assert.deepEqual(wrapped("to be or not to be", {}, 60, ruler), ["to be", "or not", "to be"]);
  assert.deepEqual(wrapped("a characteristically b", {}, 60, ruler), ["a", "characteristically", "b"]);
  assert.deepEqual(wrapped("", {}, 60, ruler), []);
});

test("the SVG pen writes what is drawn", () => {
  const pen = new SvgPen();
  pen.text('<"a" & b>', 1.23456, 2, { fill: "#123456", align: "right", italic: true });
  pen.rect(0, 0, 10, 5, { stroke: "#000000", radius: 2 });
  pen.path([[0, 0], [1 / 3, 1], [2, 2]], { stroke: "#111111", dash: [2, 1] });
  pen.within(0, 0, 4, 4, () => pen.circle(2, 2, 1, { fill: "#222222" }));
  const expected = [
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10" viewBox="0 0 20 10">' +
      '<text x="1.235" y="2" fill="#123456" font-size="12" font-style="italic" text-anchor="end">&#60;&#34;a&#34; &#38; b&#62;</text>',
    '<rect x="0" y="0" width="10" height="5" rx="2" fill="none" stroke="#000000" stroke-width="1"/>',
    '<path d="M0 0L0.33 1L2 2" fill="none" stroke="#111111" stroke-width="1" stroke-dasharray="2 1"/>',
    '<clipPath id="clip0"><rect x="0" y="0" width="4" height="4"/></clipPath><g clip-path="url(#clip0)">',
    '<circle cx="2" cy="2" r="1" fill="#222222"/>',
    "</g></svg>",
  ];
  assert.equal(pen.finished(20, 10), expected.join("\n"));
});

test("the columns in view are at least one, and within the text", () => {
  assert.deepEqual(visibleColumns(0, 100, 10, 50), { first: 0, last: 10 });
  assert.deepEqual(visibleColumns(25, 100, 10, 50), { first: 2, last: 13 });
  assert.deepEqual(visibleColumns(1e6, 100, 10, 50), { first: 49, last: 50 });
});

test("rows are the inverse of an order of units", () => {
  assert.deepEqual([...rowsOf([2, 0, 1])], [1, 2, 0]);
});

test("steps and units that share a pixel cover all, without a gap", () => {
  const pooled = [0, 1, 2].map((column) => pooledSteps(column, 3, 10, 20));
  assert.deepEqual(pooled, [[10, 13], [13, 16], [16, 20]]);
  assert.deepEqual([...pooledRows(6, 3)], [0, 0, 1, 1, 2, 2]);
});

test("a column with holes is drawn as runs", () => {
  const runs = runsOf([1, 2, NaN, 4], 0, 4, (step) => step, (value) => -value);
  assert.deepEqual(runs, [[[0, -1], [1, -2]], [[3, -4]]]);
});

test("a scale of surprise ends between 4 and 10 nats", () => {
  assert.deepEqual([[[0.1]], [[5.2, NaN]], [[1], [99]]].map(surpriseLimit), [4, 6, 10]);
});

test("a character is spoken as itself or by its name", () => {
  assert.equal(spoken(["a", "a", "plain"]), "“a”");
  assert.equal(spoken(["␣", "a space", "quiet"]), "a space");
});

test("a text goes on when it begins with the old one and is longer", () => {
  const names = (text) => (step) => text[step];
  assert.ok(isContinued(2, 3, names("ab"), names("abc")));
  assert.ok(!isContinued(2, 3, names("ab"), names("axc")));
  assert.ok(!isContinued(2, 2, names("ab"), names("ab")));
});

test("a table becomes its columns", () => {
  const table = { schema: { fields: [{ name: "a" }] }, getChild: (name) => ({ toArray: () => [name] }) };
  assert.deepEqual(columnsOf(table), { a: ["a"] });
});

/** A clock and the browser's timers, driven by hand. @param {import("node:test").TestContext} context */
function clockFor(context) {
  const clock = { now: 0, waiting: null };
  const replaced = { requestAnimationFrame: (call) => ((clock.waiting = call), 1), cancelAnimationFrame: () => (clock.waiting = null), document: nothingDrawn() };
  const before = Object.fromEntries(Object.keys(replaced).map((name) => [name, globalThis[name]]));
  Object.assign(globalThis, replaced);
  context.mock.method(performance, "now", () => clock.now);
  context.after(() => Object.assign(globalThis, before));
  const frame = (now) => {
    const call = clock.waiting;
    clock.waiting = null;
    clock.now = now;
    call?.(now);
  };
  return { clock, frame };
}

const nothingDrawn = () => ({ createElementNS: () => ({ setAttribute() {}, append() {} }) });

/** A view of eleven steps that plays. @returns {any} */
function playing(at = 0) {
  const labels = {};
  const inst = { at, speed: 4, playing: false, labels, el: { play: { replaceChildren() {}, setAttribute: (name, value) => (labels[name] = value) } } };
  return Object.assign(inst, { player: { here: () => inst.at, last: () => 10, go: (step) => (inst.at = step) } });
}

test("playing goes on by speed times seconds, and ends at the last step", (context) => {
  const { clock, frame } = clockFor(context);
  const inst = playing();
  togglePlay(inst);
  assert.equal(inst.labels["aria-label"], "Pause");
  frame(100); // 0.4 steps
  assert.equal(inst.at, 0);
  frame(260); // 1.04 steps: what is owed is kept
  assert.equal(inst.at, 1);
  frame(1250);
  assert.equal(inst.at, 5);
  frame(60_000);
  assert.equal(inst.at, 10);
  assert.ok(!inst.playing && clock.waiting === null);
  assert.equal(inst.labels["aria-label"], "Play");
});

test("playing again at the end begins at the first step, and pressing again stops", (context) => {
  const { clock } = clockFor(context);
  const inst = playing(10);
  togglePlay(inst);
  assert.equal(inst.at, 0);
  togglePlay(inst);
  assert.ok(!inst.playing && clock.waiting === null);
  stop(inst);
  assert.ok(!inst.playing);
});

test("a frame that is older than the start moves nothing", (context) => {
  const { clock, frame } = clockFor(context);
  clock.now = 500;
  const inst = playing(3);
  togglePlay(inst);
  frame(400);
  assert.equal(inst.at, 3);
});

test("a view is outside of its window near an edge that has more behind it", () => {
  const middle = { start: 100, columns: 200, steps: 1000 };
  assert.ok(!isOutside(middle, 150, 250, 20));
  assert.ok(isOutside(middle, 110, 210, 20) && isOutside(middle, 190, 290, 20));
  assert.ok(!isOutside({ start: 0, columns: 200, steps: 200 }, 0, 200, 20));
});

test("another window is asked for once, after a pause, if it is still missing", (context) => {
  const waiting = [];
  context.mock.method(globalThis, "setTimeout", (call, pause) => waiting.push({ call, pause }));
  const asked = [];
  const inst = /** @type {any} */ ({ timers: {}, asked: null, serial: 7, data: { meta: { start: 0 } }, send: (name, value) => asked.push([name, value]) });
  let missing = true;
  askForWindow(inst, () => missing, () => 40);
  askForWindow(inst, () => missing, () => 50);
  assert.deepEqual([waiting.length, waiting[0].pause, asked], [1, 150, []]);
  waiting.pop().call();
  assert.deepEqual(asked, [["start", { first: 40, serial: 7 }]]);
  missing = false;
  askForWindow(inst, () => missing, () => 60);
  assert.deepEqual([waiting.length, asked.length], [0, 1]);
});

test("a symbol's letters, accent and subscript are set one after the other", (context) => {
  const before = globalThis.document;
  Object.assign(globalThis, { document: { createElement: () => ({ getContext: () => ({ measureText: (text) => ({ width: ruler(text, {}) }) }) }) } });
  context.after(() => Object.assign(globalThis, { document: before }));
  const pen = new SvgPen();
  const end = drawSymbol(pen, /** @type {any} */ ({ ink: "#000000" }), "C̃", "t", 5, 20, 10);
  assert.equal(end, 5 + 10 + 1 + 10);
  assert.deepEqual(pen.parts.map((part) => part.replace(/<.*?>/g, "")), ["C", "˜", "t"]);
});
