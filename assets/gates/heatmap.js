// One heatmap as an image: units and steps that share a pixel are pooled.

import { pixelImage } from "../shared/charts.js";
import { colourTables } from "../shared/colours.js";
import { pooledRows, pooledSteps } from "../shared/geometry.js";
import { levelsOf, orderOf } from "./data.js";

/** Steps from..to of one heatmap on a small canvas: at most one pixel a screen pixel, units and steps pooled into it. */
export function heatImage(inst, { heat, height }, from, to) {
  const order = orderOf(inst, heat.track).units;
  const rows = Math.min(order.length, Math.round(height * inst.ratio));
  const columns = Math.min(to - from, Math.ceil((to - from) * inst.columnWidth * inst.ratio));
  const { start, levels: highest } = inst.data.meta;
  const pool = inst.pooling === "farthest" ? poolFarthest : poolMean;
  const source = { levels: levelsOf(inst, heat), order, rest: highest / 2, from: from - start, to: to - start };
  const table = colourTables(inst, highest)[heat.signal.scale];
  return pixelImage(inst.scratch, columns, rows, (pixels) => pool(source, table, columns, rows, pixels));
}

/** Of the values that share a pixel, their mean. levels: a row of units for each column that was sent; order: which unit stands in each place. */
function poolMean({ levels, order, from, to }, table, columns, rows, pixels) {
  const units = order.length;
  const sums = new Float64Array(rows);
  const rowOf = pooledRows(units, rows);
  const sizes = new Uint32Array(rows);
  for (let place = 0; place < units; place++) sizes[rowOf[place]]++;
  for (let column = 0; column < columns; column++) {
    const [a, b] = pooledSteps(column, columns, from, to);
    sums.fill(0);
    for (let step = a; step < b; step++) {
      const base = step * units;
      for (let place = 0; place < units; place++) sums[rowOf[place]] += levels[base + order[place]];
    }
    for (let row = 0; row < rows; row++) pixels[row * columns + column] = table[(sums[row] / (sizes[row] * (b - a)) + 0.5) | 0];
  }
}

/** Of the values that share a pixel, the one farthest from rest: 0, or for a gate half open. */
function poolFarthest({ levels, order, rest, from, to }, table, columns, rows, pixels) {
  const units = order.length;
  const rowOf = pooledRows(units, rows);
  const best = new Uint16Array(rows);
  for (let column = 0; column < columns; column++) {
    const [a, b] = pooledSteps(column, columns, from, to);
    best.fill(rest);
    for (let step = a; step < b; step++) {
      const base = step * units;
      for (let place = 0; place < units; place++) {
        const level = levels[base + order[place]];
        if (Math.abs(level - rest) > Math.abs(best[rowOf[place]] - rest)) best[rowOf[place]] = level;
      }
    }
    for (let row = 0; row < rows; row++) pixels[row * columns + column] = table[best[row]];
  }
}
