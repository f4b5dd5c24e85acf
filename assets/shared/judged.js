/** What is said of how far a reading of this browser is from torch's trace of the same text. */

import { differencesFrom } from "./engine/differences.js";
import { count, short } from "./numbers.js";
import { lengthText } from "./phrases.js";
import { tr } from "./words.js";

const HOLDS = 1e-4; // two runs in float32 drift apart on the way: tests/lstm_core/browser/test_engine.py holds the engine to this

/** @typedef {{ steps: number[], values: Record<string, Float32Array>, surprise?: Float32Array }} Judge torch's trace at some steps, and its surprise at all */

/**
 * The largest differences: in one line, whether they are no more than rounding, where was looked, and signal by signal.
 * @param {EngineReading} reading which has read the whole text
 * @param {any} described what lstm_core/browser/live.py says of the model's picture
 * @param {Judge} trace
 */
export function judged(reading, described, trace) {
  const found = differencesFrom(reading, trace);
  const apart = trace.surprise ? farthestSurprise(reading.surprise, trace.surprise) : 0;
  const most = Math.max(apart, ...Object.values(found));
  const { steps } = reading;
  const length = lengthText(described.meta.step, steps, count(steps));
  const where = trace.steps.length < steps ? tr("{some} of {all}", { some: count(trace.steps.length), all: length }) : length;
  const difference = short(most);
  const holds = most <= HOLDS;
  const each = described.tracks[0].signals.map((/** @type {any} */ { symbol, name, bounded }) => partOf(symbol, found[name], bounded));
  return { holds, where, each: each.join(", "), probs: short(found.probs), line: lineOf(holds, difference, where, trace.surprise !== undefined) };
}

/** @param {boolean} holds @param {string} difference @param {string} where @param {boolean} hasSurprise */
function lineOf(holds, difference, where, hasSurprise) {
  if (!holds) return tr("✗ Do not trust this picture: {difference} from torch’s trace of this text, at {where}.", { difference, where });
  return hasSurprise
    ? tr("✓ Within {difference} of torch’s trace of this text: every unit at {where}, and the surprise everywhere.", { difference, where })
    : tr("✓ Within {difference} of torch’s trace of this text (values over 1: of their size): all signals, all units, and the probabilities, at {where}.", { difference, where });
}

/** Relative where it is over 1; what was not predicted is NaN in both. @param {Float32Array} found @param {Float32Array} wanted */
function farthestSurprise(found, wanted) {
  if (found.length !== wanted.length) return Infinity;
  let most = 0;
  for (let k = 0; k < wanted.length; k++) {
    if (Number.isNaN(found[k]) && Number.isNaN(wanted[k])) continue;
    const difference = Math.abs(found[k] - wanted[k]) / Math.max(1, Math.abs(wanted[k]));
    if (!(difference <= most)) most = Number.isNaN(difference) ? Infinity : difference;
  }
  return most;
}

/** A signal's difference; one without a range is compared relative to its size. @param {string} symbol @param {number} most @param {boolean} bounded */
function partOf(symbol, most, bounded) {
  const difference = short(most);
  return bounded ? tr("{symbol} {difference}", { symbol, difference }) : tr("{symbol} {difference} (of its size, where that is over 1)", { symbol, difference });
}
