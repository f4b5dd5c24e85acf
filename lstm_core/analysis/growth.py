"""The same text through a model's life: what it reads, expects and forgets at each checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from lstm_core.analysis import memory
from lstm_core.errors import InputError
from lstm_core.life import Life
from lstm_core.trace import Trace
from lstm_core.tracing import trace


@dataclass(frozen=True, eq=False)
class Stage:
    """A model at one moment of its training, and how it reads a text then.

    step: of the optimiser, 0 untrained. characters: read in training until then. loss: nats a character on a held-out text
    that is the same for all stages. written: what it wrote after a prompt. trace: of the text.
    """

    step: int
    characters: int
    loss: float
    written: str
    trace: Trace


def stages(life: Life, text: str) -> tuple[Stage, ...]:
    """A text through each checkpoint of a life, the untrained model first.

    text: 1 to 20,000 characters. Raises text.TextError for another, CheckpointError when the life's file is damaged.
    """
    facts = zip(life.steps, life.characters, life.losses, life.samples)
    return tuple(Stage(*of, trace(life.model(k), text)) for k, of in enumerate(facts))


def mean_keep(read: Trace) -> float:
    """What the units keep of their state at a step, on average: 0 to 1, of an LSTM its mean forget gate.

    The mean is over all layers, steps and units. Raises InputError for a cell without a gate on its state.
    """
    return float(memory.keep(read).mean(dtype=np.float64))


def median_half_life(read: Trace) -> float:
    """The half-life that half of the units exceed: steps, 0 to inf.

    Raises InputError for a cell without a gate on its state.
    """
    return float(median(memory.half_life(read).ravel().tolist()))


def keeps(read: Trace) -> bool:
    """Whether the cell has a gate that decides what is kept of its state."""
    try:
        return bool(memory.remembering(read))
    except InputError:
        return False


def shared_steps(lives: Sequence[Sequence[Stage]]) -> tuple[int, ...]:
    """The steps at which all of some lives have a checkpoint, ascending; none where there is no life."""
    if not lives:
        return ()
    return tuple(sorted(set.intersection(*({stage.step for stage in life} for life in lives))))
