// The curve of the loss over the steps of training.

import { count, fixed, short } from "../shared/numbers.js";
import { widthOf } from "../shared/pens.js";
import { tr } from "../shared/words.js";
import { stageOf } from "./data.js";

export const CURVE = { tall: 150, left: 46, right: 14, top: 10, foot: 34, untrained: 44 };

/** Steps on a logarithmic axis, the untrained model in a place of its own at the left. */
function curveScale(inst, width) {
  const { meta, stages } = inst.data;
  const trained = stages.filter(({ step }) => step > 0).map(({ step }) => step);
  const [first, last] = [trained[0] ?? 1, Math.max(meta.steps, trained.at(-1) ?? 1, 2)];
  const left = CURVE.left + CURVE.untrained;
  const wide = width - left - CURVE.right;
  const losses = stages.flatMap(({ loss, here }) => [loss, here]).filter((value) => value !== null);
  const low = Math.floor(Math.min(...losses, meta.uniform) * 2) / 2;
  const high = Math.ceil(Math.max(...losses, meta.uniform) * 2 + 0.1) / 2;
  const span = Math.log(last / first) || 1;
  return {
    first, last, low, high, left, right: width - CURVE.right, foot: CURVE.tall - CURVE.foot,
    x: (step) => (step === 0 ? CURVE.left + CURVE.untrained / 2 - 6 : left + (Math.log(Math.max(step, first) / first) / span) * wide),
    y: (loss) => CURVE.tall - CURVE.foot - ((loss - low) / (high - low)) * (CURVE.tall - CURVE.foot - CURVE.top),
  };
}

const KINDS = ["loss", "here"];
const kindStyle = (inst, kind) => ({ stroke: inst.data.meta.lines[inst.theme.name][KINDS.indexOf(kind)], line: 2, dash: kind === "loss" ? [] : [6, 3] });

export function drawCurve(pen, inst, width) {
  const { theme, data } = inst;
  const scale = (inst.scale = curveScale(inst, width));
  const style = { size: 11, fill: theme.quiet, family: theme.sans };
  drawCurveAxes(pen, inst, scale, style);
  for (const kind of KINDS) {
    const known = data.stages.filter((stage) => stage[kind] !== null);
    const look = kindStyle(inst, kind);
    const points = known.map((stage) => [scale.x(stage.step), scale.y(stage[kind])]);
    if (points.length > 1) pen.path(points, look);
    for (const [x, y] of points) {
      if (kind === "loss") pen.circle(x, y, 3.5, { fill: look.stroke, stroke: theme.paper });
      else pen.rect(x - 3, y - 3, 6, 6, { fill: look.stroke, stroke: theme.paper });
    }
  }
  drawCurveLegend(pen, inst, scale, style);
}

function drawCurveAxes(pen, inst, scale, style) {
  const { theme, data } = inst;
  const by = scale.high - scale.low > 3.1 ? 1 : 0.5;
  for (let loss = Math.ceil(scale.low / by) * by; loss <= scale.high; loss += by) {
    pen.path([[CURVE.left, scale.y(loss)], [scale.right, scale.y(loss)]], { stroke: theme.faint });
    pen.text(short(loss, 3), CURVE.left - 6, scale.y(loss) + 4, { ...style, align: "right" });
  }
  const guess = scale.y(data.meta.uniform);
  pen.path([[CURVE.left, guess], [scale.right, guess]], { stroke: theme.quiet, dash: [3, 3] });
  pen.text(tr("all characters alike: {nats}", { nats: fixed(data.meta.uniform, 2) }), scale.right, guess - 4, { ...style, align: "right", halo: theme.paper });
  let free = -Infinity;
  for (const [x, words] of stepTicks(scale)) {
    pen.path([[x, scale.foot], [x, scale.foot + 4]], { stroke: theme.quiet });
    const half = widthOf(words, style) / 2;
    if (x - half < free || x + half > scale.right + CURVE.right) continue;
    pen.text(words, x, scale.foot + 15, { ...style, align: "center" });
    free = x + half + 8;
  }
  pen.text(tr("steps of training"), scale.right, CURVE.tall - 4, { ...style, align: "right" });
}

function stepTicks(scale) {
  const ticks = [[scale.x(0), "0"]];
  for (let power = 1; power <= scale.last; power *= 10) {
    for (const times of [1, 2, 5]) {
      const step = power * times;
      if (step >= scale.first && step <= scale.last) ticks.push([scale.x(step), count(step)]);
    }
  }
  return ticks;
}

function drawCurveLegend(pen, inst, scale, style) {
  const words = { loss: inst.layout.compact ? tr("held-out") : inst.data.meta.judged, here: tr("this text") };
  let x = CURVE.left;
  for (const kind of KINDS) {
    const look = kindStyle(inst, kind);
    pen.path([[x, CURVE.tall - 8], [x + 26, CURVE.tall - 8]], look);
    pen.text(words[kind], x + 32, CURVE.tall - 4, { ...style, fill: inst.theme.ink });
    x += 32 + widthOf(words[kind], style) + 18;
  }
}

/** Where the slider stands on the curve, and the pinned checkpoint. */
export function drawCurvePlace(pen, inst) {
  const { theme, scale, data } = inst;
  const stage = stageOf(inst);
  const x = scale.x(stage.step);
  if (inst.pin) {
    const pinned = scale.x(data.stages[inst.pin.stage].step);
    pen.path([[pinned - 5, CURVE.top - 9], [pinned + 5, CURVE.top - 9], [pinned, CURVE.top - 2]], { fill: theme.accent });
  }
  pen.path([[x, CURVE.top - 4], [x, scale.foot]], { stroke: theme.accent, line: 1.75 });
  for (const kind of KINDS) if (stage[kind] !== null) pen.circle(x, scale.y(stage[kind]), 5.5, { stroke: theme.accent, line: 2 });
}
