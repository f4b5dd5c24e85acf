/**
 * Fills the drawing from the engine's reading, and compares it with what Python sends of a trace: `node drawing_runner.js FOLDER`.
 *
 * FOLDER/cases.json lists, for each case, the model for the engine, the file of its weights, how the heatmaps and the drawing are described,
 * what the drawing gets of the trace (`meta`, and tables of columns in base64), and texts that are written one after the other. Prints for
 * each case, as JSON: the largest differences of numbers, the limits of colours both ways, and what else differs, by name.
 */

import { deepStrictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Filler } from "../../assets/gates/from_reading.js";
import { rowOf, stepAt, unpack } from "../../assets/inside/data.js";
import { DrawingFiller, textOf } from "../../assets/inside/from_reading.js";
import { Model } from "../../assets/shared/engine/model.js";
import { Reading } from "../../assets/shared/engine/reading.js";
import { tableOf } from "../../assets/shared/tables.js";

const folder = process.argv[2];

/** @param {ArrayLike<number>} found @param {ArrayLike<number>} wanted */
function largest(found, wanted) {
  if (found.length !== wanted.length) throw new Error(`${found.length} values instead of ${wanted.length}`);
  let most = 0;
  for (let k = 0; k < wanted.length; k++) {
    if (Number.isNaN(found[k]) !== Number.isNaN(wanted[k])) return Infinity;
    most = Math.max(most, Math.abs(found[k] - wanted[k]) / Math.max(1, Math.abs(wanted[k])) || 0);
  }
  return most;
}

const limitsOf = (drawn) => Object.fromEntries(Object.entries(drawn).map(([spelling, { low, high, most }]) => [spelling, [low, high, most]]));
const withoutLimits = (drawn) => Object.entries(drawn).map(([spelling, { low: _, high: __, most: ___, ...rest }]) => [spelling, rest]);
const plain = (value) => JSON.parse(JSON.stringify(value));

function compared({ meta, weights, described, drawing, sent, texts }) {
  const filler = new Filler(new Reading(new Model(meta, new Uint8Array(readFileSync(join(folder, weights))))), described);
  const drawn = new DrawingFiller(filler.reading, drawing);
  for (const text of texts.slice(0, -1)) {
    filler.write(text);
    filler.reading.read({ until: Math.ceil(filler.reading.steps / 2) }); // half read, and looked at, before it is read to its end
    limitsOf(drawn.data(textOf(filler.data({})), {}).meta.drawn);
    if (text.length % 2) filler.reading.read();
    limitsOf(drawn.data(textOf(filler.data({})), {}).meta.drawn);
  }
  filler.write(texts.at(-1));
  filler.reading.read();
  const found = drawn.data(textOf(filler.data({})), {});
  const tables = Object.fromEntries(Object.entries(sent.tables).map(([name, columns]) => [name, tableOf(columns)]));
  const wanted = unpack({ ...tables, meta: sent.meta, view: {} });
  const { steps } = wanted.meta;

  /** @type {Record<string, number>} */
  const differences = {};
  for (const name of Object.keys(wanted.values)) differences[name] = largest(found.values[name], wanted.values[name]);
  for (const name of Object.keys(wanted.before)) differences[`${name} before`] = largest(rowOf(found, name, -1), rowOf(wanted, name, -1));
  differences.x = Math.max(...Array.from({ length: steps }, (_, step) => largest(stepAt(found, step).input(), stepAt(wanted, step).input())));
  differences.weights = Math.max(...Object.keys(wanted.weights).map((name) => largest(found.weights[name], wanted.weights[name])));
  differences.surprise = largest(found.steps.surprise, wanted.steps.surprise);
  for (const rank of wanted.ranks) differences[`chance${rank}`] = largest(found.steps[`chance${rank}`], wanted.steps[`chance${rank}`]) / 65535;

  const { glyphs: _, rest: __, drawn: own, rules: ___, ...told } = found.meta;
  const { glyphs: ____, rest: _____, drawn: theirs, parameters: ______, rules: _______, ...asked } = wanted.meta;
  const glyphs = (data, name) => Array.from(data.steps[name], (place) => data.meta.glyphs[place]);
  const both = {
    meta: [told, asked],
    drawn: [withoutLimits(own), withoutLimits(theirs)],
    ids: [Array.from(found.ids), Array.from(wanted.ids)],
    ranks: [found.ranks, wanted.ranks],
    rest: [found.meta.rest < 0, wanted.meta.rest < 0],
    weights: [Object.keys(found.weights).sort(), Object.keys(wanted.weights).sort()],
    ...Object.fromEntries(["typed", "read", "next0"].map((name) => [name, [glyphs(found, name), glyphs(wanted, name)]])),
  };
  const different = Object.keys(both).filter((name) => {
    try {
      deepStrictEqual(plain(both[name][0]), plain(both[name][1]));
      return false;
    } catch {
      return true;
    }
  });
  return { differences, different, limits: [limitsOf(own), limitsOf(theirs)] };
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")).map(compared)));
