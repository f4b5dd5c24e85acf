// Characters in words.

import { spoken } from "../shared/letters.js";
import { percent } from "../shared/numbers.js";

export const spokenGlyph = (inst, index) => spoken(inst.data.meta.glyphs[index]);

export const expected = (inst, step) => inst.data.ranks.map((rank) => [inst.data.steps[`next${rank}`][step], percent(inst.data.steps[`chance${rank}`][step] / 65535)]);
