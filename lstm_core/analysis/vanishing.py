"""Where a gradient vanishes or explodes on its way back, and what is left of it after so many characters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.analysis.gradients import Gradients
from lstm_core.errors import InputError
from lstm_core.words import tr

VANISHED = 1e-3  # of its value at s = t: less than this, from there back
EXPLODED = 10.0  # of its value at s = t: more than this
NOWHERE = -1
TOP = -1  # the layer that the head reads, whichever number it has


@dataclass(frozen=True)
class Path:
    """Which of a model's gradients is meant: with respect to one state of one layer.

    state: as `Gradients.norms` names it. layer: counted from 0.
    """

    state: str
    layer: int


@dataclass(frozen=True)
class Fate:
    """What becomes of the gradients of all losses on their way back.

    vanished: int64 (target,): the step from which back a loss's gradient stays below a thousandth of its value at its own
    step, -1 where it does not. exploded: int64 (target,): the nearest step at which it is more than ten times that, -1 where
    none. most: the largest ratio of all, 0 to inf. Source: Bengio et al. 1994 for the problem; the two limits are ours.
    """

    vanished: np.ndarray
    exploded: np.ndarray
    most: float


@dataclass(frozen=True)
class Left:
    """What is left of the gradient after so many characters: shares of its value at its own step, over all losses.

    distances: int64 (distance,), from 0. low, middle, high: float64 (distance,), the tenth, fiftieth and ninetieth
    percentile. losses: int64 (distance,), how many reach so far back at all.
    """

    distances: np.ndarray
    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    losses: np.ndarray

    @property
    def vanished_after(self) -> int | None:
        """The distance from which on the middle one is below a thousandth; None where it never stays there."""
        below = self.middle < VANISHED
        if not below.size or not below[-1]:
            return None
        return 0 if below.all() else int(self.distances[below.size - np.argmin(below[::-1])])


def path(found: Gradients, layer: int = TOP, state: str = "memory") -> Path:
    """The state and layer that are meant. layer: counted from 0, -1 the top one; one above the top is the top.

    state: a state's name, or "memory": what the cell keeps, C where it has one, else h.
    Raises InputError, naming what there is, for a state that the cell lacks, or a layer below -1.
    """
    if state == "memory":
        state = "cell" if "cell" in found.norms else "hidden"
    if state not in found.norms:
        raise InputError(
            tr(
                "{state!r} is no state of {found.cell.title}; its states are {norms}",
                state=state,
                found=found,
                norms=", ".join(found.norms),
            )
        )
    layers = len(found.norms[state])
    if layer < -1:
        raise InputError(tr("there is no layer {layer}; layers are counted from 0, and -1 is the top one", layer=layer))
    return Path(state, layers - 1 if layer == -1 else min(layer, layers - 1))


def share(found: Gradients, where: Path, direct: bool = False) -> np.ndarray:
    """A state's gradients as shares of their value at the loss's own step: float64 (target, step), 0 to inf, NaN after it.

    where: as `path` gives it. direct: what goes along the direct path alone, as a share of the same. Where the value at the
    loss's own step is 0, nothing is left to share: NaN. Raises InputError for a state without a direct path.
    """
    norms = found.norms[where.state][where.layer]
    own = norms[np.arange(len(found.targets)), found.targets].astype(np.float64)
    own[own == 0] = np.nan
    if not direct:
        return norms / own[:, None]
    if where.state not in found.direct:
        raise InputError(
            tr(
                "no gate of {found.cell.title} decides what is kept of {where.state!r}: it has no direct path",
                found=found,
                where=where,
            )
        )
    return found.direct[where.state][where.layer] / own[:, None]


def fate(shares: np.ndarray, vanished: float = VANISHED, exploded: float = EXPLODED) -> Fate:
    """Where each loss's gradient vanishes and explodes. shares: as `share` gives them."""
    reached = ~np.isnan(shares)
    held = np.where(reached, shares >= vanished, True)  # steps after the loss's own do not count
    first = held.argmax(axis=1)  # the earliest step at which something is left
    over = np.where(reached, shares > exploded, False)
    last = shares.shape[1] - 1 - over[:, ::-1].argmax(axis=1)
    most = float(shares[reached].max()) if reached.any() else float("nan")
    return Fate(np.where(first > 0, first - 1, NOWHERE), np.where(over.any(axis=1), last, NOWHERE), most)


def left(shares: np.ndarray, least: int = 5) -> Left:
    """What is left after each number of characters, over the losses that come so late that they can tell.

    shares: as `share` gives them. least: as many losses, or all there are, must reach back to a distance for it to be listed.
    """
    by_distance = np.full(shares.shape, np.nan)
    for row, reached in enumerate(~np.isnan(shares)):
        if reached.any():
            own = int(np.flatnonzero(reached)[-1])
            by_distance[row, : own + 1] = shares[row, own::-1]
    losses = (~np.isnan(by_distance)).sum(axis=0)
    distances = np.flatnonzero(losses >= min(least, max(1, len(shares))))
    if not distances.size:
        return Left(*(np.zeros(0, kind) for kind in (np.int64, float, float, float, np.int64)))
    low, middle, high = np.nanquantile(by_distance[:, distances], (0.1, 0.5, 0.9), axis=0, method="nearest")
    return Left(distances, low, middle, high, losses[distances])
