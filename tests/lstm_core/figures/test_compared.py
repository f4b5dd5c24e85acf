"""The figures of the page Compare: surprise and disagreement, cost and loss."""

import pytest

import lstm_core as lc
from lstm_core.analysis.disagreement import disagreement
from lstm_core.figures import palette
from lstm_core.figures.costs import loss_against_cost
from lstm_core.figures.disagreement import surprise_and_disagreement

TEXT = "a quiet evening <b>$x$"


@pytest.fixture(scope="module")
def compared(make_model):
    traces = []
    for k, cell in enumerate(("rnn", "lstm", "gru")):
        model = make_model(cell, seed=k)
        model.name = f"model <{k}>"
        traces.append(lc.trace(model, TEXT))
    return traces, disagreement(traces)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_line_a_model_and_bars_of_their_disagreement(compared, theme):
    traces, between = compared
    figure = surprise_and_disagreement(traces, between, theme)
    *lines, bars = figure.data
    for line, trace in zip(lines, traces, strict=True):
        assert list(line.y[1:]) == pytest.approx(trace.surprise[1:])
        assert line.line.color in palette.READER_COLOURS[theme]
    assert len({(line.line.dash, line.marker.symbol) for line in lines}) == 3, "not told apart by colour alone"
    assert list(bars.y) == pytest.approx(between.values)
    assert "&lt;0&gt;" in lines[0].name
    ranks = [a for a in figure.layout.annotations if a.text.endswith("▼")]
    assert [(int(a.text[:-1]), a.x) for a in ranks] == list(enumerate(between.peaks, 1))


def test_the_disagreement_of_other_models_is_refused(compared):
    traces, between = compared
    with pytest.raises(ValueError, match="not of model <2>"):
        surprise_and_disagreement(traces[::-1], between)


def test_a_point_a_model_each_with_a_marker_of_its_own():
    figure = loss_against_cost(["a", "b<i>"], [10, 20], [1.5, 1.2], ngrams=1.328)
    assert [(p.x[0], p.y[0]) for p in figure.data] == [(10, 1.5), (20, 1.2)]
    assert len({p.marker.symbol for p in figure.data}) == 2
    assert figure.data[1].name == "b&lt;i&gt;"
    assert any("1.328" in a.text for a in figure.layout.annotations)


def test_a_cost_without_a_loss_is_refused():
    with pytest.raises(ValueError, match="2 names, 2 costs, 1 losses"):
        loss_against_cost(["a", "b"], [10, 20], [1.5])
