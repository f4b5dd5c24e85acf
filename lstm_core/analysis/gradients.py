"""How far back a prediction reaches: the gradient of each loss with respect to every earlier state and character.

A batched adjoint of the cell's program: one pass from the last character to the first carries the gradients of all chosen
losses at once, through the operations of each step in reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core import stepping
from lstm_core.errors import InputError
from lstm_core.evaluation import Evaluation, evaluation, with_before
from lstm_core.formula import FUNCTIONS, Cell, Expression, Product, Sum, Vector, below, x
from lstm_core.frozen import Frozen, read_only
from lstm_core.program import Operation, X
from lstm_core.trace import Trace
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.model import CharModel

NEGLIGIBLE = 1e-30  # a smaller gradient is set to 0: denormal numbers are slow, and too small to be seen
TOO_MUCH = 1e30  # a gradient this large is infinite: float32 ends not far above

# The slope of a curve, from what it puts out.
SLOPES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {"sigmoid": lambda y: y * (1 - y), "tanh": lambda y: 1 - y * y}


@dataclass(frozen=True, eq=False)
class Gradients(Frozen):
    """The gradients of the losses after some characters, with respect to every state and character before them.

    targets: int64 (target,), the steps t whose losses are meant, ascending. aims: int64 (target,), the id whose surprise
    is the loss at t: the character that came next, or, after the last one, the likeliest. norms: for each state of the
    cell, (layer, target, step): the Euclidean norm of d loss_t / d state_s, 0 to inf, NaN where s > t. direct: the
    same along the direct path alone, each state multiplied by what its gate keeps, for the states that have such a path.
    characters: (target, step): d loss_t along the input of character s (gradient times input), nats.
    """

    model: str
    cell: Cell
    chars: tuple[str, ...]
    targets: np.ndarray
    aims: np.ndarray
    norms: Mapping[str, np.ndarray] = field(repr=False)
    direct: Mapping[str, np.ndarray] = field(repr=False)
    characters: np.ndarray = field(repr=False)

    def row(self, step: int) -> int:
        """Where the loss after character `step` stands in the arrays. Raises InputError when it was not asked for."""
        row = int(np.searchsorted(self.targets, step))
        if row == len(self.targets) or self.targets[row] != step:
            raise InputError(
                tr(
                    "the loss after character {step} was not asked for; {targets_count} others were",
                    step=step,
                    targets_count=len(self.targets),
                )
            )
        return row


def gradients(model: CharModel, trace: Trace, targets: Sequence[int] | None = None, float64: bool = False) -> Gradients:
    """The gradients of the losses at `targets` (default: after every character) with respect to all that came before.

    targets: steps, counted from 0. float64: recompute the trace in float64 first, for checks. Takes time in proportion to
    targets x steps. Raises InputError for a step that the trace lacks, for a trace with clamps, and for another model's.
    Source: back-propagation through time (Werbos 1990) of the cell's declared equations.
    """
    run = gradient_steps(model, trace, targets, float64)
    while True:
        try:
            next(run)
        except StopIteration as finished:
            return finished.value


def gradient_steps(
    model: CharModel, trace: Trace, targets: Sequence[int] | None = None, float64: bool = False
) -> Generator[float, None, Gradients]:
    """`gradients`, yielding after each step of the way back which share of the work is done, 0 to 1.

    Takes, returns and raises as `gradients` does.
    """
    wanted = np.arange(trace.steps) if targets is None else np.unique(np.asarray(targets, np.int64))
    _check(model, trace, wanted)
    layers = _layers(model, trace, np.float64 if float64 else np.float32)
    aims = _aims(trace, wanted)
    back = _BackwardPass(model, trace, layers, wanted[::-1], aims[::-1])
    total = back.cost(0)
    for step in range(int(wanted[-1]), -1, -1):
        back.step_back(step)
        yield back.cost(step) / total
    return back.result(wanted, aims)


def _check(model: CharModel, trace: Trace, wanted: np.ndarray) -> None:
    if not wanted.size:
        raise InputError(tr("no step was asked for; give at least one target"))
    for step in (wanted[0], wanted[-1]):
        trace.check(step=int(step))
    if getattr(trace, "clamps", ()):
        raise InputError(
            tr("this trace has clamped gates: a gradient through a gate that is held is none; trace the text without")
        )
    trace.check_model(model)


def _aims(trace: Trace, wanted: np.ndarray) -> np.ndarray:
    """Which character's surprise is the loss after each step."""
    likeliest = trace.probs[wanted].argmax(axis=1)
    came = np.append(trace.ids[1:], 0)[wanted]
    return np.where(wanted < trace.steps - 1, came, likeliest)


# What the equations hold at every step


