/** Reading between frames: a short text is read and painted in the next frame, a long one in slices, so that a field never stalls. */

const FIRST_SLICE = 8; // milliseconds of reading in the frame after a keystroke, which is painted too
const SLICE = 28; // and in each later one: so long may a keystroke wait
const PROGRESS = 300; // milliseconds between two looks at what is read so far

/**
 * A reader that is told when there is something new to read. show(isDone): paints what is read: in the first frame, from time to time,
 * and when all is read.
 * @param {{ read(limits: { milliseconds: number }): boolean }} reading
 * @param {(isDone: boolean) => void} show
 */
export function readInFrames(reading, show) {
  let frame = 0;
  let shown = -Infinity;
  function next() {
    const isDone = reading.read({ milliseconds: shown === -Infinity ? FIRST_SLICE : SLICE });
    frame = isDone ? 0 : requestAnimationFrame(next);
    const now = performance.now();
    if (!isDone && now - shown < PROGRESS) return;
    show(isDone);
    shown = performance.now();
  }
  return {
    start() {
      shown = -Infinity;
      frame ||= requestAnimationFrame(next);
    },
    stop() {
      cancelAnimationFrame(frame);
      frame = 0;
    },
  };
}
