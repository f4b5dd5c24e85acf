// Saving: a picture with its caption as PNG or SVG. A picture is { name, width, height, draw(pen) }.

import { element, saveAs } from "./elements.js";
import { penOn, SvgPen, wrapped } from "./pens.js";
import { tr } from "./words.js";

const CAPTION = { size: 11.5, pitch: 17 };

/**
 * Sentences as the lines of a caption, at most so wide: the lines, their style, how tall they are together.
 * @param {string[]} sentences
 * @param {Theme} theme
 * @param {number} width
 */
export function captionOfLines(sentences, theme, width) {
  const style = { size: CAPTION.size, fill: theme.quiet, family: theme.sans };
  const lines = sentences.flatMap((sentence) => wrapped(sentence, style, width));
  return { lines, style, height: CAPTION.pitch * lines.length };
}

/**
 * @param {Pen} pen
 * @param {{ lines: string[], style: TextStyle }} caption
 * @param {number} x
 * @param {number} y
 */
export function drawCaption(pen, { lines, style }, x, y) {
  lines.forEach((line, k) => pen.text(line, x, y + CAPTION.pitch * k, style));
}

/** @param {Picture} picture */
export function saveSvg({ name, width, height, draw }) {
  const pen = new SvgPen();
  draw(pen);
  saveAs(new Blob([pen.finished(width, height)], { type: "image/svg+xml" }), `${name}.svg`);
}

/**
 * @param {Picture} picture
 * @param {number} ratio
 */
export function savePng({ name, width, height, draw }, ratio) {
  const canvas = document.createElement("canvas");
  draw(penOn(canvas, width, height, Math.max(2, ratio)));
  canvas.toBlob((blob) => blob && saveAs(blob, `${name}.png`));
}

/** @param {string} format */
const saveAsText = (format) => tr("Save as {format}", { format });

/**
 * The two buttons; title: what one says when it is pointed at.
 * @param {(format: string) => string} title
 */
export function saveButtons(title = saveAsText) {
  /** @param {string} format */
  const button = (format) => element("button", { type: "button", textContent: format, "aria-label": saveAsText(format), title: title(format) });
  return { png: button("PNG"), svg: button("SVG") };
}

/**
 * @param {Instance} inst
 * @param {(inst: any) => Picture} picture
 */
export function connectSaving(inst, picture) {
  inst.el.png.onclick = () => savePng(picture(inst), inst.ratio);
  inst.el.svg.onclick = () => saveSvg(picture(inst));
}
