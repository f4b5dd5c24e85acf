// Pens: the same picture on a canvas and as SVG.

export const SERIF = '"STIX Two Text", "Latin Modern Roman", Cambria, Georgia, "Times New Roman", serif';

const fontOf = ({ size = 12, weight = 400, italic = false, family }) => `${italic ? "italic " : ""}${weight} ${size}px ${family}`;

export class CanvasPen {
  constructor(context) {
    this.context = context;
    context.direction = "ltr";
  }

  text(string, x, y, style) {
    const { context } = this;
    context.font = fontOf(style);
    context.textAlign = style.align ?? "left";
    context.fillStyle = style.fill;
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

  rect(x, y, width, height, { fill, stroke, line = 1, radius = 0, alpha = 1 }) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.beginPath();
    context.roundRect(x, y, width, height, radius);
    this.finish(fill, stroke, line);
  }

  path(points, { stroke, line = 1, dash = [], fill, alpha = 1, curve = false }) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(...points[0]);
    if (curve) context.bezierCurveTo(...points.slice(1).flat());
    else for (const point of points.slice(1)) context.lineTo(...point);
    if (fill) context.closePath();
    this.finish(fill, stroke, line);
    context.setLineDash([]);
  }

  circle(x, y, radius, { fill, stroke, line = 1 }) {
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.finish(fill, stroke, line);
  }

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

  image(canvas, x, y, width, height) {
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(canvas, x, y, width, height);
  }

  within(x, y, width, height, draw) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
    draw();
    this.context.restore();
  }
}

const escaped = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const attributes = (values) =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => ` ${name}="${escaped(typeof value === "number" ? +value.toFixed(3) : value)}"`)
    .join("");

export class SvgPen {
  constructor() {
    this.parts = [];
    this.clips = 0;
  }

  add(name, values, content) {
    this.parts.push(content === undefined ? `<${name}${attributes(values)}/>` : `<${name}${attributes(values)}>${content}</${name}>`);
  }

  text(string, x, y, { size = 12, weight, italic, family, fill, align = "left", alpha, halo }) {
    const values = { x, y, fill, opacity: alpha, "font-size": size, "font-weight": weight, "font-family": family };
    values["font-style"] = italic ? "italic" : undefined;
    values["text-anchor"] = { left: undefined, center: "middle", right: "end" }[align];
    if (halo) Object.assign(values, { stroke: halo, "stroke-width": 3, "paint-order": "stroke", "stroke-linejoin": "round" });
    this.add("text", values, escaped(string));
  }

  rect(x, y, width, height, { fill = "none", stroke, line = 1, radius = 0, alpha }) {
    this.add("rect", { x, y, width, height, rx: radius || undefined, fill, stroke, "stroke-width": stroke && line, opacity: alpha });
  }

  path(points, { stroke, line = 1, dash, fill = "none", alpha, curve = false }) {
    const [start, ...rest] = points.map((point) => point.map((v) => +v.toFixed(2)).join(" "));
    const d = `M${start}${curve ? "C" : "L"}${rest.join(curve ? " " : "L")}${fill === "none" ? "" : "Z"}`;
    this.add("path", { d, fill, stroke, "stroke-width": stroke && line, "stroke-dasharray": dash?.join(" ") || undefined, opacity: alpha });
  }

  circle(cx, cy, r, { fill = "none", stroke, line = 1 }) {
    this.add("circle", { cx, cy, r, fill, stroke, "stroke-width": stroke && line });
  }

  image(canvas, x, y, width, height) {
    this.add("image", { x, y, width, height, href: canvas.toDataURL(), preserveAspectRatio: "none", style: "image-rendering:pixelated" });
  }

  within(x, y, width, height, draw) {
    const id = `clip${this.clips++}`;
    this.parts.push(`<clipPath id="${id}"><rect${attributes({ x, y, width, height })}/></clipPath><g clip-path="url(#${id})">`);
    draw();
    this.parts.push("</g>");
  }

  finished(width, height) {
    const size = attributes({ width, height, viewBox: `0 0 ${width} ${height}` });
    return `<svg xmlns="http://www.w3.org/2000/svg"${size}>${this.parts.join("\n")}</svg>`;
  }
}

let ruler = null;

export function widthOf(string, style) {
  ruler ??= document.createElement("canvas").getContext("2d");
  ruler.font = fontOf(style);
  return ruler.measureText(string).width;
}

export function penOn(canvas, width, height, ratio) {
  const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== tall) {
    canvas.width = wide;
    canvas.height = tall;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return new CanvasPen(context);
}

/** A sentence as lines of at most so many pixels, broken between words. */
export function wrapped(sentence, style, width) {
  const lines = [];
  for (const word of sentence.split(" ").filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && widthOf(longer, style) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

export const STANDALONE = { "\u0303": "\u02dc", "\u0302": "\u02c6", "\u0304": "\u00af" };

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
