"""The figures of the clipping experiment draw the points of its runs, and where one ends in no number."""

from __future__ import annotations

import math

import pytest

from lstm_core.analysis.spectrum import ClippingRun, Point
from lstm_core.figures.clipping import gradient_reach, in_training


def run(clip: float | None, seed: int, diverged: int | None = None) -> ClippingRun:
    points = (Point(0, math.nan, math.nan, math.nan, 2.5, 2.0), Point(10, 3.0, 5.0, 500.0 * seed, 4.0, 3.0))
    return ClippingRun(1.5, clip, seed, points, {0: (1.0, 0.0, math.inf), 10: (1.0, 0.1)}, diverged, 1.0)


RUNS = {None: [run(None, 1), run(None, 2, diverged=13)], 1.0: [run(1.0, 1)]}


def test_three_plots_with_a_line_a_run() -> None:
    figure = in_training(RUNS, uniform=4.5)
    assert len(figure.data) == 9
    assert {trace.yaxis for trace in figure.data} == {"y", "y2", "y3"}
    largest = [trace for trace in figure.data if trace.yaxis == "y2"]
    assert [trace.y[1] for trace in largest] == [500, 1000, 500]
    assert [trace.y[0] for trace in largest] == [None] * 3, "nothing is drawn before the first step"
    assert all(figure.layout[axis].type == "log" for axis in ("yaxis", "yaxis2", "yaxis3"))


def test_what_is_clipped_is_told_by_dash_and_named_once() -> None:
    figure = in_training(RUNS)
    named = [trace.name for trace in figure.data if trace.showlegend]
    assert named == ["not clipped", "clipped at 1"]
    assert len({trace.line.dash for trace in figure.data}) == 2


def test_a_run_that_broke_down_ends_in_a_cross() -> None:
    broken = in_training(RUNS).data[1]
    assert broken.marker.size[-1] > 0 and broken.marker.symbol == "x" and "no number from step 13" in broken.customdata[-1]
    assert set(in_training(RUNS).data[0].marker.size) == {0}


def test_the_limits_are_marked() -> None:
    figure = in_training(RUNS, uniform=4.5)
    marked = {note.text: (note.yref, 10**note.y) for note in figure.layout.annotations}
    assert marked["clipped above 1"] == ("y2", 1)
    assert marked["expecting all characters alike"] == ("y", pytest.approx(4.5))
    assert marked["1: makes no vector longer"] == ("y3", 1)


def test_how_far_back_the_loss_is_felt() -> None:
    figure = gradient_reach(RUNS, 0)
    assert [list(trace.y) for trace in figure.data] == [[1, None, None]] * 3, "a logarithm shows no 0 and no infinity"
    assert list(gradient_reach(RUNS, 10).data[0].y) == [1, 0.1]


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="after step 99"):
        gradient_reach(RUNS, 99)
    with pytest.raises(ValueError, match="there is no run to draw"):
        in_training({None: []})
