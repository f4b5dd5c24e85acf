"""How long each unit remembers: what its gates keep of its state from step to step."""

from __future__ import annotations

import numpy as np

from lstm_core.analysis.gradients import kept
from lstm_core.errors import InputError
from lstm_core.evaluation import Evaluation
from lstm_core.formula import Affine, Diagonal, Fixed, Vector
from lstm_core.trace import Trace
from lstm_core.words import tr

LEAST = np.finfo(np.float32).tiny  # a gate that is shut keeps nothing; the logarithm of it is still a number


def remembering(trace: Trace) -> str:
    """The state that has a direct path from step to step: "cell" for an LSTM, "hidden" for a GRU.

    Raises InputError for a cell without one, as the plain RNN.
    """
    for name in sorted(trace.cell.states, key=lambda state: state == "hidden"):
        factor = kept(trace.cell, name)
        if factor is not None and not any(isinstance(node, Affine | Diagonal | Fixed) for node in factor.walk()):
            return name
    raise InputError(
        tr("no gate of {trace.cell.title} decides what is kept: none of its states is multiplied by one", trace=trace)
    )


def keep(trace: Trace) -> np.ndarray:
    """What each unit keeps of its state at each step: float32 (layer, time, unit), in [0, 1].

    For an LSTM the forget gate, for a GRU what multiplies h of the step before: z or 1 - z, as the cell has it.
    Raises InputError for a cell without a gate on its state.
    """
    factor = kept(trace.cell, remembering(trace))
    assert factor is not None
    return Evaluation(trace.cell, {Vector(name): trace[name] for name in trace.signals}, {}).term(factor)


def half_life(trace: Trace) -> np.ndarray:
    """Steps until what is kept alone would halve each unit's state: ln 1/2 / mean over the text of ln f.

    Returns float64 (layer, unit), 0 to inf; inf where nothing is ever let go.
    Raises InputError for a cell without a gate on its state. Source: decay of C_t = f_t * C_{t-1}, writes ignored.
    """
    logs = np.log(np.maximum(keep(trace), LEAST).astype(np.float64)).mean(axis=1)
    with np.errstate(divide="ignore"):
        return np.log(0.5) / np.minimum(logs, -0.0)
