"""The small expression language in which a recurrent cell is declared, once.

A declaration is a tuple of signals, each an expression over the input `x`, the states of the step before
and the signals above it. Everything else is read off these expressions: the program of a step, which all numbers are
computed by, LaTeX, the shapes of the weights, and which gates wait for which.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from reprlib import repr as shorten
from typing import Literal

from lstm_core.errors import InputError
from lstm_core.program import Builder, Kind, Part, Program, Role
from lstm_core.words import tr

# What weights are applied to: the input, the hidden state, the cell state; peepholes are one weight a unit, on the cell state.
Source = Literal["ih", "hh", "ch", "peephole"]
SOURCES: tuple[Source, ...] = ("ih", "hh", "ch", "peephole")

UNBOUNDED = (float("-inf"), float("inf"))


@dataclass(frozen=True)
class Function:
    """A squashing function of the formulas: how it is written, drawn and bounded.

    latex: with #1 for its argument, as in TeX. label: in a box of a drawing. range: its least and greatest value.
    line: slope and offset of the straight line that is cut off at the range; None for the curves, which each kind of
    array has its own code for. title: as people say it.
    """

    title: str
    latex: str
    label: str
    range: tuple[float, float]
    line: tuple[float, float] | None = None


# All functions of the formulas, by plain identifiers. Those with a line need no code of their own anywhere.
FUNCTIONS: Mapping[str, Function] = {
    "sigmoid": Function("sigmoid", r"\sigma\left(#1\right)", "σ", (0, 1)),
    "tanh": Function("tanh", r"\tanh\left(#1\right)", "tanh", (-1, 1)),
    "hard_sigmoid_keras2": Function(  # Keras 1 and 2, Theano, and ONNX by default
        "hard sigmoid clip(0.2x + 0.5)",
        r"\operatorname{clip}_{[0,1]}\left(0.2\left(#1\right) + 0.5\right)",
        "hard σ",
        (0, 1),
        (0.2, 0.5),
    ),
    "hard_sigmoid_keras3": Function(  # Keras 3, PyTorch and JAX
        "hard sigmoid clip(x/6 + 0.5)",
        r"\operatorname{clip}_{[0,1]}\left(\tfrac{1}{6}\left(#1\right) + 0.5\right)",
        "hard σ",
        (0, 1),
        (1 / 6, 0.5),
    ),
    "relu": Function("ReLU", r"\operatorname{relu}\left(#1\right)", "relu", (0, float("inf")), (1, 0)),
    "linear": Function("linear", r"\left(#1\right)", "linear", UNBOUNDED, (1, 0)),
}


class Expression:
    """A node of a formula. Combine nodes with `+`, `*` and `1 - node`."""

    def __add__(self, other: Expression) -> Expression:
        return Sum(self, other)

    def __mul__(self, other: Expression) -> Expression:
        return Product(self, other)

    def __rsub__(self, other: int) -> Expression:
        if other != 1:
            raise ValueError(f"formulas know 1 - gate only, not {other} - gate")
        return Complement(self)

    @property
    def children(self) -> tuple[Expression, ...]:
        """The expressions that this one is made of, in order."""
        return ()

    def lower(self, into: Lowering) -> int:
        """Adds the operations that compute this expression. Returns the number of the vector that holds it."""
        raise NotImplementedError

    def walk(self) -> Iterator[Expression]:
        """This node and all below it, outermost first."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def affines(self) -> tuple[Affine, ...]:
        """The affine maps in this expression, as often as they stand there, outermost first."""
        return tuple(node for node in self.walk() if isinstance(node, Affine))

    def over(self, children: Sequence[Expression]) -> Expression:
        """The same node over other expressions, as many as its `children`."""
        return self

    def replaced(self, change: Callable[[Expression], Expression | None]) -> Expression:
        """This expression with other nodes in it: what `change` gives for a node, or None to go on into its children."""
        other = change(self)
        return self.over([child.replaced(change) for child in self.children]) if other is None else other


