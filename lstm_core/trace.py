"""Trace: every signal of every layer at every step of one text, as a frozen record that needs NumPy alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

import lstm_core
from lstm_core.clamp import Clamp
from lstm_core.errors import InputError
from lstm_core.formula import Cell
from lstm_core.frozen import Frozen
from lstm_core.text import Vocabulary
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.model import CharModel


@dataclass(frozen=True, eq=False)
class State(Frozen):
    """What a model remembers after a text: every state of every layer, and what it expects next.

    values: name -> float32 (layer, unit). probs: float32 (vocab,), the prediction made after the last character, or
    None before any text.
    """

    values: Mapping[str, np.ndarray]
    probs: np.ndarray | None = None

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[name]


@dataclass(frozen=True, eq=False)
class Trace(Frozen):
    """Every signal of every layer of one model at every character of one text. Frozen; arrays are read-only float32.

    trace["forget"]: (layer, time, unit), in the signal's declared range. chars: the characters as typed, one a step (one
    that takes several, as bytes do, stands at the first, and "" at the rest); read_as: what the model read in their place,
    likewise; ids: int64 (time,). initial: the state before the first character; final: after the last, from which
    `trace(model, more, state=t.final)` goes on. probs: (time, vocab), the prediction after each character, 0 to 1. model:
    the model's name. cell: its declaration. vocabulary: the characters of `ids` and `probs`. values: the signals by name.
    clamps: what was held.
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

        Raises OSError for a file that can't be opened, trace_file.TraceFileError for one that holds no whole trace.
        """
        return lstm_core.trace_file.read(source)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the whole trace as .npz, .zip (CSV and what explains it) or .parquet, by the ending; `load` reads it back.

        Raises InputError for another ending, and for tables of more than 20 million rows; OSError.
        """
        lstm_core.trace_file.write(self, path)

    def _repr_html_(self) -> str:
        """What a notebook shows of a trace that stands at the end of a cell."""
        return lstm_core.notebook.as_html(self)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.signals)

    def __getitem__(self, name: str) -> np.ndarray:
        """One signal, float32 (layer, time, unit). Raises InputError, naming the signals there are, for another."""
        try:
            return self.values[name]
        except KeyError:
            raise InputError(
                tr(
                    "a trace of {self.cell.title} has no signal {name!r}; it has {signals}",
                    self=self,
                    name=name,
                    signals=", ".join(self.signals),
                )
            ) from None

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
        """Raises InputError, saying what there is, for a layer, step or unit (counted from 0) that the trace lacks."""
        for what, index, count in (("layer", layer, self.layers), ("step", step, self.steps), ("unit", unit, self.units)):
            if not 0 <= index < count:
                raise InputError(
                    tr(
                        "there is no {what} {index}; the trace has {what}s 0 to {count}",
                        what=what,
                        index=index,
                        count=count - 1,
                    )
                )

    def check_model(self, model: CharModel) -> None:
        """Raises InputError, saying what each is, for a trace that is not of this model's cell and sizes."""
        if (self.cell, self.layers, self.units) != (model.cell, model.layers, model.units):
            raise InputError(
                tr(
                    "the trace is of {trace.layers} x {trace.units} {trace.cell.title}, but {model.name} is"
                    " {model.layers} x {model.units} {model.cell.title} (layers x units)",
                    trace=self,
                    model=model,
                )
            )

    def before(self, name: str) -> np.ndarray:
        """A state as each step found it: float32 (layer, time, unit), the initial state first.

        Raises InputError for a signal that is no state.
        """
        if name not in self.cell.states:
            raise InputError(
                tr(
                    "{name!r} is no state of {self.cell.title}; its states are {states}",
                    name=name,
                    self=self,
                    states=", ".join(self.cell.states),
                )
            )
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
