/**
 * One unit's equations as a person reads them: each signal in letters and in numbers, and each state as what was kept and what was
 * written. The numbers are a step's, whoever filled it: `stepOf` of from_reading.js takes them from the browser's engine.
 *
 *     const panel = new UnitPanel();
 *     parent.append(panel.root);
 *     panel.show(new Moment(equations, stepOf(reading, layer, step)), unit, theme);
 */

import { element, svg } from "../elements.js";
import { tr } from "../words.js";
import { statesWritten } from "./equations.js";
import { inLetters, letters, plainText, roman, symbolOf } from "./letters.js";
import { barsOf, chainOf } from "./unit_numbers.js";

/** How equations are written at first. @type {EquationLook} */
export const FIRST_LOOK = { weights: "one", biases: "one" };
const KEPT = { light: "#b8860b", dark: "#d9b64a" };
const WRITTEN = { light: "#bf5573", dark: "#e79ab4" };
const TALL = 30; // of a bar, in units of its picture
const WIDE = { compact: 250, wide: 520 };

/** A signal's equation in letters, and the place for its numbers. @param {Equations} equations @param {EquationSignal} signal @param {EquationLook} look */
export function equationRow(equations, signal, look) {
  const left = [...symbolOf(equations, signal.name), ...roman(" = ")];
  const symbolic = element("span", { className: "symbolic" }, ...inLetters([...left, ...letters(equations, signal.tree, look)]));
  const row = element("div", { className: "row" }, symbolic, element("span", { className: "numbers" }));
  row.dataset.line = signal.name;
  row.tabIndex = -1;
  return row;
}

/** Writes a unit's numbers into rows. @param {Iterable<HTMLElement>} rows @param {EquationMoment} moment @param {number} unit @param {EquationLook} look */
export function writeRows(rows, moment, unit, look) {
  /** @type {Map<string, { text: string, value: number }>} a signal may stand in several rows */
  const chains = new Map();
  for (const row of rows) {
    const name = row.dataset.line ?? "";
    if (!chains.has(name)) chains.set(name, chainOf(moment, moment.equations.named[name], unit, look));
    const { text, value } = /** @type {{ text: string, value: number }} */ (chains.get(name));
    /** @type {HTMLElement} */ (row.lastChild).textContent = `= ${text}`;
    row.dataset.value = String(value);
  }
}

/**
 * Kept and written as bars that add up to the state.
 * @param {HTMLElement} root where they are drawn @param {EquationMoment} moment @param {EquationSignal} signal one of `statesWritten`
 * @param {number} unit @param {EquationLook} look @param {Theme} theme @param {boolean} compact
 */
export function drawBars(root, moment, signal, unit, look, theme, compact) {
  const { parts, value, text } = barsOf(moment, signal, unit);
  const ends = [0, value, ...parts.map((_, k) => parts.slice(0, k + 1).reduce((sum, part) => sum + part.value, 0))];
  const reach = Math.max(...ends.map(Math.abs), 1e-9) * 1.08;
  const wide = compact ? WIDE.compact : WIDE.wide;
  const x = (/** @type {number} */ v) => wide / 2 + (v / reach) * (wide / 2 - 70);
  const rows = [];
  let from = 0;
  for (const part of parts) {
    const fill = (part.kept ? KEPT : WRITTEN)[theme.name];
    rows.push({ from, to: from + part.value, words: part.kept ? tr("kept") : tr("written"), letters: letters(moment.equations, part.tree, look), text: part.text, fill });
    from += part.value;
  }
  rows.push({ from: 0, to: value, words: tr("together"), letters: symbolOf(moment.equations, signal.name), text, fill: theme.ink });
  const picture = svg("svg", { viewBox: `0 0 ${wide} ${TALL * rows.length}`, "aria-hidden": "true" });
  rows.forEach((row, k) => {
    const [a, b] = [x(Math.min(row.from, row.to)), x(Math.max(row.from, row.to))];
    picture.append(svg("rect", { x: a, y: k * TALL + 6, width: Math.max(1.5, b - a), height: 18, fill: row.fill, rx: 2 }));
    if (k) picture.append(svg("path", { d: `M${x(row.from)} ${k * TALL - 6}V${k * TALL + 24}`, stroke: theme.quiet, "stroke-dasharray": "2 3" }));
    picture.append(svg("text", { x: wide - 4, y: k * TALL + 20, "text-anchor": "end", "font-size": 15, "font-weight": 600, fill: theme.ink, "font-family": theme.sans }, row.text));
  });
  picture.append(svg("path", { d: `M${x(0)} 0V${TALL * rows.length}`, stroke: theme.ink, "stroke-width": 1 }));
  const names = rows.map((row) => element("div", {}, element("span", { className: "quiet", textContent: `${row.words} ` }), ...inLetters(row.letters)));
  root.replaceChildren(element("div", { className: "names" }, ...names), picture);
  root.setAttribute("role", "img");
  root.setAttribute("aria-label", rows.map((row) => `${row.words} ${plainText(row.letters)} ${row.text}`).join(", "));
  root.dataset.signal = signal.name;
  root.dataset.numbers = JSON.stringify(rows.map((row) => row.text));
}

/** The equations of a unit, all signals of its cell. */
export class UnitPanel {
  constructor() {
    this.title = element("h4", {});
    this.rows = element("div", { className: "rows" });
    this.states = element("div", { className: "states" });
    this.root = element("section", { className: "unit-panel" }, this.title, this.rows, this.states);
    /** @type {{ equations: Equations, look: EquationLook } | null} */
    this.built = null;
  }

  /**
   * @param {EquationMoment} moment @param {number} unit @param {Theme} theme
   * @param {{ title?: string, look?: EquationLook, compact?: boolean }} [how] title: above the equations; compact: on a narrow page
   */
  show(moment, unit, theme, { title = "", look = FIRST_LOOK, compact = false } = {}) {
    const { equations } = moment;
    if (this.built?.equations !== equations || this.built.look !== look) this.build(equations, look);
    this.title.textContent = title;
    this.title.hidden = !title;
    const rows = /** @type {HTMLElement[]} */ ([...this.rows.children]);
    writeRows(rows, moment, unit, look);
    statesWritten(equations).forEach((signal, k) => drawBars(/** @type {HTMLElement} */ (this.states.children[k]), moment, signal, unit, look, theme, compact));
  }

  /** @param {Equations} equations @param {EquationLook} look */
  build(equations, look) {
    this.built = { equations, look };
    this.rows.replaceChildren(...equations.signals.map((signal) => equationRow(equations, signal, look)));
    this.states.replaceChildren(...statesWritten(equations).map(() => element("div", { className: "bars" })));
  }
}
