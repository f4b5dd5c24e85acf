/**
 * The words that people see, gathered so that they can be translated, as lstm_core/words.py does it for Python.
 *
 * A sentence stands in the code in English, whole, with names for what is filled in:
 *
 *     tr("{units} units in {rows} rows", { units, rows })
 */

/** @typedef {{ messages: Record<string, string | string[]>, formOf: (n: number) => number }} Catalogue */

/** @type {Catalogue} */
const ENGLISH = { messages: {}, formOf: (n) => (n === 1 ? 0 : 1) };
let catalogue = ENGLISH;

/** From here on words are in this catalogue's language, and in English where it lacks them. @param {Catalogue} [found] */
export function use(found = ENGLISH) {
  catalogue = found;
}

/** @param {string} message @param {Record<string, unknown>} values */
function filled(message, values) {
  return message.replace(/\{(\w+)\}/g, (place, name) => {
    if (!(name in values)) throw new Error(`nothing was given for ${place} in “${message}”`);
    return String(values[name]);
  });
}

/** A message in the reader's language. values: what stands in its {places}. @param {string} message @param {Record<string, unknown>} [values] */
export function tr(message, values = {}) {
  const found = catalogue.messages[message];
  return filled(typeof found === "string" ? found : message, values);
}

/**
 * The message for a number of things: `one` for 1 and `many` for others in English; a language may have more forms.
 * n fills {n} unless values do, with a number that is written in another way.
 * @param {string} one @param {string} many @param {number} n @param {Record<string, unknown>} [values]
 */
export function trN(one, many, n, values = {}) {
  const found = catalogue.messages[one];
  const form = Array.isArray(found) ? found[catalogue.formOf(n)] : undefined;
  return filled(form ?? (ENGLISH.formOf(n) ? many : one), { n, ...values });
}

/** "a and b and c". @param {unknown[]} items */
export const listed = (items) => items.map(String).reduce((first, next) => tr("{first} and {next}", { first, next }));

/** "a or b or c". @param {unknown[]} items */
export const alternatives = (items) => items.map(String).reduce((first, next) => tr("{first} or {next}", { first, next }));

/** A text in quotation marks. @param {string} text */
export const quoted = (text) => tr("“{text}”", { text });

/** What there is of several facts, behind each other. @param {(string | false | null | undefined)[]} facts */
export const facts = (...facts) => facts.filter(Boolean).join(", ");

/** What there is of several sentences, behind each other. @param {(string | false | null | undefined)[]} sentences */
export const sentences = (...sentences) => sentences.filter(Boolean).join(" ");
