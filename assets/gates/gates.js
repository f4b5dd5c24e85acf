// The Gates page's linked picture: text, predictions and every heatmap under one cursor.
//
// Python (pages/common/gates_view.py) sends numbers; everything here runs without the server, but for two messages:
// "pin" when a (step, unit, layer) is pinned, and "start" when the view leaves the window of columns that was sent.

const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8, 10, 13, 17, 22, 28, 36];
const READABLE = 9; // columns narrower than this show no letters
const ROW_HEIGHTS = { small: 40, medium: 66, large: 124 };
const TALLEST = 8192; // device pixels of one canvas: more fails on phones
const SPEEDS = [2, 5, 10, 20, 50];
const COMPACT = 620;
const GUTTER = 188;
const PAD = 6;
const COLUMN = { least: 17, most: 26 }; // a short text gets wider columns at first sight
const MARGIN = 100; // columns beyond the view that should be there before a person scrolls to them

const instances = new WeakMap();

// ---------------------------------------------------------------- the data

function unpack(data) {
  const { meta, view } = data;
  const column = (table, name) => table.getChild(name).toArray();
  const steps = Object.fromEntries(data.steps.schema.fields.map((field) => [field.name, column(data.steps, field.name)]));
  const orders = Object.fromEntries(data.orders.schema.fields.map((field) => [field.name, column(data.orders, field.name)]));
  const states = new Set(data.before.schema.fields.map((field) => field.name));
  const heats = meta.layers.flatMap((layer, place) =>
    meta.signals.map((signal) => {
      const name = `${signal.name}/${layer}`;
      const [low, high, most] = signal.limits[place];
      const before = states.has(name) ? column(data.before, name) : null;
      return { name, layer, signal, low, high, most, before, numbers: column(data.values, name), squashed: null, scaled: null };
    }),
  );
  return { meta, view, steps, orders, heats, ranks: [0, 1, 2].filter((rank) => `next${rank}` in steps), cap: surpriseCap(steps.surprise) };
}

function surpriseCap(surprise) {
  let most = 4;
  for (const nats of surprise) if (nats > most) most = nats;
  return Math.min(10, Math.ceil(most));
}

/** The number behind a cell of a heatmap, or NaN where its window was not sent. */
function valueAt(data, heat, step, unit) {
  const { start, columns, units, levels } = data.meta;
  const within = step >= start && step < start + columns;
  const raw = within ? heat.numbers[(step - start) * units + unit] : step === start - 1 && heat.before ? heat.before[unit] : NaN;
  return heat.signal.bounded ? heat.low + (raw / levels) * (heat.high - heat.low) : raw;
}

/** What is painted: 0 to meta.levels, whatever the signal's own numbers are. */
function levelsOf(inst, heat) {
  if (heat.signal.bounded) return heat.numbers;
  if (inst.squash) return (heat.squashed ??= toLevels(heat.numbers, inst.data.meta.levels, Math.tanh, 1));
  return (heat.scaled ??= toLevels(heat.numbers, inst.data.meta.levels, (value) => value, heat.high));
}

function toLevels(numbers, levels, squash, limit) {
  const out = new Uint16Array(numbers.length);
  const half = levels / 2;
  for (let k = 0; k < out.length; k++) {
    const share = squash(numbers[k]) / limit;
    out[k] = half + half * (share > 1 ? 1 : share < -1 ? -1 : share) + 0.5;
  }
  return out;
}

const identity = (units) => Uint16Array.from({ length: units }, (_, k) => k);

/** Which unit stands in each row, and in which row each unit stands, of a layer. */
function orderOf(inst, layer) {
  const key = `${inst.order}/${layer}`;
  if (!inst.rows.has(key)) {
    const units = inst.data.orders[key] ?? identity(inst.data.meta.units);
    const rows = new Uint16Array(units.length);
    units.forEach((unit, row) => (rows[unit] = row));
    inst.rows.set(key, { units, rows });
  }
  return inst.rows.get(key);
}

// ---------------------------------------------------------------- colours

function colourTables(inst) {
  const { colours, levels } = inst.data.meta;
  const theme = inst.theme.dark ? "dark" : "light";
  if (inst.tables?.theme !== theme) {
    inst.tables = { theme };
    for (const scale in colours) inst.tables[scale] = colourTable(colours[scale][theme], levels);
  }
  return inst.tables;
}

// ---------------------------------------------------------------- where everything stands

function layoutOf(inst) {
  const { meta } = inst.data;
  const width = Math.max(240, inst.root.clientWidth);
  const compact = width < COMPACT;
  const bands = [];
  let y = 0;
  const add = (kind, height, more = {}) => {
    bands.push({ kind, y, height, ...more });
    y += height;
  };
  add("text", 30);
  add("surprise", 26);
  if (inst.columnWidth >= READABLE) add("expects", 52);
  const operations = compact ? 30 : 28;
  const rowHeight = rowHeightOf(inst, y + inst.data.heats.length * operations + 40 * meta.layers.length);
  for (const layer of meta.layers) {
    if (meta.layers.length > 1) add("layer", 26, { layer });
    for (const heat of inst.data.heats.filter((h) => h.layer === layer)) {
      const label = compact || heat.signal.lead.length;
      add("operations", label ? operations : 10, { heat });
      add("heat", rowHeight, { heat });
    }
  }
  const gutter = compact ? 0 : GUTTER;
  return { width, compact, gutter, plot: width - gutter, bands, height: y + 4, rowHeight };
}

function rowHeightOf(inst, others) {
  const { heats, meta } = inst.data;
  const wanted = inst.rowSize === "every" ? meta.units : ROW_HEIGHTS[inst.rowSize];
  const room = Math.floor((TALLEST / inst.ratio - others) / heats.length);
  return Math.max(ROW_HEIGHTS.small, Math.min(wanted, room));
}

const defaultRowSize = (heats) => (heats.length === 1 ? "large" : heats.length <= 6 ? "medium" : "small");

const xOf = (inst, step) => inst.layout.gutter + step * inst.columnWidth - inst.scroll;
const yOf = (inst, band, unit) => band.y + ((orderOf(inst, band.heat.layer).rows[unit] + 0.5) / inst.data.meta.units) * band.height;
const heatBands = (inst, layer) => inst.layout.bands.filter((b) => b.kind === "heat" && (layer === undefined || b.heat.layer === layer));

function visible(inst) {
  const { steps } = inst.data.meta;
  const first = clamp(Math.floor(inst.scroll / inst.columnWidth), 0, steps - 1);
  return { first, last: clamp(Math.ceil((inst.scroll + inst.layout.plot) / inst.columnWidth), first + 1, steps) };
}

// ---------------------------------------------------------------- the picture

function drawPicture(pen, inst) {
  const { layout } = inst;
  const draw = { text: drawText, surprise: drawSurprise, expects: drawExpects, heat: drawHeat };
  pen.within(layout.gutter, 0, layout.plot, layout.height, () => {
    for (const band of layout.bands) draw[band.kind]?.(pen, inst, band);
  });
  for (const band of layout.bands) {
    if (band.kind === "layer") drawLayerTitle(pen, inst, band);
    else if (layout.compact) drawCompactLabel(pen, inst, band);
    else drawGutter(pen, inst, band);
  }
}

