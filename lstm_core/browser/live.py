"""What a page needs to read new text by itself: how the heatmaps are drawn, and a trace to hold the first text to.

The numbers come from the browser's engine (lstm_core/browser/engine.py sends the weights); assets/gates/from_reading.js
makes of them what `gates.payload` makes of a trace, by the rules that are sent here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstm_core.analysis.unit_order import grouped_order
from lstm_core.browser import gates
from lstm_core.figures import lettering, palette
from lstm_core.figures.paper import version
from lstm_core.text import LOOK_ALIKES
from lstm_core.trace import Trace

Track = dict[str, Any]


def described(trace: Trace, layers: Sequence[int] | None = None) -> dict[str, Any]:
    """How the heatmaps of a model are drawn whatever it reads, as JSON; `Filler` in assets/gates/from_reading.js reads it.

    trace: of the first text. layers: which are shown, counted from 0; None for all. Raises InputError for a layer that the
    trace lacks.
    """
    shown = range(trace.layers) if layers is None else layers
    for layer in shown:
        trace.check(layer=layer)
    return {
        "meta": {
            "levels": gates.LEVELS,
            "version": version(),
            "step": "byte" if trace.vocabulary.reads == "bytes" else "character",
            "colours": gates.colours(),
            "lines": palette.READER_COLOURS,
            "caption": "",
            "file": f"{trace.model}-gates",
        },
        "reader": gates.described_reader(gates.Reader(trace.model, trace)),
        "tracks": [_track(trace, layer) for layer in shown],
        "rules": {
            "likeliest": gates.LIKELIEST,
            "firstScreen": gates.FIRST_SCREEN,
            "covered": palette.COVERED,
            "sample": palette.SAMPLE,
        },
        "lettering": lettering.tables(
            [*trace.chars, *trace.vocabulary.characters, *LOOK_ALIKES, *(a for b in LOOK_ALIKES.values() for a in b)]
        ),
    }


def _track(trace: Trace, layer: int) -> Track:
    signals = [gates.undecided_signal(trace.cell, name) for name in trace.signals]
    # The order in which units stand that move together takes eigenvectors: it is the first text's, whatever is typed.
    grouped = grouped_order([trace[name][layer] for name in trace.signals])
    return {"layer": layer, "units": trace.units, "signals": signals, "grouped": grouped.tolist()}


def judge(trace: Trace, most: int) -> tuple[list[int], dict[str, np.ndarray]]:
    """Steps of a trace spread over the text, the last among them, and what it has there: every signal, and "probs".

    most: how many numbers at most, though at least one step. Returns the steps, counted from 0, and float32
    (layer, step, unit) of each signal, (step, character) of "probs".
    """
    each = trace.layers * trace.units * len(trace.signals) + trace.probs.shape[1]
    count = max(1, min(trace.steps, most // each))
    steps = np.unique(np.linspace(trace.steps - 1, 0, count).astype(int))
    values = {name: np.ascontiguousarray(trace[name][:, steps], np.float32) for name in trace.signals}
    return steps.tolist(), values | {"probs": np.ascontiguousarray(trace.probs[steps], np.float32)}
