import json

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

import lstm_core as lc
from lstm_core.figures import palette
from lstm_core.figures.heatmaps import difference_heatmaps, gate_heatmaps
from lstm_core.figures.palette import colour_limit

CELLS = tuple(lc.cells())
NASTY = "l, o, l <b>x</b> $a$ &amp; \n\t\0\u200b\u202eשé😀%{x}"


def traced(text: str = NASTY, cell: str = "lstm", units: int = 6, layers: int = 2, seed: int = 0) -> lc.Trace:
    torch.manual_seed(seed)
    return lc.trace(lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, units, layers), text)


def strings(value: object) -> list[str]:
    """All texts in a figure's JSON."""
    if isinstance(value, dict):
        return [s for v in value.values() for s in strings(v)]
    if isinstance(value, list):
        return [s for v in value for s in strings(v)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("cell", CELLS)
def test_one_heatmap_a_signal_in_the_order_of_the_drawing(cell):
    trace = traced(cell=cell)
    figure = gate_heatmaps(trace, 1)
    assert [h.name for h in figure.data] == list(trace.signals)
    tops = [figure.layout["yaxis" if k == 0 else f"yaxis{k + 1}"].domain[1] for k in range(len(figure.data))]
    assert tops[0] == 1
    assert tops == sorted(tops, reverse=True)
    for heatmap in figure.data:
        assert heatmap.z.dtype == np.float32
        assert np.array_equal(heatmap.z, trace[heatmap.name][1].T)
        assert heatmap.xaxis is None or heatmap.xaxis == "x"
    json.loads(figure.to_json())


def test_repeated_characters_keep_their_columns():
    figure = gate_heatmaps(traced("lol, lol"))
    axis = figure.layout.xaxis
    assert figure.data[0].z.shape[1] == 8
    assert figure.data[0].x is None
    assert [axis.labelalias[str(t)] for t in range(8)] == ["l", "o", "l", ",", "␣", "l", "o", "l"]
    assert (axis.tickmode, axis.dtick, tuple(axis.range)) == ("linear", 1, (-0.5, 7.5))


def test_a_long_text_is_labelled_in_stretches_and_shows_characters_when_zoomed_into():
    axis = gate_heatmaps(traced("hello, world " * 100, units=3)).layout.xaxis
    assert axis.tickmode == "auto"
    assert axis.labelalias[" 13"] == "13<br>ld hell"
    assert axis.labelalias["13"] == "h"
    assert axis.labelalias["+13"] == "h"
    assert [s.value for s in axis.tickformatstops] == ["~f", " d"]


def test_hovering_tells_what_the_model_read():
    axis = gate_heatmaps(traced("é z")).layout.xaxis
    assert axis.labelalias["+0"] == "é U+00E9 latin small letter e with acute, read as e"
    assert axis.labelalias["+2"] == "z, read as ␣ space"


@pytest.mark.parametrize("cell_as", ["C", "tanh"])
@pytest.mark.parametrize("compact", [False, True])
def test_ranges_are_declared_whatever_the_data(cell_as, compact):
    trace = traced()
    figure = gate_heatmaps(trace, cell_as=cell_as, compact=compact)
    for heatmap in figure.data:
        signal, times = trace.cell[heatmap.name], 100 if compact else 1
        colours = [c for _, c in palette.plotly_scale(palette.scale_of(signal))]
        assert [c for _, c in heatmap.colorscale] == colours
        if signal.name == "cell" and cell_as == "C":
            assert heatmap.zmax == -heatmap.zmin == colour_limit(trace["cell"][0])[0]
        elif signal.name == "cell":
            assert (heatmap.zmin, heatmap.zmax) == (-times, times)
        else:
            assert (heatmap.zmin, heatmap.zmax) == (signal.range[0] * times, signal.range[1] * times)


def test_the_limits_of_the_unbounded_cell_state_are_printed():
    trace = traced("hello " * 9)
    limit, most = colour_limit(trace["cell"][0])
    caption = gate_heatmaps(trace).layout.title.subtitle.text.replace("<br>", " ")
    assert f"C has no bound: its colours end at ±{limit:g}, its largest |C| is {most:.3g}." in caption
    assert "no bound" not in gate_heatmaps(trace, cell_as="tanh").layout.title.subtitle.text


def test_compact_heatmaps_hold_hundredths_and_say_so():
    trace = traced()
    full, compact = gate_heatmaps(trace), gate_heatmaps(trace, compact=True)
    for a, b in zip(full.data, compact.data):
        if b.name != "cell":
            assert b.z.dtype == np.int8
            assert np.abs(b.z / 100 - a.z).max() <= 0.00501
            assert "/ 100" in b.hovertemplate
    assert compact.data[0].z.dtype == np.float32


def test_the_units_stand_in_the_given_order_under_their_own_numbers():
    trace = traced()
    order = [3, 1, 0, 2, 5, 4]
    figure = gate_heatmaps(trace, order=order)
    assert np.array_equal(figure.data[1].z, trace["forget"][0].T[order])
    assert figure.layout.yaxis2.labelalias["0"] == "3"
    assert "Rows are reordered" in figure.layout.title.subtitle.text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_named_and_nothing_is_left_to_a_default(theme):
    figure = gate_heatmaps(traced(), theme=theme)
    assert figure.layout.paper_bgcolor == palette.BACKGROUND[theme]
    name = "plotly_dark" if theme == "dark" else "plotly_white"
    whole = go.Figure(layout={"template": name}).layout.template.to_plotly_json()
    ours = figure.layout.template.to_plotly_json()
    kinds = {trace.type for trace in figure.data}
    assert kinds <= set(ours["data"]) and all(ours["data"][kind] == whole["data"][kind] for kind in ours["data"])
    assert ours["layout"].items() <= whole["layout"].items()
    assert set(whole["layout"]) - set(ours["layout"]) == {"geo", "polar", "scene", "ternary"}


def test_the_caption_names_model_text_layer_convention_and_version():
    figure = gate_heatmaps(traced("hello world", cell="gru"), 1)
    caption = figure.layout.title.subtitle.text.replace("<br>", " ")
    for said in (
        "unnamed",
        "layer 2 of 2",
        "11 characters",
        "“hello world”",
        "z near 1 lets the new in",
        f"Gatescope {lc.__version__}",
    ):
        assert said in caption


def test_nothing_a_person_typed_is_interpreted():
    trace = traced()
    for figure in (gate_heatmaps(trace), difference_heatmaps(trace, traced(seed=1))):
        texts = strings(json.loads(figure.to_json())["layout"])
        assert any("&lt;b&gt;" in s for s in texts)
        for text in texts:
            assert "$" not in text
            assert "<b>x" not in text
            assert not {"\0", "\u202e", "\n"} & set(text)


def test_a_difference_is_a_subtraction_on_symmetric_scales():
    a, b = traced("hello"), traced("hallo", seed=1)
    figure = difference_heatmaps(a, b, 1)
    for heatmap in figure.data:
        assert np.allclose(heatmap.z, (a[heatmap.name][1] - b[heatmap.name][1]).T)
        assert heatmap.zmin == -heatmap.zmax
        assert [c for _, c in heatmap.colorscale] == [c for _, c in palette.plotly_scale("diverging")]
    assert figure.data[1].zmax == 1
    assert figure.data[5].zmax == 2
    assert figure.layout.xaxis.labelalias["1"] == "e<br>a"
    assert figure.layout.xaxis.labelalias["+1"] == "e | a, read as ␣ space"
    assert figure.layout.xaxis.labelalias["+0"] == "h"


def test_what_does_not_exist_is_refused_by_name():
    trace = traced("hello")
    with pytest.raises(ValueError, match="no layer 2; the trace has layers 0 to 1"):
        gate_heatmaps(trace, 2)
    with pytest.raises(ValueError, match="no signal 'reset'; it has cell, forget"):
        gate_heatmaps(trace, signals=["reset"])
    with pytest.raises(ValueError, match="each of the 6 units once; it was given 2 numbers"):
        gate_heatmaps(trace, order=[0, 1])
    with pytest.raises(ValueError, match="no theme 'sepia'; there are light, dark"):
        gate_heatmaps(trace, theme="sepia")
    with pytest.raises(ValueError, match='"C" or as "tanh", not as \'D\''):
        gate_heatmaps(trace, cell_as="D")
    with pytest.raises(ValueError, match="the first has 5 characters, the second 4"):
        difference_heatmaps(trace, traced("hell"))
    with pytest.raises(ValueError, match=r"one cell, not of LSTM and RNN"):
        difference_heatmaps(trace, traced("hello", cell="rnn"))
    with pytest.raises(ValueError, match="not 2 x 6 and 2 x 5"):
        difference_heatmaps(trace, traced("hello", units=5))


@pytest.mark.parametrize("values, limit", [(np.zeros(4), 1.0), (np.full(4, -3.21), 3.3), (np.array([0.00123]), 0.0013)])
def test_limits_are_rounded_up_to_two_digits(values, limit):
    assert colour_limit(values)[0] == limit


def test_one_outlier_does_not_take_the_colours_from_the_rest():
    values = np.linspace(-1, 1, 10_000)
    values[0] = 500
    limit, most = colour_limit(values)
    assert 0.95 < limit <= 1
    assert most == 500


def test_no_unit_is_left_out_of_the_colours():
    values = np.zeros((1000, 512))
    values[:, 1::2] = 50  # a sample that takes every other number would see none of these
    assert colour_limit(values) == (50, 50)
