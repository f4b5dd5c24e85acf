"""Half-lives, against the decay that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.analysis.memory import half_life, keep, remembering
from lstm_core.formula import UNBOUNDED, Signal, affine, diagonal, fixed, h_prev, x


def traced(cell: str | lc.Cell) -> lc.Trace:
    torch.manual_seed(1)
    return lc.trace(lc.CharModel("abc ", cell, units=6, layers=2), "abc cab bac abca")


@pytest.mark.parametrize("cell", ["lstm", "coupled", "peephole", "gru", "gru_pytorch"])
def test_a_state_left_alone_halves_in_its_half_life(cell: str) -> None:
    trace = traced(cell)
    lives = half_life(trace)
    assert lives.shape == (2, 6)
    geometric_mean = np.exp(np.log(keep(trace).astype(np.float64)).mean(axis=1))
    np.testing.assert_allclose(geometric_mean**lives, 0.5, rtol=1e-6)


def test_what_is_kept_is_the_gate_as_the_cell_has_it() -> None:
    trace = traced("lstm")
    np.testing.assert_array_equal(keep(trace), trace["forget"])
    trace = traced("gru")
    np.testing.assert_array_equal(keep(trace), 1 - trace["update"])
    trace = traced("gru_pytorch")
    np.testing.assert_array_equal(keep(trace), trace["update"])
    assert remembering(trace) == "hidden"


def test_a_gate_that_never_lets_go_lives_for_ever_and_one_that_is_shut_not_at_all() -> None:
    trace = traced("lstm")
    trace["forget"].flags.writeable = True
    trace["forget"][0, :, 2], trace["forget"][1, :, 3] = 1, 0
    lives = half_life(trace)
    assert lives[0, 2] == np.inf and 0 <= lives[1, 3] < 0.01


def test_the_plain_rnn_has_no_such_gate() -> None:
    with pytest.raises(ValueError, match="no gate of RNN decides what is kept"):
        half_life(traced("rnn"))


def test_a_number_or_a_weight_that_a_state_is_multiplied_by_is_no_gate() -> None:
    for factor in (fixed(0.5), diagonal("a")):
        hidden = Signal("hidden", "h", "h", factor * h_prev + affine("a", x), UNBOUNDED)
        with pytest.raises(ValueError, match="no gate of leaky decides what is kept"):
            remembering(traced(lc.Cell("leaky", "leaky", "nobody", ("a",), (hidden,))))
