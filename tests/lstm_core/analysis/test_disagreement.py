import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core.analysis.disagreement import disagreement, divergence, peaks, to_csv

TEXT = "a quiet day, a quiet evening"


def traces(make_model, *alphabets: str, text: str = TEXT) -> list[lc.Trace]:
    models = [make_model(seed=k, vocabulary=alphabet) for k, alphabet in enumerate(alphabets)]
    for k, model in enumerate(models):
        model.name = f"model-{k}"
    return [lc.trace(model, text) for model in models]


def predictions(seed: int, models: int, rows: int, vocab: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.full(vocab, 0.3), rows).astype(np.float32) for _ in range(models)]


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 9), st.integers(1, 12))
def test_it_lies_between_zero_and_the_logarithm_of_the_number_of_models(seed, models, rows, vocab):
    values = divergence(predictions(seed, models, rows, vocab), ["abcdefghijkl"[:vocab]] * models)
    assert values.shape == (rows,) and values.dtype == np.float32
    assert (values >= 0).all() and (values <= np.float32(math.log(models))).all()


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_models_that_expect_the_same_do_not_disagree(seed, models):
    same = predictions(seed, 1, 5, 8)[0]
    assert divergence([same] * models, ["abcdefgh"] * models) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("models", [2, 3, 6])
def test_models_of_which_no_two_think_the_same_possible_disagree_the_most(models):
    certain = [np.eye(models, dtype=np.float32)[[k]] for k in range(models)]
    assert divergence(certain, ["abcdef"[:models]] * models) == pytest.approx(math.log(models))
    apart = [np.ones((1, 1), np.float32)] * models
    assert divergence(apart, list("abcdef"[:models])) == pytest.approx(math.log(models)), "nobody knows the others' characters"


def test_two_models_by_hand():
    p, q = np.array([[0.5, 0.5, 0]]), np.array([[0.5, 0, 0.5]])
    mean = np.array([0.5, 0.25, 0.25])
    wanted = -(mean * np.log(mean)).sum() - math.log(2)
    assert divergence([p, q], ["abc", "abc"]) == pytest.approx(wanted)
    assert divergence([p[:, :2], q[:, [2, 0]]], ["ab", "ca"]) == pytest.approx(wanted), "columns are told by their characters"


def test_the_order_of_the_models_does_not_matter(make_model):
    three = traces(make_model, "adeginqtuvy ,", "adeginqtuvy ,xyzw".replace("y", "", 1), " ,adeginqtuvyé")
    forward, backward = disagreement(three), disagreement(three[::-1])
    assert forward.values == pytest.approx(backward.values, abs=1e-6)
    assert forward.models == ("model-0", "model-1", "model-2") and forward.widest == math.log(3)
    assert len(forward.values) == len(TEXT) and forward.values.max() > 0


def test_a_model_against_itself_agrees(make_model):
    one = traces(make_model, "adeginqtuvy ,")[0]
    found = disagreement([one, one, one])
    assert found.values.max() < 1e-6


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40), st.integers(0, 10))
def test_peaks_fall_are_not_neighbours_and_are_not_zero(numbers, most):
    values = np.array(numbers, np.float32)
    found = peaks(values, most)
    assert len(found) <= most and all(values[step] > 0 for step in found)
    assert list(values[list(found)]) == sorted(values[list(found)], reverse=True)
    assert all(abs(a - b) > 1 for k, a in enumerate(found) for b in found[:k])
    if most and values.max() > 0:
        assert found[0] == int(values.argmax())


def test_peaks_by_hand():
    values = np.array([0, 5, 4, 3, 0, 5, 1], np.float32)
    assert peaks(values, 3) == (1, 5, 3)
    assert peaks(values, 1) == (1,)
    assert peaks(np.zeros(4), 3) == ()


def test_one_model_or_two_texts_are_refused(make_model):
    one = traces(make_model, "adeginqtuvy ,")[0]
    with pytest.raises(ValueError, match="two models or more; it was given 1"):
        disagreement([one])
    with pytest.raises(ValueError, match="another text"):
        disagreement([one, lc.trace(make_model(vocabulary="adeginqtuvy ,"), "a day")])


def test_the_csv_holds_every_number(make_model):
    pair = traces(make_model, "adeginqtuvy ,", "adeginqtuvy ,", text='a "day",\n\ud800')
    found = disagreement(pair)
    rows = list(csv.DictReader(io.StringIO(to_csv(pair, found).decode("utf-8"))))
    assert len(rows) == pair[0].steps
    assert rows[0]["surprise model-0"] == "" and rows[2]["character"] == '"' and rows[-1]["code_point"] == "U+D800"
    for step, row in enumerate(rows):
        assert float(row["disagreement"]) == pytest.approx(found.values[step], rel=1e-7)
        if step:
            assert float(row["surprise model-1"]) == pytest.approx(pair[1].surprise[step], rel=1e-7)
    with pytest.raises(ValueError, match="the disagreement is of model-0, model-1"):
        to_csv(pair[::-1], found)
