"""What a clamp, or any other change of the run, did to what a model expects: two traces of one text side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.errors import InputError
from lstm_core.trace import Trace
from lstm_core.words import tr

ROUNDING = 1e-5  # of a probability: two ways of computing the same prediction in float32 part by a tenth of it


@dataclass(frozen=True, eq=False)
class Effect:
    """How the predictions of one run differ from those of another on the same text.

    surprise: float32 (time,), nats, how much more unlikely each character became, below 0 where it became likelier; NaN
    where neither run predicted it. divergence: float32 (time,), nats, 0 to inf: Kullback-Leibler divergence of the
    prediction made after each character, sum p ln(p / q) with p before and q after the change: what it costs, on average,
    to expect q where p is right. first: the first step whose prediction differs by more than float32's rounding, or None.
    loss_before, loss_after: nats a character, NaN for one character alone. Source: Kullback & Leibler 1951.
    """

    surprise: np.ndarray
    divergence: np.ndarray
    first: int | None
    loss_before: float
    loss_after: float

    @property
    def loss(self) -> float:
        """The change of the loss, nats a character; NaN for one character alone."""
        return self.loss_after - self.loss_before

    def most_changed(self, most: int = 5) -> list[int]:
        """The steps whose characters became more unlikely, or likelier, by most; those that changed alone, at most so many."""
        size = np.nan_to_num(np.abs(self.surprise))
        order = np.argsort(-size, kind="stable")[:most]
        return [int(step) for step in order if size[step] > ROUNDING]


def effect(before: Trace, after: Trace) -> Effect:
    """Compares two traces of one text, such as an unclamped and a clamped run: see `Effect`.

    Raises InputError when they read different texts or predict different characters.
    """
    if not np.array_equal(before.ids, after.ids) or before.chars != after.chars:
        raise InputError(
            tr(
                "an effect needs two traces of one text, and these read {before.steps} and {after.steps} characters"
                " that differ",
                before=before,
                after=after,
            )
        )
    if before.vocabulary != after.vocabulary:
        raise InputError(
            tr(
                "an effect needs two traces that predict the same characters, and {before.model} knows"
                " {vocabulary_count}, {after.model} {vocabulary_count_2}",
                before=before,
                vocabulary_count=len(before.vocabulary),
                after=after,
                vocabulary_count_2=len(after.vocabulary),
            )
        )
    differs = np.abs(after.probs - before.probs).max(axis=1) > ROUNDING
    first = int(differs.argmax()) if differs.any() else None
    return Effect(after.surprise - before.surprise, divergence(before.probs, after.probs), first, before.loss, after.loss)


def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Kullback-Leibler divergence of each row of q from the same row of p: float32 (time,), nats, 0 to inf.

    p, q: probabilities, (time, vocab). What float32 could not tell from 0 counts as its smallest number.
    Source: Kullback & Leibler 1951.
    """
    tiny = np.finfo(np.float32).tiny
    p, q = (np.maximum(each, tiny, dtype=np.float64) for each in (p, q))
    return np.maximum((p * np.log(p / q)).sum(axis=1), 0).astype(np.float32)
