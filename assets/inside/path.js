// From C to h to the gates of the next step.

import { element } from "../shared/elements.js";
import { walkTree } from "../shared/equations/equations.js";
import { inLetters, letter } from "../shared/equations/letters.js";
import { shown } from "../shared/numbering.js";
import { short, written } from "../shared/numbers.js";
import { tr } from "../shared/words.js";
import { colourTables } from "./colours.js";
import { isSent } from "./data.js";
import { momentAt } from "./moments.js";
import { spokenGlyph } from "./words.js";

/** What the path lights in this copy and in the next, read off the equations. */
export function pathsOf(data) {
  const { states, signals } = data.meta;
  const main = states.find((name) => name !== "hidden") ?? "hidden";
  const has = (node, name, previous) => [...walkTree(node)].some((n) => n.kind === "vector" && n.name === name && n.previous === previous);
  const now = ["hidden", "hidden -> out"];
  if (main !== "hidden") {
    now.push(`${main} -> ${main}`);
    for (const signal of signals.filter((s) => s.name !== main && has(s.tree, main, false))) {
      for (const node of walkTree(signal.tree)) if (has(node, main, false)) now.push(`${node.spelling} -> ${signal.name}`);
      now.push(signal.name === "hidden" ? "hidden" : `${signal.name} -> hidden`, `${signal.name} -> ${signal.name}`);
    }
  }
  const next = [];
  for (const signal of signals) {
    const affines = [...walkTree(signal.tree)].flatMap((node) => (node.kind === "affine" && has(node, "hidden", true) ? [node] : []));
    if (!affines.length) continue;
    next.push(`${signal.name} -> ${signal.name}`, `hidden@-1 -> ${signal.name}`);
    for (const node of walkTree(signal.tree)) if (has(node, "hidden", true)) next.push(`${node.spelling} -> ${signal.name}`);
    for (const affine of affines) next.push(`[${affine.inputs.map((input) => input.spelling).join(", ")}] -> ${signal.name}`);
  }
  return { 0: now, 1: next };
}

/** For each affine map that reads h: what the picked unit's h of this step adds to all units' sums at the next. */
function contributions(inst) {
  const { data, cursor } = inst;
  const moment = momentAt(inst, cursor.step + 1);
  const { units } = data.meta;
  return data.meta.signals.flatMap((signal) =>
    [...walkTree(signal.tree)].flatMap((node) => (node.kind === "affine" ? [node] : [])).flatMap((affine) =>
      affine.inputs.flatMap((input, k) => {
        if (affine.sources[k] !== "hh") return [];
        const { weight, row } = moment.block("hh", affine.rows);
        const own = moment.vector(input)[cursor.unit];
        const added = Float64Array.from({ length: units }, (_, unit) => weight[(row + unit) * units + cursor.unit] * own);
        return [{ signal, affine, input, own, added }];
      }),
    ),
  );
}

export function writePath(inst) {
  const { el, data, cursor, look, theme } = inst;
  el.path.hidden = look.path !== "on";
  if (look.path !== "on" || !isSent(data, cursor.step)) return;
  if (cursor.step + 1 >= data.meta.steps || !isSent(data, cursor.step + 1)) {
    el.path.replaceChildren(element("p", { textContent: tr("Nothing comes after this character, so its h has not been read by any gate yet.") }));
    return;
  }
  const found = contributions(inst);
  const limit = Math.max(1e-9, ...found.flatMap(({ added }) => added.reduce((most, v) => Math.max(most, Math.abs(v)), 0)));
  const table = colourTables(inst).diverging;
  const next = spokenGlyph(inst, data.steps.typed[cursor.step + 1]);
  const unit = shown("unit", cursor.unit);
  const head = element("p", {
    textContent: tr("What unit {unit} hands on here is weighed anew for every unit of the next step: so its state reaches theirs. Each strip: what it adds to all {units} sums at {next}, before the squashing; colours to ±{end}.", { unit, units: data.meta.units, next, end: short(limit, 3) }),
  });
  const rows = found.map(({ signal, affine, input, own, added }) => {
    const bar = element("canvas", { width: added.length, height: 1 });
    const context = bar.getContext("2d");
    const image = context.createImageData(added.length, 1);
    new Uint32Array(image.data.buffer).set(Array.from(added, (v) => table[Math.round(((v / limit + 1) / 2) * 511)]));
    context.putImageData(image, 0, 0);
    let most = 0;
    added.forEach((v, k) => Math.abs(v) > Math.abs(added[most]) && (most = k));
    const [reached, value] = [shown("unit", most), written(added[most])];
    const farthest = tr("most: unit {unit}, {value}", { unit: reached, value });
    bar.title = farthest;
    const weight = affine.symbol ? `W_${affine.symbol}` : "W";
    const [before, after] = tr("to {symbol}", { symbol: "\n" }).split("\n"); // between them the symbol, in letters
    const share = tr("column {unit} of {weight} × {value}", { unit, weight, value: written(own) });
    const label = element("span", { className: "label" }, before, ...inLetters(letter(signal.symbol)), after, element("span", { className: "quiet", textContent: `  ${share}` }));
    const row = element("div", { className: "added" }, label, bar, element("span", { className: "most", textContent: farthest }));
    Object.assign(row.dataset, { signal: signal.name, input: input.spelling, most, added: added[most] });
    row.setAttribute("role", "img");
    row.setAttribute("aria-label", tr("To {signal}: most to unit {unit}, {value}", { signal: signal.title, unit: reached, value }));
    return row;
  });
  el.path.replaceChildren(head, ...rows);
  el.path.style.setProperty("--line", theme.faint);
}
