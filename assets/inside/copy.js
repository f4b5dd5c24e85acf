// One copy of the cell: the drawing at one step.

import { element, svg } from "../shared/elements.js";
import { shown } from "../shared/numbering.js";
import { percent, written } from "../shared/numbers.js";
import { listed, tr, trN } from "../shared/words.js";
import { cellOfUnit, cellsOf, isByUnit, pooled, sizeOf } from "./colours.js";
import { isSent, rowOf } from "./data.js";
import { momentAt } from "./moments.js";
import { pointAlong } from "./picture.js";
import { LINE_WIDTH, ARROWHEAD_SCALE, STRIP_WIDTH } from "./settings.js";

const kindOf = (node) => (node.localName === "path" && node.dataset.from ? "line" : node.dataset.signal ? "box" : node.classList.contains("reads") || node.classList.contains("writes") ? "end" : "label");

export function makeCopy(inst) {
  const { root, width, height } = inst.art;
  const under = document.importNode(root, true);
  under.setAttribute("aria-hidden", "true");
  under.removeAttribute("role");
  under.querySelectorAll("title, desc, metadata").forEach((node) => node.remove());
  for (const node of under.querySelectorAll("[data-value]")) if (kindOf(node) === "label" && hasTime(node)) node.remove();
  under.querySelectorAll(".reads text, .writes text").forEach((text) => text.remove()); // see makeLabels
  const over = svg("svg", { viewBox: `0 0 ${width} ${height}`, "font-family": under.getAttribute("font-family") ?? "serif", "aria-hidden": "true" });
  const parts = [...under.querySelectorAll("[data-value]")].filter((node) => !node.closest("defs")).map((node) => {
    const kind = kindOf(node);
    const shape = kind === "line" ? node : kind === "label" ? null : node.querySelector("rect, circle, ellipse, polygon, path");
    const targets = new Set([...(node.dataset.to ?? "").split(" "), node.dataset.signal ?? ""].filter(Boolean));
    return { element: node, shape, kind, value: node.dataset.value, targets, tip: null };
  });
  const tips = svg("g", { class: "tips" });
  for (const tip of under.querySelectorAll("path.tip")) {
    const line = parts.findLast((part) => part.kind === "line" && part.element.compareDocumentPosition(tip) & Node.DOCUMENT_POSITION_FOLLOWING);
    const [, x, y] = /^M\s*([-\d.]+)[ ,]+([-\d.]+)/.exec(tip.getAttribute("d"));
    tip.setAttribute("transform", `translate(${x} ${y}) scale(${ARROWHEAD_SCALE}) translate(${-x} ${-y})`);
    if (line) line.tip = tip;
    tips.append(tip);
  }
  const hits = svg("g", { class: "hits", fill: "transparent", stroke: "none" });
  for (const [index, part] of parts.entries()) {
    if (!part.shape) continue;
    const hit = part.shape.cloneNode(false);
    for (const name of ["data-from", "data-to", "data-value", "class", "fill"]) hit.removeAttribute(name);
    if (part.kind === "line") Object.entries({ fill: "none", stroke: "transparent", "stroke-width": 20 }).forEach(([name, value]) => hit.setAttribute(name, value));
    hit.dataset.part = index;
    if (part.kind === "line") hits.prepend(hit);
    else hits.append(hit);
  }
  const pills = svg("g", { class: "pills", "text-anchor": "middle" });
  over.append(tips, pills, hits);
  const canvas = element("canvas", {});
  const copy = { root: element("div", { className: "copy" }, under, canvas, over), under, over, canvas, parts, pills, tips, pillTexts: new Map(), step: null, painted: "", image: null, ghost: element("div", { className: "ghost" }), ...endsOf(under) };
  copy.root.append(copy.ghost);
  return copy;
}

const hasTime = (node) => [...node.querySelectorAll("tspan")].some((span) => TIMES.includes(span.textContent));
export const TIMES = ["t", "t−1"];
export const timeText = (offset) => (offset === 0 ? "t" : offset > 0 ? `t+${offset}` : `t−${-offset}`);

