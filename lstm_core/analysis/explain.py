"""One unit at one step: every equation of its cell with the model's own numbers put in, adding up to what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from lstm_core.errors import InputError
from lstm_core.formula import (
    Affine,
    Apply,
    Cell,
    Compiled,
    Complement,
    Diagonal,
    Expression,
    Product,
    Signal,
    Sum,
    Vector,
    compiled,
    equation,
    no_weights,
    source_of,
    symbols,
    terms,
    to_latex,
    x,
)
from lstm_core.stepping import NUMPY_FUNCTIONS
from lstm_core.trace import Trace

if TYPE_CHECKING:
    from lstm_core.model import CharModel
from lstm_core.numbers import DECIMALS, MINUS, adding_up, fitting, fixed, rounded
from lstm_core.words import tr

Origin = Literal["x", "h", "C", "bias"]

TOLERANCE = 1e-3  # a trace that is further from its model's equations is another model's

_ORIGINS: dict[str, Origin] = {"ih": "x", "hh": "h", "ch": "C"}


@dataclass(frozen=True)
class Part:
    """One summand: what it is in LaTeX, its value, and its value as it is written beside the others, adding up.

    label: "kept", "written", or where a share of a pre-activation came from: "x", "h", "C", "bias".
    """

    label: str
    latex: str
    value: float
    written: str


@dataclass(frozen=True)
class Split:
    """A number as the sum of its parts: `total` is what the written parts add up to when rounded as it is."""

    parts: tuple[Part, ...]
    value: float
    total: str

    @property
    def latex(self) -> str:
        """The sum in LaTeX, each number over what it stands for: \\underbrace{0.42}_{W_f x_t} + ... = 1.93."""
        numbers = [p.written if k == 0 or p.value >= 0 else f"({p.written})" for k, p in enumerate(self.parts)]
        braced = [rf"\underbrace{{{n}}}_{{{p.latex}}}" for n, p in zip(numbers, self.parts)]
        return f"{' + '.join(braced)} = {self.total}"


@dataclass(frozen=True)
class Line:
    """One signal of one unit at one step.

    equation: LaTeX in the essay's letters. numbers: "= ... = 0.87", the same with this unit's numbers put in. value: as
    the trace shows it. preactivation: what the squashing function was given, split by where it came from; None for a
    state that is made of gates and states alone. terms: what was kept and what was written; None where nothing is added.
    """

    name: str
    symbol: str
    title: str
    equation: str
    numbers: str
    value: float
    shown: str
    preactivation: Split | None
    terms: Split | None


@dataclass(frozen=True)
class Explanation:
    """Every equation of a cell with the numbers of one unit at one step of a trace, in order of computation."""

    model: str
    cell: Cell
    character: str
    layer: int
    step: int
    unit: int
    lines: tuple[Line, ...]
    trace: Trace = field(repr=False)

    def __getitem__(self, name: str) -> Line:
        """The line of one signal. Raises InputError, naming the signals there are, for another."""
        for line in self.lines:
            if line.name == name:
                return line
        raise InputError(
            tr(
                "{self.cell.title} has no signal {name!r}; it has {names}",
                self=self,
                name=name,
                names=", ".join(self.cell.names),
            )
        )

    @property
    def remembering(self) -> Line | None:
        """The line of the state that is a sum of what was kept and what was written; None for a cell without one."""
        return next((line for line in self.lines if line.terms), None)


def explain(model: CharModel, trace: Trace, layer: int, step: int, unit: int, decimals: int = DECIMALS) -> Explanation:
    """Puts the numbers of one unit at one step into every equation of its cell.

    layer, step, unit: counted from 0. decimals: of the results, at least; results and operands get as many more as it
    takes for what is written to add up: evaluating the written operands, and rounding, gives the written result.
    States and gates are the trace's own; pre-activations are computed in float64 from the model's weights.
    Raises InputError for a layer, step or unit that the trace lacks, and for a trace that is not this model's.
    """
    trace.check(layer, step, unit)
    trace.check_model(model)
    place = _Place(model, trace, layer, step, unit)
    lines = tuple(_line(place, signal, decimals) for signal in model.cell.signals)
    character = trace.chars[step] or trace.vocabulary.characters[trace.ids[step]]  # of a later byte, that byte
    return Explanation(trace.model, trace.cell, character, layer, step, unit, lines, trace)


# The numbers of one unit at one step


@dataclass(frozen=True)
class _Number(Expression):
    """A leaf that stands for a number already computed: a pre-activation, a gate, a state, a weight."""

    value: float


@dataclass(frozen=True)
class _Place:
    """Where we are: one unit of one layer at one step, with the vectors and weights that its equations read."""

    model: CharModel
    trace: Trace
    layer: int
    step: int
    unit: int

    @cached_property
    def vectors(self) -> dict[Vector, np.ndarray]:
        """What every vector holds at this step, float64 (unit,) or (input,): the trace's own states, not recomputed."""
        trace, layer, step = self.trace, self.layer, self.step
        held = {Vector(n): trace[n][layer, step] for n in trace.signals}
        held |= {Vector(n, True): trace[n][layer, step - 1] if step else trace.initial[n][layer] for n in trace.cell.states}
        held[x] = trace["hidden"][layer - 1, step] if layer else self._character
        return {vector: values.astype(np.float64) for vector, values in held.items()}

    @property
    def _character(self) -> np.ndarray:
        ids = self.model.head.weight.new_tensor([[int(self.trace.ids[self.step])]]).long()
        return self.model.read(ids)[0, 0].detach().cpu().numpy()

    @cached_property
    def _blocks(self) -> dict:
        return self.model.rnn.blocks(self.layer)

    def row(self, source: str, rows: str) -> tuple[np.ndarray, float | None]:
        """This unit's weights on one input, float64, and its bias there, or None."""
        weight, bias = self._blocks[source][rows]
        own = weight[self.unit].detach().cpu().numpy().astype(np.float64)
        return own, None if bias is None else float(bias[self.unit].detach())

    def vector(self, node: Expression) -> np.ndarray:
        """An expression of vectors alone, as an affine map reads it: (unit,) or (input,)."""
        return compiled(node, no_weights, NUMPY_FUNCTIONS)(self.vectors)

    def affine(self, node: Affine) -> list[Part]:
        """An affine map as its summands: one for each input, one for each bias."""
        subscript = f"_{{{node.symbol}}}" if node.symbol else ""
        shares, biases = [], []
        for read in node.inputs:
            source = source_of(read)
            weight, bias = self.row(source, node.rows)
            latex = f"W{subscript}\\,{self.letters(read)}"
            shares.append(Part(_ORIGINS[source], latex, float(weight @ self.vector(read)), ""))
            if bias is not None:
                biases.append((source, bias))
        named = len(biases) > 1
        return shares + [Part("bias", f"b{subscript}^{{{s}}}" if named else f"b{subscript}", b, "") for s, b in biases]

    def number(self, node: Expression) -> float:
        """What a leaf is for this unit: a pre-activation, a trained weight, or the unit's own value in a vector."""
        match node:
            case Affine():
                return sum(part.value for part in self.affine(node))
            case Diagonal(rows):
                return float(self.row("peephole", rows)[0].reshape(()))
            case _:
                return float(self.vectors[node][self.unit])  # type: ignore[index]

    def substitute(self, node: Expression) -> Expression:
        """The same expression with numbers for leaves."""
        match node:
            case Apply(function, argument):
                return Apply(function, self.substitute(argument))
            case Sum(left, right):
                return Sum(self.substitute(left), self.substitute(right))
            case Product(left, right):
                return Product(self.substitute(left), self.substitute(right))
            case Complement(argument):
                return Complement(self.substitute(argument))
            case _:
                return _Number(self.number(node))

    def shares(self, node: Expression) -> list[Part]:
        """A pre-activation as its summands, by where they came from; a gated product scales the summands inside it."""
        match node:
            case Sum(left, right):
                return self.shares(left) + self.shares(right)
            case Affine():
                return self.affine(node)
            case Product(left, right) if any(isinstance(n, Affine) for n in right.walk()):
                return self._scaled(left, self.shares(right))
            case Product(left, right) if any(isinstance(n, Affine) for n in left.walk()):
                return self._scaled(right, self.shares(left))
            case _:
                latex = to_latex(node, symbols(self.model.cell))
                return [Part(_ORIGINS[source_of(node)], latex, _value(self.substitute(node)), "")]

    def _scaled(self, gate: Expression, shares: list[Part]) -> list[Part]:
        by, latex = _value(self.substitute(gate)), self.letters(gate)
        return [Part(p.label, f"{latex} * {p.latex}", by * p.value, "") for p in shares]

    def letters(self, node: Expression) -> str:
        """An expression in the essay's letters, in parentheses where it is more than one."""
        text = to_latex(node, symbols(self.model.cell))
        return text if isinstance(node, (Vector, Diagonal)) else f"({text})"


