// The drawing as a file, SVG or PNG.

import { element, saveAs, svg, SVG_NAMESPACE } from "../shared/elements.js";
import { plainText, symbolOf } from "../shared/equations/letters.js";
import { shown } from "../shared/numbering.js";
import { clamp } from "../shared/numbers.js";
import { wrapped } from "../shared/pens.js";
import { placeText, unitText } from "../shared/phrases.js";
import { quoted, tr } from "../shared/words.js";
import { hexOf } from "./colours.js";
import { stripColours } from "./copy.js";
import { isSent } from "./data.js";
import { linesShown } from "./equations.js";
import { momentAt } from "./moments.js";
import { COLOUR_PROPERTIES } from "./settings.js";
import { captionOf, poolingNote } from "./view_settings.js";
import { spokenGlyph } from "./words.js";

/** The cells of a line as coloured pieces of it, of any size. */
function pieces(inst, copy, moment) {
  const group = svg("g", { fill: "none" });
  for (const strip of inst.measured.strips) {
    const { bins } = inst.raster.find((r) => r.index === strip.index);
    const colours = stripColours(inst, moment, { value: strip.value, bins }, inst.look.reading === "unit");
    const count = typeof colours === "number" ? 1 : bins;
    const strength = copy.strength[strip.index];
    for (const stroke of strip.strokes) {
      for (let bin = 0; bin < count; bin++) {
        const [from, to] = [(bin / count) * strip.total, ((bin + 1) / count) * strip.total];
        if (to <= stroke[0].way || from >= stroke.at(-1).way) continue;
        const points = [pointIn(stroke, from), ...stroke.filter((p) => p.way > from && p.way < to), pointIn(stroke, to + (bin < count - 1 ? 0.6 : 0))];
        const d = `M${straightened(points).map(({ x, y }) => `${+x.toFixed(2)} ${+y.toFixed(2)}`).join("L")}`;
        const piece = svg("path", { d, stroke: hexOf(count === 1 && typeof colours === "number" ? colours : colours[bin]), "stroke-width": 2 * strip.half });
        if (strength < 1) piece.setAttribute("opacity", strength);
        group.append(piece);
      }
    }
  }
  return group;
}

function pointIn(stroke, way) {
  const [first, last] = [stroke[0], stroke.at(-1)];
  const at = clamp(((way - first.way) / (last.way - first.way || 1)) * (stroke.length - 1), 0, stroke.length - 1);
  const [a, b] = [stroke[Math.floor(at)], stroke[Math.ceil(at)]];
  const share = at - Math.floor(at);
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}

function straightened(points) {
  return points.filter((p, k) => {
    if (k === 0 || k === points.length - 1) return true;
    const [a, b] = [points[k - 1], points[k + 1]];
    return Math.abs((p.x - a.x) * (b.y - a.y) - (p.y - a.y) * (b.x - a.x)) > 0.01;
  });
}

function excerpt(inst) {
  const { data, cursor } = inst;
  const [first, last] = [Math.max(0, cursor.step - 24), Math.min(data.meta.steps, cursor.step + 25)];
  const typed = Array.from({ length: last - first }, (_, k) => data.steps.typed[first + k]);
  const drawnGlyphs = typed.filter((index) => index !== data.meta.rest).map((index) => data.meta.glyphs[index]);
  const letters = drawnGlyphs.map(([drawn, name]) => (name === "space" ? " " : drawn)).join("");
  const text = quoted(`${first ? "…" : ""}${letters}${last < data.meta.steps ? "…" : ""}`);
  const [character, place] = [spokenGlyph(inst, data.steps.typed[cursor.step]), placeText(data.meta.step, cursor.step, data.meta.steps)];
  return tr("{text}, at {character}, {place}; {unit}.", { text, character, place, unit: unitText(cursor.unit) });
}

