"""Characters to ids, and what becomes of a character that the model never saw.

Each typed character (one Unicode code point) is one time step, or, for a model that reads bytes, as many steps as its
UTF-8 has bytes: none is dropped, none is merged.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from reprlib import repr as shorten
from typing import Literal

import numpy as np

from lstm_core.errors import InputError
from lstm_core.words import tr

MAX_CHARACTERS = 20_000

# What a reader would accept in a character's place; NFKD knows none of these.
LOOK_ALIKES = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'", "ʼ": "'", "‹": "'", "›": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "­": "-",
    "…": ".", "·": ".", "•": "*", "×": "x", "÷": "/", "⁄": "/", "¡": "!", "¿": "?",
    "\t": " ", "\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n", "\u200b": " ",
    "ß": "s", "æ": "a", "œ": "o", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "t", "ı": "i",
    "Æ": "A", "Œ": "O", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "T", "ẞ": "S",
}  # fmt: skip


ALL_BYTES = tuple(bytes([value]).decode("ascii", "surrogateescape") for value in range(256))


def _bytes_of(character: str) -> str:
    """A character's UTF-8, each byte as a vocabulary of bytes names it; such a name stands for itself."""
    return character.encode("utf-8", "surrogateescape").decode("ascii", "surrogateescape")


class TextError(InputError):
    """A text that no model can read, with one sentence for the person who typed it."""


@dataclass(frozen=True)
class Reading:
    """A text as a model reads it: one entry a step.

    chars: the characters as typed. read_as: what the model read in their place. Where a character takes several steps, as
    bytes do, both hold it at the first of them, and "" at the rest: joined, they are the text.
    ids: int64 (time,), of what was read, 0 to vocab - 1, read-only.
    """

    chars: tuple[str, ...]
    read_as: tuple[str, ...]
    ids: np.ndarray

    @property
    def replaced(self) -> tuple[int, ...]:
        """The steps at which the model read something else than was typed."""
        return tuple(t for t, (a, b) in enumerate(zip(self.chars, self.read_as)) if a != b)


