// The chosen unit's lines over time: every signal of its layer, on the columns of the heatmaps.

import { mix } from "../shared/colours.js";
import { runsOf } from "../shared/geometry.js";
import { short } from "../shared/numbers.js";
import { roundedUp } from "../shared/limits.js";
import { drawSymbol } from "../shared/pens.js";
import { unitText } from "../shared/phrases.js";
import { tr } from "../shared/words.js";
import { valueAt } from "./data.js";
import { DASHES } from "./labels.js";
import { CURVES, PAD, visible, xOf } from "./layout.js";

const LEGEND = { row: 17, sample: 20 };

const colourOf = (inst, name) => {
  const colour = inst.data.meta.curves[name];
  if (!colour) return inst.theme.ink;
  return inst.theme.dark ? mix("#ffffff", colour, 0.3) : colour;
};

/** One line for each signal: its numbers over the columns in view, and what 1 on the axis stands for. */
function linesOf(inst) {
  const { data, chosen } = inst;
  const { first, last } = visible(inst);
  return data.tracks[chosen.track].heats.map((heat, place) => {
    const values = new Float32Array(Math.min(data.meta.steps, last + 1)).fill(NaN);
    let most = 0;
    for (let step = Math.max(0, first - 1); step < values.length; step++) {
      values[step] = valueAt(data, heat, step, chosen.unit);
      if (Math.abs(values[step]) > most) most = Math.abs(values[step]);
    }
    const scale = heat.signal.bounded ? 1 : Math.max(1, roundedUp(most));
    return { heat, values, scale, style: { stroke: colourOf(inst, heat.name), line: 2, dash: DASHES[place % DASHES.length] } };
  });
}

export function drawCurves(pen, inst, band) {
  const { theme, layout, columnWidth, chosen } = inst;
  const { first, last } = visible(inst);
  const [top, tall] = [band.y + band.legend + 6, CURVES.tall - 12];
  const yAt = (value) => top + ((1 - value) / 2) * tall;
  const end = Math.min(layout.width, xOf(inst, inst.data.meta.steps));
  const lines = linesOf(inst);
  pen.within(layout.gutter, band.y, layout.plot, band.height, () => {
    for (const value of [-1, 0, 1]) pen.path([[layout.gutter, yAt(value)], [end, yAt(value)]], { stroke: value ? theme.faint : theme.quiet, line: value ? 1 : 0.75 });
    const at = xOf(inst, chosen.step);
    pen.rect(at, top - 4, Math.max(1, columnWidth), tall + 8, { fill: theme.accent, alpha: 0.12 });
    for (const { values, scale, style } of lines) {
      for (const points of runsOf(values, first, last, (step) => xOf(inst, step) + columnWidth / 2, (value) => yAt(value / scale))) {
        if (points.length > 1) pen.path(points, style);
        else pen.circle(...points[0], 2.5, { fill: style.stroke });
      }
    }
  });
  drawScale(pen, inst, yAt);
  drawLegend(pen, inst, band, lines);
}

function drawScale(pen, inst, yAt) {
  const { theme, layout } = inst;
  const style = { size: 10.5, fill: theme.quiet, family: theme.sans, align: layout.compact ? "left" : "right", halo: theme.paper };
  for (const value of [-1, 0, 1]) pen.text(short(value), layout.compact ? 2 : layout.gutter - 6, yAt(value) + 3.5, style);
}

/** Which line is which: left of the lines, or above them on a phone. A state without a range is drawn in parts of its largest value. */
function drawLegend(pen, inst, band, lines) {
  const { theme, layout, chosen } = inst;
  const title = tr("{unit} over time", { unit: unitText(chosen.unit) });
  pen.text(title, layout.compact ? 2 : PAD, band.y + 14, { size: 12, weight: 600, fill: theme.ink, family: theme.sans });
  const wide = layout.compact ? layout.width / lines.length : (layout.gutter - 34) / 2;
  lines.forEach(({ heat, scale, style }, k) => {
    const x = (layout.compact ? k : k % 2) * wide + PAD;
    const y = band.y + 32 + (layout.compact ? 0 : Math.floor(k / 2) * LEGEND.row);
    pen.path([[x, y - 4], [x + LEGEND.sample, y - 4]], style);
    const after = drawSymbol(pen, theme, heat.signal.symbol, "", x + LEGEND.sample + 5, y, 15);
    if (scale !== 1) pen.text(`/${short(scale, 3)}`, after, y, { size: 11, fill: theme.quiet, family: theme.sans });
  });
}
