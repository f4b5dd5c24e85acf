"""Runs a declared cell over a text and keeps every signal: one text, one thread, NumPy.

`steps` is fast: each cell's program is turned once into the source of a loop over preallocated buffers. A step is one
product of the recurrent weights with h and a handful of element-wise operations; gates of the same form are
computed together; what x adds is looked up or multiplied for all steps beforehand.
`reference` is the same recurrence in plain float64, the cell's program as it stands: what the fast loop is held to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import groupby
from math import isfinite, prod
from types import MappingProxyType
from typing import Any

import numpy as np

from lstm_core.formula import FUNCTIONS, Cell, Function, modules
from lstm_core.program import H_PREV, Arithmetic, Buffer, Operation, Program, X

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

NUMPY = Arithmetic(NUMPY_FUNCTIONS, lambda vector, weight, bias: vector @ weight.T + (0 if bias is None else bias))


@cache
def fixed_weights(cell: Cell, units: int) -> dict[str, np.ndarray]:
    """The parameters of a cell that are never trained, float32 (block x unit,): "weight_fixed", where it has any."""
    if not cell.fixed:
        return {}
    each = [[f.values[k] for k in modules(len(f.values), units)] for f in cell.fixed]
    return {"weight_fixed": np.array(each, np.float32).reshape(-1)}


@cache
def masks(cell: Cell, units: int) -> dict[str, np.ndarray]:
    """What trained parameters of a cell are multiplied with, by name: 0 and 1 in float32, of the parameter's shape."""
    if not cell.masks:
        return {}
    each = []
    for rows in cell.rows_of("hh"):
        mask = np.array(cell.masks.get(rows, ((1,),)), np.float32)
        belongs = modules(len(mask), units)
        each.append(mask[np.ix_(belongs, belongs)])
    return {"weight_hh": np.concatenate(each)}


Held = Mapping[str, tuple[Sequence[np.ndarray], Sequence[np.ndarray]]]  # a held signal's values and mask, (unit,) each, a step
NOTHING: Held = MappingProxyType({})
NO_LAYER: Mapping[str, np.ndarray] = MappingProxyType({})
Parameters = Mapping[str, np.ndarray]  # one layer's, named as in `Cell.parameter_shapes`
Node = Operation | Buffer  # of a program's trees: what an operation gives, or a vector that is there
Inputs = Callable[[np.ndarray, np.ndarray | None], list[np.ndarray]]  # (weight, bias) -> what x adds, one row a step


def steps(
    cell: Cell,
    parameters: Parameters,
    inputs: Inputs,
    initial: Mapping[str, np.ndarray],
    out: np.ndarray,
    held: Held = NOTHING,
    below: Mapping[str, np.ndarray] = NO_LAYER,
) -> dict[str, np.ndarray]:
    """Every signal of one layer at every step: name -> float32 (time, unit), views of `out`.

    inputs: called with the weight (rows, input) and bias of the gates; gives x W^T + b, one row a step.
    initial: the states before the first step, (unit,) each. out: contiguous float32 (time, signal, unit), to be filled, the
    signals as in `order`. held: what is written over some signals before anything reads them, as `clamp.held_steps` gives
    it. below: the signals of the layer below, (time, unit) each; none in the first.
    """
    loop, code = _loop(cell, tuple(n for n in cell.names if n in held))
    length, _, units = out.shape
    names = loop.bind(parameters, inputs, initial, units)
    names["out"] = out.reshape(length, -1)
    for name in cell.below:
        names[f"BELOW_{name}"] = below[name] if below else [np.zeros(units, np.float32)] * length
    for name, (values, masks) in held.items():
        names |= {f"VALUE_{name}": values, f"MASK_{name}": masks}
    exec(code, names)  # the source is made from the cell's program alone, in `_loop`
    names["run"]()
    return {name: out[:, k] for k, name in enumerate(loop.order)}


def order(cell: Cell) -> list[str]:
    """The signals of a cell as they stand in what `steps` fills."""
    return _loop(cell)[0].order


