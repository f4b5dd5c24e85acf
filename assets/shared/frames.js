/** Reading between frames: a short text is read and painted in the next frame, a long one in slices, so that a field never stalls. */

const FIRST_SLICE = 8; // milliseconds of reading in the frame after a keystroke, which is painted too
const SLICE = 24; // and in each task after it: so long may a keystroke wait
const PROGRESS = 500; // milliseconds between two looks at what is read so far

/**
 * Calls in a task of its own, after what a person types; returns what takes the call back. A timer may wait for four milliseconds more.
 * @param {() => void} call
 */
function inTask(call) {
  /** @type {any} */
  const { scheduler } = globalThis;
  if (!scheduler?.postTask) {
    const timer = setTimeout(call, 0);
    return () => clearTimeout(timer);
  }
  const taken = new AbortController();
  scheduler.postTask(call, { signal: taken.signal }).catch((/** @type {Error} */ error) => {
    if (error.name !== "AbortError") throw error;
  });
  return () => taken.abort();
}

/**
 * A reader that is told when there is something new to read. show(isDone): paints what is read: in the first frame, from time to time,
 * and when all is read.
 * @param {{ read(limits: { milliseconds: number }): boolean }} reading
 * @param {(isDone: boolean) => void} show
 */
export function readInFrames(reading, show) {
  let frame = 0;
  let shown = 0;
  let takeBack = () => {};
  function stop() {
    cancelAnimationFrame(frame);
    takeBack();
    frame = 0;
  }
  /** @param {number} milliseconds @param {boolean} isFirst */
  function next(milliseconds, isFirst) {
    stop();
    const isDone = reading.read({ milliseconds });
    if (isDone || isFirst || performance.now() - shown >= PROGRESS) {
      show(isDone);
      shown = performance.now();
    }
    // tasks and not frames: what a person types comes between them first
    if (!isDone) takeBack = inTask(() => next(SLICE, false));
  }
  return {
    start() {
      takeBack();
      frame ||= requestAnimationFrame(() => next(FIRST_SLICE, true));
    },
    stop,
  };
}
