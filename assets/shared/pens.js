// Pens: the same picture on a canvas and as SVG.

export const SERIF = '"STIX Two Text", "Latin Modern Roman", Cambria, Georgia, "Times New Roman", serif';

/** @param {TextStyle} style */
const fontOf = ({ size = 12, weight = 400, italic = false, family }) => `${italic ? "italic " : ""}${weight} ${size}px ${family}`;

/** @implements {Pen} */
export class CanvasPen {
  /** @param {CanvasRenderingContext2D} context */
  constructor(context) {
    this.context = context;
    context.direction = "ltr";
  }

  /** @type {Pen["text"]} */
  text(string, x, y, style) {
    const { context } = this;
    context.font = fontOf(style);
    context.textAlign = style.align ?? "left";
    context.fillStyle = style.fill ?? "#000000";
    context.globalAlpha = style.alpha ?? 1;
    if (style.halo) {
      context.strokeStyle = style.halo;
      context.lineWidth = 3;
      context.lineJoin = "round";
      context.strokeText(string, x, y);
    }
    context.fillText(string, x, y);
    context.globalAlpha = 1;
  }

  /** @type {Pen["rect"]} */
  rect(x, y, width, height, { fill, stroke, line = 1, radius = 0, alpha = 1 }) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.beginPath();
    context.roundRect(x, y, width, height, radius);
    this.finish(fill, stroke, line);
  }

  /** @type {Pen["path"]} */
  path(points, { stroke, line = 1, dash = [], fill, alpha = 1, curve = false }) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.setLineDash(dash);
    context.beginPath();
    const [[left, top], ...rest] = points;
    context.moveTo(left, top);
    if (curve) context.bezierCurveTo(...bezier(rest));
    else for (const [x, y] of rest) context.lineTo(x, y);
    if (fill) context.closePath();
    this.finish(fill, stroke, line);
    context.setLineDash([]);
  }

  /** @type {Pen["circle"]} */
  circle(x, y, radius, { fill, stroke, line = 1 }) {
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.finish(fill, stroke, line);
  }

  /** @param {string | undefined} fill @param {string | undefined} stroke @param {number} line */
  finish(fill, stroke, line) {
    const { context } = this;
    if (fill) {
      context.fillStyle = fill;
      context.fill();
    }
    if (stroke) {
      context.strokeStyle = stroke;
      context.lineWidth = line;
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** @type {Pen["image"]} */
  image(canvas, x, y, width, height) {
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(canvas, x, y, width, height);
  }

  /** @type {Pen["within"]} */
  within(x, y, width, height, draw) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
    draw();
    this.context.restore();
  }
}

/** @param {number[][]} points @returns {[number, number, number, number, number, number]} */
const bezier = ([[a, b], [c, d], [e, f]]) => [a, b, c, d, e, f];

/** @param {unknown} text */
const escaped = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
/** @param {Record<string, unknown>} values */
const attributes = (values) =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => ` ${name}="${escaped(typeof value === "number" ? +value.toFixed(3) : value)}"`)
    .join("");

/** @implements {Pen} */
export class SvgPen {
  constructor() {
    /** @type {string[]} */
    this.parts = [];
    this.clips = 0;
  }

  /** @param {string} name @param {Record<string, unknown>} values @param {string} [content] */
  add(name, values, content) {
    this.parts.push(content === undefined ? `<${name}${attributes(values)}/>` : `<${name}${attributes(values)}>${content}</${name}>`);
  }

  /** @type {Pen["text"]} */
  text(string, x, y, { size = 12, weight, italic, family, fill, align = "left", alpha, halo }) {
    /** @type {Record<string, unknown>} */
    const values = { x, y, fill, opacity: alpha, "font-size": size, "font-weight": weight, "font-family": family };
    values["font-style"] = italic ? "italic" : undefined;
    values["text-anchor"] = { left: undefined, center: "middle", right: "end" }[align];
    if (halo) Object.assign(values, { stroke: halo, "stroke-width": 3, "paint-order": "stroke", "stroke-linejoin": "round" });
    this.add("text", values, escaped(string));
  }

