"""Gathers the words that people see into assets/locale/gatescope.pot: `python tests/gather_words.py`.

A message comes from a call of `tr`, `tr_n` or `N_` in Python, of `tr` or `trN` in JavaScript, and from lessons and walks.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "assets" / "locale" / "gatescope.pot"
KEYWORDS = {"tr": None, "N_": None, "tr_n": (1, 2), "trN": (1, 2)}
SOURCES = {"python": ("app.py", "pages/**/*.py", "lstm_core/**/*.py"), "javascript": ("assets/**/*.js",)}
PROSE = {  # the fields that are shown, by the file they stand in
    "assets/lessons.json": ("title", "level", "look", "question", "choices", "answer", "teacher"),
    "assets/walks/*.json": ("title", "text", "attempt"),
    "assets/texts.json": ("title",),
    "assets/passages.json": ("title", "source"),
}


def messages() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """The file that each message stands in, and the message, or its forms for one and for many."""
    for method, patterns in SOURCES.items():
        for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern)}):
            for _line, message, _comments, _context in extract(method, io.BytesIO(path.read_bytes()), KEYWORDS):
                yield path.relative_to(ROOT).as_posix(), message
    for pattern, fields in PROSE.items():
        for path in sorted(ROOT.glob(pattern)):
            for message in prose(json.loads(path.read_text("utf-8")), fields):
                yield path.relative_to(ROOT).as_posix(), message


def prose(found: object, fields: tuple[str, ...]) -> Iterator[str]:
    """The texts under these names, however deep they stand."""
    if isinstance(found, dict):
        for name, value in found.items():
            if name in fields:
                yield from [value] if isinstance(value, str) else [v for v in value if isinstance(v, str)]
            else:
                yield from prose(value, fields)
    elif isinstance(found, list):
        for value in found:
            yield from prose(value, fields)


def template() -> bytes:
    """The catalogue to translate from, a .pot file without dates and line numbers: it changes with its words alone."""
    catalogue = Catalog(project="Gatescope", charset="utf-8")
    for file, message in messages():
        catalogue.add(message, locations=[(file, None)])  # type: ignore[list-item]  # no line: it moves without reason
    buffer = io.BytesIO()
    write_po(buffer, catalogue, omit_header=True, sort_output=True, width=120)
    return buffer.getvalue()


if __name__ == "__main__":
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_bytes(template())
    print(f"{TEMPLATE.relative_to(ROOT)}: {TEMPLATE.read_bytes().count(b'msgid')} messages")
