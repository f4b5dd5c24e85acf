"""Two texts side by side: which characters of the one belong to which of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from lstm_core.errors import InputError
from lstm_core.words import tr

MOST_DIFFERENT = 2_000  # characters between the first and the last difference: matching takes the square of their number


@dataclass(frozen=True, eq=False)
class Alignment:
    """Two texts in common columns.

    first, second: int64 (columns,), the step of each text that stands in a column, ascending, or -1 where that text has
    no character there. No column is -1 in both.
    """

    first: np.ndarray
    second: np.ndarray

    @property
    def paired(self) -> np.ndarray:
        """bool (columns,): where both texts have a character."""
        return (self.first >= 0) & (self.second >= 0)


def align(first: Sequence[str], second: Sequence[str]) -> Alignment:
    """Sets two texts side by side, so that what they share stands in the same columns and an inserted word leaves a gap.

    first, second: two strings, or a trace's `chars`. Where one stretch replaces another, its characters are paired from
    the left and the rest stands alone. Raises InputError where the texts differ over more than 2,000 characters.
    Source: Ratcliff & Obershelp 1988, as in Python's difflib, over what lies between the common beginning and end.
    """
    start = _shared(first, second)
    end = _shared(first[start:][::-1], second[start:][::-1])
    middles = first[start : len(first) - end], second[start : len(second) - end]
    longest = max(map(len, middles))
    if longest > MOST_DIFFERENT:
        raise InputError(
            tr(
                "the texts differ over {longest:,} characters; side by side go those with at most {most_different:,}",
                longest=longest,
                most_different=MOST_DIFFERENT,
            )
        )
    columns = [(k, k) for k in range(start)]
    for _, a, a_end, b, b_end in SequenceMatcher(None, *middles, autojunk=False).get_opcodes():
        columns += _paired(start + a, start + a_end, start + b, start + b_end)
    columns += _paired(len(first) - end, len(first), len(second) - end, len(second))
    pairs = np.array(columns, np.int64).reshape(-1, 2)
    return Alignment(pairs[:, 0].copy(), pairs[:, 1].copy())


def _shared(a: Sequence[str], b: Sequence[str]) -> int:
    """How many characters two texts share at the beginning."""
    return next((k for k, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def _paired(a: int, a_end: int, b: int, b_end: int) -> list[tuple[int, int]]:
    count = max(a_end - a, b_end - b)
    return [(a + k if a + k < a_end else -1, b + k if b + k < b_end else -1) for k in range(count)]
