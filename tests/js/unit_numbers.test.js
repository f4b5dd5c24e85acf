import assert from "node:assert/strict";
import { test } from "node:test";

import { equationsOf } from "../../assets/shared/equations/equations.js";
import { Moment } from "../../assets/shared/equations/moment.js";
import { barsOf, chainOf } from "../../assets/shared/equations/unit_numbers.js";

const LOOK = /** @type {EquationLook} */ ({ weights: "one", biases: "one" });

/** @param {string} name @param {boolean} [previous] @returns {Expression} */
const vector = (name, previous = false) => ({ kind: "vector", name, previous, spelling: previous ? `${name}@-1` : name });

/** A moment of one unit. @param {Partial<EquationSignal>} signal @param {Record<string, number>} values by spelling @param {Record<string, number>} weights @param {boolean} [isClamped] */
function momentOf(signal, values, weights, isClamped = false) {
  const described = {
    signals: [/** @type {EquationSignal} */ ({ symbol: "h", title: "", bounded: false, terms: [], ...signal })],
    rows: { hh: ["hidden"] },
    biases: ["bias_hh"],
    functions: { relu: { label: "relu", line: [1, 0], range: [0, null] } },
  };
  return new Moment(equationsOf(described), {
    units: 1,
    isClamped,
    signal: (name, previous) => [values[previous ? `${name}@-1` : name]],
    input: () => [0],
    weights: (name) => [weights[name]],
  });
}

/** The equation of one ReLU unit, whose sum is `value`: what h adds, and a bias. @param {number} value @param {number} [held] */
function relu(value, held = Math.fround(value), isClamped = false) {
  const sum = /** @type {AffineMap} */ ({ kind: "affine", rows: "hidden", symbol: "", inputs: [vector("hidden", true)], sources: ["hh"], spelling: "sum" });
  const signal = { name: "hidden", tree: /** @type {Expression} */ ({ kind: "apply", function: "relu", argument: sum, spelling: "relu(sum)" }) };
  const moment = momentOf(signal, { "hidden@-1": 1, hidden: held }, { weight_hh: value + 1.3, bias_hh: -1.3 }, isClamped);
  return chainOf(moment, moment.equations.named.hidden, 0, LOOK);
}

test("an equation is a chain of expressions, each equal to the next as written", () => {
  assert.equal(relu(2.5).text, "relu(3.80 + (−1.30)) = relu(2.50) = 2.50");
});

test("a number too large to have decimals is still written", () => {
  // As a ReLU makes them: float32 holds 123456789 as 123456792, and no decimals of what was added up give that.
  assert.equal(relu(123456789).text, "relu(123456789.00) ≈ 123456792.00");
});

test("a value that its equation does not give is another model's, but where it is held", () => {
  assert.throws(() => relu(2.5, 7), /The trace shows hidden = 7, but the weights give 2.5/);
  assert.equal(relu(2.5, 7, true).text, "7.000, held; by itself it would be 2.500");
});

/** A state that is a sum. @param {number[]} values @param {number} total */
function bars(values, total) {
  const terms = values.map((_, k) => ({ tree: vector(`part${k}`), kept: k === 1 }));
  const moment = momentOf({ name: "cell", terms }, { cell: total, ...Object.fromEntries(values.map((value, k) => [`part${k}`, value])) }, {});
  return barsOf(moment, moment.equations.named.cell, 0);
}

test("what was kept and what was written add up as they are written, kept first", () => {
  const { parts, text } = bars([0.4449, -0.1], 0.3449);
  assert.deepEqual([parts.map((part) => part.text), text], [["−0.10", "0.44"], "0.34"]);
});

test("where no decimals add up, that is said", () => {
  assert.equal(bars([1, 2], 4).text, "≈ 4.00");
});

test("a function that is neither a line nor known is refused by name", () => {
  const described = { signals: [], rows: {}, biases: [], functions: { swish: { label: "swish", line: null, range: [null, null] } } };
  assert.throws(() => equationsOf(described), /no function “swish”; they know sigmoid, tanh and straight lines/);
});