  /** @type {Pen["rect"]} */
  rect(x, y, width, height, { fill = "none", stroke, line = 1, radius = 0, alpha }) {
    this.add("rect", { x, y, width, height, rx: radius || undefined, fill, stroke, "stroke-width": stroke && line, opacity: alpha });
  }

  /** @type {Pen["path"]} */
  path(points, { stroke, line = 1, dash, fill = "none", alpha, curve = false }) {
    const [start, ...rest] = points.map((point) => point.map((v) => +v.toFixed(2)).join(" "));
    const d = `M${start}${curve ? "C" : "L"}${rest.join(curve ? " " : "L")}${fill === "none" ? "" : "Z"}`;
    this.add("path", { d, fill, stroke, "stroke-width": stroke && line, "stroke-dasharray": dash?.join(" ") || undefined, opacity: alpha });
  }

  /** @type {Pen["circle"]} */
  circle(cx, cy, r, { fill = "none", stroke, line = 1 }) {
    this.add("circle", { cx, cy, r, fill, stroke, "stroke-width": stroke && line });
  }

  /** @type {Pen["image"]} */
  image(canvas, x, y, width, height) {
    this.add("image", { x, y, width, height, href: canvas.toDataURL(), preserveAspectRatio: "none", style: "image-rendering:pixelated" });
  }

  /** @type {Pen["within"]} */
  within(x, y, width, height, draw) {
    const id = `clip${this.clips++}`;
    this.parts.push(`<clipPath id="${id}"><rect${attributes({ x, y, width, height })}/></clipPath><g clip-path="url(#${id})">`);
    draw();
    this.parts.push("</g>");
  }

  /** The whole picture as SVG. @param {number} width @param {number} height */
  finished(width, height) {
    const size = attributes({ width, height, viewBox: `0 0 ${width} ${height}` });
    return `<svg xmlns="http://www.w3.org/2000/svg"${size}>${this.parts.join("\n")}</svg>`;
  }
}

/** @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser gives no canvas to draw on.");
  return context;
}

/** @type {CanvasRenderingContext2D | null} */
let ruler = null;

/** The width of a text in pixels, as the browser sets it. @type {Ruler} */
export function widthOf(string, style) {
  ruler ??= contextOf(document.createElement("canvas"));
  ruler.font = fontOf(style);
  return ruler.measureText(string).width;
}

/**
 * A pen on a canvas of so many CSS pixels, wiped; ratio: device pixels in each.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {number} ratio
 */
export function penOn(canvas, width, height, ratio) {
  const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== tall) {
    canvas.width = wide;
    canvas.height = tall;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = contextOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return new CanvasPen(context);
}

/**
 * A sentence as lines of at most so many pixels, broken between words.
 * @param {string} sentence
 * @param {TextStyle} style
 * @param {number} width
 * @param {Ruler} measure
 */
export function wrapped(sentence, style, width, measure = widthOf) {
  /** @type {string[]} */
  const lines = [];
  for (const word of sentence.split(" ").filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && measure(longer, style) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Accents that stand alone, by the combining mark. @type {Record<string, string>} */
export const STANDALONE = { "\u0303": "\u02dc", "\u0302": "\u02c6", "\u0304": "\u00af" };

/**
 * A symbol with its subscript, such as f or C with a tilde; returns where it ends.
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {string} symbol
 * @param {string} subscript
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
export function drawSymbol(pen, theme, symbol, subscript, x, y, size, fill = theme.ink) {
  const style = { size, italic: true, family: SERIF, fill };
  const small = { ...style, size: size * 0.68 };
  const [letters, accent] = symbol.normalize("NFD").split(/(?=\p{M}$)/u);
  const wide = widthOf(letters, style);
  pen.text(letters, x, y, style);
  // A combining mark often falls back to another font, or lands beside the letter: it is set by hand.
  if (accent) pen.text(STANDALONE[accent] ?? accent, x + wide * 0.62, y - size * 0.22, { ...style, italic: false, align: "center" });
  const after = x + wide + 1;
  pen.text(subscript, after, y + size * 0.24, small);
  return after + widthOf(subscript, small);
}
