// The linked picture of the page Training: one text at every checkpoint of a model's life, under one slider.
//
// Python (pages/common/training/view.py) sends all checkpoints at once. Everything here runs without the server, but for
// one message: "pin" when a (checkpoint, character, unit) is pinned.

import { colourTable, mix, readTheme } from "../shared/colours.js";
import { choice, element, iconButton, option, saveAs } from "../shared/elements.js";
import { destroy, instances } from "../shared/instances.js";
import { clamp, count, counted, fixed, percent, short, written } from "../shared/numbers.js";
import { drawSymbol, penOn, SvgPen, widthOf, wrapped } from "../shared/pens.js";
import { showPlaying, stop, togglePlay } from "../shared/player.js";

const COMPACT = 620;
const GUTTER = 188;
const PAD = 6;
const COLUMN = { least: 12, most: 26 };
const HEADS = { text: 30, surprise: 30, expects: 52 };
const LABEL = { wide: 10, compact: 28 };
const ROWS = { several: { least: 40, most: 96 }, one: { least: 160, most: 320 } };
const CURVE = { tall: 150, left: 46, right: 14, top: 10, foot: 34, untrained: 44 };
const SPEEDS = [1, 2, 4];
const PIXEL = 1; // device pixels below which units share one

// ---------------------------------------------------------------- the data

const columnsOf = (table) => Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name).toArray()]));

function unpack(data) {
  const { meta, view } = data;
  const stages = meta.stages.map((stage, place) => {
    const reader = columnsOf(data[`reader${place}`]);
    return { ...stage, ...reader, place, values: columnsOf(data[`values${place}`]) };
  });
  const ranks = [0, 1, 2].filter((rank) => `next${rank}` in stages[0]);
  return { meta, view, stages, ranks, cap: surpriseCap(stages), grouped: columnsOf(data.rows).grouped };
}

/** Where the surprise of all checkpoints ends, so that it does not jump from one to the next. */
function surpriseCap(stages) {
  let most = 4;
  for (const { surprise } of stages) for (const nats of surprise) if (nats > most) most = nats;
  return Math.min(10, Math.ceil(most));
}

const stageOf = (inst) => inst.data.stages[inst.at.stage];
const shownSignals = (inst) => inst.data.meta.signals.filter(({ name }) => inst.signal === "all" || name === inst.signal);

function valueAt({ meta }, stage, signal, step, unit) {
  const raw = stage.values[signal.name][step * meta.units + unit];
  return signal.bounded ? signal.low + (raw / meta.levels) * (signal.high - signal.low) : raw;
}

/** What is painted, 0 to 1 between the ends of the colours. */
function shareOf({ meta }, signal, raw) {
  return signal.bounded ? raw / meta.levels : clamp((raw - signal.low) / (signal.high - signal.low), 0, 1);
}

/** Which unit stands in each row, and in which row each unit stands: the same at every checkpoint. */
function orderOf(inst) {
  if (inst.ordered?.name !== inst.order) {
    const units = inst.order === "grouped" ? inst.data.grouped : Uint16Array.from({ length: inst.data.meta.units }, (_, k) => k);
    const rows = new Uint16Array(units.length);
    units.forEach((unit, row) => (rows[unit] = row));
    inst.ordered = { name: inst.order, units, rows };
  }
  return inst.ordered;
}

function colours(inst) {
  const theme = inst.theme.dark ? "dark" : "light";
  if (inst.tables?.theme !== theme) {
    inst.tables = { theme };
    for (const [scale, hex] of Object.entries(inst.data.meta.colours)) inst.tables[scale] = colourTable(hex[theme], 255);
  }
  return inst.tables;
}

// ---------------------------------------------------------------- where everything stands

function layoutOf(inst) {
  const { meta } = inst.data;
  const width = Math.max(240, inst.root.clientWidth);
  const compact = width < COMPACT;
  const gutter = compact ? 0 : GUTTER;
  const signals = shownSignals(inst);
  const bands = [];
  let y = 0;
  const add = (kind, height, signal) => {
    bands.push({ kind, y, height, signal });
    y += height;
  };
  for (const kind of ["text", "surprise", "expects"]) add(kind, HEADS[kind]);
  const { least, most } = signals.length > 1 ? ROWS.several : ROWS.one;
  const tall = clamp(meta.units * (signals.length > 1 ? 1 : 4), least, most);
  for (const signal of signals) {
    add("label", compact ? LABEL.compact : LABEL.wide, signal);
    add("heat", tall, signal);
  }
  const plot = width - gutter;
  return { width, compact, gutter, plot, bands, height: y + 4, column: clamp(plot / meta.columns, COLUMN.least, COLUMN.most) };
}