def _value(expression: Expression, decimals: int | None = None) -> float:
    """An expression of numbers, evaluated; with `decimals`, from the numbers as they are written."""

    def leaf(node: Expression) -> Compiled:
        assert isinstance(node, _Number)
        value = node.value if decimals is None else rounded(node.value, decimals)
        return lambda values: value

    return float(compiled(expression, leaf, NUMPY_FUNCTIONS)({}))


# How they are written


def _line(place: _Place, signal: Signal, decimals: int) -> Line:
    cell, value = place.model.cell, place.number(Vector(signal.name))
    filled = place.substitute(signal.equation)
    if abs(_value(filled) - value) > TOLERANCE * max(1.0, abs(value)):
        if place.trace.clamps:
            raise InputError(
                tr(
                    "{signal.name} is held at {value:.6g} there, which its equation does not give: explain another unit",
                    signal=signal,
                    value=value,
                )
            )
        raise InputError(
            tr(
                "the trace shows {signal.name} = {value:.6g} at step {place.step}, unit {place.unit}, but the weights"
                " of {place.model.name} give {value_2:.6g}: it is a trace of another model",
                signal=signal,
                value=value,
                place=place,
                value_2=_value(filled),
            )
        )
    digits, more = fitting(value, lambda d: _value(filled, d), decimals)
    shown = _number(value, digits)
    operands = to_latex(filled, lambda node: _number(node.value, more), r" \times ")  # type: ignore[attr-defined]
    return Line(
        name=signal.name,
        symbol=signal.symbol,
        title=signal.title,
        equation=equation(cell, signal.name, place.model.rnn.bias),
        numbers=f"= {operands} = {shown}",
        value=value,
        shown=shown,
        preactivation=_preactivation(place, signal.equation, more),
        terms=_terms(place, signal, decimals),
    )


