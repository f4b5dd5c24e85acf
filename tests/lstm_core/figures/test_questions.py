"""The figures behind the readers' questions: the numbers drawn are those computed, in both themes, and nothing is clipped."""

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.analysis import gru_forms
from lstm_core.analysis.matrix import row
from lstm_core.analysis.reach import reach
from lstm_core.figures import palette
from lstm_core.figures.all_units import all_units
from lstm_core.figures.apart import apart
from lstm_core.figures.pushes import pushes
from lstm_core.figures.weight_row import weight_row

TEXT = "the clouds <b>$x$"
both_themes = pytest.mark.parametrize("theme", ["light", "dark"])


def read(make_model, cell):
    model = make_model(cell)
    return model, lc.trace(model, TEXT)


@both_themes
def test_the_row_of_w_its_vectors_and_their_products(make_model, theme):
    found = row(*read(make_model, "lstm"), 0, 6, 3, "forget")
    figure = weight_row(found, "a model & <its> unit", theme)
    weights, vector, products = (strip.z[0] for strip in figure.data)
    assert products == pytest.approx(weights * vector, abs=1e-6)
    assert products.sum() == pytest.approx(found.together, abs=1e-5)
    assert all(np.abs(strip.z).max() <= strip.zmax == -strip.zmin for strip in figure.data)
    (cut,) = figure.layout.shapes
    assert cut.x0 == 16 - 0.5 and (cut.yref, cut.y0, cut.y1) == ("paper", 0, 1)
    assert figure.layout.xaxis.anchor == "y3", "the axis stands under the lowest strip"
    assert figure.layout.paper_bgcolor == palette.BACKGROUND[theme]
    assert "a model &amp; &lt;its&gt; unit" in figure.layout.title.subtitle.text


def test_three_vectors_are_cut_twice(make_model):
    figure = weight_row(row(*read(make_model, "peephole_full"), 0, 6, 3, "output"), "here")
    assert [shape.x0 for shape in figure.layout.shapes] == [15.5, 31.5]


@both_themes
def test_all_units_stand_sorted_and_the_one_is_marked(theme):
    values = np.array([0.2, 0.9, -0.5, 0.4])
    figure = all_units(values, 3, "f", "here.", theme=theme)
    (bars,) = figure.data
    assert list(bars.y) == [0.9, 0.4, 0.2, -0.5] and list(bars.customdata) == [1, 3, 0, 2]
    assert [colour == palette.INK[theme] for colour in bars.marker.color] == [False, True, False, False]
    assert figure.layout.annotations[0].text == "<b>unit 3: 0.40</b>"
    low, high = figure.layout.yaxis.range
    assert low < -0.5 and high > 0.9
    assert all_units(values[:2], 0, "f", "here.", (0, 1)).layout.yaxis.range[0] == 0


def test_a_unit_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="there is no unit 4 among 4"):
        all_units(np.zeros(4), 4, "f", "here.")


@both_themes
@pytest.mark.parametrize("cell", tuple(lc.cells()))
def test_every_gate_that_is_pushed_has_a_strip(make_model, cell, theme):
    model, trace = read(make_model, cell)
    reached = reach(model, trace, 0, 3, 5)
    figure = pushes(reached, trace, theme)
    assert [strip.name for strip in figure.data] == list(reached.pushes)
    for strip in figure.data:
        assert strip.z[0] == pytest.approx(reached.values[strip.name] - reached.without[strip.name], abs=1e-6)
        assert np.abs(strip.z).max() <= strip.zmax
    assert len({strip.zmax for strip in figure.data}) == 1, "one scale"
    last = len(figure.data)
    assert figure.layout.xaxis.anchor == ("y" if last == 1 else f"y{last}")
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(4.5, 5.5)] * last


@both_themes
def test_how_far_h_is_apart(make_model, theme):
    model, trace = read(make_model, "gru_pytorch")
    reading = gru_forms.read_as(model, trace, gru_forms.reset_moved)
    figure = apart(reading, trace, 0, theme)
    assert np.array_equal(figure.data[0].y, reading.apart[0])
    assert "The reset has been moved before the product." in figure.layout.title.subtitle.text.replace("<br>", " ")
    assert "<b>" not in figure.layout.title.subtitle.text
    with pytest.raises(ValueError, match="there is no layer 1"):
        apart(reading, trace, 1)


def test_an_unknown_theme_is_refused(make_model):
    model, trace = read(make_model, "gru")
    reading = gru_forms.read_as(model, trace, gru_forms.z_renamed)
    for draw in (
        lambda: weight_row(row(model, trace, 0, 1, 1, "update"), "here", "sepia"),
        lambda: all_units(np.zeros(3), 0, "f", "here.", theme="sepia"),
        lambda: pushes(reach(model, trace, 0, 1, 1), trace, "sepia"),
        lambda: apart(reading, trace, 0, "sepia"),
    ):
        with pytest.raises(ValueError, match="there is no theme 'sepia'"):
            draw()
