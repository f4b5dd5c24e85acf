"""Losses as bars: each with its name and its number, none cut off, and nothing in a name is interpreted."""

from __future__ import annotations

import pytest

from lstm_core.figures import palette
from lstm_core.figures.losses import loss_bars

LOSSES = [("this model", 1.3146), ("the best table of n-grams, order 3", 2.174), ("guessing evenly among 100", 4.605)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_loss_has_a_bar_a_name_and_a_number(theme: palette.Theme) -> None:
    figure = loss_bars(LOSSES, ["Of 4,091 characters."], theme)
    (bar,) = figure.data
    assert list(bar.x) == [nats for _, nats in LOSSES]
    assert [note.text for note in figure.layout.annotations] == [f"{name}: <b>{nats:.3f}</b>" for name, nats in LOSSES]
    assert bar.marker.color[0] == palette.INK[theme] != bar.marker.color[1]
    assert figure.layout.xaxis.range[0] == 0 and figure.layout.xaxis.range[1] > 4.605
    low, high = figure.layout.yaxis.range
    assert all(high < note.y < low for note in figure.layout.annotations), "every name lies inside the picture"
    assert "Of 4,091 characters." in figure.layout.title.subtitle.text and "Gatescope" in figure.layout.title.subtitle.text


def test_a_name_is_no_markup() -> None:
    (note,) = loss_bars([("<b>$x$", 1.0)]).layout.annotations
    assert note.text == "&lt;b&gt;&#36;x&#36;: <b>1.000</b>"


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="no loss to draw"):
        loss_bars([])
    with pytest.raises(ValueError, match="there is no theme 'sepia'"):
        loss_bars(LOSSES, theme="sepia")  # type: ignore[arg-type]