function drawGlyph(pen, inst, glyph, x, y, size, fill, more = {}) {
  const [shown, , kind] = glyph;
  const style = { size, fill, family: inst.theme.mono, align: "center", ...more };
  if (kind !== "boxed") return pen.text(shown, x, y, style);
  const small = Math.min(size * 0.5, (inst.columnWidth - 4) / (0.62 * shown.length));
  const width = Math.min(inst.columnWidth - 2, 0.62 * small * shown.length + 3);
  pen.rect(x - width / 2, y - size * 0.72, width, size * 0.86, { stroke: fill, radius: 2, alpha: more.alpha });
  pen.text(shown, x, y - size * 0.29 + small * 0.36, { ...style, size: small });
}

const isReplaced = (data, step) => data.steps.typed[step] !== data.steps.read[step];

function drawText(pen, inst, band) {
  const { data, theme, columnWidth } = inst;
  if (columnWidth < 5) return drawDensity(pen, inst, band);
  const size = Math.min(16, columnWidth / 0.64);
  const { first, last } = visible(inst);
  for (let step = first; step < last; step++) {
    const glyph = data.meta.glyphs[data.steps.typed[step]];
    const x = xOf(inst, step) + columnWidth / 2;
    const replaced = isReplaced(data, step);
    const fill = replaced ? theme.replaced : glyph[2] === "quiet" ? mix(theme.ink, theme.paper, 0.42) : theme.ink;
    drawGlyph(pen, inst, glyph, x, band.y + 20, size, fill, { weight: 500 });
    if (replaced) pen.rect(x - columnWidth * 0.35, band.y + 25, columnWidth * 0.7, 2, { fill: theme.replaced, radius: 1 });
  }
}

/** Text too small to read: a mark for each letter, a gap for each space. */
function drawDensity(pen, inst, band) {
  const { data, theme, columnWidth } = inst;
  const { first, last } = visible(inst);
  for (let step = first; step < last; step++) {
    if (data.meta.glyphs[data.steps.typed[step]][2] === "quiet") continue;
    const fill = isReplaced(data, step) ? theme.replaced : theme.quiet;
    pen.rect(xOf(inst, step), band.y + 14, columnWidth, 5, { fill, alpha: 0.7 });
  }
}

function drawSurprise(pen, inst, band) {
  const { data, theme, columnWidth } = inst;
  const { first, last } = visible(inst);
  const tall = band.height - 6;
  const inset = Math.min(4, columnWidth * 0.2);
  pen.path([[inst.layout.gutter, band.y + 0.5], [xOf(inst, last), band.y + 0.5]], { stroke: theme.faint });
  for (let step = first; step < last; step++) {
    const share = Math.min(1, data.steps.surprise[step] / data.cap);
    if (share > 0) pen.rect(xOf(inst, step) + inset, band.y + 1, columnWidth - 2 * inset, Math.max(1, share * tall), { fill: theme.quiet, alpha: 0.75 });
  }
}

function drawExpects(pen, inst, band) {
  const { data, theme, columnWidth } = inst;
  const { first, last } = visible(inst);
  const largest = Math.min(15, columnWidth / 0.64);
  for (let step = first; step < last; step++) {
    const came = step + 1 < data.meta.steps ? data.steps.read[step + 1] : -1;
    for (const rank of data.ranks) {
      const index = data.steps[`next${rank}`][step];
      const weight = Math.sqrt(data.steps[`chance${rank}`][step] / 65535);
      const hit = index === came;
      const style = { alpha: 0.2 + 0.8 * weight, weight: hit ? 700 : 400 };
      const size = largest * (0.68 + 0.32 * weight);
      const x = xOf(inst, step) + columnWidth / 2;
      drawGlyph(pen, inst, data.meta.glyphs[index], x, band.y + 13 + 16 * rank, size, hit ? theme.accent : theme.ink, style);
    }
  }
}

function drawHeat(pen, inst, band) {
  const { layout, theme, data, columnWidth } = inst;
  const { start, columns } = data.meta;
  const { first, last } = visible(inst);
  const [from, to] = [Math.max(first, start), Math.min(last, start + columns)];
  const end = Math.min(layout.width, xOf(inst, data.meta.steps));
  pen.rect(layout.gutter, band.y, end - layout.gutter, band.height, { fill: theme.empty });
  if (to > from) pen.image(heatImage(inst, band, from, to), xOf(inst, from), band.y, (to - from) * columnWidth, band.height);
  pen.rect(layout.gutter + 0.5, band.y - 0.5, end - layout.gutter - 1, band.height + 1, { stroke: theme.faint });
}

/** Steps from..to of one heatmap on a small canvas: at most one pixel a screen pixel, units and steps pooled into it. */
function heatImage(inst, band, from, to) {
  const rows = Math.min(inst.data.meta.units, Math.round(band.height * inst.ratio));
  const columns = Math.min(to - from, Math.ceil((to - from) * inst.columnWidth * inst.ratio));
  const canvas = inst.scratch;
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const pool = inst.pooling === "farthest" ? poolFarthest : poolMean;
  pool(inst, band.heat, from, to, columns, rows, pixels);
  context.putImageData(image, 0, 0);
  return canvas;
}

function poolMean(inst, heat, from, to, columns, rows, pixels) {
  const { units, start } = inst.data.meta;
  const table = colourTables(inst)[heat.signal.scale];
  const levels = levelsOf(inst, heat);
  const order = orderOf(inst, heat.layer).units;
  const sums = new Float64Array(rows);
  const rowOf = rowsOf(units, rows);
  const sizes = new Uint32Array(rows);
  for (let place = 0; place < units; place++) sizes[rowOf[place]]++;
  for (let column = 0; column < columns; column++) {
    const [a, b] = stretch(column, columns, from, to);
    sums.fill(0);
    for (let step = a; step < b; step++) {
      const base = (step - start) * units;
      for (let place = 0; place < units; place++) sums[rowOf[place]] += levels[base + order[place]];
    }
    for (let row = 0; row < rows; row++) pixels[row * columns + column] = table[(sums[row] / (sizes[row] * (b - a)) + 0.5) | 0];
  }
}

/** Of the values that share a pixel, the one farthest from rest: 0, or for a gate half open. */
function poolFarthest(inst, heat, from, to, columns, rows, pixels) {
  const { units, start, levels: top } = inst.data.meta;
  const table = colourTables(inst)[heat.signal.scale];
  const levels = levelsOf(inst, heat);
  const order = orderOf(inst, heat.layer).units;
  const rowOf = rowsOf(units, rows);
  const rest = top / 2;
  const best = new Uint16Array(rows);
  for (let column = 0; column < columns; column++) {
    const [a, b] = stretch(column, columns, from, to);
    best.fill(rest);
    for (let step = a; step < b; step++) {
      const base = (step - start) * units;
      for (let place = 0; place < units; place++) {
        const level = levels[base + order[place]];
        if (Math.abs(level - rest) > Math.abs(best[rowOf[place]] - rest)) best[rowOf[place]] = level;
      }
    }
    for (let row = 0; row < rows; row++) pixels[row * columns + column] = table[best[row]];
  }
}

