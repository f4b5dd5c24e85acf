"""The figure of half-lives: a dot a unit, sorted, and every dot knows its unit."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.figures.memory import LEAST, LONG, MOST, Lives, half_lives


def test_a_dot_a_unit_the_longest_first() -> None:
    lives = Lives("m<b>", 1, 2, np.array([3.0, 250.0, 0.5, 40.0]))
    (dots,) = half_lives([lives], 26).data
    assert list(dots.y) == [250, 40, 3, 0.5]
    assert [tuple(each) for each in dots.customdata] == [(0, 1), (0, 3), (0, 0), (0, 2)]
    assert list(dots.x) == [12.5, 37.5, 62.5, 87.5]
    assert dots.name == "m&lt;b&gt;, layer 2"
    assert dots.text[0] == "unit 1: 250 steps"


def test_what_lies_beyond_the_axis_is_drawn_at_its_end_and_told_as_it_is() -> None:
    (dots,) = half_lives([Lives("m", 0, 1, np.array([np.inf, 1e9, 0.0]))], 26).data
    assert list(dots.y) == [MOST, MOST, LEAST]
    assert dots.text[0] == "unit 0: for ever: the gate never closes" and "1.00·10⁹ steps" in dots.text[1]


def test_the_limits_are_marked_where_they_are() -> None:
    figure = half_lives([Lives("m", 0, 1, np.ones(3))], 26)
    assert sorted(shape.y0 for shape in figure.layout.shapes) == [26, LONG]
    assert {note.text: note.y for note in figure.layout.annotations}["hundreds of steps"] == pytest.approx(np.log10(LONG))


def test_layers_are_told_apart_by_marker_too() -> None:
    figure = half_lives([Lives("m", k, 3, np.ones(4)) for k in range(3)], 26, "dark")
    assert len({dots.marker.symbol for dots in figure.data}) == len({dots.marker.color for dots in figure.data}) == 3


def test_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no layer to draw"):
        half_lives([], 26)
