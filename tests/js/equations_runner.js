/**
 * Writes the equations of units, once from what Python sends to the drawing and once from the engine's reading: `node equations_runner.js FOLDER`.
 *
 * FOLDER/cases.json lists, for each case, the model for the engine, the file of its weights, its equations, a layer, what the drawing of it gets
 * for a text (`meta`, and tables of columns in base64), the text, what is held, and places: [step, unit, look]. Prints for each case and
 * place, as JSON, the chains and bars of all signals: [from the trace, from the reading].
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { stepAt, unpack } from "../../assets/inside/data.js";
import { Model } from "../../assets/shared/engine/model.js";
import { Reading } from "../../assets/shared/engine/reading.js";
import { equationsOf, statesWritten } from "../../assets/shared/equations/equations.js";
import { stepOf } from "../../assets/shared/equations/from_reading.js";
import { Moment } from "../../assets/shared/equations/moment.js";
import { barsOf, chainOf } from "../../assets/shared/equations/unit_numbers.js";
import { tableOf } from "../../assets/shared/tables.js";

const folder = process.argv[2];

/** @param {EquationMoment} moment @param {number} unit @param {EquationLook} look */
function written(moment, unit, look) {
  const { equations } = moment;
  const chains = Object.fromEntries(equations.signals.map((signal) => [signal.name, chainOf(moment, signal, unit, look)]));
  const bars = Object.fromEntries(
    statesWritten(equations).map((signal) => {
      const { parts, text } = barsOf(moment, signal, unit);
      return [signal.name, [...parts.map((part) => part.text), text]];
    }),
  );
  return { chains, bars };
}

function both({ meta, weights, equations, layer, drawn, text, clamps, places }) {
  const reading = new Reading(new Model(meta, new Uint8Array(readFileSync(join(folder, weights)))), { clamps });
  reading.write(text);
  reading.read();
  const tables = Object.fromEntries(Object.entries(drawn.tables).map(([name, columns]) => [name, tableOf(columns)]));
  const sent = unpack({ ...tables, meta: drawn.meta, view: {} });
  const known = equationsOf(equations);
  return places.map(([step, unit, look]) => [
    written(new Moment(sent.equations, stepAt(sent, step)), unit, look),
    written(new Moment(known, stepOf(reading, layer, step)), unit, look),
  ]);
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")).map(both)));
