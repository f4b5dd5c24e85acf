/**
 * What the view paints from, filled by the browser's engine instead of by Python: the same object that `unpack` of data.js makes of a
 * trace. The rules are those of lstm_core/browser/gates.py, which sends what they need (lstm_core/browser/live.py). No document.
 *
 *     const filler = new Filler(new Reading(model), described);
 *     filler.write("To be");
 *     filler.reading.read();
 *     show({ data: filler.data(view), parentElement, setStateValue });
 *
 * After an edit what comes before it is kept, here as in the reading.
 */

import { surpriseLimit } from "../shared/geometry.js";
import { glyphOf } from "../shared/glyphs.js";
import { colourLimit } from "../shared/limits.js";
import { GAP } from "./data.js";

const SHARES = 65535; // a probability travels as so many steps

/** One heatmap's numbers, which grow with the text: uint16 levels of the declared range, or float32 where there is none. */
class Numbers {
  /** @param {any} signal @param {number} levels */
  constructor({ bounded, limits }, levels) {
    this.low = bounded ? limits[0] : 0;
    this.scale = bounded ? levels / (limits[1] - limits[0]) : 0;
    this.levels = levels;
    this.kept = bounded ? new Uint16Array(0) : new Float32Array(0);
  }

  /** @param {Float32Array} values of all steps @param {number} from the first that is new */
  fill(values, from) {
    if (values.length > this.kept.length) {
      const grown = this.scale ? new Uint16Array(2 * values.length) : new Float32Array(2 * values.length);
      grown.set(this.kept.subarray(0, from));
      this.kept = grown;
    }
    this.write(this.kept, values, from);
    return this.kept.subarray(0, values.length);
  }

  /** @param {Uint16Array | Float32Array} out @param {Float32Array} values @param {number} from */
  write(out, values, from) {
    const { low, scale, levels } = this;
    if (!scale) return out.set(values.subarray(from), from);
    for (let k = from; k < values.length; k++) {
      const level = (values[k] - low) * scale + 0.5;
      out[k] = level < 0 ? 0 : level > levels ? levels : level;
    }
  }
}

/** What a reading says, as the view wants it. */
export class Filler {
  /** @param {EngineReading} reading @param {any} described what lstm_core/browser/live.py says of the model's picture */
  constructor(reading, described) {
    this.reading = reading;
    this.described = described;
    this.filled = 0; // so many steps of what is kept below are the reading's
    /** @type {Map<string, number>} */
    this.places = new Map(); // of a character among the glyphs
    /** @type {string[][]} */
    this.glyphs = [];
    const { likeliest } = described.rules;
    this.ranks = Array.from({ length: Math.min(likeliest, reading.model.vocabulary.size) }, (_, rank) => rank);
    this.best = new Uint16Array(0); // for each step the ids of the likeliest characters, the likeliest first
    this.numbers = described.tracks.map((track) => track.signals.map((signal) => new Numbers(signal, described.meta.levels)));
    /** What a text that is half read keeps from the one before: limits of colours, orders. @type {any[]} */
    this.whole = described.tracks.map(() => null);
    this.takeText();
  }

  /** Puts another text in the place of the one that stands here: as `Reading.write`. @param {string} text */
  write(text) {
    const first = this.reading.write(text);
    this.filled = Math.min(this.filled, first);
    this.takeText();
    return first;
  }

  takeText() {
    const { chars, readAs } = this.reading;
    this.typed = Uint16Array.from(chars, (character) => this.placeOf(character));
    this.read = Uint16Array.from(readAs, (character) => this.placeOf(character));
  }

  /** @param {string} character */
  placeOf(character) {
    let place = this.places.get(character);
    if (place === undefined) {
      place = this.glyphs.push(glyphOf(character, this.described.lettering)) - 1;
      this.places.set(character, place);
    }
    return place;
  }

  /** All of it, as far as it is read; what is not read yet is no part of the window of columns that is there. @param {any} view */
  data(view) {
    const { described, reading, glyphs } = this;
    const { steps, done } = reading;
    this.fillBest();
    const readers = [this.reader()];
    const tracks = described.tracks.map((track, place) => this.track(track, place));
    const meta = {
      ...described.meta,
      ...{ curves: described.rules.curves, readers: [described.reader], strips: [[0]], steps, start: 0, columns: done, isReading: done < steps },
      ...{ glyphs, rest: this.places.get("") ?? -1 },
    };
    this.filled = done;
    return { meta, view, readers, tracks, heats: tracks.flatMap((track) => track.heats), between: null, peaks: [], cap: surpriseLimit([readers[0].surprise]) };
  }

  fillBest() {
    const { reading, ranks } = this;
    const { probs, done } = reading;
    const size = reading.model.vocabulary.size;
    if (done * ranks.length > this.best.length) {
      const grown = new Uint16Array(2 * done * ranks.length);
      grown.set(this.best.subarray(0, this.filled * ranks.length));
      this.best = grown;
    }
    for (let step = this.filled; step < done; step++) fillLikeliest(this.best, step * ranks.length, ranks.length, probs, step * size, size);
  }

  reader() {
    const { described, reading, ranks, typed, read } = this;
    const { steps, done } = reading;
    const { symbols, size } = reading.model.vocabulary;
    const surprise = new Float32Array(steps).fill(NaN);
    surprise.set(reading.surprise);
    const reader = { ...described.reader, typed, read, surprise, place: 0, ranks };
    for (const rank of ranks) {
      const next = (reader[`next${rank}`] = new Uint16Array(steps).fill(GAP));
      const chance = (reader[`chance${rank}`] = new Uint16Array(steps));
      for (let step = 0; step < done; step++) {
        const id = this.best[step * ranks.length + rank];
        next[step] = this.placeOf(symbols[id]);
        chance[step] = levelOfShare(reading.probs[step * size + id]);
      }
    }
    return reader;
  }

