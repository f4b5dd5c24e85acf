// One instance for each place on the page.

import { stop } from "./player.js";

/** @type {WeakMap<object, any>} */
export const instances = new WeakMap();

/** @param {object} parentElement */
export function destroy(parentElement) {
  const inst = instances.get(parentElement);
  if (!inst) return;
  stop(inst);
  inst.observer.disconnect();
  Object.values(inst.timers).forEach((timer) => clearTimeout(timer));
  inst.root.replaceChildren();
  instances.delete(parentElement);
}

/**
 * Runs a view: makes its instance the first time, then hands it the data. settle: what a new one still does after that.
 * @param {ComponentArguments} given
 * @param {{ selector: string, unpack(data: any): any, create(root: any, data: any): any, update(inst: any, data: any): void, settle?: (inst: any) => void }} view
 */
export function run({ data, parentElement, setStateValue }, { selector, unpack, create, update, settle = () => {} }) {
  if (!parentElement.isConnected) return () => {}; // the page was left before its module was there
  const unpacked = unpack(data);
  const known = instances.get(parentElement);
  const inst = known ?? create(parentElement.querySelector(selector), unpacked);
  if (!known) instances.set(parentElement, inst);
  inst.send = setStateValue;
  update(inst, unpacked);
  if (!known) settle(inst);
  return () => destroy(parentElement);
}

/**
 * @param {Partial<Instance> & { root: HTMLElement }} inst
 * @param {(inst: any) => void} repaint
 */
export function watchWidth(inst, repaint) {
  inst.observer = new ResizeObserver(() => inst.root.clientWidth !== inst.layout?.width && repaint(inst));
  inst.observer.observe(inst.root);
}