@dataclass(frozen=True)
class Vector(Expression):
    """A named vector: the input "x", a signal of this step, a state of the step before, or a signal of the layer below."""

    name: str
    previous: bool = False
    below: bool = False  # a signal of the layer below, at this step: zeros in the first layer

    def lower(self, into: Lowering) -> int:
        role: Role = "input" if self == x else "before" if self.previous else "below" if self.below else "signal"
        return into.builder.buffer(role, self.name)


@dataclass(frozen=True)
class Diagonal(Expression):
    """One trained weight a unit, as in a peephole p_f * C (not a matrix)."""

    rows: str

    def lower(self, into: Lowering) -> int:
        return into.builder.buffer("weight", "weight_peephole", into.block("peephole", self.rows))


@dataclass(frozen=True)
class Fixed(Expression):
    """One number a unit that is never trained.

    values: one for each module; the units are shared out among the modules in order, evenly, as `modules` says.
    """

    symbol: str
    values: tuple[float, ...]

    def lower(self, into: Lowering) -> int:
        return into.builder.buffer("weight", "weight_fixed", into.cell.fixed.index(self))

    @property
    def fault(self) -> str:
        """What is wrong with the numbers; empty where nothing is."""
        return "" if self.values and all(map(isfinite, self.values)) else f"has {self.symbol!r} without finite numbers"


Mask = tuple[tuple[int, ...], ...]  # of modules: 1 where the units of the row's module read those of the column's, else 0


@dataclass(frozen=True)
class Affine(Expression):
    """W · [inputs] + b: the rows called `rows` of the stacked weights, applied to the concatenated inputs.

    mask: which modules of units read h of which; None where all read all.
    """

    rows: str
    inputs: tuple[Expression, ...]
    symbol: str
    mask: Mask | None = None

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.inputs

    def over(self, children: Sequence[Expression]) -> Affine:
        return replace(self, inputs=tuple(children))

    def lower(self, into: Lowering) -> int:
        sources = [source_of(vector) for vector in self.inputs]
        parts = [
            Part(f"weight_{source}", f"bias_{source}", into.block(source, self.rows), vector.lower(into))
            for source, vector in zip(sources, self.inputs)
        ]
        return into.builder.value("affine", parts=tuple(parts))

    @property
    def fault(self) -> str:
        """Why no program computes this map, as what its signal does wrong; empty where one does."""
        try:
            sources = [source_of(vector) for vector in self.inputs]
        except ValueError as error:
            return f"applies the rows {self.rows!r} to what they can't read: {error}"
        if not sources:
            return f"applies the rows {self.rows!r} to nothing: write affine({self.rows!r}, h_prev, x)"
        if len(set(sources)) < len(sources):
            return f"lets the rows {self.rows!r} read x, hidden or cell more than once"
        if any(source == "ih" and vector != x for source, vector in zip(sources, self.inputs)):
            return f"gives the rows {self.rows!r} something made of x; they take x itself"
        if any(isinstance(node, Vector) and node.below for vector in self.inputs for node in vector.walk()):
            return f"gives the rows {self.rows!r} a signal of the layer below; they take x, which is h of that layer"
        if self.mask is not None and ("hh" not in sources or not _is_mask(self.mask)):
            return f"masks the rows {self.rows!r} with {self.mask}: a mask is square, of 0 and 1, on a map that reads h"
        return ""


def _is_mask(mask: Mask) -> bool:
    return bool(mask) and all(len(row) == len(mask) and set(row) <= {0, 1} for row in mask)


@dataclass(frozen=True)
class Apply(Expression):
    """A squashing function, unit by unit."""

    function: str  # one of FUNCTIONS
    argument: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.argument,)

    def over(self, children: Sequence[Expression]) -> Apply:
        return Apply(self.function, *children)

    def lower(self, into: Lowering) -> int:
        return into.value("apply", self, self.function)


