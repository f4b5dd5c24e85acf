/** Where the colours of an unbounded signal end, as lstm_core/figures/palette.py has it. */

/** A limit for an axis or a scale, 0 or more, to two digits: 3.21 becomes 3.3. @param {number} value */
export function roundedUp(value) {
  if (value <= 0) return 0;
  const digits = 1 - Math.floor(Math.log10(value));
  const scale = 10 ** digits;
  return Number((Math.ceil(value * scale - 1e-9) / scale).toFixed(Math.min(100, Math.max(digits, 0))));
}

/**
 * Puts the value that would stand at a place of the sorted array there: smaller ones before it, larger ones behind it.
 * @param {Float32Array} values is reordered @param {number} place
 */
function select(values, place) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let left = low;
    let right = high;
    while (left <= right) {
      while (values[left] < pivot) left++;
      while (values[right] > pivot) right--;
      if (left > right) break;
      const kept = values[left];
      values[left++] = values[right];
      values[right--] = kept;
    }
    if (place <= right) high = right;
    else if (place >= left) low = left;
    else return;
  }
}

/** The quantile of values, none of them NaN, between two of them by a straight line, in float32 as NumPy has it. @param {Float32Array} values is reordered @param {number} share */
export function quantile(values, share) {
  const at = Math.fround((values.length - 1) * Math.fround(share));
  const place = Math.min(values.length - 1, Math.floor(at));
  select(values, place);
  let above = place + 1 < values.length ? Infinity : values[place];
  for (let k = place + 1; k < values.length; k++) if (values[k] < above) above = values[k];
  return Math.fround(values[place] + (above - values[place]) * (at - place));
}

/**
 * The limit, the same above and below 0, and the largest absolute value. One unit that runs away must not bleach all others: where the
 * largest value is far beyond the usual ones, the limit covers most of the values alone.
 * @param {Float32Array} values (time x unit), time first @param {number} units
 * @param {{ covered: number, sample: number }} rules the share that is covered, and how many values are looked at for it
 */
export function colourLimit(values, units, { covered, sample }) {
  let most = 0;
  for (let k = 0; k < values.length; k++) if (Math.abs(values[k]) > most) most = Math.abs(values[k]);
  const stride = Math.max(1, Math.floor(values.length / sample));
  const steps = Math.ceil(values.length / units / stride);
  const sizes = new Float32Array(steps * units);
  for (let step = 0, at = 0; step < steps; step++)
    for (let unit = 0, from = step * stride * units; unit < units; unit++) sizes[at++] = Math.abs(values[from + unit]);
  const usual = quantile(sizes, covered);
  return { limit: roundedUp(most > 1.5 * usual ? usual : most) || 1, most };
}
