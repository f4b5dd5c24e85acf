// What Python sends, unpacked: a stage is a checkpoint with its numbers. No document.

import { identity, rowsOf, surpriseLimit } from "../shared/geometry.js";
import { spoken } from "../shared/letters.js";
import { clamp, count, fixed } from "../shared/numbers.js";
import { columnsOf } from "../shared/tables.js";
import { tr, trN } from "../shared/words.js";

export function unpack(data) {
  const { meta, view } = data;
  const stages = meta.stages.map((stage, place) => {
    const reader = columnsOf(data[`reader${place}`]);
    return { ...stage, ...reader, place, values: columnsOf(data[`values${place}`]) };
  });
  const ranks = [0, 1, 2].filter((rank) => `next${rank}` in stages[0]);
  return { meta, view, stages, ranks, cap: surpriseLimit(stages.map(({ surprise }) => surprise)), grouped: columnsOf(data.rows).grouped };
}

export const nameAt = ({ meta }, index) => spoken(meta.glyphs[index]);
export const stageOf = (inst) => inst.data.stages[inst.at.stage];
export const shownSignals = (inst) => inst.data.meta.signals.filter(({ name }) => inst.signal === "all" || name === inst.signal);

export function valueAt({ meta }, stage, signal, step, unit) {
  const raw = stage.values[signal.name][step * meta.units + unit];
  return signal.bounded ? signal.low + (raw / meta.levels) * (signal.high - signal.low) : raw;
}

/** What is painted, 0 to 1 between the ends of the colours. */
export function shareOf({ meta }, signal, raw) {
  return signal.bounded ? raw / meta.levels : clamp((raw - signal.low) / (signal.high - signal.low), 0, 1);
}

/** Which unit stands in each row, and in which row each unit stands: the same at every checkpoint. */
export function orderOf(inst) {
  if (inst.ordered?.name !== inst.order) {
    const units = inst.order === "grouped" ? inst.data.grouped : identity(inst.data.meta.units);
    inst.ordered = { name: inst.order, units, rows: rowsOf(units) };
  }
  return inst.ordered;
}

/** A text whose line breaks are seen and take no room. */
export const inOneLine = (text) => text.replaceAll("\n", "↵");

export function stageWords(inst) {
  const { meta } = inst.data;
  const stage = stageOf(inst);
  const when = stage.step === 0 ? tr("untrained") : tr("after step {step} of {all}", { step: count(stage.step), all: count(meta.steps) });
  const read = trN("{n} character read", "{n} characters read", stage.characters, { n: count(stage.characters) });
  const loss = stage.loss === null ? tr("no loss") : tr("loss {loss}", { loss: fixed(stage.loss, 3) });
  const here = stage.here === null ? "" : tr("{loss} on this text", { loss: fixed(stage.here, 3) });
  return [when, read, loss, here];
}
