"""What the picture of a model's life is painted from: one text at every checkpoint, packed for assets/life/life.js.

Everything travels at once, so that the slider needs no server: numbers with a declared range as uint16 (a step of 1/65534
of the range), unbounded ones as float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lstm_core.analysis.unit_order import grouped_order
from lstm_core.browser.gates import LEVELS, Reader, colours, readings
from lstm_core.figures import lettering, palette

if TYPE_CHECKING:
    from lstm_core.analysis.growth import Stage


def payload(stages: Sequence[Stage], layer: int = 0, *, name: str, prompt: str, judged: str, steps: int) -> dict[str, Any]:
    """All that the browser paints from: JSON under "meta", flat columns in Arrow tables beside it.

    stages: of one text and one cell, ascending, 1 or more. layer: counted from 0. name: of the life. prompt: what the
    stages wrote on from. judged: of which text the losses are, in words. steps: that the whole training has. reader0, ...
    of each stage: glyphs, predictions and surprise. values0, ...: one column a signal, (time x unit) flat, time first.
    rows: "grouped", which unit stands in each row, the same at all stages: as the last one groups them.
    Raises ValueError for no stage, and for stages of texts, cells or sizes that differ.
    """
    kinds = {(stage.trace.chars, stage.trace.cell.name, stage.trace.units, stage.trace.layers) for stage in stages}
    if len(kinds) != 1:
        raise ValueError(f"a life is one text read by one kind of model; given {len(stages)} stages of {len(kinds)} kinds")
    last = stages[-1].trace
    last.check(layer=layer)
    glyphs, tables = readings([Reader(str(stage.step), stage.trace) for stage in stages])
    packed: dict[str, Any] = {f"reader{k}": table for k, table in enumerate(tables)}
    for k, stage in enumerate(stages):
        packed[f"values{k}"] = pa.table({n: _numbers(stage.trace[n][layer], last.cell[n].range) for n in last.signals})
    grouped = grouped_order([last[n][layer] for n in last.signals])
    packed["rows"] = pa.table({"grouped": grouped.astype(np.uint16)})
    packed["meta"] = {
        "name": name,
        "cell": last.cell.title,
        "note": last.cell.note,
        "layer": layer,
        "layers": last.layers,
        "units": last.units,
        "columns": last.steps,
        "text": "".join(map(_printable, last.chars)),
        "stages": [_stage(stage) for stage in stages],
        "steps": steps,
        "prompt": prompt,
        "judged": judged,
        "uniform": math.log(len(last.vocabulary)),
        "signals": [_signal(stages, layer, n) for n in last.signals],
        "levels": LEVELS,
        "glyphs": glyphs,
        "colours": colours(),
        "lines": {theme: list(every[:2]) for theme, every in palette.READER_COLOURS.items()},
        "file": f"{name}-life",
    }
    return packed


def _printable(character: str) -> str:
    """One character of running text, as one character."""
    shown, _, kind = lettering.glyph(character)
    return character if character == " " else lettering.BOX if kind == "boxed" else shown


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "step": stage.step,
        "characters": stage.characters,
        "loss": stage.loss if math.isfinite(stage.loss) else None,
        "here": stage.trace.loss if math.isfinite(stage.trace.loss) else None,
        "written": stage.written,
    }


def _numbers(values: np.ndarray, declared: tuple[float, float]) -> np.ndarray:
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    low, high = declared
    if not math.isfinite(high - low):
        return flat
    return np.clip(np.rint((flat.astype(np.float64) - low) * (LEVELS / (high - low))), 0, LEVELS).astype(np.uint16)


def _signal(stages: Sequence[Stage], layer: int, name: str) -> dict[str, Any]:
    """One row of heatmap: its colours end where all stages' values do, so that they can be compared."""
    signal = stages[-1].trace.cell[name]
    low, high = signal.range
    most = None
    if not math.isfinite(high - low):
        high, most = palette.colour_limit(np.stack([stage.trace[name][layer] for stage in stages]))
        low = -high
    return {
        "name": name,
        "symbol": lettering.plain_symbol(signal.symbol),
        "title": signal.title,
        "scale": palette.scale_of(signal),
        "bounded": most is None,
        "low": low,
        "high": high,
        "most": most,
    }
