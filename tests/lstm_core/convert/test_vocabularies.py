"""Which characters ids stand for: told by the file, by a list beside it, or offered; never guessed in silence."""

from __future__ import annotations

import json
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.cells import cell
from lstm_core.convert import ConvertError, Draft, vocabularies
from lstm_core.text import Vocabulary

CHARACTERS = "zyx\n, ab"
TABLE = {c: k for k, c in enumerate(CHARACTERS)}


def draft(size: int, vocabulary: Vocabulary | None = None) -> Draft:
    shapes = {"embedding.weight": (size, 2), "rnn.weight_ih_l0": (3, 2), "rnn.weight_hh_l0": (3, 3), "head.weight": (size, 3)}
    arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    return Draft("a test", cell("rnn"), 3, 1, arrays, 2, size, vocabulary)


FORMS: list[Any] = [
    CHARACTERS,
    list(CHARACTERS),
    tuple(CHARACTERS),
    TABLE,
    dict(enumerate(CHARACTERS)),
    {str(k): c for c, k in TABLE.items()},
    {k: c for c, k in reversed(TABLE.items())},
]


@pytest.mark.parametrize("value", FORMS)
@pytest.mark.parametrize("name", ["chars", "model.tokens", "a.b.itos", "char2int", "anything"])
def test_any_form_under_any_name(name: str, value: Any) -> None:
    found, remarks = vocabularies.in_facts({"lr": 0.1, name: value}, len(CHARACTERS))
    assert (found, remarks) == (Vocabulary(CHARACTERS), ())


@given(st.permutations(string.printable))
def test_any_order_is_kept(characters: list[str]) -> None:
    found, _ = vocabularies.in_facts({"char_to_ix": {c: k for k, c in enumerate(characters)}}, 100)
    assert found == Vocabulary(characters)


def test_a_table_goes_before_a_list_of_another_order_and_that_is_said() -> None:
    found, remarks = vocabularies.in_facts({"chars": sorted(CHARACTERS), "char2int": TABLE}, len(CHARACTERS))
    assert found == Vocabulary(CHARACTERS)
    assert remarks == ("“chars” gives the characters in another order than “char2int”, which is taken",)


@pytest.mark.parametrize(
    "entries, characters",
    [
        (["<pad>", "a", "b", "<unk>"], "␀ab�"),
        (["<s>", "</s>", "a", "b"], "␂␃ab"),
        (["[PAD]", "␀", "a"], "\ue000␀a"),
        (["", "a", "b"], "␀ab"),
        (["<mystery>", "a", "b"], "\ue000ab"),
        (["\ud800", "a", "b", "\udfff"], "\ue000ab\ue001"),  # halves of surrogate pairs, which no text holds
    ],
)
def test_what_is_no_character_becomes_a_picture(entries: list[str], characters: str) -> None:
    found, remarks = vocabularies.in_facts({"itos": entries}, len(entries))
    assert found == Vocabulary(characters)
    assert "shown as a picture" in remarks[0]


@pytest.mark.parametrize("first", [1, 2])
def test_ids_that_a_table_leaves_out_are_allowed_and_said(first: int) -> None:
    table = {c: k + first for k, c in enumerate("abc")}
    found, remarks = vocabularies.in_facts({"char_index": table}, 3 + first)
    assert found is not None and found.characters[first:] == ("a", "b", "c")
    assert "id 0 as ␀" in remarks[0]


@pytest.mark.parametrize(
    "value, reason",
    [
        (list("abc"), "has 3 entries, but the model predicts 8 symbols"),
        (dict(enumerate("abcdefghijk")), "has 11 entries up to id 10, but the model predicts 8 symbols"),
        ({c: k * 40 for k, c in enumerate("abc")}, "up to id 80, but the model predicts 8"),
        (set("abcdefgh"), "is a set of 8, which has no order"),
        ("abcabcab", "names a character twice"),
    ],
)
def test_what_does_not_fit_is_said(value: Any, reason: str) -> None:
    found, (remark,) = vocabularies.in_facts({"vocab": value}, 8)
    assert found is None
    assert remark.startswith("“vocab” ") and reason in remark


def test_words_are_refused() -> None:
    with pytest.raises(ConvertError, match="the model reads words or parts of them .“vocab” has 'w0'., not characters"):
        vocabularies.in_facts({"vocab": [f"w{k}" for k in range(12)]}, 12)


def test_single_bytes_are_a_vocabulary_of_bytes() -> None:
    values = [65, 200, 32]
    found, _ = vocabularies.in_facts({"itos": [bytes([v]) for v in values]}, 3)
    assert found == Vocabulary.of_bytes(values)