const xOf = (inst, step) => inst.layout.gutter + step * inst.layout.column - inst.scroll;
const yOf = (inst, band, unit) => band.y + ((orderOf(inst).rows[unit] + 0.5) / inst.data.meta.units) * band.height;
const endOf = (inst) => Math.min(inst.layout.width, xOf(inst, inst.data.meta.columns));
const heats = (inst) => inst.layout.bands.filter(({ kind }) => kind === "heat");

function visible(inst) {
  const { columns } = inst.data.meta;
  const first = clamp(Math.floor(inst.scroll / inst.layout.column), 0, columns - 1);
  return { first, last: clamp(Math.ceil((inst.scroll + inst.layout.plot) / inst.layout.column), first + 1, columns) };
}

// ---------------------------------------------------------------- the curve of the loss

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
const kindStyle = (inst, kind) => ({ stroke: inst.data.meta.lines[inst.theme.dark ? "dark" : "light"][KINDS.indexOf(kind)], line: 2, dash: kind === "loss" ? [] : [6, 3] });

function drawCurve(pen, inst, width) {
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
  pen.text(`all characters alike: ${fixed(data.meta.uniform, 2)}`, scale.right, guess - 4, { ...style, align: "right", halo: theme.paper });
  let free = -Infinity;
  for (const [x, words] of stepTicks(scale)) {
    pen.path([[x, scale.foot], [x, scale.foot + 4]], { stroke: theme.quiet });
    const half = widthOf(words, style) / 2;
    if (x - half < free || x + half > scale.right + CURVE.right) continue;
    pen.text(words, x, scale.foot + 15, { ...style, align: "center" });
    free = x + half + 8;
  }
  pen.text("steps of training", scale.right, CURVE.tall - 4, { ...style, align: "right" });
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
  const words = { loss: inst.layout.compact ? "held-out" : inst.data.meta.judged, here: "this text" };
  let x = CURVE.left;
  for (const kind of KINDS) {
    const look = kindStyle(inst, kind);
    pen.path([[x, CURVE.tall - 8], [x + 26, CURVE.tall - 8]], look);
    pen.text(words[kind], x + 32, CURVE.tall - 4, { ...style, fill: inst.theme.ink });
    x += 32 + widthOf(words[kind], style) + 18;
  }
}

