"""The record of a reading: what it computes from its signals, and how it refuses what it lacks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import lstm_core as lc

TEXT = "i grew up in france i speak fluent french"
make = Callable[..., lc.CharModel]


def test_before_is_the_state_that_each_step_found(make_model: make) -> None:
    t = lc.trace(make_model("lstm", 6, 2), TEXT)
    np.testing.assert_array_equal(t.before("cell")[:, 0], t.initial["cell"])
    np.testing.assert_array_equal(t.before("cell")[:, 1:], t["cell"][:, :-1])
    with pytest.raises(ValueError, match="'forget' is no state of LSTM; its states are hidden, cell"):
        t.before("forget")


def test_an_unknown_signal_is_refused_with_those_there_are(make_model: make) -> None:
    with pytest.raises(ValueError, match=r"trace of RNN has no signal 'forget'; it has hidden"):
        lc.trace(make_model("rnn"), "abc")["forget"]


def test_surprise_is_that_of_the_prediction_before(make_model: make) -> None:
    model = make_model("lstm")
    t = lc.trace(model, TEXT)
    assert math.isnan(t.surprise[0])
    wanted = [-math.log(t.probs[k - 1, t.ids[k]]) for k in range(1, len(t))]
    np.testing.assert_allclose(t.surprise[1:], wanted, rtol=1e-5)
    assert t.loss == pytest.approx(np.mean(wanted), rel=1e-5)
    more = lc.trace(model, "e", state=t.final)
    assert more.surprise[0] == pytest.approx(-math.log(t.probs[-1, model.vocabulary.index("e")]), rel=1e-5)
    assert more.loss == pytest.approx(more.surprise[0])


def test_one_character_alone_has_no_loss(make_model: make) -> None:
    assert math.isnan(lc.trace(make_model("lstm"), "a").loss)
