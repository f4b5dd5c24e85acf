import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import ts from "typescript";

import { indexOf, shown } from "../../assets/shared/numbering.js";
import { tr, trN, use } from "../../assets/shared/words.js";

const ASSETS = new URL("../../assets/", import.meta.url);

/** Every module of the views, as [its name, its tree]. @returns {[string, ts.SourceFile][]} */
const modules = () =>
  readdirSync(ASSETS, { recursive: true, encoding: "utf-8" })
    .filter((name) => name.endsWith(".js"))
    .sort()
    .map((name) => [name, parsed(name, readFileSync(new URL(name, ASSETS), "utf-8"))]);

/** @param {string} name @param {string} source */
const parsed = (name, source) => ts.createSourceFile(name, source, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);

/** @param {ts.Node} node @param {(node: ts.Node) => void} visit */
function walk(node, visit) {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

/** @param {ts.SourceFile} tree @param {ts.Node} node */
const lineOf = (tree, node) => tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;

/** @param {ts.Node} node */
const called = (node) => (ts.isCallExpression(node) && ts.isIdentifier(node.expression) ? node.expression.text : "");

/** What is wrong with the calls of tr and trN: a message that is no literal, or values that are not those it has places for. @param {string} name @param {ts.SourceFile} tree */
function wrongCalls(name, tree) {
  /** @type {string[]} */
  const wrong = [];
  walk(tree, (node) => {
    if (!ts.isCallExpression(node) || !["tr", "trN"].includes(called(node)) || name === "shared/words.js") return;
    const forms = called(node) === "trN" ? 2 : 1;
    const where = `${name}:${lineOf(tree, node)}`;
    const messages = node.arguments.slice(0, forms);
    const literals = messages.flatMap((message) => (ts.isStringLiteralLike(message) ? [message.text] : []));
    if (literals.length < forms) return wrong.push(`${where}: no literal`);
    const values = node.arguments[forms === 2 ? 3 : 1];
    const given = new Set(forms === 2 ? ["n"] : []);
    if (values && !ts.isObjectLiteralExpression(values)) return wrong.push(`${where}: values are written where they are given`);
    if (values && ts.isObjectLiteralExpression(values)) for (const each of values.properties) given.add(/** @type {ts.Identifier} */ (each.name).text);
    const places = new Set(literals.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1])));
    if (forms === 2) places.add("n");
    if ([...given].sort().join() !== [...places].sort().join()) wrong.push(`${where}: places ${[...places]}, values ${[...given]}`);
  });
  return wrong;
}

test("each message is filled in by what it names", () => {
  assert.deepEqual(modules().flatMap(([name, tree]) => wrongCalls(name, tree)), []);
});

test("a fault in a call is found", () => {
  const source = 'tr("{a} of {b}", { a });\ntr(`${a}`);\ntrN("{n} step", "{n} steps", 3);\ntr("{a}", { a: 1 });\ntr("{a}", values);';
  assert.deepEqual(wrongCalls("file", parsed("file", source)).map((fault) => fault.split(":")[1]), ["1", "2", "5"]);
});

const SENTENCE = /[a-z]{2,} [a-z]{2,}/i;
const WORD = /[a-z]{2,}/i;
const PART = /^,? [a-z]|[a-z]{2,} $/i; // of a template: a word before or after what is filled in
const SHOWN = ["textContent", "title", "aria-label", "aria-valuetext", "placeholder"];
/** Which arguments of a call are shown. @type {Map<string, number[]>} */
const SAYS = new Map(Object.entries({ choice: [0], iconButton: [1], option: [1], text: [0], append: [0], element: [2, 3, 4, 5] }));

/** What holds words that nobody reads. */
const UNREAD = {
  names: ["className", "class", "transition"], // of properties and attributes: CSS
  calls: ["querySelector", "querySelectorAll", "closest", "toggle", "matchMedia"], // selectors and classes
  literals: [
    /\b(sans-)?serif\b|\bmonospace\b|^px $/, // fonts
    /^Page (Up|Down)$|^ \(Space\)$/, // keys
    /^tanh $/, // functions
    /^</, // SVG markup
    /^(PNG|SVG)$/, // formats
  ],
};

/** @param {ts.Node} node */
const nameOf = (node) => (ts.isIdentifier(node) || ts.isStringLiteralLike(node) ? node.text : ts.isPropertyAccessExpression(node) ? node.name.text : "");

/** The name under which a node's value is kept: of a variable's property, of an object's, or of an attribute that is set. @param {ts.Node} node */
function keptAs(node) {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent) && parent.initializer === node) return nameOf(parent.name);
  if (ts.isBinaryExpression(parent) && parent.right === node && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken) return nameOf(parent.left);
  if (ts.isCallExpression(parent) && nameOf(parent.expression) === "setAttribute" && parent.arguments[1] === node) return nameOf(parent.arguments[0]);
  return "";
}

