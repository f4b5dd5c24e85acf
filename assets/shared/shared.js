// What the components share: colours, pens, numbers as words, controls. It stands before each component's own file.

const SERIF = '"STIX Two Text", "Latin Modern Roman", Cambria, Georgia, "Times New Roman", serif';
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

// ---------------------------------------------------------------- numbers and words

function written(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = value.toFixed(size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0);
  return text.replace(/^-(?=0\.0+$)/, "").replace("-", "−");
}

const percent = (chance) => (chance < 0.0005 ? "<0.1 %" : `${(100 * chance).toFixed(chance < 0.1 ? 1 : 0)} %`);

const written0 = (value) => String(+value.toPrecision(3)).replace("-", "−");

// ---------------------------------------------------------------- colours

function readTheme(root) {
  const style = getComputedStyle(root);
  const probe = document.createElement("canvas").getContext("2d");
  const colour = (name, fallback) => {
    probe.fillStyle = fallback;
    probe.fillStyle = style.getPropertyValue(name).trim() || fallback;
    return probe.fillStyle.startsWith("#") ? probe.fillStyle : fallback;
  };
  const family = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const paper = colour("--st-background-color", "#ffffff");
  const dark = luminance(paper) < 0.35;
  const ink = colour("--st-text-color", dark ? "#f2f4f8" : "#1b1f24");
  return {
    dark, paper, ink,
    quiet: mix(ink, paper, 0.62),
    faint: mix(ink, paper, 0.16),
    empty: mix(ink, paper, 0.06),
    accent: colour("--st-primary-color", "#d6336c"),
    replaced: dark ? "#ffb454" : "#a35200",
    operation: dark ? "#8a3f5a" : "#f9c9d6",
    operationEdge: dark ? "#e79ab4" : "#8f3f58",
    sans: family("--st-font", "system-ui, sans-serif"),
    mono: `${family("--st-code-font", "ui-monospace")}, ui-monospace, "DejaVu Sans Mono", monospace`,
  };
}

const channels = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

function luminance(hex) {
  const [r, g, b] = channels(hex);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

function mix(one, other, share) {
  const [a, b] = [channels(one), channels(other)];
  return `#${a.map((v, k) => Math.round(v * share + b[k] * (1 - share)).toString(16).padStart(2, "0")).join("")}`;
}

/** A 32-bit pixel for every level, so that painting is one look-up. */
function colourTable(hex, levels) {
  const table = new Uint32Array(levels + 1);
  for (let level = 0; level <= levels; level++) {
    const at = 6 * Math.round((255 * level) / levels);
    const [r, g, b] = [0, 2, 4].map((k) => parseInt(hex.slice(at + k, at + k + 2), 16));
    table[level] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return table;
}

// ---------------------------------------------------------------- pens: the same picture on a canvas and as SVG

const fontOf = ({ size = 12, weight = 400, italic = false, family }) => `${italic ? "italic " : ""}${weight} ${size}px ${family}`;

class CanvasPen {
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

class SvgPen {
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

const ruler = document.createElement("canvas").getContext("2d");

function widthOf(string, style) {
  ruler.font = fontOf(style);
  return ruler.measureText(string).width;
}

function penOn(canvas, width, height, ratio) {
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
function wrapped(sentence, style, width) {
  const lines = [];
  for (const word of sentence.split(" ").filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && widthOf(longer, style) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

const STANDALONE = { "\u0303": "\u02dc", "\u0302": "\u02c6", "\u0304": "\u00af" };

function drawSymbol(pen, theme, symbol, subscript, x, y, size, fill = theme.ink) {
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

// ---------------------------------------------------------------- elements

const ICONS = {
  play: "M3 1.5v11l9-5.5z",
  pause: "M2.5 1.5h3.2v11H2.5zM8.3 1.5h3.2v11H8.3z",
  back: "M10.5 1.5v11L4 7zM2.2 1.5h1.6v11H2.2z",
  forward: "M3.5 1.5v11L10 7zM10.2 1.5h1.6v11h-1.6z",
  minus: "M1.5 6h11v2h-11z",
  plus: "M1.5 6h4.500V1.500h2V6h4.500v2H8v4.500H6V8H1.500z",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 14 14");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-") || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children);
  return node;
}

const option = (value, words) => element("option", { value, textContent: words });

const iconButton = (name, label, key = "") =>
  element("button", { type: "button", className: name, title: key ? `${label} (${key})` : label, "aria-label": label }, icon(name));

const choice = (label, choices) =>
  element("select", { "aria-label": label, title: label }, ...choices.map(([value, words]) => option(value, words)));

function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.replace(/[^\w.-]+/g, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// ---------------------------------------------------------------- playing: inst.player says where one is, how far it goes, and goes

function togglePlay(inst) {
  if (inst.playing) return stop(inst);
  const { here, last, go } = inst.player;
  if (here() >= last()) go(0);
  Object.assign(inst, { playing: true, owed: 0, before: performance.now() });
  inst.frame = requestAnimationFrame((now) => tick(inst, now));
  showPlaying(inst);
}

function stop(inst) {
  cancelAnimationFrame(inst.frame);
  inst.playing = false;
  showPlaying(inst);
}

function tick(inst, now) {
  const { here, last, go } = inst.player;
  inst.owed += (Math.max(0, now - inst.before) / 1000) * inst.speed;
  inst.before = now;
  const by = Math.floor(inst.owed);
  inst.owed -= by;
  if (by > 0) go(Math.min(here() + by, last()));
  if (here() >= last()) return stop(inst);
  inst.frame = requestAnimationFrame((later) => tick(inst, later));
}

function showPlaying(inst) {
  const { play } = inst.el;
  play.replaceChildren(icon(inst.playing ? "pause" : "play"));
  play.setAttribute("aria-label", inst.playing ? "Pause" : "Play");
  play.title = `${inst.playing ? "Pause" : "Play"} (Space)`;
}

// ---------------------------------------------------------------- one instance for each place on the page

const instances = new WeakMap();

function destroy(parentElement) {
  const inst = instances.get(parentElement);
  if (!inst) return;
  stop(inst);
  inst.observer.disconnect();
  Object.values(inst.timers).forEach(clearTimeout);
  inst.root.replaceChildren();
  instances.delete(parentElement);
}