@dataclass(frozen=True)
class _Nodes:
    """A program as trees, one a signal: a node is what an operation gives, or a vector that is there."""

    cell: Cell

    def node(self, number: int) -> Node:
        buffer = self.cell.program.buffers[number]
        return self.cell.program.made[number] if buffer.role == "value" else buffer

    @cached_property
    def roots(self) -> dict[str, Node]:
        """What each signal is, by name; a copy is what is copied."""
        buffers = self.cell.program.buffers
        found = {buffers[o.into].name: o for o in self.cell.program.operations if buffers[o.into].role == "signal"}
        return {name: self.node(o.reads[0]) if o.kind == "copy" else o for name, o in found.items()}

    def children(self, node: Node) -> list[Node]:
        if isinstance(node, Buffer):
            return []
        return [self.node(k) for k in (*node.reads, *(p.reads for p in node.parts))]

    def walk(self, node: Node) -> Iterator[Node]:
        """This node and all below it, outermost first."""
        yield node
        for child in self.children(node):
            yield from self.walk(child)

    @cached_property
    def counts(self) -> Counter[Node]:
        """How often each node stands in the trees."""
        return Counter(node for root in self.roots.values() for node in self.walk(root))

    def reads(self, name: str, role: str) -> set[str]:
        """The signals that a signal reads, of this step or as states before it."""
        return {n.name for n in self.walk(self.roots[name]) if isinstance(n, Buffer) and n.role == role}

    def groups(self) -> list[list[str]]:
        """The signals in an order of computation; those stand together that have one form and wait for equally much."""
        level: dict[str, int] = {}
        for name in self.cell.names:
            level[name] = 1 + max((level[read] for read in self.reads(name, "signal")), default=0)

        def form(name: str) -> tuple[int, str, str]:
            root = self.roots[name]
            shared = any(_has_weights(n) and self.counts[n] > 1 for n in self.walk(root))
            alone = shared or (isinstance(root, Buffer) and root.role != "weight")
            return level[name], repr(self.form(root)), name if alone else ""

        return [list(group) for _, group in groupby(sorted(self.cell.names, key=form), key=form)]

    def form(self, node: Node) -> Any:
        """What a tree looks like, apart from which rows of the weights it uses."""
        if isinstance(node, Buffer):
            return (node.role, node.name) if node.role == "weight" else node
        if node.kind == "affine":
            return node.kind, [(p.weight, p.reads) for p in node.parts]
        return node.function or node.kind, *map(self.form, self.children(node))

    def halved(self) -> set[Node]:
        """The weights to halve, exactly, beforehand: a sigmoid is computed as 1/2 + 1/2 tanh(z / 2)."""
        arguments = [self.weights_of(self.node(o.reads[0])) for o in self.cell.program.operations if o.function == "sigmoid"]
        return {leaf for leaves in arguments if all(self.counts[leaf] == 1 for leaf in leaves) for leaf in leaves}

    def weights_of(self, argument: Node) -> list[Node]:
        """The leaves that scale an argument when they are scaled; none when it can't be done in the weights."""
        if _has_weights(argument):
            return [argument]
        if isinstance(argument, Operation) and argument.kind in ("add", "multiply"):
            a, b = map(self.weights_of, self.children(argument))
            if argument.kind == "multiply":
                return a or b
            return a + b if a and b else []
        return []


def _has_weights(node: Node) -> bool:
    """Whether a node uses rows of a weight matrix, or one weight a unit."""
    return node.role == "weight" if isinstance(node, Buffer) else node.kind == "affine"


