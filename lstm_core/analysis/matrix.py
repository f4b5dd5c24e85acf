"""One gate of one unit: its row of W, cut at h | x. One matrix on [h, x], or two: the same numbers, regrouped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.analysis.explain import Line, explain
from lstm_core.errors import InputError
from lstm_core.evaluation import evaluation
from lstm_core.formula import source_of, symbols, to_latex
from lstm_core.model import CharModel
from lstm_core.trace import Trace
from lstm_core.words import tr

READ = {"hh": "h", "ih": "x", "ch": "C"}


@dataclass(frozen=True)
class Piece:
    """The part of a row of W that reads one vector.

    label: "h", "x" or "C". latex: the vector in the essay's letters. weights, vector: float64 (n,), what is multiplied with
    what. share: their product as a sum, before any gate behind it: what this vector adds to the pre-activation.
    """

    label: str
    latex: str
    weights: np.ndarray
    vector: np.ndarray

    @property
    def share(self) -> float:
        """weights · vector, unbounded."""
        return float(self.weights @ self.vector)


@dataclass(frozen=True)
class Row:
    """One unit's row of one gate's weights, in the order in which the equation joins its vectors.

    letter: the whole matrix in the essay's letters, W_{f}. line: the gate's equation with numbers, as `explain` gives it; its
    preactivation is the sum of the shares and biases. joined: True where the vectors stand in one product, W [h, x]; False
    where a gate stands between them.
    units, width: the shape of the gate's whole matrix.
    """

    line: Line
    pieces: tuple[Piece, ...]
    letter: str
    joined: bool
    units: int

    @property
    def width(self) -> int:
        """The number of columns, all pieces together."""
        return sum(len(piece.weights) for piece in self.pieces)

    @property
    def together(self) -> float:
        """The one product of the whole row with the joined vectors, W · [h, x], unbounded."""
        return float(np.concatenate([p.weights for p in self.pieces]) @ np.concatenate([p.vector for p in self.pieces]))


def row(model: CharModel, trace: Trace, layer: int, step: int, unit: int, name: str) -> Row:
    """The row of W that one unit's gate has, and the vectors that it is multiplied with at one step.

    layer, step, unit: counted from 0. name: a signal with weights of its own, as `Cell.weighed` lists them.
    Raises InputError for a place that the trace lacks, another model's trace, and a signal without weights.
    Source: the cell's declared equations; Olah 2015 writes W · [h, x], PyTorch W_hh h + W_ih x.
    """
    line = explain(model, trace, layer, step, unit)[name]
    argument = model.cell.preactivation(name)
    if argument is None:
        has = ", ".join(model.cell.weighed)
        raise InputError(
            tr("{name} of {model.cell.title} has no weights of its own; {has} have", name=name, model=model, has=has)
        )
    equations, maps = evaluation(model, trace, layer, step), argument.affines
    pieces = [
        Piece(
            READ[source_of(read)],
            to_latex(read, symbols(model.cell)),
            equations.rows(source_of(read), node.rows)[0][unit],
            equations.term(read),
        )
        for node in maps
        for read in node.inputs
    ]
    letter = f"W_{{{maps[0].symbol}}}" if maps[0].symbol else "W"
    return Row(line, tuple(pieces), letter, len(maps) == 1, model.units)
