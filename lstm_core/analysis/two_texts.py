"""One model on two texts: what an edited word changes, and for how long."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

import numpy as np

from lstm_core.analysis.alignment import Alignment, align
from lstm_core.analysis.disagreement import divergence, number, peaks
from lstm_core.errors import InputError
from lstm_core.trace import Trace
from lstm_core.words import tr


@dataclass(frozen=True, eq=False)
class TwoTexts:
    """Two traces of one model in common columns.

    alignment: which step of each text stands in which column. apart: float32 (columns,), nats, 0 to ln 2: the
    Jensen-Shannon divergence of what the model expects after each column, 0 where only one text has a character.
    peaks: the columns where that is largest, the largest first.
    """

    first: Trace
    second: Trace
    alignment: Alignment
    apart: np.ndarray
    peaks: tuple[int, ...]

    @property
    def widest(self) -> float:
        """The most that two predictions can be apart: ln 2, nats."""
        return math.log(2)

    def difference(self, name: str, layer: int) -> np.ndarray:
        """A signal in the first text minus the same in the second: float32 (columns, unit), NaN where one has no character.

        layer: counted from 0. A name that the traces lack raises as `trace[name]` does.
        """
        both = self.alignment.paired
        out = np.full((len(both), self.first.units), np.nan, np.float32)
        a, b = self.alignment.first[both], self.alignment.second[both]
        out[both] = self.first[name][layer][a] - self.second[name][layer][b]
        return out


def two_texts(first: Trace, second: Trace, most: int = 8) -> TwoTexts:
    """Sets two traces of one model side by side, by what their texts share.

    most: how many peaks to name. Raises InputError for traces of two models, and for texts that differ over more than
    2,000 characters.
    """
    if first.model != second.model:
        raise InputError(
            tr("two texts are compared in one model, not in {first.model} and {second.model}", first=first, second=second)
        )
    alignment = align(first.chars, second.chars)
    both = alignment.paired
    apart = np.zeros(len(both), np.float32)
    if both.any():
        rows = [first.probs[alignment.first[both]], second.probs[alignment.second[both]]]
        apart[both] = divergence(rows, [first.vocabulary.characters] * 2)
    return TwoTexts(first, second, alignment, apart, peaks(apart, most))


def to_csv(both: TwoTexts) -> bytes:
    """The two texts' surprise in common columns as CSV, one row a column; nats, 9 digits, empty where there is none.

    Columns: column (from 0), first and second (what was typed), surprise of each, apart (what is expected next). Returns
    UTF-8, every text quoted; half a surrogate pair becomes U+FFFD. Source: RFC 4180.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(["column", "first", "second", tr("surprise first"), tr("surprise second"), "apart"])
    surprises = both.first.surprise.tolist(), both.second.surprise.tolist()
    for column, (a, b) in enumerate(zip(both.alignment.first.tolist(), both.alignment.second.tolist())):
        typed = [_typed(both.first, a), _typed(both.second, b)]
        surprise = [number(nats[step]) if step >= 0 else "" for nats, step in zip(surprises, (a, b))]
        apart = number(float(both.apart[column])) if a >= 0 and b >= 0 else ""
        writer.writerow([column, *typed, *surprise, apart])
    return out.getvalue().encode("utf-8")


def _typed(trace: Trace, step: int) -> str:
    return trace.chars[step].encode("utf-8", "replace").decode("utf-8") if step >= 0 else ""
