from difflib import SequenceMatcher

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.analysis import alignment
from lstm_core.analysis.alignment import MOST_DIFFERENT, align

texts = st.text("ab c", max_size=30)


def shown(first: str, second: str) -> tuple[str, str]:
    """Both texts in their columns, a dot where there is nothing."""
    found = align(first, second)
    rows = ((first, found.first), (second, found.second))
    return tuple("".join("." if k < 0 else text[k] for k in places) for text, places in rows)


@given(texts, texts)
def test_every_character_stands_in_one_column_in_its_order(first, second):
    found = align(first, second)
    assert found.first.shape == found.second.shape
    for text, places in ((first, found.first), (second, found.second)):
        assert [k for k in places if k >= 0] == list(range(len(text)))
    assert (np.maximum(found.first, found.second) >= 0).all()


@given(texts)
def test_equal_texts_stand_column_by_column(text):
    found = align(text, text)
    assert found.first.tolist() == found.second.tolist() == list(range(len(text)))
    assert found.paired.all()


@pytest.mark.parametrize(
    ("first", "second", "rows"),
    [
        ("the sky", "the dark sky", ("the .....sky", "the dark sky")),
        ("the dark sky", "the sky", ("the dark sky", "the .....sky")),
        ("the cat is", "the dog is", ("the cat is", "the dog is")),
        ("ab", "abxyz", ("ab...", "abxyz")),
        ("", "ab", ("..", "ab")),
        ("xxay", "xzzzay", ("xx..ay", "xzzzay")),
    ],
)
def test_what_is_shared_stands_in_the_same_columns(first, second, rows):
    assert shown(first, second) == rows


def test_a_trace_s_characters_are_aligned_like_a_string():
    assert align(tuple("the sky"), tuple("a sky")).first.tolist() == align("the sky", "a sky").first.tolist()


def test_of_a_long_text_only_what_differs_is_matched(monkeypatch):
    matched = []

    def recorded(junk, a, b, **more):
        matched.append((a, b))
        return SequenceMatcher(junk, a, b, **more)

    monkeypatch.setattr(alignment, "SequenceMatcher", recorded)
    text = "it was a long road. " * 1000
    found = align(text, text[:9000] + "winding " + text[9000:])
    assert [(len(a), len(b)) for a, b in matched] == [(0, 8)]
    assert (found.first < 0).sum() == 8


def test_texts_that_differ_everywhere_and_are_long_are_refused():
    with pytest.raises(ValueError, match="differ over 2,001 characters"):
        align("a" * (MOST_DIFFERENT + 1), "b" * 5)
