// Playing: inst.player says where one is and how far it goes, and goes there.

import { icon, iconButton } from "./elements.js";
import { tr } from "./words.js";

/** The buttons that go through a text, and play it. */
export const stepButtons = () => ({
  back: iconButton("back", tr("Step back"), "←"),
  play: iconButton("play", tr("Play"), "Space"),
  forward: iconButton("forward", tr("Step forward"), "→"),
});

/** @param {Instance} inst */
export function togglePlay(inst) {
  if (inst.playing) return stop(inst);
  const { here, last, go } = inst.player;
  if (here() >= last()) go(0);
  Object.assign(inst, { playing: true, owed: 0, before: performance.now() });
  inst.frame = requestAnimationFrame((now) => tick(inst, now));
  showPlaying(inst);
}

/** @param {Instance} inst */
export function stop(inst) {
  cancelAnimationFrame(inst.frame);
  inst.playing = false;
  showPlaying(inst);
}

/**
 * @param {Instance} inst
 * @param {number} now milliseconds
 */
function tick(inst, now) {
  const { here, last, go } = inst.player;
  inst.owed += (Math.max(0, now - inst.before) / 1000) * inst.speed;
  inst.before = now;
  const by = Math.floor(inst.owed);
  inst.owed -= by;
  if (by > 0) go(Math.min(here() + by, last()));
  if (here() >= last()) return stop(inst);
  inst.frame = requestAnimationFrame((later) => tick(inst, later));
}

/** @param {Record<string, any>} inst a view whose el.play is the button */
export function showPlaying(inst) {
  const { play } = inst.el;
  play.replaceChildren(icon(inst.playing ? "pause" : "play"));
  const label = inst.playing ? tr("Pause") : tr("Play");
  play.setAttribute("aria-label", label);
  play.title = `${label} (Space)`;
}
