"""Where to look first: where a unit really moves."""

from __future__ import annotations

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.analysis.first_look import first_look


def test_it_is_the_largest_move_of_the_widest_unit() -> None:
    trace = lc.trace(lc.load("family-lstm"), "The clouds are in the sky, and the sky is blue all over.")
    step, unit = first_look(trace, 0)
    hidden = trace["hidden"][0, :40]
    swings = hidden.max(axis=0) - hidden.min(axis=0)
    assert swings[unit] == swings.max()
    moves = np.abs(np.diff(np.concatenate([[0], hidden[:, unit]])))
    assert moves[step] == moves.max()


def test_a_layer_that_is_not_there_is_named() -> None:
    trace = lc.trace(lc.load("family-rnn"), "one")
    with pytest.raises(ValueError, match="there is no layer 3; the trace has layers 0 to 0"):
        first_look(trace, 3)
