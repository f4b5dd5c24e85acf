"""What the drawing of a cell is made alive with: one layer of a trace and its weights, packed for assets/inside/inside.js.

Everything travels as float32: the equations on the screen are computed from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa

from lstm_core import diagram
from lstm_core.browser import gates
from lstm_core.browser.equations import described, tree
from lstm_core.browser.gates import Reader, Track
from lstm_core.evaluation import Evaluation, evaluation
from lstm_core.figures import palette
from lstm_core.figures.paper import version
from lstm_core.formula import (
    FUNCTIONS,
    UNBOUNDED,
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
    place = _Place(trace, model, layer)
    meta = described(model) | {
        "model": trace.model,
        "cell": cell.title,
        "name": cell.name,
        "note": cell.note,
        "layer": layer,
        "allLayers": trace.layers,
        "units": trace.units,
        "inputs": place.inputs,
        "input": place.kind,
        "steps": trace.steps,
        "start": start,
        "columns": stop - start,
        "order": list(cell.order),
        "states": list(cell.states),
        "parameters": list(place.parameters),
        "drawn": _drawn(place),
        "clamped": bool(trace.clamps),
        "svg": diagram.load(cell),
        "glyphs": glyphs,
        "version": version(),
        "rest": glyphs.index(gates.REST) if gates.REST in glyphs else -1,
        "step": "byte" if trace.vocabulary.reads == "bytes" else "character",
        "colours": gates.colours(),
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
    if place.kind == "embedding":
        sent["embedding"] = pa.table({"embedding": _flat(place.embedding)})
    return sent | {name: pa.table({name: _flat(weight)}) for name, weight in place.parameters.items()}


def _flat(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32).reshape(-1)


@dataclass(frozen=True)
class _Place:
    """One layer of a model that read a text: its weights, and every vector of its equations at some steps."""

    trace: Trace
    model: CharModel
    layer: int

    @property
    def kind(self) -> str:
        """What x is: "hidden" of the layer below, an "embedding", or a "one-hot" character."""
        if self.layer:
            return "hidden"
        return "one-hot" if self.model.embedding is None else "embedding"

    @property
    def inputs(self) -> int:
        return self.trace.units if self.layer else self.model.rnn.input_size

    @cached_property
    def parameters(self) -> dict[str, np.ndarray]:
        return {name: _numpy(p) for name, p in self.model.rnn.layer(self.layer).items()}

    @cached_property
    def embedding(self) -> np.ndarray:
        return np.eye(self.inputs, dtype=np.float32) if self.model.embedding is None else _numpy(self.model.embedding.weight)

    @cached_property
    def equations(self) -> Evaluation:
        """The layer's equations at up to LOOKED_AT steps, spread over the text, in float32."""
        steps = self.trace.steps
        at = np.unique(np.linspace(0, steps - 1, min(steps, LOOKED_AT)).astype(int))
        return evaluation(self.model, self.trace, self.layer, at, np.float32)


def _numpy(parameter: Any) -> np.ndarray:
    return parameter.detach().float().cpu().numpy()


def _drawn(place: _Place) -> dict[str, dict[str, Any]]:
    """Everything that a drawing of the cell may show, by its spelling: how it is computed, and its colours' scale."""
    cell = place.trace.cell
    found: dict[str, dict[str, Any]] = {}
    for node in (*(Vector(name) for name in cell.names), *cell.nodes):
        spelled = diagram.spelling(node)
        if spelled not in found and not isinstance(node, Diagonal):
            found[spelled] = {"tree": tree(node), **_scale(place, node)}
    for affine in cell.affines:
        spelled = f"[{', '.join(map(diagram.spelling, affine.inputs))}]"
        inputs = [tree(v) for v in affine.inputs]
        found.setdefault(spelled, {"tree": {"kind": "concatenation", "inputs": inputs, "spelling": spelled}})
    return found


def _scale(place: _Place, node: Expression) -> dict[str, Any]:
    """The scale and the limits of a vector's colours. What is added up to a state has that state's: colours that compare.

    rest: the value that a pooled cell is measured from. state: the signal that it shares a scale without bounds with.
    """
    cell = place.trace.cell
    if node == x and place.kind == "one-hot":
        return {"scale": "gate", "low": 0, "high": 1, "most": 1, "rest": 0}
    low, high = ends = _range(place, node)
    if low >= 0 and high <= 1:
        return {"scale": "gate", "low": 0, "high": 1, "most": 1, "rest": 0.5}
    sums = {term: s.name for s in cell.signals for term in terms(s.equation) if s.equation != term}
    name = node.name if isinstance(node, Vector) and node != x else sums.get(node)
    if name is not None and not _bounded(cell[name].range):
        limit, most = palette.colour_limit(place.trace[name][place.layer])
        return {"scale": "diverging", "low": -limit, "high": limit, "most": most, "rest": 0, "state": name}
    if _bounded(ends):
        limit = max(abs(low), abs(high))
        return {"scale": "diverging", "low": -limit, "high": limit, "most": limit, "rest": 0}
    limit, most = palette.colour_limit(np.atleast_2d(place.equations.term(node)))
    return {"scale": "diverging", "low": -limit, "high": limit, "most": most, "rest": 0}


def _bounded(ends: tuple[float, float]) -> bool:
    return math.isfinite(ends[1] - ends[0])


def _range(place: _Place, node: Expression) -> tuple[float, float]:
    """The least and the greatest value that an expression can have, from the ranges of what it is made of."""
    cell, read = place.trace.cell, {"one-hot": (0.0, 1.0), "hidden": place.trace.cell["hidden"].range}
    vectors = {Vector(name, previous): Interval(*cell[name].range) for name in cell.names for previous in (False, True)}
    vectors[x] = Interval(*read.get(place.kind, UNBOUNDED))
    blocks = {name: [ANYTHING] * len(weight) for name, weight in place.parameters.items()}
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