@dataclass(frozen=True)
class Vocabulary:
    """The characters a model knows, in the order of their ids.

    characters: one Unicode code point each, all different; a text or a list. unknown: the character that stands for
    whatever has no look-alike here (default: the space, else the first character). reads: "characters", one a step, or
    "bytes", as `of_bytes` makes it; then the bytes from 128 up stand here as U+DC80 to U+DCFF, half surrogate pairs that no
    text holds. Raises InputError for no characters, one that is there twice, an entry that is not one code point (a token
    such as "<unk>") or, where bytes are read, not one byte, and an `unknown` that is not among them.
    Source: the characters of the model's training text; for bytes, PEP 383 (surrogateescape).
    """

    characters: tuple[str, ...]
    unknown: str = ""
    reads: Literal["characters", "bytes"] = "characters"

    def __init__(
        self,
        characters: Sequence[str],
        unknown: str | None = None,
        reads: Literal["characters", "bytes"] = "characters",
    ) -> None:
        characters = tuple(characters)
        if not characters:
            raise InputError(tr("a vocabulary needs at least one character; it was given none"))
        for character in characters:
            if not isinstance(character, str) or len(character) != 1:
                raise InputError(
                    tr(
                        "each entry of a vocabulary is one character; {shorten} is not: give it a character of its own",
                        shorten=shorten(character),
                    )
                )
        most_frequent, times = Counter(characters).most_common(1)[0]
        if times > 1:
            raise InputError(
                tr(
                    "a vocabulary holds each character once; {most_frequent!r} is there {times} times",
                    most_frequent=most_frequent,
                    times=times,
                )
            )
        if unknown is None:
            unknown = " " if " " in characters else characters[0]
        if unknown not in characters:
            raise InputError(tr("the unknown character {shorten} is not in the vocabulary", shorten=shorten(unknown)))
        if reads not in ("characters", "bytes"):
            raise InputError(tr("a vocabulary reads 'characters' or 'bytes', not {shorten}", shorten=shorten(reads)))
        if reads == "bytes" and (more := sorted(set(characters) - set(ALL_BYTES))):
            raise InputError(tr("each entry of a vocabulary of bytes is one byte; {more!r} is none", more=more[0]))
        object.__setattr__(self, "characters", characters)
        object.__setattr__(self, "unknown", unknown)
        object.__setattr__(self, "reads", reads)

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        """The characters of a text, sorted."""
        return cls(sorted(set(text)))

    @classmethod
    def of_bytes(cls, values: Iterable[int] = range(256), unknown: int | None = None) -> Vocabulary:
        """A vocabulary of bytes, in the order of their ids: all 256 in their own order if no others are named.

        values, unknown: 0 to 255. A text is read as its UTF-8, one byte a step. Raises as `Vocabulary` does.
        """
        names = [ALL_BYTES[value] if 0 <= value < 256 else str(value) for value in values]
        return cls(names, None if unknown is None else ALL_BYTES[unknown], "bytes")

    def __len__(self) -> int:
        return len(self.characters)

    def __contains__(self, character: str) -> bool:
        return character in self._ids

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {c: k for k, c in enumerate(self.characters)}

    def index(self, character: str) -> int:
        """A character's id, 0 to len - 1. Raises KeyError when the vocabulary lacks it; `encode` never does."""
        try:
            return self._ids[character]
        except KeyError:
            raise KeyError(f"{character!r} is not among the {len(self)} characters of this vocabulary") from None

    def _knows(self, character: str) -> bool:
        """Whether a typed character can be read as itself: where bytes are read, by all of its UTF-8."""
        if self.reads == "characters":
            return character in self._ids
        return bool(character) and not "\ud800" <= character <= "\udfff" and all(b in self._ids for b in _bytes_of(character))

    def replacement_for(self, character: str) -> str:
        """What the model reads for a character: itself, its base form (NFKD), a look-alike, else `unknown`."""
        if self._knows(character):
            return character
        decomposed = unicodedata.normalize("NFKD", character)
        candidates = [LOOK_ALIKES.get(character, ""), *decomposed, *(LOOK_ALIKES.get(c, "") for c in decomposed)]
        candidates += [c.lower() for c in candidates] + [c.upper() for c in candidates]
        candidates += ["\ufffd"] if self.reads == "bytes" else []
        return next((c for c in candidates if self._knows(c)), self.unknown)

    def encode(self, text: str) -> Reading:
        """Reads any text of 1 to 20,000 characters (or bytes): one step each, unknown characters by `replacement_for`.

        Raises TextError, one sentence, when the text is empty or longer.
        """
        if not text:
            raise TextError(tr("There is no text to read: type at least one character."))
        if len(text) > MAX_CHARACTERS:
            raise TextError(
                tr(
                    "The text has {text_count:,} characters; at most {max_characters:,} can be read at once.",
                    text_count=len(text),
                    max_characters=MAX_CHARACTERS,
                )
            )
        replacements = {c: self.replacement_for(c) for c in set(text)}
        if self.reads == "bytes":
            return self._encode_bytes(text, replacements)
        read_as = tuple(replacements[c] for c in text)
        return Reading(tuple(text), read_as, self._numbered(read_as))

    def _encode_bytes(self, text: str, replacements: dict[str, str]) -> Reading:
        """Each character at the first of its steps, and "" at the rest."""
        spelt = {c: _bytes_of(read) for c, read in replacements.items()}
        symbols = [b for c in text for b in spelt[c]]
        if len(symbols) > MAX_CHARACTERS:
            raise TextError(
                tr(
                    "The text has {symbols_count:,} bytes; at most {max_characters:,} can be read at once.",
                    symbols_count=len(symbols),
                    max_characters=MAX_CHARACTERS,
                )
            )
        chars = [part for c in text for part in (c, *[""] * (len(spelt[c]) - 1))]
        read_as = [part for c in text for part in (replacements[c], *[""] * (len(spelt[c]) - 1))]
        return Reading(tuple(chars), tuple(read_as), self._numbered(symbols))

    def _numbered(self, symbols: Sequence[str]) -> np.ndarray:
        ids = np.fromiter((self._ids[c] for c in symbols), np.int64, len(symbols))
        ids.flags.writeable = False
        return ids

    def ids(self, text: str) -> np.ndarray:
        """int64, one a character (or byte): ids of a corpus of any length, every character read as in `encode`."""
        if self.reads == "bytes":
            others = {ord(c): self.replacement_for(c) for c in set(text) if not self._knows(c)}
            spelt = np.frombuffer(text.translate(others).encode("utf-8", "surrogateescape"), np.uint8)
            return np.array([self._ids.get(b, 0) for b in ALL_BYTES], np.int64)[spelt]
        table = {ord(c): self._ids[self.replacement_for(c)] for c in set(text)}
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        lookup = np.zeros(max(table, default=0) + 1, np.int64)
        lookup[list(table)] = list(table.values())
        return lookup[points]

    def text(self, ids: Iterable[int]) -> str:
        """The text that ids stand for; where they are bytes, U+FFFD stands for what is no UTF-8. Raises IndexError."""
        joined = "".join(self.characters[k] for k in ids)
        return joined if self.reads == "characters" else joined.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
