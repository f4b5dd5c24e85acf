// One instance for each place on the page.

import { stop } from "./player.js";

export const instances = new WeakMap();

export function destroy(parentElement) {
  const inst = instances.get(parentElement);
  if (!inst) return;
  stop(inst);
  inst.observer.disconnect();
  Object.values(inst.timers).forEach(clearTimeout);
  inst.root.replaceChildren();
  instances.delete(parentElement);
}

/** Runs a view: makes its instance the first time, then hands it the data. settle: what a new one still does after that. */
export function run({ data, parentElement, setStateValue }, { selector, unpack, create, update, settle = null }) {
  const unpacked = unpack(data);
  let inst = instances.get(parentElement);
  const fresh = !inst;
  if (fresh) {
    inst = create(parentElement.querySelector(selector), unpacked);
    instances.set(parentElement, inst);
  }
  inst.send = setStateValue;
  update(inst, unpacked);
  if (fresh) settle?.(inst);
  return () => destroy(parentElement);
}

export function watchWidth(inst, repaint) {
  inst.observer = new ResizeObserver(() => inst.root.clientWidth !== inst.layout?.width && repaint(inst));
  inst.observer.observe(inst.root);
}
