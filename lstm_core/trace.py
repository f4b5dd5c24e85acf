"""Trace, and `trace(model, text)`: every signal of every layer at every step. Torch stops here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import torch

from lstm_core import onednn, stepping
from lstm_core.clamp import Clamp, Held, check, held_steps
from lstm_core.formula import Cell
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary


@dataclass(frozen=True, eq=False)
class State:
    """What a model remembers after a text: every state of every layer, and what it expects next.

    values: name -> float32 (layer, unit). probs: float32 (vocab,), the prediction made after the last character, or
    None before any text. Source: the signals that the cell's equations read from the step before.
    """

    values: Mapping[str, np.ndarray]
    probs: np.ndarray | None = None

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[name]


def _read_only(state: State) -> State:
    """The same numbers as arrays of its own, which nobody can change."""
    values = {name: np.array(value, np.float32) for name, value in state.values.items()}
    probs = None if state.probs is None else np.array(state.probs, np.float32)
    for array in (*values.values(), *([] if probs is None else [probs])):
        array.flags.writeable = False
    return State(MappingProxyType(values), probs)


@dataclass(frozen=True, eq=False)
class Trace:
    """Every signal of every layer of one model at every character of one text. Frozen; arrays are read-only float32.

    trace["forget"]: (layer, time, unit), in the signal's declared range. chars: the characters as typed, one a step (one
    that takes several, as bytes do, stands at the first, and "" at the rest); read_as: what the model read in their place,
    likewise; ids: int64 (time,). initial: the state before the first character; final: after the last, from which
    `trace(model, more, state=t.final)` goes on. probs: (time, vocab), the prediction after each character, 0 to 1. model:
    the model's name. vocabulary: the characters of `ids` and `probs`. values: the signals by name. clamps: what was held.
    Source: the equations of `cell`.
    """

    model: str
    cell: Cell
    vocabulary: Vocabulary
    chars: tuple[str, ...]
    read_as: tuple[str, ...]
    ids: np.ndarray
    values: Mapping[str, np.ndarray] = field(repr=False)
    initial: State = field(repr=False)
    final: State = field(repr=False)
    probs: np.ndarray = field(repr=False)
    clamps: tuple[Clamp, ...] = ()

    @classmethod
    def load(cls, source: str | os.PathLike[str] | bytes) -> Trace:
        """A trace that was taken away as NPZ, Parquet or zipped CSV, given as a path or as the file's bytes.

        Raises OSError for a file that can't be opened, archive.ArchiveError for one that holds no whole trace.
        """
        from lstm_core import archive  # here, for it is made of traces

        return archive.read(source)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the whole trace as .npz, .zip (CSV and what explains it) or .parquet, by the ending; `load` reads it back.

        Raises ValueError for another ending, and for tables of more than 20 million rows; OSError.
        """
        from lstm_core import export  # here, for it is made of traces

        export.to_file(self, path)

    def _repr_html_(self) -> str:
        """What a notebook shows of a trace that stands at the end of a cell."""
        from lstm_core import notebook  # here, for it is made of traces

        return notebook.as_html(self)

    def __getitem__(self, name: str) -> np.ndarray:
        """One signal, float32 (layer, time, unit). Raises ValueError, naming the signals there are, for another."""
        try:
            return self.values[name]
        except KeyError:
            raise ValueError(f"a trace of {self.cell.title} has no signal {name!r}; it has {', '.join(self.signals)}") from None

    def __len__(self) -> int:
        return len(self.chars)

    def __iter__(self) -> Iterator[str]:
        return iter(self.signals)

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals' names, from the top of the cell's drawing to its foot."""
        return self.cell.order

    @property
    def layers(self) -> int:
        """The number of layers, 1 or more."""
        return self["hidden"].shape[0]

    @property
    def steps(self) -> int:
        """The number of characters read, 1 or more."""
        return len(self.chars)

    @property
    def units(self) -> int:
        """The number of units of each layer, 1 or more."""
        return self["hidden"].shape[2]

    @property
    def text(self) -> str:
        """The text as typed."""
        return "".join(self.chars)

    @property
    def groups(self) -> np.ndarray:
        """int64 (time,): the character of the text that each step belongs to, from 0; a byte model's take several steps."""
        return np.cumsum([c != "" for c in self.chars]) - 1

    def check(self, layer: int = 0, step: int = 0, unit: int = 0) -> None:
        """Raises ValueError, saying what there is, for a layer, step or unit (counted from 0) that the trace lacks."""
        for what, index, count in (("layer", layer, self.layers), ("step", step, self.steps), ("unit", unit, self.units)):
            if not 0 <= index < count:
                raise ValueError(f"there is no {what} {index}; the trace has {what}s 0 to {count - 1}")

    def before(self, name: str) -> np.ndarray:
        """A state as each step found it: float32 (layer, time, unit), the initial state first. For states alone."""
        if name not in self.cell.states:
            raise ValueError(f"{name!r} is no state of {self.cell.title}; its states are {', '.join(self.cell.states)}")
        return np.concatenate([self.initial[name][:, None], self[name][:, :-1]], axis=1)

    @property
    def surprise(self) -> np.ndarray:
        """float32 (time,), nats, 0 to inf: how unlikely each character was by the prediction before it; NaN where none was."""
        first = np.nan if self.initial.probs is None else self.initial.probs[self.ids[0]]
        likelihood = np.concatenate([[first], self.probs[np.arange(self.steps - 1), self.ids[1:]]])
        return -np.log(np.maximum(likelihood, np.finfo(np.float32).tiny)).astype(np.float32)

    @property
    def loss(self) -> float:
        """Mean surprise, nats a character; NaN when nothing was predicted (one character, no state before it)."""
        surprise = self.surprise[np.isfinite(self.surprise)]
        return float(surprise.mean()) if surprise.size else float("nan")


