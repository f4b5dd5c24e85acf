"""Runs a declared cell over a text and keeps every signal: one text, one thread, NumPy.

`steps` is fast: each declaration is turned once into the source of a loop over preallocated buffers. A step is one
product of the recurrent weights with h and a handful of element-wise operations; gates of the same form are
computed together; what x adds is looked up or multiplied for all steps beforehand.
`reference` is the same recurrence in plain float64, straight from the equations: what the fast loop is held to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np

from lstm_core.formula import (
    Affine, Apply, Cell, Complement, Compiled, Diagonal, Expression, Product, Signal, Sum, Vector, compiled, h_prev, source_of, x,
)  # fmt: skip

NUMPY_FUNCTIONS = {"sigmoid": lambda z: 0.5 + 0.5 * np.tanh(0.5 * z), "tanh": np.tanh}

Parameters = Mapping[str, np.ndarray]  # one layer's, named as in `Cell.parameter_shapes`
Inputs = Callable[[np.ndarray, np.ndarray | None], list[np.ndarray]]  # (weight, bias) -> what x adds, one row a step


def steps(
    cell: Cell, parameters: Parameters, inputs: Inputs, initial: Mapping[str, np.ndarray], length: int
) -> dict[str, np.ndarray]:
    """Every signal of one layer at every step: name -> float32 (time, unit), views of one array.

    inputs: called with the weight (rows, input) and bias of the gates; gives x W^T + b, one row a step.
    initial: the states before the first step, (unit,) each. length: the number of steps.
    """
    program, code = _program(cell)
    units = initial["hidden"].shape[0]
    out = np.empty((length, len(program.order) * units), np.float32)
    names = program.bind(parameters, inputs, initial, units)
    names["out"] = out
    exec(code, names)  # the source is made from the declaration alone, in `_program`
    names["run"]()
    return {name: out[:, k * units : (k + 1) * units] for k, name in enumerate(program.order)}


@dataclass
class _Program:
    """What a cell's loop needs, whatever its sizes: the order of the signals, its buffers, weights and lines."""

    cell: Cell
    groups: list[list[Signal]]
    views: dict[str, tuple[str, int, int]] = field(default_factory=dict)  # name -> rows of the buffer "pre", "live", "tmp"
    weights: dict[str, tuple[str, list[str], float]] = field(default_factory=dict)  # name -> source, rows, scale
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.order = [s.name for group in self.groups for s in group]
        self.scales = {leaf: 0.5 for leaf in _halved(self.cell)}
        nodes = [n for group in self.groups for position in zip(*(s.equation.walk() for s in group)) for n in position]
        affines = list(dict.fromkeys(n for n in nodes if isinstance(n, Affine)))
        self.fused = [a for a in affines if h_prev in a.inputs]
        self.from_x = [a for a in affines if h_prev not in a.inputs and x in a.inputs]
        self.copied = [s for s in self.cell.states if self._still_read(s)]

    def _still_read(self, state: str) -> bool:
        """True when a signal reads the state of the step before after the new one has been put in its place."""
        later = self.order[self.order.index(state) + 1 :]
        return any(Vector(state, True) in self.cell.reads(name) for name in later)

    def view(self, buffer: str, start: int, count: int) -> str:
        name = f"{buffer}_{start}_{count}"
        self.views[name] = (buffer, start, count)
        return name

    def row(self, name: str) -> str:
        return self.view("live", self.order.index(name), 1)

    def source(self) -> str:
        each = "".join(f", x_{k}" for k in range(len(self.from_x)))
        lists = "".join(f", X_{k}" for k in range(len(self.from_x)))
        body = [f"copyto(prev_{s}, {self.row(s)})" for s in self.copied]
        if self.fused:
            body += [f"dot(W, {self.row('hidden')}, pre)", "add(pre, x_t, pre)"]
        body += [*self.lines, "copyto(out_t, live)"]
        names = ["dot", "add", "subtract", "multiply", "tanh", "copyto", "half", "one", "W", "pre", "live", "out", "X"]
        names += [f"X_{k}" for k in range(len(self.from_x))] + [f"prev_{s}" for s in self.copied]
        local = ", ".join(f"{n}={n}" for n in [*names, *self.views, *self.weights])  # local names are the fastest
        loop = f"for out_t, x_t{each} in zip(out, X{lists}):"
        return "\n".join([f"def run({local}):", f"  {loop}", *(f"    {line}" for line in body)])

    def bind(self, parameters: Parameters, inputs: Inputs, initial: Mapping[str, np.ndarray], units: int) -> dict[str, Any]:
        """The buffers, weights and inputs that the loop's names stand for."""
        def rows(source: str, wanted: list[str], kind: str = "weight") -> np.ndarray:
            order = self.cell.diagonals if source == "peephole" else self.cell.rows_of(source)  # type: ignore[arg-type]
            blocks = parameters[f"{kind}_{source}"].reshape(len(order), units, -1)
            return np.stack([blocks[order.index(r)] for r in wanted]).astype(np.float32)

        def of_x(affines: list[Affine]) -> list[np.ndarray]:
            """What x and the biases add to these affine maps at each step."""
            if not affines:
                return inputs(np.zeros((0, 0), np.float32), None)
            weight, bias = [], []
            for a in affines:
                reads_x, scale = x in a.inputs, np.float32(self.scales.get(a, 1.0))
                shape = parameters["weight_ih"].shape[1]
                weight.append(scale * rows("ih", [a.rows])[0] if reads_x else np.zeros((units, shape), np.float32))
                sources = [s for s, read in (("ih", reads_x), ("hh", h_prev in a.inputs)) if read and f"bias_{s}" in parameters]
                bias.append(scale * sum((rows(s, [a.rows], "bias")[0, :, 0] for s in sources), np.zeros(units, np.float32)))
            return inputs(np.concatenate(weight), np.concatenate(bias))

        sizes = {"pre": len(self.fused), "live": len(self.order), "tmp": 0}
        for buffer, start, count in self.views.values():
            sizes[buffer] = max(sizes[buffer], start + count)
        buffers = {name: _aligned(np.zeros((size, units), np.float32)) for name, size in sizes.items()}
        names: dict[str, Any] = {n: getattr(np, n) for n in ("dot", "add", "subtract", "multiply", "tanh", "copyto")}
        names |= {"half": np.float32(0.5), "one": np.float32(1.0)}
        for name, (buffer, start, count) in self.views.items():
            rows_of_buffer = buffers[buffer][start : start + count]
            names[name] = rows_of_buffer[0] if count == 1 else rows_of_buffer
        for name, (source, wanted, scale) in self.weights.items():
            block = np.float32(scale) * rows(source, wanted)
            flat = block[..., 0] if source == "peephole" else block.reshape(-1, units)
            names[name] = flat[0] if source == "peephole" and len(wanted) == 1 else _aligned(flat)
        for state, value in initial.items():
            buffers["live"][self.order.index(state)] = value
        fused = [np.float32(self.scales.get(a, 1.0)) * rows("hh", [a.rows])[0] for a in self.fused]
        names["W"] = _aligned(np.concatenate(fused)) if fused else None
        names["pre"], names["live"] = buffers["pre"].reshape(-1), buffers["live"].reshape(-1)
        names["X"] = of_x(self.fused)
        names |= {f"X_{k}": of_x([a]) for k, a in enumerate(self.from_x)}
        return names | {f"prev_{s}": np.zeros(units, np.float32) for s in self.copied}