const rowsOf = (units, rows) => Uint16Array.from({ length: units }, (_, place) => Math.floor((place * rows) / units));

function stretch(column, columns, from, to) {
  const a = from + Math.floor((column * (to - from)) / columns);
  return [a, Math.max(a + 1, from + Math.floor(((column + 1) * (to - from)) / columns))];
}

// ---------------------------------------------------------------- labels

function limitsText(inst, heat) {
  if (heat.signal.bounded) return [written0(heat.low), written0(heat.high)];
  if (inst.squash) return ["−1", "1"];
  return [written0(heat.low), written0(heat.high)];
}

function drawColourBar(pen, inst, heat, x, y, width) {
  const { theme } = inst;
  const table = colourTables(inst)[heat.signal.scale];
  const canvas = inst.scratch;
  canvas.width = 64;
  canvas.height = 1;
  const context = canvas.getContext("2d");
  const image = context.createImageData(64, 1);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < 64; k++) pixels[k] = table[Math.round((k / 63) * inst.data.meta.levels)];
  context.putImageData(image, 0, 0);
  const [low, high] = limitsText(inst, heat);
  const style = { size: 10.5, fill: theme.quiet, family: theme.sans };
  const left = x + widthOf(low, style) + 4;
  pen.text(low, x, y + 7.5, style);
  pen.image(canvas, left, y, width, 7);
  pen.rect(left, y, width, 7, { stroke: theme.faint });
  pen.text(high, left + width + 4, y + 7.5, style);
  return left + width + 4 + widthOf(high, style);
}

/** Beyond which the colours stop telling values apart, where some values lie there. */
function beyond(inst, heat) {
  if (heat.signal.bounded || inst.squash || heat.most <= heat.high) return "";
  return `largest ${written0(heat.most)}`;
}

const symbolOf = (inst, heat) => (inst.squash && !heat.signal.bounded ? `tanh ${heat.signal.symbol}` : heat.signal.symbol);

function drawGutter(pen, inst, band) {
  const { theme, layout } = inst;
  const quiet = { size: 12, fill: theme.quiet, family: theme.sans };
  const words = { text: "reads", surprise: `surprise, 0–${inst.data.cap} nats`, expects: "expects next" }[band.kind];
  if (words) pen.text(words, PAD, band.y + (band.kind === "text" ? 20 : 14), quiet);
  if (band.kind === "operations") drawOperations(pen, inst, band.heat.signal.lead, layout.gutter - 22, band.y + band.height / 2, "right");
  if (band.kind !== "heat") return;
  const { heat } = band;
  const after = drawSymbol(pen, theme, symbolOf(inst, heat), "t", PAD, band.y + 18, 19);
  pen.text(heat.signal.title, after + 8, band.y + 18, quiet);
  const end = drawColourBar(pen, inst, heat, PAD, band.y + 28, 56);
  if (beyond(inst, heat)) pen.text(beyond(inst, heat), band.height < 60 ? end + 8 : PAD, band.y + (band.height < 60 ? 35.5 : 50), { ...quiet, size: 10.5 });
}

function drawCompactLabel(pen, inst, band) {
  const { theme, layout } = inst;
  if (band.kind !== "operations") return;
  const { heat } = band;
  const middle = band.y + band.height / 2 + 2;
  const start = heat.signal.lead.length ? drawOperations(pen, inst, heat.signal.lead, 0, middle, "left") + 8 : 2;
  const after = drawSymbol(pen, theme, symbolOf(inst, heat), "t", start, middle + 5, 18);
  pen.text(heat.signal.title, after + 7, middle + 4, { size: 12, fill: theme.quiet, family: theme.sans });
  const [low, high] = limitsText(inst, heat);
  const style = { size: 10.5, family: theme.sans };
  drawColourBar(pen, inst, heat, layout.width - 52 - widthOf(low, style) - widthOf(high, style), middle - 3, 40);
}

function drawLayerTitle(pen, inst, band) {
  const { theme, layout } = inst;
  pen.path([[0, band.y + 7.5], [layout.width, band.y + 7.5]], { stroke: theme.faint });
  const words = `layer ${band.layer + 1}`;
  pen.text(words, PAD, band.y + 22, { size: 13, weight: 650, fill: theme.ink, family: theme.sans });
}

/** The pointwise operations as pink circles and pills in a row; returns where the row ends. */
function drawOperations(pen, inst, operations, x, y, align) {
  const { theme, layout } = inst;
  const style = { size: 12.5, weight: 600, family: theme.sans };
  const widths = operations.map((words) => (words.length === 1 ? 19 : widthOf(words, style) + 14));
  const total = widths.reduce((sum, width) => sum + width + 4, -4);
  let left = { left: x, right: x + 11 - total, center: x - total / 2 }[align];
  if (align === "center") left = clamp(left, layout.gutter + 2, layout.width - total - 2);
  operations.forEach((words, k) => {
    pen.rect(left, y - 9.5, widths[k], 19, { fill: theme.operation, stroke: theme.operationEdge, radius: 9.5 });
    pen.text(words, left + widths[k] / 2, y + 4.5, { ...style, align: "center", fill: theme.dark ? "#fff" : "#3c1420" });
    left += widths[k] + 4;
  });
  return left - 4;
}

// ---------------------------------------------------------------- the cursor and the pin, above the picture

function drawOverlay(pen, inst) {
  const { layout } = inst;
  pen.within(layout.gutter, 0, layout.plot, layout.height, () => {
    if (inst.pin) drawPin(pen, inst);
    drawCursor(pen, inst);
  });
  drawLedger(pen, inst);
}

function drawPin(pen, inst) {
  const { theme, layout, pin, columnWidth } = inst;
  const x = xOf(inst, pin.step);
  const centre = x + columnWidth / 2;
  pen.rect(x, 0, Math.max(1, columnWidth), 29, { fill: theme.accent, alpha: 0.22, radius: 3 });
  pen.path([[centre - 5, 0], [centre + 5, 0], [centre, 7]], { fill: theme.accent });
  for (const [top, foot] of cursorStretches(layout)) {
    pen.path([[centre, Math.max(29, top)], [centre, foot]], { stroke: theme.accent, dash: [2, 4], line: 1.25, alpha: 0.9 });
  }
  const end = Math.min(layout.width, xOf(inst, inst.data.meta.steps));
  for (const band of heatBands(inst, pin.layer)) {
    const y = yOf(inst, band, pin.unit);
    pen.path([[layout.gutter, y], [end, y]], { stroke: theme.paper, line: 3, alpha: 0.5 });
    pen.path([[layout.gutter, y], [end, y]], { stroke: theme.accent, line: 1.25 });
    pen.circle(centre, y, 4.5, { fill: theme.accent, stroke: theme.paper, line: 1.5 });
  }
  drawPinTag(pen, inst, end);
}

