"""How characters and symbols are written in pictures: visible, never interpreted, never invisible."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

from lstm_core.words import N_, tr

Glyph = tuple[str, str, Literal["plain", "quiet", "boxed"]]

BOX = "▯"

_QUIET = {" ": ("␣", "space"), "\n": ("↵", N_("line break")), "\t": ("⇥", "tab"), "\r": ("␍", N_("carriage return"))}
_LABELS = {
    "\u00a0": "NBSP", "\u00ad": "SHY", "\u061c": "ALM", "\u200b": "ZWSP", "\u200c": "ZWNJ", "\u200d": "ZWJ", "\u200e": "LRM",
    "\u200f": "RLM", "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO", "\u2028": "LS",
    "\u2029": "PS", "\u202f": "NNSP", "\u2060": "WJ", "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI",
    "\ufeff": "BOM", "\ufffc": "OBJ", "\u3000": "IDSP",
}  # fmt: skip
# first and last of Latin, Greek and Cyrillic letters, punctuation, currencies, arrows and signs: a browser knows no names
NAMED = ((0xA0, 0x24F), (0x370, 0x4FF), (0x2000, 0x206F), (0x20A0, 0x20BF), (0x2190, 0x22FF))


@lru_cache(4096)
def glyph(character: str) -> Glyph:
    """What to draw for one character, how to speak of it, and how it is drawn: "plain", "quiet" or "boxed".

    Never returns the character itself where it would be invisible, would reorder its neighbours, or is half a pair:
    controls become control pictures, a combining mark sits on a dotted circle, the rest a short label for a box.
    Source: the Unicode character database.
    """
    if character in _QUIET:
        return (*_QUIET[character], "quiet")
    if not character:  # a step that is the rest of a character, as the bytes after its first are
        return "⋯", tr("rest of the character before"), "quiet"
    if "\udc80" <= character <= "\udcff":  # how a vocabulary of bytes names those from 128 up
        return f"x{ord(character) - 0xDC00:X}", tr("byte {ord:02X} (hexadecimal)", ord=ord(character) - 0xDC00), "boxed"
    code, category = ord(character), unicodedata.category(character)
    spoken = f"U+{code:04X} {unicodedata.name(character, '').lower()}".strip()
    if code < 0x20 or code == 0x7F:
        return chr(0x2421 if code == 0x7F else 0x2400 + code), tr("U+{code:04X} control character", code=code), "quiet"
    if 0xFE00 <= code <= 0xFE0F:
        return f"VS{code - 0xFE00 + 1}", spoken, "boxed"
    if character in _LABELS or category in ("Cc", "Cf", "Cn", "Co", "Cs", "Zs", "Zl", "Zp"):
        return _LABELS.get(character, f"{code:X}"), spoken, "boxed"
    if category.startswith("M"):
        return f"◌{character}", spoken, "plain"
    return character, character if code < 0x7F else f"{character} {spoken}", "plain"


def tables(characters: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What assets/shared/glyphs.js needs to do the same as `glyph`, as JSON: glyphs of white space, labels of boxes, and names.

    characters: those whose Unicode names it shall know, besides the letters and signs of European scripts.
    """
    known = {*characters, *(chr(code) for first, last in NAMED for code in range(first, last + 1))}
    names = {c: unicodedata.name(c, "").lower() for c in sorted(known) if len(c) == 1 and ord(c) >= 0x7F}
    quiet = {character: [shown, str(name)] for character, (shown, name) in _QUIET.items()}
    return {"quiet": quiet, "labels": dict(_LABELS), "names": {c: name for c, name in names.items() if name}}


def tick(character: str) -> str:
    """One character as wide as one character, for a tick label: what needs a box becomes an empty one. Escaped."""
    drawn, _, kind = glyph(character)
    return escaped(BOX if kind == "boxed" else isolated(drawn))


def spoken(character: str) -> str:
    """One character as a hover label tells it: "h", "␣ space", "U+200B zero width space". Escaped."""
    drawn, name, kind = glyph(character)
    return escaped(f"{drawn} {name}" if kind == "quiet" else isolated(name))


def snippet(text: str, most: int = 60) -> str:
    """The beginning of a text in visible glyphs, at most `most` of them and "…" where more follows. Escaped."""
    start = "".join(BOX if kind == "boxed" else drawn for drawn, _, kind in map(_spaced, text[:most]))
    return escaped(isolated(start) + ("…" if len(text) > most else ""))


def _spaced(character: str) -> Glyph:
    """Inside running text a space is plain enough, and a combining mark sits on the letter before it."""
    if character == " " or unicodedata.category(character).startswith("M"):
        return character, "", "plain"
    return glyph(character)


def isolated(text: str) -> str:
    """A text between marks that keep its writing direction from reordering what stands around it."""
    return f"\u2068{text}\u2069" if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text) else text


def escaped(text: str) -> str:
    """A text that Plotly shows as it is: no pseudo-HTML, no entity, and no "$" for MathJax to find.

    Plotly looks for $...$ before it decodes entities, and for tags before that: so an entity is safe from both.
    """
    return html.escape(text, quote=False).replace("$", "&#36;")


_ACCENTS = {"tilde": "\u0303", "hat": "\u0302", "bar": "\u0304"}


def plain_symbol(latex: str) -> str:
    r"""A signal's LaTeX letter as plain text: \tilde{C} becomes C with a combining tilde."""
    accented = re.sub(r"\\(tilde|hat|bar)\s*\{?(\w)\}?", lambda m: m[2] + _ACCENTS[m[1]], latex)
    return re.sub(r"[\\{}]", "", accented)


def plain_formula(latex: str) -> str:
    r"""A short product or sum in LaTeX as Plotly shows it: f_{t} \times C_{t-1} becomes fₜ × Cₜ₋₁."""
    text = re.sub(r"_\{?t-1\}?", "ₜ₋₁", latex)
    text = re.sub(r"_\{t\}|_t(?!\w)", "ₜ", text)
    text = re.sub(r"_\{(\w+)\}", r"<sub>\1</sub>", text)
    text = re.sub(r"\^\{(\w+)\}", r"<sup>\1</sup>", text)
    return plain_symbol(text.replace(r"\times", "×").replace(" * ", " × ").replace(r"\,", " "))
