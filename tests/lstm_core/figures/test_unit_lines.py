import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.figures import palette
from lstm_core.figures.unit_lines import unit_lines


def traced(cell: str = "lstm", text: str = "hello, world", scale: float = 1.0) -> lc.Trace:
    torch.manual_seed(0)
    model = lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, 6, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    return lc.trace(model, text)


@pytest.mark.parametrize("cell", tuple(lc.cells()))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_one_line_a_signal_told_apart_by_colour_dash_and_marker(cell, theme):
    trace = traced(cell)
    figure = unit_lines(trace, 1, 4, theme=theme)
    assert len(figure.data) == len(trace.signals)
    for line, name in zip(figure.data, trace.signals):
        assert np.array_equal(line.y, trace[name][1, :, 4])
        assert line.line.color == palette.SIGNAL_COLOURS[name]
    for looks in ([d.line.dash for d in figure.data], [d.marker.symbol for d in figure.data]):
        assert len(set(looks)) == len(trace.signals)


def test_the_cell_state_has_its_own_axis_once_it_leaves_the_gates_range():
    calm, wild = unit_lines(traced(), 0, 0), unit_lines(traced(text="hello " * 30, scale=20), 0, 0)
    assert {d.yaxis for d in calm.data} == {"y"}
    assert wild.data[0].yaxis == "y2"
    assert "right axis" in wild.data[0].name
    assert {d.yaxis for d in wild.data[1:]} == {"y"}
    low, high = wild.layout.yaxis2.range
    assert low == -high
    assert np.abs(wild.data[0].y).max() <= high


def test_the_pinned_step_is_marked():
    assert not unit_lines(traced(), 0, 0).layout.shapes
    (line,) = unit_lines(traced(), 0, 0, step=3).layout.shapes
    assert line.x0 == line.x1 == 3


def test_places_that_do_not_exist_are_refused_by_name():
    for place, message in (((2, 0), "no layer 2"), ((0, 6), "no unit 6.*0 to 5"), ((0, 0, 12), "no step 12.*0 to 11")):
        with pytest.raises(ValueError, match=message):
            unit_lines(traced(), *place)
