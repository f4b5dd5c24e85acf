/**
 * Runs assets/gates/from_reading.js over cases that Python wrote: `node live_runner.js FOLDER`.
 *
 * FOLDER/cases.json lists, for each case, the model for the engine, the file of its weights, how it is drawn, and texts that are written one
 * after the other; `limits`: lists of values with their units, and rules; `glyphs`: characters and a table. Prints what the view would get
 * for the last text of each case, the limits, and the glyphs, as JSON.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Filler, firstLook } from "../../assets/gates/from_reading.js";
import { Model } from "../../assets/shared/engine/model.js";
import { Reading } from "../../assets/shared/engine/reading.js";
import { glyphOf } from "../../assets/shared/glyphs.js";
import { colourLimit } from "../../assets/shared/limits.js";

const folder = process.argv[2];

/** Typed arrays as lists, in which NaN is null. @param {string} _ @param {any} value */
const listed = (_, value) => (ArrayBuffer.isView(value) ? Array.from(/** @type {any} */ (value)) : value);

function filled({ meta, weights, described, texts }) {
  const filler = new Filler(new Reading(new Model(meta, new Uint8Array(readFileSync(join(folder, weights))))), described);
  for (const text of texts.slice(0, -1)) {
    filler.write(text);
    filler.reading.read({ until: Math.ceil(filler.reading.steps / 2) }); // half read, and looked at, before it is read to its end
    filler.data({});
    if (text.length % 2) filler.reading.read();
    filler.data({});
  }
  filler.write(texts.at(-1));
  filler.reading.read();
  const { meta: told, readers, tracks, heats, between, peaks, cap } = filler.data({});
  const numbers = heats.map(({ numbers, before, low, high, most }) => ({ numbers, before, low, high, most }));
  const described_ = tracks.map(({ heats: _, orders, ...rest }) => ({ ...rest, orders: { ...orders } }));
  const first = tracks.map(({ layer }) => firstLook(filler.reading, layer, described.rules.firstScreen));
  return { meta: told, first, readers, tracks: described_, heats: numbers, between, peaks, cap };
}

const { cases = [], limits = [], glyphs = null } = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
const answer = {
  cases: cases.map(filled),
  limits: limits.map(({ values, units, rules }) => colourLimit(Float32Array.from(values), units, rules)),
  glyphs: glyphs && glyphs.characters.map((character) => glyphOf(character, glyphs.table)),
};
process.stdout.write(JSON.stringify(answer, listed));
