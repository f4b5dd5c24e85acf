"""Characters to ids, and what becomes of a character that the model never saw.

Each typed character (one Unicode code point) is one time step: none is dropped, none is merged.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from reprlib import repr as shorten

import numpy as np

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


class TextError(ValueError):
    """A text that no model can read, with one sentence for the person who typed it."""


@dataclass(frozen=True)
class Reading:
    """A text as a model reads it: one entry a typed character.

    chars: the characters as typed. read_as: the vocabulary's characters read in their place.
    ids: int64 (time,), ids of `read_as`, 0 to vocab - 1, read-only.
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
    whatever has no look-alike here (default: the space, else the first character).
    Raises ValueError for no characters, one that is there twice, an entry that is not one code point (a token such as
    "<unk>"), and an `unknown` that is not among them. Source: the characters of the model's training text.
    """

    characters: tuple[str, ...]
    unknown: str = ""

    def __init__(self, characters: Sequence[str], unknown: str | None = None) -> None:
        characters = tuple(characters)
        if not characters:
            raise ValueError("a vocabulary needs at least one character; it was given none")
        for character in characters:
            if not isinstance(character, str) or len(character) != 1:
                raise ValueError(
                    f"each entry of a vocabulary is one character; {shorten(character)} is not: give it a character of its own"
                )
        most_frequent, times = Counter(characters).most_common(1)[0]
        if times > 1:
            raise ValueError(f"a vocabulary holds each character once; {most_frequent!r} is there {times} times")
        if unknown is None:
            unknown = " " if " " in characters else characters[0]
        if unknown not in characters:
            raise ValueError(f"the unknown character {shorten(unknown)} is not in the vocabulary")
        object.__setattr__(self, "characters", characters)
        object.__setattr__(self, "unknown", unknown)

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        """The characters of a text, sorted."""
        return cls(sorted(set(text)))

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

    def stand_in(self, character: str) -> str:
        """What the model reads for a character: itself, its base form (NFKD), a look-alike, else `unknown`."""
        if character in self._ids:
            return character
        decomposed = unicodedata.normalize("NFKD", character)
        candidates = [LOOK_ALIKES.get(character, ""), *decomposed, *(LOOK_ALIKES.get(c, "") for c in decomposed)]
        candidates += [c.lower() for c in candidates] + [c.upper() for c in candidates]
        return next((c for c in candidates if c in self._ids), self.unknown)

    def encode(self, text: str) -> Reading:
        """Reads any text of 1 to 20,000 characters: one step a code point, unknown ones by `stand_in`.

        Raises TextError, one sentence, when the text is empty or longer.
        """
        if not text:
            raise TextError("There is no text to read: type at least one character.")
        if len(text) > MAX_CHARACTERS:
            raise TextError(f"The text has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be read at once.")
        stand_ins = {c: self.stand_in(c) for c in set(text)}
        read_as = tuple(stand_ins[c] for c in text)
        ids = np.fromiter((self._ids[c] for c in read_as), np.int64, len(text))
        ids.flags.writeable = False
        return Reading(tuple(text), read_as, ids)

    def ids(self, text: str) -> np.ndarray:
        """int64 (len(text),): ids of a corpus of any length, every character read as in `encode`."""
        table = {ord(c): self._ids[self.stand_in(c)] for c in set(text)}
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        lookup = np.zeros(max(table, default=0) + 1, np.int64)
        lookup[list(table)] = list(table.values())
        return lookup[points]
