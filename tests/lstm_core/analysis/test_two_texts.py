import csv
import io
import math

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.analysis.disagreement import divergence
from lstm_core.analysis.two_texts import to_csv, two_texts


@pytest.fixture(scope="module")
def model(make_model):
    return make_model(layers=2)


def test_a_text_against_itself_does_not_differ(model):
    trace = lc.trace(model, "the sky")
    both = two_texts(trace, trace)
    assert both.apart.max() < 1e-6
    assert not both.difference("cell", 1).any()


def test_nothing_differs_before_the_edit_and_something_does_after(model):
    both = two_texts(lc.trace(model, "the sky is"), lc.trace(model, "the ski is"))
    assert not np.nan_to_num(both.difference("hidden", 0)[:6]).any()
    assert np.abs(both.difference("hidden", 0)[6:]).max() > 0.01
    assert both.apart[:6].max() < 1e-6 and both.peaks[0] >= 6
    assert both.widest == math.log(2)


def test_an_inserted_word_leaves_a_gap_and_the_rest_is_subtracted_in_place(model):
    first, second = lc.trace(model, "the sky"), lc.trace(model, "the dark sky")
    both = two_texts(first, second)
    difference = both.difference("forget", 1)
    gaps = np.isnan(difference).all(axis=1)
    assert gaps.tolist() == [False] * 4 + [True] * 5 + [False] * 3
    assert np.array_equal(difference[9:], first["forget"][1, 4:] - second["forget"][1, 9:])
    assert both.apart[gaps].max() == 0
    wanted = divergence([first.probs[4:], second.probs[9:]], [first.vocabulary.characters] * 2)
    assert both.apart[9:] == pytest.approx(wanted)


def test_two_texts_without_a_common_column_are_shown_all_the_same(model):
    both = two_texts(lc.trace(model, "a"), lc.trace(model, "a sky"))
    assert both.alignment.paired.tolist() == [True, False, False, False, False]


def test_two_models_are_refused(model, make_model):
    other = make_model(seed=1)
    other.name = "other"
    with pytest.raises(ValueError, match="in one model, not in unnamed and other"):
        two_texts(lc.trace(model, "a"), lc.trace(other, "a"))


def test_the_csv_has_both_texts_in_their_columns(model):
    first, second = lc.trace(model, "the sky"), lc.trace(model, "the dark sky")
    both = two_texts(first, second)
    rows = list(csv.DictReader(io.StringIO(to_csv(both).decode("utf-8"))))
    assert "".join(row["first"] for row in rows) == "the sky"
    assert "".join(row["second"] for row in rows) == "the dark sky"
    assert rows[5]["surprise first"] == rows[5]["apart"] == ""
    assert float(rows[-1]["surprise second"]) == pytest.approx(second.surprise[-1], rel=1e-7)
    assert float(rows[-1]["apart"]) == pytest.approx(both.apart[-1], rel=1e-7)
