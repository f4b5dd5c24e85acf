"""What the browser's engine (assets/shared/engine) needs of a model: program, sizes and vocabulary as JSON, and the weights."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core import stepping
from lstm_core.formula import FUNCTIONS, Cell
from lstm_core.model_file import ModelFile
from lstm_core.text import ALL_BYTES, LOOK_ALIKES, MAX_CHARACTERS, Vocabulary

if TYPE_CHECKING:
    from lstm_core.model import CharModel


def payload(model: CharModel | ModelFile) -> tuple[dict[str, Any], bytes]:
    """A model for the engine: `meta`, which JSON holds, and its weights, float32 and little-endian, one after another.

    model: or the file that holds it, which needs no torch and gives the same.
    meta: name; version, which changes with anything that the engine reads; cell, units, layers, input ("one-hot" or
    "embedding") and inputs, its width; program, functions, signals and states as declared; vocabulary; weights, by
    PyTorch's names: the offset in bytes and the shape of each; bytes, how many there are.
    The same model gives the same bytes. Raises CheckpointError for a file with a weight that is not finite.
    """
    if isinstance(model, ModelFile):
        inputs, weights = model.inputs, model.weights()
    else:
        inputs = model.rnn.input_size
        weights = {name: p.detach().cpu().float().numpy() for name, p in model.named_parameters()}
    cell = model.cell
    cells = {name.removeprefix("rnn."): value for name, value in weights.items() if name.startswith("rnn.")}
    for layer in range(model.layers):
        for name, mask in stepping.masks(cell, model.units).items():
            cells[f"{name}_l{layer}"] = cells[f"{name}_l{layer}"] * mask
        cells |= {f"{name}_l{layer}": value for name, value in stepping.fixed_weights(cell, model.units).items()}
    places, packed = placed(cells | {name: value for name, value in weights.items() if not name.startswith("rnn.")})
    meta: dict[str, Any] = {
        "name": model.name,
        "cell": cell.name,
        "units": model.units,
        "layers": model.layers,
        "input": "embedding" if "embedding.weight" in weights else "one-hot",
        "inputs": inputs,
        "program": cell.program.as_json(),
        "functions": functions(cell),
        "signals": [{"name": s.name, "range": _ends(s.range)} for s in cell.signals],
        "vocabulary": vocabulary(model.vocabulary),
    } | places
    described = json.dumps(meta, sort_keys=True).encode()
    version = hashlib.sha256(len(described).to_bytes(8, "little") + described + packed).hexdigest()[:32]
    return meta | {"version": version}, packed


def placed(parameters: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], bytes]:
    """Parameters one after another, as float32 and little-endian, and where each stands: "weights" and "bytes" of `payload`."""
    sizes = [4 * value.size for value in parameters.values()]
    places = {
        name: {"offset": sum(sizes[:k]), "shape": list(value.shape)} for k, (name, value) in enumerate(parameters.items())
    }
    packed = b"".join(np.ascontiguousarray(value, "<f4").tobytes() for value in parameters.values())
    return {"weights": places, "bytes": len(packed)}, packed


def functions(cell: Cell) -> dict[str, dict[str, Any]]:
    """The functions that a cell applies: the range of each, and slope and offset of the line that is cut off there, or None."""
    lines = {name: FUNCTIONS[name].line for name in cell.applied}
    return {n: {"range": _ends(FUNCTIONS[n].range), "line": None if line is None else list(line)} for n, line in lines.items()}


def vocabulary(known: Vocabulary) -> dict[str, Any]:
    """A vocabulary as JSON: what it reads, its symbols (bytes as numbers), and what becomes of a character that it lacks."""
    symbols: list[Any] = list(known.characters)
    if known.reads == "bytes":
        numbers = {name: value for value, name in enumerate(ALL_BYTES)}
        symbols = [numbers[symbol] for symbol in symbols]
    return {
        "reads": known.reads,
        "symbols": symbols,
        "unknown": known.index(known.unknown),
        "lookAlikes": LOOK_ALIKES,
        "limit": MAX_CHARACTERS,
    }


def _ends(range: tuple[float, float]) -> list[float | None]:
    """A range as JSON: None where it has no end."""
    return [end if math.isfinite(end) else None for end in range]
