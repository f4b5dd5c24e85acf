/** One unit's equation in numbers, with as few decimals as it takes for them to add up. No document. */

import { addingUp, agrees, DECIMALS, fixed, MOST_DECIMALS, precisions, rounded, written } from "../numbers.js";
import { tr } from "../words.js";

/**
 * An expression of numbers. shares: the summands of a number that is a sum.
 * @typedef {{ kind: "number", value: number, shares: number[] | null }
 *   | { kind: "apply", function: Squashing, argument: Numbers }
 *   | { kind: "complement", argument: Numbers }
 *   | { kind: "sum" | "product", left: Numbers, right: Numbers }} Numbers
 */

/**
 * The same expression with this unit's numbers for leaves; an affine map is one number that knows its shares.
 * @param {EquationMoment} moment @param {Expression} node @param {number} unit @param {EquationLook} look @returns {Numbers}
 */
function putIn(moment, node, unit, look) {
  const of = (/** @type {Expression} */ child) => putIn(moment, child, unit, look);
  switch (node.kind) {
    case "vector":
      return { kind: "number", value: moment.held(node)[unit], shares: null };
    case "diagonal":
      return { kind: "number", value: moment.diagonal(node)[unit], shares: null };
    case "affine": {
      const shares = grouped(moment.shares(node, unit), look);
      return { kind: "number", value: shares.reduce((a, b) => a + b, 0), shares: shares.length > 1 ? shares : null };
    }
    case "apply":
      return { kind: "apply", function: moment.equations.functions[node.function], argument: of(node.argument) };
    case "complement":
      return { kind: "complement", argument: of(node.argument) };
    case "concatenation":
      throw new Error("vectors that are put end to end are no number of one unit");
    default:
      return { kind: node.kind, left: of(node.left), right: of(node.right) };
  }
}

/**
 * The shares of a pre-activation as the switches group them: one W or two, the biases within, as one, or as two.
 * @param {Share[]} shares @param {EquationLook} look
 */
function grouped(shares, look) {
  const sum = (/** @type {Share[]} */ some) => some.reduce((total, { value }) => total + value, 0);
  const [read, biases] = [shares.filter((s) => s.node), shares.filter((s) => s.bias)];
  const own = (/** @type {Share} */ share) => share.value + (look.biases === "within" ? sum(biases.filter((b) => b.source === share.source)) : 0);
  const products = read.map(own);
  const left = look.weights === "two" ? products : [products.reduce((a, b) => a + b, 0)];
  if (look.biases === "within" || !biases.length) return left;
  return left.concat(look.biases === "two" ? biases.map(({ value }) => value) : [sum(biases)]);
}

/**
 * An expression of numbers, evaluated; with decimals, from the numbers as they are written, and with shares, from the summands as they are.
 * @param {Numbers} tree @param {number | null} [decimals] @param {number | null} [shares] @returns {number}
 */
function evaluated(tree, decimals = null, shares = null) {
  const of = (/** @type {Numbers} */ child) => evaluated(child, decimals, shares);
  switch (tree.kind) {
    case "number":
      if (tree.shares && shares !== null) return sumOf(tree.shares, shares);
      return decimals === null ? tree.value : rounded(tree.value, decimals);
    case "apply":
      return tree.function.of(of(tree.argument));
    case "sum":
      return of(tree.left) + of(tree.right);
    case "product":
      return of(tree.left) * of(tree.right);
    case "complement":
      return 1 - of(tree.argument);
  }
}

/** What summands give, as they are written. @param {number[]} shares @param {number} decimals */
const sumOf = (shares, decimals) => shares.reduce((sum, share) => sum + rounded(share, decimals), 0);

const guarded = (/** @type {string} */ text) => (text.startsWith("−") ? `(${text})` : text);

/**
 * An expression of numbers as it is written; shares: the decimals of the summands that stand for a sum, or null.
 * @param {Numbers} tree @param {number} decimals @param {number | null} [shares] @param {boolean} [inside] @returns {string}
 */
function numbersText(tree, decimals, shares = null, inside = false) {
  const of = (/** @type {Numbers} */ child, within = false) => guarded(numbersText(child, decimals, shares, within));
  switch (tree.kind) {
    case "number": {
      if (!tree.shares || shares === null) return fixed(tree.value, decimals);
      const text = tree.shares.map((value, k) => (k ? guarded(fixed(value, shares)) : fixed(value, shares))).join(" + ");
      return inside ? `(${text})` : text;
    }
    case "apply":
      return `${tree.function.label}(${numbersText(tree.argument, decimals, shares)})`;
    case "sum": {
      const text = `${numbersText(tree.left, decimals, shares)} + ${of(tree.right)}`;
      return inside ? `(${text})` : text;
    }
    case "product":
      return `${of(tree.left, true)} × ${of(tree.right, true)}`;
    default: {
      const text = `1 − ${of(tree.argument, true)}`;
      return inside ? `(${text})` : text;
    }
  }
}

