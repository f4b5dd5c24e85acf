// The picture as it is saved.

import { rangeText } from "../shared/phrases.js";
import { captionOfLines, drawCaption } from "../shared/saving.js";
import { listed, quoted, sentences, tr } from "../shared/words.js";
import { GAP, pieceOf } from "./data.js";
import { visible } from "./layout.js";
import { drawOverlay } from "./overlay.js";
import { drawPicture } from "./paint.js";
import { captionOf, poolingNote } from "./words.js";

/** The picture as it is saved: what is in view, the cursor and a caption below. */
export function pictureOf(inst) {
  const { layout, theme, data } = inst;
  const said = [captionOf(inst), textExcerpt(inst), sentences(poolingNote(inst), `${data.meta.version}.`)];
  const caption = captionOfLines(said, theme, layout.width - 8);
  const { width } = layout;
  const height = layout.height + 10 + caption.height;
  const draw = (pen) => {
    pen.rect(0, 0, width, height, { fill: theme.paper });
    drawPicture(pen, inst);
    drawOverlay(pen, inst);
    drawCaption(pen, caption, 4, layout.height + 18);
  };
  return { name: data.meta.file, width, height, draw };
}

function textExcerpt(inst) {
  const { data, el } = inst;
  const { first, last } = visible(inst);
  const texts = listed(data.meta.strips.map(([place]) => quoted(excerpt(data, data.readers[place], first, last))));
  const range = rangeText(pieceOf(data), first, last, data.meta.steps);
  return tr("{texts}, {range}; cursor at {place}, {unit}.", { texts, range, place: el.step.textContent, unit: el.unit.textContent });
}

function excerpt(data, reader, first, last) {
  const typed = [...reader.typed.slice(first, last)].filter((index) => index !== GAP && index !== data.meta.rest);
  const letters = typed.slice(0, 60).map((index) => (data.meta.glyphs[index][1] === "space" ? " " : data.meta.glyphs[index][0]));
  return `${letters.join("")}${typed.length > 60 ? "…" : ""}`;
}
