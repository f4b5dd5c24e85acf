// Characters and vectors of the drawing in words.

import { spoken } from "../shared/letters.js";
import { shown } from "../shared/numbering.js";
import { percent } from "../shared/numbers.js";
import { listed, tr } from "../shared/words.js";

export const spokenGlyph = (inst, index) => spoken(inst.data.meta.glyphs[index]);

/** The characters that are expected next, the likeliest first, and their chances; none where the text is not read yet. */
export function expected({ data }, step) {
  const { ranks, steps, meta } = data;
  return ranks.map((rank) => [steps[`next${rank}`][step], percent(steps[`chance${rank}`][step] / 65535)]).filter(([index]) => index in meta.glyphs);
}

/** What x is: of the first layer the character, of others what the layer below gives. */
function inputWords({ input, layer }) {
  if (input === "hidden") return tr("h of layer {layer}", { layer: shown("layer", layer - 1) });
  return input === "one-hot" ? tr("the character, one-hot") : tr("the character’s embedding");
}

/** What a vector of the drawing is, in words. */
export function wordsOf(data, node) {
  const of = (child) => wordsOf(data, child);
  switch (node.kind) {
    case "vector": {
      if (node.name === "x") return inputWords(data.meta);
      const { title } = data.signals[node.name];
      return node.previous ? tr("{signal} of the step before", { signal: title }) : title;
    }
    case "diagonal":
      return tr("one weight a unit");
    case "affine":
      return tr("weighted sum of {inputs}", { inputs: listed(node.inputs.map(of)) });
    case "apply":
      return tr("{name} of the {argument}", { name: data.equations.functions[node.function].label, argument: of(node.argument) });
    case "sum":
      return tr("{left} plus {right}", { left: of(node.left), right: of(node.right) });
    case "product":
      return tr("{left} times {right}", { left: of(node.left), right: of(node.right) });
    case "complement":
      return tr("1 minus the {argument}", { argument: of(node.argument) });
    default:
      return tr("{inputs}, put end to end", { inputs: listed(node.inputs.map(of)) });
  }
}
