/** Small models of random weights for the tests of the engine, and larger ones for its benchmark. */

import { readFileSync } from "node:fs";

/** Every cell's, as lstm_core/program.py writes them; a test in Python holds the file to the cells. @type {Record<string, Program>} */
export const PROGRAMS = JSON.parse(readFileSync(new URL("../cases/programs.json", import.meta.url), "utf8"));

/** Numbers from -0.5 to 0.5, the same at each run. @param {number} seed */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/**
 * What lstm_core/browser/engine.py sends, for a cell of random weights that reads 28 characters one-hot.
 * @param {string} name one of PROGRAMS @param {number} units @param {number} layers @param {number} [spread] of the weights
 * @returns {{ meta: EngineMeta, weights: ArrayBuffer }}
 */
export function modelOf(name, units, layers, spread = 4 / Math.sqrt(units)) {
  const program = PROGRAMS[name];
  const symbols = [..." abcdefghijklmnopqrstuvwxyz."];
  /** @type {Record<string, number[]>} */
  const shapes = {};
  for (let layer = 0; layer < layers; layer++) {
    for (const part of program.operations.flatMap((operation) => operation.parts ?? [])) {
      const rows = Math.max(shapes[`${part.weight}_l${layer}`]?.[0] ?? 0, (part.block + 1) * units);
      shapes[`${part.weight}_l${layer}`] = [rows, part.weight === "weight_ih" && !layer ? symbols.length : units];
      if (part.bias === "bias_ih") shapes[`bias_ih_l${layer}`] = [rows];
    }
    for (const { role, name: weight, block } of program.buffers)
      if (role === "weight") shapes[`${weight}_l${layer}`] = [Math.max(shapes[`${weight}_l${layer}`]?.[0] ?? 0, (block + 1) * units)];
  }
  Object.assign(shapes, { "head.weight": [symbols.length, units], "head.bias": [symbols.length] });
  /** @type {EngineMeta["weights"]} */
  const places = {};
  let offset = 0;
  for (const [parameter, shape] of Object.entries(shapes)) {
    places[parameter] = { offset, shape };
    offset += 4 * shape.reduce((all, each) => all * each, 1);
  }
  const next = randomNumbers(7);
  const weights = Float32Array.from({ length: offset / 4 }, () => spread * next()).buffer;
  const meta = /** @type {EngineMeta} */ ({
    name,
    version: "test",
    cell: name,
    units,
    layers,
    input: "one-hot",
    inputs: symbols.length,
    program,
    functions: { sigmoid: { range: [0, 1], line: null }, tanh: { range: [-1, 1], line: null } },
    signals: program.buffers.filter((buffer) => buffer.role === "signal").map((buffer) => ({ name: buffer.name, range: [-1, 1] })),
    vocabulary: { reads: "characters", symbols, unknown: 0, lookAlikes: {}, limit: 1000 },
    weights: places,
    bytes: offset,
  });
  return { meta, weights };
}
