// The cell's equations at the steps that are drawn.

import { Moment } from "../shared/equations/moment.js";
import { stepAt } from "./data.js";

/** A step as it is drawn: the vectors of the drawing, by their spelling, and the colours of their cells. */
class DrawnMoment extends Moment {
  constructor(data, step) {
    super(data.equations, stepAt(data, step));
    this.shown = data.meta.drawn;
    this.cells = new Map();
  }

  drawn(value) {
    return this.vector(this.shown[value].tree);
  }
}

export function momentAt(inst, step) {
  const { moments } = inst;
  if (!moments.has(step)) {
    if (moments.size > 24) moments.clear();
    moments.set(step, new DrawnMoment(inst.data, step));
  }
  return moments.get(step);
}
