"""Lessons: a text, what to look at, a question, its answer. Data, and each statement in them is held to the models.

assets/lessons.json is a list of lessons with the fields of `Lesson`. Their prose holds no digits: a number is a
placeholder, {unit}, {layer} or one of the lesson's own `numbers`, measured on the run ({rate:%} per cent, {rate:3} with
three decimals, {rate} with two). Each number is one of MEASURES. A claim is "number < number", also with <=, >= and >.
"""

from __future__ import annotations

import inspect
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.checkpoint import load
from lstm_core.errors import InputError
from lstm_core.model import CharModel
from lstm_core.numbers import fixed, percent
from lstm_core.places import ASSETS
from lstm_core.trace import Trace
from lstm_core.tracing import trace
from lstm_core.words import tr

FILE = ASSETS / "lessons.json"
RELATIONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
CLAIM = re.compile(r"(\w+) (<=|>=|<|>) ([\w.-]+)")
PLACEHOLDER = re.compile(r"\{(\w+)(?::(%|\d))?\}")
PROSE = ("title", "level", "look", "question", "answer", "teacher")
KINDS = {"layer": int, "unit": int, "right": int, "fails": bool, "choices": list, "claims": list, "numbers": dict}


class LessonError(InputError):
    """A lesson that can't be held to a model, with one sentence that names the lesson and what is wrong."""


@dataclass(frozen=True)
class Lesson:
    """One lesson as assets/lessons.json has it.

    id: its name in links. title, level: for the list. model, text: what is read. layer (from 1), unit (from 0), signal:
    what to look at, at the first character of `text` that the regular expression `at` matches. look, question, choices,
    right (which of them, from 0), answer: what is shown, in this order; teacher: a note for whoever teaches. fails: True
    where the model gets it wrong, and the answer says so. numbers: what is measured, by name. claims: what must hold of it.
    """

    id: str
    title: str
    level: str
    model: str
    text: str
    layer: int
    unit: int
    signal: str
    at: str
    look: str
    question: str
    choices: tuple[str, ...]
    right: int
    answer: str
    teacher: str
    fails: bool
    numbers: Mapping[str, Mapping[str, Any]]
    claims: tuple[str, ...]

    @property
    def step(self) -> int:
        """The character to look at, counted from 0."""
        found = re.search(self.at, self.text)
        assert found is not None, tr("checked when the lesson was read")
        return found.start()

    @property
    def prose(self) -> dict[str, str]:
        """Everything that is shown, by where it stands, with its placeholders."""
        return {name: getattr(self, name) for name in PROSE} | {tr("choice {k}", k=k): c for k, c in enumerate(self.choices, 1)}


@dataclass(frozen=True)
class Measuring:
    """What a measure reads: the lesson, the numbers measured before, and traces of texts by models, each made once."""

    lesson: Lesson
    numbers: Mapping[str, float]
    trace: Callable[[str, str], Trace]

    def chances(self, text: str, after: str, model: str | None) -> np.ndarray:
        """The probability that the model gave each character of `text`, read after `after`: float32 (time,), 0 to 1."""
        read = self.trace(model or self.lesson.model, after + text)
        return np.exp(-read.surprise[len(after) :])

    def series(self, text: str, model: str | None, signal: str | None, layer: int | None, unit: int | None) -> np.ndarray:
        """One unit's signal over a text, (time,): the lesson's own where nothing else is asked for.

        Raises LessonError for a layer or unit that is not there.
        """
        lesson = self.lesson
        values = self.trace(model or lesson.model, text)[signal or lesson.signal]
        number, unit = layer or lesson.layer, lesson.unit if unit is None else unit
        if not (1 <= number <= len(values) and 0 <= unit < values.shape[2]):
            raise LessonError(
                tr(
                    "lesson {lesson.id!r}: there is no unit {unit} of layer {number} in {value}",
                    lesson=lesson,
                    unit=unit,
                    number=number,
                    value=model or lesson.model,
                )
            )
        return values[number - 1, :, unit]

    def covered(self, pattern: str, text: str) -> np.ndarray:
        """Which characters of a text the matches of a regular expression cover: bool (time,).

        Raises LessonError when nothing matches.
        """
        covered = np.zeros(len(text), bool)
        for found in re.finditer(pattern, text):
            covered[found.start() : found.end()] = True
        if not covered.any():
            raise LessonError(
                tr(
                    "lesson {self.lesson.id!r}: no character of {text!r} matches {pattern!r}",
                    self=self,
                    text=text,
                    pattern=pattern,
                )
            )
        return covered


