// The part that is pointed at: its name, range, shape and value.

import { element } from "../shared/elements.js";
import { biasesOf, childrenOf } from "../shared/equations/equations.js";
import { inLetters, letters, plainText, SOURCE_LETTERS } from "../shared/equations/letters.js";
import { shown } from "../shared/numbering.js";
import { short, written } from "../shared/numbers.js";
import { penOn } from "../shared/pens.js";
import { facts, tr, trN } from "../shared/words.js";
import { cellOfUnit, cellsOf, colourTables, isByUnit, sizeOf } from "./colours.js";
import { TIMES, timeText } from "./copy.js";
import { isSent } from "./data.js";
import { momentAt } from "./moments.js";
import { spokenGlyph, wordsOf } from "./words.js";

/** The weights that a box applies itself: those of its equation that have no box of their own. */
function weightsOf(inst, part) {
  const { data } = inst;
  const own = data.signals[part.value]?.tree ?? data.meta.drawn[part.value].tree;
  const boxes = new Set(inst.copies[0].parts.filter((p) => p.kind === "box").map((p) => p.value));
  const found = [];
  const visit = (node, top) => {
    if (!top && boxes.has(node.spelling)) return;
    if (node.kind === "affine" || node.kind === "diagonal") found.push(node);
    childrenOf(node).forEach((child) => visit(child, false));
  };
  if (data.signals[part.value] || boxes.has(part.value)) visit(own, true);
  return found;
}

function shapeWords(inst, node) {
  const { data, look } = inst;
  const { units } = data.meta;
  if (node.kind === "diagonal") return tr("{symbol}: {units}, one weight a unit", { symbol: `p_${node.rows}`, units });
  const sizes = node.inputs.map((input) => sizeOf(data, input));
  const total = sizes.reduce((a, b) => a + b, 0);
  const symbol = node.symbol ? `_${node.symbol}` : "";
  const biases = biasesOf(data.equations, node);
  const bias = biasWords(`b${symbol}`, biases.length, units, look);
  if (sizes.length > 1 && look.weights === "two") {
    return facts(...node.sources.map((source, k) => `W${symbol}^${SOURCE_LETTERS[source]}: ${units} × ${sizes[k]}`), bias);
  }
  const apart = sizes.length > 1 ? ` = ${units} × (${sizes.join(" + ")})` : "";
  return facts(`W${symbol}: ${units} × ${total}${apart}`, bias);
}

function biasWords(symbol, number, units, look) {
  if (!number) return tr("no bias");
  if (number === 1) return `${symbol}: ${units}`;
  return look.biases === "two"
    ? tr("{symbol}^ih and {symbol}^hh: {units} each", { symbol, units })
    : tr("{symbol}: {units}, the sum of two", { symbol, units });
}

function rangeWords(inst, value) {
  const { tree, low, high, most, state, scale } = inst.data.meta.drawn[value];
  if (tree.kind === "concatenation") return "";
  if (scale === "gate") return value === "x" ? tr("one 1, the rest 0") : tr("{low} to {high}", { low: 0, high: 1 });
  const free = state || most > high || !Number.isInteger(high);
  const end = short(high, 3);
  if (!free) return tr("{low} to {high}", { low: short(low, 3), high: end });
  return most > high ? tr("unbounded, colours to ±{end}, largest {most}", { end, most: short(most, 3) }) : tr("unbounded, colours to ±{end}", { end });
}

function sizeWords(inst, value) {
  const { tree } = inst.data.meta.drawn[value];
  const size = sizeOf(inst.data, tree);
  if (tree.kind === "concatenation") return tr("{parts} = {sum} numbers", { parts: tree.inputs.map((input) => sizeOf(inst.data, input)).join(" + "), sum: size });
  return isByUnit(inst.data, value) ? trN("{n} number, one a unit", "{n} numbers, one a unit", size) : trN("{n} number", "{n} numbers", size);
}

function partStep(inst) {
  return inst.cursor.step + (inst.part.offset ?? 0);
}

export function valueWords(inst, value, unit) {
  const { data } = inst;
  const step = partStep(inst);
  if (!isSent(data, step)) return "";
  const moment = momentAt(inst, step);
  const vector = moment.drawn(value);
  if (value === "x" && data.meta.input === "one-hot") return tr("the 1 is in cell {cell}: {character}", { cell: data.ids[step], character: spokenGlyph(inst, data.steps.read[step]) });
  const cell = cellOfUnit(data, value, unit);
  const own = cell < 0 ? "" : tr("unit {unit}: {value}", { unit: shown("unit", unit), value: written(vector[cell]) });
  return [own, isByUnit(data, value) && rangeOf(vector)].filter(Boolean).join("; ");
}