@dataclass
class _Loop:
    """What a cell's loop needs, whatever its sizes: the order of the signals, its buffers, weights and lines.

    Every value in the loop is one flat vector of as many rows (of one unit each) as signals are computed together.
    """

    nodes: _Nodes
    held: tuple[str, ...] = ()  # the signals that are overwritten, for some units, at some steps
    views: dict[str, tuple[str, int, int]] = field(default_factory=dict)  # name -> rows of the buffer "pre", "live", "tmp"
    weights: dict[str, tuple[str, list[Node]]] = field(default_factory=dict)  # name -> parameter, and whose rows
    from_x: list[list[Node]] = field(default_factory=list)  # the affine maps that x_0, x_1, ... are made for
    constants: dict[str, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        nodes = self.nodes
        self.groups = nodes.groups()
        self.order = [name for group in self.groups for name in group]
        self.halved = nodes.halved()
        together = [
            n for group in self.groups for position in zip(*(nodes.walk(nodes.roots[s]) for s in group)) for n in position
        ]
        self.fused = list(dict.fromkeys(n for n in together if H_PREV in nodes.children(n) and _has_weights(n)))
        self.copied = [s for s in nodes.cell.states if self._still_read(s)]

    def _still_read(self, state: str) -> bool:
        """True when a signal reads the state of the step before after the new one has been put in its place."""
        return any(state in self.nodes.reads(name, "before") for name in self.order[self.order.index(state) + 1 :])

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
        each |= {f"below_{name}": f"BELOW_{name}" for name in self.nodes.cell.below}
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

        def stacked(name: str, wanted: Sequence[Node], columns: int) -> np.ndarray:
            """The wanted row blocks of a parameter, zeros where there are none, halved where a sigmoid takes them."""
            stack = _aligned((len(wanted) * units, columns))
            for k, node in enumerate(wanted):
                block = stack[k * units : (k + 1) * units]
                place = _block(node, name)
                if name in parameters and place is not None:
                    whole = parameters[name].reshape(-1, columns)[place * units : (place + 1) * units]
                    np.multiply(whole, np.float32(0.5 if node in self.halved else 1.0), block)
            return stack

        def of_x(affines: list[Node]) -> list[np.ndarray]:
            """What x and the biases add to these affine maps at each step."""
            if not affines:
                return inputs(np.zeros((0, 0), np.float32), None)
            weight = stacked("weight_ih", affines, parameters["weight_ih"].shape[1])
            return inputs(weight, (stacked("bias_ih", affines, 1) + stacked("bias_hh", affines, 1))[:, 0])

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
        for name, (parameter, wanted) in self.weights.items():
            diagonal = parameters[parameter].ndim == 1
            names[name] = stacked(parameter, wanted, 1 if diagonal else units)
            if diagonal:
                names[name] = names[name][:, 0]
        names |= {"W": stacked("weight_hh", self.fused, units), "pre": buffers["pre"], "live": buffers["live"]}
        names |= {"X": of_x(self.fused)} | {f"X_{k}": of_x(affines) for k, affines in enumerate(self.from_x)}
        return names | {f"prev_{s}": np.zeros(units, np.float32) for s in self.copied}


def _block(node: Node, parameter: str) -> int | None:
    """Which block of a parameter's rows a node uses, if any."""
    if isinstance(node, Buffer):
        return node.block if node.name == parameter else None
    return next((p.block for p in node.parts if parameter in (p.weight, p.bias)), None)


def _aligned(shape: tuple[int, ...]) -> np.ndarray:
    """Zeros that begin on a cache line: a product with them is a fifth faster."""
    size = 4 * prod(shape)
    room = np.zeros(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(np.float32).reshape(shape)


@cache
def _loop(cell: Cell, held: tuple[str, ...] = ()) -> tuple[_Loop, Any]:
    loop = _Loop(_Nodes(cell), held)
    for group in loop.groups:
        _Emitter(loop, group).run()
        overwritten = [name for name in group if name in held]
        loop.lines += [f"copyto({loop.row(n)}, value_{n}, where=mask_{n})" for n in overwritten]
    return loop, compile(loop.source(), f"<the loop of {cell.name}>", "exec")


class _Emitter:
    """Writes the lines that compute one group of signals, all members at once."""

    def __init__(self, loop: _Loop, group: list[str]) -> None:
        self.loop, self.group, self.used = loop, group, 0
        self.target = loop.view("live", loop.order.index(group[0]), len(group))

    def run(self) -> None:
        value = self.emit([self.loop.nodes.roots[name] for name in self.group], self.target)
        if value != self.target:
            self.line("copyto", self.target, value)

    def line(self, function: str, *arguments: str) -> None:
        self.loop.lines.append(f"{function}({', '.join(arguments)})")

    def temporary(self, count: int) -> str:
        self.used += count
        return self.loop.view("tmp", self.used - count, count)

    def emit(self, members: Sequence[Node], into: str | None = None) -> str:
        """Lines for one node of every member. Returns the name that holds the values."""
        node, count, nodes = members[0], len(members), self.loop.nodes
        if isinstance(node, Buffer):
            if node.role == "weight":
                return self.weights(node.name, members)
            if node.role == "below":
                return f"below_{node.name}"
            return f"prev_{node.name}" if node.role == "before" and node.name in self.loop.copied else self.loop.row(node.name)
        if node.kind == "affine":
            return self.affine(members)
        if count > 1 and any(isinstance(child, Buffer) and child.role != "weight" for child in nodes.children(node)):
            return self.one_by_one(members, into or self.temporary(count))
        parts = [self.emit(p) for p in zip(*map(nodes.children, members))]
        into = into or next((p for p in parts if p.startswith("tmp")), None) or self.temporary(count)
        match node.kind, node.function:
            case "apply", "tanh":
                self.line("tanh", *parts, into)
            case "apply", "sigmoid":
                half, argument = self.loop.constant(0.5), nodes.node(node.reads[0])
                if not self.loop.halved.issuperset(nodes.weights_of(argument) or [argument]):
                    self.line("multiply", *parts, half, into)
                    parts = [into]
                self.line("tanh", *parts, into)
                self.line("multiply", into, half, into)
                self.line("add", into, half, into)
            case "apply", function:
                self.cut_line(FUNCTIONS[function], parts[0], into)
            case "complement", _:
                self.line("subtract", self.loop.constant(1.0), *parts, into)
            case operation, _:
                self.line(operation, *parts, into)
        return into

    def cut_line(self, function: Function, argument: str, into: str) -> None:
        """Lines for a function that is a straight line within its range."""
        assert function.line is not None
        (slope, offset), (low, high) = function.line, function.range
        self.line("multiply", argument, self.loop.constant(slope), into)
        if offset:
            self.line("add", into, self.loop.constant(offset), into)
        for operation, bound in (("maximum", low), ("minimum", high)):
            if isfinite(bound):
                self.line(operation, into, self.loop.constant(bound), f"out={into}")

    def one_by_one(self, members: Sequence[Node], into: str) -> str:
        """Members that share a vector: two short operations cost less than one that repeats the vector."""
        buffer, start, _ = self.loop.views[into]
        for k, member in enumerate(members):
            self.emit([member], self.loop.view(buffer, start + k, 1))
        return into

    def weights(self, parameter: str, members: Sequence[Node]) -> str:
        name = f"{parameter}_{len(self.loop.weights)}"
        self.loop.weights[name] = (parameter, list(members))
        return name

    def affine(self, members: Sequence[Node]) -> str:
        """An affine map: the fused product has done h, x and the biases; a gated h, C, or x alone is added here."""
        node, loop = members[0], self.loop
        assert isinstance(node, Operation)
        parts = [] if node in loop.fused else [self.of_x(members)]
        if node in loop.fused:
            parts.append(loop.view("pre", loop.fused.index(node), len(members)))
        for part in node.parts:
            read = loop.nodes.node(part.reads)
            if read not in (H_PREV, X):
                product = self.temporary(len(members))
                self.line("dot", self.weights(part.weight, members), self.emit([read]), product)
                parts.append(product)
        while len(parts) > 1:
            self.line("add", *parts[:2], parts[1])
            del parts[0]
        return parts[0]

    def of_x(self, members: Sequence[Node]) -> str:
        """What x, which may be absent, and the biases give these maps: known before the loop."""
        self.loop.from_x.append(list(members))
        return f"x_{len(self.loop.from_x) - 1}"


def reference(
    program: Program,
    parameters: Parameters,
    inputs: np.ndarray,
    initial: Mapping[str, np.ndarray],
    held: Held = NOTHING,
    below: Mapping[str, np.ndarray] = NO_LAYER,
) -> dict[str, np.ndarray]:
    """Every signal of one layer by a cell's program in plain float64: name -> (time, unit).

    inputs: (time, input). initial: the states before the first step, (unit,) each. held: as for `steps`. below: the signals
    of the layer below, (time, unit) each; none in the first.
    """
    units, buffers = initial["hidden"].shape[0], program.buffers
    blocks = {n: p.astype(np.float64).reshape(-1, units, *p.shape[1:]) for n, p in parameters.items()}
    values: list[Any] = [blocks[b.name][b.block] if b.role == "weight" else np.zeros(units) for b in buffers]
    operations = [(o.into, NUMPY.runs(o, blocks)) for o in program.operations]
    signals = {name: k for (role, name), k in program.numbers.items() if role == "signal"}
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
            values[into] = run(values.__getitem__)
            name = buffers[into].name
            if name in held:
                given, where = held[name]
                values[into] = np.where(where[t], given[t], values[into])
        for name, each in kept.items():
            each.append(values[signals[name]])
        state = {name: kept[name][-1] for name in program.states}
    return {name: np.stack(v) for name, v in kept.items()}
