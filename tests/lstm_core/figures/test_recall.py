"""The figure of the recall task: means, from the least to the largest, and guessing marked."""

from __future__ import annotations

import pytest

from lstm_core.figures.recall import accuracy_by_gap, by_cell
from lstm_core.recall import Result

RUNS = {"rnn": [{1: 1.0, 10: 0.2}, {1: 0.8, 10: 0.1}], "lstm": [{1: 1.0, 10: 1.0}]}


def test_lines_are_means_and_bars_reach_from_the_least_to_the_largest() -> None:
    figure = accuracy_by_gap(RUNS, 0.125)
    rnn, lstm = figure.data
    assert (rnn.name, lstm.name) == ("RNN", "LSTM")
    assert list(rnn.x) == [1, 10] and list(rnn.y) == pytest.approx([0.9, 0.15])
    assert list(rnn.error_y.array) == pytest.approx([0.1, 0.05]) == list(rnn.error_y.arrayminus)
    assert list(lstm.error_y.array) == [0, 0]
    assert rnn.line.dash != lstm.line.dash and rnn.marker.symbol != lstm.marker.symbol


def test_guessing_is_marked_with_its_share() -> None:
    figure = accuracy_by_gap(RUNS, 0.125)
    assert [shape.y0 for shape in figure.layout.shapes] == [0.125]
    assert [note.text for note in figure.layout.annotations] == ["guessing: 12.5 %"]


def test_a_run_that_is_not_done_has_fewer_gaps_and_the_axis_is_whole_from_the_beginning() -> None:
    figure = accuracy_by_gap({"lstm": [{1: 1.0}]}, 0.5, gaps=(1, 5, 40))
    assert list(figure.layout.xaxis.tickvals) == [1, 5, 40]
    assert accuracy_by_gap({}, 0.5, gaps=(1, 5, 40)).layout.xaxis.tickvals == (1, 5, 40)
    assert accuracy_by_gap({}, 0.5).data == ()


def test_results_are_gathered_by_their_cells() -> None:
    results = [Result("alone", cell, 8, seed, {1: 0.5}, (), 10, 1.0) for cell in ("gru", "rnn") for seed in (1, 2)]
    assert by_cell(results) == {"gru": [{1: 0.5}, {1: 0.5}], "rnn": [{1: 0.5}, {1: 0.5}]}


def test_an_unknown_cell_is_named() -> None:
    with pytest.raises(ValueError, match="there is no cell 'elman'"):
        accuracy_by_gap({"elman": [{1: 1.0}]}, 0.5)