@pytest.mark.parametrize(
    "junk", [None, 3, {}, [], {"a": 1.5}, {"a": True, "b": False}, {(1,): "a"}, [["a"], ["b"]], {"a": 0, "b": 0}]
)
def test_anything_else_is_passed_by(junk: Any) -> None:
    assert vocabularies.in_facts({"vocab": junk}, 2) == (None, ())


def test_of_many_long_lists_only_so_many_entries_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    table = vocabularies._table

    def counted(value: Any) -> dict[int, str]:
        looked_at.append(len(value))
        return table(value)

    monkeypatch.setattr(vocabularies, "_table", counted)
    long = "".join(map(chr, range(0x10000, 0x1FFFF)))
    facts: dict[str, Any] = {f"{k}.chars": long for k in range(4000)}
    vocabularies.in_facts(facts, len(long) + 1)
    assert 0 < sum(looked_at) <= vocabularies.MOST_ENTRIES
    looked_at.clear()
    vocabularies.in_facts({"chars": "a" * (50 << 20)}, 7)
    assert looked_at == []


# Files beside the model


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(list(CHARACTERS)),
        json.dumps(TABLE),
        json.dumps({"char2int": TABLE, "n_hidden": 512, "name": "model"}),
        json.dumps({"vocab": {"itos": dict(enumerate(CHARACTERS))}}),
        json.dumps(CHARACTERS),
        CHARACTERS,
        CHARACTERS + "\n",
        "\n".join(CHARACTERS),
        "\n".join(CHARACTERS) + "\n",
        "\n".join(CHARACTERS.replace("\n", "$")).replace("$", "\\n") + "\n",
        "\ufeff" + CHARACTERS,
    ],
)
def test_a_list_in_a_file(text: str) -> None:
    assert vocabularies.from_file(text.encode(), "chars.txt", len(CHARACTERS)) == Vocabulary(CHARACTERS)


@pytest.mark.parametrize(
    "data, sentence",
    [
        (b"abc", r"^'chars.txt' has 3 entries, but the model predicts 8 symbols$"),
        (b"\xff\xfe", "is no list of characters: it is not UTF-8"),
        (b'{"a": {"b": 3}}', "'chars.txt' holds no list of characters"),
        (b"[" * 100_000, "twice|holds no list|predicts 8"),
    ],
)
def test_a_file_that_is_no_fitting_list(data: bytes, sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence):
        vocabularies.from_file(data, "chars.txt", 8)


@given(st.binary(max_size=100), st.integers(1, 9))
def test_any_file_is_a_list_or_gets_a_sentence(data: bytes, size: int) -> None:
    for start in (b"", b"[", b'{"chars":', b'["a",'):
        sentence = "none"
        try:
            assert len(vocabularies.from_file(start + data, "chars.json", size)) == size
        except ConvertError as error:
            sentence = str(error)
        assert sentence


# What is offered


@pytest.mark.parametrize(
    "size, label", [(100, "Python's string.printable"), (65, "tinyshakespeare's characters"), (128, "ASCII"), (256, "bytes")]
)
def test_common_vocabularies_are_offered_where_the_size_fits(size: int, label: str) -> None:
    (candidate,) = vocabularies.candidates(draft(size))
    assert candidate.label == label and len(candidate.vocabulary) == size and candidate.why.endswith(".")
    assert vocabularies.candidates(draft(size - 1)) == ()


def test_a_texts_characters_are_offered_in_three_orders() -> None:
    offered = {c.label: "".join(c.vocabulary.characters) for c in vocabularies.candidates(draft(4), "cbbbaaab b")}
    assert offered == {
        "the text's characters, sorted": " abc",
        "the text's characters, the most frequent first": "bac ",
        "the text's characters, in order of first appearance": "cba ",
    }


def test_a_text_of_one_character_less_is_offered_with_an_id_for_none() -> None:
    offered = [c.vocabulary.characters for c in vocabularies.candidates(draft(4), "abc")]
    assert ("␀", "a", "b", "c") in offered and ("a", "b", "c", "�") in offered
    assert vocabularies.candidates(draft(6), "abc") == ()


def test_the_files_own_comes_first_then_the_list_beside_it_each_once() -> None:
    own, listed = Vocabulary("cab"), b'["b", "a", "c"]'
    offered = vocabularies.candidates(draft(3, own), "abc", {"chars.json": listed, "notes.txt": b"something else"})
    assert [c.label for c in offered][:2] == ["the file's own", "chars.json"]
    vocabulary_lists = [c.vocabulary.characters for c in offered]
    assert len(set(vocabulary_lists)) == len(vocabulary_lists)
