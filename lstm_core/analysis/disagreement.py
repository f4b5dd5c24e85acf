"""How far apart several models are in what they expect next, character by character, and where most."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.errors import InputError
from lstm_core.trace import Trace
from lstm_core.words import tr


@dataclass(frozen=True, eq=False)
class Disagreement:
    """How far apart the models' expectations are after each character of one text.

    values: float32 (time,), nats, 0 (all expect the same) to `widest` (no two think the same character possible).
    models: their names. peaks: the steps at which they differ most, the largest first, no two of them side by side.
    """

    values: np.ndarray
    models: tuple[str, ...]
    peaks: tuple[int, ...]

    @property
    def widest(self) -> float:
        """The largest value that so many models can reach: the logarithm of their number, nats."""
        return math.log(len(self.models))


def disagreement(traces: Sequence[Trace], most: int = 8) -> Disagreement:
    """How far apart several models are in what they expect after each character: their Jensen-Shannon divergence.

    traces: two or more of one text. The divergence is that of equal weights: the entropy of the models' mean prediction,
    less the mean of their entropies; in nats, 0 to ln(number of models). Predictions are taken over the union of the
    vocabularies: a character that a model does not know has probability 0 in it, and nothing is renormalised.
    most: how many peaks to name, 0 or more. Raises InputError for fewer than two traces, and for two of different texts.
    Source: Lin 1991, section V.
    """
    if len(traces) < 2:
        raise InputError(tr("disagreement needs two models or more; it was given {traces_count}", traces_count=len(traces)))
    first = traces[0]
    for other in traces[1:]:
        if other.chars != first.chars:
            raise InputError(
                tr(
                    "disagreement is about one text: {first.model} read {first.steps} steps, {other.model} another"
                    " text or other steps, {other.steps}",
                    first=first,
                    other=other,
                )
            )
    values = divergence([trace.probs for trace in traces], [trace.vocabulary.characters for trace in traces])
    return Disagreement(values, tuple(trace.model for trace in traces), peaks(values, most))


def divergence(predictions: Sequence[np.ndarray], vocabularies: Sequence[Sequence[str]]) -> np.ndarray:
    """The Jensen-Shannon divergence of several predictions, row by row: float32 (time,), nats, 0 to ln(their number).

    predictions: float (time, vocab) each, of equally many rows. vocabularies: the characters of each's columns.
    Equal weights; a character that one does not know has probability 0 in it. Source: Lin 1991, section V.
    """
    place = {c: k for k, c in enumerate(dict.fromkeys(c for vocabulary in vocabularies for c in vocabulary))}
    count, steps = len(predictions), len(predictions[0])
    mean, entropies = np.zeros((steps, len(place))), np.zeros(steps)
    for probs, vocabulary in zip(predictions, vocabularies):
        mean[:, [place[c] for c in vocabulary]] += probs.astype(np.float64) / count
        entropies += _entropy(probs.astype(np.float64)) / count
    return np.clip(_entropy(mean) - entropies, 0, math.log(count)).astype(np.float32)


def _entropy(probs: np.ndarray) -> np.ndarray:
    """Of each row, nats; 0 ln 0 counts as 0."""
    return -(probs * np.log(np.where(probs > 0, probs, 1))).sum(axis=-1)


def peaks(values: np.ndarray, most: int) -> tuple[int, ...]:
    """The steps of the largest values above 0, the largest first, no two side by side; the earlier one where they tie.

    values: float (time,). most: how many at the most. The choice is greedy; each peak bars its two neighbours.
    """
    chosen: list[int] = []
    for step in np.argsort(-values, kind="stable").tolist():
        if len(chosen) >= most or values[step] <= 0:
            break
        if all(abs(step - other) > 1 for other in chosen):
            chosen.append(step)
    return tuple(chosen)


def to_csv(traces: Sequence[Trace], between: Disagreement) -> bytes:
    """Surprise and disagreement as CSV, one row a step; nats, 9 digits, empty where nothing was predicted.

    Columns: step (from 0), code_point and character of what was typed, surprise of each model before reading it,
    disagreement after it. Returns UTF-8, every text quoted; half a surrogate pair becomes U+FFFD. Raises InputError where
    the traces are not those that were compared. Source: RFC 4180.
    """
    if tuple(trace.model for trace in traces) != between.models or any(t.steps != len(between.values) for t in traces):
        given = ", ".join(tr("{trace.model} ({trace.steps} steps)", trace=trace) for trace in traces)
        raise InputError(
            tr(
                "the disagreement is of {models} over {values_count} steps; given {given}",
                models=", ".join(between.models),
                values_count=len(between.values),
                given=given,
            )
        )
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(
        ["step", "code_point", "character", *(tr("surprise {name}", name=name) for name in between.models), "disagreement"]
    )
    surprises = np.stack([trace.surprise for trace in traces], axis=1).tolist()
    for step, (character, row, nats) in enumerate(zip(traces[0].chars, surprises, between.values.tolist())):
        typed = character.encode("utf-8", "replace").decode("utf-8") if character else ""
        code = f"U+{ord(character):04X}" if character else ""
        writer.writerow([step, code, typed, *map(number, row), number(nats)])
    return out.getvalue().encode("utf-8")


def number(nats: float) -> float | str:
    """A number as a CSV shows it, with 9 digits; NaN as an empty field."""
    return "" if math.isnan(nats) else float(f"{nats:.9g}")
