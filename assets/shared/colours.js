// Colours: the theme of the page around a view, mixtures, and the tables that heatmaps are painted with.

import { contextOf } from "./pens.js";

/**
 * The colours and fonts of the page around an element.
 * @param {Element} root
 * @returns {Theme}
 */
export function readTheme(root) {
  const style = getComputedStyle(root);
  const probe = contextOf(document.createElement("canvas"));
  /** @param {string} name @param {string} fallback */
  const colour = (name, fallback) => {
    probe.fillStyle = fallback;
    probe.fillStyle = style.getPropertyValue(name).trim() || fallback;
    const found = String(probe.fillStyle);
    return found.startsWith("#") ? found : fallback;
  };
  /** @param {string} name @param {string} fallback */
  const family = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const paper = colour("--st-background-color", "#ffffff");
  const dark = luminance(paper) < 0.35;
  const ink = colour("--st-text-color", dark ? "#f2f4f8" : "#1b1f24");
  return {
    dark, paper, ink,
    name: dark ? "dark" : "light",
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

/** @param {string} hex */
const channels = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

/**
 * How light a colour is, 0 to 1.
 * @param {string} hex as #rrggbb
 */
export function luminance(hex) {
  const [r, g, b] = channels(hex);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

/**
 * A share of one colour and the rest of the other.
 * @param {string} one as #rrggbb
 * @param {string} other as #rrggbb
 * @param {number} share 0 to 1
 */
export function mix(one, other, share) {
  const [a, b] = [channels(one), channels(other)];
  return `#${a.map((v, k) => Math.round(v * share + b[k] * (1 - share)).toString(16).padStart(2, "0")).join("")}`;
}

/**
 * A 32-bit pixel for every level, so that painting is one look-up.
 * @param {string} hex 256 colours of six digits each
 * @param {number} levels
 */
export function colourTable(hex, levels) {
  const table = new Uint32Array(levels + 1);
  for (let level = 0; level <= levels; level++) {
    const at = 6 * Math.round((255 * level) / levels);
    const [r, g, b] = [0, 2, 4].map((k) => parseInt(hex.slice(at + k, at + k + 2), 16));
    table[level] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return table;
}

/**
 * The tables of all scales of colour in the present theme, kept until the theme changes: by scale, levels + 1 pixels each.
 * @param {Instance} inst
 * @param {number} levels
 * @returns {Record<string, Uint32Array>}
 */
export function colourTables(inst, levels) {
  const { name } = inst.theme;
  if (inst.tables?.theme !== name) {
    inst.tables = { theme: name };
    for (const [scale, hex] of Object.entries(inst.data.meta.colours)) inst.tables[scale] = colourTable(hex[name], levels);
  }
  return inst.tables;
}
