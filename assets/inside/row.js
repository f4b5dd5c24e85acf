// The row of copies: one for each step that is shown.

import { reducedMotion } from "../shared/elements.js";
import { dressCopy, lightLabels, makeCopy, makeLabels, paintCopy } from "./copy.js";
import { isSent } from "./data.js";
import { measureArt, placePills, rasterised } from "./picture.js";
import { COMPACT_WIDTH, MAX_HEIGHT } from "./settings.js";

function layoutStage(inst) {
  const { art } = inst;
  const wide = Math.max(240, inst.root.clientWidth);
  const compact = wide < COMPACT_WIDTH;
  const three = inst.look.copies === "three";
  const two = inst.look.path === "on" && !compact && three;
  const share = two ? wide / (art.width + art.stride + 30) : ((compact || !three ? 1 : 0.7) * wide) / art.width;
  const wanted = Math.min(share, 1.12, MAX_HEIGHT / art.height);
  inst.ratio = window.devicePixelRatio || 1;
  const pixels = Math.round(art.width * wanted * inst.ratio);
  const scale = pixels / inst.ratio / art.width;
  const rows = Math.ceil(art.height * scale * inst.ratio);
  const letters = Math.max(15, 11 / scale);
  return {
    wide, compact, scale, pixels, rows, letters, width: pixels / inst.ratio, height: rows / inst.ratio,
    stride: (Math.round(art.stride * scale * inst.ratio) / inst.ratio), origin: Math.round(wide / 2 - (art.width / 2 + (two ? art.stride / 2 : 0)) * scale),
  };
}

/** Finds the pixels of all lines, where they are not known: new numbers alone do not change them. Returns whether they were known. */
function measure(inst) {
  const { layout, ratio, copies } = inst;
  const { units, inputs } = inst.data.meta;
  const shape = [layout.scale, layout.pixels, layout.rows, layout.letters, ratio, units, inputs].join();
  if (inst.measured && inst.shape === shape) return true;
  inst.shape = shape;
  inst.measured ??= measureArt(inst, copies[0]);
  inst.raster = inst.measured.strips.map((strip) => rasterised(inst, strip, layout.scale * ratio, layout.pixels, layout.rows));
  inst.pills = placePills(inst, layout.letters * 3.5, layout.letters * 1.4);
  return false;
}

export function arrange(inst) {
  const { el } = inst;
  inst.layout = layoutStage(inst);
  inst.epoch++;
  inst.moments.clear();
  if (!inst.copies.length) {
    inst.copies = Array.from({ length: 5 }, () => makeCopy(inst));
    inst.labels = [-2, -1, 0, 1, 2].map((offset) => makeLabels(inst, offset));
    el.track.replaceChildren(...inst.copies.map((copy) => copy.root), ...inst.labels.map(({ layer }) => layer));
  }
  for (const { layer } of inst.labels) Object.assign(layer.style, { width: `${inst.layout.width}px`, height: `${inst.layout.height}px` });
  el.stage.style.height = `${inst.layout.height}px`;
  inst.copies[0].under.style.width = `${inst.layout.width}px`;
  const isMeasured = measure(inst);
  const dress = JSON.stringify(inst.theme);
  if (!isMeasured || inst.dress !== dress) inst.copies.forEach((copy) => dressCopy(inst, copy));
  inst.dress = dress;
  for (const copy of inst.copies) copy.lighting = "";
  place(inst, true);
  lightLabels(inst);
}

/** Puts the copies around the cursor; each keeps its step as long as it can, so that a move paints one of them. */
export function place(inst, afresh = false) {
  const { cursor, layout, look, data } = inst;
  const reach = look.copies === "one" ? 0 : inst.hasty ? 1 : 2; // the outermost are seen only where the row slides
  if (afresh || Math.abs(cursor.step - inst.anchor) > 500) inst.anchor = cursor.step;
  const wanted = [];
  for (let step = cursor.step - reach; step <= cursor.step + reach; step++) if (step >= -1 && step <= data.meta.steps) wanted.push(step);
  const free = inst.copies.filter((copy) => !wanted.includes(copy.step));
  for (const step of wanted) {
    const copy = inst.copies.find((c) => c.step === step) ?? free.shift();
    copy.step = step;
    copy.root.hidden = false;
    copy.root.dataset.step = step;
    copy.root.style.transform = `translateX(${layout.origin + (step - inst.anchor) * layout.stride}px)`;
    copy.root.classList.toggle("aside", step !== cursor.step && !(look.path === "on" && step === cursor.step + 1));
    paintCopy(inst, copy);
  }
  for (const copy of free) {
    copy.root.hidden = true;
    copy.step = null;
    delete copy.root.dataset.step;
  }
  for (const { layer, offset } of inst.labels) {
    layer.style.display = wanted.includes(cursor.step + offset) && isSent(data, cursor.step + offset) ? "" : "none";
    layer.style.opacity = offset === 0 || (look.path === "on" && offset === 1) ? 1 : 0.5;
    layer.style.transform = `translateX(${layout.origin + (cursor.step + offset - inst.anchor) * layout.stride}px)`;
  }
}

/** The track stands so that the cursor's copy is in the middle; it slides there when hands are slow enough to be followed. */
export function settle(inst, slide) {
  const { el, cursor, layout } = inst;
  el.track.style.transition = slide && !reducedMotion.matches ? `transform ${slide}ms ease-out` : "none";
  el.track.style.transform = `translateX(${(inst.anchor - cursor.step) * layout.stride}px)`;
}