/**
 * The fewest decimals, `least` or more, with which what is written gives `value` as it is written with `digits`; or -1.
 * @param {number} least @param {number} digits @param {number} value @param {(decimals: number) => number} evaluate
 */
function finest(least, digits, value, evaluate) {
  for (let decimals = least; decimals <= MOST_DECIMALS + 2; decimals++) if (agrees(evaluate(decimals), value, digits)) return decimals;
  return -1;
}

/** The sums in an expression, each with its summands. @param {Numbers} tree @returns {{ value: number, shares: number[] }[]} */
function sumsIn(tree) {
  if (tree.kind === "number") return tree.shares ? [{ value: tree.value, shares: tree.shares }] : [];
  return "argument" in tree ? sumsIn(tree.argument) : [...sumsIn(tree.left), ...sumsIn(tree.right)];
}

/** The decimals that all shares of all sums need, so that each sum is what is written for it with `decimals`. @param {Numbers} tree @param {number} decimals */
function sharesDecimals(tree, decimals) {
  const sums = sumsIn(tree);
  for (let fine = decimals; fine <= MOST_DECIMALS + 2; fine++) {
    if (sums.every(({ value, shares }) => agrees(sumOf(shares, fine), value, decimals))) return fine;
  }
  return -1;
}

/**
 * A signal of one unit as a chain of equal expressions, from its shares to its value: each = holds for what is written.
 * Throws an Error where the signal's value is not what the weights give, and nothing is held: then the values are of another model.
 * @param {EquationMoment} moment @param {EquationSignal} signal @param {number} unit @param {EquationLook} look
 */
export function chainOf(moment, signal, unit, look) {
  const value = moment.held({ name: signal.name })[unit];
  const tree = putIn(moment, signal.tree, unit, look);
  const computed = evaluated(tree);
  if (Math.abs(computed - value) > 1e-3 * Math.max(1, Math.abs(value))) return heldAt(moment, signal, value, computed);
  const outer = tree.kind === "apply" ? tree : null;
  for (const [digits, more] of precisions()) {
    const whole = outer ? outer.function.of(rounded(evaluated(outer.argument), more)) : evaluated(tree, more);
    if (!agrees(whole, value, digits)) continue;
    const operands = outer ? finest(more, more, evaluated(outer.argument), (d) => evaluated(outer.argument, d)) : more;
    const shares = operands < 0 ? -1 : sharesDecimals(tree, operands);
    if (shares < 0) continue;
    // Each link may be right by itself, and two roundings after one another too much.
    if (![evaluated(tree, operands), evaluated(tree, operands, shares)].every((found) => agrees(found, value, digits))) continue;
    const links = [];
    if (sumsIn(tree).length) links.push(numbersText(tree, operands, shares));
    if (!outer || outer.argument.kind !== "number") links.push(numbersText(tree, operands));
    if (outer) links.push(`${outer.function.label}(${fixed(evaluated(outer.argument), more)})`);
    return { value, text: `${[...links, fixed(value, digits)].join(" = ")}` };
  }
  return { value, text: `${numbersText(tree, DECIMALS)} ≈ ${fixed(value, DECIMALS)}` }; // too large for float32 to hold its decimals
}

/** Where something is clamped, a signal may be held at another value than its equation gives. @param {EquationMoment} moment @param {EquationSignal} signal @param {number} value @param {number} computed */
function heldAt(moment, signal, value, computed) {
  if (!moment.values.isClamped) throw new Error(`The trace shows ${signal.name} = ${value}, but the weights give ${computed}: it is another model's.`);
  return { value, text: tr("{value}, held; by itself it would be {computed}", { value: written(value), computed: written(computed) }) };
}

/** A state as the sum of what was kept and what was written, in numbers that add up. @param {EquationMoment} moment @param {EquationSignal} signal @param {number} unit */
export function barsOf(moment, signal, unit) {
  const parts = signal.terms.map((term) => ({ ...term, value: moment.vector(term.tree)[unit] }));
  parts.sort((a, b) => Number(b.kept) - Number(a.kept));
  const value = moment.held({ name: signal.name })[unit];
  const found = addingUp(parts.map((part) => part.value), value);
  const [texts, total] = found ?? [parts.map((part) => fixed(part.value, DECIMALS)), `≈ ${fixed(value, DECIMALS)}`];
  return { parts: parts.map((part, k) => ({ ...part, text: texts[k] })), value, text: total };
}