function drawPinTag(pen, inst, end) {
  const { theme, layout, pin } = inst;
  const [top] = heatBands(inst, pin.layer);
  if (!top) return;
  const words = `unit ${pin.unit}`;
  const style = { size: 10.5, weight: 600, family: theme.sans };
  const width = widthOf(words, style) + 10;
  const y = clamp(yOf(inst, top, pin.unit), top.y + 8, top.y + top.height - 8);
  const x = Math.min(layout.width - width - 2, end + 3);
  pen.rect(x, y - 8, width, 16, { fill: theme.accent, radius: 8 });
  pen.text(words, x + width / 2, y + 4, { ...style, fill: theme.paper, align: "center" });
}

function drawCursor(pen, inst) {
  const { theme, layout, cursor, columnWidth } = inst;
  const x = xOf(inst, cursor.step);
  const sides = columnWidth >= 6 ? [x + 0.5, x + columnWidth - 0.5] : [x + columnWidth / 2];
  for (const [top, foot] of cursorStretches(layout)) {
    for (const side of sides) {
      pen.path([[side, top], [side, foot]], { stroke: theme.paper, line: 3, alpha: 0.45 });
      pen.path([[side, top], [side, foot]], { stroke: theme.ink, line: 1.1 });
    }
  }
  for (const band of heatBands(inst, cursor.layer)) drawCrosshair(pen, inst, band);
  const { first, last } = visible(inst);
  if (cursor.step < first || cursor.step >= last) return;
  if (!layout.compact) drawCursorOperations(pen, inst);
  if (columnWidth < READABLE) drawLens(pen, inst);
}

/** From top to foot; on a phone the rows' labels stand between the heatmaps, and the line leaves them out. */
function cursorStretches(layout) {
  if (!layout.compact) return [[0, layout.height]];
  const head = layout.bands.find((band) => band.kind === "operations" || band.kind === "layer").y;
  return [[0, head], ...layout.bands.filter((band) => band.kind === "heat").map((band) => [band.y, band.y + band.height])];
}

function drawCrosshair(pen, inst, band) {
  const { theme, cursor, columnWidth, data } = inst;
  const tall = Math.max(4, band.height / data.meta.units) + 2;
  const wide = Math.max(5, columnWidth) + 2;
  const x = xOf(inst, cursor.step) + columnWidth / 2 - wide / 2;
  const y = yOf(inst, band, cursor.unit) - tall / 2;
  pen.rect(x - 1, y - 1, wide + 2, tall + 2, { stroke: theme.paper, line: 2.5, radius: 2.5 });
  pen.rect(x, y, wide, tall, { stroke: theme.ink, line: 1.5, radius: 2 });
}

function drawCursorOperations(pen, inst) {
  const centre = xOf(inst, inst.cursor.step) + inst.columnWidth / 2;
  for (const band of inst.layout.bands) {
    if (band.kind !== "operations" || !band.heat.signal.lead.length) continue;
    drawRecall(pen, inst, band, centre);
    drawOperations(pen, inst, band.heat.signal.lead, centre, band.y + band.height / 2, "center");
  }
}

/** From the state's cell of the step before to the operation that takes it up. */
function drawRecall(pen, inst, band, centre) {
  const { cursor, columnWidth, theme } = inst;
  const source = heatBands(inst, band.heat.layer).find((b) => b.heat.signal.name === band.heat.signal.recalls);
  if (!source || source.y > band.y || columnWidth < READABLE || cursor.layer !== band.heat.layer) return;
  const x = centre - columnWidth;
  const y = yOf(inst, source, cursor.unit);
  const end = [centre - 9.5, band.y + band.height / 2];
  const bend = [[x, y], [x, band.y + band.height * 0.62], [x + 2, end[1]], end];
  pen.path(bend, { stroke: theme.paper, line: 4, alpha: 0.6, curve: true });
  pen.path(bend, { stroke: theme.operationEdge, line: 1.75, curve: true });
  pen.circle(x, y, 2.5, { fill: theme.operationEdge, stroke: theme.paper });
}

/** Where columns are too narrow for letters: the text around the cursor, readable. */
function drawLens(pen, inst) {
  const { data, theme, cursor, layout } = inst;
  const half = layout.compact ? 9 : 16;
  const wide = 11;
  const total = (2 * half + 1) * wide;
  const centre = clamp(xOf(inst, cursor.step) + inst.columnWidth / 2, layout.gutter + total / 2, layout.width - total / 2);
  pen.rect(centre - total / 2, 1, total, 27, { fill: theme.paper, stroke: theme.quiet, radius: 6 });
  pen.rect(centre - wide / 2, 3, wide, 23, { fill: theme.accent, alpha: 0.22, radius: 3 });
  for (let k = -half; k <= half; k++) {
    const glyph = data.meta.glyphs[data.steps.typed[cursor.step + k]];
    if (!glyph) continue;
    const shown = glyph[2] === "boxed" ? ["▯", "", "quiet"] : glyph;
    const fill = shown[2] === "quiet" && k ? theme.quiet : theme.ink;
    pen.text(shown[0], centre + k * wide, 20, { size: 14, fill, family: theme.mono, align: "center", weight: k ? 400 : 700 });
  }
}

/** Beside each row its value for the unit under the cursor: read downwards, the equation in numbers. */
function drawLedger(pen, inst) {
  const { data, layout, cursor, theme } = inst;
  const style = { size: 13.5, weight: 600, fill: theme.ink, family: theme.sans, align: "right" };
  const right = layout.gutter - 12;
  for (const band of layout.bands) {
    if (band.kind === "operations") drawRecalledValue(pen, inst, band, style);
    if (band.kind !== (layout.compact ? "operations" : "heat")) continue;
    const own = band.heat.layer === cursor.layer;
    const value = written(shownValue(inst, band.heat, cursor.step));
    const place = layout.compact ? [layout.width - 100, band.y + band.height / 2 + 6] : [right, band.y + 18];
    pen.text(value, ...place, { ...style, alpha: own ? 1 : 0.45 });
  }
}

function drawRecalledValue(pen, inst, band, style) {
  const { layout, cursor, theme, data } = inst;
  const { recalls, lead } = band.heat.signal;
  const heat = recalls && data.heats.find((h) => h.layer === band.heat.layer && h.signal.name === recalls);
  if (!heat || layout.compact || lead.join("").length > 3) return;
  const y = band.y + band.height / 2 + 4.5;
  drawSymbol(pen, theme, heat.signal.symbol, "t−1", PAD, y, 16, theme.quiet);
  const alpha = heat.layer === cursor.layer ? 1 : 0.45;
  pen.text(written(valueAt(data, heat, cursor.step - 1, cursor.unit)), layout.gutter - 42, y, { ...style, weight: 500, alpha });
}

function shownValue(inst, heat, step) {
  const value = valueAt(inst.data, heat, step, inst.cursor.unit);
  return inst.squash && !heat.signal.bounded ? Math.tanh(value) : value;
}

// ---------------------------------------------------------------- painting on the screen

