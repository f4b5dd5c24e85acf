"""List the lessons, or hold what they say to the models."""

from __future__ import annotations

from argparse import Namespace
from functools import cache
from typing import Any

from lstm_core import checkpoint
from lstm_core import lessons as taught
from lstm_core.command_line import _common as common
from lstm_core.words import tr, tr_n


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
With --check every number of every lesson is measured, and every claim held against it; those
that do not hold are named, and the exit code is 1. With LESSON, its text, question and
answer are printed, with the numbers of this run.""",
        ("", "--check", "quotation"),
    )
    command.add_argument("lesson", nargs="?", metavar="LESSON", help="A lesson's name, as the list gives it.")
    command.add_argument("--check", action="store_true", help="Measure, and hold the claims against the models.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Prints the lessons, one lesson, or the claims that don't hold. Returns 0, or 1 when a claim does not hold."""
    found = {lesson.id: lesson for lesson in taught.lessons()}
    if arguments.lesson is not None and arguments.lesson not in found:
        raise common.UsageError(
            tr("there is no lesson {arguments.lesson!r}; there are {found}", arguments=arguments, found=", ".join(found))
        )
    chosen = list(found.values()) if arguments.lesson is None else [found[arguments.lesson]]
    if arguments.check:
        return _check(chosen)
    if arguments.lesson is not None:
        _print(chosen[0])
        return 0
    for lesson in chosen:
        print(f"{lesson.id:12}  {lesson.level:14}  {lesson.model:20}  {lesson.title}")
    return 0


def _check(chosen: list[taught.Lesson]) -> int:
    load, broken = cache(checkpoint.load), 0
    for lesson in chosen:
        sentences = taught.check(lesson, taught.measure(lesson, load))
        broken += len(sentences)
        claims = tr_n("{n:,} claim", "{n:,} claims", len(lesson.claims))
        print(f"{lesson.id}: {claims}, {'all hold' if not sentences else 'NOT all hold'}")
        for sentence in sentences:
            print(f"  {sentence}")
    return 1 if broken else 0


def _print(lesson: taught.Lesson) -> None:
    numbers = taught.measure(lesson)
    filled = {name: taught.fill(text, lesson, numbers) for name, text in lesson.prose.items()}
    print(
        f"{lesson.title} ({lesson.level}; {lesson.model})\n\n{lesson.text}\n\nLook at: {filled['look']}\n\n{filled['question']}"
    )
    for number, _ in enumerate(lesson.choices):
        print(f"  {'*' if number == lesson.right else '-'} {filled[f'choice {number + 1}']}")
    print(f"\n{filled['answer']}\n\nFor the teacher: {filled['teacher']}")
