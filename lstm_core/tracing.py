"""trace(model, text): reads a text with a model and keeps every gate and state. Torch stops here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from lstm_core import onednn
from lstm_core.clamp import Clamp, Held, check, held_steps
from lstm_core.errors import InputError
from lstm_core.frozen import read_only
from lstm_core.model import CharModel
from lstm_core.stepping import order, steps
from lstm_core.trace import State, Trace
from lstm_core.words import tr


def zero_state(model: CharModel) -> State:
    """The state before any text: zeros, float32 (layer, unit) each."""
    return State({name: np.zeros((model.layers, model.units), np.float32) for name in model.cell.states})


def trace(model: CharModel, text: str, state: State | None = None, clamps: Sequence[Clamp] = ()) -> Trace:
    """Reads `text` with `model` and keeps every gate and state.

    text: 1 to 20,000 characters, any Unicode; each is one step. state: a `Trace.final` to go on from, so that more
    text costs the new characters alone; None begins from zeros. clamps: what is held at which value from which of these
    characters on; all that reads it, in layers above too, is computed from what is held. Returns a `Trace` of float32
    arrays, read-only.
    Raises text.TextError for an empty or longer text, InputError for a state, or a clamp, that is not this model's.
    `certify` says how far the trace is from torch's own kernel.
    """
    reading = model.vocabulary.encode(text)
    if state is not None:
        _check_state(model, state)
    check(clamps, model.cell, model.layers, model.units, len(reading.ids))
    initial = _own(zero_state(model) if state is None else state)
    signals = order(model.cell)
    every = np.empty((model.layers, len(reading.ids), len(signals), model.units), np.float32)
    with torch.no_grad():
        layers: list[dict[str, np.ndarray]] = []
        for layer in range(model.layers):
            start = {name: initial[name][layer] for name in model.cell.states}
            held = held_steps(clamps, layer, model.units, len(reading.ids))
            layers.append(_layer(model, layer, reading.ids, layers[-1] if layers else {}, start, held, every[layer]))
        probs = _predict(model, layers[-1]["hidden"])
    values = {n: layers[0][n][None] if model.layers == 1 else every[:, :, k] for k, n in enumerate(signals)}
    last = {name: values[name][:, -1] for name in model.cell.states}
    return Trace(
        model.name, model.cell, model.vocabulary, reading.chars, reading.read_as, reading.ids, read_only(values),
        initial, _own(State(last, probs[-1])), read_only(probs), tuple(clamps),
    )  # fmt: skip


def _own(state: State) -> State:
    """The same numbers in read-only copies."""
    values = {name: np.array(value, np.float32) for name, value in state.values.items()}
    return State(read_only(values), None if state.probs is None else read_only(np.array(state.probs, np.float32)))


def _check_state(model: CharModel, state: State) -> None:
    given = {name: np.shape(value) for name, value in state.values.items()}
    if given != dict.fromkeys(model.cell.states, (model.layers, model.units)):
        raise InputError(
            tr(
                "the state holds {value}; {model.name} needs {states} of {model.layers} layers x {model.units} units",
                value=", ".join(f"{n} {s}" for n, s in given.items()) or "nothing",
                model=model,
                states=", ".join(model.cell.states),
            )
        )
    if state.probs is not None and np.shape(state.probs) != (len(model.vocabulary),):
        raise InputError(
            tr(
                "the state predicts {size} characters; {model.name} knows {vocabulary_count}: it is of another model",
                size=np.size(state.probs),
                model=model,
                vocabulary_count=len(model.vocabulary),
            )
        )


def _layer(
    model: CharModel,
    layer: int,
    ids: np.ndarray,
    below: Mapping[str, np.ndarray],
    start: Mapping[str, np.ndarray],
    held: Mapping[str, Held],
    out: np.ndarray,
) -> dict[str, np.ndarray]:
    """All signals of one layer, (time, unit) each: by torch's kernel where it gives them away, else by the equations.

    below: those of the layer below; none for the first. out: (time, signal, unit), where they stand afterwards; those of a
    model's only layer, which torch's kernel gives, are not copied there.
    """
    parameters = {n: p.detach().to("cpu", torch.float32) for n, p in model.rnn.layer(layer).items()}
    if model.cell.kernel == "lstm" and not held:
        x = _vectors(model)[torch.from_numpy(ids.copy())] if not below else torch.from_numpy(below["hidden"])
        signals = onednn.lstm_steps(parameters, x, start)
        if signals is not None:
            if model.layers == 1:
                return signals
            for k, name in enumerate(order(model.cell)):
                out[:, k] = signals[name]
                signals[name] = out[:, k]
            return signals
    arrays = {n: p.numpy() for n, p in parameters.items()}

    def inputs(weight: np.ndarray, bias: np.ndarray | None) -> list[np.ndarray]:
        """What x adds to gates at each step. The first layer's x is one of a few vectors: look it up, never multiply."""
        if bias is None:
            return [weight] * len(ids)
        x = below["hidden"] if below else _vectors(model).numpy()
        products = x @ weight.T
        products += bias
        rows = list(products)
        return rows if below else [rows[k] for k in ids]

    return steps(model.cell, arrays, inputs, start, out, held, below)


def _vectors(model: CharModel) -> torch.Tensor:
    """What the first layer reads for each character of the vocabulary: float32 (vocab, input)."""
    return model.inputs(np.arange(len(model.vocabulary))).detach().to("cpu", torch.float32)


def _predict(model: CharModel, hidden: np.ndarray) -> np.ndarray:
    """float32 (time, vocab): the distribution over the next character from the top layer's h, (time, unit)."""
    weight, bias = model.head.weight.detach().float().cpu(), model.head.bias
    logits = torch.nn.functional.linear(torch.from_numpy(hidden), weight, None if bias is None else bias.detach().float().cpu())
    return torch.softmax(logits, dim=-1).numpy()