/** Lays everything out anew, keeping the column `anchor` where it is on the screen. */
function arrange(inst) {
  const { el, data } = inst;
  inst.ratio = window.devicePixelRatio || 1;
  inst.layout = layoutOf(inst);
  inst.columnWidth = Math.max(inst.columnWidth, narrowest(inst));
  const total = inst.layout.gutter + data.meta.steps * inst.columnWidth;
  el.spacer.style.width = `${Math.max(inst.layout.width, Math.ceil(total))}px`;
  el.spacer.style.height = `${inst.layout.height}px`;
  el.stage.style.width = `${inst.layout.width}px`;
  el.map.hidden = total <= inst.layout.width + 1;
  readScroll(inst);
}

/** Columns may not get so narrow that more of them are in view than were sent. */
function narrowest(inst) {
  const { columns, steps } = inst.data.meta;
  return columns < steps ? Math.max(0.25, inst.layout.plot / (columns * 0.8)) : 0.25;
}

function readScroll(inst) {
  inst.scroll = Math.round(inst.el.scroller.scrollLeft * inst.ratio) / inst.ratio;
}

function paint(inst) {
  const { el, layout, ratio } = inst;
  drawPicture(penOn(el.picture, layout.width, layout.height, ratio), inst);
  paintOverlay(inst);
  askForWindow(inst);
}

function paintOverlay(inst) {
  const { el, layout, ratio } = inst;
  drawOverlay(penOn(el.cursor, layout.width, layout.height, ratio), inst);
  if (!el.map.hidden) paintMap(inst);
  writeReadout(inst);
}

function paintMap(inst) {
  const { el, theme, data, layout, cursor, pin } = inst;
  const { steps, start, columns } = data.meta;
  const [width, height] = [layout.width, 30];
  const pen = penOn(el.map, width, height, inst.ratio);
  const x = (step) => (step / steps) * width;
  pen.rect(0, 0, width, height, { fill: theme.empty, radius: 4 });
  pen.image(mapProfile(inst, width), 0, 0, width, height);
  if (columns < steps) pen.rect(x(start), height - 2, x(columns), 2, { fill: theme.quiet });
  const view = visible(inst);
  pen.rect(x(view.first), 1, Math.max(6, x(view.last - view.first)), height - 2, { fill: theme.accent, alpha: 0.14, radius: 3 });
  pen.rect(x(view.first), 1, Math.max(6, x(view.last - view.first)), height - 2, { stroke: theme.accent, radius: 3 });
  if (pin) pen.path([[x(pin.step) - 4, 0], [x(pin.step) + 4, 0], [x(pin.step), 6]], { fill: theme.accent });
  pen.path([[x(cursor.step + 0.5), 0], [x(cursor.step + 0.5), height]], { stroke: theme.ink, line: 1.25 });
}

/** Surprise along the whole text, painted once and kept: mean where many steps share a pixel. */
function mapProfile(inst, width) {
  const key = `${width}/${inst.ratio}/${inst.theme.ink}`;
  if (inst.profile?.key === key) return inst.profile.canvas;
  const { steps, cap, meta } = inst.data;
  const canvas = document.createElement("canvas");
  const pen = penOn(canvas, width, 30, inst.ratio);
  const bars = Math.min(Math.floor(width), meta.steps);
  for (let bar = 0; bar < bars; bar++) {
    const [a, b] = stretch(bar, bars, 0, meta.steps);
    let sum = 0;
    for (let step = a; step < b; step++) sum += steps.surprise[step] || 0;
    const tall = Math.min(1, sum / (b - a) / cap) * 26;
    pen.rect((bar * width) / bars, 29 - tall, Math.max(0.5, width / bars - 0.25), tall, { fill: inst.theme.quiet, alpha: 0.6 });
  }
  inst.profile = { key, canvas };
  return canvas;
}

// ---------------------------------------------------------------- words

function spoken(inst, index) {
  const [shown, name, kind] = inst.data.meta.glyphs[index];
  return kind === "plain" ? `“${shown}”` : name;
}

function writeReadout(inst) {
  const { el, data, cursor } = inst;
  const { step, unit, layer } = cursor;
  const glyph = data.meta.glyphs[data.steps.typed[step]];
  const replaced = isReplaced(data, step);
  const nats = data.steps.surprise[step];
  el.typed.textContent = glyph[0];
  el.typed.title = glyph[1];
  el.step.textContent = `character ${step + 1} of ${data.meta.steps}`;
  el.replaced.textContent = remark(inst, step);
  el.replaced.className = replaced ? "replaced" : "quiet";
  el.surprise.textContent = Number.isNaN(nats) ? "nothing expected yet" : `surprise ${nats.toFixed(2)} nats (${percent(Math.exp(-nats))})`;
  el.unit.textContent = `layer ${layer + 1}, unit ${unit}`;
  el.nexts.forEach((span, rank) => {
    if (!data.ranks.includes(rank)) return void (span.textContent = "");
    span.textContent = data.meta.glyphs[data.steps[`next${rank}`][step]][0];
    span.nextSibling.textContent = ` ${percent(data.steps[`chance${rank}`][step] / 65535)}`;
  });
  Object.assign(inst.root.dataset, { step, unit, layer });
  speakSoon(inst);
}

/** What a person can't see in the glyph: its name, and what the model read in its place. */
function remark(inst, step) {
  const { typed, read } = inst.data.steps;
  const [, name, kind] = inst.data.meta.glyphs[typed[step]];
  const named = kind === "plain" && name.length < 4 ? [] : [name];
  return named.concat(isReplaced(inst.data, step) ? `read as ${spoken(inst, read[step])}` : []).join(", ");
}

/** Screen readers hear where the cursor came to rest, not every place it passed. */
function speakSoon(inst) {
  clearTimeout(inst.timers.speak);
  inst.timers.speak = setTimeout(() => (inst.el.live.textContent = sentence(inst)), inst.playing ? 1500 : 200);
}

function sentence(inst) {
  const { data, cursor, el } = inst;
  const next = data.ranks.map((rank) => `${spoken(inst, data.steps[`next${rank}`][cursor.step])} ${percent(data.steps[`chance${rank}`][cursor.step] / 65535)}`);
  const values = data.heats
    .filter((heat) => heat.layer === cursor.layer)
    .map((heat) => `${heat.signal.title} ${heat.signal.symbol} ${written(valueAt(data, heat, cursor.step, cursor.unit))}`);
  const typed = spoken(inst, data.steps.typed[cursor.step]);
  const read = isReplaced(data, cursor.step) ? `, read as ${spoken(inst, data.steps.read[cursor.step])}` : "";
  return `${typed}${read}, ${el.step.textContent}, ${el.surprise.textContent}. Expects ${next.join(", ")}. At ${el.unit.textContent}: ${values.join(", ")}.`;
}

function captionOf(inst) {
  const { meta } = inst.data;
  const layers = meta.layers.map((layer) => layer + 1).join(" and ");
  const which = meta.allLayers > 1 ? `layer${meta.layers.length > 1 ? "s" : ""} ${layers} of ${meta.allLayers}` : "1 layer";
  const primed = meta.signals.some((signal) => signal.lead.join("").includes("h′")) ? " h′ is h of the step before." : "";
  return `${meta.model}: ${meta.cell}, ${which}, ${meta.units} units. ${meta.note}${primed}`;
}

