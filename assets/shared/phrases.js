// What several views say in the same words: places in a text, layers and units, surprise, captions.

import { shown } from "./numbering.js";
import { fixed, percent } from "./numbers.js";
import { facts, listed, sentences, tr, trN } from "./words.js";

/** What a text is made of: columns where several texts stand side by side. @typedef {"character" | "byte" | "column"} Piece */

/** Which one it is: "character 5". @param {Piece} what @param {number} step */
export function numbered(what, step) {
  const number = shown("character", step);
  if (what === "byte") return tr("byte {number}", { number });
  return what === "column" ? tr("column {number}", { number }) : tr("character {number}", { number });
}

/** Where it stands: "character 5 of 25". @param {Piece} what @param {number} step @param {number} all */
export function placeText(what, step, all) {
  const number = shown("character", step);
  if (what === "byte") return tr("byte {number} of {all}", { number, all });
  return what === "column" ? tr("column {number} of {all}", { number, all }) : tr("character {number} of {all}", { number, all });
}

/** Several of them, `end` not among them: "characters 1 to 20 of 25". @param {Piece} what @param {number} start @param {number} end @param {number} all */
export function rangeText(what, start, end, all) {
  const [first, last] = [start, end - 1].map((step) => shown("character", step));
  if (what === "byte") return tr("bytes {first} to {last} of {all}", { first, last, all });
  if (what === "column") return tr("columns {first} to {last} of {all}", { first, last, all });
  return tr("characters {first} to {last} of {all}", { first, last, all });
}

/** How many: "25 characters". written: the number as it is to be read. @param {"character" | "byte"} what @param {number} number @param {string} [written] */
export function lengthText(what, number, written = String(number)) {
  return what === "byte" ? trN("{n} byte", "{n} bytes", number, { n: written }) : trN("{n} character", "{n} characters", number, { n: written });
}

/** @param {number} index */
export const unitText = (index) => tr("unit {unit}", { unit: shown("unit", index) });

/** @param {number} number */
export const unitsText = (number) => trN("{n} unit", "{n} units", number);

/** Which layers of a model's: "layer 1 of 2", "layers 1 and 2 of 2", "1 layer". @param {number[]} indices @param {number} all */
export function layersText(indices, all) {
  if (all === 1) return tr("1 layer");
  const layers = listed(indices.map((index) => shown("layer", index)));
  return indices.length > 1 ? tr("layers {layers} of {all}", { layers, all }) : tr("layer {layers} of {all}", { layers, all });
}

/** How surprising a character was. nats: NaN where nothing was expected of it. @param {number} nats */
export const surpriseText = (nats) => (Number.isNaN(nats) ? tr("no surprise: the first character") : tr("surprise {nats} nats", { nats: fixed(nats, 2) }));

/** The same, with the chance that the character had. @param {number} nats */
export const surpriseAndChance = (nats) => (Number.isNaN(nats) ? surpriseText(nats) : tr("surprise {nats} nats ({chance})", { nats: fixed(nats, 2), chance: percent(Math.exp(-nats)) }));

/** What bars or lines of surprise go up to. @param {number} limit in nats */
export const surpriseRange = (limit) => tr("surprise, 0–{limit} nats", { limit });

/** What a caption says of a model before anything else. @param {string} model @param {(string | false)[]} told @param {string} note */
export const modelCaption = (model, told, note) => sentences(tr("{model}: {facts}.", { model, facts: facts(...told) }), note);

/** How fast a view may play, as choices. @param {number[]} speeds */
export const speedChoices = (speeds) => speeds.map((speed) => [speed, tr("{n} a second", { n: speed })]);
