/** What is typed into a field is read from the next frame on; what is said meanwhile stands below the field. */

import { count } from "./numbers.js";
import { lengthText } from "./phrases.js";
import { tr } from "./words.js";

const FEW = 100; // characters whose reading is not worth a remark

/**
 * Reads a text from the next frame on. Where there is nothing to read, or too much, the field says so, and the places keep the last good
 * picture, faded. Returns whether it is read.
 * @param {string} text
 * @param {{ write(text: string): void, frames: { start(): void, stop(): void }, field: { say(words: string, kind?: string): void }, places: HTMLElement[] }} by
 *   write: takes the text over, or throws a RangeError, one sentence for the person
 */
export function readTyped(text, { write, frames, field, places }) {
  try {
    if (text === "") throw new RangeError(tr("The field is empty. The picture shows what was read last."));
    write(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    frames.stop();
    for (const place of places) place.classList.add("stale");
    field.say(error.message, text && "problem");
    return false;
  }
  for (const place of places) place.classList.remove("stale");
  frames.start();
  return true;
}

/** How far a text is read that is not read to its end: of a short one nothing. @param {{ done: number, steps: number }} reading @param {"character" | "byte"} step */
export const progressText = ({ done, steps }, step) =>
  steps > FEW ? tr("Reading: {done} of {all}", { done: count(done), all: lengthText(step, steps, count(steps)) }) : "";
