"""Texts are decoded, split and named as the cards of the models say."""

from __future__ import annotations

import hashlib
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core import corpora

SHARED = Path(__file__).parents[2] / "../shared/data/corpora"
FRENCH = [SHARED / "french_utf8_bom.txt", SHARED / "french_latin1.txt"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbf\xc3\xa9t\xc3\xa9", "été"),
        ("été".encode(), "été"),
        ("été".encode("latin-1"), "été"),
        (b"\x93a\x94 \x80", "“a” €"),
        (b"\x81\xe9", "\x81é"),
        (b"a\r\nb\rc\nd", "a\nb\nc\nd"),
        (b"", ""),
    ],
    ids=["UTF-8 with mark", "UTF-8", "Latin-1", "Windows-1252", "no Windows-1252", "line ends", "empty"],
)
def test_bytes_become_text(data: bytes, text: str) -> None:
    assert corpora.decode(data) == text


@given(st.binary(max_size=300))
def test_any_bytes_become_text_without_carriage_returns(data: bytes) -> None:
    assert "\r" not in corpora.decode(data)


@given(st.text(st.characters(exclude_characters="\r\ufeff", exclude_categories=["Cs"])))
def test_utf8_comes_back_as_it_was(text: str) -> None:
    assert corpora.decode(text.encode()) == text
    assert corpora.decode(text.encode("utf-8-sig")) == text


@pytest.mark.skipif(not all(f.exists() for f in FRENCH), reason="the French pair is not in ../shared/data/corpora")
def test_one_book_in_two_encodings_reads_the_same() -> None:
    unicode, latin = (corpora.decode(f.read_bytes()) for f in FRENCH)
    assert unicode.startswith("The Project Gutenberg EBook of Entre Nous")
    assert "PROFESSEUR à L’ÉCOLE SECONDAIRE" in unicode and "PROFESSEUR à L'ÉCOLE SECONDAIRE" in latin
    # Latin-1 has no œ and no curved quotes, each file names its own encoding, and a few lines are spaced differently.
    unicode = unicode.replace("œ", "oe").replace("encoding: UTF-8", "encoding: ISO-8859-1")
    assert "".join(filter(str.isalpha, unicode)) == "".join(filter(str.isalpha, latin))


@given(st.text("aé\n😀", min_size=100, max_size=400))
def test_a_text_is_split_in_order(text: str) -> None:
    corpus = corpora.from_text(text, "mine")
    assert corpus.train + corpus.held_out == text
    assert len(corpus.train) == len(text) * 9 // 10
    assert corpus.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert corpus.facts == {
        "corpus": "mine",
        "sha256": corpus.sha256,
        "split": "in order: first 90 % of the characters to train, last 10 % to judge",
        "train_characters": len(corpus.train),
        "held_out_characters": len(corpus.held_out),
    }


def test_a_text_too_short_to_split_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the corpus 'mine' has 99 characters; at least 100 are needed"):
        corpora.from_text("a" * 99, "mine")
    assert len(corpora.from_text("a" * 100, "mine").held_out) == 10


def test_a_file_is_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_bytes(b"\xef\xbb\xbf" + b"line\r\n" * 100)
    corpus = corpora.from_file(path)
    assert corpus == corpora.from_file(str(path)) == corpora.from_text("line\n" * 100, "poem.txt")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.txt"):
        corpora.from_file(tmp_path / "nothing.txt")


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def test_the_standard_library_is_split_between_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {f"m{k}.py": f"{k}".encode() * 10 for k in range(8)}
    kept |= {"json/decoder.py": b"j" * 12, "testing.py": b"z" * 10 + b"\r\n" + b"z"}
    left_out = {
        "test/a.py": b"t",
        "json/tests/b.py": b"t",
        "site-packages/c/d.py": b"t",
        "accents.py": "é".encode(),
        "notes.txt": b"t",
    }
    write(tmp_path, kept | left_out)
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path)})
    corpus = corpora.standard_library()
    assert corpus.train == "j" * 12 + "".join(f"{k}" * 10 for k in range(8))
    assert corpus.held_out == "z" * 10 + "\nz"
    assert corpus.split == "by files, in the order of their paths: first 9 files to train, last 1 to judge"
    assert corpus.sha256 == corpora.sha256_of(corpus.train + corpus.held_out)


def test_this_pythons_own_library_is_a_corpus() -> None:
    corpus = corpora.standard_library()
    share = len(corpus.train) / (len(corpus.train) + len(corpus.held_out))
    assert 0.85 < share <= corpora.TRAIN_SHARE
    assert len(corpus.train) > 5_000_000
    assert (corpus.train + corpus.held_out).isascii() and "\r\n" not in corpus.train
    assert "class ArgumentParser(" in corpus.train and "class UUID" in corpus.held_out
    assert corpus.name.startswith("Python 3.") and corpus.name.endswith(" standard library")
