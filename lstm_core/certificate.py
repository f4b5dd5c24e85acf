"""The certificate: how far a trace is from torch's own kernel on this very text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from lstm_core import stepping
from lstm_core.clamp import held_arrays, held_steps
from lstm_core.errors import InputError
from lstm_core.evaluation import Evaluation, blocks, evaluation, vectors
from lstm_core.formula import Vector
from lstm_core.model import TORCH, CharModel
from lstm_core.trace import Trace
from lstm_core.words import tr

LARGEST_ERROR = 1e-4  # of one step: float32 keeps about 7 digits
# Of a whole run: rounding is carried on, and a state that grows without bound carries it far. The largest seen in a
# trained model was 4e-3, after 20,000 times the same letter, when |C| had reached 20,000.
LARGEST_DRIFT = 2e-2
LARGEST_LOSS_ERROR = 1e-3


@dataclass(frozen=True)
class Certificate:
    """How far the shown signals are from an independent computation of the same text.

    against: what was compared with. h_error: max |h - h_reference| over all layers, steps and units (0 is exact, h is
    within ±1), the reference running by itself from the first character to the last. step_error: the same when the
    reference takes each single step from the state shown before it, so that no rounding is carried on. loss_shown,
    loss_reference: nats a character, from the h that the shown gates and states give, and from the reference; NaN for
    one character. signal_error: max over all signals, layers, steps and units of what is shown less what its equation
    gives for the shown vectors that it reads (for states beyond ±1, relative to their size).
    holds: whether all of these agree to float32's precision.
    """

    against: str
    h_error: float
    loss_shown: float
    loss_reference: float
    step_error: float
    signal_error: float

    @property
    def holds(self) -> bool:
        """True when h, the loss and every signal agree to float32's precision."""
        both_nan = np.isnan(self.loss_shown) and np.isnan(self.loss_reference)
        loss_holds = both_nan or abs(self.loss_shown - self.loss_reference) <= LARGEST_LOSS_ERROR
        each_step_holds = max(self.step_error, self.signal_error) <= LARGEST_ERROR
        return bool(each_step_holds and self.h_error <= LARGEST_DRIFT and loss_holds)


def certify(model: CharModel, trace: Trace) -> Certificate:
    """Compares a trace with torch's own kernel on the same text, or, where torch has none, with float64.

    The reference h of every layer comes from torch's nn.LSTM, nn.GRU or nn.RNN kernel, or from a plain step-by-step
    float64 evaluation of the declared equations. The loss is computed twice: from the h that the shown gates and states
    give through their equations, and from the reference. Every signal is also put beside its own equation, so that a
    wrong gate shows even where h and the loss are right. A trace with clamps is held to the float64 evaluation with the
    same clamps, for no kernel knows them, and what they hold to its held value. Returns a `Certificate`. Raises InputError
    when the trace is not of this model's cell, sizes and vocabulary.
    """
    given, wanted = ((of.cell, of.layers, of.units, of.vocabulary) for of in (trace, model))
    if given != wanted:
        raise InputError(
            tr(
                "the trace is of {trace.model}, {trace.layers} x {trace.units} units of {trace.cell.title}; it can't"
                " be held to {model.name}, {model.layers} x {model.units} units of {model.cell.title}",
                trace=trace,
                model=model,
            )
        )
    with torch.inference_mode(), np.errstate(invalid="ignore"):  # a wrong trace may hold anything
        has_kernel = model.cell.kernel is not None and not trace.clamps
        against, reference = _kernel_h(model, trace) if has_kernel else _float64_h(model, trace)
        error = _largest(np.abs(trace["hidden"] - reference))
        shown = _h_from_signals(model, trace)
        losses = _loss(model, trace, shown), _loss(model, trace, reference[-1])
        signal_error = _signal_error(model, trace)
        step_error = _kernel_step_error(model, trace) if has_kernel else signal_error
        return Certificate(against, error, *losses, step_error, signal_error)


def _largest(errors: np.ndarray) -> float:
    """The largest of some absolute errors; what is not a number is infinitely wrong."""
    return float(np.nan_to_num(errors, nan=np.inf).max())


