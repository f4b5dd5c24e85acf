import assert from "node:assert/strict";
import { test } from "node:test";

import { barsOf, chainOf } from "../../assets/inside/unit_numbers.js";

/** The equation of one ReLU unit, whose sum is `value`: what h adds, and a bias. @param {number} value @param {number} [held] */
function relu(value, held = Math.fround(value), clamped = false) {
  const data = { meta: { clamped }, functions: { relu: { label: "relu", of: (sum) => Math.max(0, sum) } } };
  const shares = () => [{ source: "hh", node: {}, value: value + 1.3 }, { source: "hh", bias: "bias_hh", value: -1.3 }];
  const signal = { name: "hidden", tree: { kind: "apply", function: "relu", argument: { kind: "affine" } } };
  return chainOf({ data, shares, held: () => [held] }, signal, 0, { weights: "one", biases: "one" });
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
  const terms = values.map((value, k) => ({ tree: { value }, kept: k === 1 }));
  return barsOf({ vector: (tree) => [tree.value], held: () => [total] }, { name: "cell", terms }, 0);
}

test("what was kept and what was written add up as they are written, kept first", () => {
  const { parts, text } = bars([0.4449, -0.1], 0.3449);
  assert.deepEqual([parts.map((part) => part.text), text], [["−0.10", "0.44"], "0.34"]);
});

test("where no decimals add up, that is said", () => {
  assert.equal(bars([1, 2], 4).text, "≈ 4.00");
});
