// Characters in words.

import { percent } from "../shared/numbers.js";

export const spokenGlyph = (inst, index) => {
  const [shown, name, kind] = inst.data.meta.glyphs[index];
  return kind === "plain" ? `“${shown}”` : name;
};

export const expected = (inst, step) => inst.data.ranks.map((rank) => [inst.data.steps[`next${rank}`][step], percent(inst.data.steps[`chance${rank}`][step] / 65535)]);
