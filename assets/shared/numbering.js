/** How layers, characters and units are numbered where people read them: the rule of lstm_core/numbering.py. In code all are indices, from 0. */

/** @typedef {"layer" | "character" | "column" | "checkpoint" | "unit"} Counted */

/** @type {Record<Counted, number>} */
const FIRST = { layer: 1, character: 1, column: 1, checkpoint: 1, unit: 0 };

/** The number that people read for an index: shown("layer", 0) is 1, shown("unit", 235) is 235. @param {Counted} what @param {number} index */
export const shown = (what, index) => index + FIRST[what];

/** The index that a number stands for. @param {Counted} what @param {number} number */
export const indexOf = (what, number) => number - FIRST[what];