/** What is shown as one SVG that needs nothing else: copies, cells, numbers, caption. */
function exported(inst) {
  const { art, theme, data, cursor, look } = inst;
  const copies = inst.copies.filter((copy) => copy.step !== null && Math.abs(copy.step - cursor.step) <= (look.copies === "one" ? 0 : 1) && isSent(data, copy.step)).sort((a, b) => a.step - b.step);
  const wide = art.width + (copies.length - 1) * art.stride + EXPORT_MARGIN;
  const style = { size: 15, fill: theme.quiet, family: EXPORT_FONT };
  const numbers = linesShown(inst).map(({ signal, chain }) => `${plainText(symbolOf(data.equations, signal.name))} = ${chain.text}`);
  const said = [captionOf(inst), excerpt(inst), poolingNote(inst), numbers.join(";  "), tr("Drawn for {version} after the figures of Christopher Olah, “Understanding LSTM Networks” (2015).", { version: data.meta.version })];
  const lines = said.filter(Boolean).flatMap((sentence) => wrapped(sentence, style, wide - 60));
  const tall = art.height + 30 + 21 * lines.length;
  const root = svg("svg", { xmlns: SVG_NAMESPACE, viewBox: `0 0 ${wide} ${tall}`, width: wide, height: tall, color: theme.ink });
  root.append(svg("rect", { width: wide, height: tall, fill: theme.paper }));
  copies.forEach((copy, k) => {
    const group = svg("g", { transform: `translate(${k * art.stride} 0)`, "font-family": copy.under.getAttribute("font-family"), "font-size": copy.under.getAttribute("font-size") ?? 20 });
    const over = [...copy.over.children].filter((node) => !node.classList.contains("hits")).map((node) => node.cloneNode(true));
    const letters = inst.labels.find(({ offset }) => offset === copy.step - cursor.step).layer;
    const [under, named] = [copy.under, letters].map((layer) => [...layer.children].map((node) => node.cloneNode(true)));
    group.append(...under, pieces(inst, copy, momentAt(inst, copy.step)), ...named, ...over);
    if (copy.step !== cursor.step && look.path === "off") group.setAttribute("opacity", "0.62");
    root.append(group);
  });
  lines.forEach((line, k) => {
    const text = svg("text", { x: 20, y: art.height + 24 + 21 * k, fill: theme.quiet, "font-size": 15 });
    text.textContent = line;
    root.append(text);
  });
  const resolve = (value) => value.replace(/var\(--cell-([a-z-]+),[^)]*\)/g, (_, name) => inst.inks[Object.keys(COLOUR_PROPERTIES).find((key) => COLOUR_PROPERTIES[key] === name)] ?? theme.ink).replace(/currentColor/g, theme.ink);
  root.setAttribute("font-family", EXPORT_FONT);
  for (const node of root.querySelectorAll("*")) {
    if (node.getAttribute("font-family") === theme.sans) node.setAttribute("font-family", EXPORT_FONT);
    for (const name of ["fill", "stroke"]) if (node.hasAttribute(name)) node.setAttribute(name, resolve(node.getAttribute(name)));
    for (const { name } of [...node.attributes]) if (name === "class" || name === "style") node.removeAttribute(name);
  }
  return { text: new XMLSerializer().serializeToString(root), wide, tall };
}

const EXPORT_FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"; // the page's own font does not travel with a file
const EXPORT_MARGIN = 40; // beside the last copy, for what is expected next

function fileName({ data: { meta }, cursor }, ending) {
  const [layer, place, unit] = [shown("layer", meta.layer), shown("character", cursor.step), shown("unit", cursor.unit)];
  return `${meta.model}-inside-layer-${layer}-${meta.step}-${place}-unit-${unit}.${ending}`;
}

export function saveSvg(inst) {
  saveAs(new Blob([exported(inst).text], { type: "image/svg+xml" }), fileName(inst, "svg"));
}

export function savePng(inst) {
  const { text, wide, tall } = exported(inst);
  const picture = new Image();
  picture.onload = () => {
    const canvas = element("canvas", { width: 2 * wide, height: 2 * tall });
    canvas.getContext("2d").drawImage(picture, 0, 0, 2 * wide, 2 * tall);
    URL.revokeObjectURL(picture.src);
    canvas.toBlob((blob) => saveAs(blob, fileName(inst, "png")));
  };
  picture.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
}
