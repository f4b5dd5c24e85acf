import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as numbers from "../../assets/shared/numbers.js";
import { answer } from "./answers.js";

const cases = JSON.parse(readFileSync(new URL("../cases/numbers.json", import.meta.url), "utf8"));

for (const [name, given, expected] of cases) {
  test(`${name}(${JSON.stringify(given).slice(1, -1)}) is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(answer(name, given), expected);
  });
}

test("a size is written from its logarithm, within what a float holds and beyond", () => {
  const texts = [-Infinity, -400.5, -320, -5, -1, Math.log10(3.4), 4.5, 305.3, 400.9999, Infinity, NaN].map((log) => numbers.shortOfLog(log));
  assert.deepEqual(texts, ["0", "3.2·10⁻⁴⁰¹", "1.0·10⁻³²⁰", "1.0·10⁻⁵", "0.1", "3.4", "31,623", "2.0·10³⁰⁵", "1.0·10⁴⁰¹", "∞", "–"]);
});

test("a number is clamped between two ends", () => {
  assert.deepEqual([-1, 0.5, 2].map((value) => numbers.clamp(value, 0, 1)), [0, 0.5, 1]);
});