function poolingNote(inst) {
  const { units } = inst.data.meta;
  const rows = Math.round(inst.layout.rowHeight * inst.ratio);
  if (rows >= units) return "";
  const [few, many] = [Math.floor(units / rows), Math.ceil(units / rows)];
  const share = few === many ? `${few}` : `${few}–${many}`;
  const what = inst.pooling === "farthest" ? "the value farthest from rest among" : "the mean of";
  return `${units} units in ${rows} rows: each row shows ${what} ${share} units.`;
}

function writeFoot(inst) {
  const { el, data } = inst;
  el.caption.textContent = `${captionOf(inst)} ${poolingNote(inst)}`.trim();
  el.pooling.hidden = !poolingNote(inst);
  el.pooling.textContent = inst.pooling === "farthest" ? "Show means" : "Show extremes";
  const free = data.heats.find((heat) => !heat.signal.bounded);
  el.squash.hidden = !free;
  if (free) el.squash.textContent = `${inst.squash ? "Show" : "Show tanh"} ${free.signal.symbol}`;
  el.squash.setAttribute("aria-pressed", inst.squash);
  const shown = data.meta.signals.map((signal) => signal.title).join(", ");
  el.cursor.setAttribute("aria-label", `Heatmaps over ${data.meta.steps} characters: ${shown}. Arrow keys move, Enter pins, Space plays.`);
  el.picture.setAttribute("aria-label", el.caption.textContent);
}

// ---------------------------------------------------------------- moving

function moveCursor(inst, to, follow = true) {
  const { meta } = inst.data;
  const step = clamp(to.step ?? inst.cursor.step, 0, meta.steps - 1);
  const unit = clamp(to.unit ?? inst.cursor.unit, 0, meta.units - 1);
  const layer = to.layer ?? inst.cursor.layer;
  const { cursor } = inst;
  if (step === cursor.step && unit === cursor.unit && layer === cursor.layer) return;
  inst.cursor = { step, unit, layer };
  if (follow && bringIntoView(inst, step)) return; // the scroll has painted
  paintOverlay(inst);
}

/** Scrolls so that a step is in view, with some text before and after it; true when that took scrolling. */
function bringIntoView(inst, step) {
  const { columnWidth, layout, el } = inst;
  const room = Math.min(4 * columnWidth, layout.plot / 4);
  const x = step * columnWidth;
  const inside = x >= inst.scroll + room && x + columnWidth <= inst.scroll + layout.plot - room;
  const free = inst.scroll + layout.plot;
  const atStart = x < room && inst.scroll === 0;
  const atEnd = x + columnWidth <= free && free >= inst.data.meta.steps * columnWidth - 1;
  if (inside || atStart || (atEnd && x >= inst.scroll + room)) return false;
  const target = calm.matches ? x - layout.plot / 4 : x < inst.scroll + room ? x - room : x + columnWidth + room - layout.plot;
  const before = el.scroller.scrollLeft;
  el.scroller.scrollLeft = target;
  if (el.scroller.scrollLeft === before) return false;
  readScroll(inst);
  paint(inst);
  return true;
}

function moveUnit(inst, by) {
  const { units, rows } = orderOf(inst, inst.cursor.layer);
  const row = clamp(rows[inst.cursor.unit] + by, 0, units.length - 1);
  moveCursor(inst, { unit: units[row] });
}

function placeAt(inst, event) {
  const box = inst.el.cursor.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  if (x < inst.layout.gutter) return null;
  const step = Math.floor((x - inst.layout.gutter + inst.scroll) / inst.columnWidth);
  if (step >= inst.data.meta.steps) return null;
  const band = heatBands(inst).find((b) => y >= b.y && y < b.y + b.height);
  if (!band) return { step };
  const { units } = orderOf(inst, band.heat.layer);
  const row = clamp(Math.floor(((y - band.y) / band.height) * units.length), 0, units.length - 1);
  return { step, unit: units[row], layer: band.heat.layer };
}

function pinCursor(inst) {
  inst.pin = { ...inst.cursor };
  paintOverlay(inst);
  inst.send("pin", { ...inst.pin, serial: inst.serial });
}

const KEYS = {
  ArrowLeft: (inst, far) => moveCursor(inst, { step: inst.cursor.step - (far ? 10 : 1) }),
  ArrowRight: (inst, far) => moveCursor(inst, { step: inst.cursor.step + (far ? 10 : 1) }),
  ArrowUp: (inst, far) => moveUnit(inst, far ? -10 : -1),
  ArrowDown: (inst, far) => moveUnit(inst, far ? 10 : 1),
  Home: (inst) => moveCursor(inst, { step: 0 }),
  End: (inst) => moveCursor(inst, { step: inst.data.meta.steps - 1 }),
  PageUp: (inst) => moveCursor(inst, { step: inst.cursor.step - pageOf(inst) }),
  PageDown: (inst) => moveCursor(inst, { step: inst.cursor.step + pageOf(inst) }),
  Enter: (inst) => pinCursor(inst),
  Escape: (inst) => inst.pin && moveCursor(inst, inst.pin),
  " ": (inst) => togglePlay(inst),
};

const pageOf = (inst) => Math.max(1, Math.floor((0.9 * inst.layout.plot) / inst.columnWidth));

function onKey(inst, event) {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act(inst, event.shiftKey);
}

// ---------------------------------------------------------------- playing

function togglePlay(inst) {
  if (inst.playing) return stop(inst);
  if (inst.cursor.step >= inst.data.meta.steps - 1) moveCursor(inst, { step: 0 });
  inst.playing = true;
  inst.owed = 0;
  inst.before = performance.now();
  inst.frame = requestAnimationFrame((now) => tick(inst, now));
  showPlaying(inst);
}

function stop(inst) {
  cancelAnimationFrame(inst.frame);
  inst.playing = false;
  showPlaying(inst);
}

function tick(inst, now) {
  inst.owed += ((now - inst.before) / 1000) * inst.speed;
  inst.before = now;
  const by = Math.floor(inst.owed);
  if (by > 0) {
    inst.owed -= by;
    moveCursor(inst, { step: inst.cursor.step + by });
  }
  if (inst.cursor.step >= inst.data.meta.steps - 1) return stop(inst);
  inst.frame = requestAnimationFrame((later) => tick(inst, later));
}

function showPlaying(inst) {
  const { play } = inst.el;
  play.replaceChildren(icon(inst.playing ? "pause" : "play"));
  play.setAttribute("aria-label", inst.playing ? "Pause" : "Play");
  play.title = `${inst.playing ? "Pause" : "Play"} (Space)`;
}

// ---------------------------------------------------------------- the window of columns that was sent

