// What screen readers hear: a sentence in an aria-live region, once the cursor is at rest.

import { element } from "./elements.js";

export const liveRegion = () => element("div", { className: "live", "aria-live": "polite" });

/**
 * Says sentence() after a pause without another call: where the cursor came to rest, not every place it passed.
 * @param {Instance} inst
 * @param {() => string} sentence
 * @param {number} pause milliseconds
 */
export function speakSoon(inst, sentence, pause = 200) {
  clearTimeout(inst.timers.speak);
  inst.timers.speak = setTimeout(() => (inst.el.live.textContent = sentence()), inst.playing ? 1500 : pause);
}