@dataclass(frozen=True)
class Sum(Expression):
    """left + right, unit by unit."""

    left: Expression
    right: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.left, self.right)

    def over(self, children: Sequence[Expression]) -> Sum:
        return Sum(*children)

    def lower(self, into: Lowering) -> int:
        return into.value("add", self)


@dataclass(frozen=True)
class Product(Expression):
    """left * right, unit by unit: the essay's pink circle, written × or *."""

    left: Expression
    right: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.left, self.right)

    def over(self, children: Sequence[Expression]) -> Product:
        return Product(*children)

    def lower(self, into: Lowering) -> int:
        return into.value("multiply", self)


@dataclass(frozen=True)
class Complement(Expression):
    """1 - gate, unit by unit."""

    argument: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.argument,)

    def over(self, children: Sequence[Expression]) -> Complement:
        return Complement(*children)

    def lower(self, into: Lowering) -> int:
        return into.value("complement", self)


@dataclass(frozen=True)
class Lowering:
    """What an expression is lowered into: the operations so far, and the cell's rows."""

    cell: Cell
    builder: Builder

    def value(self, kind: Kind, node: Expression, function: str = "") -> int:
        """The number of what an operation gives of a node's children."""
        return self.builder.value(kind, tuple(child.lower(self) for child in node.children), function=function)

    def block(self, source: Source, rows: str) -> int:
        """The place of some rows among those that the weights of a source hold, from 0."""
        return self.cell.rows_of(source).index(rows)


TERM = ""  # the name of the one signal of a term's program: no signal of a cell has it

x = Vector("x")
h_prev = Vector("hidden", previous=True)
C_prev = Vector("cell", previous=True)


def signal(name: str) -> Vector:
    """A signal of this step, for use in the signals declared after it."""
    return Vector(name)


def affine(rows: str, *inputs: Expression, symbol: str | None = None, mask: Mask | None = None) -> Affine:
    """W · [inputs] + b, by the rows called `rows`; `symbol` is W's subscript where it is another than these.

    mask: as in `Affine`.
    """
    return Affine(rows, inputs, rows if symbol is None else symbol, mask)


def below(name: str) -> Vector:
    """A signal of the layer below at this step, by its name; zeros in the first layer."""
    return Vector(name, below=True)


def fixed(*values: float, symbol: str | None = None) -> Fixed:
    """A number, or one for each module of units, that is never trained. symbol: in LaTeX; one number writes itself."""
    return Fixed(f"{values[0]:g}" if symbol is None else symbol, values)