function askForWindow(inst) {
  if (inst.timers.ask || !missing(inst)) return;
  // A new wish would break off the run that answers the one before.
  const patience = inst.asked === null ? 150 : Math.max(150, inst.askedAt + 4000 - performance.now());
  inst.timers.ask = setTimeout(() => {
    inst.timers.ask = 0;
    const first = missing(inst) ? wantedStart(inst) : inst.asked;
    if (first === inst.asked || first === inst.data.meta.start) return;
    inst.asked = first;
    inst.askedAt = performance.now();
    inst.send("start", { first, serial: inst.serial });
  }, patience);
}

function missing(inst) {
  const { start, columns, steps } = inst.data.meta;
  const { first, last } = visible(inst);
  const spare = Math.min(MARGIN, Math.floor((columns - (last - first)) / 4));
  return (start > 0 && first - spare < start) || (start + columns < steps && last + spare > start + columns);
}

function wantedStart(inst) {
  const { columns, steps } = inst.data.meta;
  const { first, last } = visible(inst);
  return clamp(Math.round((first + last - columns) / 2), 0, steps - columns);
}

// ---------------------------------------------------------------- zoom, order, height

function zoomTo(inst, columnWidth) {
  const place = clamp((inst.cursor.step * inst.columnWidth - inst.scroll) / inst.layout.plot, 0, 0.9);
  inst.columnWidth = columnWidth;
  arrange(inst);
  inst.el.scroller.scrollLeft = inst.cursor.step * inst.columnWidth - place * inst.layout.plot;
  readScroll(inst);
  paint(inst);
  showZoom(inst);
}

function zoomBy(inst, direction) {
  const wider = ZOOMS.find((zoom) => zoom > inst.columnWidth + 0.01);
  const narrower = ZOOMS.findLast((zoom) => zoom < inst.columnWidth - 0.01);
  const target = direction > 0 ? wider : narrower;
  if (target) zoomTo(inst, target);
}

function fitWidth(inst) {
  zoomTo(inst, clamp(inst.layout.plot / inst.data.meta.steps, narrowest(inst), 28));
}

function showZoom(inst) {
  inst.el.narrower.disabled = inst.columnWidth <= Math.max(ZOOMS[0], narrowest(inst)) + 0.01;
  inst.el.wider.disabled = inst.columnWidth >= ZOOMS.at(-1);
}

function repaint(inst) {
  arrange(inst);
  paint(inst);
  writeFoot(inst);
}

function fillOrders(inst) {
  const { order } = inst.el;
  const { signals } = inst.data.meta;
  const means = signals.map((s) => [s.name, `units by mean ${s.symbol}`]);
  const choices = [["index", "units by index"], ["grouped", "units grouped"], ...means];
  order.replaceChildren(...choices.map(([value, words]) => option(value, words)));
  if (!choices.some(([value]) => value === inst.order)) inst.order = inst.order === "mean" ? signals[0].name : "index";
  order.value = inst.order;
}

// ---------------------------------------------------------------- taking the picture away

function exported(pen, inst) {
  const { layout, theme } = inst;
  const style = { size: 11.5, fill: theme.quiet, family: theme.sans };
  const caption = [captionOf(inst), textExcerpt(inst), poolingNote(inst)].flatMap((line) => wrapped(line, style, layout.width - 8));
  const height = layout.height + 10 + 17 * caption.length;
  pen.rect(0, 0, layout.width, height, { fill: theme.paper });
  drawPicture(pen, inst);
  drawOverlay(pen, inst);
  caption.forEach((line, k) => pen.text(line, 4, layout.height + 18 + 17 * k, style));
  return { width: layout.width, height };
}

function textExcerpt(inst) {
  const { data, el } = inst;
  const { first, last } = visible(inst);
  const shown = (step) => data.meta.glyphs[data.steps.typed[step]];
  const letters = Array.from({ length: Math.min(60, last - first) }, (_, k) => (shown(first + k)[1] === "space" ? " " : shown(first + k)[0]));
  return `“${letters.join("")}${last - first > 60 ? "…" : ""}”, characters ${first + 1} to ${last} of ${data.meta.steps}; cursor at ${el.step.textContent}, ${el.unit.textContent}.`;
}

const download = (inst, blob, extension) => saveAs(blob, `${inst.data.meta.model}-gates.${extension}`);

function saveSvg(inst) {
  const pen = new SvgPen();
  const { width, height } = exported(pen, inst);
  download(inst, new Blob([pen.finished(width, height)], { type: "image/svg+xml" }), "svg");
}

function savePng(inst) {
  const canvas = document.createElement("canvas");
  const { width, height } = inst.layout;
  exported(penOn(canvas, width, height + 44, Math.max(2, inst.ratio)), inst);
  canvas.toBlob((blob) => download(inst, blob, "png"));
}

// ---------------------------------------------------------------- the elements

function build(root) {
  const el = {
    back: iconButton("back", "Step back", "←"),
    play: iconButton("play", "Play", "Space"),
    forward: iconButton("forward", "Step forward", "→"),
    narrower: iconButton("minus", "Narrower columns"),
    wider: iconButton("plus", "Wider columns"),
    fit: element("button", { type: "button", textContent: "Fit", title: "The whole text at once, as far as it goes" }),
    map: element("canvas", { className: "map", "aria-hidden": "true" }),
    picture: element("canvas", { className: "picture", role: "img" }),
    cursor: element("canvas", { className: "cursor", role: "img", tabIndex: 0 }),
    stage: element("div", { className: "stage" }),
    spacer: element("div", { className: "spacer" }),
    scroller: element("div", { className: "scroller", tabIndex: -1 }),
    speed: choice("Speed", SPEEDS.map((speed) => [speed, `${speed} a second`])),
    order: choice("Order of the units", []),
    heights: choice("Height of the rows", [["small", "low rows"], ["medium", "medium rows"], ["large", "tall rows"], ["every", "a row a unit"]]),
    live: element("div", { className: "live", "aria-live": "polite" }),
    caption: element("span", { className: "caption" }),
    pooling: element("button", { type: "button" }),
    squash: element("button", { type: "button" }),
    png: element("button", { type: "button", textContent: "PNG", "aria-label": "Save as PNG", title: "Save what is in view as PNG" }),
    svg: element("button", { type: "button", textContent: "SVG", "aria-label": "Save as SVG", title: "Save what is in view as SVG" }),
  };
  Object.assign(el, readoutParts());
  const columns = element("div", { className: "group", role: "group", "aria-label": "Columns" }, element("span", { textContent: "Columns" }), el.narrower, el.wider, el.fit);
  const player = element("div", { className: "group" }, el.back, el.play, el.forward);
  const bar = element("div", { className: "bar", role: "toolbar", "aria-label": "Time and view" }, player, el.speed, el.order, columns, el.heights);
  el.stage.append(el.picture, el.cursor);
  el.spacer.append(el.stage);
  el.scroller.append(el.spacer);
  const foot = element("div", { className: "foot" }, el.caption, el.squash, el.pooling, el.png, el.svg);
  root.append(bar, el.readout, el.map, el.scroller, foot, el.live);
  return el;
}

