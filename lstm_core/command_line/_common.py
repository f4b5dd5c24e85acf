"""What the commands share: arguments, texts, and words about numbers."""

from __future__ import annotations

import argparse
import math
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from lstm_core import corpora
from lstm_core.corpora import Corpus
from lstm_core.errors import InputError
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.model import CharModel


class UsageError(InputError):
    """Options that do not go together, in one sentence."""


def set_threads(arguments: Namespace) -> None:
    """Two threads make small recurrences slower, so it is one unless --threads says otherwise.

    Reaches torch whether it is loaded already or not yet.
    """
    threads = getattr(arguments, "threads", 1)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def remark(sentence: str) -> None:
    """A line on standard error, apart from the results."""
    print(sentence, file=sys.stderr, flush=True)


def bar(total: int, done: int = 0) -> tqdm[Any]:
    """A progress bar over characters, shown on a terminal alone."""
    shape = "{percentage:3.0f} % |{bar}| {n_fmt} of {total_fmt} characters, {rate_fmt}, {remaining} left{postfix}"
    return tqdm(
        total=total,
        initial=done,
        unit=" characters",
        unit_scale=True,
        bar_format=shape,
        leave=False,
        disable=not sys.stderr.isatty(),
    )


def text(arguments: Namespace) -> str:
    """The text that was asked for by what `add_text` offers."""
    given = optional_text(arguments)
    assert given is not None  # `add_text` requires one
    return given


def optional_text(arguments: Namespace) -> str | None:
    """The same where `add_text` requires none: None where none was given."""
    if arguments.stdin:
        return corpora.decode(sys.stdin.buffer.read())
    if arguments.text_file is not None:
        return corpora.decode(Path(arguments.text_file).read_bytes())
    return arguments.text


def nats(loss: float) -> str:
    """A loss in words; NaN where nothing was predicted."""
    return "none, for one character alone" if math.isnan(loss) else f"{loss:.4f} nats per character"


def table(rows: Sequence[Sequence[str]], right: Sequence[int]) -> Iterator[str]:
    """Lines of columns two spaces apart; the columns of `right` stand flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (c.rjust(w) if k in right else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True)))
        yield "  ".join(cells).rstrip()


def corpus(path: str | None) -> Corpus:
    """A file as a corpus; without one the Python standard library's own source."""
    return corpora.standard_library() if path is None else corpora.from_file(path)


def corpus_name(model: CharModel) -> str:
    """The text that a model was trained on, by its card."""
    return model.card.get("corpus", "a text that its card does not name")


def command(commands: Any, name: str, line: str | None, text: str, examples: Sequence[str]) -> argparse.ArgumentParser:
    """A command that explains itself: its module's name and docstring, a text, and what may follow its name, as examples."""
    return commands.add_parser(
        name.rpartition(".")[2],
        help=line,
        description=f"{line}\n\n{text}",
        epilog="examples:\n" + "\n".join(f"  %(prog)s {example}".rstrip() for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def at_least(kind: type, least: float) -> Callable[[str], Any]:
    """An argparse type: a number of `kind`, `least` or more."""

    def number(text: str) -> Any:
        value = kind(text)
        if not least <= value < float("inf"):
            raise argparse.ArgumentTypeError(tr("{text} is not {least} or more", text=text, least=least))
        return value

    number.__name__ = {int: "whole number", float: "number"}[kind]
    return number


def typed(text: str) -> str:
    """An argument as it was typed: UTF-8, also where the terminal claims to know ASCII alone."""
    return os.fsencode(text).decode("utf-8", "replace")


def add_threads(command: argparse.ArgumentParser) -> None:
    """The option --threads, see `set_threads`."""
    command.add_argument(
        "--threads",
        type=at_least(int, 1),
        default=1,
        metavar="N",
        help="Processor threads to use. More than one make small models slower. The default is 1.",
    )


def add_model(command: argparse.ArgumentParser, **options: Any) -> None:
    """The argument MODEL, for `checkpoint.load`."""
    command.add_argument("model", metavar="MODEL", help="A shipped model's name, or a .safetensors file.", **options)


def add_text(command: argparse.ArgumentParser, required: bool = True) -> None:
    """The text, given as it is, in a file, or by standard input: see `text`."""
    group = command.add_mutually_exclusive_group(required=required)
    group.add_argument("--text", type=typed, metavar="TEXT", help="The text itself.")
    group.add_argument("--text-file", metavar="FILE", help="A file that holds the text.")
    group.add_argument("stdin", nargs="?", choices=["-"], metavar="-", help="Read the text from standard input.")
