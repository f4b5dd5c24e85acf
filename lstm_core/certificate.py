"""The certificate: how far a trace is from torch's own kernel on this very text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from lstm_core import stepping
from lstm_core.formula import Affine, Compiled, Expression, Vector, compiled
from lstm_core.model import CharModel
from lstm_core.stepping import NUMPY_FUNCTIONS
from lstm_core.trace import Trace

# float32 keeps about 7 digits; over 20,000 steps of trained models 1e-5 was the largest seen.
LARGEST_H_ERROR = 1e-4
LARGEST_LOSS_ERROR = 1e-3


@dataclass(frozen=True)
class Certificate:
    """How far the shown signals are from an independent computation of the same text.

    against: what was compared with. h_error: max |h - h_reference| over all layers, steps and units (0 is exact, h is
    within ±1). loss_shown, loss_reference: nats a character, from the h that the shown gates and states give, and from
    the reference; NaN for one character. holds: whether both agree to float32's precision.
    """

    against: str
    h_error: float
    loss_shown: float
    loss_reference: float

    @property
    def holds(self) -> bool:
        both_nan = np.isnan(self.loss_shown) and np.isnan(self.loss_reference)
        loss_holds = both_nan or abs(self.loss_shown - self.loss_reference) <= LARGEST_LOSS_ERROR
        return bool(self.h_error <= LARGEST_H_ERROR and loss_holds)


def certify(model: CharModel, trace: Trace) -> Certificate:
    """Compares a trace with torch's own kernel on the same text, or, where torch has none, with float64.

    The reference h of every layer comes from torch's nn.LSTM, nn.GRU or nn.RNN kernel, or from a plain step-by-step
    float64 evaluation of the declared equations. The loss is computed twice: from the h that the shown gates and states
    give through their equations, and from the reference. Raises ValueError when the trace is not of this model's cell
    and sizes. Source: declared equations; kernels of torch.
    """
    if (trace.cell, trace.layers, trace.units) != (model.cell, model.layers, model.units):
        raise ValueError(f"the trace is of {trace.layers} x {trace.units} {trace.cell.title}, the model is another: {model.name}")
    with torch.inference_mode():
        against, reference = _kernel_h(model, trace) if model.cell.kernel else _float64_h(model, trace)
        shown = _h_from_signals(trace)
        error = float(np.abs(trace["hidden"] - reference).max())
        if not np.isfinite(error):
            error = float("inf")
        return Certificate(against, error, _loss(model, trace, shown[-1]), _loss(model, trace, reference[-1]))


def _kernel_h(model: CharModel, trace: Trace) -> tuple[str, np.ndarray]:
    """h of every layer by torch's kernel, (layer, time, unit)."""
    rnn, x = model.rnn, model.read(torch.from_numpy(trace.ids.copy())[:, None])
    hidden = []
    for layer in range(model.layers):
        states = tuple(torch.from_numpy(trace.initial[n][layer].copy())[None, None].to(x) for n in model.cell.states)
        x = rnn.run_kernel(x, states, [list(rnn.layer(layer).values())])[0]
        hidden.append(x[:, 0].numpy())
    return f"torch's own {model.cell.kernel} kernel", np.stack(hidden)


def _float64_h(model: CharModel, trace: Trace) -> tuple[str, np.ndarray]:
    """h of every layer by the declared equations in float64, (layer, time, unit)."""
    x, hidden = model.read(torch.from_numpy(trace.ids.copy())[:, None])[:, 0].numpy(), []
    for layer in range(model.layers):
        parameters = {n: p.numpy() for n, p in model.rnn.layer(layer).items()}
        start = {n: trace.initial[n][layer] for n in model.cell.states}
        x = stepping.reference(model.cell, parameters, x, start)["hidden"]
        hidden.append(x)
    return "the declared equations, step by step in float64", np.stack(hidden)


def _h_from_signals(trace: Trace) -> np.ndarray:
    """h as the shown gates and states give it: each state's equation, put in what is shown (layer, time, unit).

    A cell without gates computes h from weights alone; then the shown h itself is taken.
    """
    cell = trace.cell
    values = {Vector(n): trace[n].astype(np.float64) for n in cell.names}
    values |= {Vector(n, True): trace.before(n).astype(np.float64) for n in cell.states}
    for name in sorted(cell.states, key=cell.names.index):
        equation = cell[name].equation
        if not any(isinstance(node, Affine) for node in equation.walk()):
            values[Vector(name)] = compiled(equation, _no_leaf, NUMPY_FUNCTIONS)(values)
    return values[Vector("hidden")]


def _no_leaf(node: Expression) -> Compiled:
    raise TypeError(f"a state that is made of shown signals has no weights, but this one has {node!r}")


def _loss(model: CharModel, trace: Trace, hidden: np.ndarray) -> float:
    """Nats a character of the traced text, given the top layer's h: (time, unit)."""
    if trace.steps < 2:
        return float("nan")
    head = model.head
    logits = torch.nn.functional.linear(
        torch.from_numpy(hidden[:-1]).double(), head.weight.double(), None if head.bias is None else head.bias.double()
    )
    return float(torch.nn.functional.cross_entropy(logits, torch.from_numpy(trace.ids[1:].copy())))