  /** @param {any} described @param {number} place */
  track(described, place) {
    const { reading } = this;
    const { layer, units } = described;
    const isWhole = reading.done === reading.steps;
    if (isWhole || !this.whole[place]) this.whole[place] = { limits: this.limits(described), orders: this.orders(described) };
    const { limits, orders } = this.whole[place];
    const signals = described.signals.map((signal, k) => ({ ...signal, limits: limits[k] }));
    const liveliest = liveliestOf(reading.signal(layer, "hidden"), units, this.described.rules.firstScreen);
    /** @type {any} */
    const track = { readers: [0], difference: "", layer, units, liveliest, signals, place, orders };
    track.heats = signals.map((signal, k) => {
      const [low, high, most] = signal.limits;
      const { name } = signal;
      const numbers = this.numbers[place][k].fill(reading.signal(layer, name), this.filled * units);
      return { name, track, signal, low, high, most, before: this.before(place, k, layer, name), numbers, squashed: null, scaled: null };
    });
    return track;
  }

  /** A state before the first character, in the heatmap's own numbers. @param {number} place @param {number} k @param {number} layer @param {string} name */
  before(place, k, layer, name) {
    const { reading } = this;
    if (!reading.model.states.includes(name)) return null;
    const initial = reading.runs[layer].initial[name];
    const out = this.numbers[place][k].scale ? new Uint16Array(initial.length) : new Float32Array(initial.length);
    this.numbers[place][k].write(out, initial, 0);
    return out;
  }

  /** Where the colours of each signal end. @param {any} described */
  limits({ layer, units, signals }) {
    return signals.map((signal) => {
      if (signal.bounded) return signal.limits;
      const { limit, most } = colourLimit(this.reading.signal(layer, signal.name), units, this.described.rules);
      return [-limit, limit, most];
    });
  }

  /** Which unit stands in each row; by a mean only when it is asked for. "grouped" is Python's, where it sent one: it takes eigenvectors. @param {any} described */
  orders({ layer, units, signals, grouped }) {
    const { reading } = this;
    /** @type {Record<string, Uint16Array>} */
    const orders = grouped ? { grouped: Uint16Array.from(grouped) } : {};
    for (const { name } of signals) {
      /** @type {Uint16Array | null} */
      let found = null;
      Object.defineProperty(orders, name, { enumerable: true, get: () => (found ??= meanOrder(reading.signal(layer, name), units)) });
    }
    return orders;
  }
}

/** The ids of the largest probabilities, the largest first; of equal ones the first. @param {Uint16Array} out @param {number} at @param {number} count @param {Float32Array} probs @param {number} from @param {number} size */
function fillLikeliest(out, at, count, probs, from, size) {
  for (let id = 0, found = 0; id < size; id++) {
    const share = probs[from + id];
    if (found === count && share <= probs[from + out[at + count - 1]]) continue;
    let rank = found < count ? found++ : count - 1;
    for (; rank > 0 && probs[from + out[at + rank - 1]] < share; rank--) out[at + rank] = out[at + rank - 1];
    out[at + rank] = id;
  }
}

/** What is neither 0 nor 1 is not sent as either: it would be written as 0 % or 100 %. @param {number} share */
function levelOfShare(share) {
  if (share <= 0) return 0;
  return share >= 1 ? SHARES : Math.min(SHARES - 1, Math.max(1, Math.floor(share * SHARES + 0.5)));
}

/** Units by their mean over time, the highest first; ties by number. @param {Float32Array} values (time x unit) @param {number} units */
export function meanOrder(values, units) {
  const sums = new Float64Array(units);
  for (let k = 0, unit = 0; k < values.length; k++) {
    sums[unit] += values[k];
    if (++unit === units) unit = 0;
  }
  return Uint16Array.from(Array.from({ length: units }, (_, unit) => unit).sort((a, b) => sums[b] - sums[a]));
}

/**
 * Something to look at first, as lstm_core/analysis/first_look.py finds it: the unit whose h swings most, at the step where it moves most.
 * @param {EngineReading} reading @param {number} layer @param {number} firstScreen steps that are looked at
 */
export function firstLook(reading, layer, firstScreen) {
  const { units } = reading.model;
  const hidden = reading.signal(layer, "hidden");
  const unit = liveliestOf(hidden, units, firstScreen);
  let [step, most, before] = [0, -1, 0];
  for (let t = 0; t < Math.min(reading.done, firstScreen); t++) {
    const now = hidden[t * units + unit];
    if (Math.abs(now - before) > most) [step, most] = [t, Math.abs(now - before)];
    before = now;
  }
  return { step, unit };
}

/** The unit whose h swings most in what is in view at first. @param {Float32Array} hidden (time x unit) @param {number} units @param {number} steps */
export function liveliestOf(hidden, units, steps) {
  const end = Math.min(hidden.length, steps * units);
  let [best, widest] = [0, -1];
  for (let unit = 0; unit < units; unit++) {
    let [low, high] = [Infinity, -Infinity];
    for (let k = unit; k < end; k += units) {
      if (hidden[k] < low) low = hidden[k];
      if (hidden[k] > high) high = hidden[k];
    }
    if (high - low > widest) [best, widest] = [unit, high - low];
  }
  return best;
}
