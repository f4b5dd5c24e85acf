/**
 * What the drawing is made alive with, filled by the browser's engine instead of by Python: the same object that `unpack` of data.js makes of
 * a trace, as far as the text is read. lstm_core/browser/inside.py says how the layer is drawn (`described`). No document.
 *
 *     const filler = new DrawingFiller(reading, described);
 *     show({ data: filler.data(textOf(heatmaps), view), parentElement, setStateValue });
 *
 * After an edit what comes before it is kept, here as in the reading.
 */

import { equationsOf } from "../shared/equations/equations.js";
import { Moment } from "../shared/equations/moment.js";
import { colourLimit } from "../shared/limits.js";
import { stepAt } from "./data.js";

/** Numbers that grow with the text: (time x unit), time first. */
class Grown {
  constructor() {
    this.kept = new Float32Array(0);
  }

  /** @param {Float32Array} values of all steps @param {number} from the first that is new */
  fill(values, from) {
    if (values.length > this.kept.length) {
      const grown = new Float32Array(2 * values.length);
      grown.set(this.kept.subarray(0, from));
      this.kept = grown;
    }
    this.kept.set(values.subarray(from), from);
    return this.kept.subarray(0, values.length);
  }
}

/** What is said of the text's characters: taken from the heatmaps of the same reading, which `Filler` of assets/gates/from_reading.js fills. */
export function textOf({ meta, readers }) {
  const [reader] = readers;
  const { typed, read, surprise, ranks } = reader;
  const expected = ranks.flatMap((rank) => [`next${rank}`, `chance${rank}`]).map((name) => [name, reader[name]]);
  return { glyphs: meta.glyphs, rest: meta.rest, ranks, steps: { typed, read, surprise, ...Object.fromEntries(expected) } };
}

/** One layer of a reading, as the drawing wants it. */
export class DrawingFiller {
  /** @param {EngineReading} reading @param {any} described what lstm_core/browser/inside.py says of the drawing */
  constructor(reading, described) {
    this.reading = reading;
    this.described = described;
    this.equations = equationsOf(described);
    this.filled = 0; // so many steps of what is kept below are the reading's
    this.ids = new Int32Array(0); // what was read at them
    this.clamps = reading.clamps;
    /** @type {Map<string, Grown>} */
    this.numbers = new Map(reading.model.signals.map((name) => [name, new Grown()]));
    this.below = new Grown(); // h of the layer below
    /** Of vectors whose limits depend on the text: their values at the steps that were looked at. @type {Map<string, Map<number, Float32Array>>} */
    this.looked = new Map();
    /** The limits that stand while a text is half read. @type {Map<string, { limit: number, most: number }>} */
    this.limits = new Map();
    const { model } = reading;
    const { layer } = described;
    const prefix = `_l${layer}`;
    const own = [...model.parameters].filter(([name]) => name.endsWith(prefix));
    this.weights = Object.fromEntries(own.map(([name, values]) => [name.slice(0, -prefix.length), values]));
  }

  /** All of it, as far as it is read. @param {any} text see `textOf` @param {any} view */
  data(text, view) {
    const { reading, described, equations, weights } = this;
    const { model, steps, done } = reading;
    const { layer, input } = described;
    this.keepWhatIsSame();
    const from = this.filled * model.units;
    const values = Object.fromEntries(equations.signals.map(({ name }) => [name, this.numbers.get(name).fill(reading.signal(layer, name), from)]));
    const below = input === "hidden" ? this.below.fill(reading.signal(layer - 1, "hidden"), from) : null;
    this.filled = done;
    this.ids = reading.ids;
    const { glyphs, rest, ranks } = text;
    const clamped = reading.clamps.length > 0;
    const data = {
      ...{ view, weights, values, equations, ranks, steps: text.steps, ids: reading.ids, signals: equations.named },
      meta: { ...described, ...{ steps, start: 0, columns: done, glyphs, rest, clamped, drawn: {} } },
      before: reading.runs[layer].initial,
      x: input === "embedding" ? model.weight("embedding.weight") : below,
    };
    if (done === steps) this.limits = new Map();
    for (const [spelling, drawn] of Object.entries(described.drawn)) data.meta.drawn[spelling] = drawn.low === null ? this.limited(data, drawn) : drawn;
    return data;
  }

  /** Forgets what was kept of steps that are another text's, or were held otherwise. */
  keepWhatIsSame() {
    const { reading, ids } = this;
    let same = reading.clamps === this.clamps ? 0 : -1;
    if (same === 0) while (same < this.filled && same < reading.done && ids[same] === reading.ids[same]) same++;
    this.filled = Math.max(0, same);
    this.clamps = reading.clamps;
    for (const values of this.looked.values()) for (const step of values.keys()) if (step >= this.filled) values.delete(step);
  }

  /** A vector whose limits are found when it is drawn. */
  limited(data, drawn) {
    const find = () => {
      const key = drawn.state ?? drawn.tree.spelling;
      if (!this.limits.has(key)) this.limits.set(key, this.limitOf(data, drawn));
      return this.limits.get(key);
    };
    return { ...drawn, get low() { return -find().limit; }, get high() { return find().limit; }, get most() { return find().most; } };
  }

  limitOf({ meta, values, equations, ...data }, { tree, state }) {
    const { rules, units, columns } = meta;
    if (state) return colourLimit(values[state], units, rules);
    if (!this.looked.has(tree.spelling)) this.looked.set(tree.spelling, new Map());
    const known = this.looked.get(tree.spelling);
    const found = spread(columns, rules.lookedAt).map((step) => {
      if (!known.has(step)) known.set(step, Float32Array.from(new Moment(equations, stepAt({ meta, values, ...data }, step)).vector(tree)));
      return known.get(step);
    });
    const size = found[0]?.length ?? units;
    const flat = new Float32Array(found.length * size);
    found.forEach((row, k) => flat.set(row, k * size));
    return colourLimit(flat, size, rules);
  }
}

/** Steps spread over a text, the first and the last among them: as NumPy's linspace, cut to whole numbers. @param {number} steps @param {number} most */
function spread(steps, most) {
  if (steps <= most) return Array.from({ length: steps }, (_, step) => step);
  const stride = (steps - 1) / (most - 1);
  return Array.from({ length: most }, (_, k) => (k === most - 1 ? steps - 1 : Math.floor(k * stride)));
}
