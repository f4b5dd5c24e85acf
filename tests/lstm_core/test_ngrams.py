"""The n-grams against arithmetic done by hand, a plain dictionary, and the numbers reported for known books."""

from __future__ import annotations

import math
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core import corpora
from lstm_core.ngrams import NgramLoss, losses_by_order, ngram_loss
from tests.examples import examples

SHARED = Path(__file__).parents[3] / "../shared/data/corpora"
few_letters = st.text("abc", min_size=1, max_size=60)


def plain_probability(train: str, context: str, character: str, characters: str) -> float:
    """The formula as the papers write it, one character at a time."""
    lower = plain_probability(train, context[1:], character, characters) if context else 1 / len(characters)
    length = len(context)
    seen = Counter(train[i + length] for i in range(len(train) - length) if train[i : i + length] == context)
    if not seen:
        return lower
    return (seen[character] + len(seen) * lower) / (seen.total() + len(seen))


def plain_loss(train: str, held_out: str, order: int, characters: str) -> float:
    contexts = [held_out[max(0, i - order + 1) : i] for i in range(len(held_out))]
    nats = [-math.log(plain_probability(train, h, c, characters)) for h, c in zip(contexts, held_out, strict=True)]
    return sum(nats[1:]) / (len(nats) - 1)


def last_probability(train: str, held_out: str, order: int) -> float:
    """The probability of the last character of three, from the sums of nats with and without it."""
    return math.exp(ngram_loss(train, held_out[:2], [order])[order] - 2 * ngram_loss(train, held_out, [order])[order])


def test_by_hand() -> None:
    result = ngram_loss("aab", "aab", [1, 2, 3])
    # p1(a) = (2 + 2/2) / 5; p2(a|a) = (1 + 2 * 0.6) / 4; p2(b|a) = (1 + 2 * 0.4) / 4; p3(b|aa) = (1 + 0.45) / 2
    assert result[1] == pytest.approx(-math.log(0.6 * 0.4) / 2)
    assert result[2] == pytest.approx(-math.log(0.55 * 0.45) / 2)
    assert result[3] == pytest.approx(-math.log(0.55 * 0.725) / 2)
    assert (result.best_order, result.best_loss) == (3, result[3])
    assert result.uniform_loss == pytest.approx(math.log(2))


def test_an_order_counts_the_character_itself() -> None:
    """Two characters before it decide the next one here: order 3 knows, order 2 can't."""
    result = ngram_loss("xabyac" * 50, "xabyacxab", range(1, 5))
    assert result[3] < 0.05 < 0.15 < result[2] < result[1]


def test_a_character_only_the_held_out_text_has_is_in_the_vocabulary() -> None:
    # Of 3 characters, 1 kind among the 2 counted: (0 + 1 * 1/3) / (2 + 1) for each that was never counted.
    assert ngram_loss("aa", "xyx", [1])[1] == pytest.approx(math.log(9))
    assert ngram_loss("aa", "xy", [1]).vocabulary == 3


@given(few_letters, few_letters.filter(lambda text: len(text) > 1), st.integers(1, 6))
def test_equals_the_plain_formula(train: str, held_out: str, order: int) -> None:
    characters = "".join(sorted(set(train + held_out)))
    assert ngram_loss(train, held_out, [order])[order] == pytest.approx(plain_loss(train, held_out, order, characters))


@given(few_letters.map(lambda text: text + "abc"), st.text("abc", min_size=2, max_size=2), st.integers(1, 4))
def test_probabilities_add_up_to_one(train: str, context: str, order: int) -> None:
    assert sum(last_probability(train, context + c, order) for c in "abc") == pytest.approx(1)


@given(few_letters, few_letters.filter(lambda text: len(text) > 1))
def test_only_sameness_of_characters_matters(train: str, held_out: str) -> None:
    other = str.maketrans("abc", "z😀\n")
    same, renamed = ngram_loss(train, held_out), ngram_loss(train.translate(other), held_out.translate(other))
    assert renamed.losses == pytest.approx(same.losses)


@given(few_letters, few_letters.filter(lambda text: len(text) > 1))
def test_orders_beyond_the_text_change_nothing(train: str, held_out: str) -> None:
    longest = len(held_out)
    result = ngram_loss(train, held_out, [longest, longest + 1, longest + 5])
    assert result.losses == (result[longest],) * 3


def test_orders_may_be_few_unsorted_or_doubled() -> None:
    train, held_out = "the cat sat on the mat " * 5, "the rat sat on the cat"
    everything = ngram_loss(train, held_out, range(1, 8))
    some = ngram_loss(train, held_out, [5, 2, 5])
    assert some == NgramLoss((2, 5), (everything[2], everything[5]), everything.vocabulary)
    assert tuple(islice(losses_by_order(train, held_out), 7)) == everything.losses


def test_the_lower_order_wins_a_tie() -> None:
    assert NgramLoss((1, 2, 3), (2.0, 1.0, 1.0), 5).best_order == 2


def test_refusals() -> None:
    with pytest.raises(ValueError, match="they have 0 and 2"):
        ngram_loss("", "ab")
    with pytest.raises(ValueError, match="they have 2 and 1"):
        ngram_loss("ab", "a")
    with pytest.raises(ValueError, match=r"from 1 up.*\[0, 3\] was given"):
        ngram_loss("ab", "ab", [3, 0])
    with pytest.raises(ValueError, match=r"at least one of them; \[\] was given"):
        ngram_loss("ab", "ab", [])
    with pytest.raises(KeyError, match="order 4 was not measured; the orders here are 1, 2"):
        ngram_loss("ab", "ab", [1, 2])[4]


@settings(max_examples=examples(20))
@given(st.text(st.characters(), min_size=2, max_size=200))
def test_any_unicode_has_a_finite_loss(text: str) -> None:
    result = ngram_loss(text, text)
    assert all(math.isfinite(loss) and loss >= 0 for loss in result.losses)


@pytest.mark.parametrize(
    ("name", "order", "loss"),
    [("tinyshakespeare.txt", 5, 1.669), ("warandpeace.txt", 6, 1.328)],
)
def test_the_numbers_reported_for_known_books(name: str, order: int, loss: float) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not in ../shared/data/corpora")
    corpus = corpora.from_file(SHARED / name)
    result = ngram_loss(corpus.train, corpus.held_out, range(1, 9))
    assert (result.best_order, round(result.best_loss, 3)) == (order, loss)
