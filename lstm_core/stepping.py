"""Runs a declared cell over a text and keeps every signal: one text, one thread, NumPy.

`steps` is fast: each declaration is turned once into the source of a loop over preallocated buffers. A step is one
product of the recurrent weights with h and a handful of element-wise operations; gates of the same form are
computed together; what x adds is looked up or multiplied for all steps beforehand.
`reference` is the same recurrence in plain float64, the cell's program as it stands: what the fast loop is held to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from math import isfinite, prod
from types import MappingProxyType
from typing import Any

import numpy as np

from lstm_core.formula import (
    FUNCTIONS,
    Affine,
    Apply,
    Cell,
    Complement,
    Diagonal,
    Expression,
    Function,
    Product,
    Signal,
    Source,
    Sum,
    Vector,
    h_prev,
    source_of,
    x,
)  # fmt: skip
from lstm_core.program import Operation, Program

# NumPy's, as the loops use them
UFUNCS = ("dot", "add", "subtract", "multiply", "maximum", "minimum", "tanh", "copyto")


def _cut_line(function: Function) -> Callable[[Any], Any]:
    """A function that is a straight line within its range."""
    assert function.line is not None
    (slope, offset), (low, high) = function.line, function.range
    return lambda z: np.clip(slope * z + offset, low, high)


NUMPY_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "sigmoid": lambda z: 0.5 + 0.5 * np.tanh(0.5 * z),
    "tanh": np.tanh,
    **{name: _cut_line(function) for name, function in FUNCTIONS.items() if function.line},
}

NUMPY_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "multiply": np.multiply,
    "complement": lambda z: 1 - z,
    "copy": np.copy,
}

Held = Mapping[str, tuple[Sequence[np.ndarray], Sequence[np.ndarray]]]  # a held signal's values and mask, (unit,) each, a step
NOTHING: Held = MappingProxyType({})
NO_LAYER: Mapping[str, np.ndarray] = MappingProxyType({})
Parameters = Mapping[str, np.ndarray]  # one layer's, named as in `Cell.parameter_shapes`
Rows = Affine | Diagonal  # what uses rows of a weight matrix, or one weight a unit
Inputs = Callable[[np.ndarray, np.ndarray | None], list[np.ndarray]]  # (weight, bias) -> what x adds, one row a step


def steps(
    cell: Cell,
    parameters: Parameters,
    inputs: Inputs,
    initial: Mapping[str, np.ndarray],
    length: int,
    held: Held = NOTHING,
) -> dict[str, np.ndarray]:
    """Every signal of one layer at every step: name -> float32 (time, unit), views of one array.

    inputs: called with the weight (rows, input) and bias of the gates; gives x W^T + b, one row a step.
    initial: the states before the first step, (unit,) each. length: the number of steps.
    held: what is written over some signals before anything reads them, as `clamp.held_steps` gives it.
    """
    program, code = _program(cell, tuple(n for n in cell.names if n in held))
    units = initial["hidden"].shape[0]
    out = np.empty((length, len(program.order) * units), np.float32)
    names = program.bind(parameters, inputs, initial, units)
    names["out"] = out
    for name, (values, masks) in held.items():
        names |= {f"VALUE_{name}": values, f"MASK_{name}": masks}
    exec(code, names)  # the source is made from the declaration alone, in `_program`
    names["run"]()
    return {name: out[:, k * units : (k + 1) * units] for k, name in enumerate(program.order)}


@dataclass
class _Program:
    """What a cell's loop needs, whatever its sizes: the order of the signals, its buffers, weights and lines.

    Every value in the loop is one flat vector of as many rows (of one unit each) as signals are computed together.
    """

    cell: Cell
    groups: list[list[Signal]]
    held: tuple[str, ...] = ()  # the signals that are overwritten, for some units, at some steps
    views: dict[str, tuple[str, int, int]] = field(default_factory=dict)  # name -> rows of the buffer "pre", "live", "tmp"
    weights: dict[str, tuple[Source, list[Rows]]] = field(default_factory=dict)  # name -> source, and whose rows
    from_x: list[list[Affine]] = field(default_factory=list)  # the affine maps that x_0, x_1, ... are made for
    constants: dict[str, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.order = [s.name for group in self.groups for s in group]
        self.halved = _halved(self.cell)
        nodes = [n for group in self.groups for position in zip(*(s.equation.walk() for s in group)) for n in position]
        self.fused = list(dict.fromkeys(n for n in nodes if isinstance(n, Affine) and h_prev in n.inputs))
        self.copied = [s for s in self.cell.states if self._still_read(s)]

    def _still_read(self, state: str) -> bool:
        """True when a signal reads the state of the step before after the new one has been put in its place."""
        later = self.order[self.order.index(state) + 1 :]
        return any(Vector(state, True) in self.cell.reads(name) for name in later)

    def view(self, buffer: str, start: int, count: int) -> str:
        name = f"{buffer}_{start}_{count}"
        self.views[name] = (buffer, start, count)
        return name

    def constant(self, value: float) -> str:
        name = next((n for n, known in self.constants.items() if known == value), f"c_{len(self.constants)}")
        self.constants[name] = value
        return name

    def row(self, name: str) -> str:
        return self.view("live", self.order.index(name), 1)

    def source(self) -> str:
        each = {"out_t": "out", "x_t": "X"} | {f"x_{k}": f"X_{k}" for k in range(len(self.from_x))}
        each |= {f"{kind}_{name}": f"{kind.upper()}_{name}" for name in self.held for kind in ("value", "mask")}
        body = [f"copyto(prev_{s}, {self.row(s)})" for s in self.copied]
        if self.fused:
            body += [f"dot(W, {self.row('hidden')}, pre)", "add(pre, x_t, pre)"]
        body += [*self.lines, "copyto(out_t, live)"]
        names = [*UFUNCS, *self.constants, "W", "pre", "live", *each.values(), *(f"prev_{s}" for s in self.copied)]
        local = ", ".join(f"{n}={n}" for n in [*names, *self.views, *self.weights])  # local names are the fastest
        loop = f"for {', '.join(each)} in zip({', '.join(each.values())}):"
        return "\n".join([f"def run({local}):", f"  {loop}", *(f"    {line}" for line in body)])

    def bind(self, parameters: Parameters, inputs: Inputs, initial: Mapping[str, np.ndarray], units: int) -> dict[str, Any]:
        """The buffers, weights and inputs that the loop's names stand for."""

        def stacked(kind: str, source: Source, wanted: Sequence[Rows], columns: int) -> np.ndarray:
            """The wanted row blocks, zeros where there are none, halved where a sigmoid takes them."""
            name, order = f"{kind}_{source}", self.cell.rows_of(source)
            stack = _aligned((len(wanted) * units, columns))
            for k, node in enumerate(wanted):
                block = stack[k * units : (k + 1) * units]
                if name in parameters and _reads(node, source):
                    row = order.index(node.rows) * units
                    whole = parameters[name].reshape(-1, columns)
                    np.multiply(whole[row : row + units], np.float32(0.5 if node in self.halved else 1.0), block)
            return stack

        def of_x(affines: list[Affine]) -> list[np.ndarray]:
            """What x and the biases add to these affine maps at each step."""
            if not affines:
                return inputs(np.zeros((0, 0), np.float32), None)
            weight = stacked("weight", "ih", affines, parameters["weight_ih"].shape[1])
            return inputs(weight, (stacked("bias", "ih", affines, 1) + stacked("bias", "hh", affines, 1))[:, 0])

        sizes = {"pre": len(self.fused), "live": len(self.order), "tmp": 0}
        for buffer, start, count in self.views.values():
            sizes[buffer] = max(sizes[buffer], start + count)
        buffers = {name: _aligned((size * units,)) for name, size in sizes.items()}
        for state, value in initial.items():
            row = self.order.index(state) * units
            buffers["live"][row : row + units] = value
        # NumPy reads an array of one number faster than a number
        names: dict[str, Any] = {n: np.array(value, np.float32) for n, value in self.constants.items()}
        names |= {n: getattr(np, n) for n in UFUNCS}
        for name, (buffer, start, count) in self.views.items():
            names[name] = buffers[buffer][start * units : (start + count) * units]
        for name, (source, wanted) in self.weights.items():
            names[name] = stacked("weight", source, wanted, 1 if source == "peephole" else units)
            if source == "peephole":
                names[name] = names[name][:, 0]
        names |= {"W": stacked("weight", "hh", self.fused, units), "pre": buffers["pre"], "live": buffers["live"]}
        names |= {"X": of_x(self.fused)} | {f"X_{k}": of_x(affines) for k, affines in enumerate(self.from_x)}
        return names | {f"prev_{s}": np.zeros(units, np.float32) for s in self.copied}


