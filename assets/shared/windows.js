// Windows: of a long text some columns are sent; when the view nears their edge, the server is asked for others.

const PAUSE = 150; // milliseconds before the server is asked
const ANSWER = 4000; // milliseconds for an answer, before the server is asked again

/**
 * Whether first..last with so many columns around it leaves the window that was sent.
 * @param {{ start: number, columns: number, steps: number }} window
 * @param {number} first
 * @param {number} last
 * @param {number} margin
 */
export function isOutside({ start, columns, steps }, first, last, margin) {
  return (start > 0 && first - margin < start) || (start + columns < steps && last + margin > start + columns);
}

/**
 * Asks for another window where one is missing; wantedStart(): the first column that it should have.
 * @param {Instance} inst
 * @param {() => boolean} isMissing
 * @param {() => number} wantedStart
 */
export function askForWindow(inst, isMissing, wantedStart) {
  if (inst.timers.ask || !isMissing()) return;
  // Another request would break off the run that answers the one before.
  const pause = inst.asked === null ? PAUSE : Math.max(PAUSE, inst.askedAt + ANSWER - performance.now());
  inst.timers.ask = setTimeout(() => {
    inst.timers.ask = 0;
    const first = isMissing() ? wantedStart() : inst.asked;
    if (first === inst.asked || first === inst.data.meta.start) return;
    Object.assign(inst, { asked: first, askedAt: performance.now() });
    inst.send("start", { first, serial: inst.serial });
  }, pause);
}
