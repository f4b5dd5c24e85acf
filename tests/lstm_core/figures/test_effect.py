"""The pictures of a clamp's effect: the numbers are the traces' own, runs are told apart by more than colour."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.analysis.effect import effect
from lstm_core.figures import palette
from lstm_core.figures.effect import LIKELIEST, effect_lines, predictions
from lstm_core.figures.heatmaps import difference_heatmaps, gate_heatmaps

TEXT = "hello $ <b> world"
CLAMP = lc.Clamp("forget", 0.25, 1, [3, 4], 5, 9)


def runs(text: str = TEXT, *clamps: lc.Clamp) -> tuple[lc.Trace, lc.Trace]:
    torch.manual_seed(0)
    model = lc.CharModel(lc.Vocabulary.of("helo, wrd$<b>\n"), "lstm", 12, 2)
    return lc.trace(model, text), lc.trace(model, text, clamps=clamps or [CLAMP])


def lines(text: str = TEXT, step: int | None = 6, theme: palette.Theme = "dark"):
    before, after = runs(text)
    return before, after, effect_lines(before, after, effect(before, after), step, theme)


def test_the_lines_are_the_surprise_of_both_runs_and_the_bars_their_divergence() -> None:
    before, after, figure = lines()
    free, held, costs = figure.data
    np.testing.assert_array_equal(free.y, before.surprise)
    np.testing.assert_array_equal(held.y, after.surprise)
    np.testing.assert_array_equal(costs.y, effect(before, after).divergence)
    assert costs.yaxis == "y2"


def test_the_runs_are_told_apart_by_more_than_colour() -> None:
    free, held, _ = lines()[2].data
    assert free.line.dash != held.line.dash and free.marker.symbol != held.marker.symbol
    assert held.line.color == palette.SIGNAL_COLOURS["forget"]
    unclamped, clamped = predictions(*runs(), 6).data
    assert not unclamped.marker.pattern.shape and clamped.marker.pattern.shape == "/"


def test_the_span_of_the_clamp_is_shaded_and_the_pin_marked() -> None:
    shaded, first, last, pin = lines()[2].layout.shapes
    assert (shaded.x0, shaded.x1) == (4.5, 8.5)
    assert (first.x0, last.x0, pin.x0) == (4.5, 8.5, 6)
    before, after = runs(TEXT, lc.Clamp("forget", 0.0, start=3))
    open_ended = effect_lines(before, after, effect(before, after))
    assert [(s.x0, s.x1) for s in open_ended.layout.shapes] == [(2.5, len(TEXT) - 0.5), (2.5, 2.5)]


def test_the_caption_says_what_was_held_and_is_escaped() -> None:
    caption = " ".join(lines()[2].layout.title.subtitle.text.split("<br>"))
    assert "Held: the forget gate of units 3-4 of layer 2 at 0.25 from character 6 to 9." in caption
    assert "hello &#36; &lt;b&gt; world" in caption


def test_a_long_text_opens_about_the_pin() -> None:
    figure = lines("hello world " * 40, 300)[2]
    assert figure.layout.xaxis.range == (199.5, 399.5)


def test_the_bars_are_what_both_runs_expect() -> None:
    before, after = runs()
    figure = predictions(before, after, 6)
    came = int(before.ids[7])
    for bars, trace in zip(figure.data, (before, after), strict=True):
        best = set(np.argsort(-trace.probs[6], kind="stable")[:LIKELIEST])
        chances = dict(zip(figure.layout.yaxis.ticktext, bars.x, strict=True))
        assert len(chances) == len(bars.x) >= len(best | {came})
        for k in best:
            assert any(chance == pytest.approx(100 * trace.probs[6, k]) for chance in chances.values())
    marked = [label for label in figure.layout.yaxis.ticktext if "▸" in label]
    assert marked == ["<b>▸ $</b> ".replace("$", "␣" if before.chars[7] == " " else before.chars[7])]
    assert list(figure.data[0].x) == sorted(figure.data[0].x, reverse=True)


def test_after_the_last_character_nothing_came() -> None:
    before, after = runs()
    figure = predictions(before, after, len(TEXT) - 1)
    assert not any("▸" in label for label in figure.layout.yaxis.ticktext)
    assert "the text ends here" in " ".join(figure.layout.title.subtitle.text.split("<br>"))


@pytest.mark.parametrize("step", [17, -1])
def test_a_step_that_is_not_there_is_refused(step: int) -> None:
    before, after = runs()
    with pytest.raises(ValueError, match=f"there is no step {step}"):
        predictions(before, after, step)
    with pytest.raises(ValueError, match=f"there is no step {step}"):
        effect_lines(before, after, effect(before, after), step)


def test_other_pictures_of_a_clamped_trace_say_so_too() -> None:
    before, after = runs()
    for figure in (gate_heatmaps(after), difference_heatmaps(after, before, 1)):
        assert "Held: the forget gate of units 3-4 of layer 2" in " ".join(figure.layout.title.subtitle.text.split("<br>"))
    assert "Held" not in gate_heatmaps(before).layout.title.subtitle.text


def test_a_text_of_one_character_is_drawn() -> None:
    before, after = runs("h", lc.Clamp("output", 1.0))
    assert len(effect_lines(before, after, effect(before, after), 0).data) == 3
    assert predictions(before, after, 0).data