class _Layer:
    """One layer's equations at every step: (time, unit) or (time, input) each."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.cell, self.vectors, self.blocks = evaluation.cell, evaluation.vectors, evaluation.blocks
        self.value = evaluation.reader(evaluation.cell.program)
        self.term = cache(evaluation.term)

    @property
    def units(self) -> int:
        return self.vectors[Vector("hidden")].shape[1]

    def at(self, number: int, step: int) -> np.ndarray:
        return _at(self.value(number), step)

    def term_at(self, expression: Expression, step: int) -> np.ndarray:
        return _at(self.term(expression), step)


def _at(values: np.ndarray, step: int) -> np.ndarray:
    """One step of a vector, (unit,); weights are the same at each."""
    return values if values.ndim == 1 else values[step]


def _layers(model: CharModel, trace: Trace, kind: Any) -> list[_Layer]:
    found: list[_Layer] = []
    for layer in range(model.layers):
        held = evaluation(model, trace, layer, kind=kind)
        if kind is np.float64:
            start = {n: trace.initial[n][layer].astype(kind) for n in model.cell.states}
            under = {n: found[-1].vectors[Vector(n)] for n in model.cell.names} if found else {}
            read = under["hidden"] if under else held.vectors[x]
            parameters = {name: b.reshape(-1, *b.shape[2:]) for name, b in held.blocks.items()}
            signals = stepping.reference(model.cell.program, parameters, read, start, below=under)
            held = held.over({**with_before(signals, start), x: read} | {below(n): under[n] for n in model.cell.below if under})
        found.append(_Layer(held))
    return found


def kept(cell: Cell, name: str) -> Expression | None:
    """What a state is multiplied by on its direct path from one step to the next: f for C, 1 - z or z for a GRU's h.

    Returns the factor as an expression over the signals, or None for a state without such a path.
    The gates' own dependence on the state is left out.
    """
    past = Vector(name, previous=True)

    def factor(node: Expression) -> Expression | None:
        match node:
            case Product(left, right) if left == past:
                return right
            case Product(left, right) if right == past:
                return left
            case Sum(left, right):
                return factor(left) or factor(right)
        return None

    return factor(cell[name].equation)


# The backward pass


class _BackwardPass:
    """The adjoints of all chosen losses, carried from the last step to the first.

    Rows stand for targets, the latest first, so that those that have begun are the first ones at every step.
    """

    def __init__(self, model: CharModel, trace: Trace, layers: list[_Layer], targets: np.ndarray, aims: np.ndarray) -> None:
        self.model, self.trace, self.layers, self.targets = model, trace, layers, targets
        kind, count, units = layers[0].vectors[x].dtype, len(targets), layers[0].units
        self.at_head = _head_gradients(model, layers[-1].vectors[Vector("hidden")][targets], aims).astype(kind)
        shape, steps = (len(layers), count), trace.steps
        self.carried = [{n: np.zeros((count, units), kind) for n in model.cell.states} for _ in layers]
        self.norms = {n: np.full((*shape, steps), np.nan, kind) for n in model.cell.states}
        self.keeps = {n: factor for n in model.cell.states if (factor := kept(model.cell, n)) is not None}
        self.carried_direct = [{n: np.zeros((count, units), kind) for n in self.keeps} for _ in layers]
        self.direct = {n: np.full((*shape, steps), np.nan, kind) for n in self.keeps}
        self.characters = np.full((count, steps), np.nan, kind)

    def cost(self, step: int) -> int:
        """How many (target, step) pairs are done once `step` is."""
        return int((self.targets - step + 1).clip(0).sum())

    def step_back(self, step: int) -> None:
        """One step back: the losses' gradients with respect to this step's states, and on to those of the step before."""
        begun = int(np.searchsorted(-self.targets, -step, side="right"))
        new = begun and self.targets[begun - 1] == step
        above = {"hidden": np.zeros_like(self.at_head[:begun])}
        if new:
            above["hidden"][-1] = self.at_head[begun - 1]
        with np.errstate(over="ignore", invalid="ignore"):
            for number in range(len(self.layers) - 1, -1, -1):
                above = self._layer_back(number, step, begun, above)
                self._step_direct(number, step, begun, bool(new))

    def _layer_back(self, number: int, step: int, begun: int, above: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Through one layer's equations; returns the gradients with respect to the signals that it read of the layer below.

        above: the same of the layer above.
        """
        layer, program = self.layers[number], self.model.cell.program
        places = program.numbers
        found = {places["signal", name]: held[:begun].copy() for name, held in self.carried[number].items()}
        for name, arrived in above.items():
            _gather(found, places["signal", name], arrived)
        nothing = np.zeros_like(above["hidden"])
        pull = _Pullback(layer, step, found, first=number == 0)
        for operation in reversed(program.operations):
            adjoint = found.pop(operation.into, None)
            if adjoint is None:
                continue
            buffer = program.buffers[operation.into]
            if buffer.role == "signal" and buffer.name in program.states:
                self.norms[buffer.name][number, :begun, step] = _norms(adjoint)
                self._start_direct(number, buffer.name, step, begun, adjoint)
            pull.back(operation, adjoint)
        for name, held in self.carried[number].items():
            held[:begun] = _flushed(found.get(places.get(("before", name), -1), nothing))
        if number == 0:
            self.characters[:begun, step] = pull.along
        under = {places["signal", n]: found.get(places["below", n], nothing) for n in self.model.cell.below}
        _gather(under, places["signal", "hidden"], found.get(places["input", "x"], nothing))
        return {program.buffers[k].name: arrived for k, arrived in under.items()}

    def _start_direct(self, number: int, name: str, step: int, begun: int, adjoint: np.ndarray) -> None:
        """A loss that begins at this step takes the direct path from here."""
        if name in self.keeps and self.targets[begun - 1] == step:
            self.carried_direct[number][name][begun - 1] = adjoint[-1]

    def _step_direct(self, number: int, step: int, begun: int, new: bool) -> None:
        """Along the direct path: what the gates keep, and nothing else."""
        for name, factor in self.keeps.items():
            direct = self.carried_direct[number][name][:begun]
            self.direct[name][number, :begun, step] = _norms(direct)
            direct *= self.layers[number].term_at(factor, step)

    def result(self, targets: np.ndarray, aims: np.ndarray) -> Gradients:
        arrays = [*self.norms.values(), *self.direct.values()]
        for array in arrays:
            array[:] = array[:, ::-1]
        self.characters[:] = self.characters[::-1]
        return Gradients(
            self.trace.model, self.trace.cell, self.trace.chars, read_only(targets), read_only(aims), read_only(self.norms),
            read_only(self.direct), read_only(self.characters),
        )  # fmt: skip


