import assert from "node:assert/strict";
import { test } from "node:test";

import { padded, packRow, pointwise, product } from "../../assets/shared/engine/kernels.js";
import { Model } from "../../assets/shared/engine/model.js";
import { planOf } from "../../assets/shared/engine/plan.js";
import { Reading, zeroState } from "../../assets/shared/engine/reading.js";
import { Vocabulary } from "../../assets/shared/engine/vocabulary.js";
import { modelOf, randomNumbers, PROGRAMS } from "./engine_models.js";

const TEXT = "the clouds are in the sky, and the hat is on the mat.";

/** All that a reading holds, as plain arrays. @param {Reading} reading */
function everything(reading) {
  const signals = reading.model.layers.flatMap((_, layer) => reading.model.signals.map((name) => [...reading.signal(layer, name)]));
  return { ids: [...reading.ids], chars: reading.chars, done: reading.done, signals, probs: [...reading.probs], surprise: [...reading.surprise] };
}

/** @param {Model} model @param {string} text @param {ConstructorParameters<typeof Reading>[1]} [from] */
function freshly(model, text, from) {
  const reading = new Reading(model, from);
  reading.write(text);
  assert.equal(reading.read(), true);
  return reading;
}

test("a product of four rows at a time is the plain one", () => {
  const next = randomNumbers(1);
  for (const [rows, columns] of [[1, 1], [4, 3], [6, 5], [9, 0], [17, 8]]) {
    const weights = Float32Array.from({ length: rows * columns }, next);
    const vector = Float32Array.from({ length: columns }, next);
    const base = Float32Array.from({ length: padded(rows) }, next);
    const packed = new Float32Array(padded(rows) * columns);
    for (let row = 0; row < rows; row++) packRow(packed, columns, row, 0, weights, row * columns, columns);
    const out = new Float32Array(padded(rows));
    product(out, base, packed, vector, padded(rows), columns);
    for (let row = 0; row < rows; row++) {
      const wanted = vector.reduce((sum, value, k) => sum + weights[row * columns + k] * value, base[row]);
      assert.ok(Math.abs(out[row] - wanted) < 1e-6);
    }
  }
});

test("gates that read the same vectors are one product", () => {
  const [lookingUp, multiplying] = [true, false].map((looksUp) => planOf(PROGRAMS.lstm, looksUp));
  assert.deepEqual(lookingUp.products.map(({ reads, into }) => [reads.length, into.length]), [[1, 4]]);
  assert.deepEqual(multiplying.products.map(({ reads, into }) => [reads.length, into.length]), [[2, 4]]);
  const gru = planOf(PROGRAMS.gru, false);
  assert.deepEqual(gru.products.map(({ reads, into }) => [reads.length, into.length]), [[2, 2], [2, 1]]);
  assert.equal(gru.steps.findIndex((step) => step.product === 1) > gru.steps.findIndex((step) => step.finished === "reset"), true);
});

test("what the engine does not know is refused by name", () => {
  assert.throws(() => pointwise("attend", "", {}), /the engine has no operation attend; it has add, /);
  assert.throws(() => pointwise("apply", "swish", {}), /the engine has no function swish; it has sigmoid, tanh/);
  assert.throws(() => pointwise("toString", "", {}), /no operation toString/);
  const { meta, weights } = modelOf("lstm", 5, 1);
  assert.throws(() => new Model(meta, weights.slice(4)), /the weights of lstm are \d+ bytes, and \d+ came/);
  const model = new Model(meta, weights);
  const reading = freshly(model, "ab");
  assert.throws(() => reading.signal(0, "update"), /lstm has no update in layer 0; it has forget, /);
  assert.throws(() => reading.at(0, "forget", 2), /step 2 is not read; 2 steps are/);
  assert.throws(() => reading.before(0, "forget", 1), /forget is no state of lstm; its states are hidden, cell/);
  const clamp = { signal: "forget", value: 0, layer: 0, units: null, start: 0, stop: null };
  assert.throws(() => reading.hold([{ ...clamp, signal: "update" }]), /has no signal update to hold/);
  assert.throws(() => reading.hold([{ ...clamp, layer: 1 }]), /there is no layer 1; there are layers 0 to 0/);
  assert.throws(() => reading.hold([{ ...clamp, units: [5] }]), /there is no unit 5; there are units 0 to 4/);
  assert.throws(() => reading.hold([{ ...clamp, value: NaN }]), /at a finite number, not at NaN/);
  const other = modelOf("gru", 5, 1);
  assert.throws(() => new Reading(model, { state: zeroState(new Model(other.meta, other.weights)) }), /needs the state cell of 1 layers x 5 units/);
});

test("weights may lie anywhere in a buffer", () => {
  const { meta, weights } = modelOf("gru", 5, 2);
  const shifted = new Uint8Array(weights.byteLength + 3);
  shifted.set(new Uint8Array(weights), 3);
  assert.deepEqual(everything(freshly(new Model(meta, shifted.subarray(3)), TEXT)), everything(freshly(new Model(meta, weights), TEXT)));
});

