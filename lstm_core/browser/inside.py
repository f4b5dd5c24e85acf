"""What the drawing of a cell is made alive with: one layer of a trace and its weights, packed for assets/inside/inside.js.

Everything travels as float32: the equations on the screen are computed from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa

from lstm_core import diagram
from lstm_core.browser import equations, gates
from lstm_core.browser.equations import tree
from lstm_core.browser.gates import Reader, Track
from lstm_core.evaluation import Evaluation, evaluation
from lstm_core.figures import palette
from lstm_core.figures.paper import version
from lstm_core.formula import (
    FUNCTIONS,
    UNBOUNDED,
    Cell,
    Diagonal,
    Expression,
    Vector,
    terms,
    x,
)
from lstm_core.program import Arithmetic
from lstm_core.trace import Trace

if TYPE_CHECKING:
    from lstm_core.model import CharModel
    from lstm_core.model_file import ModelFile

LOOKED_AT = 300  # steps that the limits of an unbounded line are taken from


def as_linked(trace: Trace, layer: int) -> tuple[list[Reader], list[Track]]:
    """What the linked picture would show of one layer: the pin, the window and the text's strip are alike. Layers from 0."""
    return [Reader(trace.model, trace)], [Track(0, layer)]


_payloads: WeakKeyDictionary[Any, tuple[tuple[Any, int, int, bool], dict[str, Any]]] = WeakKeyDictionary()


def payload(trace: Trace, model: CharModel, layer: int, start: int, whole: bool = False) -> dict[str, Any]:
    """All that the browser draws and computes from: JSON under "meta", flat columns in Arrow tables beside it.

    values: a float32 column a signal, (columns x unit) flat, time first; before: the states of the step before the window.
    steps: glyphs, predictions and surprise of the whole text; ids: what was read. Under each parameter's name its weights,
    flat; "below" or "embedding" where x is more than one-hot. whole: send every step at once, for a page that can't ask for
    more.
    """
    wanted = (model, layer, start, whole)
    kept = _payloads.get(trace)
    if kept is None or kept[0] != wanted:
        kept = _payloads[trace] = (wanted, _packed(trace, model, layer, start, whole))
    return kept[1]


def _packed(trace: Trace, model: CharModel, layer: int, start: int, whole: bool) -> dict[str, Any]:
    readers, tracks = as_linked(trace, layer)
    cell, stop = trace.cell, trace.steps if whole else min(start + gates.window(readers, tracks), trace.steps)
    glyphs, (steps,) = gates.readings(readers)
    place = _Place(model, layer)
    parameters = {name: _numpy(parameter) for name, parameter in model.rnn.layer(layer).items()}
    meta = described(model, layer) | {
        "steps": trace.steps,
        "start": start,
        "columns": stop - start,
        "parameters": list(parameters),
        "drawn": _limited(model, place, trace),
        "clamped": bool(trace.clamps),
        "glyphs": glyphs,
        "rest": glyphs.index(gates.REST) if gates.REST in glyphs else -1,
    }
    sent = {
        "meta": meta,
        "values": pa.table({n: _flat(trace[n][layer, start:stop]) for n in cell.names}),
        "before": pa.table({n: _flat(trace[n][layer, start - 1] if start else trace.initial[n][layer]) for n in cell.states}),
        "steps": steps,
        "ids": pa.table({"ids": trace.ids.astype(np.uint16)}),
    }
    if place.kind == "hidden":
        sent["below"] = pa.table({"below": _flat(trace["hidden"][layer - 1, start:stop])})
    if layer == 0 and model.embedding is not None:
        sent["embedding"] = pa.table({"embedding": _flat(_numpy(model.embedding.weight))})
    return sent | {name: pa.table({name: _flat(weight)}) for name, weight in parameters.items()}


def described(model: CharModel | ModelFile, layer: int) -> dict[str, Any]:
    """How one layer's cell is drawn whatever the model reads, as JSON; assets/inside/from_reading.js fills it with numbers.

    layer: counted from 0. It is what `payload` has under "meta", but for the text, and for the limits of colours that
    depend on what is read: in "drawn" these are None, under "low", "high" and "most".
    """
    cell, place = model.cell, _Place(model, layer)
    return equations.described(model) | {
        "model": model.name,
        "cell": cell.title,
        "name": cell.name,
        "note": cell.note,
        "layer": layer,
        "allLayers": model.layers,
        "units": model.units,
        "inputs": place.inputs,
        "input": place.kind,
        "order": list(cell.order),
        "states": list(cell.states),
        "drawn": _drawn(place),
        "svg": diagram.load(cell),
        "version": version(),
        "step": "byte" if model.vocabulary.reads == "bytes" else "character",
        "colours": gates.colours(),
        "rules": {"covered": palette.COVERED, "sample": palette.SAMPLE, "lookedAt": LOOKED_AT},
    }


def _flat(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32).reshape(-1)


