"""Models that read bytes: UTF-8 spread over several steps, grouped by character, and written back as text."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core.figures.lettering import glyph
from lstm_core.model import CharModel
from lstm_core.text import ALL_BYTES, MAX_CHARACTERS, Vocabulary
from lstm_core.training import held_out_loss

EVERYTHING = st.text(st.characters(codec=None), min_size=1, max_size=60)  # lone surrogates and NUL among them
BYTES = Vocabulary.of_bytes()
TEXT = "né “日” 👍"


def replaced(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


@pytest.fixture(scope="module")
def model() -> CharModel:
    torch.manual_seed(0)
    return CharModel(BYTES, "gru_pytorch", 8, 2, 6, name="bytes").eval()


@given(EVERYTHING)
@example("\ud800\udcc3\x00")
@example("e\u0301👩‍👩‍👧‍👦")
def test_a_text_is_read_as_its_utf8(text: str) -> None:
    reading = BYTES.encode(text)
    spelt = replaced(text).encode("utf-8")
    assert reading.ids.tolist() == list(spelt)
    assert len(reading.chars) == len(reading.read_as) == len(reading.ids)
    assert "".join(reading.chars) == text and "".join(reading.read_as) == replaced(text)
    assert [c for c in reading.chars if c] == list(text), "each character stands at its first byte"
    np.testing.assert_array_equal(BYTES.ids(text), reading.ids)
    assert BYTES.text(reading.ids) == replaced(text)


@given(EVERYTHING, st.sets(st.integers(0, 255), min_size=1))
def test_some_bytes_in_any_order(text: str, known: set[int]) -> None:
    vocabulary = Vocabulary.of_bytes(sorted(known, key=lambda value: value * 37 % 256))
    reading = vocabulary.encode(text)
    assert "".join(reading.chars) == text
    assert len(reading.chars) == len(reading.read_as) == len(reading.ids)
    np.testing.assert_array_equal(vocabulary.ids(text), reading.ids)
    for c in set(text):
        spelt = replaced(c).encode("utf-8")
        if known.issuperset(spelt):
            assert [vocabulary.characters[k] for k in vocabulary.encode(c).ids] == [ALL_BYTES[value] for value in spelt]


def test_a_character_with_a_byte_unknown_is_read_as_what_it_looks_like() -> None:
    ascii_bytes = Vocabulary.of_bytes(range(128))
    reading = ascii_bytes.encode("né日")
    assert (reading.chars, reading.read_as) == (("n", "é", "日"), ("n", "e", " "))
    assert reading.replaced == (1, 2)


def test_ids_of_bytes_that_are_no_text_become_marks() -> None:
    assert BYTES.text([0xC3, 0xA9, 0xFF, 0x41]) == "é\ufffdA"


@pytest.mark.parametrize(
    "characters, reads, sentence",
    [
        (["é"], "bytes", "each entry of a vocabulary of bytes is one byte; 'é' is none"),
        ("ab", "words", "reads 'characters' or 'bytes', not 'words'"),
    ],
)
def test_what_is_no_vocabulary_of_bytes(characters, reads: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Vocabulary(characters, reads=reads)


@pytest.mark.parametrize("values", [[256], [-1], [65, 65]])
def test_values_that_are_no_bytes_or_there_twice(values: list[int]) -> None:
    with pytest.raises(ValueError, match="one character|once"):
        Vocabulary.of_bytes(values)


def test_the_limit_counts_bytes() -> None:
    assert len(BYTES.encode("é" * (MAX_CHARACTERS // 2)).ids) == MAX_CHARACTERS
    with pytest.raises(lc.TextError, match=r"^The text has 20,002 bytes; at most 20,000 can be read at once\.$"):
        BYTES.encode("é" * (MAX_CHARACTERS // 2 + 1))


def test_a_trace_groups_the_bytes_of_a_character(model: CharModel) -> None:
    t = lc.trace(model, TEXT)
    assert (t.text, t.steps) == (TEXT, len(TEXT.encode()))
    assert t.chars[:4] == ("n", "é", "", " ")
    assert [TEXT[k] for k in t.groups] == [c for c in TEXT for _ in c.encode()]
    assert t.groups.dtype == np.int64
    assert lc.certify(model, t).holds
    more = lc.trace(model, "é", state=lc.trace(model, TEXT).final)
    whole = lc.trace(model, TEXT + "é")
    np.testing.assert_allclose(more["hidden"], whole["hidden"][:, -2:], atol=1e-6)


def test_a_trace_of_characters_has_a_group_each(make_model) -> None:
    assert lc.trace(make_model(), "abc").groups.tolist() == [0, 1, 2]


def test_it_is_kept_with_the_model(model: CharModel, tmp_path: Path) -> None:
    lc.save(model, tmp_path / "bytes.safetensors")
    again = lc.load(tmp_path / "bytes.safetensors")
    assert again.vocabulary == BYTES and again.vocabulary.reads == "bytes"
    assert (lc.trace(again, TEXT).probs == lc.trace(model, TEXT).probs).all()


def test_it_writes_text(model: CharModel) -> None:
    written = lc.sample(model, TEXT, 200, seed=1)
    assert not any("\ud800" <= c <= "\udfff" for c in written)
    assert "\ufffd" in written, "an untrained model writes bytes that are no UTF-8"
    assert len(lc.sample(model, "a", 20, temperature=0, seed=2).encode()) >= 20


def test_its_loss_is_a_bytes(model: CharModel) -> None:
    assert held_out_loss(model, TEXT * 9) == pytest.approx(math.log(256), abs=0.2)
    trace = lc.trace(model, TEXT * 9)
    assert trace.loss == pytest.approx(held_out_loss(model, TEXT * 9), abs=1e-4)


def test_glyphs_of_bytes_and_of_the_steps_that_continue_a_character() -> None:
    assert glyph("") == ("⋯", "rest of the character before", "quiet")
    assert glyph(BYTES.characters[0xC3]) == ("xC3", "byte C3 (hexadecimal)", "boxed")
    assert glyph(BYTES.characters[0x41])[0] == "A"