/** The letters of a copy that many steps from the cursor: they move with the cursor, so that no text is laid out anew. */
export function makeLabels(inst, offset) {
  const { root } = inst.art;
  const layer = document.importNode(root, true);
  layer.setAttribute("class", "letters");
  layer.setAttribute("aria-hidden", "true");
  layer.removeAttribute("role");
  for (const group of layer.querySelectorAll(".reads, .writes")) {
    const circle = group.querySelector("circle, ellipse");
    if (group.classList.contains("reads")) standBeside(circle, group.querySelector("text"));
    circle.remove();
  }
  const kept = [...layer.querySelectorAll("[data-value]")].filter((node) => kindOf(node) !== "line" && hasTime(node));
  for (const node of [...layer.children]) if (!kept.some((part) => node.contains(part))) node.remove();
  for (const span of layer.querySelectorAll("tspan")) if (TIMES.includes(span.textContent)) span.textContent = timeText(TIMES.indexOf(span.textContent) * -1 + offset);
  layer.querySelectorAll(".reads text, .writes text").forEach((text) => text.setAttribute("fill", text.closest(".reads") ? "currentColor" : "var(--cell-text, #1a1a1a)"));
  return { layer, offset, parts: kept.map((element) => ({ element, value: element.dataset.value, kind: kindOf(element), targets: new Set() })) };
}

function standBeside(circle, text) {
  const [x, y] = [Number(circle.getAttribute("cx")), Number(circle.getAttribute("cy"))];
  const away = Number(circle.getAttribute("r") ?? circle.getAttribute("rx")) + 9;
  Object.entries({ x: x + away, y: y + 6, "text-anchor": "start" }).forEach(([name, value]) => text.setAttribute(name, value));
  return { x, y };
}

/** In the circle below stands the character itself, x_t beside it; beside the circle above, where h goes. */
function endsOf(under) {
  const [reads, writes] = [under.querySelector(".reads"), under.querySelector(".writes")];
  const glyph = svg("text", { "text-anchor": "middle", "font-size": 27, "font-style": "normal", stroke: "none", class: "glyph" });
  const expects = svg("text", { "font-size": 17, stroke: "none", "font-style": "normal", class: "expects" });
  const below = svg("text", { "font-size": 17, stroke: "none", "font-style": "normal", class: "expects" });
  if (reads) {
    const { x, y } = standBeside(reads.querySelector("circle, ellipse"), below);
    below.setAttribute("x", String(Number(below.getAttribute("x")) + 30)); // x_t stands between
    glyph.setAttribute("x", String(x));
    glyph.setAttribute("y", String(y + 9));
    reads.append(glyph, below);
  }
  if (writes) {
    standBeside(writes.querySelector("circle, ellipse"), expects);
    writes.append(expects);
  }
  return { glyph, expects, below };
}

/** Theme and sizes of a copy: presentation attributes alone, so that a downloaded drawing carries them. */
export function dressCopy(inst, copy) {
  const { theme, layout } = inst;
  for (const node of [copy.under, copy.over, copy.canvas]) {
    node.style.width = `${layout.width}px`;
    node.style.height = `${layout.height}px`;
  }
  copy.root.style.width = `${layout.width}px`;
  copy.root.style.height = `${layout.height}px`;
  copy.under.style.color = theme.ink;
  copy.tips.setAttribute("fill", theme.ink);
  copy.tips.querySelectorAll("path").forEach((tip) => tip.setAttribute("fill", theme.ink));
  copy.glyph.setAttribute("font-family", theme.mono);
  copy.glyph.setAttribute("fill", inst.inks.text);
  for (const words of [copy.expects, copy.below]) {
    words.setAttribute("font-family", theme.sans);
    words.setAttribute("fill", theme.ink);
  }
  copy.canvas.width = layout.pixels;
  copy.canvas.height = layout.rows;
  copy.image = null;
  copy.painted = "";
  copy.pills.replaceChildren();
  copy.pillTexts.clear();
  for (const [value, box] of inst.pills) {
    const frame = svg("rect", { x: box.x, y: box.y, width: box.width, height: box.height, rx: box.height / 2, fill: theme.paper, stroke: theme.ink, "stroke-width": 1.25 });
    const text = svg("text", { x: box.x + box.width / 2, y: box.y + box.height / 2 + 0.35 * layout.letters, "font-size": layout.letters, "font-family": theme.sans, fill: theme.ink, "font-weight": 600 });
    const group = svg("g", { class: "pill" }, frame, text);
    copy.pills.append(group);
    copy.pillTexts.set(value, { group, text });
  }
}

