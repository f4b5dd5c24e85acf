// The drawing's lines and boxes, and where they run.

import { clamp } from "../shared/numbers.js";
import { isByUnit, sizeOf } from "./colours.js";
import { LINE_WIDTH, COPY_OVERLAP, BOX_RIM, STRIP_WIDTH, ARROWHEAD_LENGTH } from "./settings.js";

/** The picture as it was drawn: what it carries, before it is brought to life. */
export function readArt(text) {
  const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const [, , width, height] = (root.getAttribute("viewBox") ?? "").split(/\s+/).map(Number);
  if (root.localName !== "svg" || !(width > 0 && height > 0)) throw new Error("The cell’s picture is no SVG with a viewBox.");
  return { text, root, width, height, stride: width - COPY_OVERLAP, title: root.querySelector("title")?.textContent ?? "", description: root.querySelector("desc")?.textContent ?? "" };
}

/** Points along an outline, with the way to each and its direction; `ends` marks where the pen was lifted. */
function sampled(shape) {
  const total = shape.getTotalLength();
  const count = Math.max(2, Math.ceil(total / 0.75));
  const points = Array.from({ length: count + 1 }, (_, k) => {
    const way = (k / count) * total;
    const { x, y } = shape.getPointAtLength(way);
    return { x, y, way };
  });
  const gap = 1.6 * (total / count);
  const strokes = [[]];
  points.forEach((point, k) => {
    if (k && Math.hypot(point.x - points[k - 1].x, point.y - points[k - 1].y) > gap) strokes.push([]);
    strokes.at(-1).push(point);
  });
  for (const stroke of strokes) {
    stroke.forEach((point, k) => {
      const [a, b] = [stroke[Math.max(0, k - 1)], stroke[Math.min(stroke.length - 1, k + 1)]];
      const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
      [point.dx, point.dy] = [(b.x - a.x) / length, (b.y - a.y) / length];
    });
  }
  return { total, strokes: strokes.filter((stroke) => stroke.length > 1) };
}

/** All that is coloured in the picture, measured once on a copy that stands on the page. */
export function measureArt(inst, copy) {
  const strips = copy.parts.flatMap((part, index) => {
    if (part.kind === "label") return [];
    const line = part.kind === "line";
    const { total, strokes } = sampled(part.shape);
    if (!line) {
      for (const point of strokes.flat()) {
        point.x -= point.dy * (BOX_RIM / 2); // outlines run clockwise: this is inwards
        point.y += point.dx * (BOX_RIM / 2);
      }
    }
    return [{ index, line, value: part.value, total, strokes, half: (line ? STRIP_WIDTH : BOX_RIM) / 2 }];
  });
  const boxes = copy.parts.filter((part) => part.kind === "box" || part.kind === "end").map((part) => part.shape.getBBox());
  const labels = inst.labels.find(({ offset }) => offset === 0).parts.map((part) => part.element.getBBox());
  return { strips, boxes, labels };
}

/** For each strip, the pixels it covers, the cell each belongs to and how far it covers it. */
export function rasterised(inst, strip, scale, width, height) {
  const length = strip.total * scale;
  const size = sizeOf(inst.data, inst.data.meta.drawn[strip.value].tree);
  const bins = Math.max(1, Math.min(size, Math.floor(length)));
  const half = strip.half * scale;
  const found = new Map();
  for (const stroke of strip.strokes) {
    stroke.forEach((point, k) => {
      const [x, y] = [point.x * scale, point.y * scale];
      const reach = Math.ceil(half + 1.5);
      for (let row = Math.max(0, Math.floor(y) - reach); row <= Math.min(height - 1, Math.floor(y) + reach); row++) {
        for (let column = Math.max(0, Math.floor(x) - reach); column <= Math.min(width - 1, Math.floor(x) + reach); column++) {
          const [px, py] = [column + 0.5 - x, row + 0.5 - y];
          const along = px * point.dx + py * point.dy;
          if (strip.line && isBeyond(stroke, k, column + 0.5, row + 0.5, scale)) continue;
          const far = Math.hypot(px, py);
          const at = row * width + column;
          const before = found.get(at);
          if (before && before.far <= far) continue;
          const cover = clamp(half + 0.5 - Math.abs(px * point.dy - py * point.dx), 0, 1);
          found.set(at, { far, cover: far > half + 1.5 ? 0 : cover, cell: clamp(Math.floor(((point.way * scale + along) / length) * bins), 0, bins - 1) });
        }
      }
    });
  }
  const kept = [...found].filter(([, { cover }]) => cover > 0);
  return {
    index: strip.index, value: strip.value, bins, size,
    pixels: Int32Array.from(kept, ([at]) => at),
    cells: Uint16Array.from(kept, ([, { cell }]) => cell),
    alphas: Uint8Array.from(kept, ([, { cover }]) => Math.round(255 * cover)),
  };
}

