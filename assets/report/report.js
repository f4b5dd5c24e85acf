// A page without a server: its components are fed from data that stand in the page.

import gates from "../gates/gates.js";
import inside from "../inside/inside.js";
import { tableOf } from "../shared/tables.js";

/** Draws a component at the element of that name, again when the colours of the system change; a pin in one component moves the others. */
function draw(name, component) {
  const { meta, view, tables } = JSON.parse(document.getElementById(`data-${name}`).textContent);
  const parentElement = document.getElementById(name);
  const data = { ...Object.fromEntries(Object.entries(tables).map(([key, columns]) => [key, tableOf(columns)])), meta, view };
  const setStateValue = (what, value) => {
    if (what === "pin") dispatchEvent(new CustomEvent("pin", { detail: { ...value, by: name } }));
  };
  const paint = () => component({ data, parentElement, setStateValue });
  addEventListener("pin", (event) => {
    const { by, step, unit, layer } = /** @type {CustomEvent} */ (event).detail;
    if (by === name || (meta.layer ?? layer) !== layer) return;
    data.view = { ...data.view, pin: { step, unit, layer, model: view.pin.model }, serial: data.view.serial + 1 };
    paint();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  paint();
}

draw("gates", gates);
draw("inside", inside);