def _aligned(values: np.ndarray) -> np.ndarray:
    """A copy that begins on a cache line: a product with it is a fifth faster."""
    room = np.empty(values.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    copy = room[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


@cache
def _program(cell: Cell) -> tuple[_Program, Any]:
    program = _Program(cell, _groups(cell))
    for group in program.groups:
        _Emitter(program, group).run()
    return program, compile(program.source(), f"<the loop of {cell.name}>", "exec")


def _groups(cell: Cell) -> list[list[Signal]]:
    """The signals in an order of computation; those stand together that have one form and wait for equally much."""
    level: dict[str, int] = {}
    for s in cell.signals:
        level[s.name] = 1 + max((level[v.name] for v in cell.reads(s.name) if not v.previous and v != x), default=0)

    def form(s: Signal) -> tuple[int, str]:
        return level[s.name], repr(_form(s.equation))

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


def _halved(cell: Cell) -> list[Expression]:
    """The weights to halve, exactly, beforehand: a sigmoid is computed as 1/2 + 1/2 tanh(z / 2)."""
    arguments = [n.argument for n in cell.nodes if isinstance(n, Apply) and n.function == "sigmoid"]
    return [leaf for argument in arguments for leaf in _weights_of(argument) or ()]


def _weights_of(argument: Expression) -> list[Expression] | None:
    """The leaves that scale an argument when they are scaled; None when it can't be done in the weights."""
    match argument:
        case Affine() | Diagonal():
            return [argument]
        case Sum(left, right):
            a, b = _weights_of(left), _weights_of(right)
            return None if a is None or b is None else a + b
        case Product(left, right):
            return _weights_of(left) or _weights_of(right)
        case _:
            return None


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
            case Vector("x"):
                raise ValueError(f"cell {self.program.cell.name!r} reads x outside an affine map")
            case Vector(name, previous):
                return f"prev_{name}" if previous and name in self.program.copied else self.program.row(name)
            case Diagonal():
                return self.weights("peephole", members)
            case Affine():
                return self.affine([m for m in members if isinstance(m, Affine)])
        parts = [self.emit(p) for p in zip(*(m.children for m in members))]
        into = into or next((p for p in parts if p.startswith("tmp")), None) or self.temporary(count)
        match node:
            case Apply("tanh"):
                self.line("tanh", *parts, into)
            case Apply("sigmoid", argument):
                if _weights_of(argument) is None:
                    self.line("multiply", *parts, "half", into)
                    parts = [into]
                self.line("tanh", *parts, into)
                self.line("multiply", into, "half", into)
                self.line("add", into, "half", into)
            case Sum():
                self.line("add", *parts, into)
            case Product():
                self.line("multiply", *parts, into)
            case Complement():
                self.line("subtract", "one", *parts, into)
        return into

    def weights(self, source: str, members: Sequence[Expression]) -> str:
        rows = [m.rows for m in members if isinstance(m, (Affine, Diagonal))]
        name = f"W_{source}_{'_'.join(rows)}"
        self.program.weights[name] = (source, rows, self.program.scales.get(members[0], 1.0))
        return name

    def affine(self, members: list[Affine]) -> str:
        """An affine map: the fused product has done h, x and the biases; a gated h, C, or x alone is added here."""
        node, program = members[0], self.program
        if node in program.fused:
            value = program.view("pre", program.fused.index(node), len(members))
            rest = [read for read in node.inputs if read not in (h_prev, x)]
        else:
            value = ""
            rest = [read for read in node.inputs if read != x]
        for read in rest:
            product = self.temporary(len(members))
            flat = product if len(members) == 1 else f"{product}.reshape(-1)"
            self.line("dot", self.weights(source_of(read), members), self.emit([read]), flat)
            value = self.sum(value, product, value or product)
        if node in program.from_x:
            x_part = f"x_{program.from_x.index(node)}"
            value = self.sum(value, x_part, value) if value else x_part
        return value

    def sum(self, left: str, right: str, into: str) -> str:
        if left:
            self.line("add", left, right, into)
        return into


def reference(
    cell: Cell, parameters: Parameters, inputs: np.ndarray, initial: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Every signal of one layer, evaluated plainly in float64: name -> (time, unit).

    inputs: (time, input). initial: the states before the first step, (unit,) each.
    """
    units = initial["hidden"].shape[0]
    weights = {n: p.astype(np.float64).reshape(-1, units, *p.shape[1:]) for n, p in parameters.items()}

    def block(kind: str, source: str, rows: str) -> np.ndarray | None:
        order = cell.diagonals if source == "peephole" else cell.rows_of(source)  # type: ignore[arg-type]
        return weights[f"{kind}_{source}"][order.index(rows)] if f"{kind}_{source}" in weights else None

    def leaf(node: Expression) -> Compiled:
        if isinstance(node, Diagonal):
            weight = block("weight", "peephole", node.rows)
            return lambda values: weight
        assert isinstance(node, Affine)
        parts = [(block("weight", source_of(v), node.rows), block("bias", source_of(v), node.rows), compiled(v, leaf, NUMPY_FUNCTIONS)) for v in node.inputs]

        def affine(values: Any) -> np.ndarray:
            return sum(w @ read(values) + (0 if b is None else b) for w, b, read in parts)

        return affine

    equations = [(Vector(s.name), compiled(s.equation, leaf, NUMPY_FUNCTIONS)) for s in cell.signals]
    values: dict[Vector, Any] = {Vector(n, True): v.astype(np.float64) for n, v in initial.items()}
    kept: dict[str, list[np.ndarray]] = {name: [] for name in cell.names}
    for x_t in inputs.astype(np.float64):
        values[x] = x_t
        for key, value in equations:
            values[key] = value(values)
            kept[key.name].append(values[key])
        values |= {Vector(n, True): values[Vector(n)] for n in cell.states}
    return {name: np.stack(v) for name, v in kept.items()}
