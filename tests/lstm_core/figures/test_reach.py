"""The figures of gradients draw the numbers that they are given, and name what vanishes."""

from __future__ import annotations

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.analysis import vanishing
from lstm_core.analysis.gradients import Gradients, gradients
from lstm_core.figures.reach import gradient_by_distance, gradient_lines, gradient_map

TEXT = "the quick brown fox jumps over the lazy dog"


@pytest.fixture(scope="module")
def found(make_model) -> list[Gradients]:
    models = [make_model(cell, name=f"{cell}-<i>", spread=1.5) for cell in ("rnn", "lstm", "gru_pytorch")]
    return [gradients(m, lc.trace(m, TEXT)) for m in models]


def test_a_line_a_model_is_its_share_and_the_direct_path_lies_beside_it(found: list[Gradients]) -> None:
    figure = gradient_lines(found, 30, start=100)
    lines = {trace.name: trace for trace in figure.data}
    assert len(lines) == 5, "three lines, and two direct paths: the RNN has none"
    for each in found:
        where = vanishing.path(each)
        row = each.row(30)
        drawn = next(t for name, t in lines.items() if name.startswith(each.model.split("<")[0]) and "direct path" not in name)
        np.testing.assert_allclose(drawn.y, vanishing.share(each, where)[row, :31], rtol=1e-6)
        assert list(drawn.x) == list(range(101, 132))
    assert "&lt;i&gt;" in figure.data[0].name and "<i>" not in figure.data[0].name
    assert len({trace.line.dash for trace in figure.data if "direct path" not in trace.name}) == 3, "told apart by dash"
    assert {trace.line.dash for trace in figure.data if "direct path" in trace.name} == {"dot"}


def test_vanished_and_exploded_are_named_where_they_happen() -> None:
    norms = np.array([[[1e-5, 1e-5, 20, 30, 0.5, 1]]], np.float32)
    each = Gradients("m", lc.cell("rnn"), tuple("abcdef"), np.array([5]), np.array([0]), {"hidden": norms}, {}, norms[0])
    notes = {note.text: note for note in gradient_lines([each], 5).layout.annotations}
    assert notes["m vanished from here back"].x == 2 and notes["m exploded here"].x == 4
    assert notes["m exploded here"].y == pytest.approx(np.log10(30))
    assert {"vanished: below 1/1000", "exploded: above 10"} <= set(notes)
    still = Gradients("m", each.cell, each.chars, each.targets, each.aims, {"hidden": np.ones((1, 1, 6))}, {}, norms[0])
    assert not [note for note in gradient_lines([still], 5).layout.annotations if note.text.startswith("m ")]


def test_the_map_is_the_logarithm_of_every_share(found: list[Gradients]) -> None:
    figure = gradient_map(found[1], start=10)
    heat = figure.data[0]
    shares = vanishing.share(found[1], vanishing.path(found[1]))
    reached = ~np.isnan(shares)
    np.testing.assert_allclose(np.array(heat.z)[reached], np.log10(shares[reached]), rtol=1e-4, atol=1e-5)
    assert np.isnan(np.array(heat.z)[~reached]).all(), "nothing is drawn where s is after t"
    assert (heat.zmin, heat.zmax) == (-3, 0)
    assert heat.x[0] == 11 and heat.y[0] == 11
    assert figure.layout.yaxis.autorange == "reversed"


def test_by_distance_draws_medians_bands_and_direct_paths(found: list[Gradients]) -> None:
    figure = gradient_by_distance(found)
    lines = [trace for trace in figure.data if trace.fill is None]
    assert len(lines) == 5 and len(figure.data) == 8
    left = vanishing.left(vanishing.share(found[0], vanishing.path(found[0])))
    np.testing.assert_allclose(lines[0].y, left.middle, rtol=1e-6)


def test_the_caption_says_what_is_drawn(found: list[Gradients]) -> None:
    said = gradient_by_distance(found).layout.title.subtitle.text.replace("<br>", " ")
    assert (
        "share of its size at s = t" in said
        and "Dotted: the direct path, along C or h alone" in said
        and f"{len(TEXT)} losses" in said
    )
    assert "Dotted" not in gradient_by_distance(found[:1]).layout.title.subtitle.text


def test_what_is_not_there_is_named(found: list[Gradients]) -> None:
    with pytest.raises(ValueError, match="the loss after character 99 was not asked for"):
        gradient_lines(found, 99)
    with pytest.raises(ValueError, match="'cell' is no state of RNN"):
        gradient_map(found[0], state="cell")
    with pytest.raises(ValueError, match="there is no theme 'grey'"):
        gradient_by_distance(found, theme="grey")  # type: ignore[arg-type]


def test_one_character_is_drawn(make_model) -> None:
    model = make_model()
    one = gradients(model, lc.trace(model, "a"))
    assert list(gradient_lines([one], 0).data[0].y) == [1]
    assert np.array(gradient_map(one).data[0].z).shape == (1, 1)
    assert gradient_by_distance([one]).data
