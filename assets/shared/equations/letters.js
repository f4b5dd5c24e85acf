/** Signals, weights and whole formulas in letters: as HTML and as plain text. */

import { element } from "../elements.js";
import { STANDALONE } from "../pens.js";
import { biasesOf } from "./equations.js";

/**
 * A run of text that is set alike; an accent stands above its letter.
 * @typedef {{ text: string, kind: "roman" | "sub" | "sup" | "letter", mark?: string, accent?: string }} Run
 */

/** @param {string} text @returns {Run[]} */
export const roman = (text) => [{ text, kind: "roman" }];
/** @param {string} text @returns {Run[]} */
const sub = (text) => [{ text, kind: "sub" }];
/** @param {string} text @returns {Run[]} */
const sup = (text) => [{ text, kind: "sup" }];

/** A symbol that may carry an accent. @param {string} symbol @returns {Run[]} */
export function letter(symbol) {
  const [base, accent] = symbol.normalize("NFD").split(/(?=\p{M}$)/u);
  return [{ text: base, kind: "letter", mark: accent ?? "", accent: accent && (STANDALONE[accent] ?? accent) }];
}

/** x, a signal, or a state before the step, with its time. @param {Equations} equations @param {string} name @param {boolean} [previous] @returns {Run[]} */
export function symbolOf(equations, name, previous = false) {
  const symbol = name === "x" ? "x" : equations.named[name].symbol;
  return [...letter(symbol), ...sub(previous ? "t−1" : "t")];
}

const separated = (/** @type {Run[][]} */ items) => items.flatMap((item, k) => (k ? [...roman(", "), ...item] : item));

/**
 * An expression in the essay's letters, as runs of text; inside: within another, so that a sum is put in brackets.
 * @param {Equations} equations @param {Expression} node @param {EquationLook} look @param {boolean} [inside] @returns {Run[]}
 */
export function letters(equations, node, look, inside = false) {
  const of = (/** @type {Expression} */ child, within = false) => letters(equations, child, look, within);
  const apart = (/** @type {Run[]} */ runs) => (inside ? [...roman("("), ...runs, ...roman(")")] : runs);
  switch (node.kind) {
    case "vector":
      return symbolOf(equations, node.name, node.previous);
    case "diagonal":
      return [...letter("p"), ...sub(node.rows)];
    case "affine":
      return apart(affineLetters(equations, node, look));
    case "apply":
      return [...roman(`${equations.functions[node.function].label}(`), ...of(node.argument), ...roman(")")];
    case "sum":
      return apart([...of(node.left), ...roman(" + "), ...of(node.right)]);
    case "product":
      return [...of(node.left, true), ...roman(" × "), ...of(node.right, true)];
    case "complement":
      return apart([...roman("1 − "), ...of(node.argument, true)]);
    default:
      return [...roman("["), ...separated(node.inputs.map((input) => of(input))), ...roman("]")];
  }
}

/** Whose weights they are, as it stands above W. @type {Record<string, string>} */
export const SOURCE_LETTERS = { ih: "x", hh: "h", ch: "C" };

/** @param {Equations} equations @param {AffineMap} node @param {EquationLook} look @returns {Run[]} */
function affineLetters(equations, node, look) {
  const W = (/** @type {Run[]} */ more = []) => [...letter("W"), ...sub(node.symbol), ...more];
  const many = node.inputs.length > 1;
  const inputs = node.inputs.map((input) => (input.kind === "vector" ? letters(equations, input, look) : [...roman("("), ...letters(equations, input, look), ...roman(")")]));
  /** @type {Run[]} */
  let runs;
  if (many && look.weights === "two") {
    const products = inputs.map((input, k) => [...W(sup(SOURCE_LETTERS[node.sources[k]])), ...roman(" "), ...input]);
    runs = products.flatMap((product, k) => (k ? [...roman(" + "), ...product] : product));
  } else if (many) {
    runs = [...W(), ...roman(" · ["), ...separated(node.inputs.map((input) => letters(equations, input, look))), ...roman("]")];
  } else runs = [...W(), ...roman(" "), ...inputs[0]];
  const biases = biasesOf(equations, node);
  if (!biases.length || look.biases === "within") return runs;
  const named = look.biases === "two" ? biases.map(({ source }) => sup(source)) : [[]];
  return [...runs, ...named.flatMap((name) => [...roman(" + "), ...letter("b"), ...sub(node.symbol), ...name])];
}

/** @param {Run[]} runs */
export function plainText(runs) {
  const text = runs.filter((run) => run.text).map(({ text, kind, mark }) => (kind === "sub" ? `_${text}` : kind === "sup" ? `^${text}` : text + (mark ?? "")));
  return text.join("");
}

/** The same as nodes of a document. @param {Run[]} runs @returns {Node[]} */
export function inLetters(runs) {
  return runs.filter(({ text }) => text).map(({ text, kind, accent }) => {
    if (kind === "sub" || kind === "sup") return element(kind, { textContent: text });
    if (kind === "roman") return document.createTextNode(text);
    const node = element("i", { textContent: text });
    if (accent) node.append(element("span", { className: "accent", textContent: accent }));
    return node;
  });
}
