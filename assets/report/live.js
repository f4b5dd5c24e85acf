// A page that reads what is typed into it: the weights stand in it, and nothing leaves it.

import { Filler } from "../gates/from_reading.js";
import { show } from "../gates/gates.js";
import { choice } from "../shared/elements.js";
import { Model } from "../shared/engine/model.js";
import { Reading } from "../shared/engine/reading.js";
import { readInFrames } from "../shared/frames.js";
import { judged } from "../shared/judged.js";
import { layersText, unitsText } from "../shared/phrases.js";
import { arrayOf, bytesOf } from "../shared/stored.js";
import { textField } from "../shared/text_field.js";
import { progressText, readTyped } from "../shared/typed.js";
import { tr } from "../shared/words.js";
import { Drawing, fillersOf } from "./drawing.js";

const { text, models } = JSON.parse(document.getElementById("data-live").textContent);
const places = Object.fromEntries(["field", "gates", "cell", "inside"].map((name) => [name, document.getElementById(name)]));

/** What stands in the page for each model becomes a model that reads, when it is first asked for. */
const readers = models.map((sent) => {
  let made = null;
  return () => (made ??= readerOf(sent));
});

function readerOf({ engine, weights, picture, drawings, walk, judge, pin }) {
  const filler = new Filler(new Reading(new Model(engine, bytesOf(weights))), picture);
  const values = Object.fromEntries(judge.values.map((column) => [column.name, arrayOf(column)]));
  const reader = {
    filler,
    walk,
    drawings: fillersOf(filler.reading, drawings, picture.meta.colours),
    trace: { steps: judge.steps, values },
    view: { pin, serial: 1, order: "index", look: {}, lookSerial: 1 },
    frames: readInFrames(filler.reading, () => paint(reader)),
  };
  return reader;
}

let chosen = 0;
const drawing = new Drawing({ title: places.cell, inside: places.inside }, (pin) => {
  const reader = readers[chosen]();
  reader.view = { ...reader.view, pin, serial: reader.view.serial + 1 };
  paint(reader);
});
let typed = text; // the browser's field may write line breaks in its own way: the first text is read as it was sent
const field = textField({ label: tr("Text"), text, onText: (now) => take(now) });
places.field.append(field.root);
if (models.length > 1) {
  const select = choice(tr("Model"), models.map(({ engine }, k) => [k, engine.name]));
  select.onchange = () => {
    readers[chosen]().frames.stop();
    chosen = Number(select.value);
    take(typed);
  };
  field.aside.append(select);
}

/** Reads a text from the next frame on; the last good picture stays where there is nothing to read. */
function take(now) {
  typed = now;
  const { filler, frames } = readers[chosen]();
  readTyped(now, { write: (text) => filler.write(text), frames, field, places: [places.gates, places.inside] });
}

function paint(reader) {
  const data = reader.filler.data(reader.view);
  const setStateValue = (what, value) => void (what === "pin" && drawing.pinAt(value));
  show({ data, parentElement: places.gates, setStateValue }, (cursor) => drawing.follow(cursor));
  drawing.take(reader, data);
  field.say(remark(reader));
}

/** What is known of the numbers that are shown. */
function remark({ filler, trace }) {
  const { done, steps } = filler.reading;
  if (done < steps) return progressText(filler.reading, filler.described.meta.step);
  if (typed !== text) return tr("Read in this browser; not checked against torch.");
  return compared(filler, trace);
}

/** How far what was computed here is from torch's trace of the same text: short beside the field, all of it below. */
function compared({ reading, described }, trace) {
  const { model } = reading;
  const { line, where, each, probs } = judged(reading, described, trace);
  const layers = layersText(model.layers.map((_, layer) => layer), model.layers.length);
  document.getElementById("judged").textContent = tr(
    "Computed in this browser, against torch’s trace of the first text, which stands in this file: {model}, {layers}, all {units}, at {where}. Largest differences: {each}, probabilities {probs}.",
    { model: model.name, layers, units: unitsText(model.units), where, each, probs },
  );
  return line;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (readers[chosen]().filler.reading.done) paint(readers[chosen]());
});

take(text);
