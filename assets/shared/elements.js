// Controls, and files to save.

export const reducedMotion = {
  get matches() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  },
};

/** @type {Record<string, string>} */
const ICONS = {
  play: "M3 1.5v11l9-5.5z",
  pause: "M2.5 1.5h3.2v11H2.5zM8.3 1.5h3.2v11H8.3z",
  back: "M10.5 1.5v11L4 7zM2.2 1.5h1.6v11H2.2z",
  forward: "M3.5 1.5v11L10 7zM10.2 1.5h1.6v11h-1.6z",
  minus: "M1.5 6h11v2h-11z",
  plus: "M1.5 6h4.500V1.500h2V6h4.500v2H8v4.500H6V8H1.500z",
};

export const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * An element of a drawing, with its attributes and children.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG_NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** @param {string} name one of ICONS */
export const icon = (name) => svg("svg", { viewBox: "0 0 14 14", class: "icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/**
 * An element with its properties (attributes where they are aria-* or role) and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-") || name === "role") node.setAttribute(name, String(value));
    else Object.assign(node, { [name]: value });
  }
  node.append(...children);
  return node;
}

/**
 * @param {string} className
 * @param {string} words
 */
export const span = (className, words = "") => element("span", { className, textContent: words });

/**
 * @param {string | number} value
 * @param {string | number} words
 */
export const option = (value, words) => element("option", { value, textContent: words });

/**
 * @param {string} name
 * @param {string} label
 * @param {string} key
 */
export const iconButton = (name, label, key = "") =>
  element("button", { type: "button", className: name, title: key ? `${label} (${key})` : label, "aria-label": label }, icon(name));

/**
 * @param {string} label
 * @param {(string | number)[][]} choices each a value and its words
 */
export const choice = (label, choices) =>
  element("select", { "aria-label": label, title: label }, ...choices.map(([value, words]) => option(value, words)));

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.replace(/[^\w.-]+/g, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
