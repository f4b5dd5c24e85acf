// A page that reads what is typed into it: the weights stand in it, and nothing leaves it.

import { Filler } from "../gates/from_reading.js";
import { show } from "../gates/gates.js";
import { choice } from "../shared/elements.js";
import { differencesFrom } from "../shared/engine/differences.js";
import { Model } from "../shared/engine/model.js";
import { Reading } from "../shared/engine/reading.js";
import { readInFrames } from "../shared/frames.js";
import { count, short } from "../shared/numbers.js";
import { layersText, lengthText, unitsText } from "../shared/phrases.js";
import { arrayOf, bytesOf } from "../shared/stored.js";
import { textField } from "../shared/text_field.js";
import { tr } from "../shared/words.js";
import { Drawing, fillersOf } from "./drawing.js";

const HOLDS = 1e-4; // two runs in float32 drift apart on the way: tests/lstm_core/browser/test_engine.py holds the engine to this
const FEW = 100; // characters whose reading is not worth a remark

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
  return {
    filler,
    walk,
    drawings: fillersOf(filler.reading, drawings, picture.meta.colours),
    trace: { steps: judge.steps, values },
    view: { pin, serial: 1, order: "index", look: {}, lookSerial: 1 },
    frames: null,
  };
}

let chosen = 0;
const drawing = new Drawing({ title: places.cell, inside: places.inside, gates: places.gates }, (pin) => {
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
    readers[chosen]().frames?.stop();
    chosen = Number(select.value);
    take(typed);
  };
  field.aside.append(select);
}

/** Reads a text from the next frame on; the last good picture stays where there is nothing to read. */
function take(now) {
  typed = now;
  const reader = readers[chosen]();
  try {
    if (now === "") throw new RangeError(tr("The field is empty. The picture shows what was read last."));
    reader.filler.write(now);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    reader.frames?.stop();
    places.gates.classList.add("stale");
    field.say(error.message, now && "problem");
    return;
  }
  places.gates.classList.remove("stale");
  reader.frames ??= readInFrames(reader.filler.reading, () => paint(reader));
  reader.frames.start();
}

function paint(reader) {
  const data = reader.filler.data(reader.view);
  show({ data, parentElement: places.gates, setStateValue: (what, value) => void (what === "pin" && drawing.pinAt(value)) });
  drawing.take(reader, data);
  field.say(remark(reader));
}

/** What is known of the numbers that are shown. */
function remark({ filler, trace }) {
  const { done, steps } = filler.reading;
  if (done < steps) return steps > FEW ? tr("Reading: {done} of {all}", { done: count(done), all: lengthText(filler.described.meta.step, steps, count(steps)) }) : "";
  if (typed !== text) return tr("Read in this browser; not checked against torch.");
  return judged(filler, trace);
}

/** How far what was computed here is from torch's trace of the same text: short beside the field, all of it below. */
function judged({ reading, described }, trace) {
  const { model, steps } = reading;
  const found = differencesFrom(reading, trace);
  const most = Math.max(...Object.values(found));
  const all = lengthText(described.meta.step, steps, count(steps));
  const where = trace.steps.length < steps ? tr("{some} of {all}", { some: count(trace.steps.length), all }) : all;
  const each = described.tracks[0].signals.map(({ symbol, name, bounded }) => partOf(symbol, found[name], bounded));
  const told = { layers: layersText(model.layers.map((_, layer) => layer), model.layers.length), units: unitsText(model.units) };
  document.getElementById("judged").textContent = tr(
    "Computed in this browser, against torch’s trace of the first text, which stands in this file: {model}, {layers}, all {units}, at {where}. Largest differences: {each}, probabilities {probs}.",
    { model: model.name, layers: told.layers, units: told.units, where, each: each.join(", "), probs: short(found.probs) },
  );
  const difference = short(most);
  return most <= HOLDS
    ? tr("✓ Within {difference} of torch’s trace of this text (values over 1: of their size): all signals, all units, and the probabilities, at {where}.", { difference, where })
    : tr("✗ Do not trust this picture: {difference} from torch’s trace of this text, at {where}.", { difference, where });
}

/** A signal's difference; one without a range is compared relative to its size. */
function partOf(symbol, most, bounded) {
  const difference = short(most);
  return bounded ? tr("{symbol} {difference}", { symbol, difference }) : tr("{symbol} {difference} (of its size, where that is over 1)", { symbol, difference });
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (readers[chosen]().filler.reading.done) paint(readers[chosen]());
});

take(text);
