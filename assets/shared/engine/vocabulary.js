/** Characters to ids, as lstm_core/text.py does it: one step a code point, or a byte, and a look-alike for what the model never saw. */

import { tr } from "../words.js";

const utf8 = new TextEncoder();
const REPLACEMENT = "\ufffd";

/** A byte as a vocabulary of bytes names it: from 128 up, half of a surrogate pair that no text holds. @param {number} value */
function nameOf(value) {
  return String.fromCharCode(value < 128 ? value : 0xdc00 + value);
}

/** @param {string} text @returns {number[]} the bytes of its UTF-8; a byte's name stands for itself */
function bytesOf(text) {
  const code = text.charCodeAt(0);
  return text.length === 1 && code >= 0xdc80 && code <= 0xdcff ? [code - 0xdc00] : [...utf8.encode(text)];
}

/** @param {string} character */
function isLoneSurrogate(character) {
  const code = character.charCodeAt(0);
  return character.length === 1 && code >= 0xd800 && code <= 0xdfff;
}

/** The characters, or bytes, that a model knows, in the order of their ids. */
export class Vocabulary {
  /** @param {VocabularyMeta} meta */
  constructor(meta) {
    this.readsBytes = meta.reads === "bytes";
    this.symbols = meta.symbols.map((symbol) => (typeof symbol === "number" ? nameOf(symbol) : symbol));
    this.unknown = this.symbols[meta.unknown];
    this.lookAlikes = new Map(Object.entries(meta.lookAlikes));
    this.limit = meta.limit;
    this.ids = new Map(this.symbols.map((symbol, id) => [symbol, id]));
    /** @type {Map<string, { readAs: string, ids: number[] }>} */
    this.met = new Map();
  }

  /** How many characters, or bytes, there are. */
  get size() {
    return this.symbols.length;
  }

  /** Whether a typed character can be read as itself. @param {string} character */
  knows(character) {
    if (!this.readsBytes) return this.ids.has(character);
    return character !== "" && !isLoneSurrogate(character) && bytesOf(character).every((byte) => this.ids.has(nameOf(byte)));
  }

  /** What the model reads for a character: itself, its base form (NFKD), a look-alike, else `unknown`. @param {string} character */
  replacementFor(character) {
    if (this.knows(character)) return character;
    const decomposed = [...character.normalize("NFKD")];
    const alike = [character, ...decomposed].map((each) => this.lookAlikes.get(each) ?? "");
    const candidates = [alike[0], ...decomposed, ...alike.slice(1)];
    candidates.push(...candidates.map((each) => each.toLowerCase()), ...candidates.map((each) => each.toUpperCase()));
    if (this.readsBytes) candidates.push(REPLACEMENT);
    return candidates.find((each) => this.knows(each)) ?? this.unknown;
  }

  /** What a character is read as, and the ids of its steps. @param {string} character */
  reading(character) {
    let found = this.met.get(character);
    if (found === undefined) {
      const readAs = this.replacementFor(character);
      const symbols = this.readsBytes ? bytesOf(readAs).map(nameOf) : [readAs];
      found = { readAs, ids: symbols.map((symbol) => this.ids.get(symbol) ?? 0) };
      this.met.set(character, found);
    }
    return found;
  }

  /**
   * Reads a text, which may be empty. Throws a RangeError, one sentence, where it is longer than can be read at once.
   * @param {string} text @returns {Encoded}
   */
  encode(text) {
    /** @type {string[]} */
    const chars = [];
    /** @type {string[]} */
    const readAs = [];
    /** @type {number[]} */
    const ids = [];
    for (const character of text) {
      const found = this.reading(character);
      found.ids.forEach((id, k) => {
        ids.push(id);
        chars.push(k ? "" : character);
        readAs.push(k ? "" : found.readAs);
      });
    }
    if (ids.length > this.limit) {
      const [count, limit] = [ids.length, this.limit].map((number) => number.toLocaleString("en-US"));
      throw new RangeError(
        this.readsBytes
          ? tr("The text has {count} bytes; at most {limit} can be read at once.", { count, limit })
          : tr("The text has {count} characters; at most {limit} can be read at once.", { count, limit }),
      );
    }
    return { chars, readAs, ids: Int32Array.from(ids) };
  }
}
