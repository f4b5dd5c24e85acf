"""Any Unicode: one step a typed character, nothing dropped, and what is read is always in the vocabulary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lstm_core.text import LOOK_ALIKES, MAX_CHARACTERS, TextError, Vocabulary

EVERYTHING = st.text(st.characters(codec=None), min_size=1, max_size=60)  # lone surrogates and NUL among them
ENGLISH = Vocabulary(" !\"'*+-./?abcdefghijklmnopqrstuvwxyzABC\n")


@given(EVERYTHING, EVERYTHING)
@example("\ud800\x00\udfff", "a")
@example("e\u0301 \u200f\u05e9\u05dc\u05d5\u05dd\u202e", "a ")
@example("👩‍👩‍👧‍👦🏳️‍🌈", "👩")
@example("ﷺ½ﬁ①", "abcf1")
def test_one_step_a_code_point_whatever_the_model_knows(text: str, known: str) -> None:
    vocabulary = Vocabulary.of(known)
    reading = vocabulary.encode(text)
    assert "".join(reading.chars) == text
    assert len(reading.chars) == len(reading.read_as) == len(reading.ids) == len(text)
    assert set(reading.read_as) <= set(vocabulary.characters)
    assert tuple(vocabulary.characters[k] for k in reading.ids) == reading.read_as
    assert all(read == c for c, read in zip(text, reading.read_as) if c in vocabulary)
    assert reading.replaced == tuple(t for t, c in enumerate(text) if c not in vocabulary)
    np.testing.assert_array_equal(vocabulary.ids(text), reading.ids)


@given(EVERYTHING)
def test_a_vocabulary_finds_its_own_characters(text: str) -> None:
    vocabulary = Vocabulary.of(text)
    assert vocabulary.characters == tuple(sorted(set(text)))
    assert [vocabulary.index(c) for c in vocabulary.characters] == list(range(len(vocabulary)))


@pytest.mark.parametrize("typed, read", LOOK_ALIKES.items())
def test_look_alikes_are_read_in_place_of_what_they_look_like(typed: str, read: str) -> None:
    assert Vocabulary([read, "#"], unknown="#").replacement_for(typed) == read


@pytest.mark.parametrize(
    "typed, read",
    [
        ("é", "e"), ("ñ", "n"), ("Å", "A"), ("ﬁ", "f"), ("①", "1"), ("ｗ", "w"), ("½", "1"),  # NFKD: the base form
        ("’", "'"), ("“", '"'), ("—", "-"), ("…", "."),  # look-alikes
        ("Ø", "o"), ("E", "e"), ("ß", "s"),  # the other case, where this one is not known
        ("\t", " "), ("\r", "\n"), ("\u00a0", " "), ("\u2028", "\n"),
        ("日", "#"), ("👍", "#"), ("\ud83d", "#"), ("\x00", "#"), ("\u0301", "#"),
    ],
)  # fmt: skip
def test_what_is_read_in_place_of_a_character_never_seen(typed: str, read: str) -> None:
    vocabulary = Vocabulary("#enAfw1sabcdo'\"-. \n", unknown="#")
    assert vocabulary.encode(typed).read_as == (read,)


def test_a_known_character_is_read_as_itself_even_if_it_looks_like_another() -> None:
    assert Vocabulary("’'é e").encode("’'ée").read_as == ("’", "'", "é", "e")


def test_a_text_of_none_gets_one_sentence() -> None:
    with pytest.raises(TextError, match=r"^There is no text to read: type at least one character\.$"):
        ENGLISH.encode("")


def test_a_text_that_is_too_long_gets_one_sentence() -> None:
    assert MAX_CHARACTERS == 20_000
    assert len(ENGLISH.encode("a" * 20_000).chars) == 20_000
    with pytest.raises(TextError, match=r"^The text has 20,001 characters; at most 20,000 can be read at once\.$"):
        ENGLISH.encode("a" * 20_001)


def test_a_text_of_one_character_is_a_text() -> None:
    assert ENGLISH.encode("a").read_as == ("a",)


def test_the_corpus_may_be_longer_or_empty() -> None:
    assert ENGLISH.ids("a" * 30_000).shape == (30_000,)
    assert ENGLISH.ids("").shape == (0,)


def test_ids_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ENGLISH.encode("abc").ids[0] = 1


@pytest.mark.parametrize(
    "characters, unknown, sentence",
    [
        ("", None, "at least one character; it was given none"),
        ("abca", None, "holds each character once; 'a' is there 2 times"),
        (["a", "<unk>"], None, "'<unk>' is not: give it a character of its own"),
        (["a", ""], None, "'' is not: give it a character of its own"),
        (["a", 7], None, "7 is not: give it a character of its own"),
        ("ab", "c", "the unknown character 'c' is not in the vocabulary"),
    ],
)
def test_vocabularies_that_are_refused(characters, unknown: str | None, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Vocabulary(characters, unknown)


def test_the_unknown_is_the_space_where_there_is_one() -> None:
    assert Vocabulary("ab ").unknown == " "
    assert Vocabulary("ab").unknown == "a"
    assert Vocabulary("ab", "b").unknown == "b"


def test_an_unknown_index_names_the_character() -> None:
    with pytest.raises(KeyError, match="'é' is not among the 2 characters"):
        Vocabulary("ab").index("é")
