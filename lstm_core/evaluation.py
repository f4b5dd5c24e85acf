"""One layer's equations over given vectors: what any expression over them holds, at one step or at many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.formula import TERM, Cell, Expression, Source, Vector, below, x
from lstm_core.program import Arithmetic, Buffer, Program
from lstm_core.stepping import NUMPY
from lstm_core.trace import Trace

if TYPE_CHECKING:
    from lstm_core.model import CharModel

Array = Any  # a numpy.ndarray, a torch.Tensor or a number: whatever the arithmetic is of
Steps = int | slice | np.ndarray  # some steps of a text


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One layer's equations over the vectors of some steps.

    vectors: (unit,) each and x (input,), of one step; or of many, with the steps in front. blocks: the layer's parameters, as
    in `Cell.parameter_shapes`, each as its blocks of as many rows as there are units. arithmetic: of their arrays.
    """

    cell: Cell
    vectors: Mapping[Vector, Array]
    blocks: Mapping[str, Any]
    arithmetic: Arithmetic = NUMPY

    def term(self, expression: Expression) -> Array:
        """What an expression over the cell's vectors and rows holds. Raises KeyError for a vector that is not there."""
        program = self.cell.term(expression)
        return self.reader(program)(program.numbers["signal", TERM])

    def signals(self) -> dict[str, Array]:
        """Every signal computed anew from x, the states before and the layer below."""
        program = self.cell.program
        found = {v: values for v, values in self.vectors.items() if v.previous or v.below or v == x}
        read = replace(self, vectors=found).reader(program)
        return {name: read(program.numbers["signal", name]) for name in self.cell.names}

    def reader(self, program: Program) -> Callable[[int], Array]:
        """Reads a program's buffers by number: what is given as it is; anything else is computed when first read, and kept."""
        known: dict[int, Array] = {}

        def read(number: int) -> Array:
            if number not in known:
                known[number] = self._given(program.buffers[number])
            if known[number] is None:
                if number not in program.made:
                    raise KeyError(f"no values are given for {program.buffers[number]}")
                known[number] = self.arithmetic.runs(program.made[number], self.blocks)(read)
            return known[number]

        return read

    def _given(self, buffer: Buffer) -> Array | None:
        if buffer.role == "weight":
            return self.blocks[buffer.name][buffer.block]
        return self.vectors.get(Vector(buffer.name, buffer.role == "before", buffer.role == "below"))

    def rows(self, source: Source, rows: str) -> tuple[Array, Array | None]:
        """The weights of some rows on one source, (unit, ...), and their bias there, (unit,), or None."""
        block, biases = self.cell.rows_of(source).index(rows), self.blocks.get(f"bias_{source}")
        return self.blocks[f"weight_{source}"][block], None if biases is None else biases[block]

    def without_biases(self) -> Evaluation:
        """The same with no bias."""
        return replace(self, blocks={name: b for name, b in self.blocks.items() if not name.startswith("bias_")})

    def over(self, vectors: Mapping[Vector, Array]) -> Evaluation:
        """The same with some vectors replaced."""
        return replace(self, vectors={**self.vectors, **vectors})


def evaluation(model: CharModel, trace: Trace, layer: int, steps: Steps = slice(None), kind: Any = np.float64) -> Evaluation:
    """A layer's equations over the vectors that a trace shows, the states before and x: none is computed anew.

    layer, steps: counted from 0; one step gives (unit,), several (step, unit). kind: of all numbers. x of the first layer is
    the character as the model reads it. Raises InputError for a layer or step that the trace lacks, and for a trace that is
    not of the model's cell and sizes.
    """
    shown = vectors(model, trace, layer, steps)
    parameters = {name: p.detach().cpu().numpy().astype(kind) for name, p in model.rnn.layer(layer).items()}
    return Evaluation(trace.cell, {v: a.astype(kind) for v, a in shown.items()}, blocks(parameters, trace.units))


def vectors(model: CharModel, trace: Trace, layer: int, steps: Steps = slice(None)) -> dict[Vector, np.ndarray]:
    """Every vector of one layer's equations as a trace shows it, and x as the model reads it.

    Takes and raises what `evaluation` does.
    """
    trace.check(layer, steps if isinstance(steps, int) else 0)
    trace.check_model(model)
    signals = {name: trace[name][layer] for name in trace.signals}
    read = trace["hidden"][layer - 1, steps] if layer else model.inputs(trace.ids[steps]).detach().cpu().numpy()
    held = with_before(signals, {name: trace.initial[name][layer] for name in trace.cell.states}, steps) | {x: read}
    for name in trace.cell.below:
        held[below(name)] = trace[name][layer - 1, steps] if layer else np.zeros_like(signals[name][steps])
    return held


def with_before(
    signals: Mapping[str, np.ndarray], initial: Mapping[str, np.ndarray], steps: Steps = slice(None)
) -> dict[Vector, np.ndarray]:
    """Signals, (time, unit) each, at some steps, and the states as those steps found them.

    initial: the states before the first step, (unit,) each.
    """
    held = {Vector(name): values[steps] for name, values in signals.items()}
    before = np.arange(len(signals["hidden"]))[steps] - 1
    is_first = np.expand_dims(before < 0, -1)
    return held | {Vector(n, True): np.where(is_first, start, signals[n][before]) for n, start in initial.items()}


def blocks(parameters: Mapping[str, Array], units: int) -> dict[str, Array]:
    """Each of one layer's parameters as blocks of as many rows as there are units: (block, unit, ...)."""
    return {name: p.reshape(-1, units, *p.shape[1:]) for name, p in parameters.items()}