function rangeOf(vector) {
  const [least, most, mean] = [Math.min(...vector), Math.max(...vector), vector.reduce((a, b) => a + b, 0) / vector.length].map(written);
  return tr("all {size}: {least} to {most}, mean {mean}", { size: vector.length, least, most, mean });
}

/** The symbol that names a vector of the copy at the cursor; in a neighbour its time is another. */
function partLetters(inst) {
  const { tree } = inst.data.meta.drawn[inst.part.value];
  const offset = inst.part.offset ?? 0;
  const runs = letters(inst.data.equations, tree, inst.look);
  if (!offset) return runs;
  return runs.map((r) => {
    if (r.kind !== "sub" || !TIMES.includes(r.text)) return r;
    return { ...r, text: timeText((r.text === "t" ? 0 : -1) + offset) };
  });
}

export function writePart(inst) {
  const { el, data, part, cursor } = inst;
  const { tree } = data.meta.drawn[part.value];
  const weights = weightsOf(inst, part);
  el.partName.replaceChildren(...inLetters(partLetters(inst)));
  el.partWords.textContent = [wordsOf(data, tree), rangeWords(inst, part.value), sizeWords(inst, part.value)].filter(Boolean).join(" · ");
  el.partShape.textContent = weights.map((node) => shapeWords(inst, node)).join("; ");
  el.partValue.textContent = valueWords(inst, part.value, cursor.unit);
  Object.assign(el.part.dataset, { value: part.value });
  paintMagnified(inst);
}

export function partSentence(inst) {
  const { el, part } = inst;
  return [`${plainText(partLetters(inst))}: ${wordsOf(inst.data, inst.data.meta.drawn[part.value].tree)}`, rangeWords(inst, part.value), sizeWords(inst, part.value), el.partShape.textContent, el.partValue.textContent].filter(Boolean).join(". ") + ".";
}

/** The vector under the finger across the whole width, no cell pooled: here each unit can be pointed at. */
function paintMagnified(inst) {
  const { el, data, part, cursor, layout, theme } = inst;
  const step = partStep(inst);
  const pen = penOn(el.magnified, layout.wide, 30, inst.ratio);
  if (!isSent(data, step)) return;
  const { colours } = cellsOf(inst, momentAt(inst, step), part.value);
  const canvas = inst.scratch;
  [canvas.width, canvas.height] = [colours.length, 1];
  const context = canvas.getContext("2d");
  const image = context.createImageData(colours.length, 1);
  new Uint32Array(image.data.buffer).set(colours);
  context.putImageData(image, 0, 0);
  pen.image(canvas, 0, 5, layout.wide, 20);
  pen.rect(0.5, 5, layout.wide - 1, 20, { stroke: theme.quiet });
  const cell = cellOfUnit(data, part.value, cursor.unit);
  if (cell < 0) return;
  const wide = layout.wide / colours.length;
  pen.rect(cell * wide - 1.5, 3.5, wide + 3, 23, { stroke: theme.paper, line: 4, radius: 2 });
  pen.rect(cell * wide - 1.5, 3.5, wide + 3, 23, { stroke: theme.accent, line: 2, radius: 2 });
}

const highEnd = ({ high, most }) => (most > high ? tr("{high} (largest {most})", { high: short(high, 3), most: short(most, 3) }) : short(high, 3));

export function paintScales(inst) {
  const { el, data, look } = inst;
  const tables = colourTables(inst);
  const free = Object.values(data.meta.drawn).find(({ tree, state }) => state && tree.kind === "vector" && !tree.previous && tree.name === state);
  const tanh = look.state === "tanh";
  const scales = [[tr("gates"), "gate", "0", "1"], [tr("others"), "diverging", "−1", "1"]];
  if (free) scales.push([tanh ? `tanh ${data.signals[free.state].symbol}` : data.signals[free.state].symbol, "diverging", tanh ? "−1" : short(free.low, 3), tanh ? "1" : highEnd(free)]);
  const used = scales.filter(([, scale]) => scale !== "gate" || data.meta.signals.some((s) => data.meta.drawn[s.name].scale === "gate"));
  el.scales.replaceChildren(
    ...used.map(([name, scale, low, high]) => {
      const bar = element("canvas", { width: 64, height: 1, "aria-hidden": "true" });
      const context = bar.getContext("2d");
      const image = context.createImageData(64, 1);
      new Uint32Array(image.data.buffer).set(Array.from({ length: 64 }, (_, k) => tables[scale][Math.round((k / 63) * 511)]));
      context.putImageData(image, 0, 0);
      return element("span", { className: "scale" }, element("b", { textContent: name }), ` ${low} `, bar, ` ${high}`);
    }),
    el.squash,
  );
}
