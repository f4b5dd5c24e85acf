"""Writing text: reproducible, from the model's own distribution."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import lstm_core as lc

make = Callable[..., lc.CharModel]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_same_seed_writes_the_same_text(make_model: make, cell: str) -> None:
    model = make_model(cell)
    first = lc.sample(model, "the ", 40, seed=3)
    assert len(first) == 40
    assert set(first) <= set(model.vocabulary.characters)
    torch.manual_seed(99)
    assert lc.sample(model, "the ", 40, seed=3) == first
    assert lc.sample(model, "the ", 40, seed=4) != first


def test_the_coldest_text_is_the_likeliest_character_each_time(make_model: make) -> None:
    model, text = make_model("lstm"), "the "
    for _ in range(12):
        text += model.vocabulary.characters[int(lc.trace(model, text).probs[-1].argmax())]
    for temperature in (0, 1e-320, 1e-30, 1e-6):
        assert lc.sample(model, "the ", 12, temperature) == text[4:]


def test_characters_come_as_often_as_they_are_predicted(make_model: make) -> None:
    model = make_model("rnn", vocabulary="abc")
    probs = lc.trace(model, "ab").probs[-1]
    first = [lc.sample(model, "ab", 1, seed=k) for k in range(400)]
    for character, probability in zip("abc", probs):
        assert abs(first.count(character) / 400 - probability) < 4 * (probability * (1 - probability) / 400) ** 0.5


def test_a_high_temperature_flattens(make_model: make) -> None:
    model = make_model("rnn", vocabulary="abcdefgh")
    assert set(lc.sample(model, "a", 200, temperature=1e6)) == set("abcdefgh")


def test_nothing_and_any_unicode(make_model: make) -> None:
    model = make_model("lstm")
    assert lc.sample(model, "a", 0) == ""
    assert len(lc.sample(model, "👍é\x00", 3)) == 3


def test_the_model_is_left_as_it_was(make_model: make) -> None:
    model = make_model("lstm", layers=2, dropout=0.9)
    cold = lc.sample(model.eval(), "a", 8)
    assert lc.sample(model.train(), "a", 8) == cold
    assert model.training


@pytest.mark.parametrize(
    "arguments, error, sentence",
    [
        (("a", -1), ValueError, "length must be 0 or more, not -1"),
        (("a", 1, -0.5), ValueError, "temperature must be 0 or more, not -0.5"),
        (("a", 1, float("nan")), ValueError, "temperature must be 0 or more, not nan"),
        (("a", 1, float("inf")), ValueError, "temperature must be 0 or more, not inf"),
        (("", 1), lc.TextError, "There is no text to read"),
    ],
)
def test_what_is_refused(make_model: make, arguments: tuple, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        lc.sample(make_model("rnn"), *arguments)