/** How strongly each part stands out: all of them, or those that a step of the walk, or the path, lights. */
function lightsAt(inst, offset) {
  if (inst.look.walk) return inst.walk[inst.look.walk - 1].lights;
  if (inst.look.path === "on") return inst.paths[offset] ?? [];
  return null;
}

function isLit(part, lights) {
  return lights.some((light) => {
    const [value, target] = light.split(" -> ");
    return value === part.value && (!target || part.targets.has(target) || !part.targets.size);
  });
}

const DIMMED_OPACITY = 0.13;

function lightCopy(inst, copy, offset) {
  const lights = lightsAt(inst, offset);
  const pointed = inst.pointed?.offset === offset ? inst.pointed.value : null;
  const key = `${lights?.join("|")}/${pointed}/${inst.theme.ink}/${inst.look.reading}/${inst.epoch}`;
  if (copy.lighting === key) return;
  copy.lighting = key;
  copy.strength = new Float32Array(copy.parts.length).fill(1);
  copy.parts.forEach((part, index) => {
    const lit = lights ? isLit(part, lights) : null;
    const here = part.value === pointed;
    copy.strength[index] = lit === false && !here ? DIMMED_OPACITY : 1;
    const edge = here ? inst.theme.accent : inst.theme.ink;
    part.element.setAttribute("opacity", lit === false && !here ? DIMMED_OPACITY * 1.4 : 1);
    part.element.dataset.lit = lit === null ? "" : lit;
    if (part.kind === "line") {
      part.element.setAttribute("stroke", edge);
      part.element.setAttribute("stroke-width", LINE_WIDTH + (lit ? 3 : 0) + (here ? 4 : 0));
    } else if (part.shape) {
      part.shape.setAttribute("stroke-width", 2 + (lit ? 2 : 0) + (here ? 3 : 0));
      if (here) part.shape.setAttribute("stroke", edge);
      else part.shape.removeAttribute("stroke");
    }
    if (part.tip) {
      part.tip.setAttribute("fill", edge);
      part.tip.setAttribute("opacity", lit === false && !here ? DIMMED_OPACITY * 1.4 : 1);
    }
  });
  for (const [value, { group }] of copy.pillTexts) {
    const lit = !lights || copy.parts.some((part) => part.value === value && isLit(part, lights));
    group.setAttribute("opacity", lit ? 1 : DIMMED_OPACITY);
  }
}

/** The letters: lit or dimmed as their vectors are; where a copy stands on the left, its own label names the line that comes in. */
export function lightLabels(inst) {
  for (const { offset, parts, layer } of inst.labels) {
    const lights = lightsAt(inst, offset);
    layer.style.color = inst.theme.ink;
    for (const { element, value, kind, targets } of parts) {
      const lit = !lights || isLit({ value, targets }, lights);
      element.setAttribute("opacity", lit ? 1 : 2 * DIMMED_OPACITY);
      element.setAttribute("visibility", kind === "label" && value.endsWith("@-1") && inst.look.copies === "three" ? "hidden" : "visible");
    }
  }
}

/** Brings a copy to show its step: colours, numbers, the character, the subscripts. Does nothing when it does already. */
export function paintCopy(inst, copy) {
  const { data, cursor, look } = inst;
  const offset = copy.step - cursor.step;
  lightCopy(inst, copy, offset);
  const key = `${inst.epoch}/${copy.step}/${look.reading}/${look.state}/${cursor.unit}/${copy.lighting}`;
  if (copy.painted === key) return;
  copy.painted = key;
  const there = copy.step >= 0 && copy.step < data.meta.steps;
  const sent = there && isSent(data, copy.step);
  copy.root.classList.toggle("absent", !sent);
  copy.ghost.replaceChildren(...(sent ? [] : [element("span", { textContent: absence(inst, copy.step, there) })]));
  copy.ghost.style.justifyContent = offset < 0 ? "flex-end" : offset > 0 ? "flex-start" : "center"; // of a neighbour, the near side is in view
  const context = copy.canvas.getContext("2d");
  if (!sent) {
    context.clearRect(0, 0, copy.canvas.width, copy.canvas.height);
    copy.image = null;
    return;
  }
  const moment = momentAt(inst, copy.step);
  const { image } = (copy.image ??= blank(context, inst.layout));
  const byUnit = look.reading === "unit";
  const order = [...inst.raster].sort((a, b) => copy.strength[a.index] - copy.strength[b.index]); // what is lit lies on top
  for (const strip of order) paintStrip(copy, strip, stripColours(inst, moment, strip, byUnit));
  context.putImageData(image, 0, 0);
  if (!byUnit) drawTicks(inst, copy, context);
  writePills(inst, copy, moment, byUnit);
  writeEnds(inst, copy);
}

