"""The effect of a clamp: differences of surprise and loss, Kullback-Leibler divergence, and where it begins."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.analysis.effect import divergence, effect

make = Callable[..., lc.CharModel]
TEXT = "the clouds are in the sky"


def test_it_is_the_difference_of_both_runs(make_model: make) -> None:
    model = make_model("lstm", 16, 2)
    before = lc.trace(model, TEXT)
    after = lc.trace(model, TEXT, clamps=[lc.Clamp("forget", 0.0, 0, None, 9)])
    found = effect(before, after)
    assert found.first == 9
    assert math.isnan(found.surprise[0])
    ids = model.vocabulary.ids(TEXT)
    for step in range(1, len(TEXT)):
        p, q = before.probs[step - 1].astype(float), after.probs[step - 1].astype(float)
        assert found.surprise[step] == pytest.approx(math.log(p[ids[step]] / q[ids[step]]), abs=1e-5)
        assert found.divergence[step - 1] == pytest.approx(sum(a * math.log(a / b) for a, b in zip(p, q)), abs=1e-6)
    assert found.loss_before == pytest.approx(before.loss)
    assert found.loss == pytest.approx(np.nanmean(found.surprise), abs=1e-6)
    assert (found.divergence[:9] < 1e-6).all() and found.divergence[9:].max() > 1e-4


def test_most_changed_are_in_order_of_their_change(make_model: make) -> None:
    model = make_model("gru", 16)
    after = lc.trace(model, TEXT, clamps=[lc.Clamp("update", 1.0, start=4)])
    found = effect(lc.trace(model, TEXT), after)
    steps = found.most_changed(6)
    sizes = [abs(found.surprise[step]) for step in steps]
    assert len(steps) == 6 and sizes == sorted(sizes, reverse=True)
    assert sizes[0] == np.nanmax(np.abs(found.surprise))
    assert all(step > 4 for step in found.most_changed(100)), "what came before was expected as ever"


def test_nothing_held_changes_nothing(make_model: make) -> None:
    t = lc.trace(make_model("lstm"), TEXT)
    found = effect(t, t)
    assert found.first is None and found.most_changed() == [] and found.loss == 0
    assert not found.divergence.any()


def test_a_clamp_on_the_last_character_alone_changes_the_last_prediction_alone(make_model: make) -> None:
    model = make_model("lstm", 16)
    found = effect(lc.trace(model, TEXT), lc.trace(model, TEXT, clamps=[lc.Clamp("output", 0.0, start=len(TEXT) - 1)]))
    assert found.first == len(TEXT) - 1 and found.most_changed() == []
    assert found.loss == pytest.approx(0, abs=1e-6) and found.divergence[-1] > 1e-4


def test_one_character_has_no_loss(make_model: make) -> None:
    model = make_model("lstm", 16)
    found = effect(lc.trace(model, "a"), lc.trace(model, "a", clamps=[lc.Clamp("output", 1.0)]))
    assert math.isnan(found.loss) and found.first == 0 and found.most_changed() == []


def test_divergence_knows_impossible_characters() -> None:
    p = np.array([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75]], np.float32)
    q = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]], np.float32)
    found = divergence(p, q)
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(math.log(2)) and found[2] == 0
    assert math.isfinite(found[1]) and found[1] > 40


def test_other_texts_and_other_vocabularies_are_refused(make_model: make) -> None:
    t = lc.trace(make_model("lstm"), "abc")
    with pytest.raises(ValueError, match="two traces of one text, and these read 3 and 4 characters"):
        effect(t, lc.trace(make_model("lstm"), "abcd"))
    with pytest.raises(ValueError, match="predict the same characters, and one knows 27, two 4"):
        effect(lc.trace(make_model("lstm", name="one", vocabulary="abc" + "defghijklmnopqrstuvwxyz "), "abc"),
               lc.trace(make_model("lstm", name="two", vocabulary="abcd"), "abc"))  # fmt: skip
