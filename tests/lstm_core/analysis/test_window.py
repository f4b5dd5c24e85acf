"""A stretch of a text is the whole of a short one, lies around a step of a long one, and reads as if it had read all before."""

from __future__ import annotations

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.analysis.gradients import gradients
from lstm_core.analysis.window import Window, part, window

TEXT = "the quick brown fox jumps over the lazy dog " * 3


@pytest.mark.parametrize(
    "steps, stride, first", [(1, 1, 0), (2, 1, 0), (200, 1, 0), (201, 2, 0), (400, 2, 1), (401, 3, 1), (1000, 5, 4)]
)
def test_a_short_text_is_followed_back_whole(steps: int, stride: int, first: int) -> None:
    stretch = window(steps, steps - 1)
    assert stretch == Window(0, steps, stride)
    assert stretch.targets[0] == first and stretch.targets[-1] == steps - 1
    assert len(stretch.targets) <= 200 and set(np.diff(stretch.targets)) <= {stride}


@pytest.mark.parametrize("steps", [1001, 1500, 20_000])
def test_of_a_long_text_a_thousand_characters_around_the_step(steps: int) -> None:
    starts = set()
    for step in range(0, steps, 37):
        stretch = window(steps, step)
        assert stretch.stop - stretch.start == 1000 and stretch.start <= step < stretch.stop <= steps
        inside = min(step - stretch.start, stretch.stop - 1 - step)
        assert inside >= 200 or stretch.start == 0 or stretch.stop == steps, "well inside, but at the ends of the text"
        starts.add(stretch.start)
    assert len(starts) < steps / 400, "near steps share a stretch"


def test_a_step_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="there is no step 5; the text has steps 0 to 4"):
        window(5, 5)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_part_is_the_trace_of_that_text_from_the_state_before(make_model, cell: str) -> None:
    model = make_model(cell, layers=2)
    whole = lc.trace(model, TEXT)
    piece = part(whole, 40, 70)
    again = lc.trace(model, TEXT[40:70], state=lc.trace(model, TEXT[:40]).final)
    assert piece.chars == again.chars and piece.steps == 30 and piece.text == TEXT[40:70]
    for name in whole.signals:
        np.testing.assert_allclose(piece[name], again[name], atol=1e-5)
    for name in model.cell.states:
        np.testing.assert_allclose(piece.initial[name], again.initial[name], atol=1e-5)
        np.testing.assert_array_equal(piece.final[name], whole[name][:, 69])
        np.testing.assert_allclose(piece.before(name), whole.before(name)[:, 40:70])
    np.testing.assert_allclose(piece.surprise, whole.surprise[40:70], rtol=1e-6)


def test_gradients_of_a_part_are_those_of_the_whole(make_model) -> None:
    model = make_model("lstm", layers=2)
    whole = lc.trace(model, TEXT)
    all_of_it, some = gradients(model, whole, [60, 65]), gradients(model, part(whole, 40, 70), [20, 25])
    for name in model.cell.states:
        np.testing.assert_allclose(some.norms[name][..., :30], all_of_it.norms[name][..., 40:70], rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(some.characters[:, :30], all_of_it.characters[:, 40:70], rtol=1e-3, atol=1e-7)


def test_all_of_a_trace_is_the_trace(make_model) -> None:
    whole = lc.trace(make_model(), "all of it")
    assert part(whole, 0, 9) is whole
    with pytest.raises(ValueError, match="there are no steps 3 to 10; the trace has 9 steps"):
        part(whole, 3, 10)