for (const name of Object.keys(PROGRAMS)) {
  const { meta, weights } = modelOf(name, 6, 2);
  const model = new Model(meta, weights);

  test(`${name}: an edit anywhere gives what a fresh reading gives, and reads from the first change alone`, () => {
    const next = randomNumbers(2);
    const reading = new Reading(model);
    let text = TEXT;
    reading.write(text);
    reading.read();
    for (let edit = 0; edit < 60; edit++) {
      const characters = [...text];
      const at = Math.floor((next() + 0.5) * (characters.length + 1));
      const removed = Math.floor((next() + 0.5) * 4);
      characters.splice(at, removed, ...["", "e", "to be", "👍"][Math.floor((next() + 0.5) * 4)]);
      const before = reading.ids;
      const done = reading.done;
      text = characters.join("");
      const first = reading.write(text);
      let same = 0;
      while (same < Math.min(before.length, reading.steps) && before[same] === reading.ids[same]) same++;
      assert.equal(first, Math.min(same, done));
      if (edit % 3 === 0) continue; // the next edit comes before this one is read
      if (edit % 3 === 1) reading.read({ until: Math.floor(reading.steps / 2) });
      reading.read();
      assert.deepEqual(everything(reading), everything(freshly(model, text)));
    }
  });

  test(`${name}: a state goes on where a text ended`, () => {
    const whole = freshly(model, TEXT);
    const begun = freshly(model, TEXT.slice(0, 20));
    const rest = freshly(model, TEXT.slice(20), { state: begun.state() });
    for (const signal of model.signals) assert.deepEqual(rest.signal(1, signal), whole.signal(1, signal).slice(20 * model.units));
    assert.deepEqual(rest.surprise, whole.surprise.slice(20));
    assert.deepEqual(rest.before(0, "hidden", 0), whole.before(0, "hidden", 20));
    assert.deepEqual(whole.state(19), begun.state());
  });

  test(`${name}: what is held is changed from its first step on`, () => {
    const first = { signal: model.signals[0], value: 0.25, layer: 0, units: [1, 3], start: 5, stop: 30 };
    const second = { signal: "hidden", value: -0.5, layer: 1, units: null, start: 12, stop: null };
    const reading = freshly(model, TEXT);
    for (const clamps of [[first], [first, second], [second], [{ ...second, start: 3 }], []]) {
      const done = reading.hold(clamps);
      assert.ok(done >= 3 && done < reading.steps);
      reading.read();
      assert.deepEqual(everything(reading), everything(freshly(model, TEXT, { clamps })));
      for (const { signal, value, layer, units, start } of clamps) assert.equal(reading.at(layer, signal, start)[units?.[0] ?? 0], value);
    }
  });
}

test("typing at the end reads the new characters alone", () => {
  const { meta, weights } = modelOf("lstm", 6, 2);
  const reading = freshly(new Model(meta, weights), TEXT);
  let read = 0;
  const step = reading.step.bind(reading);
  reading.step = (t) => {
    read++;
    step(t);
  };
  assert.equal(reading.write(`${TEXT}ab`), TEXT.length);
  reading.read();
  assert.equal(read, 2);
  assert.equal(reading.write(TEXT), TEXT.length);
  reading.read();
  assert.equal(read, 2);
});

test("a reading in slices stops in time, and reads at least one step each time", () => {
  const { meta, weights } = modelOf("lstm", 6, 2);
  const model = new Model(meta, weights);
  const reading = new Reading(model);
  reading.write(TEXT);
  let slices = 1;
  while (!reading.read({ milliseconds: 0 })) slices++;
  assert.equal(slices, TEXT.length);
  assert.deepEqual(everything(reading), everything(freshly(model, TEXT)));
  reading.write(`x${TEXT}`);
  assert.equal(reading.read({ until: 10 }), true);
  assert.equal(reading.done, 10);
});

test("nothing is read of an empty text, and a long one is refused in a sentence", () => {
  const { meta, weights } = modelOf("gru", 6, 1);
  const reading = freshly(new Model(meta, weights), "");
  assert.deepEqual([reading.done, reading.steps, reading.signal(0, "hidden").length, reading.surprise.length], [0, 0, 0, 0]);
  reading.write("ab");
  assert.throws(() => reading.write("a".repeat(meta.vocabulary.limit + 1)), /^RangeError: The text has 1,001 characters; at most 1,000 can be read at once\.$/);
  assert.equal(reading.chars.join(""), "ab");
});

test("a vocabulary of bytes gives a character as many steps as its UTF-8 has", () => {
  const vocabulary = new Vocabulary({ reads: "bytes", symbols: Array.from({ length: 256 }, (_, k) => k), unknown: 32, lookAlikes: {}, limit: 100 });
  assert.deepEqual(vocabulary.encode("é👍\ud83d"), {
    chars: ["é", "", "👍", "", "", "", "\ud83d", "", ""],
    readAs: ["é", "", "👍", "", "", "", "\ufffd", "", ""],
    ids: Int32Array.from([0xc3, 0xa9, 0xf0, 0x9f, 0x91, 0x8d, 0xef, 0xbf, 0xbd]),
  });
});