/** Whether a value that is compared, or that names a property, stands here: it is not shown itself. @param {ts.Node} node */
const isKey = ({ parent }) => (ts.isBinaryExpression(parent) && /^[!=]=/.test(parent.operatorToken.getText())) || ts.isElementAccessExpression(parent);

/** Words that people would see, but that are not looked up. @param {string} name @param {ts.SourceFile} tree */
function plainWords(name, tree) {
  /** @type {string[]} */
  const found = [];
  /** @param {ts.Node} node @param {boolean} isShown */
  function look(node, isShown) {
    if (ts.isThrowStatement(node) || UNREAD.names.includes(keptAs(node)) || isKey(node)) return;
    const shows = isShown || SHOWN.includes(keptAs(node));
    const isPart = ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    const text = isPart || ts.isStringLiteralLike(node) ? node.text : "";
    const isRead = (shows ? WORD : SENTENCE).test(text) || (isPart && PART.test(text));
    if (isRead && !UNREAD.literals.some((pattern) => pattern.test(text))) found.push(`${name}:${lineOf(tree, node)}: ${text}`);
    if (!ts.isCallExpression(node)) return node.forEachChild((child) => look(child, shows));
    const call = nameOf(node.expression);
    if (UNREAD.calls.includes(call)) return;
    const said = ["tr", "trN"].includes(call) ? node.arguments.filter((given) => !ts.isStringLiteralLike(given)) : node.arguments;
    look(node.expression, false);
    said.forEach((given, place) => look(given, SHOWN.includes(keptAs(given)) || Boolean(SAYS.get(call)?.includes(place))));
  }
  tree.forEachChild((child) => look(child, false));
  return found;
}

test("words that people see are looked up", () => {
  assert.deepEqual(modules().flatMap(([name, tree]) => plainWords(name, tree)), []);
});

test("words that are not looked up are found", () => {
  const source = [
    'const told = "two words";',
    "el.unit.textContent = `unit ${unit}`;",
    'el.play.title = inst.playing ? "Pause" : tr("Play");',
    'el.play.setAttribute("aria-label", "Play");',
    'element("p", { textContent: "Nothing", className: "two classes" });',
    'pen.text(`${value} nats`, x, y);',
    'choice(tr("Speed"), [[2, `${speed} a second`], [1, "one at once"]]);',
    'tr("{n} of {all}", { n: word("of it"), all });',
    'throw new Error("no number is made of it");',
    'el.title = look.reading === "unit" ? tr("one unit") : shown("unit", 1);',
  ].join("\n");
  const lines = plainWords("file", parsed("file", source)).map((fault) => Number(fault.split(":")[1]));
  assert.deepEqual(lines, [1, 2, 3, 4, 5, 6, 7, 7, 8]);
});

test("a message is filled in, in English where there is no catalogue", () => {
  assert.equal(tr("{n} of {all} units", { n: 1, all: 2 }), "1 of 2 units");
  assert.equal(tr("Save"), "Save");
  assert.throws(() => tr("{n} of {all} units", { n: 1 }), /nothing was given for \{all\}/);
  assert.deepEqual([0, 1, 2].map((n) => trN("{n} step", "{n} steps", n)), ["0 steps", "1 step", "2 steps"]);
  assert.equal(trN("{n} step", "{n} steps", 1000, { n: "1 000" }), "1 000 steps");
});

test("a catalogue is used, and English where it lacks a message", () => {
  const polish = (/** @type {number} */ n) => (n === 1 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n < 10 || n > 20) ? 1 : 2);
  use({ messages: { Save: "Zapisz", "{n} step": ["{n} krok", "{n} kroki", "{n} kroków"] }, formOf: polish });
  try {
    assert.equal(tr("Save"), "Zapisz");
    assert.equal(tr("Pin"), "Pin");
    assert.deepEqual([1, 2, 5].map((n) => trN("{n} step", "{n} steps", n)), ["1 krok", "2 kroki", "5 kroków"]);
    assert.deepEqual([1, 5].map((n) => trN("{n} unit", "{n} units", n)), ["1 unit", "5 units"]);
  } finally {
    use();
  }
});

test("layers and characters count from 1, units from 0", () => {
  assert.deepEqual([shown("layer", 0), shown("character", 11), shown("unit", 235)], [1, 12, 235]);
  assert.deepEqual([indexOf("layer", 1), indexOf("unit", 235)], [0, 235]);
});
