"""What b is: the biases of one unit's gates, the essay's one and PyTorch's two, and what the gates would be without."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.evaluation import evaluation
from lstm_core.formula import source_of
from lstm_core.model import CharModel
from lstm_core.trace import Trace

PARTS = {"ih": "b_ih", "hh": "b_hh"}


@dataclass(frozen=True)
class Bias:
    """The biases of one gate, for all units of a layer, and the gate at one step with and without them.

    name: the signal. parts: "b_ih", "b_hh" -> float64 (unit,), those that the cell has. total: their sum, the essay's one
    b, (unit,); None where a gate stands between the two, so that no one number can replace them. value, without: the
    signal at this step, float64 (unit,), and the same with its biases 0 and all that it reads as it was.
    """

    name: str
    parts: dict[str, np.ndarray]
    total: np.ndarray | None
    value: np.ndarray
    without: np.ndarray


def biases(model: CharModel, trace: Trace, layer: int, step: int) -> tuple[Bias, ...]:
    """The biases of every gate of one layer, in order of computation; empty for a model that has none (the essay's GRU).

    layer, step: counted from 0. Raises InputError for a layer or step that the trace lacks, and for another model's trace.
    Source: the cell's declared equations; PyTorch's nn.LSTM keeps two vectors, whose sum is the one b of Olah 2015.
    """
    equations = evaluation(model, trace, layer, step)
    if not model.rnn.bias:
        return ()
    bare = equations.without_biases()
    found = []
    for name in model.cell.weighed:
        equation = model.cell[name].equation
        maps = equation.affines
        owned = ((source_of(read), equations.rows(source_of(read), node.rows)[1]) for node in maps for read in node.inputs)
        parts = {PARTS[source]: bias for source, bias in owned if bias is not None}
        total = np.sum(list(parts.values()), axis=0) if len(maps) == 1 else None
        parts = dict(sorted(parts.items(), reverse=True))
        found.append(Bias(name, parts, total, equations.term(equation), bare.term(equation)))
    return tuple(found)