/** True for a place before a stroke's start or after its end: lines are cut off square. */
function isBeyond(stroke, k, x, y, scale) {
  const past = (point) => (x - point.x * scale) * point.dx + (y - point.y * scale) * point.dy;
  return (k < LINE_WIDTH && past(stroke[0]) < -0.5) || (k > stroke.length - 1 - LINE_WIDTH && past(stroke.at(-1)) > 0.5);
}

/** The point of a line at a share of its way, 0 to 1. */
export function pointAlong(strip, share) {
  const way = share * strip.total;
  let best = strip.strokes[0][0];
  for (const stroke of strip.strokes) {
    const [first, last] = [stroke[0], stroke.at(-1)];
    if (way < first.way - 1 || way > last.way + 1) continue;
    best = stroke[clamp(Math.round(((way - first.way) / (last.way - first.way || 1)) * (stroke.length - 1)), 0, stroke.length - 1)];
  }
  return best;
}

/** Where the unit's number of each vector is written: on one of its lines or beside it, where least is in the way. */
export function placePills(inst, wide, tall) {
  const { strips, boxes, labels } = inst.measured;
  const lines = strips.filter((strip) => strip.line);
  const placed = new Map();
  for (const value of new Set(lines.map((strip) => strip.value).filter((value) => isByUnit(inst.data, value)))) {
    const strangers = lines.filter((strip) => strip.value !== value).flatMap((strip) => strip.strokes.flat());
    let best = null;
    for (const strip of lines.filter((s) => s.value === value)) {
      for (const box of seatsAlong(inst, strip, wide, tall)) {
        const blocked = overlap(box, boxes) + overlap(box, [...placed.values()]);
        const crossed = strangers.filter((p) => p.x > box.x - 6 && p.x < box.x + wide + 6 && p.y > box.y - 6 && p.y < box.y + tall + 6).length;
        const cost = 6 * blocked + 4 * overlap(box, labels) + 25 * crossed + box.cost;
        if (!best || cost < best.cost) best = { ...box, cost, blocked };
      }
    }
    if (best && best.blocked < 0.2 * wide * tall) placed.set(value, best);
  }
  return placed;
}

/** Where along a line a number may stand: best upon its middle, else nearer its ends, else beside it. */
function* seatsAlong(inst, strip, wide, tall) {
  const away = { x: wide / 2 + LINE_WIDTH / 2 + 3, y: tall / 2 + LINE_WIDTH / 2 + 3 };
  const sides = [[0, 0], [away.x, 0], [-away.x, 0], [0, away.y], [0, -away.y]];
  for (const stroke of strip.strokes) {
    for (let k = 4; k < stroke.length - 4; k += 4) {
      const { x, y, way } = stroke[k];
      const hidesHead = Math.max(0, ARROWHEAD_LENGTH - (strip.total - way) + tall / 2);
      for (const [dx, dy] of sides) {
        const left = clamp(x + dx - wide / 2, 2, inst.art.width - wide - 2);
        yield { x: left, y: y + dy - tall / 2, width: wide, height: tall, cost: (dx || dy ? 160 : 10 * hidesHead) + 0.3 * Math.abs(way - strip.total / 2) };
      }
    }
  }
}

const overlap = (box, others) => others.reduce((sum, o) => sum + Math.max(0, Math.min(box.x + box.width, o.x + o.width) - Math.max(box.x, o.x)) * Math.max(0, Math.min(box.y + box.height, o.y + o.height) - Math.max(box.y, o.y)), 0);
