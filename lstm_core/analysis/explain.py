"""One unit at one step: every equation of its cell with the model's own numbers put in, adding up to what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lstm_core.errors import InputError
from lstm_core.evaluation import Evaluation, evaluation
from lstm_core.formula import (
    Affine,
    Cell,
    Expression,
    Product,
    Signal,
    Sum,
    Vector,
    equation,
    source_of,
    symbols,
    terms,
    to_latex,
)
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
    place = _Place(model, trace, step, unit, evaluation(model, trace, layer, step))
    lines = tuple(_line(place, signal, decimals) for signal in model.cell.signals)
    character = trace.chars[step] or trace.vocabulary.characters[trace.ids[step]]  # of a later byte, that byte
    return Explanation(trace.model, trace.cell, character, layer, step, unit, lines, trace)


# The numbers of one unit at one step


@dataclass(frozen=True)
class _Filled:
    """An expression with a number for each affine map, weight and vector in it: a vector's name is its number's place."""

    cell: Cell
    expression: Expression
    numbers: tuple[float, ...]

    def value(self, decimals: int | None = None) -> float:
        """What it comes to; with `decimals`, from the numbers as they are written."""
        written = [value if decimals is None else rounded(value, decimals) for value in self.numbers]
        return float(Evaluation(self.cell, {Vector(str(k)): v for k, v in enumerate(written)}, {}).term(self.expression))

    def latex(self, decimals: int) -> str:
        def leaf(node: Expression) -> str:
            assert isinstance(node, Vector)
            return _number(self.numbers[int(node.name)], decimals)

        return to_latex(self.expression, leaf, r" \times ")


@dataclass(frozen=True)
class _Place:
    """One unit of one layer at one step, with its layer's equations over the vectors of that step."""

    model: CharModel
    trace: Trace
    step: int
    unit: int
    equations: Evaluation

    def affine(self, node: Affine) -> list[Part]:
        """An affine map as its summands: one for each input, one for each bias."""
        subscript = f"_{{{node.symbol}}}" if node.symbol else ""
        shares, biases = [], []
        for read in node.inputs:
            source = source_of(read)
            weight, bias = self.equations.rows(source, node.rows)
            latex = f"W{subscript}\\,{self.letters(read)}"
            shares.append(Part(_ORIGINS[source], latex, float(weight[self.unit] @ self.equations.term(read)), ""))
            if bias is not None:
                biases.append((source, float(bias[self.unit])))
        named = len(biases) > 1
        return shares + [Part("bias", f"b{subscript}^{{{s}}}" if named else f"b{subscript}", b, "") for s, b in biases]

    def number(self, node: Expression) -> float:
        """What a leaf is for this unit: a pre-activation, a trained weight, or the unit's own value in a vector."""
        if isinstance(node, Affine):
            return sum(part.value for part in self.affine(node))
        return float(self.equations.term(node)[self.unit])

    def filled(self, expression: Expression) -> _Filled:
        """An expression with this unit's numbers."""
        numbers: list[float] = []

        def put(node: Expression) -> Expression | None:
            if node.children and not isinstance(node, Affine):
                return None
            numbers.append(self.number(node))
            return Vector(str(len(numbers) - 1))

        return _Filled(self.model.cell, expression.replaced(put), tuple(numbers))

    def shares(self, node: Expression) -> list[Part]:
        """A pre-activation as its summands, by where they came from; a gated product scales the summands inside it."""
        match node:
            case Sum(left, right):
                return self.shares(left) + self.shares(right)
            case Affine():
                return self.affine(node)
            case Product(left, right) if right.affines:
                return self._scaled(left, self.shares(right))
            case Product(left, right) if left.affines:
                return self._scaled(right, self.shares(left))
            case _:
                latex = to_latex(node, symbols(self.model.cell))
                reads = any(isinstance(n, Vector) for n in node.walk())
                return [Part(_ORIGINS[source_of(node)] if reads else "bias", latex, self.filled(node).value(), "")]

    def _scaled(self, gate: Expression, shares: list[Part]) -> list[Part]:
        by, latex = self.filled(gate).value(), self.letters(gate)
        return [Part(p.label, f"{latex} * {p.latex}", by * p.value, "") for p in shares]

    def letters(self, node: Expression) -> str:
        """An expression in the essay's letters, in parentheses where it is more than one."""
        text = to_latex(node, symbols(self.model.cell))
        return f"({text})" if node.children else text


# How they are written


def _line(place: _Place, signal: Signal, decimals: int) -> Line:
    cell, value = place.model.cell, place.number(Vector(signal.name))
    filled = place.filled(signal.equation)
    if abs(filled.value() - value) > TOLERANCE * max(1.0, abs(value)):
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
                value_2=filled.value(),
            )
        )
    digits, more = fitting(value, filled.value, decimals)
    shown = _number(value, digits)
    return Line(
        name=signal.name,
        symbol=signal.symbol,
        title=signal.title,
        equation=equation(cell, signal.name, place.model.rnn.bias),
        numbers=f"= {filled.latex(more)} = {shown}",
        value=value,
        shown=shown,
        preactivation=_preactivation(place, cell.preactivation(signal.name), more),
        terms=_terms(place, signal, decimals),
    )


def _preactivation(place: _Place, argument: Expression | None, decimals: int) -> Split | None:
    return None if argument is None else _split(place.shares(argument), place.filled(argument).value(), decimals)


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
            place.filled(term).value(),
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
