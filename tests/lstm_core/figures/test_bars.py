import pytest
import torch

import lstm_core as lc
from lstm_core.analysis.explain import explain
from lstm_core.figures.bars import kept_and_written


def bars(cell: str):
    torch.manual_seed(0)
    model = lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, 6, 2)
    explanation = explain(model, lc.trace(model, "hello $ world"), 1, 6, 2)
    return explanation, kept_and_written(explanation, "dark")


@pytest.mark.parametrize("cell", tuple(lc.cells()))
def test_each_bar_begins_where_the_last_one_ended_and_the_last_is_their_sum(cell):
    _, figure = bars(cell)
    place = 0.0
    for bar in figure.data[:-1]:
        assert bar.base[0] == pytest.approx(place)
        place += bar.x[0]
    assert figure.data[-1].base[0] == 0
    assert figure.data[-1].x[0] == pytest.approx(place, abs=1e-5)
    low, high = figure.layout.xaxis.range
    assert all(low < b.base[0] + b.x[0] < high for b in figure.data)


@pytest.mark.parametrize("cell", ["lstm", "coupled", "peephole", "peephole_full", "gru", "gru_pytorch"])
def test_the_written_numbers_add_up(cell):
    explanation, figure = bars(cell)
    kept, written, total = (bar.text[0].replace("−", "-") for bar in figure.data)
    assert float(kept) + float(written) == pytest.approx(float(total), abs=0.5 * 10.0 ** -len(total.partition(".")[2]) + 1e-9)
    assert total == explanation.remembering.terms.total
    assert [bar.y[0].split()[0] for bar in figure.data[:2]] == ["kept", "written"]


def test_a_plain_rnn_shows_what_its_preactivation_is_made_of():
    _, figure = bars("rnn")
    assert [bar.y[0] for bar in figure.data] == ["W hₜ₋₁", "W xₜ", "b<sup>hh</sup>", "b<sup>ih</sup>", "their sum"]


def test_the_caption_is_escaped():
    assert "“&#36;”" in bars("lstm")[1].layout.title.subtitle.text