def _preactivation(place: _Place, formula: Expression, decimals: int) -> Split | None:
    if not isinstance(formula, Apply) or not any(isinstance(n, Affine) for n in formula.walk()):
        return None
    shares = place.shares(formula.argument)
    return _split(shares, _value(place.substitute(formula.argument)), decimals)


def _terms(place: _Place, signal: Signal, decimals: int) -> Split | None:
    """For a state that is a sum: the term that reads its own past was kept, the other written."""
    summands = terms(signal.equation)
    if len(summands) < 2:
        return None
    past, write = Vector(signal.name, previous=True), symbols(place.model.cell)
    parts = [
        Part(
            "kept" if past in term.walk() else "written",
            to_latex(term, write, r" \times "),
            _value(place.substitute(term)),
            "",
        )
        for term in summands
    ]
    return _split(sorted(parts, key=lambda p: p.label), place.number(Vector(signal.name)), decimals)


def _split(parts: Sequence[Part], total: float, decimals: int) -> Split:
    written, whole = adding_up([p.value for p in parts], total, decimals)
    return Split(tuple(Part(p.label, p.latex, p.value, _plain(w)) for p, w in zip(parts, written)), total, _plain(whole))


def _number(value: float, decimals: int) -> str:
    """A number with so many decimals, as LaTeX and a terminal have it: with a hyphen for a minus."""
    return _plain(fixed(value, decimals))


def _plain(text: str) -> str:
    return text.replace(MINUS, "-")
