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
