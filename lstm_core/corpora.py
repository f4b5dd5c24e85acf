"""Texts to train on and to judge by: a file, or the Python standard library's own source."""

from __future__ import annotations

import hashlib
import platform
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from lstm_core.errors import InputError
from lstm_core.words import tr

TRAIN_SHARE = 0.9
STDLIB_LEFT_OUT = {
    "test", "tests", "site-packages", "lib2to3", "idlelib", "turtledemo", "pydoc_data", "ensurepip", "__pycache__",
}  # fmt: skip


@dataclass(frozen=True)
class Corpus:
    """A text in two parts: the first 90 % to train on, the last 10 % to judge by, in order.

    sha256: of the whole text as UTF-8. split: the sentence that says how the parts were cut.
    """

    name: str
    train: str
    held_out: str
    sha256: str
    split: str

    @property
    def facts(self) -> dict[str, str | int]:
        """What a model's card records of its corpus."""
        return {
            "corpus": self.name,
            "sha256": self.sha256,
            "split": self.split,
            "train_characters": len(self.train),
            "held_out_characters": len(self.held_out),
        }


def decode(data: bytes) -> str:
    """Text from bytes: UTF-8 (a byte-order mark is dropped), else Windows-1252, else Latin-1; line ends become LF."""
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    return text.replace("\r\n", "\n").replace("\r", "\n")


def sha256_of(text: str) -> str:
    """SHA-256 of the text as UTF-8, 64 hexadecimal digits: what a card names its corpus by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def from_text(text: str, name: str) -> Corpus:
    """Splits a text in order: first 90 % of the characters, last 10 %. Raises InputError under 100 characters."""
    if len(text) < 100:
        raise InputError(
            tr(
                "the corpus {name!r} has {text_count} characters; at least 100 are needed to train and to judge",
                name=name,
                text_count=len(text),
            )
        )
    cut = int(len(text) * TRAIN_SHARE)
    split = tr("in order: first 90 % of the characters to train, last 10 % to judge")
    return Corpus(name, text[:cut], text[cut:], sha256_of(text), split)


def from_file(path: str | Path) -> Corpus:
    """A text file, split in order. Raises OSError when it can't be read, InputError when it is too short."""
    path = Path(path)
    return from_text(decode(path.read_bytes()), path.name)


def standard_library() -> Corpus:
    """This Python's own standard library, pure ASCII files in the order of their paths, split between files.

    The text differs by Python version: the corpus name says which, and the hash pins it.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    paths = sorted(p.relative_to(root).as_posix() for p in root.rglob("*.py"))
    texts = []
    for path in paths:
        if not STDLIB_LEFT_OUT & set(path.split("/")[:-1]):
            data = (root / path).read_bytes().replace(b"\r\n", b"\n")
            if data.isascii():
                texts.append(data.decode("ascii"))
    sizes = [len(t) for t in texts]
    goal, seen, cut = sum(sizes) * TRAIN_SHARE, 0, 0
    while cut < len(texts) and seen + sizes[cut] <= goal:
        seen += sizes[cut]
        cut += 1
    split = tr(
        "by files, in the order of their paths: first {cut} files to train, last {texts_count} to judge",
        cut=cut,
        texts_count=len(texts) - cut,
    )
    name = tr("Python {python_version} standard library", python_version=platform.python_version())
    return Corpus(name, "".join(texts[:cut]), "".join(texts[cut:]), sha256_of("".join(texts)), split)
