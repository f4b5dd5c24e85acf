"""Figures of models in training: the numbers given are the numbers drawn."""

from __future__ import annotations

import math

import pytest

from lstm_core.figures.growth import in_training, over_steps, surprises


def test_a_line_a_model_with_the_untrained_one_left_of_the_first_step() -> None:
    lines = {"bias 0": [(0, 4.4), (5, 4.0), (500, 1.7)], "<b>": [(0, 4.3), (5, math.nan), (500, 1.8)]}
    figure = over_steps(lines, "Loss", "nats", limits=(0, 5))
    first, second = figure.data
    assert list(first.y) == [4.4, 4.0, 1.7] and list(first.customdata) == [0, 5, 500]
    assert 0 < first.x[0] < first.x[1] == 5
    assert list(second.y) == [4.3, 1.8] and second.name == "&lt;b&gt;"
    assert figure.layout.xaxis.ticktext[0] == "0" and tuple(figure.layout.yaxis.range) == (0, 5)
    assert first.line.color != second.line.color and first.marker.symbol != second.marker.symbol


def test_nothing_to_draw_and_an_unknown_theme_are_refused() -> None:
    with pytest.raises(ValueError, match="no checkpoint"):
        over_steps({}, "Loss", "nats")
    with pytest.raises(ValueError, match="theme"):
        over_steps({"a": [(0, 1.0)]}, "Loss", "nats", theme="blue")  # type: ignore[arg-type]


def test_a_training_as_it_goes_has_room_for_all_its_steps() -> None:
    figure = in_training([(10, 3.0), (20, 2.5)], [], 1000, 4.5, ["a text"], "dark")
    trained, held_out = figure.data
    assert list(trained.x) == [10, 20] and list(held_out.x) == []
    assert figure.layout.xaxis.range[1] >= 1000
    assert figure.layout.shapes[0].y0 == 4.5
    assert "a text" in figure.layout.title.subtitle.text


def test_the_surprise_of_every_character_at_every_checkpoint() -> None:
    figure = surprises([0, 5], [[math.nan, 4.0], [math.nan, 1.5]], ["$", "<"])
    (heat,) = figure.data
    assert heat.z[0][0] is None and heat.z[1][1] == 1.5
    assert heat.customdata[1][1] == "step 5, &lt;" and "$" not in heat.customdata[0][0]
    assert figure.layout.yaxis.ticktext == ("step 0", "step 5")
    with pytest.raises(ValueError, match="a value a character"):
        surprises([0, 5], [[1.0], [1.0, 2.0]], ["a"])