def _signal_error(model: CharModel, trace: Trace) -> float:
    """The largest distance of a shown signal from its equation, in which the shown vectors of all steps are put at once."""
    worst, like = 0.0, model.head.weight
    for layer in range(trace.layers):
        shown = {vector: torch.tensor(values).to(like) for vector, values in vectors(model, trace, layer).items()}
        equations = Evaluation(trace.cell, shown, blocks(model.rnn.layer(layer), trace.units), TORCH)
        held = held_arrays(trace.clamps, layer, trace.units, trace.steps)
        for signal in trace.cell.signals:
            value = equations.term(signal.equation)
            if signal.name in held:
                given, where = (torch.from_numpy(array).to(value.device) for array in held[signal.name])
                value = torch.where(where, given.to(value), value)
            distance = (shown[Vector(signal.name)] - value).abs() / value.abs().clamp(min=1)
            worst = max(worst, _largest(distance.cpu().numpy()))
    return worst


def _kernel_h(model: CharModel, trace: Trace) -> tuple[str, np.ndarray]:
    """h of every layer by torch's kernel, (layer, time, unit)."""
    rnn, x = model.rnn, model.inputs(trace.ids)[:, None]
    hidden = []
    for layer in range(model.layers):
        states = tuple(torch.from_numpy(trace.initial[n][layer].copy())[None, None].to(x) for n in model.cell.states)
        x = rnn.run_kernel(x, states, [list(rnn.layer(layer).values())])[0]
        hidden.append(x[:, 0].cpu().numpy())
    return tr("torch's own {model.cell.kernel} kernel", model=model), np.stack(hidden)


def _kernel_step_error(model: CharModel, trace: Trace) -> float:
    """The largest distance of a shown h from what torch's kernel makes of the shown state before it, all steps at once."""
    rnn, x, worst = model.rnn, model.inputs(trace.ids), 0.0
    for layer in range(model.layers):
        states = tuple(torch.tensor(trace.before(n)[layer]).to(x)[None] for n in model.cell.states)
        hidden = rnn.run_kernel(x[None], states, [list(rnn.layer(layer).values())])[0][0]
        shown = torch.tensor(trace["hidden"][layer]).to(x)
        worst = max(worst, _largest((hidden - shown).abs().cpu().numpy()))
        x = shown
    return worst


def _float64_h(model: CharModel, trace: Trace) -> tuple[str, np.ndarray]:
    """h of every layer by the declared equations in float64, (layer, time, unit)."""
    x, hidden = model.inputs(trace.ids).cpu().numpy(), []
    signals: dict[str, np.ndarray] = {}
    for layer in range(model.layers):
        parameters = {n: p.cpu().numpy() for n, p in model.rnn.layer(layer).items()}
        start = {n: trace.initial[n][layer] for n in model.cell.states}
        held = held_steps(trace.clamps, layer, trace.units, trace.steps)
        signals = stepping.reference(model.cell.program, parameters, x, start, held, signals)
        x = signals["hidden"]
        hidden.append(x)
    clamped = tr(", with the same clamps") if trace.clamps else ""
    return tr("the declared equations, step by step in float64{clamped}", clamped=clamped), np.stack(hidden)


def _h_from_signals(model: CharModel, trace: Trace) -> np.ndarray:
    """h of the top layer as the shown gates and states give it: each state's equation, put in what is shown (time, unit).

    A cell without gates computes h from weights alone; then the shown h itself is taken.
    """
    cell, top = trace.cell, trace.layers - 1
    equations = evaluation(model, trace, top)
    held = held_arrays(trace.clamps, top, trace.units, trace.steps)
    for name in sorted(cell.states, key=cell.names.index):
        if not cell[name].equation.affines:
            values = equations.term(cell[name].equation)
            if name in held:
                given, where = held[name]
                values = np.where(where, given, values)
            equations = equations.over({Vector(name): values})
    return equations.vectors[Vector("hidden")]


def _loss(model: CharModel, trace: Trace, hidden: np.ndarray) -> float:
    """Nats a character of the traced text, given the top layer's h: (time, unit)."""
    if trace.steps < 2:
        return float("nan")
    head = model.head
    logits = torch.nn.functional.linear(
        torch.from_numpy(hidden[:-1]).to(head.weight.device, torch.float64),
        head.weight.double(),
        None if head.bias is None else head.bias.double(),
    )
    return float(torch.nn.functional.cross_entropy(logits, torch.from_numpy(trace.ids[1:].copy()).to(logits.device)))
