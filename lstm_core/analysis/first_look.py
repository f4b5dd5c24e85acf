"""Where to look first in a trace."""

from __future__ import annotations

import numpy as np

from lstm_core.trace import Trace

FIRST_SCREEN = 40  # characters that are in view before a person scrolls


def first_look(trace: Trace, layer: int) -> tuple[int, int]:
    """Something to look at first: the unit whose h swings most, at the character where it moves most.

    layer: counted from 0. Only the first 40 characters are looked at. Returns (step, unit), counted from 0.
    Raises InputError for a layer that the trace lacks.
    """
    trace.check(layer=layer)
    hidden = trace["hidden"][layer, :FIRST_SCREEN]
    unit = int(np.ptp(hidden, axis=0).argmax())
    return int(np.abs(np.diff(hidden[:, unit], prepend=0)).argmax()), unit