/** Where the slider stands on the curve, and the pinned checkpoint. */
function drawCurvePlace(pen, inst) {
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

// ---------------------------------------------------------------- the text and its heatmaps

function drawPicture(pen, inst) {
  const { layout } = inst;
  const draw = { text: drawText, surprise: drawSurprise, expects: drawExpects, heat: drawHeat };
  pen.within(layout.gutter, 0, layout.plot, layout.height, () => {
    for (const band of layout.bands) draw[band.kind]?.(pen, inst, band);
  });
  for (const band of layout.bands) (layout.compact ? drawCompactLabel : drawGutter)(pen, inst, band);
}

function drawGlyph(pen, inst, [shown, , kind], x, y, size, fill, more = {}) {
  const style = { size, fill, family: inst.theme.mono, align: "center", ...more };
  if (kind !== "boxed") return pen.text(shown, x, y, style);
  const wide = inst.layout.column - 3;
  const small = Math.min(size * 0.5, wide / (0.62 * shown.length));
  pen.rect(x - wide / 2, y - size * 0.72, wide, size * 0.86, { stroke: fill, radius: 2, alpha: more.alpha });
  pen.text(shown, x, y - size * 0.29 + small * 0.36, { ...style, size: small });
}

function drawText(pen, inst, band) {
  const { theme, data, layout } = inst;
  const { typed, read } = stageOf(inst);
  const { first, last } = visible(inst);
  const size = Math.min(16, layout.column / 0.64);
  for (let step = first; step < last; step++) {
    const glyph = data.meta.glyphs[typed[step]];
    const replaced = typed[step] !== read[step];
    const fill = replaced ? theme.replaced : glyph[2] === "quiet" ? mix(theme.ink, theme.paper, 0.42) : theme.ink;
    drawGlyph(pen, inst, glyph, xOf(inst, step) + layout.column / 2, band.y + 20, size, fill, { weight: 500 });
    if (replaced) pen.rect(xOf(inst, step) + 2, band.y + 25, layout.column - 4, 2, { fill: theme.replaced, radius: 1 });
  }
}

function drawSurprise(pen, inst, band) {
  const { theme, data, layout } = inst;
  const { surprise } = stageOf(inst);
  const { first, last } = visible(inst);
  const inset = Math.min(4, layout.column * 0.2);
  pen.path([[layout.gutter, band.y + 0.5], [endOf(inst), band.y + 0.5]], { stroke: theme.faint });
  for (let step = first; step < last; step++) {
    const share = Math.min(1, surprise[step] / data.cap);
    if (share > 0) pen.rect(xOf(inst, step) + inset, band.y + 1, layout.column - 2 * inset, Math.max(1, share * (band.height - 7)), { fill: theme.quiet, alpha: 0.75 });
  }
}

/** The three likeliest next characters; the one that came is in colour. */
function drawExpects(pen, inst, band) {
  const { theme, data, layout } = inst;
  const stage = stageOf(inst);
  const { first, last } = visible(inst);
  const largest = Math.min(15, layout.column / 0.64);
  for (const rank of data.ranks) {
    const [next, chance] = [stage[`next${rank}`], stage[`chance${rank}`]];
    for (let step = first; step < last; step++) {
      const weight = Math.sqrt(chance[step] / 65535);
      const hit = next[step] === stage.read[step + 1];
      const style = { alpha: 0.2 + 0.8 * weight, weight: hit ? 700 : 400 };
      const x = xOf(inst, step) + layout.column / 2;
      drawGlyph(pen, inst, data.meta.glyphs[next[step]], x, band.y + 13 + 16 * rank, largest * (0.68 + 0.32 * weight), hit ? theme.accent : theme.ink, style);
    }
  }
}

function drawHeat(pen, inst, band) {
  const { layout, theme } = inst;
  const { first, last } = visible(inst);
  pen.image(heatImage(inst, band, first, last), xOf(inst, first), band.y, (last - first) * layout.column, band.height);
  pen.rect(layout.gutter + 0.5, band.y - 0.5, endOf(inst) - layout.gutter - 1, band.height + 1, { stroke: theme.faint });
}

/** A pixel a character and a unit; where units have less than a pixel of the screen, the mean of those that share it. */
function heatImage(inst, { signal, height }, first, last) {
  const { units } = inst.data.meta;
  const rows = Math.min(units, Math.max(1, Math.round((height * inst.ratio) / PIXEL)));
  const [wide, canvas] = [last - first, inst.scratch];
  Object.assign(canvas, { width: wide, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(wide, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const table = colours(inst)[signal.scale];
  const numbers = stageOf(inst).values[signal.name];
  const order = orderOf(inst).units;
  const [sums, sizes] = [new Float64Array(rows), new Uint32Array(rows)];
  for (let column = 0; column < wide; column++) {
    const base = (first + column) * units;
    sums.fill(0);
    sizes.fill(0);
    for (let place = 0; place < units; place++) {
      const row = Math.floor((place * rows) / units);
      sums[row] += shareOf(inst.data, signal, numbers[base + order[place]]);
      sizes[row]++;
    }
    for (let row = 0; row < rows; row++) pixels[row * wide + column] = table[Math.round((255 * sums[row]) / sizes[row])];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// ---------------------------------------------------------------- labels

function drawGutter(pen, inst, band) {
  const { theme, data } = inst;
  const quiet = { size: 12, fill: theme.quiet, family: theme.sans };
  const words = { text: "reads", surprise: `surprise, 0–${data.cap} nats`, expects: "expects next" }[band.kind];
  if (words) pen.text(words, PAD, band.y + (band.kind === "text" ? 20 : 14), quiet);
  if (band.kind !== "heat") return;
  const after = drawSymbol(pen, theme, band.signal.symbol, "t", PAD, band.y + 16, 18);
  pen.text(band.signal.title, after + 7, band.y + 16, quiet);
  drawColourBar(pen, inst, band.signal, PAD, band.y + 24, 56);
}

function drawCompactLabel(pen, inst, band) {
  if (band.kind !== "label") return;
  const { theme, layout } = inst;
  const middle = band.y + band.height / 2 + 2;
  const after = drawSymbol(pen, theme, band.signal.symbol, "t", 2, middle + 5, 17);
  pen.text(band.signal.title, after + 7, middle + 4, { size: 12, fill: theme.quiet, family: theme.sans });
  drawColourBar(pen, inst, band.signal, layout.width - 112, middle - 3, 40);
}

function drawColourBar(pen, inst, signal, x, y, width) {
  const { theme } = inst;
  const canvas = Object.assign(inst.scratch, { width: 64, height: 1 });
  const context = canvas.getContext("2d");
  const image = context.createImageData(64, 1);
  const pixels = new Uint32Array(image.data.buffer);
  const table = colours(inst)[signal.scale];
  for (let k = 0; k < 64; k++) pixels[k] = table[Math.round((255 * k) / 63)];
  context.putImageData(image, 0, 0);
  const style = { size: 10.5, fill: theme.quiet, family: theme.sans };
  const [low, high] = [short(signal.low, 3), short(signal.high, 3)];
  const left = x + widthOf(low, style) + 4;
  pen.text(low, x, y + 7.5, style);
  pen.image(canvas, left, y, width, 7);
  pen.rect(left, y, width, 7, { stroke: theme.faint });
  pen.text(high, left + width + 4, y + 7.5, style);
}

// ---------------------------------------------------------------- the cursor, the pin, and one unit's life

function drawOverlay(pen, inst) {
  const { layout } = inst;
  pen.within(layout.gutter, 0, layout.plot, layout.height, () => {
    if (inst.pin) drawPin(pen, inst);
    drawCursor(pen, inst);
  });
  for (const band of heats(inst)) drawUnitLife(pen, inst, band);
}

function drawPin(pen, inst) {
  const { theme, layout, pin } = inst;
  const centre = xOf(inst, pin.step) + layout.column / 2;
  pen.rect(xOf(inst, pin.step), 0, layout.column, 29, { fill: theme.accent, alpha: 0.22, radius: 3 });
  pen.path([[centre - 5, 0], [centre + 5, 0], [centre, 7]], { fill: theme.accent });
  for (const band of heats(inst)) pen.circle(centre, yOf(inst, band, pin.unit), 4.5, { fill: theme.accent, stroke: theme.paper, line: 1.5 });
}

function drawCursor(pen, inst) {
  const { theme, layout, at } = inst;
  const x = xOf(inst, at.step);
  const stretches = layout.compact ? [[0, HEADS.text + HEADS.surprise + HEADS.expects], ...heats(inst).map(({ y, height }) => [y, y + height])] : [[0, layout.height]];
  for (const [top, foot] of stretches) {
    for (const side of [x + 0.5, x + layout.column - 0.5]) {
      pen.path([[side, top], [side, foot]], { stroke: theme.paper, line: 3, alpha: 0.45 });
      pen.path([[side, top], [side, foot]], { stroke: theme.ink, line: 1.1 });
    }
  }
  for (const band of heats(inst)) {
    const tall = Math.max(4, band.height / inst.data.meta.units) + 2;
    const y = yOf(inst, band, at.unit) - tall / 2;
    pen.rect(x - 2, y - 1, layout.column + 4, tall + 2, { stroke: theme.paper, line: 2.5, radius: 2.5 });
    pen.rect(x - 1, y, layout.column + 2, tall, { stroke: theme.ink, line: 1.5, radius: 2 });
  }
}

/** The value under the cursor, and beside the row a small line: the same character and unit through all checkpoints. */
function drawUnitLife(pen, inst, band) {
  const { theme, layout, data, at } = inst;
  const { signal } = band;
  const style = { size: 13.5, weight: 600, fill: theme.ink, family: theme.sans, align: "right" };
  const value = written(valueAt(data, stageOf(inst), signal, at.step, at.unit));
  if (layout.compact) return pen.text(value, layout.width - 122, band.y - LABEL.compact / 2 + 6, style);
  pen.text(value, layout.gutter - 12, band.y + 16, style);
  const { stages } = data;
  const [left, wide, top] = [layout.gutter - 74, 62, band.y + 24];
  const tall = Math.min(18, band.height - 26);
  if (stages.length < 2 || tall < 8) return;
  const point = (stage) => {
    const share = clamp((valueAt(data, stage, signal, at.step, at.unit) - signal.low) / (signal.high - signal.low), 0, 1);
    return [left + (stage.place / (stages.length - 1)) * wide, top + tall - share * tall];
  };
  pen.path([[left, top + tall / 2], [left + wide, top + tall / 2]], { stroke: theme.faint });
  pen.path(stages.map(point), { stroke: theme.quiet, line: 1.25 });
  pen.circle(...point(stageOf(inst)), 3, { fill: theme.accent, stroke: theme.paper });
}

// ---------------------------------------------------------------- painting on the screen

function arrange(inst) {
  inst.ratio = Math.min(window.devicePixelRatio || 1, 3);
  inst.layout = layoutOf(inst);
  const { el, layout, data } = inst;
  el.stage.style.width = `${layout.width}px`;
  el.stage.style.height = `${layout.height}px`;
  el.spacer.style.width = `${Math.max(layout.width, layout.gutter + data.meta.columns * layout.column)}px`;
  inst.scroll = el.scroller.scrollLeft;
}

function repaint(inst) {
  arrange(inst);
  paint(inst);
}

/** All that changes with the checkpoint. */
function paint(inst) {
  const { el, layout, ratio } = inst;
  drawCurve(penOn(el.curve, layout.width, CURVE.tall, ratio), inst, layout.width);
  drawCurvePlace(penOn(el.place, layout.width, CURVE.tall, ratio), inst);
  drawPicture(penOn(el.picture, layout.width, layout.height, ratio), inst);
  writeStage(inst);
  paintCursor(inst);
}

/** All that changes with the character and the unit. */
function paintCursor(inst) {
  const { el, layout, ratio } = inst;
  drawOverlay(penOn(el.cursor, layout.width, layout.height, ratio), inst);
  writeCursor(inst);
}

// ---------------------------------------------------------------- words

/** A text whose line breaks are seen and take no room. */
const inOneLine = (text) => text.replaceAll("\n", "↵");
function spoken({ meta }, index) {
  const [shown, name, kind] = meta.glyphs[index];
  return kind === "plain" ? `“${shown}”` : name;
}

function stageWords(inst) {
  const { meta } = inst.data;
  const stage = stageOf(inst);
  const when = stage.step === 0 ? "untrained" : `after step ${count(stage.step)} of ${count(meta.steps)}`;
  const loss = stage.loss === null ? "no loss" : `loss ${fixed(stage.loss, 3)}`;
  const here = stage.here === null ? "" : `${fixed(stage.here, 3)} on this text`;
  return [when, `${counted(stage.characters, "character")} read`, loss, here];
}

function writeStage(inst) {
  const { el, data, at } = inst;
  const stage = stageOf(inst);
  const [when, read, loss, here] = stageWords(inst);
  el.when.textContent = when;
  el.read.textContent = read;
  el.loss.textContent = `${loss} nats a character`;
  el.here.textContent = here;
  el.prompt.textContent = inOneLine(data.meta.prompt);
  el.written.textContent = inOneLine(stage.written);
  el.slider.value = at.stage;
  el.slider.setAttribute("aria-valuetext", [when, read, loss].join(", "));
  el.back.disabled = at.stage === 0;
  el.forward.disabled = at.stage === data.stages.length - 1;
  Object.assign(inst.root.dataset, { stage: at.stage, trained: stage.step });
}

function writeCursor(inst) {
  const { el, data, at } = inst;
  const stage = stageOf(inst);
  const [shown, name] = data.meta.glyphs[stage.typed[at.step]];
  el.typed.textContent = shown;
  el.typed.title = name;
  el.step.textContent = `character ${at.step + 1} of ${data.meta.columns}`;
  const nats = stage.surprise[at.step];
  el.surprise.textContent = Number.isNaN(nats) ? "no surprise: the first character" : `surprise ${fixed(nats, 2)} nats`;
  el.expects.textContent = `expects ${data.ranks.map((rank) => `${data.meta.glyphs[stage[`next${rank}`][at.step]][0]} ${percent(stage[`chance${rank}`][at.step] / 65535)}`).join("  ")}`;
  el.unit.textContent = `unit ${at.unit}`;
  Object.assign(inst.root.dataset, { step: at.step, unit: at.unit, pinned: inst.pin ? `${inst.pin.stage}:${inst.pin.step}:${inst.pin.unit}` : "" });
  speakSoon(inst);
}

function speakSoon(inst) {
  clearTimeout(inst.timers.speak);
  inst.timers.speak = setTimeout(() => (inst.el.live.textContent = sentence(inst)), inst.playing ? 1200 : 200);
}

/** The same for the ear: the checkpoint, the character, what is expected, every signal of the unit. */
function sentence(inst) {
  const { data, at, el } = inst;
  const stage = stageOf(inst);
  const next = data.ranks.map((rank) => `${spoken(data, stage[`next${rank}`][at.step])} ${percent(stage[`chance${rank}`][at.step] / 65535)}`);
  const values = data.meta.signals.map((signal) => `${signal.title} ${written(valueAt(data, stage, signal, at.step, at.unit))}`);
  const checkpoint = `Checkpoint ${at.stage + 1} of ${data.stages.length}, ${stageWords(inst).filter(Boolean).join(", ")}`;
  return `${checkpoint}. ${spoken(data, stage.typed[at.step])}, ${el.step.textContent}, ${el.surprise.textContent}, expects ${next.join(", ")}. Unit ${at.unit}: ${values.join(", ")}.`;
}

function captionOf(inst) {
  const { meta, stages } = inst.data;
  const layer = meta.layers > 1 ? `layer ${meta.layer + 1} of ${meta.layers}, ` : "";
  const order = inst.order === "grouped" ? "Units that move together at the last checkpoint stand together, in the same rows at every one." : "Units stand by their number.";
  const free = meta.signals.filter(({ bounded }) => !bounded);
  const limits = free.map(({ symbol, high, most }) => `${symbol}’s colours end at ±${short(high, 3)} at every checkpoint${most > high ? `; the largest is ${short(most, 3)}` : ""}.`);
  return `${meta.name}: ${meta.cell}, ${layer}${meta.units} units, ${counted(stages.length, "checkpoint")}. ${meta.note} ${order} ${limits.join(" ")} Loss: ${meta.judged}, and this text.`.replace(/ +/g, " ");
}

function writeFoot(inst) {
  const { el, data } = inst;
  const { meta, stages } = data;
  el.caption.textContent = captionOf(inst);
  el.slider.max = stages.length - 1;
  const every = meta.signals.map(({ name, symbol, title }) => [name, `${symbol} ${title}`]);
  const choices = every.length > 1 ? [["all", "all signals"], ...every] : every;
  el.signal.replaceChildren(...choices.map(([value, words]) => option(value, words)));
  if (!choices.some(([value]) => value === inst.signal)) inst.signal = choices[0][0];
  el.signal.value = inst.signal;
  el.cursor.setAttribute("aria-label", `Heatmaps over ${counted(meta.columns, "character")} of ${meta.name}. Left and right move through the text, up and down through the units, Page Up and Page Down through the checkpoints, Enter pins, Space plays.`);
  el.curve.setAttribute("aria-label", `The loss at ${counted(stages.length, "checkpoint")}: ${stages.map(({ step, loss }) => `step ${step}: ${loss === null ? "none" : fixed(loss, 2)}`).join(", ")}.`);
}

// ---------------------------------------------------------------- moving

function moveStage(inst, stage) {
  const next = clamp(stage, 0, inst.data.stages.length - 1);
  if (next === inst.at.stage) return;
  inst.at.stage = next;
  paint(inst);
}

function moveCursor(inst, step, unit) {
  const { columns, units } = inst.data.meta;
  const next = { step: clamp(step, 0, columns - 1), unit: clamp(unit, 0, units - 1) };
  if (next.step === inst.at.step && next.unit === inst.at.unit) return;
  Object.assign(inst.at, next);
  paintCursor(inst);
}

function walk(inst, by) {
  moveCursor(inst, inst.at.step + by, inst.at.unit);
  bringIntoView(inst);
}

function climb(inst, by) {
  const { units, rows } = orderOf(inst);
  moveCursor(inst, inst.at.step, units[clamp(rows[inst.at.unit] + by, 0, units.length - 1)]);
}

function bringIntoView(inst) {
  const { layout, at, el } = inst;
  const left = at.step * layout.column;
  if (left < el.scroller.scrollLeft) el.scroller.scrollLeft = left - layout.plot * 0.2;
  else if (left + layout.column > el.scroller.scrollLeft + layout.plot) el.scroller.scrollLeft = left - layout.plot * 0.8;
}

function pinHere(inst) {
  inst.pin = { ...inst.at };
  drawCurvePlace(penOn(inst.el.place, inst.layout.width, CURVE.tall, inst.ratio), inst);
  paintCursor(inst);
  inst.send("pin", { ...inst.pin, serial: inst.serial });
}

const KEYS = {
  ArrowLeft: (inst, far) => walk(inst, far ? -10 : -1),
  ArrowRight: (inst, far) => walk(inst, far ? 10 : 1),
  ArrowUp: (inst, far) => climb(inst, far ? -10 : -1),
  ArrowDown: (inst, far) => climb(inst, far ? 10 : 1),
  Home: (inst) => walk(inst, -Infinity),
  End: (inst) => walk(inst, Infinity),
  PageUp: (inst) => moveStage(inst, inst.at.stage - 1),
  PageDown: (inst) => moveStage(inst, inst.at.stage + 1),
  Enter: (inst) => pinHere(inst),
  " ": (inst) => togglePlay(inst),
};

function onKey(inst, event) {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (event.key.startsWith("Page")) stop(inst);
  act(inst, event.shiftKey);
}

function placeAt(inst, event) {
  const box = inst.el.cursor.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const { layout, data } = inst;
  const step = Math.floor((x - layout.gutter + inst.scroll) / layout.column);
  if (x < layout.gutter || step < 0 || step >= data.meta.columns) return null;
  const band = heats(inst).find((heat) => y >= heat.y && y < heat.y + heat.height);
  const row = band ? Math.floor(((y - band.y) / band.height) * data.meta.units) : -1;
  return { step, unit: row < 0 ? inst.at.unit : orderOf(inst).units[clamp(row, 0, data.meta.units - 1)] };
}

function hover(inst, event) {
  const place = placeAt(inst, event);
  if (place) moveCursor(inst, place.step, place.unit);
}

function click(inst, event) {
  const place = placeAt(inst, event);
  if (!place) return;
  stop(inst);
  moveCursor(inst, place.step, place.unit);
  pinHere(inst);
}

/** The checkpoint whose point is nearest to where the curve is pressed. */
function dragCurve(inst, event) {
  const x = event.clientX - inst.el.place.getBoundingClientRect().left;
  const far = inst.data.stages.map(({ step }) => Math.abs(inst.scale.x(step) - x));
  stop(inst);
  moveStage(inst, far.indexOf(Math.min(...far)));
}

// ---------------------------------------------------------------- taking the picture away

const CAPTION = { size: 11.5, pitch: 17 };
const WRITTEN = { size: 12.5, pitch: 18 };

/** What is taken away: the checkpoint, the curve, what it wrote, what is in view, the caption. */
function measured(inst) {
  const { layout, theme, data } = inst;
  const room = layout.width - 2 * PAD;
  const style = { size: CAPTION.size, fill: theme.quiet, family: theme.sans };
  const mono = { size: WRITTEN.size, fill: theme.ink, family: theme.mono };
  const stage = stageOf(inst);
  const { first, last } = visible(inst);
  const where = `“${[...data.meta.text].slice(first, Math.min(last, first + 80)).join("")}${last - first > 80 ? "…" : ""}”, characters ${first + 1} to ${last} of ${data.meta.columns}; cursor at character ${inst.at.step + 1}, unit ${inst.at.unit}.`;
  const written = wrapped(inOneLine(`${data.meta.prompt}${stage.written}`).replaceAll("↵", " ↵ "), mono, room);
  const caption = [where, captionOf(inst)].flatMap((line) => wrapped(line, style, room));
  const head = 26 + CURVE.tall + 10 + WRITTEN.pitch * written.length + 8;
  return { written, caption, style, mono, head, width: layout.width, height: head + layout.height + 12 + CAPTION.pitch * caption.length };
}

function drawExported(pen, inst, { written, caption, style, mono, head, width, height }) {
  const { theme, data, layout } = inst;
  pen.rect(0, 0, width, height, { fill: theme.paper });
  const title = { size: 14, weight: 650, fill: theme.ink, family: theme.sans };
  wrapped(`${data.meta.name}, ${stageWords(inst).filter(Boolean).join(", ")}`, title, width - 2 * PAD).slice(0, 1).forEach((line) => pen.text(line, PAD, 18, title));
  const below = (y, draw) => draw(shifted(pen, y));
  below(26, (moved) => {
    drawCurve(moved, inst, width);
    drawCurvePlace(moved, inst);
  });
  written.forEach((line, k) => pen.text(line, PAD, 26 + CURVE.tall + 14 + WRITTEN.pitch * k, mono));
  below(head, (moved) => {
    drawPicture(moved, inst);
    drawOverlay(moved, inst);
  });
  caption.forEach((line, k) => pen.text(line, PAD, head + layout.height + 16 + CAPTION.pitch * k, style));
}

/** A pen that draws the same, so many pixels lower. */
function shifted(pen, by) {
  return {
    text: (string, x, y, style) => pen.text(string, x, y + by, style),
    rect: (x, y, ...rest) => pen.rect(x, y + by, ...rest),
    path: (points, style) => pen.path(points.map(([x, y]) => [x, y + by]), style),
    circle: (x, y, ...rest) => pen.circle(x, y + by, ...rest),
    image: (canvas, x, y, ...rest) => pen.image(canvas, x, y + by, ...rest),
    within: (x, y, width, height, draw) => pen.within(x, y + by, width, height, draw),
  };
}

const fileName = (inst) => `${inst.data.meta.file}-step-${stageOf(inst).step}`;

function saveSvg(inst) {
  const pen = new SvgPen();
  const size = measured(inst);
  drawExported(pen, inst, size);
  saveAs(new Blob([pen.finished(size.width, size.height)], { type: "image/svg+xml" }), `${fileName(inst)}.svg`);
}

function savePng(inst) {
  const canvas = document.createElement("canvas");
  const size = measured(inst);
  drawExported(penOn(canvas, size.width, size.height, Math.max(2, inst.ratio)), inst, size);
  canvas.toBlob((blob) => saveAs(blob, `${fileName(inst)}.png`));
}

// ---------------------------------------------------------------- the elements

function build(root) {
  const span = (className, words = "") => element("span", { className, textContent: words });
  const button = (words, title) => element("button", { type: "button", textContent: words, title, "aria-label": title });
  const el = {
    back: iconButton("back", "Checkpoint before", "Page Up"),
    play: iconButton("play", "Play", "Space"),
    forward: iconButton("forward", "Next checkpoint", "Page Down"),
    slider: element("input", { type: "range", className: "slider", min: 0, max: 1, step: 1, "aria-label": "Checkpoint in the model’s life" }),
    speed: choice("Speed", SPEEDS.map((speed) => [speed, `${speed} a second`])),
    signal: choice("Which signals", []),
    order: choice("Order of the units", [["grouped", "units grouped"], ["index", "units by index"]]),
    when: span("when"), read: span("quiet"), loss: span("loss"), here: span("quiet"),
    typed: span("typed"), step: span("quiet"), surprise: span("surprise"), expects: span("expects"), unit: span("unit"),
    prompt: span("quiet"), written: span("written"),
    curve: element("canvas", { className: "curve", role: "img" }),
    place: element("canvas", { className: "place", "aria-hidden": "true" }),
    picture: element("canvas", { className: "picture", "aria-hidden": "true" }),
    cursor: element("canvas", { className: "cursor", role: "img", tabIndex: 0 }),
    stage: element("div", { className: "stage" }),
    spacer: element("div", { className: "spacer" }),
    scroller: element("div", { className: "scroller", tabIndex: -1 }),
    caption: span("caption"),
    png: button("PNG", "Save as PNG"),
    svg: button("SVG", "Save as SVG"),
    live: element("div", { className: "live", "aria-live": "polite" }),
  };
  const player = element("div", { className: "group" }, el.back, el.play, el.forward);
  const bar = element("div", { className: "bar", role: "toolbar", "aria-label": "Life and view" }, player, el.slider, el.speed, el.signal, el.order);
  const told = element("div", { className: "told", "aria-hidden": "true" }, el.when, el.read, el.loss, el.here);
  const wrote = element("div", { className: "wrote" }, el.prompt, el.written);
  const readout = element("div", { className: "readout", "aria-hidden": "true" }, el.typed, el.step, el.surprise, el.expects, el.unit);
  el.stage.append(el.picture, el.cursor);
  el.spacer.append(el.stage);
  el.scroller.append(el.spacer);
  const curves = element("div", { className: "curves" }, el.curve, el.place);
  root.append(bar, told, curves, wrote, readout, el.scroller, element("div", { className: "foot" }, el.caption, el.png, el.svg), el.live);
  return el;
}

function connect(inst) {
  const { el } = inst;
  el.back.onclick = () => moveByHand(inst, inst.at.stage - 1);
  el.forward.onclick = () => moveByHand(inst, inst.at.stage + 1);
  el.play.onclick = () => togglePlay(inst);
  el.slider.oninput = () => moveByHand(inst, Number(el.slider.value));
  el.speed.onchange = () => (inst.speed = Number(el.speed.value));
  el.signal.onchange = () => set(inst, "signal", el.signal.value);
  el.order.onchange = () => set(inst, "order", el.order.value);
  el.png.onclick = () => savePng(inst);
  el.svg.onclick = () => saveSvg(inst);
  el.scroller.onscroll = () => onScroll(inst);
  el.cursor.onkeydown = (event) => onKey(inst, event);
  el.cursor.onpointermove = (event) => event.pointerType !== "touch" && hover(inst, event);
  el.cursor.onclick = (event) => click(inst, event);
  el.place.onpointerdown = (event) => {
    el.place.setPointerCapture(event.pointerId);
    dragCurve(inst, event);
  };
  el.place.onpointermove = (event) => el.place.hasPointerCapture(event.pointerId) && dragCurve(inst, event);
  inst.observer = new ResizeObserver(() => inst.root.clientWidth !== inst.layout?.width && repaint(inst));
  inst.observer.observe(inst.root);
}

function moveByHand(inst, stage) {
  stop(inst);
  moveStage(inst, stage);
}

function set(inst, name, value) {
  inst[name] = value;
  repaint(inst);
  writeFoot(inst);
}

function onScroll(inst) {
  const before = inst.scroll;
  inst.scroll = inst.el.scroller.scrollLeft;
  if (inst.scroll === before) return;
  drawPicture(penOn(inst.el.picture, inst.layout.width, inst.layout.height, inst.ratio), inst);
  paintCursor(inst);
}

// ---------------------------------------------------------------- each run

function create(root, data) {
  const last = data.stages.length - 1;
  const inst = {
    root, data, theme: readTheme(root), ratio: window.devicePixelRatio || 1, scroll: 0, at: { stage: last, step: 0, unit: 0 },
    pin: null, serial: null, signal: "all", order: "grouped", speed: 2, playing: false, timers: {}, scratch: document.createElement("canvas"),
  };
  inst.el = build(root);
  inst.el.speed.value = inst.speed;
  inst.player = { here: () => inst.at.stage, last: () => inst.data.stages.length - 1, go: (stage) => moveStage(inst, stage) };
  showPlaying(inst);
  connect(inst);
  return inst;
}

/** Takes new data in, keeping the place wherever it still makes sense; who looks at the newest checkpoint stays with it. */
function update(inst, data) {
  const old = inst.data;
  const { meta, view, stages } = data;
  const same = old.meta.name === meta.name;
  const newest = inst.at.stage === old.stages.length - 1;
  const step = old.stages[inst.at.stage].step;
  Object.assign(inst, { data, theme: readTheme(inst.root), tables: null, ordered: null });
  inst.root.style.setProperty("--replaced", inst.theme.replaced);
  const fitted = (place) => ({ stage: place.stage < 0 ? stages.length - 1 : Math.min(place.stage, stages.length - 1), step: clamp(place.step, 0, meta.columns - 1), unit: clamp(place.unit, 0, meta.units - 1) });
  if (view.serial !== inst.serial) {
    inst.serial = view.serial;
    inst.at = fitted(view.at);
    inst.pin = view.pinned ? fitted(view.at) : null;
  } else if (old !== data) {
    const nearest = stages.reduce((best, stage) => (Math.abs(stage.step - step) < Math.abs(stages[best].step - step) ? stage.place : best), 0);
    inst.at = fitted({ ...inst.at, stage: newest ? stages.length - 1 : nearest });
    inst.pin = inst.pin && same ? fitted(inst.pin) : null;
  }
  writeFoot(inst);
  repaint(inst);
}

export default function ({ data, parentElement, setStateValue }) {
  const unpacked = unpack(data);
  let inst = instances.get(parentElement);
  if (!inst) {
    inst = create(parentElement.querySelector(".life"), unpacked);
    instances.set(parentElement, inst);
  }
  inst.send = setStateValue;
  update(inst, unpacked);
  return () => destroy(parentElement);
}