class _Pullback:
    """Takes an adjoint backwards through the operations of a step, and gathers what arrives at each buffer."""

    def __init__(self, layer: _Layer, step: int, found: dict[int, np.ndarray], first: bool) -> None:
        self.layer, self.step, self.found, self.first = layer, step, found, first
        self.along: np.ndarray | float = 0.0  # what arrives at the character itself

    def back(self, operation: Operation, adjoint: np.ndarray) -> None:
        """From what an operation gives to what it reads."""
        layer, step, reads = self.layer, self.step, operation.reads
        match operation.kind:
            case "apply":
                self._arrives(reads[0], adjoint * _slope(operation.function, layer.at(operation.into, step)))
            case "add":
                self._arrives(reads[0], adjoint)
                self._arrives(reads[1], adjoint)
            case "multiply":
                self._arrives(reads[0], adjoint, reads[1])
                self._arrives(reads[1], adjoint, reads[0])
            case "complement":
                self._arrives(reads[0], -adjoint)
            case "copy":
                self._arrives(reads[0], adjoint)
            case "affine":
                for part in operation.parts:
                    weight = layer.blocks[part.weight][part.block]
                    if self.first and layer.cell.program.buffers[part.reads] == X:
                        self.along = self.along + adjoint @ (weight @ layer.value(part.reads)[step])
                    else:
                        self._arrives(part.reads, adjoint @ weight)

    def _arrives(self, number: int, adjoint: np.ndarray, times: int | None = None) -> None:
        """Adds an adjoint, times what another buffer holds, to what arrived at a buffer; weights are given."""
        if self.layer.cell.program.buffers[number].role == "weight":
            return
        arriving = adjoint if times is None else adjoint * self.layer.at(times, self.step)
        _gather(self.found, number, arriving)


def _gather(found: dict[int, np.ndarray], number: int, adjoint: np.ndarray) -> None:
    """Adds an adjoint to what has arrived at a buffer."""
    found[number] = found[number] + adjoint if number in found else adjoint


def _slope(function: str, output: np.ndarray) -> np.ndarray:
    """The slope of a squashing function where it puts out `output`; a straight line has none where it is cut off."""
    line, (low, high) = FUNCTIONS[function].line, FUNCTIONS[function].range
    if line is None:
        return SLOPES[function](output)
    return line[0] * ((low < output) & (output < high)).astype(output.dtype)


def _head_gradients(model: CharModel, hidden: np.ndarray, aims: np.ndarray) -> np.ndarray:
    """d loss / d h of the top layer at each target: (target, unit)."""
    weight = model.head.weight.detach().cpu().numpy().astype(hidden.dtype)
    logits = hidden @ weight.T
    if model.head.bias is not None:
        logits += model.head.bias.detach().cpu().numpy()
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chances[np.arange(len(aims)), aims] -= 1
    return chances @ weight


def _norms(adjoint: np.ndarray) -> np.ndarray:
    """The Euclidean norm of each row, float64: the square of a small float32 is none."""
    norms = np.sqrt(np.einsum("tu,tu->t", adjoint, adjoint, dtype=np.float64))
    norms[~(norms < TOO_MUCH)] = np.inf
    return norms


def _flushed(adjoint: np.ndarray) -> np.ndarray:
    """A gradient with 0 where it has vanished, and an end where it has exploded."""
    adjoint[np.abs(adjoint) < NEGLIGIBLE] = 0
    return np.clip(adjoint, -TOO_MUCH, TOO_MUCH, out=adjoint)
