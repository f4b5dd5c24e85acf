/** A cell's equations as expression trees: lstm_core/browser/equations.py sends them, whatever trace or engine fills them with numbers. No document. */

import { clamp } from "../numbers.js";

/** @type {Record<string, (z: number) => number>} */
const CURVES = { sigmoid: (z) => 0.5 + 0.5 * Math.tanh(0.5 * z), tanh: Math.tanh };

/**
 * The equations of a cell, from what Python says of it.
 * @param {{ signals: EquationSignal[], rows: Record<string, string[]>, biases: string[], functions: Record<string, SentFunction> }} described
 * @returns {Equations}
 */
export function equationsOf({ signals, rows, biases, functions }) {
  return {
    signals,
    rows,
    biases,
    named: Object.fromEntries(signals.map((signal) => [signal.name, signal])),
    functions: Object.fromEntries(Object.entries(functions).map(([name, given]) => [name, squashing(name, given)])),
  };
}

/** A squashing function: a straight line that is cut off says so itself, the curves are known here. @param {string} name @param {SentFunction} given */
function squashing(name, { label, line, range }) {
  const [low, high] = [range[0] ?? -Infinity, range[1] ?? Infinity];
  const of = line ? (/** @type {number} */ z) => clamp(line[0] * z + line[1], low, high) : CURVES[name];
  if (!of) throw new Error(`The equations know no function “${name}”; they know ${Object.keys(CURVES).join(", ")} and straight lines.`);
  return { label, of };
}

/** The biases of an affine map: their names, their sources, and which block of each is added. @param {Equations} equations @param {AffineMap} affine */
export function biasesOf({ biases, rows }, affine) {
  return biases
    .map((name) => ({ name, source: name.slice("bias_".length) }))
    .filter(({ source }) => affine.sources.includes(source))
    .map((bias) => ({ ...bias, block: rows[bias.source].indexOf(affine.rows) }));
}

/** What an expression is made of. @param {Expression} node @returns {Expression[]} */
export function childrenOf(node) {
  if ("inputs" in node) return node.inputs;
  if ("argument" in node) return [node.argument];
  return "left" in node ? [node.left, node.right] : [];
}

/** Every node of an expression, outermost first. @param {Expression} node @returns {Generator<Expression>} */
export function* walkTree(node) {
  yield node;
  for (const child of childrenOf(node)) yield* walkTree(child);
}

/** The signals that are what was kept and what was written: a sum in which the state before has a part. @param {Equations} equations */
export const statesWritten = ({ signals }) => signals.filter(({ terms }) => terms.length > 1 && terms.some((term) => term.kept));
