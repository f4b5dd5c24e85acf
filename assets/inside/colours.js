// The colours of a vector's cells.

import { colourTable } from "../shared/colours.js";
import { clamp } from "../shared/numbers.js";

export function colourTables(inst) {
  const theme = inst.theme.dark ? "dark" : "light";
  if (inst.tables?.theme !== theme) {
    inst.tables = { theme };
    for (const scale in inst.data.meta.colours) inst.tables[scale] = colourTable(inst.data.meta.colours[scale][theme], 511);
  }
  return inst.tables;
}

/** A vector as colours, one a cell, and how far each value is from rest: what a pooled cell shows is the farthest. */
export function cellsOf(inst, moment, value) {
  const key = `${value}/${inst.theme.dark}/${inst.look.state}`;
  if (!moment.cells.has(key)) moment.cells.set(key, coloured(inst, moment, inst.data.meta.drawn[value].tree));
  return moment.cells.get(key);
}

function coloured(inst, moment, node) {
  if (node.kind === "concatenation") {
    const parts = node.inputs.map((input) => coloured(inst, moment, input));
    return { colours: parts.flatMap((p) => Array.from(p.colours)), far: parts.flatMap((p) => Array.from(p.far)) };
  }
  const { scale, low, high, rest, state } = inst.data.meta.drawn[node.spelling];
  const squash = state && inst.look.state === "tanh";
  const table = colourTables(inst)[scale];
  const vector = moment.vector(node);
  const [colours, far] = [new Uint32Array(vector.length), new Float32Array(vector.length)];
  for (let k = 0; k < vector.length; k++) {
    const share = squash ? (Math.tanh(vector[k]) + 1) / 2 : (vector[k] - low) / (high - low);
    colours[k] = table[(clamp(share, 0, 1) * 511 + 0.5) | 0];
    far[k] = Math.abs(vector[k] - rest);
  }
  return { colours, far };
}

/** The colours of a strip of so many cells; fewer than the vector has: the value farthest from rest stands for its neighbours. */
export function pooled({ colours, far }, bins) {
  const n = colours.length;
  if (bins >= n) return colours;
  const out = new Uint32Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    let best = Math.floor((bin * n) / bins);
    for (let k = best + 1, stop = Math.floor(((bin + 1) * n) / bins); k < stop; k++) if (far[k] > far[best]) best = k;
    out[bin] = colours[best];
  }
  return out;
}

export const hexOf = (pixel) => `#${[0, 8, 16].map((shift) => ((pixel >>> shift) & 255).toString(16).padStart(2, "0")).join("")}`;

/** True for a vector that has one number a unit; the input and concatenations are read as a whole, by every unit. */
export const isByUnit = (data, value) => !["concatenation"].includes(data.meta.drawn[value].tree.kind) && value !== "x";

/** Where a unit's own cell lies in a vector, counted from 0; -1 where there is none. */
export function cellOfUnit(data, value, unit) {
  const { tree } = data.meta.drawn[value];
  if (value === "x") return -1;
  if (tree.kind !== "concatenation") return unit;
  let before = 0;
  for (const input of tree.inputs) {
    if (input.spelling !== "x") return before + unit;
    before += sizeOf(data, input);
  }
  return -1;
}

export const sizeOf = (data, node) => (node.kind === "concatenation" ? node.inputs.reduce((sum, input) => sum + sizeOf(data, input), 0) : node.spelling === "x" ? data.meta.inputs : data.meta.units);
