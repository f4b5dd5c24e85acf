"""The words that people see, gathered so that they can be translated: GNU gettext, catalogues in assets/locale.

A sentence stands in the code in English, whole, with names for what is filled in, and is looked up where it is shown:

    tr("{model} has {layers} layers", model=model.name, layers=model.layers)

`N_` marks a sentence that is declared before anybody reads it, in a constant or in a cell.
CONTRIBUTING.md says how the catalogue is made from the code.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterable
from contextvars import ContextVar
from itertools import takewhile
from pathlib import Path
from typing import Any

from lstm_core.places import ASSETS

DOMAIN = "gatescope"
FOLDER = ASSETS / "locale"  # LANGUAGE/LC_MESSAGES/gatescope.mo

_catalogue: ContextVar[gettext.NullTranslations] = ContextVar("catalogue", default=gettext.NullTranslations())  # noqa: B039 it has no state


def use(languages: Iterable[str], folder: Path = FOLDER) -> None:
    """From here on, in this thread or task, words are in the first of these languages that has a catalogue, else in English.

    languages: tags such as "fr" or "pt-BR", the most wanted first. folder: where the catalogues lie.
    """
    before_english = takewhile(lambda tag: tag.split("-")[0] != "en", languages)  # the code is written in English
    names = [tag.replace("-", "_") for tag in before_english]
    found = gettext.translation(DOMAIN, folder, names, fallback=True) if names else gettext.NullTranslations()
    _catalogue.set(found)


def tr(message: str, /, **values: Any) -> str:
    """A message in the reader's language. values: what stands in its {places}, formatted as `str.format` does."""
    found: str = _catalogue.get().gettext(message) if message else ""
    return found.format(**values) if values else str.__str__(found)


def tr_n(one: str, many: str, n: int, /, **values: Any) -> str:
    """The message for a number of things: `one` for 1 and `many` for others in English; a language may have more forms.

    n: what is counted; it fills {n}. values: as for `tr`.
    """
    return _catalogue.get().ngettext(one, many, n).format(n=n, **values)


class Message(str):
    """A message that is declared before anybody reads it: English as a text, and in the reader's language where it is shown,
    that is, where it is formatted into another text or turned into one by `str` or `tr`."""

    def __str__(self) -> str:
        return tr(self)

    def __format__(self, spec: str) -> str:
        return format(tr(self), spec)


def N_(message: str, /) -> Message:
    """Marks a message that is looked up later, where it is shown: a constant, or a word of a cell's declaration."""
    return Message(message)
