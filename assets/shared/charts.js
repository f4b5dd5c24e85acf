// Parts of charts: lines and markers of several models, colour bars, bars of surprise, expectations, cursors and pins.

import { drawGlyph } from "./letters.js";
import { contextOf, widthOf } from "./pens.js";

/**
 * The line of one of several models: told apart by its dashes as well as by its colour.
 * @param {{ data: Payload, theme: Theme }} inst
 * @param {number} place
 * @param {number[][]} dashes
 * @param {number} line
 */
export function lineStyle({ data, theme }, place, dashes, line) {
  return { stroke: lineColour({ data, theme }, place), line, dash: dashes[place % dashes.length] };
}

/**
 * @param {{ data: Payload, theme: Theme }} inst
 * @param {number} place
 * @returns {string}
 */
export const lineColour = ({ data, theme }, place) => data.meta.lines[theme.name][place];

/**
 * One of six markers, r pixels in radius.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {number} shape
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @param {string} fill
 * @param {number} line
 */
export function drawMarker(pen, theme, shape, x, y, r, fill, line) {
  const around = { fill, stroke: theme.paper, line };
  /** @param {number[][]} corners */
  const polygon = (...corners) => pen.path([...corners, corners[0]].map(([a, b]) => [x + a * r, y + b * r]), around);
  if (shape === 0) pen.circle(x, y, r, around);
  else if (shape === 1) polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]);
  else if (shape === 2) polygon([0, -1.3], [1.2, 0.9], [-1.2, 0.9]);
  else if (shape === 3) polygon([0, -1.4], [1.2, 0], [0, 1.4], [-1.2, 0]);
  else if (shape === 4) polygon([-1.2, -0.9], [1.2, -0.9], [0, 1.3]);
  else pen.circle(x, y, r * 0.8, { fill: theme.paper, stroke: fill, line: 1.5 });
}

/**
 * A canvas of width x height pixels; fill writes them as 32-bit colours, row by row.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {(pixels: Uint32Array) => void} fill
 */
export function pixelImage(canvas, width, height, fill) {
  Object.assign(canvas, { width, height });
  const context = contextOf(canvas);
  const image = context.createImageData(width, height);
  fill(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
  return canvas;
}

const RAMP = 64; // pixels of a colour bar

/**
 * A table's colours between the words for its two ends; returns where the second ends.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {NumberArray} table
 * @param {string[]} ends
 * @param {number} x
 * @param {number} y
 * @param {{ width: number, height?: number, size?: number, gap?: number, canvas?: HTMLCanvasElement }} how
 */
export function drawColourBar(pen, theme, table, [low, high], x, y, { width, height = 7, size = 10.5, gap = 4, canvas = document.createElement("canvas") }) {
  const last = table.length - 1;
  const ramp = pixelImage(canvas, RAMP, 1, (pixels) => {
    for (let k = 0; k < RAMP; k++) pixels[k] = table[Math.round((k / (RAMP - 1)) * last)];
  });
  const style = { size, fill: theme.quiet, family: theme.sans };
  const left = x + widthOf(low, style) + gap;
  const baseline = y + height / 2 + 4;
  pen.text(low, x, baseline, style);
  pen.image(ramp, left, y, width, height);
  pen.rect(left, y, width, height, { stroke: theme.faint });
  pen.text(high, left + width + gap, baseline, style);
  return left + width + gap + widthOf(high, style);
}

/**
 * Bars that hang from a line: how surprising each step was, against a limit in nats.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {NumberArray} surprise
 * @param {number} limit
 * @param {{ first: number, last: number, left: number, right: number, y: number, tall: number, column: number, xOf(step: number): number }} where
 */
export function drawSurprises(pen, theme, surprise, limit, { first, last, left, right, y, tall, column, xOf }) {
  const inset = Math.min(4, column * 0.2);
  pen.path([[left, y + 0.5], [right, y + 0.5]], { stroke: theme.faint });
  for (let step = first; step < last; step++) {
    const share = Math.min(1, surprise[step] / limit);
    if (share > 0) pen.rect(xOf(step) + inset, y + 1, column - 2 * inset, Math.max(1, share * tall), { fill: theme.quiet, alpha: 0.75 });
  }
}

/**
 * One expected character a step, larger and stronger the likelier; the one that came is in colour. next: -1 or a gap where there is none.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {Glyph[]} glyphs
 * @param {{ next: NumberArray, chance: NumberArray, came(step: number): number }} expected
 * @param {{ first: number, last: number, y: number, tallest: number, column: number, xOf(step: number): number }} where
 */
export function drawExpectations(pen, theme, glyphs, { next, chance, came }, { first, last, y, tallest, column, xOf }) {
  const largest = Math.min(tallest, column / 0.64);
  for (let step = first; step < last; step++) {
    if (!glyphs[next[step]]) continue;
    const weight = Math.sqrt(chance[step] / 65535);
    const hit = next[step] === came(step);
    const style = { alpha: 0.2 + 0.8 * weight, weight: hit ? 700 : 400 };
    const size = Math.round(2 * largest * (0.68 + 0.32 * weight)) / 2; // few sizes: a browser sets up each of them anew
    drawGlyph(pen, theme, glyphs[next[step]], xOf(step) + column / 2, y, size, hit ? theme.accent : theme.ink, column, style);
  }
}

/**
 * Slanted lines: there is nothing to show here.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
export function drawHatching(pen, theme, x, y, width, height) {
  pen.within(x, y, width, height, () => {
    for (let k = -height; k < width; k += 7) pen.path([[x + k, y + height], [x + k + height, y]], { stroke: theme.faint });
  });
}

/**
 * Upright lines of the cursor: at each x, over each stretch from top to foot.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {number[]} sides
 * @param {number[][]} stretches
 */
export function drawCursorLines(pen, theme, sides, stretches) {
  for (const [top, foot] of stretches) {
    for (const side of sides) {
      pen.path([[side, top], [side, foot]], { stroke: theme.paper, line: 3, alpha: 0.45 });
      pen.path([[side, top], [side, foot]], { stroke: theme.ink, line: 1.1 });
    }
  }
}

/**
 * A frame around the cell of a heatmap under the cursor.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
export function drawCellFrame(pen, theme, x, y, width, height) {
  pen.rect(x - 1, y - 1, width + 2, height + 2, { stroke: theme.paper, line: 2.5, radius: 2.5 });
  pen.rect(x, y, width, height, { stroke: theme.ink, line: 1.5, radius: 2 });
}

/**
 * The head of a pin: its column tinted, with a wedge above.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {number} x
 * @param {number} width
 * @param {number} centre
 */
export function drawPinHead(pen, theme, x, width, centre) {
  pen.rect(x, 0, width, 29, { fill: theme.accent, alpha: 0.22, radius: 3 });
  pen.path([[centre - 5, 0], [centre + 5, 0], [centre, 7]], { fill: theme.accent });
}

/**
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {number} x
 * @param {number} y
 */
export const drawPinDot = (pen, theme, x, y) => pen.circle(x, y, 4.5, { fill: theme.accent, stroke: theme.paper, line: 1.5 });
