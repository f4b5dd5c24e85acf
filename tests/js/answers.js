// Calls functions of numbers.js by their Python names. Run as a program: cases from the standard input, answers to the
// standard output, both JSON; tests/lstm_core/test_numbers.py compares them with Python's.

import { argv, stdin } from "node:process";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import * as numbers from "../../assets/shared/numbers.js";

/** @type {Record<string, any>} */
const functions = { ...numbers };

/** JSON has no NaN and no infinities: they are written as strings. @param {unknown} value @returns {unknown} */
const revived = (value) =>
  Array.isArray(value) ? value.map(revived) : typeof value === "string" && /^(NaN|-?Infinity)$/.test(value) ? Number(value) : value;

/** @param {string} name @param {unknown[]} given */
export const answer = (name, given) => functions[name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())](...given.map(revived));

if (argv[1] === fileURLToPath(import.meta.url)) {
  const cases = /** @type {[string, unknown[]][]} */ (await json(stdin));
  console.log(JSON.stringify(cases.map(([name, given]) => answer(name, given))));
}
