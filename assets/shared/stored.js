/** Numbers that stand in a page as base64. */

const ARRAYS = { uint16: Uint16Array, float32: Float32Array };

/** @param {string} base64 */
export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

/** @param {{ kind: keyof typeof ARRAYS, base64: string }} column */
export const arrayOf = ({ kind, base64 }) => new ARRAYS[kind](bytesOf(base64).buffer);
