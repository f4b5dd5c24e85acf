// Signals, weights and whole formulas in letters: as HTML, as plain text and in words.

import { element } from "../shared/elements.js";
import { shown } from "../shared/numbering.js";
import { STANDALONE } from "../shared/pens.js";
import { listed, tr } from "../shared/words.js";
import { biasesOf } from "./formulas.js";

export const roman = (text) => [{ text, kind: "roman" }];
const sub = (text) => [{ text, kind: "sub" }];
const sup = (text) => [{ text, kind: "sup" }];

export function letter(symbol) {
  const [base, accent] = symbol.normalize("NFD").split(/(?=\p{M}$)/u);
  return [{ text: base, kind: "letter", mark: accent ?? "", accent: accent && (STANDALONE[accent] ?? accent) }];
}

export function symbolOf(data, name, previous) {
  const symbol = name === "x" ? "x" : data.signals[name].symbol;
  return [...letter(symbol), ...sub(previous ? "t−1" : "t")];
}

const separated = (items) => items.flatMap((item, k) => (k ? [...roman(", "), ...item] : item));

/** An expression in the essay's letters, as runs of text. */
export function letters(data, node, look, inside = false) {
  const of = (child, within = false) => letters(data, child, look, within);
  const apart = (runs) => (inside ? [...roman("("), ...runs, ...roman(")")] : runs);
  switch (node.kind) {
    case "vector":
      return symbolOf(data, node.name, node.previous);
    case "diagonal":
      return [...letter("p"), ...sub(node.rows)];
    case "affine":
      return apart(affineLetters(data, node, look));
    case "apply":
      return [...roman(`${data.functions[node.function].label}(`), ...of(node.argument), ...roman(")")];
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

export const SOURCE_LETTERS = { ih: "x", hh: "h", ch: "C" };

function affineLetters(data, node, look) {
  const W = (more = []) => [...letter("W"), ...sub(node.symbol), ...more];
  const many = node.inputs.length > 1;
  const inputs = node.inputs.map((input) => (input.kind === "vector" ? letters(data, input, look) : [...roman("("), ...letters(data, input, look), ...roman(")")]));
  let runs;
  if (many && look.weights === "two") {
    const products = inputs.map((input, k) => [...W(sup(SOURCE_LETTERS[node.sources[k]])), ...roman(" "), ...input]);
    runs = products.flatMap((product, k) => (k ? [...roman(" + "), ...product] : product));
  } else if (many) {
    runs = [...W(), ...roman(" · ["), ...separated(node.inputs.map((input) => letters(data, input, look))), ...roman("]")];
  } else runs = [...W(), ...roman(" "), ...inputs[0]];
  const biases = biasesOf(data, node);
  if (!biases.length || look.biases === "within") return runs;
  const named = look.biases === "two" ? biases.map(({ source }) => sup(source)) : [[]];
  return [...runs, ...named.flatMap((name) => [...roman(" + "), ...letter("b"), ...sub(node.symbol), ...name])];
}

export function plainText(runs) {
  const text = runs.map(({ text, kind, mark }) => (text ? { sub: `_${text}`, sup: `^${text}` }[kind] ?? text + (mark ?? "") : ""));
  return text.join("");
}

export function inLetters(runs) {
  return runs.filter(({ text }) => text).map(({ text, kind, accent }) => {
    if (kind === "sub" || kind === "sup") return element(kind, { textContent: text });
    if (kind === "roman") return document.createTextNode(text);
    const node = element("i", { textContent: text });
    if (accent) node.append(element("span", { className: "accent", textContent: accent }));
    return node;
  });
}

/** What x is: of the first layer the character, of others what the layer below gives. */
function inputWords({ input, layer }) {
  if (input === "hidden") return tr("h of layer {layer}", { layer: shown("layer", layer - 1) });
  return input === "one-hot" ? tr("the character, one-hot") : tr("the character’s embedding");
}

/** What a vector of the drawing is, in words. */
export function wordsOf(data, node) {
  const of = (child) => wordsOf(data, child);
  switch (node.kind) {
    case "vector": {
      if (node.name === "x") return inputWords(data.meta);
      const { title } = data.signals[node.name];
      return node.previous ? tr("{signal} of the step before", { signal: title }) : title;
    }
    case "diagonal":
      return tr("one weight a unit");
    case "affine":
      return tr("weighted sum of {inputs}", { inputs: listed(node.inputs.map(of)) });
    case "apply":
      return tr("{name} of the {argument}", { name: data.functions[node.function].label, argument: of(node.argument) });
    case "sum":
      return tr("{left} plus {right}", { left: of(node.left), right: of(node.right) });
    case "product":
      return tr("{left} times {right}", { left: of(node.left), right: of(node.right) });
    case "complement":
      return tr("1 minus the {argument}", { argument: of(node.argument) });
    default:
      return tr("{inputs}, put end to end", { inputs: listed(node.inputs.map(of)) });
  }
}
