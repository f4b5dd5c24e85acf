/**
 * How fast the browser's engine reads: `node tests/benchmarks/bench_engine.js`.
 *
 * Prints milliseconds a character, in CPU time of the process, the least of several runs; and the ratio to a plain loop over the same
 * multiply-adds in the same run, which is what to compare between machines. Random weights: the speed does not depend on them.
 */

import { Model } from "../../assets/shared/engine/model.js";
import { Reading } from "../../assets/shared/engine/reading.js";
import { modelOf } from "../js/engine_models.js";

const REPEATS = 15;
const CHARACTERS = 200;
const GOALS = { "lstm 1x128": 0.15, "lstm 2x256": 1 };

/** CPU milliseconds. */
const now = () => process.cpuUsage().user / 1000;

/** @param {Float32Array} weights @param {Float32Array} vector @param {Float32Array} out */
function plainLoop(weights, vector, out) {
  for (let row = 0; row < out.length; row++) {
    let sum = 0;
    for (let k = 0; k < vector.length; k++) sum += weights[row * vector.length + k] * vector[k];
    out[row] = sum;
  }
}

/** @param {() => void} run */
function milliseconds(run) {
  const start = now();
  run();
  return now() - start;
}

for (const [name, units, layers] of /** @type {[string, number, number][]} */ ([["lstm", 128, 1], ["lstm", 256, 1], ["lstm", 256, 2], ["gru", 256, 2], ["peephole_full", 256, 1]])) {
  const { meta, weights } = modelOf(name, units, layers);
  const model = new Model(meta, weights);
  const text = "the clouds are in the sky ".repeat(40).slice(0, CHARACTERS);
  const products = [...model.layers.flatMap((layer) => layer.products), { rows: model.head.rows, columns: units }].filter(({ columns }) => columns);
  const plain = products.map(({ rows, columns }) => ({
    weights: new Float32Array(rows * columns).fill(0.01),
    vector: new Float32Array(columns).fill(0.5),
    out: new Float32Array(rows),
  }));
  let engine = Infinity;
  let loop = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const reading = new Reading(model);
    reading.write(text);
    engine = Math.min(engine, milliseconds(() => reading.read()) / CHARACTERS);
    const time = milliseconds(() => {
      for (let t = 0; t < CHARACTERS; t++) for (const each of plain) plainLoop(each.weights, each.vector, each.out);
    });
    loop = Math.min(loop, time / CHARACTERS);
  }
  const goal = GOALS[/** @type {keyof typeof GOALS} */ (`${name} ${layers}x${units}`)];
  const sum = products.reduce((all, { rows, columns }) => all + rows * columns, 0);
  console.log(
    `${name} ${layers}x${units}: ${engine.toFixed(3)} ms a character${goal ? ` (goal ${goal})` : ""}, ${(engine / loop).toFixed(2)} of a plain loop over ` +
      `${sum.toLocaleString("en-US")} multiply-adds (${loop.toFixed(3)} ms)`,
  );
}

// What a person waits for: wall-clock time, the least of several runs.
const LONG = "the clouds are in the sky ".repeat(40).slice(0, 999);
const { meta, weights } = modelOf("lstm", 256, 2);
const model = new Model(meta, weights);
const reading = new Reading(model);

/** @param {string} what @param {(repeat: number) => void} prepare @param {() => void} run */
function waited(what, prepare, run) {
  let least = Infinity;
  for (let repeat = 0; repeat < 8; repeat++) {
    prepare(repeat);
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  console.log(`${what}: ${least.toFixed(1)} ms`);
}

const finish = () => void reading.read();
const rest = (/** @type {string} */ text) => {
  reading.write(text);
  finish();
};
waited("lstm 2x256, weights laid out", () => {}, () => void new Model(meta, weights));
waited("lstm 2x256, 999 characters from the first", (repeat) => rest("xy"[repeat % 2]), () => rest(LONG));
waited("lstm 2x256, one more character after 999", () => rest(LONG), () => rest(`${LONG}.`));
waited("lstm 2x256, one character in the middle of 999", () => rest(LONG), () => rest(`${LONG.slice(0, 500)}.${LONG.slice(500)}`));
