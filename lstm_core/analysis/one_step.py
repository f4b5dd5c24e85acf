"""One layer at one step in float64: the vectors that its equations read, and what its equations make of any vectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from lstm_core.formula import Affine, Apply, Cell, Expression, Vector, compiled, x
from lstm_core.model import TORCH_FUNCTIONS, Block, Blocks, CharModel, leaf_of
from lstm_core.trace import Trace

Vectors = Mapping[Vector, np.ndarray]


def vectors(model: CharModel, trace: Trace, layer: int, step: int) -> dict[Vector, np.ndarray]:
    """What every vector of the cell holds at one step: float64 (unit,), and (input,) for x. The trace's own, not recomputed.

    layer, step: counted from 0. Raises InputError for a layer or step that the trace lacks, and for a trace that is not of
    the model's cell and sizes. x of the first layer is the character as the model reads it.
    """
    trace.check(layer, step)
    trace.check_model(model)
    held = {Vector(n): trace[n][layer, step] for n in trace.signals}
    held |= {Vector(n, True): trace[n][layer, step - 1] if step else trace.initial[n][layer] for n in trace.cell.states}
    held[x] = trace["hidden"][layer - 1, step] if layer else _character(model, int(trace.ids[step]))
    return {vector: values.astype(np.float64) for vector, values in held.items()}


def weights(model: CharModel, layer: int, bias: bool = True) -> Blocks:
    """One layer's weights in float64: source -> rows -> (weight, bias or None). bias: False leaves all biases out.

    Raises AttributeError for a layer that the model lacks.
    """

    def double(block: Block) -> Block:
        weight, own = block
        return weight.detach().double().cpu(), None if own is None or not bias else own.detach().double().cpu()

    blocks = model.rnn.blocks(layer)
    return {source: {rows: double(block) for rows, block in gates.items()} for source, gates in blocks.items()}


def evaluate(expression: Expression, blocks: Blocks, held: Vectors) -> np.ndarray:
    """An expression of the cell's equations over `weights` and `vectors`, for all units: float64 (unit,).

    Raises KeyError for a vector that `held` lacks.
    """
    values: dict[Vector, Tensor] = {vector: torch.from_numpy(value) for vector, value in held.items()}
    return compiled(expression, leaf_of(blocks), TORCH_FUNCTIONS)(values).numpy()


def signals(cell: Cell, blocks: Blocks, held: Vectors) -> dict[str, np.ndarray]:
    """Every signal of one step, computed anew from x and the states before: name -> float64 (unit,)."""
    now = {vector: value for vector, value in held.items() if vector.previous or vector == x}
    for signal in cell.signals:
        now[Vector(signal.name)] = evaluate(signal.equation, blocks, now)
    return {signal.name: now[Vector(signal.name)] for signal in cell.signals}


def preactivation(cell: Cell, name: str) -> Expression | None:
    """What a signal's squashing function is given; None for one that has no weights of its own (a state, i = 1 - f).

    Raises KeyError, naming the signals there are, for another.
    """
    equation = cell[name].equation
    has_weights = isinstance(equation, Apply) and any(isinstance(node, Affine) for node in equation.walk())
    return equation.argument if isinstance(equation, Apply) and has_weights else None


def weighed(cell: Cell) -> tuple[str, ...]:
    """The signals that have weights of their own, in order of computation."""
    return tuple(name for name in cell.names if preactivation(cell, name) is not None)


def _character(model: CharModel, identity: int) -> np.ndarray:
    ids = torch.tensor([[identity]], device=model.head.weight.device)
    return model.read(ids)[0, 0].detach().cpu().numpy()
