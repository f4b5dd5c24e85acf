import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { differencesFrom } from "../../assets/shared/engine/differences.js";
import { Model } from "../../assets/shared/engine/model.js";
import { Reading } from "../../assets/shared/engine/reading.js";
import { readInFrames } from "../../assets/shared/frames.js";
import { quantile, roundedUp } from "../../assets/shared/limits.js";
import { modelOf } from "./engine_models.js";

/** What waits for the next frame. @type {(() => void)[]} */
let frames = [];

beforeEach(() => {
  frames = [];
  Object.assign(globalThis, { requestAnimationFrame: (/** @type {() => void} */ call) => frames.push(call), cancelAnimationFrame: () => (frames = []) });
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, "requestAnimationFrame");
  Reflect.deleteProperty(globalThis, "cancelAnimationFrame");
});

const frame = () => frames.splice(0).forEach((call) => call());
const tasks = () => new Promise((done) => setTimeout(done, 20));

/** A reading that is done after so many slices. @param {number} slices */
const sliced = (slices) => ({
  left: slices,
  /** @type {number[]} */
  given: [],
  /** @param {{ milliseconds: number }} limits */
  read({ milliseconds }) {
    this.given.push(milliseconds);
    return --this.left <= 0;
  },
});

test("a short text is read and shown in the next frame, however often it was asked for", () => {
  /** @type {boolean[]} */
  const shown = [];
  const loop = readInFrames(sliced(1), (isDone) => shown.push(isDone));
  loop.start();
  loop.start();
  assert.deepEqual([shown, frames.length], [[], 1]);
  frame();
  assert.deepEqual([shown, frames.length], [[true], 0]);
});

test("a long text is shown at first and at its end, and read on in tasks", async () => {
  /** @type {boolean[]} */
  const shown = [];
  const reading = sliced(4);
  readInFrames(reading, (isDone) => shown.push(isDone)).start();
  frame();
  assert.deepEqual(shown, [false]);
  while (shown.at(-1) === false) await tasks();
  assert.equal(shown.at(-1), true);
  assert.ok(reading.given.length === 4 && Math.max(...reading.given) < 50, "no slice in which a keystroke would wait long");
});

test("what is stopped is not read on", async () => {
  const reading = sliced(100);
  const loop = readInFrames(reading, () => {});
  loop.start();
  frame();
  loop.stop();
  await tasks();
  assert.equal(reading.given.length, 1);
});

test("a quantile lies between two values, whatever their order", () => {
  const values = Float32Array.from({ length: 101 }, (_, k) => (k * 37) % 101);
  assert.equal(quantile(values.slice(), 0.5), 50);
  assert.equal(quantile(values.slice(), 1), 100);
  assert.equal(quantile(new Float32Array(9).fill(3), 0.98), 3);
  assert.equal(quantile(Float32Array.of(1, 2), 0.25), 1.25);
});

test("a limit is rounded up to two digits", () => {
  assert.deepEqual([0, 3.21, 0.0321, 321, 1, 99.1].map(roundedUp), [0, 3.3, 0.033, 330, 1, 100]);
});

test("a reading differs from a trace by what was changed in it, and from NaN without end", () => {
  const { meta, weights } = modelOf("lstm", 4, 2);
  for (const signal of meta.signals) signal.range = signal.name === "cell" ? [null, null] : [-1, 1];
  const reading = new Reading(new Model(meta, weights));
  reading.write("the sky");
  reading.read();
  const steps = [2, 6];
  const size = reading.model.vocabulary.size;
  /** @param {string} name */
  const at = (name) => Float32Array.from([0, 1].flatMap((layer) => steps.flatMap((step) => [...reading.at(layer, name, step)])));
  const values = Object.fromEntries(reading.model.signals.map((name) => [name, at(name)]));
  values.probs = Float32Array.from(steps.flatMap((step) => [...reading.probs.subarray(step * size, (step + 1) * size)]));
  assert.deepEqual(new Set(Object.values(differencesFrom(reading, { steps, values }))), new Set([0]));
  values.forget[13] += 0.25; // layer 2, step 6
  values.cell[0] = 1000;
  values.probs[0] = NaN;
  const found = differencesFrom(reading, { steps, values });
  assert.ok(Math.abs(found.forget - 0.25) < 1e-6 && found.hidden === 0);
  assert.ok(Math.abs(found.cell - 1) < 0.01, "relative where it is over 1");
  assert.equal(found.probs, Infinity);
});
