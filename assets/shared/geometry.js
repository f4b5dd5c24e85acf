// Geometry: columns, rows and the pixels that they share. Plain numbers, no document.

import { clamp } from "./numbers.js";

/**
 * The columns in view, first to last (exclusive): at least one.
 * @param {number} scroll
 * @param {number} plot
 * @param {number} column width of one
 * @param {number} columns how many
 */
export function visibleColumns(scroll, plot, column, columns) {
  const first = clamp(Math.floor(scroll / column), 0, columns - 1);
  return { first, last: clamp(Math.ceil((scroll + plot) / column), first + 1, columns) };
}

/** @param {number} length */
export const identity = (length) => Uint16Array.from({ length }, (_, k) => k);

/**
 * In which row each unit stands, from which unit stands in each row.
 * @param {NumberArray} units
 */
export function rowsOf(units) {
  const rows = new Uint16Array(units.length);
  for (let row = 0; row < units.length; row++) rows[units[row]] = row;
  return rows;
}

/**
 * The steps of from..to that share a column of `columns`: first and last (exclusive), at least one.
 * @param {number} column
 * @param {number} columns
 * @param {number} from
 * @param {number} to
 */
export function pooledSteps(column, columns, from, to) {
  const first = from + Math.floor((column * (to - from)) / columns);
  return [first, Math.max(first + 1, from + Math.floor(((column + 1) * (to - from)) / columns))];
}

/**
 * The row of `rows` that each of `units` places falls into.
 * @param {number} units
 * @param {number} rows
 */
export const pooledRows = (units, rows) => Uint16Array.from({ length: units }, (_, place) => Math.floor((place * rows) / units));

/**
 * The runs of numbers in a column that has holes (NaN), as lists of points.
 * @param {NumberArray} values
 * @param {number} first
 * @param {number} last
 * @param {(step: number) => number} xAt
 * @param {(value: number) => number} yAt
 */
export function runsOf(values, first, last, xAt, yAt) {
  /** @type {number[][][]} */
  const runs = [];
  /** @type {number[][] | null} */
  let open = null;
  for (let step = Math.max(0, first - 1); step < Math.min(values.length, last + 1); step++) {
    if (Number.isNaN(values[step])) open = null;
    else if (open) open.push([xAt(step), yAt(values[step])]);
    else runs.push((open = [[xAt(step), yAt(values[step])]]));
  }
  return runs;
}

/**
 * Where a scale of surprise ends, in nats: at the largest of all columns, between 4 and 10.
 * @param {Iterable<NumberArray>} columns
 */
export function surpriseLimit(columns) {
  let most = 4;
  for (const column of columns) for (const nats of column) if (nats > most) most = nats;
  return Math.min(10, Math.ceil(most));
}

/**
 * Where an event happened, from the corner of an element.
 * @param {Element} node
 * @param {{ clientX: number, clientY: number }} event
 * @returns {[number, number]}
 */
export function pointIn(node, event) {
  const box = node.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