function absence(inst, step, there) {
  if (there) return "…";
  if (step >= inst.data.meta.steps) return tr("nothing comes after the last character, yet");
  const { data } = inst;
  const states = data.meta.states.map((name) => [data.signals[name].symbol, rowOf(data, name, -1)]);
  const zero = states.every(([, row]) => !row || row.every((value) => value === 0));
  const symbols = listed(states.map(([symbol]) => symbol));
  const { length } = states;
  return zero
    ? trN("before the text: {symbols} starts at 0 in every unit", "before the text: {symbols} start at 0 in every unit", length, { symbols })
    : trN("before the text: {symbols} as an earlier text left it", "before the text: {symbols} as an earlier text left them", length, { symbols });
}

function blank(context, { pixels, rows }) {
  const image = context.createImageData(pixels, rows);
  return { image, words: new Uint32Array(image.data.buffer) };
}

export function stripColours(inst, moment, strip, byUnit) {
  const cells = cellsOf(inst, moment, strip.value);
  if (byUnit && isByUnit(inst.data, strip.value)) return cells.colours[inst.cursor.unit];
  return pooled(cells, strip.bins);
}

function paintStrip(copy, { index, pixels, cells, alphas }, colours) {
  const { words } = copy.image;
  const strength = copy.strength[index];
  const one = typeof colours === "number";
  for (let k = 0; k < pixels.length; k++) {
    const colour = one ? colours : colours[cells[k]];
    words[pixels[k]] = (colour & 0xffffff) | ((alphas[k] * strength) << 24);
  }
}

/** Where the picked unit's cell lies on each line. */
function drawTicks(inst, copy, context) {
  const { data, cursor, layout, theme } = inst;
  const scale = layout.scale * inst.ratio;
  const ways = inst.measured.strips.filter((strip) => strip.line && copy.strength[strip.index] === 1).map((strip) => {
    const cell = cellOfUnit(data, strip.value, cursor.unit);
    if (cell < 0) return null;
    const { x, y, dx, dy } = pointAlong(strip, (cell + 0.5) / sizeOf(data, data.meta.drawn[strip.value].tree));
    const reach = STRIP_WIDTH / 2 + 3.5;
    return [(x - dy * reach) * scale, (y + dx * reach) * scale, (x + dy * reach) * scale, (y - dx * reach) * scale];
  });
  for (const [colour, wide] of [[theme.paper, 4.2], [theme.accent, 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = wide * scale;
    context.beginPath();
    for (const way of ways.filter(Boolean)) {
      context.moveTo(way[0], way[1]);
      context.lineTo(way[2], way[3]);
    }
    context.stroke();
  }
}

function writePills(inst, copy, moment, byUnit) {
  copy.pills.setAttribute("visibility", byUnit ? "visible" : "hidden");
  if (!byUnit) return;
  for (const [value, { group, text }] of copy.pillTexts) {
    const number = moment.drawn(value)[inst.cursor.unit];
    text.textContent = written(number); // tanh C changes the colours alone: these numbers add up
    group.dataset.shown = value;
    group.dataset.number = number;
  }
}

function writeEnds(inst, copy) {
  const { data } = inst;
  const [drawn, , kind] = data.meta.glyphs[data.steps.typed[copy.step]];
  copy.glyph.textContent = drawn;
  copy.glyph.setAttribute("font-size", kind === "boxed" ? 13 : 27);
  copy.below.textContent = data.meta.layer ? `= ${tr("h of layer {layer}", { layer: shown("layer", data.meta.layer - 1) })}` : "";
  const top = data.meta.layer === data.meta.allLayers - 1;
  const next = data.ranks.length && data.meta.glyphs[data.steps.next0[copy.step]];
  if (!top) copy.expects.textContent = tr("to layer {layer}", { layer: shown("layer", data.meta.layer + 1) });
  else copy.expects.textContent = next ? tr("expects {next}", { next: `${next[0]} ${percent(data.steps.chance0[copy.step] / 65535)}` }) : "";
}
