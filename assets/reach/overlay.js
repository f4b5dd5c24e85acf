// The cursor and the pin, above the picture.

import { SERIF } from "../shared/pens.js";
import { logAt, probeOf, stateOf, targetOf } from "./data.js";
import { GUTTER, letterPlace, mapX, mapY, xOfStep, yOfLog } from "./layout.js";
import { drawModelMarker } from "./paint.js";

export function drawOverlay(pen, inst) {
  for (const band of inst.layout.bands) if (band.kind === "text") drawTextMarks(pen, inst, band);
  drawLineMarks(pen, inst);
  for (const map of inst.layout.maps) drawMapMarks(pen, inst, map);
}

function drawTextMarks(pen, inst, band) {
  const { theme, layout } = inst;
  const { wide, tall } = layout.letters;
  const box = (step, style) => {
    const [x, y] = letterPlace(inst, band, step);
    pen.rect(x + 0.5, y + 1.5, wide - 1, tall - 3, { radius: 2.5, ...style });
  };
  if (inst.pin !== null) box(inst.data.meta.targets[inst.pin], { stroke: theme.accent, line: 2 });
  box(targetOf(inst), { stroke: theme.ink, line: 1.75 });
  const [x, y] = letterPlace(inst, band, probeOf(inst));
  if (probeOf(inst) !== targetOf(inst)) pen.path([[x + wide / 2 - 3.5, y + tall + 1], [x + wide / 2 + 3.5, y + tall + 1], [x + wide / 2, y + tall - 5]], { fill: theme.ink });
}

function drawLineMarks(pen, inst) {
  const { theme, layout, data } = inst;
  const { top, plot } = layout.lines;
  const t = xOfStep(inst, targetOf(inst));
  pen.path([[t, top], [t, top + plot]], { stroke: theme.ink, line: 1.25 });
  pen.text("t", t + 4, top + 11, { size: 12, italic: true, fill: theme.ink, family: SERIF, halo: theme.paper });
  const s = xOfStep(inst, probeOf(inst));
  if (probeOf(inst) === targetOf(inst)) return;
  pen.path([[s, top], [s, top + plot]], { stroke: theme.ink, dash: [2, 3] });
  pen.text("s", s + 4, top + 11, { size: 12, italic: true, fill: theme.ink, family: SERIF, halo: theme.paper });
  pen.within(GUTTER, top, layout.plotWidth, plot, () => {
    for (const reader of data.readers) {
      const log = logAt(inst, reader, stateOf(inst, reader), inst.row, probeOf(inst));
      if (!Number.isNaN(log)) drawModelMarker(pen, inst, reader, s, yOfLog(inst, log), 4.5);
    }
  });
}

function drawMapMarks(pen, inst, map) {
  const { theme, data } = inst;
  const middle = (row) => mapY(inst, map, row + 0.5);
  if (inst.pin !== null) {
    const y = middle(inst.pin);
    pen.path([[map.x - 6, y - 4.5], [map.x - 6, y + 4.5], [map.x, y]], { fill: theme.accent });
  }
  const y = middle(inst.row);
  const end = mapX(inst, map, targetOf(inst) + 1);
  pen.path([[map.x, y], [end, y]], { stroke: theme.paper, line: 3.5, alpha: 0.6 });
  pen.path([[map.x, y], [end, y]], { stroke: theme.accent, line: 1.5 });
  const s = mapX(inst, map, probeOf(inst) + 0.5);
  pen.circle(s, y, 3.5, { fill: theme.accent, stroke: theme.paper, line: 1.25 });
  if (data.meta.columns > 1) pen.text("t", Math.min(end + 4, map.x + map.width - 8), y + 4, { size: 12, italic: true, fill: theme.ink, family: SERIF, halo: theme.paper });
}
