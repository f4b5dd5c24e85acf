/** How characters are drawn and called, as lstm_core/figures/lettering.py does it: visible, never interpreted, never invisible. */

import { tr } from "./words.js";

const BOXED = /^[\p{C}\p{Zs}\p{Zl}\p{Zp}]$/u;
const MARK = /^\p{M}$/u;

/** @param {number} code @param {number} digits */
const hexadecimal = (code, digits) => code.toString(16).toUpperCase().padStart(digits, "0");

/**
 * What to draw for one character, how to speak of it, and how it is drawn. The table is what Python sends: a character whose name it
 * lacks is called by its code alone.
 * @param {string} character one code point; "" for a step that is the rest of a character
 * @param {Lettering} table
 * @returns {Glyph}
 */
export function glyphOf(character, { quiet, labels, names }) {
  if (Object.hasOwn(quiet, character)) return [...quiet[character], "quiet"];
  if (!character) return ["⋯", tr("rest of the character before"), "quiet"];
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0xdc80 && code <= 0xdcff) {
    const byte = hexadecimal(code - 0xdc00, 2);
    return [`x${byte}`, tr("byte {byte} (hexadecimal)", { byte }), "boxed"];
  }
  const number = `U+${hexadecimal(code, 4)}`;
  if (code < 0x20 || code === 0x7f) return [String.fromCodePoint(code === 0x7f ? 0x2421 : 0x2400 + code), tr("{number} control character", { number }), "quiet"];
  const spoken = Object.hasOwn(names, character) ? `${number} ${names[character]}` : number;
  if (code >= 0xfe00 && code <= 0xfe0f) return [`VS${code - 0xfe00 + 1}`, spoken, "boxed"];
  if (Object.hasOwn(labels, character) || BOXED.test(character)) return [labels[character] ?? hexadecimal(code, 1), spoken, "boxed"];
  if (MARK.test(character)) return [`◌${character}`, spoken, "plain"];
  return [character, code < 0x7f ? character : `${character} ${spoken}`, "plain"];
}
