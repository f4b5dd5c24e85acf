"""How cell states reach each other: C_t -> h_t -> the gates of the next step, along one column of the weights on h."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lstm_core.errors import InputError
from lstm_core.evaluation import Evaluation, evaluation
from lstm_core.formula import C_prev, Cell, Vector, h_prev, source_of
from lstm_core.model import CharModel
from lstm_core.trace import Trace
from lstm_core.words import tr


@dataclass(frozen=True)
class Push:
    """What one unit does to one gate of another at the next step.

    unit, name: whose gate. weight: W's entry in the row of that unit and the column of the pushing one. push: what it adds
    to the pre-activation. value: the gate; without: what it would be had the pushing unit's h been 0.
    """

    unit: int
    name: str
    weight: float
    push: float
    value: float
    without: float

    @property
    def moved(self) -> float:
        """value - without: how far the gate is moved, signed."""
        return self.value - self.without


@dataclass(frozen=True)
class Reach:
    """What one unit's h of one step does to every gate of its layer at the next step.

    layer, step, unit: of the unit that pushes, counted from 0. states: its own states at that step, by name.
    weights, pushes: gate -> float64 (unit,): the column of W, and that column times h (and times the reset gate, where the
    cell puts one there): what it adds to each pre-activation. values, without: gate -> float64 (unit,) at step + 1, and
    the same had this unit's h been 0. through_peepholes: gate -> float64 (unit,), what its C adds
    without h; empty for a cell that has no peepholes.
    """

    layer: int
    step: int
    unit: int
    states: Mapping[str, float]
    weights: Mapping[str, np.ndarray]
    pushes: Mapping[str, np.ndarray]
    through_peepholes: Mapping[str, np.ndarray]
    values: Mapping[str, np.ndarray]
    without: Mapping[str, np.ndarray]

    def strongest(self, count: int = 5) -> tuple[Push, ...]:
        """The gates that are moved furthest, whichever way, the furthest first. count: 0 or more."""
        every = [
            Push(unit, name, *(float(table[name][unit]) for table in (self.weights, self.pushes, self.values, self.without)))
            for name in self.pushes
            for unit in range(len(self.pushes[name]))
        ]
        return tuple(sorted(every, key=lambda push: (-abs(push.moved), push.name, push.unit))[:count])


def reach(model: CharModel, trace: Trace, layer: int, step: int, unit: int) -> Reach:
    """Follows one unit's state from one step into the gates of the next, by the weights alone, in float64.

    layer, step, unit: counted from 0; step is not the last, for the next character must be there.
    Raises InputError for a place that the trace lacks, for its last step, and for another model's trace.
    "Had h been 0" computes the equations once more with that one number changed.
    """
    trace.check(layer, step, unit)
    if step == trace.steps - 1:
        raise InputError(tr("step {step} is the text's last: there is no next character whose gates it could reach", step=step))
    cell, held = model.cell, evaluation(model, trace, layer, step + 1)
    sums = {name: cell.preactivation(name) for name in cell.weighed}

    def silenced(vector: Vector) -> Evaluation:
        less = held.vectors[vector].copy()
        less[unit] = 0
        return held.over({vector: less})

    def added(by: Vector) -> dict[str, np.ndarray]:
        """What the unit adds to each pre-activation through one vector, all else as it is."""
        if by not in held.vectors:
            return {}
        less = silenced(by)
        read = {name: s for name, s in sums.items() if s is not None and by in s.walk()}
        return {n: held.term(s) - less.term(s) for n, s in read.items()}

    pushes = added(h_prev)
    return Reach(
        layer=layer,
        step=step,
        unit=unit,
        states={name: float(trace[name][layer, step, unit]) for name in cell.states},
        weights={name: held.rows("hh", _rows(cell, name))[0][:, unit] for name in pushes},
        pushes=pushes,
        through_peepholes=added(C_prev),
        values={n: v for n, v in held.signals().items() if n in pushes},
        without={n: v for n, v in silenced(h_prev).signals().items() if n in pushes},
    )


def _rows(cell: Cell, name: str) -> str:
    """The rows of the weights on h that serve a signal."""
    maps = cell[name].equation.affines
    return next(node.rows for node in maps if any(source_of(read) == "hh" for read in node.inputs))