def modules(count: int, units: int) -> list[int]:
    """The module that each unit belongs to, from 0: units shared out among so many modules in order, evenly."""
    return [unit * count // units for unit in range(units)]


def diagonal(rows: str) -> Diagonal:
    """One trained weight a unit, to be multiplied with a vector."""
    return Diagonal(rows)


def sigmoid(argument: Expression) -> Apply:
    """1 / (1 + e^-argument), unit by unit: 0 to 1."""
    return Apply("sigmoid", argument)


def tanh(argument: Expression) -> Apply:
    """The hyperbolic tangent, unit by unit: -1 to 1."""
    return Apply("tanh", argument)


def source_of(vector: Expression) -> Source:
    """Which weight matrix an input of an affine map belongs to: ih reads x, hh reads h (gated or not), ch reads C.

    Raises ValueError for an input that reads none of the three.
    """
    names = {node.name for node in vector.walk() if isinstance(node, Vector)}
    sources: dict[str, Source] = {"cell": "ch", "hidden": "hh", "x": "ih"}
    for name, source in sources.items():
        if name in names:
            return source
    raise ValueError(f"an affine map reads x, hidden or cell, not {sorted(names)}")


@dataclass(frozen=True)
class Signal:
    """One gate or state of a cell: what it is called, how it is computed and how it is drawn.

    name: as in trace["forget"]. symbol: the essay's letter, in LaTeX. title: as people say it. equation: an expression
    over x, the states before and the signals above. range: its least and greatest value, (0, 1) for a gate. lead: the
    pointwise operations that stand above the signal's heatmap, so that a column of the heatmaps, read downwards, is the
    equation.
    """

    name: str
    symbol: str
    title: str
    equation: Expression
    range: tuple[float, float]
    lead: tuple[str, ...] = ()

    @property
    def is_gate(self) -> bool:
        """Gates run from 0 (let nothing through) to 1 (let everything through)."""
        return self.range == (0, 1)


@dataclass(frozen=True)
class Cell:
    """A recurrent cell, declared once.

    name: the registry's name. title: as people say it. source: author, year, equation.
    signals: in an order in which they can be computed. rows: the order in which the stacked weight matrices
    hold the affine maps. drawn: the signals from the top of the drawing to its foot (default: as computed).
    kernel: torch's function that computes this very cell, where there is one. biases: how many bias vectors
    (PyTorch has two, the essay one, its GRU none). note: the convention a reader must know. functions: what
    `with_functions` has put in the place of what the paper applies: pairs of names.
    Raises ValueError, naming cell and signal, for a declaration that contradicts itself. Source: Olah 2015 for the letters
    and the order; for the equations, each cell's own `source`.
    """

    name: str
    title: str
    source: str
    rows: tuple[str, ...]
    signals: tuple[Signal, ...]
    drawn: tuple[str, ...] = ()
    kernel: Literal["rnn_tanh", "lstm", "gru"] | None = None
    biases: Literal[0, 1, 2] = 1
    note: str = ""
    functions: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        known = {"x"}
        for s in self.signals:
            if s.name in known:
                raise ValueError(f"cell {self.name!r} declares {s.name!r} twice")
            for node in s.equation.walk():
                if isinstance(node, Vector) and node.below and node.name not in self.names:
                    raise ValueError(f"cell {self.name!r}: {s.name!r} reads {node.name!r} of the layer below, never declared")
                if isinstance(node, Vector) and not (node.previous or node.below) and node.name not in known:
                    raise ValueError(f"cell {self.name!r}: {s.name!r} reads {node.name!r} before it is declared")
                if isinstance(node, Vector) and node.previous and node.name not in self.names:
                    raise ValueError(f"cell {self.name!r}: {s.name!r} reads the previous {node.name!r}, never declared")
                if isinstance(node, Apply) and node.function not in FUNCTIONS:
                    raise ValueError(
                        f"cell {self.name!r}: {s.name!r} applies {node.function!r}, not one of {', '.join(FUNCTIONS)}"
                    )
                if isinstance(node, (Affine, Diagonal)) and node.rows not in self.rows:
                    raise ValueError(f"cell {self.name!r}: {s.name!r} uses rows {node.rows!r}, not in {self.rows}")
                if isinstance(node, (Affine, Fixed)) and node.fault:
                    raise ValueError(f"cell {self.name!r}: {s.name!r} {node.fault}")
                if not isinstance(node, Affine) and x in (node.children or (s.equation,)):
                    raise ValueError(
                        f"cell {self.name!r}: {s.name!r} reads x outside an affine map; x is as long as the input, and the"
                        " signals as there are units: write affine(rows, x)"
                    )
            known.add(s.name)
        for rows in self.rows:
            if len({a.mask for a in self.affines if a.rows == rows and "hh" in map(source_of, a.inputs)}) > 1:
                raise ValueError(f"cell {self.name!r} masks the rows {rows!r} in two ways, and they are one block of weights")
        if self.drawn and sorted(self.drawn) != sorted(self.names):
            raise ValueError(f"cell {self.name!r}: drawn {self.drawn} are not its signals {self.names}")
        if "hidden" not in known:
            raise ValueError(f"cell {self.name!r} declares no signal 'hidden'")
        if not any(x in self.reads(name) for name in self.names):
            raise ValueError(f"cell {self.name!r} never reads the input x")

    def __deepcopy__(self, memo: dict[int, object]) -> Cell:
        """Itself: nothing of it can change, and copies of a model need not lower it anew."""
        return self

    def with_functions(self, functions: Mapping[str, str]) -> Cell:
        """The same cell with other squashing functions: {"sigmoid": "hard_sigmoid_keras2"} for that of Keras 2.

        functions: what the cell applies -> what is applied in its place. Ranges follow; torch's fused kernels, which know
        the original alone, are not used. An empty mapping, or one of functions to themselves, gives the cell itself. Raises
        InputError for a function that the cell does not apply and for one that there is not.
        """
        applied = self.applied
        for old, new in functions.items():
            if old not in applied or self.functions:
                has = "is a variant already" if self.functions else f"applies {' and '.join(sorted(applied))}"
                raise InputError(
                    tr("{self.title} {has}; there is no {shorten} to replace", self=self, has=has, shorten=shorten(old))
                )
            if new not in FUNCTIONS:
                raise InputError(
                    tr(
                        "there is no function {shorten}; there are {functions}",
                        shorten=shorten(new),
                        functions=", ".join(FUNCTIONS),
                    )
                )
        changed = {old: new for old, new in functions.items() if old != new}
        if not changed:
            return self
        widened = _widened(self.signals, changed)
        titles = " and ".join(FUNCTIONS[new].title for _, new in sorted(changed.items()))
        return replace(
            self,
            title=f"{self.title} with {titles}",
            signals=tuple(_applying(s, changed, _range(s, changed, widened)) for s in self.signals),
            kernel=None,
            functions=tuple(sorted(changed.items())),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Signal names in the order of computation."""
        return tuple(s.name for s in self.signals)

    @property
    def order(self) -> tuple[str, ...]:
        """Signal names from the top of the drawing to its foot."""
        return self.drawn or self.names

    def __getitem__(self, name: str) -> Signal:
        for s in self.signals:
            if s.name == name:
                return s
        raise KeyError(f"cell {self.name!r} has no signal {name!r}; it has {', '.join(self.names)}")

    @cached_property
    def nodes(self) -> tuple[Expression, ...]:
        """Every expression in every equation, as often as it stands there."""
        return tuple(node for s in self.signals for node in s.equation.walk())

    @cached_property
    def applied(self) -> tuple[str, ...]:
        """The names of the functions in the equations, each once, in alphabetical order."""
        return tuple(sorted({n.function for n in self.nodes if isinstance(n, Apply)}))

    @cached_property
    def program(self) -> Program:
        """One step as a flat list of operations. Every cell has one."""
        builder = Builder()
        for s in self.signals:
            builder.signal(s.name, s.equation.lower(Lowering(self, builder)))
        return builder.program(self.states)

    def term(self, expression: Expression) -> Program:
        """An expression over this cell's vectors and rows as a program of its own, whose one signal, TERM, is its value."""
        if expression not in self._terms:
            builder = Builder()
            builder.signal(TERM, expression.lower(Lowering(self, builder)))
            self._terms[expression] = builder.program(())
        return self._terms[expression]

    @cached_property
    def _terms(self) -> dict[Expression, Program]:
        return {}

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The signals that the next step reads: hidden first, as in PyTorch."""
        read = {n.name for n in self.nodes if isinstance(n, Vector) and n.previous} | {"hidden"}
        return tuple(sorted(read, key=lambda name: (name != "hidden", name)))

    @cached_property
    def affines(self) -> tuple[Affine, ...]:
        """The affine maps in the equations, each once."""
        return tuple(dict.fromkeys(node for s in self.signals for node in s.equation.affines))

    def rows_of(self, source: Source) -> tuple[str, ...]:
        """The row blocks that the weights of `source` hold, in order."""
        if source == "peephole":
            return self.diagonals
        read = {a.rows for a in self.affines for v in a.inputs if source_of(v) == source}
        return tuple(r for r in self.rows if r in read)

    @cached_property
    def diagonals(self) -> tuple[str, ...]:
        """The rows that have one weight a unit, in order."""
        read = {n.rows for n in self.nodes if isinstance(n, Diagonal)}
        return tuple(r for r in self.rows if r in read)

    @cached_property
    def fixed(self) -> tuple[Fixed, ...]:
        """The numbers in the equations that are never trained, each once: the blocks of "weight_fixed", in order."""
        return tuple(dict.fromkeys(n for n in self.nodes if isinstance(n, Fixed)))

    @cached_property
    def masks(self) -> dict[str, Mask]:
        """Which modules of units read h of which, by rows; none for rows by which all read all."""
        return {a.rows: a.mask for a in self.affines if a.mask is not None}

    @cached_property
    def below(self) -> tuple[str, ...]:
        """The signals of the layer below that the equations read, in order of computation."""
        read = {n.name for n in self.nodes if isinstance(n, Vector) and n.below}
        return tuple(name for name in self.names if name in read)

    @cached_property
    def forget_rows(self) -> tuple[str, ...]:
        """The rows of the gate named forget, whose bias starts at 1 or more (Jozefowicz et al. 2015)."""
        if "forget" not in self.names:
            return ()
        return tuple({n.rows for n in self["forget"].equation.affines})

    def parameter_shapes(self, input_size: int, units: int, bias: bool = True) -> dict[str, tuple[int, ...]]:
        """Parameter names of one layer (PyTorch's, without the _l0) and their shapes."""
        shapes: dict[str, tuple[int, ...]] = {}
        matrices: dict[Source, int] = {"ih": input_size, "hh": units, "ch": units}
        for source, columns in matrices.items():
            if rows := self.rows_of(source):
                shapes[f"weight_{source}"] = (len(rows) * units, columns)
        if bias and self.biases:
            shapes["bias_ih"] = (len(self.rows_of("ih")) * units,)
        if bias and self.biases == 2:
            shapes["bias_hh"] = (len(self.rows_of("hh")) * units,)
        if self.diagonals:
            shapes["weight_peephole"] = (len(self.diagonals) * units,)
        return shapes

    def reads(self, name: str) -> tuple[Vector, ...]:
        """The vectors that a signal's equation reads, each once, in order of appearance: the drawing's arrows."""
        return tuple(dict.fromkeys(n for n in self[name].equation.walk() if isinstance(n, Vector)))

    def preactivation(self, name: str) -> Expression | None:
        """What a signal's function is given; None for one that has no weights of its own (a state, i = 1 - f).

        Raises KeyError, naming the signals there are, for another.
        """
        equation = self[name].equation
        return equation.argument if isinstance(equation, Apply) and equation.affines else None

    @property
    def weighed(self) -> tuple[str, ...]:
        """The signals that have weights of their own, in order of computation."""
        return tuple(name for name in self.names if self.preactivation(name) is not None)

    def waits(self, name: str) -> bool:
        """True when a signal must be computed step by step even if all h are known: it reads more than x and h."""
        return any(v.name not in ("x", "hidden") for v in self.reads(name))


def _applying(signal: Signal, functions: Mapping[str, str], range: tuple[float, float]) -> Signal:
    """A signal with other squashing functions in its equation, their names above its heatmap, and another range."""

    def changed(node: Expression) -> Expression | None:
        if isinstance(node, Apply) and node.function in functions:
            return Apply(functions[node.function], node.argument.replaced(changed))
        return None

    lead = tuple(functions.get(operation, operation) for operation in signal.lead)
    return replace(signal, equation=signal.equation.replaced(changed), range=range, lead=lead)


def _range(signal: Signal, functions: Mapping[str, str], widened: Container[str]) -> tuple[float, float]:
    """The range of a signal of a variant: its outer function's own, none where something inside it got wider."""
    if isinstance(signal.equation, Apply) and signal.equation.function in functions:
        return FUNCTIONS[functions[signal.equation.function]].range
    return UNBOUNDED if signal.name in widened else signal.range


def _widened(signals: tuple[Signal, ...], functions: Mapping[str, str]) -> set[str]:
    """The signals that other functions let out of their declared ranges."""
    found: set[str] = set()

    def wider(node: Expression) -> bool:
        match node:
            case Apply(function):
                low, high = FUNCTIONS[function].range
                new_low, new_high = FUNCTIONS[functions.get(function, function)].range
                return new_low < low or new_high > high
            case Affine():
                return False
            case Vector(name):
                return name in found
            case _:
                return any(map(wider, node.children))

    for _ in signals:  # a signal may read, from the step before, one that is declared after it
        found |= {s.name for s in signals if wider(s.equation)}
    return found


def terms(expression: Expression) -> tuple[Expression, ...]:
    """The summands of an expression: for C, what was kept and what was written."""
    if isinstance(expression, Sum):
        return terms(expression.left) + terms(expression.right)
    return (expression,)


def to_latex(expression: Expression, leaf: Callable[[Expression], str], times: str = " * ") -> str:
    """LaTeX of an expression; `leaf` writes vectors, affine maps and diagonals, as symbols or as numbers."""

    def guarded(text: str) -> str:
        """A negative number after an operator stands in parentheses."""
        return f"({text})" if text.startswith("-") else text

    def write(node: Expression, inside_product: bool = False) -> str:
        match node:
            case Apply(function, argument):
                return FUNCTIONS[function].latex.replace("#1", write(argument))
            case Sum(left, right):
                text = f"{write(left)} + {guarded(write(right))}"
                return f"\\left({text}\\right)" if inside_product else text
            case Product(left, right):
                return f"{guarded(write(left, True))}{times}{guarded(write(right, True))}"
            case Complement(argument):
                text = f"1 - {guarded(write(argument, True))}"
                return f"({text})" if inside_product else text
            case Affine() if inside_product:
                return f"\\left({leaf(node)}\\right)"
            case _:
                return leaf(node)

    return write(expression)


def symbols(cell: Cell, bias: bool = True) -> Callable[[Expression], str]:
    """Writes the leaves of a cell's formulas in the essay's letters: f_t, C_{t-1}, W_f \\cdot [h_{t-1}, x_t] + b_f."""

    def leaf(node: Expression) -> str:
        match node:
            case Vector("x"):
                return "x_t"
            case Vector(name, below=True):
                return f"{cell[name].symbol}^{{below}}_{{t}}"
            case Vector(name, previous):
                return f"{cell[name].symbol}_{{{'t-1' if previous else 't'}}}"
            case Fixed(symbol):
                return symbol
            case Diagonal(rows):
                return f"p_{{{rows}}}"
            case Affine(_, inputs, symbol):
                subscript = f"_{{{symbol}}}" if symbol else ""
                read = [to_latex(v, leaf) for v in inputs]
                product = f"W{subscript} {read[0]}" if len(read) == 1 else f"W{subscript} \\cdot [{', '.join(read)}]"
                return product + (f" + b{subscript}" if bias and cell.biases else "")
        raise TypeError(f"not a leaf: {node!r}")

    return leaf


def equation(cell: Cell, name: str, bias: bool = True) -> str:
    """One signal's equation in LaTeX, e.g. "f_t = \\sigma\\left(W_{f} \\cdot [h_{t-1}, x_t] + b_{f}\\right)"."""
    return f"{cell[name].symbol}_{{t}} = {to_latex(cell[name].equation, symbols(cell, bias))}"