function readoutParts() {
  const span = (className) => element("span", { className });
  const parts = { typed: span("typed"), step: span("quiet"), replaced: span("replaced"), surprise: span("surprise"), unit: span("place") };
  const nexts = [0, 1, 2].map(() => span("next"));
  const expects = element("span", { className: "expects" }, element("span", { className: "quiet", textContent: "expects" }));
  for (const next of nexts) expects.append(next, element("span", { className: "quiet" }));
  const shown = [parts.typed, parts.step, parts.surprise, expects, parts.replaced, parts.unit];
  const readout = element("div", { className: "readout", "aria-hidden": "true" }, ...shown);
  return { ...parts, nexts, readout };
}

function connect(inst) {
  const { el } = inst;
  el.back.onclick = () => moveCursor(inst, { step: inst.cursor.step - 1 });
  el.forward.onclick = () => moveCursor(inst, { step: inst.cursor.step + 1 });
  el.play.onclick = () => togglePlay(inst);
  el.speed.onchange = () => (inst.speed = Number(el.speed.value));
  el.narrower.onclick = () => zoomBy(inst, -1);
  el.wider.onclick = () => zoomBy(inst, 1);
  el.fit.onclick = () => fitWidth(inst);
  el.order.onchange = () => set(inst, "order", el.order.value);
  el.heights.onchange = () => set(inst, "rowSize", el.heights.value);
  el.pooling.onclick = () => set(inst, "pooling", inst.pooling === "mean" ? "farthest" : "mean");
  el.squash.onclick = () => set(inst, "squash", !inst.squash);
  el.png.onclick = () => savePng(inst);
  el.svg.onclick = () => saveSvg(inst);
  el.scroller.onscroll = () => onScroll(inst);
  el.cursor.onkeydown = (event) => onKey(inst, event);
  el.cursor.onpointermove = (event) => event.pointerType !== "touch" && hover(inst, event);
  el.cursor.onclick = (event) => click(inst, event);
  el.map.onpointerdown = (event) => el.map.setPointerCapture(event.pointerId);
  el.map.onpointermove = (event) => el.map.hasPointerCapture(event.pointerId) && dragMap(inst, event);
  el.map.onclick = (event) => dragMap(inst, event);
  inst.observer = new ResizeObserver(() => inst.root.clientWidth !== inst.layout?.width && repaint(inst));
  inst.observer.observe(inst.root);
}

function set(inst, name, value) {
  inst[name] = value;
  repaint(inst);
}

function hover(inst, event) {
  const place = placeAt(inst, event);
  if (place && !inst.playing) moveCursor(inst, place, false);
}

function click(inst, event) {
  const place = placeAt(inst, event);
  if (!place) return;
  stop(inst);
  moveCursor(inst, place, false);
  pinCursor(inst);
}

function onScroll(inst) {
  const before = inst.scroll;
  readScroll(inst);
  if (inst.scroll !== before) paint(inst);
}

function dragMap(inst, event) {
  const box = inst.el.map.getBoundingClientRect();
  const step = Math.floor(((event.clientX - box.left) / box.width) * inst.data.meta.steps);
  inst.el.scroller.scrollLeft = step * inst.columnWidth - inst.layout.plot / 2;
  onScroll(inst);
  moveCursor(inst, { step }, false);
}

// ---------------------------------------------------------------- each run

function create(root, data) {
  const inst = {
    root, data, theme: readTheme(root), ratio: window.devicePixelRatio || 1,
    columnWidth: COLUMN.least, scroll: 0, rowSize: defaultRowSize(data.heats), order: data.view.order,
    pooling: "mean", squash: false, speed: 10, playing: false, rows: new Map(),
    cursor: { step: 0, unit: 0, layer: data.meta.layers[0] }, pin: null, serial: null, asked: null, timers: {},
    scratch: document.createElement("canvas"),
  };
  inst.el = build(root);
  inst.el.speed.value = inst.speed;
  inst.el.heights.value = inst.rowSize;
  showPlaying(inst);
  connect(inst);
  return inst;
}

/** Takes new data in, keeping the cursor, the pin and the view wherever they still make sense. */
function update(inst, data) {
  const appended = isAppended(inst.data, data);
  clearTimeout(inst.timers.ask);
  inst.timers.ask = 0;
  Object.assign(inst, { data, asked: null, profile: null, rows: new Map(), theme: readTheme(inst.root) });
  const { meta, view } = data;
  const told = view.serial !== inst.serial;
  inst.serial = view.serial;
  inst.root.style.setProperty("--replaced", inst.theme.replaced);
  fillOrders(inst);
  if (told && view.pin) inst.pin = view.pin;
  inst.pin &&= fitted(inst.pin, meta);
  inst.cursor = fitted(told && view.pin ? view.pin : inst.cursor, meta);
  if (appended) inst.cursor.step = meta.steps - 1;
  arrange(inst);
  if ((told && view.pin) || appended) bringIntoView(inst, inst.cursor.step);
  paint(inst);
  showZoom(inst);
  writeFoot(inst);
}

const fitted = ({ step, unit, layer }, meta) => ({
  step: clamp(step, 0, meta.steps - 1),
  unit: clamp(unit, 0, meta.units - 1),
  layer: meta.layers.includes(layer) ? layer : meta.layers[0],
});

/** True when a person typed on: the old text is the beginning of the new. */
function isAppended(old, now) {
  if (!old || old.meta.steps >= now.meta.steps || old.meta.model !== now.meta.model) return false;
  const name = (data, step) => data.meta.glyphs[data.steps.typed[step]][1];
  for (let step = 0; step < old.meta.steps; step++) if (name(old, step) !== name(now, step)) return false;
  return true;
}

/** Where to look first: two thirds into what is in view, at the unit that speaks loudest there. */
function firstLook(inst) {
  const { meta, heats } = inst.data;
  const step = Math.floor(0.66 * Math.min(meta.steps - 1, inst.layout.plot / inst.columnWidth));
  const heat = heats.filter((h) => h.layer === meta.layers[0]).at(-1);
  let unit = 0;
  for (let k = 0; k < meta.units; k++) {
    if (Math.abs(valueAt(inst.data, heat, step, k)) > Math.abs(valueAt(inst.data, heat, step, unit))) unit = k;
  }
  moveCursor(inst, { step, unit });
}

function firstColumnWidth(inst) {
  const { plot } = layoutOf(inst);
  return clamp(Math.floor(plot / inst.data.meta.steps), COLUMN.least, COLUMN.most);
}

function destroy(parentElement) {
  const inst = instances.get(parentElement);
  if (!inst) return;
  stop(inst);
  inst.observer.disconnect();
  Object.values(inst.timers).forEach(clearTimeout);
  inst.root.replaceChildren();
  instances.delete(parentElement);
}

export default function ({ data, parentElement, setStateValue }) {
  const unpacked = unpack(data);
  let inst = instances.get(parentElement);
  const fresh = !inst;
  if (fresh) {
    inst = create(parentElement.querySelector(".gates"), unpacked);
    instances.set(parentElement, inst);
  }
  inst.send = setStateValue;
  if (fresh) inst.columnWidth = firstColumnWidth(inst);
  update(inst, unpacked);
  if (fresh && !inst.pin) firstLook(inst);
  return () => destroy(parentElement);
}
