"""What a link can say: each page declares its query parameters as rows, `read` and `write` do the rest.

A row names a parameter, its kind, its bounds (what there is to ask for) and the sentence for a link that asks for something
else. A kind knows how a value is written; bounds may depend on the rows before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, TypeVar

from lstm_core import numbering
from lstm_core.errors import InputError
from lstm_core.numbering import Counted
from lstm_core.words import tr

LONGEST_TEXT = 2000  # characters; a longer text does not belong in an address
LONGEST_QUOTE = 60  # characters of what was asked that a sentence repeats
MOST_SENTENCES = 4  # about one parameter
LONGEST_NUMBER = 18  # digits: what an int64 holds

T = TypeVar("T")


class Refused(NamedTuple):
    """A part of a parameter that can't be had. known: what there is instead. sentence: where it is not the row's."""

    asked: str
    known: str
    sentence: str = ""


Read = tuple[Any, Sequence[Refused]]  # the value, None where nothing can be had, and what was refused


class Kind(Protocol):
    """How the value of one parameter is written."""

    def read(self, text: str, bounds: Any) -> Read:
        """The value, an index where it is a number, and what was refused."""

    def write(self, value: Any) -> str | None:
        """The text that reads as this value; None where no address can hold it, or where there is nothing to say."""


@dataclass(frozen=True)
class Field:
    """One query parameter.

    bounds: as the kind takes them, or a function of the value so far and of `world`, which returns them. sentence: for what
    is refused, marked by N_, with {asked}, {known} (what there is), {now} (the value so far), {kept} (what holds instead)
    and {kind}; "" where nothing is to be said. attribute: of the value (default: the parameter's name). when: whether it is
    written. replaced_by: the parameter by which links say this today: this one is read where that is absent, and never
    written.
    """

    name: str
    kind: Kind
    bounds: Any = None
    sentence: str = ""
    attribute: str = ""
    when: Callable[[Any], bool] = lambda value: True
    replaced_by: str = ""

    def _bounds(self, now: Any, world: Any) -> Any:
        return self.bounds(now, world) if callable(self.bounds) else self.bounds

    def _sentences(self, refused: Iterable[Refused], now: Any) -> list[str]:
        kept = (self.kind.write(getattr(now, self.attribute or self.name, None)) or "").replace(",", ", ")
        refusals = [(part.sentence or self.sentence, part.asked[:LONGEST_QUOTE], part.known) for part in refused]
        filled = {"now": now, "kept": kept, "kind": self.kind}
        return [tr(sentence, asked=asked, known=known, **filled) for sentence, asked, known in refusals if sentence]


def read(fields: Sequence[Field], query: Mapping[str, str], start: T, world: Any = None) -> tuple[T, list[str]]:
    """The value that a link asks for, and a sentence for each thing in it that can't be had.

    start: a dataclass: what holds where the link says nothing, or nothing that is there. world: what bounds are found from.
    """
    now: Any = start
    sentences: list[str] = []
    for each in fields:
        if each.name not in query or each.replaced_by in query:
            continue
        value, refused = each.kind.read(query[each.name], each._bounds(now, world))
        sentences += each._sentences(refused, now)[:MOST_SENTENCES]
        if value is not None:
            now = replace(now, **{each.attribute or each.name: value})
    return now, sentences


def write(fields: Sequence[Field], value: Any) -> dict[str, str]:
    """The query parameters that `read` turns into this value."""
    written = {
        each.name: each.kind.write(getattr(value, each.attribute or each.name))
        for each in fields
        if not each.replaced_by and each.when(value)
    }
    return {name: text for name, text in written.items() if text is not None}


def accepted(fields: Sequence[Field], query: Mapping[str, Any]) -> dict[str, str]:
    """The part of a query, or of what a browser reports, that these rows accept as it is; of the rest nothing is said."""
    texts = {each.name: query.get(each.name) for each in fields}
    return {
        each.name: text
        for each in fields
        if isinstance(text := texts[each.name], str) and each.kind.read(text, each._bounds(None, None))[0] is not None
    }


def fits_address(text: str) -> bool:
    """Whether an address can hold a text: one that is not too long, and without half a surrogate pair."""
    return len(text) <= LONGEST_TEXT and not any("\ud800" <= c <= "\udfff" for c in text)


def whole_number(text: str) -> int | None:
    """A number of plain digits, 0 or more; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None


# The kinds


@dataclass(frozen=True)
class Text:
    """Any text. bounds: a function that returns why it can't be had, or ""; None where all can."""

    def read(self, text: str, bounds: Callable[[str], str] | None) -> Read:
        problem = bounds(text) if bounds is not None else ""
        return (None, [Refused(text, problem)]) if problem else (text, [])

    def write(self, value: str | None) -> str | None:
        return value if value is not None and fits_address(value) else None


@dataclass(frozen=True)
class OneOf:
    """A name out of those in bounds."""

    def read(self, text: str, bounds: Iterable[str]) -> Read:
        names = tuple(bounds)
        return (text, []) if text in names else (None, [Refused(text, ", ".join(names) or "none")])

    def write(self, value: str | None) -> str | None:
        return value or None


@dataclass(frozen=True)
class Several:
    """Names out of those in bounds, joined by commas; each counts once. too_few, too_many: sentences, with {known}."""

    fewest: int
    most: int
    too_few: str = ""
    too_many: str = ""

    def read(self, text: str, bounds: Iterable[str]) -> Read:
        known, names = tuple(bounds), tuple(dict.fromkeys(text.split(",")))
        refused = [Refused(name, "") for name in names if name not in known][: MOST_SENTENCES - 1]
        found = tuple(name for name in names if name in known)
        if len(found) < self.fewest:
            return None, [*refused, Refused(text, str(len(found)), self.too_few)] if self.too_few else refused
        if len(found) > self.most and self.too_many:
            refused.append(Refused(text, str(len(found)), self.too_many))
        return found[: self.most], refused

    def write(self, value: Sequence[str]) -> str | None:
        return ",".join(value)


@dataclass(frozen=True)
class Number:
    """An index, written as people count it. bounds: how many there are; None where that is not known yet.

    words: what stands for a number, such as "all", and its value; where there is one alone, only if `alone`. omitted: a value
    that is left out.
    """

    what: Counted
    words: Mapping[str, int] = field(default_factory=dict)
    omitted: int | None = None
    alone: bool = False

    def read(self, text: str, bounds: int | None) -> Read:
        if text in self.words and (self.alone or bounds != 1):
            return self.words[text], []
        number = whole_number(text)
        index = -1 if number is None else numbering.index(self.what, number)
        if index < 0 or (bounds is not None and index >= bounds):
            known = tr("{self.what}s from {FIRST} up", self=self, FIRST=numbering.FIRST[self.what]) if bounds is None else ""
            return None, [Refused(text, known or numbering.available(self.what, bounds or 0))]
        return index, []

    def write(self, value: int | None) -> str | None:
        if value is None or value == self.omitted:
            return None
        return next((word for word, meant in self.words.items() if meant == value), str(numbering.shown(self.what, value)))


@dataclass(frozen=True)
class Decimal:
    """A number with a point. bounds: (lowest, highest), or None. words: texts that stand for a value of their own."""

    words: tuple[str, ...] = ()

    def read(self, text: str, bounds: tuple[float, float] | None) -> Read:
        if text in self.words:
            return text, []
        low, high = bounds or (-1e300, 1e300)
        if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,12})?(e[-+][0-9]{2})?", text) and low <= float(text) <= high:
            return float(text), []
        return None, [
            Refused(text, "numbers" if bounds is None else tr("numbers from {low:g} to {high:g}", low=low, high=high))
        ]

    def write(self, value: float | str) -> str | None:
        return value if isinstance(value, str) else f"{value:.9g}"


