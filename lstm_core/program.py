"""A cell's step as a flat list of operations over vectors: what everything that computes a cell runs.

`formula` lowers a declaration to its `Program` when it is declared. No operation knows how many units there are: every
vector is one number a unit, but for the input x. What stands twice in the equations is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, reduce
from operator import add, mul
from typing import Any, Literal

# x; a state as the step found it; a signal of this step; the same signal of the layer below, zeros in the first layer; one
# number a unit that stays, trained or fixed; a value on the way to a signal.
Role = Literal["input", "before", "signal", "below", "weight", "value"]
# affine: the sum over its parts of weight · vector + bias. apply: a function, unit by unit. complement: 1 - vector.
Kind = Literal["affine", "add", "multiply", "complement", "apply", "copy"]


@dataclass(frozen=True)
class Buffer:
    """A vector that a step reads or writes.

    name: of a signal, here or below, of the state that a step found, or the parameter of a weight; "x" is the input; values
    have none.
    block: of a weight, which block of units of its parameter it is, from 0.
    """

    role: Role
    name: str = ""
    block: int = 0

    @property
    def size(self) -> Literal["input", "units"]:
        """How long the vector is: as x is, or one number a unit."""
        return "input" if self.role == "input" else "units"


X, H_PREV = Buffer("input", "x"), Buffer("before", "hidden")


@dataclass(frozen=True)
class Part:
    """One term of an affine map: rows of the parameter `weight` times a vector, plus the same rows of `bias`.

    block: which block of as many rows as there are units, from 0. reads: the vector's number among the buffers. A layer
    may lack the parameter `bias`: then nothing is added.
    """

    weight: str
    bias: str
    block: int
    reads: int


@dataclass(frozen=True)
class Operation:
    """One operation of a step. into, reads: numbers of buffers. function: one of formula.FUNCTIONS, of "apply" alone."""

    kind: Kind
    into: int
    reads: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()
    function: str = ""


@dataclass(frozen=True)
class Program:
    """One step of a cell: run the operations in order, and each signal stands in its buffer.

    A signal is finished by exactly one operation, and read by those after it alone: what is held at a value is written
    over it there. states: the signals that the next step finds as its buffers "before", hidden first.
    """

    buffers: tuple[Buffer, ...]
    operations: tuple[Operation, ...]
    states: tuple[str, ...]

    @cached_property
    def made(self) -> dict[int, Operation]:
        """The operation that gives each vector, by the vector's number."""
        return {o.into: o for o in self.operations}

    @cached_property
    def numbers(self) -> dict[tuple[Role, str], int]:
        """The number of each vector that has a name of its own, by role and name: all but weights and values."""
        return {(b.role, b.name): k for k, b in enumerate(self.buffers) if b.role not in ("weight", "value")}

    @cached_property
    def stacked(self) -> tuple[Operation, ...]:
        """The affine maps of h_{t-1} and x_t alone, in the order of their rows: one product a step does them all."""
        plain = [o for o in self.operations if {self.buffers[p.reads] for p in o.parts} == {H_PREV, X}]
        return tuple(sorted(plain, key=lambda o: [p.block for p in o.parts if p.weight == "weight_hh"]))

    def as_json(self) -> dict[str, Any]:
        """The program as JSON holds it: dictionaries, lists, texts and integers."""

        def listed(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: listed(v) for name, v in value.items() if v != ()}
            return [listed(v) for v in value] if isinstance(value, tuple) else value

        found: dict[str, Any] = listed(asdict(self))
        return found


OPERATIONS: Mapping[Kind, Callable[..., Any]] = {
    "add": add,
    "multiply": mul,
    "complement": lambda z: 1 - z,
    "copy": lambda z: z,
}


@dataclass(frozen=True)
class Arithmetic:
    """What operations compute with: one kind of array, which knows +, * and -.

    functions: all of formula.FUNCTIONS, unit by unit. linear: of a vector, weights and a bias or None, weights · vector + bias;
    a vector may be of many steps at once, (time, unit).
    """

    functions: Mapping[str, Callable[[Any], Any]]
    linear: Callable[[Any, Any, Any], Any]

    def runs(self, operation: Operation, blocks: Mapping[str, Any]) -> Callable[[Callable[[int], Any]], Any]:
        """An operation as a function of what reads a buffer by its number.

        blocks: each parameter as its blocks of as many rows as there are units.
        """
        if operation.kind == "affine":
            linear = self.linear
            parts = [
                (p.reads, blocks[p.weight][p.block], blocks[p.bias][p.block] if p.bias in blocks else None)
                for p in operation.parts
            ]
            return lambda read: reduce(add, [linear(read(k), weight, bias) for k, weight, bias in parts])
        does: Callable[..., Any] = (
            self.functions[operation.function] if operation.kind == "apply" else OPERATIONS[operation.kind]
        )
        if len(operation.reads) == 1:
            (one,) = operation.reads
            return lambda read: does(read(one))
        left, right = operation.reads
        return lambda read: does(read(left), read(right))


@dataclass
class Builder:
    """Collects the operations of a program; a vector is known by its number."""

    buffers: list[Buffer] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    signals: dict[str, int] = field(default_factory=dict)
    _known: dict[Any, int] = field(default_factory=dict)

    def buffer(self, role: Role, name: str, block: int = 0) -> int:
        """The number of a named vector."""
        return self._number(Buffer(role, name, block))

    def value(self, kind: Kind, reads: tuple[int, ...] = (), parts: tuple[Part, ...] = (), function: str = "") -> int:
        """The number of the vector that an operation gives; the same operation on the same vectors is done once."""
        key = (kind, reads, parts, function)
        if key not in self._known:
            self.buffers.append(Buffer("value"))
            self._known[key] = len(self.buffers) - 1
            self.operations.append(Operation(kind, self._known[key], reads, parts, function))
        return self._known[key]

    def signal(self, name: str, value: int) -> None:
        """Says which vector a signal is, as it is computed; what reads the signal reads it as it may be held."""
        into = self.buffer("signal", name)
        self.signals[name] = value
        self.operations.append(Operation("copy", into, (value,)))

    def program(self, states: tuple[str, ...]) -> Program:
        """The program, in which an operation that serves a signal alone writes straight into it."""
        readers = [v for o in self.operations for v in (*o.reads, *(p.reads for p in o.parts))]
        straight = {
            o.reads[0]: o.into
            for o in self.operations
            if o.kind == "copy" and self.buffers[o.reads[0]].role == "value" and readers.count(o.reads[0]) == 1
        }
        kept = [
            replace(o, into=straight.get(o.into, o.into))
            for o in self.operations
            if not (o.kind == "copy" and o.reads[0] in straight)
        ]
        numbers = {old: new for new, old in enumerate(k for k in range(len(self.buffers)) if k not in straight)}
        return Program(
            tuple(self.buffers[k] for k in numbers),
            tuple(
                replace(
                    o,
                    into=numbers[o.into],
                    reads=tuple(numbers[v] for v in o.reads),
                    parts=tuple(replace(p, reads=numbers[p.reads]) for p in o.parts),
                )
                for o in kept
            ),
            states,
        )

    def _number(self, buffer: Buffer) -> int:
        if buffer not in self._known:
            self.buffers.append(buffer)
            self._known[buffer] = len(self.buffers) - 1
        return self._known[buffer]