def _chance(on: Measuring, chance: str, after: str, model: str | None = None) -> float:
    """How likely the model holds a text, letter by letter, after another: 0 to 1."""
    return float(np.prod(on.chances(chance, after, model)))


def _rank(on: Measuring, rank: str, after: str, model: str | None = None) -> float:
    """The place of a character among all that may come next: 1 for the likeliest."""
    read = on.trace(model or on.lesson.model, after)
    probs = read.probs[-1]
    return float(1 + (probs > probs[read.vocabulary.index(rank)]).sum())


def _prefers(on: Measuring, prefers: str, to: str, after: str, model: str | None = None) -> float:
    """The chance of one text after another, as a share of its own and a rival's: 0 to 1, one half for no preference."""
    ours, theirs = (_chance(on, text, after, model) for text in (prefers, to))
    return ours / (ours + theirs)


TAKES: dict[str, Callable[[np.ndarray], Any]] = {"mean": np.mean, "min": np.min, "max": np.max}


def _take(
    on: Measuring,
    take: str,
    at: str,
    text: str | None = None,
    model: str | None = None,
    signal: str | None = None,
    layer: int | None = None,
    unit: int | None = None,
) -> float:
    """A unit's signal where a regular expression matches: its mean, its least or its most."""
    text = text or on.lesson.text
    return float(TAKES[take](on.series(text, model, signal, layer, unit)[on.covered(at, text)]))


def _separates(
    on: Measuring,
    separates: str,
    texts: Sequence[str] | None = None,
    model: str | None = None,
    signal: str | None = None,
    layer: int | None = None,
    unit: int | None = None,
) -> float:
    """The share of all pairs, a character that the expression matches and one that it doesn't, in which it is the higher."""
    texts = texts or (on.lesson.text,)
    inside = np.concatenate([on.covered(separates, text) for text in texts])
    values = np.concatenate([on.series(text, model, signal, layer, unit) for text in texts])
    higher = values[inside][:, None] - values[~inside]
    return float((higher > 0).mean() + (higher == 0).mean() / 2)


def _follows(
    on: Measuring,
    follows: str,
    texts: Sequence[str] | None = None,
    model: str | None = None,
    signal: str | None = None,
    layer: int | None = None,
    unit: int | None = None,
) -> float:
    """How closely a unit's signal follows the place in the line ("column"), over texts: a correlation, −1 to 1."""
    texts = texts or (on.lesson.text,)
    places = np.concatenate([FOLLOWED[follows](text) for text in texts])
    return float(np.corrcoef(places, np.concatenate([on.series(text, model, signal, layer, unit) for text in texts]))[0, 1])


def _column(text: str) -> np.ndarray:
    """How many characters each stands from its line's beginning; a line break begins the next line, at 0."""
    begins = np.maximum.accumulate([k if c == "\n" else -1 for k, c in enumerate(text)])
    return np.arange(len(text)) - begins


FOLLOWED = {"column": _column}


def _apart(on: Measuring, apart: Sequence[str], then: str = "", model: str | None = None, signal: str = "hidden") -> float:
    """How far the state (all units, all layers) after one text and `then` is from that after another: 0 for the same.

    The distance is in terms of the states' own length; between unlike states it is about 1.
    """
    first, second = (on.trace(model or on.lesson.model, text + then).final[signal] for text in apart)
    return float(np.linalg.norm(first - second) / np.sqrt(np.linalg.norm(first) * np.linalg.norm(second)))


def _ratio(on: Measuring, ratio: Sequence[str]) -> float:
    """One number of the lesson, divided by another."""
    return on.numbers[ratio[0]] / on.numbers[ratio[1]]