@dataclass(frozen=True)
class Each:
    """A value for each name in bounds, name -> its own bounds, in their order, joined by commas; `default` for the rest."""

    kind: Kind
    default: Any

    def read(self, text: str, bounds: Mapping[str, Any]) -> Read:
        texts = [*text.split(","), *[None] * len(bounds)]
        values, refused = [], []
        for (name, own), each in zip(bounds.items(), texts):
            value, wrong = (None, []) if each is None else self.kind.read(each, own)
            values.append(self.default if value is None else value)
            refused += [Refused(part.asked, tr("{name} has {part.known}", name=name, part=part)) for part in wrong]
        return tuple(values), refused

    def write(self, value: Sequence[Any]) -> str | None:
        return ",".join(self.kind.write(each) or "" for each in value)


@dataclass(frozen=True)
class Parts:
    """Several values in one parameter, of which the first may hold the separator itself.

    kinds: by what each is called. made: of the values; it may raise InputError, one sentence. taken: the values of what was
    made. bounds: of each kind; None for none.
    """

    kinds: Mapping[str, Kind]
    separator: str = ":"
    made: Callable[..., Any] = lambda *values: values
    taken: Callable[[Any], Sequence[Any]] = tuple

    @property
    def form(self) -> str:
        """How it is written: model:layer:unit:character."""
        return self.separator.join(self.kinds)

    def read(self, text: str, bounds: Sequence[Any] | None) -> Read:
        texts = text.rsplit(self.separator, len(self.kinds) - 1)
        if len(texts) < len(self.kinds):
            return None, [Refused(text, tr("it is written {self.form}", self=self))]
        values = []
        for part, kind, own in zip(texts, self.kinds.values(), bounds or [None] * len(texts)):
            value, refused = kind.read(part, own)
            if value is None:
                return None, [
                    Refused(text, tr("“{part}” is not available; available: {known}", part=part[:20], known=refused[0].known))
                ]
            values.append(value)
        try:
            return self.made(*values), []
        except InputError as error:
            return None, [Refused(text, str(error))]

    def write(self, value: Any) -> str | None:
        if value is None:
            return None
        written = [kind.write(part) for kind, part in zip(self.kinds.values(), self.taken(value))]
        return None if None in written else self.separator.join(map(str, written))
