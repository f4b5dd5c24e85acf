"""In which order to draw the units of a layer, so that structure shows.

The number of a unit means nothing: training could have swapped any two. Sorted by their mean, or with units that
move together side by side, the rows of a heatmap become readable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstm_core.errors import InputError
from lstm_core.words import tr

MOST_STEPS = 512  # of a longer text, so many steps spread over it decide: the order is for the eye
SHARPNESS = 6  # how much more near-identical units attract each other than merely similar ones
PASSES = 4


def mean_order(values: np.ndarray) -> np.ndarray:
    """Units by their mean over time, the highest first.

    values: float (time, unit). Returns int64 (unit,): which unit stands in each row; ties by number.
    """
    return np.argsort(-values.mean(axis=0, dtype=np.float64), kind="stable")


def grouped_order(signals: Sequence[np.ndarray]) -> np.ndarray:
    """Units so that those which move together, in all signals, stand together; units that never move come last.

    signals: one or more float (time, unit) of one layer. Returns int64 (unit,): which unit stands in each row. The
    same signals give the same order. Raises InputError when the signals differ in shape or there are none.
    Source: spectral seriation (Atkins, Boman & Hendrickson 1998) of the correlations, then 2-opt (Croes 1958).
    """
    shapes = {s.shape for s in signals}
    if len(shapes) != 1:
        raise InputError(tr("grouping needs signals of one shape (time, unit), not {value}", value=sorted(shapes) or "none"))
    together = correlation(signals)
    moving = np.flatnonzero(together.diagonal() > 0)
    if len(moving) < 3:
        return np.argsort(together.diagonal() <= 0, kind="stable")
    closeness = together[np.ix_(moving, moving)]
    order = _improved(_spectral(closeness), closeness)
    return np.concatenate([moving[order], np.flatnonzero(together.diagonal() <= 0)])


def correlation(signals: Sequence[np.ndarray]) -> np.ndarray:
    """Pearson correlations of units over time, averaged over the signals: float32 (unit, unit), in [-1, 1].

    signals: float (time, unit) each. A unit that never moves in a signal correlates with none there, not even itself.
    """
    step = -(-len(signals[0]) // MOST_STEPS)
    rows = np.concatenate([_standardised(s[::step]) for s in signals])
    return (rows.T @ rows) / np.float32(len(signals))


def _standardised(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(centred, axis=0)
    # Rounding leaves a constant unit a little short of standing still.
    still = length <= 1e-6 * np.sqrt(len(values)) * (1 + np.abs(values).max(axis=0, initial=0))
    return (centred / np.where(still, np.inf, length)).astype(np.float32)


def _spectral(closeness: np.ndarray) -> np.ndarray:
    """The units along the Fiedler vector: the smoothest line through the graph of who moves with whom."""
    weights = ((1 + closeness.clip(-1, 1)) / 2).astype(np.float64) ** SHARPNESS
    scale = 1 / np.sqrt(weights.sum(axis=1))
    _, vectors = np.linalg.eigh(scale[:, None] * weights * scale)
    fiedler = scale * vectors[:, -2]
    order = np.argsort(fiedler, kind="stable")
    # The sign of an eigenvector is arbitrary; the lower unit number comes first, so that the order is always the same.
    return order if order[0] < order[-1] else order[::-1]


def _improved(order: np.ndarray, closeness: np.ndarray) -> np.ndarray:
    """Reverses stretches of the order while that brings closer units side by side (2-opt)."""
    order = order.copy()
    for _ in range(PASSES):
        changed = False
        for start in range(1, len(order) - 1):
            before, first, rest = order[start - 1], order[start], order[start + 1 :]
            gain = closeness[before, rest] - closeness[before, first]
            gain[:-1] += closeness[first, rest[1:]] - closeness[rest[:-1], rest[1:]]
            best = int(gain.argmax())
            if gain[best] > 1e-6:
                stop = start + best + 2
                order[start:stop] = order[start:stop][::-1].copy()
                changed = True
        if not changed:
            break
    return order
