"""What a page needs to read new text by itself: how the heatmaps are drawn, and a trace to hold the first text to.

The numbers come from the browser's engine (lstm_core/browser/engine.py sends the weights); assets/gates/from_reading.js
makes of them what `gates.payload` makes of a trace, by the rules that are sent here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.analysis.unit_order import grouped_order
from lstm_core.browser import engine, equations, gates, inside
from lstm_core.errors import InputError
from lstm_core.figures import lettering, palette
from lstm_core.figures.paper import version
from lstm_core.text import LOOK_ALIKES
from lstm_core.trace import Trace
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.model import CharModel
    from lstm_core.model_file import ModelFile

Track = dict[str, Any]


def described(
    name: str, of: CharModel | ModelFile | Trace, layers: Sequence[int] | None = None, trace: Trace | None = None
) -> dict[str, Any]:
    """How the heatmaps of a model are drawn whatever it reads, as JSON; `Filler` in assets/gates/from_reading.js reads it.

    name: of the model. of: the model, or a trace of it. layers: which are shown, counted from 0; None for all. trace: of the
    first text, whose order of grouped units is taken and whose characters are named; None for neither. Raises InputError for
    a layer that the model lacks.
    """
    shown = range(of.layers) if layers is None else layers
    for layer in shown:
        if not 0 <= layer < of.layers:
            raise InputError(tr("there is no layer {layer}; there are layers 0 to {last}", layer=layer, last=of.layers - 1))
    return {
        "meta": {
            "levels": gates.LEVELS,
            "version": version(),
            "step": "byte" if of.vocabulary.reads == "bytes" else "character",
            "colours": gates.colours(),
            "lines": palette.READER_COLOURS,
            "caption": "",
            "file": f"{name}-gates",
        },
        "reader": gates.described_reader(name, name, of.cell, of.layers),
        "tracks": [_track(of, layer, trace) for layer in shown],
        "rules": {
            "likeliest": gates.LIKELIEST,
            "firstScreen": gates.FIRST_SCREEN,
            "covered": palette.COVERED,
            "sample": palette.SAMPLE,
            "curves": palette.SIGNAL_COLOURS,
        },
        "lettering": lettering.tables(
            [
                *(() if trace is None else trace.chars),
                *of.vocabulary.characters,
                *LOOK_ALIKES,
                *(a for b in LOOK_ALIKES.values() for a in b),
            ]
        ),
    }


def _track(of: CharModel | ModelFile | Trace, layer: int, trace: Trace | None) -> Track:
    signals = [gates.undecided_signal(of.cell, name) for name in of.cell.order]
    return {"layer": layer, "units": of.units, "signals": signals, "grouped": None if trace is None else grouped(trace, layer)}


def grouped(trace: Trace, layer: int) -> list[int]:
    """The order in which units stand together that move together. It takes eigenvectors: Python finds it, for one text."""
    return grouped_order([trace[name][layer] for name in trace.signals]).tolist()


def packed(name: str, model: CharModel | ModelFile) -> tuple[str, bytes]:
    """All that the browser needs to read with a model and to draw it, as one file, and the file's version, of its content.

    model: or the file that holds it, which needs no torch and gives the same.

    The file: the length of its head, 4 bytes; the head, JSON in UTF-8, {"engine": `engine.payload`'s meta, "picture":
    `described`, "equations": `equations.described`, "drawings": `inside.described` of each layer}; the weights. All numbers
    are little-endian, and the weights begin at a multiple of 4.
    """
    meta, weights = engine.payload(model)
    head = json.dumps(
        {
            "engine": meta,
            "picture": described(name, model),
            "equations": equations.described(model),
            "drawings": [inside.described(model, layer) for layer in range(model.layers)],
        }
    ).encode()
    head += b" " * (-len(head) % 4)
    file = len(head).to_bytes(4, "little") + head + weights
    return hashlib.sha256(file).hexdigest()[:32], file


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