def zero_state(model: CharModel) -> State:
    """The state before any text: zeros, float32 (layer, unit) each."""
    return State({name: np.zeros((model.layers, model.units), np.float32) for name in model.cell.states})


def trace(model: CharModel, text: str, state: State | None = None, clamps: Sequence[Clamp] = ()) -> Trace:
    """Reads `text` with `model` and keeps every gate and state.

    text: 1 to 20,000 characters, any Unicode; each is one step. state: a `Trace.final` to go on from, so that more
    text costs the new characters alone; None begins from zeros. clamps: what is held at which value from which of these
    characters on; all that reads it, in layers above too, is computed from what is held. Returns a `Trace` of float32
    arrays, read-only.
    Raises text.TextError for an empty or longer text, ValueError for a state, or a clamp, that is not this model's.
    Source: the model's declared equations; see `certify` for how far they are from torch's own kernel.
    """
    reading = model.vocabulary.encode(text)
    if state is not None:
        _check_state(model, state)
    check(clamps, model.cell, model.layers, model.units, len(reading.ids))
    initial = _read_only(zero_state(model) if state is None else state)
    with torch.no_grad():
        layers, below = [], None
        for layer in range(model.layers):
            start = {name: initial[name][layer] for name in model.cell.states}
            held = held_steps(clamps, layer, model.units, len(reading.ids))
            layers.append(_layer(model, layer, reading.ids, below, start, held))
            below = layers[-1]["hidden"]
        probs = _predict(model, layers[-1]["hidden"])
    values = {name: _stack([signals[name] for signals in layers]) for name in model.cell.names}
    last = {name: values[name][:, -1] for name in model.cell.states}
    for array in (*values.values(), probs):
        array.flags.writeable = False
    final = _read_only(State(last, probs[-1]))
    return Trace(
        model.name, model.cell, model.vocabulary, reading.chars, reading.read_as, reading.ids, MappingProxyType(values),
        initial, final, probs, tuple(clamps),
    )  # fmt: skip


def _stack(layers: list[np.ndarray]) -> np.ndarray:
    """(layer, time, unit); a single layer is not copied."""
    return layers[0][None] if len(layers) == 1 else np.stack(layers)


def _check_state(model: CharModel, state: State) -> None:
    given = {name: np.shape(value) for name, value in state.values.items()}
    if given != dict.fromkeys(model.cell.states, (model.layers, model.units)):
        raise ValueError(
            f"the state holds {', '.join(f'{n} {s}' for n, s in given.items()) or 'nothing'}; {model.name} needs"
            f" {', '.join(model.cell.states)} of {model.layers} layers x {model.units} units"
        )
    if state.probs is not None and np.shape(state.probs) != (len(model.vocabulary),):
        raise ValueError(
            f"the state predicts {np.size(state.probs)} characters; {model.name} knows {len(model.vocabulary)}: it is of"
            " another model"
        )


def _layer(
    model: CharModel,
    layer: int,
    ids: np.ndarray,
    below: np.ndarray | None,
    start: Mapping[str, np.ndarray],
    held: Mapping[str, Held],
) -> dict[str, np.ndarray]:
    """All signals of one layer, (time, unit) each: by torch's kernel where it gives them away, else by the equations."""
    parameters = {n: p.detach().to("cpu", torch.float32) for n, p in model.rnn.layer(layer).items()}
    if model.cell.kernel == "lstm" and not held:
        x = _vectors(model)[torch.from_numpy(ids.copy())] if below is None else torch.from_numpy(below)
        signals = onednn.lstm_steps(parameters, x, start)
        if signals is not None:
            return signals
    arrays = {n: p.numpy() for n, p in parameters.items()}

    def inputs(weight: np.ndarray, bias: np.ndarray | None) -> list[np.ndarray]:
        """What x adds to gates at each step. The first layer's x is one of a few vectors: look it up, never multiply."""
        if bias is None:
            return [weight] * len(ids)
        if below is not None:
            return list(below @ weight.T + bias)
        table = list(_vectors(model).numpy() @ weight.T + bias)
        return [table[k] for k in ids]

    return stepping.steps(model.cell, arrays, inputs, start, len(ids), held)


def _vectors(model: CharModel) -> torch.Tensor:
    """What the first layer reads for each character of the vocabulary: float32 (vocab, input)."""
    every = torch.arange(len(model.vocabulary), device=model.head.weight.device)
    return model.read(every[:, None])[:, 0].detach().to("cpu", torch.float32)


def _predict(model: CharModel, hidden: np.ndarray) -> np.ndarray:
    """float32 (time, vocab): the distribution over the next character from the top layer's h, (time, unit)."""
    weight, bias = model.head.weight.detach().float().cpu(), model.head.bias
    logits = torch.nn.functional.linear(torch.from_numpy(hidden), weight, None if bias is None else bias.detach().float().cpu())
    return torch.softmax(logits, dim=-1).numpy()