@dataclass(frozen=True)
class _Place:
    """One layer of a model: its weights, and what it reads."""

    model: CharModel | ModelFile
    layer: int

    @property
    def kind(self) -> str:
        """What x is: "hidden" of the layer below, an "embedding", or a "one-hot" character."""
        if self.layer:
            return "hidden"
        return "one-hot" if self.model.config["embedding"] is None else "embedding"

    @property
    def inputs(self) -> int:
        return self.model.units if self.layer else self.model.config["embedding"] or len(self.model.vocabulary)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the layer's parameters, by name."""
        return self.model.cell.parameter_shapes(self.inputs, self.model.units, self.model.config["bias"])


def _numpy(parameter: Any) -> np.ndarray:
    return parameter.detach().float().cpu().numpy()


def _drawn(place: _Place) -> dict[str, dict[str, Any]]:
    """Everything that a drawing of the cell may show, by its spelling: how it is computed, and its colours' scale."""
    drawn = {spelled: {"tree": tree(node), **_scale(place, node)} for spelled, node in _nodes(place.model.cell).items()}
    for affine in place.model.cell.affines:
        spelled = f"[{', '.join(map(diagram.spelling, affine.inputs))}]"
        inputs = [tree(v) for v in affine.inputs]
        drawn.setdefault(spelled, {"tree": {"kind": "concatenation", "inputs": inputs, "spelling": spelled}})
    return drawn


def _nodes(cell: Cell) -> dict[str, Expression]:
    """What the equations compute, by its spelling; one weight a unit is no part of a drawing."""
    nodes = (*(Vector(name) for name in cell.names), *cell.nodes)
    return {diagram.spelling(node): node for node in nodes if not isinstance(node, Diagonal)}


def _scale(place: _Place, node: Expression) -> dict[str, Any]:
    """The scale and the limits of a vector's colours. What is added up to a state has that state's: colours that compare.

    rest: the value that a pooled cell is measured from. state: the signal that it shares a scale without bounds with. The
    limits are None where they depend on what is read.
    """
    cell = place.model.cell
    if node == x and place.kind == "one-hot":
        return {"scale": "gate", "low": 0, "high": 1, "most": 1, "rest": 0}
    low, high = ends = _range(place, node)
    if low >= 0 and high <= 1:
        return {"scale": "gate", "low": 0, "high": 1, "most": 1, "rest": 0.5}
    sums = {term: s.name for s in cell.signals for term in terms(s.equation) if s.equation != term}
    name = node.name if isinstance(node, Vector) and node != x else sums.get(node)
    free = {"scale": "diverging", "low": None, "high": None, "most": None, "rest": 0}
    if name is not None and not _bounded(cell[name].range):
        return free | {"state": name}
    if _bounded(ends):
        limit = max(abs(low), abs(high))
        return free | {"low": -limit, "high": limit, "most": limit}
    return free


def _limited(model: CharModel, place: _Place, trace: Trace) -> dict[str, dict[str, Any]]:
    """What may be drawn, as `_drawn` has it, with the limits that a trace gives: of states from all of it, of others from
    up to LOOKED_AT steps, spread over the text."""
    steps = np.unique(np.linspace(0, trace.steps - 1, min(trace.steps, LOOKED_AT)).astype(int))
    computed = evaluation(model, trace, place.layer, steps, np.float32)
    nodes = _nodes(place.model.cell)
    drawn = _drawn(place)
    for spelled, found in drawn.items():
        if found.get("low", 0) is None:
            state = found.get("state")
            values = trace[state][place.layer] if state else np.atleast_2d(computed.term(nodes[spelled]))
            limit, most = palette.colour_limit(values)
            found |= {"low": -limit, "high": limit, "most": most}
    return drawn


def _bounded(ends: tuple[float, float]) -> bool:
    return math.isfinite(ends[1] - ends[0])


def _range(place: _Place, node: Expression) -> tuple[float, float]:
    """The least and the greatest value that an expression can have, from the ranges of what it is made of."""
    cell, read = place.model.cell, {"one-hot": (0.0, 1.0), "hidden": place.model.cell["hidden"].range}
    vectors = {Vector(name, previous): Interval(*cell[name].range) for name in cell.names for previous in (False, True)}
    vectors[x] = Interval(*read.get(place.kind, UNBOUNDED))
    blocks = {name: [ANYTHING] * rows for name, (rows, *_) in place.shapes.items()}
    found: Interval = Evaluation(cell, vectors, blocks, INTERVALS).term(node)
    return found.low, found.high


@dataclass(frozen=True)
class Interval:
    """The least and the greatest value of each unit of a vector, and of what is made of several."""

    low: float
    high: float

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __rsub__(self, other: int) -> Interval:
        return Interval(other - self.high, other - self.low)

    def __mul__(self, other: Interval) -> Interval:
        if not (_bounded((self.low, self.high)) and _bounded((other.low, other.high))):
            return ANYTHING
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))


ANYTHING = Interval(*UNBOUNDED)


def _always(found: Interval) -> Callable[[Interval], Interval]:
    return lambda _: found


INTERVALS = Arithmetic({n: _always(Interval(*f.range)) for n, f in FUNCTIONS.items()}, lambda *_: ANYTHING)