def _reads(node: Rows, source: Source) -> bool:
    return isinstance(node, Diagonal) or any(source_of(v) == source for v in node.inputs)


def _aligned(shape: tuple[int, ...]) -> np.ndarray:
    """Zeros that begin on a cache line: a product with them is a fifth faster."""
    size = 4 * prod(shape)
    room = np.zeros(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(np.float32).reshape(shape)


@cache
def _program(cell: Cell, held: tuple[str, ...] = ()) -> tuple[_Program, Any]:
    program = _Program(cell, _groups(cell), held)
    for group in program.groups:
        _Emitter(program, group).run()
        overwritten = [s.name for s in group if s.name in held]
        program.lines += [f"copyto({program.row(n)}, value_{n}, where=mask_{n})" for n in overwritten]
    return program, compile(program.source(), f"<the loop of {cell.name}>", "exec")


def _groups(cell: Cell) -> list[list[Signal]]:
    """The signals in an order of computation; those stand together that have one form and wait for equally much."""
    level: dict[str, int] = {}
    for s in cell.signals:
        level[s.name] = 1 + max((level[v.name] for v in cell.reads(s.name) if not v.previous and v != x), default=0)

    def form(s: Signal) -> tuple[int, str, str]:
        shared = any(isinstance(n, Rows) and cell.nodes.count(n) > 1 for n in s.equation.walk())
        alone = shared or isinstance(s.equation, Vector)
        return level[s.name], repr(_form(s.equation)), s.name if alone else ""

    return [list(group) for _, group in groupby(sorted(cell.signals, key=form), key=form)]


def _form(expression: Expression) -> Any:
    """What an expression looks like, apart from which rows of the weights it uses."""
    match expression:
        case Affine(_, inputs):
            return "affine", inputs
        case Diagonal():
            return "diagonal"
        case Vector():
            return expression
        case Apply(function, argument):
            return function, _form(argument)
        case _:
            return type(expression).__name__, *map(_form, expression.children)


def _halved(cell: Cell) -> set[Expression]:
    """The weights to halve, exactly, beforehand: a sigmoid is computed as 1/2 + 1/2 tanh(z / 2)."""
    arguments = [_weights_of(n.argument) for n in cell.nodes if isinstance(n, Apply) and n.function == "sigmoid"]
    return {leaf for leaves in arguments if all(cell.nodes.count(leaf) == 1 for leaf in leaves) for leaf in leaves}


def _weights_of(argument: Expression) -> tuple[Expression, ...]:
    """The leaves that scale an argument when they are scaled; none when it can't be done in the weights."""
    match argument:
        case Affine() | Diagonal():
            return (argument,)
        case Sum(left, right):
            a, b = _weights_of(left), _weights_of(right)
            return a + b if a and b else ()
        case Product(left, right):
            return _weights_of(left) or _weights_of(right)
        case _:
            return ()


class _Emitter:
    """Writes the lines that compute one group of signals, all members at once."""

    def __init__(self, program: _Program, group: list[Signal]) -> None:
        self.program, self.group, self.used = program, group, 0
        self.target = program.view("live", program.order.index(group[0].name), len(group))

    def run(self) -> None:
        value = self.emit([s.equation for s in self.group], self.target)
        if value != self.target:
            self.line("copyto", self.target, value)

    def line(self, function: str, *arguments: str) -> None:
        self.program.lines.append(f"{function}({', '.join(arguments)})")

    def temporary(self, count: int) -> str:
        self.used += count
        return self.program.view("tmp", self.used - count, count)

    def emit(self, members: Sequence[Expression], into: str | None = None) -> str:
        """Lines for one expression of every member. Returns the name that holds the values."""
        node, count = members[0], len(members)
        match node:
            case Vector(name, previous):
                return f"prev_{name}" if previous and name in self.program.copied else self.program.row(name)
            case Diagonal():
                return self.weights("peephole", members)
            case Affine():
                return self.affine([m for m in members if isinstance(m, Affine)])
        if count > 1 and any(isinstance(child, Vector) for child in node.children):
            return self.one_by_one(members, into or self.temporary(count))
        parts = [self.emit(p) for p in zip(*(m.children for m in members))]
        into = into or next((p for p in parts if p.startswith("tmp")), None) or self.temporary(count)
        match node:
            case Apply("tanh"):
                self.line("tanh", *parts, into)
            case Apply("sigmoid", argument):
                half = self.program.constant(0.5)
                if not self.program.halved.issuperset(_weights_of(argument) or [argument]):
                    self.line("multiply", *parts, half, into)
                    parts = [into]
                self.line("tanh", *parts, into)
                self.line("multiply", into, half, into)
                self.line("add", into, half, into)
            case Apply(function):
                self.cut_line(FUNCTIONS[function], parts[0], into)
            case Sum():
                self.line("add", *parts, into)
            case Product():
                self.line("multiply", *parts, into)
            case Complement():
                self.line("subtract", self.program.constant(1.0), *parts, into)
        return into

    def cut_line(self, function: Function, argument: str, into: str) -> None:
        """Lines for a function that is a straight line within its range."""
        assert function.line is not None
        (slope, offset), (low, high) = function.line, function.range
        self.line("multiply", argument, self.program.constant(slope), into)
        if offset:
            self.line("add", into, self.program.constant(offset), into)
        for operation, bound in (("maximum", low), ("minimum", high)):
            if isfinite(bound):
                self.line(operation, into, self.program.constant(bound), f"out={into}")

    def one_by_one(self, members: Sequence[Expression], into: str) -> str:
        """Members that share a vector: two short operations cost less than one that repeats the vector."""
        buffer, start, _ = self.program.views[into]
        for k, member in enumerate(members):
            self.emit([member], self.program.view(buffer, start + k, 1))
        return into

    def weights(self, source: Source, members: Sequence[Expression]) -> str:
        wanted = [m for m in members if isinstance(m, (Affine, Diagonal))]
        name = f"W_{source}_{len(self.program.weights)}"
        self.program.weights[name] = (source, wanted)
        return name

    def affine(self, members: list[Affine]) -> str:
        """An affine map: the fused product has done h, x and the biases; a gated h, C, or x alone is added here."""
        node, program = members[0], self.program
        parts = [] if node in program.fused else [self.of_x(members)]
        if node in program.fused:
            parts.append(program.view("pre", program.fused.index(node), len(members)))
        for read in node.inputs:
            if read not in (h_prev, x):
                product = self.temporary(len(members))
                self.line("dot", self.weights(source_of(read), members), self.emit([read]), product)
                parts.append(product)
        while len(parts) > 1:
            self.line("add", *parts[:2], parts[1])
            del parts[0]
        return parts[0]

    def of_x(self, members: list[Affine]) -> str:
        """What x, which may be absent, and the biases give these maps: known before the loop."""
        self.program.from_x.append(members)
        return f"x_{len(self.program.from_x) - 1}"


def reference(
    cell: Cell,
    parameters: Parameters,
    inputs: np.ndarray,
    initial: Mapping[str, np.ndarray],
    held: Held = NOTHING,
) -> dict[str, np.ndarray]:
    """Every signal of one layer, by the cell's program in plain float64: name -> (time, unit).

    inputs: (time, input). initial: the states before the first step, (unit,) each. held: as for `steps`.
    """
    return run(cell.program, parameters, inputs, initial, held)


def run(
    program: Program,
    parameters: Parameters,
    inputs: np.ndarray,
    initial: Mapping[str, np.ndarray],
    held: Held = NOTHING,
    below: Mapping[str, np.ndarray] = NO_LAYER,
) -> dict[str, np.ndarray]:
    """Every signal of one layer by a program in plain float64: name -> (time, unit).

    inputs, initial, held: as for `reference`. below: the signals of the layer below, (time, unit) each; none in the first.
    """
    units, buffers = initial["hidden"].shape[0], program.buffers
    blocks = {n: p.astype(np.float64).reshape(-1, units, *p.shape[1:]) for n, p in parameters.items()}
    values: list[Any] = [blocks[b.name][b.block] if b.role == "weight" else np.zeros(units) for b in buffers]
    operations = [(o.into, _runs(o, blocks)) for o in program.operations]
    signals = {b.name: k for k, b in enumerate(buffers) if b.role == "signal"}
    state = {name: value.astype(np.float64) for name, value in initial.items()}
    kept: dict[str, list[np.ndarray]] = {name: [] for name in signals}
    for t, x_t in enumerate(inputs.astype(np.float64)):
        for k, buffer in enumerate(buffers):
            match buffer.role:
                case "input":
                    values[k] = x_t
                case "before":
                    values[k] = state[buffer.name]
                case "below" if below:
                    values[k] = below[buffer.name][t].astype(np.float64)
        for into, run in operations:
            values[into] = run(values)
            name = buffers[into].name
            if name in held:
                given, where = held[name]
                values[into] = np.where(where[t], given[t], values[into])
        for name, each in kept.items():
            each.append(values[signals[name]])
        state = {name: kept[name][-1] for name in program.states}
    return {name: np.stack(v) for name, v in kept.items()}


def _runs(operation: Operation, blocks: Mapping[str, np.ndarray]) -> Callable[[list[Any]], np.ndarray]:
    """An operation over the values of all buffers, as a function."""
    if operation.kind == "affine":
        parts = [
            (blocks[p.weight][p.block], blocks[p.bias][p.block] if p.bias in blocks else 0, p.reads) for p in operation.parts
        ]
        return lambda values: sum(weight @ values[k] + bias for weight, bias, k in parts)
    does = NUMPY_FUNCTIONS[operation.function] if operation.kind == "apply" else NUMPY_OPERATIONS[operation.kind]
    return lambda values: does(*(values[k] for k in operation.reads))
