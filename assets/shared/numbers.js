// Numbers as people read them.

export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

export function written(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = value.toFixed(size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0);
  return text.replace(/^-(?=0\.0+$)/, "").replace("-", "−");
}

export const percent = (chance) => (chance < 0.0005 ? "<0.1 %" : `${(100 * chance).toFixed(chance < 0.1 ? 1 : 0)} %`);

export const written0 = (value) => String(+value.toPrecision(3)).replace("-", "−");
