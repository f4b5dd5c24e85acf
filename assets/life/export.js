// The picture as it is saved.

import { wrapped } from "../shared/pens.js";
import { numbered, rangeText, unitText } from "../shared/phrases.js";
import { captionOfLines, drawCaption } from "../shared/saving.js";
import { facts, quoted, tr } from "../shared/words.js";
import { CURVE, drawCurve, drawCurvePlace } from "./curve.js";
import { inOneLine, stageOf, stageWords } from "./data.js";
import { PAD, visible } from "./layout.js";
import { drawOverlay, drawPicture } from "./paint.js";
import { captionOf } from "./words.js";

const WRITTEN = { size: 12.5, pitch: 18 };

/** The picture as it is saved: the checkpoint, the curve, what it wrote, what is in view, the caption. */
export function pictureOf(inst) {
  const { layout, theme, data } = inst;
  const { width } = layout;
  const room = width - 2 * PAD;
  const mono = { size: WRITTEN.size, fill: theme.ink, family: theme.mono };
  const title = { size: 14, weight: 650, fill: theme.ink, family: theme.sans };
  const [heading] = wrapped(facts(data.meta.name, ...stageWords(inst)), title, room);
  const writing = wrapped(inOneLine(`${data.meta.prompt}${stageOf(inst).written}`).replaceAll("↵", " ↵ "), mono, room);
  const caption = captionOfLines([excerpt(inst), captionOf(inst)], theme, room);
  const head = 26 + CURVE.tall + 10 + WRITTEN.pitch * writing.length + 8;
  const height = head + layout.height + 12 + caption.height;
  const draw = (pen) => {
    pen.rect(0, 0, width, height, { fill: theme.paper });
    pen.text(heading, PAD, 18, title);
    const curve = shifted(pen, 26);
    drawCurve(curve, inst, width);
    drawCurvePlace(curve, inst);
    writing.forEach((line, k) => pen.text(line, PAD, 26 + CURVE.tall + 14 + WRITTEN.pitch * k, mono));
    const picture = shifted(pen, head);
    drawPicture(picture, inst);
    drawOverlay(picture, inst);
    drawCaption(pen, caption, PAD, head + layout.height + 16);
  };
  return { name: `${data.meta.file}-step-${stageOf(inst).step}`, width, height, draw };
}

/** The text in view, and where the cursor is. */
function excerpt(inst) {
  const { data, at } = inst;
  const { first, last } = visible(inst);
  const texts = quoted(`${[...data.meta.text].slice(first, Math.min(last, first + 80)).join("")}${last - first > 80 ? "…" : ""}`);
  const range = rangeText("character", first, last, data.meta.columns);
  return tr("{texts}, {range}; cursor at {place}, {unit}.", { texts, range, place: numbered("character", at.step), unit: unitText(at.unit) });
}

/** A pen that draws the same, so many pixels lower. */
function shifted(pen, by) {
  return {
    text: (string, x, y, style) => pen.text(string, x, y + by, style),
    rect: (x, y, ...rest) => pen.rect(x, y + by, ...rest),
    path: (points, style) => pen.path(points.map(([x, y]) => [x, y + by]), style),
    circle: (x, y, ...rest) => pen.circle(x, y + by, ...rest),
    image: (canvas, x, y, ...rest) => pen.image(canvas, x, y + by, ...rest),
    within: (x, y, width, height, draw) => pen.within(x, y + by, width, height, draw),
  };
}