def _greatest(on: Measuring, greatest: Sequence[str]) -> float:
    """The greatest of some numbers of the lesson."""
    return max(on.numbers[name] for name in greatest)


MEASURES: dict[str, Callable[..., float]] = {
    "chance": _chance, "rank": _rank, "prefers": _prefers, "take": _take, "separates": _separates, "follows": _follows,
    "apart": _apart, "ratio": _ratio, "greatest": _greatest,
}  # fmt: skip


def lessons(path: Path = FILE) -> tuple[Lesson, ...]:
    """The lessons of a file, in the order in which they are taught.

    path: JSON, a list of objects with the fields of `Lesson`. Raises LessonError, naming the lesson and what is wrong: a
    field that is missing, unknown or of another kind, a measure or claim that can't be read, a digit in the prose, a
    placeholder or claim of a number that is not measured. Source: assets/lessons.json.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise LessonError(tr("{path.name} is not JSON: {error}", path=path, error=error)) from None
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise LessonError(tr("{path.name} is no list of lessons", path=path))
    found = tuple(map(_lesson, given))
    for lesson in found:
        for sentence in _faults(lesson):
            raise LessonError(tr("lesson {lesson.id!r}: {sentence}", lesson=lesson, sentence=sentence))
    ids = [lesson.id for lesson in found]
    for name in ids:
        if ids.count(name) > 1:
            raise LessonError(tr("lesson {name!r} is there {count} times", name=name, count=ids.count(name)))
    return found


def _lesson(given: Mapping[str, Any]) -> Lesson:
    """A lesson whose fields are all there, no others, and of their kinds."""
    names, who = {field.name for field in fields(Lesson)}, tr("lesson {get!r}", get=given.get("id", "?"))
    wrong = names.symmetric_difference(given)
    if wrong:
        raise LessonError(
            tr(
                "{who}: {sorted} {value} missing, or unknown",
                who=who,
                sorted=", ".join(sorted(wrong)),
                value="is" if len(wrong) == 1 else "are",
            )
        )
    for name in names:
        kind = KINDS.get(name, str)
        if type(given[name]) is not kind:
            raise LessonError(
                tr("{who}: {name} must be {name_2}, not {given!r}", who=who, name=name, name_2=kind.__name__, given=given[name])
            )
    return Lesson(**{**given, "choices": tuple(given["choices"]), "claims": tuple(given["claims"])})


def _faults(lesson: Lesson) -> Iterator[str]:
    """What is wrong with a lesson by itself, before any model is asked."""
    if not lesson.text or re.search(lesson.at, lesson.text) is None:
        yield tr("no character of its text matches {lesson.at!r}", lesson=lesson)
    if not 2 <= len(lesson.choices) <= 4 or not 0 <= lesson.right < len(lesson.choices):
        yield tr(
            "it needs two to four choices and one of them right, not {choices_count} and choice {lesson.right}",
            choices_count=len(lesson.choices),
            lesson=lesson,
        )
    known: set[str] = set()
    for name, spec in lesson.numbers.items():
        yield from _faults_of_measure(name, spec, known)
        known.add(name)
    for claim in lesson.claims:
        match = CLAIM.fullmatch(claim)
        if match is None:
            yield tr("the claim {claim!r} is not of the form “number < number”", claim=claim)
            continue
        for side in match.group(1, 3):
            if side not in known and _constant(side) is None:
                yield tr("the claim {claim!r} names {side!r}, which is not measured", claim=claim, side=side)
    for place, text in lesson.prose.items():
        if re.search(r"\d", PLACEHOLDER.sub("", text)):
            yield tr("its {place} holds a digit of its own: a number is measured, and stands there as {{name}}", place=place)
        for name, _ in PLACEHOLDER.findall(text):
            if name not in known | {"unit", "layer"}:
                yield tr("its {place} names {{{name}}}, which is not measured", place=place, name=name)
    if not lesson.claims:
        yield tr("it claims nothing")


def _faults_of_measure(name: str, spec: Any, known: set[str]) -> Iterator[str]:
    kind = next((key for key in spec if key in MEASURES), None) if isinstance(spec, Mapping) else None
    if kind is None:
        yield tr("the number {name!r} is none of the measures {measures}", name=name, measures=", ".join(MEASURES))
        return
    parameters = list(inspect.signature(MEASURES[kind]).parameters.values())[1:]
    needed = {p.name for p in parameters if p.default is p.empty}
    if not needed <= set(spec) <= {p.name for p in parameters}:
        yield tr(
            "the number {name!r}: a measure {kind!r} takes {parameters}",
            name=name,
            kind=kind,
            parameters=", ".join(p.name for p in parameters),
        )
    if kind in ("ratio", "greatest") and not set(spec[kind]) <= known:
        yield tr(
            "the number {name!r} is made of {spec}, which are not all measured before it", name=name, spec=", ".join(spec[kind])
        )
    if spec.get("take", "mean") not in TAKES or spec.get("follows", "column") not in FOLLOWED:
        yield tr("the number {name!r} asks for what is none of {value}", name=name, value=", ".join((*TAKES, *FOLLOWED)))


def _constant(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def measure(lesson: Lesson, models: Callable[[str], CharModel] = load) -> dict[str, float]:
    """The lesson's numbers, by name, measured on its models.

    models: gives a model by its name. Raises LessonError where a model does not know a character of a text that is
    measured, or has no such unit; InputError for a signal that its cell does not have; CheckpointError for a model that is
    not there.
    """

    @cache
    def read(name: str, text: str) -> Trace:
        read = trace(models(name), text)
        if read.chars != read.read_as:
            unknown = "".join(sorted({c for c, r in zip(read.chars, read.read_as) if c != r}))
            raise LessonError(
                tr("lesson {lesson.id!r}: {name} does not know {unknown!r}", lesson=lesson, name=name, unknown=unknown)
            )
        return read

    numbers: dict[str, float] = {}
    on = Measuring(lesson, numbers, read)
    on.series(lesson.text, None, None, None, None)  # what the page is to show is there
    for name, spec in lesson.numbers.items():
        kind = next(key for key in spec if key in MEASURES)
        numbers[name] = MEASURES[kind](on, **spec)
    return numbers


def check(lesson: Lesson, numbers: Mapping[str, float]) -> list[str]:
    """The claims of a lesson that do not hold of its numbers, a sentence each; an empty list when all hold.

    numbers: as `measure` gives them. Raises KeyError for numbers of another lesson.
    """
    return [
        tr(
            "{lesson.id}: {claim} does not hold: {sides}",
            lesson=lesson,
            claim=claim,
            sides=", ".join(f"{side} = {_value(side, numbers):.6g}" for side in sides),
        )
        for claim, sides, holds in _claims(lesson, numbers)
        if not holds
    ]


def _claims(lesson: Lesson, numbers: Mapping[str, float]) -> Iterator[tuple[str, list[str], bool]]:
    for claim in lesson.claims:
        match = CLAIM.fullmatch(claim)
        assert match is not None, tr("checked when the lesson was read")
        left, relation, right = match.groups()
        yield claim, [left, right], RELATIONS[relation](_value(left, numbers), _value(right, numbers))


def _value(side: str, numbers: Mapping[str, float]) -> float:
    constant = _constant(side)
    return numbers[side] if constant is None else constant


def fill(text: str, lesson: Lesson, numbers: Mapping[str, float]) -> str:
    """A text of the lesson with its numbers put in: {rate:%} per cent, {rate:3} three decimals, {rate} two.

    numbers: as `measure` gives them. Raises KeyError for a placeholder that is not measured.
    """

    def number(match: re.Match[str]) -> str:
        name, form = match.groups()
        if name in ("unit", "layer"):
            return str(getattr(lesson, name))
        if form == "%":
            return percent(numbers[name], 6).replace(" ", "\N{NO-BREAK SPACE}")
        return fixed(numbers[name], int(form or 2))

    return PLACEHOLDER.sub(number, text)
