"""A level on a logarithmic axis: the line at its value, the words at its logarithm, which is where Plotly puts them."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from lstm_core.figures.marks import level


def test_line_and_words_are_at_one_height() -> None:
    figure = go.Figure()
    level(figure, 100, "a <limit>", axis="y2", side="right")
    (line,), (note,) = figure.layout.shapes, figure.layout.annotations
    assert (line.y0, line.y1, line.yref) == (100, 100, "y2")
    assert (note.y, note.yref, note.xanchor, note.text) == (2, "y2", "right", "a &lt;limit&gt;")


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_what_such_an_axis_cannot_show_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="a logarithmic axis can't show"):
        level(go.Figure(), value, "")
