// Characters: how they are drawn and how they are called. A glyph is [what is shown, its name, its kind].

import { mix } from "./colours.js";
import { quoted } from "./words.js";

/**
 * A character in words: itself in quotation marks, or the name of one that can't be seen.
 * @param {Glyph} glyph
 */
export function spoken([shown, name, kind]) {
  return kind === "plain" ? quoted(shown) : name;
}

/**
 * The colour of a character that was typed: marked where it was replaced, faint where it is white space.
 * @param {Theme} theme
 * @param {Glyph} glyph
 * @param {boolean} isReplaced
 */
export const letterColour = (theme, [, , kind], isReplaced) => (isReplaced ? theme.replaced : kind === "quiet" ? mix(theme.ink, theme.paper, 0.42) : theme.ink);

/**
 * A character on its baseline, centred at x; a boxed one as its short name in a frame, within a column so wide.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {Glyph} glyph
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {string} fill
 * @param {number} column
 * @param {TextStyle} more
 */
export function drawGlyph(pen, theme, [shown, , kind], x, y, size, fill, column, more = {}) {
  /** @type {TextStyle} */
  const style = { size, fill, family: theme.mono, align: "center", ...more };
  if (kind !== "boxed") return pen.text(shown, x, y, style);
  const small = Math.min(size * 0.5, (column - 4) / (0.62 * shown.length));
  const width = Math.min(column - 2, 0.62 * small * shown.length + 3);
  pen.rect(x - width / 2, y - size * 0.72, width, size * 0.86, { stroke: fill, radius: 2, alpha: more.alpha });
  pen.text(shown, x, y - size * 0.29 + small * 0.36, { ...style, size: small });
}

/**
 * True when a text was typed on: it is longer, and begins with the old one; nameBefore and nameNow name a step's character.
 * @param {number} stepsBefore
 * @param {number} stepsNow
 * @param {(step: number) => string} nameBefore
 * @param {(step: number) => string} nameNow
 */
export function isContinued(stepsBefore, stepsNow, nameBefore, nameNow) {
  if (stepsBefore >= stepsNow) return false;
  for (let step = 0; step < stepsBefore; step++) if (nameBefore(step) !== nameNow(step)) return false;
  return true;
}
