"""The command line: `python -m lstm_core --help`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from lstm_core.cells import cells
from lstm_core.recipes import SHIPPED, Recipe


def _or_none(kind: type) -> Callable[[str], Any]:
    """An argparse type: a number of `kind`, or the word none."""

    def number(text: str) -> Any:
        return None if text == "none" else kind(text)

    number.__name__ = kind.__name__
    return number


KINDS: dict[Any, Callable[[str], Any]] = {
    "str": str, "int": int, "float": float, "int | None": _or_none(int), "float | None": _or_none(float),
}  # fmt: skip

RECIPE_HELP = {
    "cell": "The cell to train",
    "units": "Units in each layer",
    "layers": "Layers, one above the other",
    "embedding": "Width of a learnt embedding of the characters; with none they are read one-hot",
    "bias": "Leave the biases out of the cell",
    "passes": "How often the training text is read",
    "streams": "How many places of the text are read side by side",
    "window": "How many characters the gradient flows back through; streams x window characters make one step",
    "learning_rate": "Adam's learning rate, after the warm-up",
    "warmup": "Steps in which the learning rate rises to its full value; from there it falls to zero along a cosine",
    "clip": "The gradient's largest norm",
    "dropout": "Share of h that is dropped between the layers and before the head, while training",
    "forget_bias": "Where the forget gate's bias starts",
    "input_range": "The weights on a one-hot input start uniformly within it; with none, within 1/sqrt(units)",
    "weight_decay": "Share of the weights, times the learning rate, that is taken off at each step",
    "text_length": "A stream's state starts anew from zero after so many characters, on average; with none it never does",
    "validations": "How often the held-out part is judged, at even distances; the best weights are kept",
    "seed": "Decides the first weights and the dropout",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. argv: what follows `python -m lstm_core`, or None for this process' own.

    Returns the exit code: 0 fine, 1 an error named on stderr, 2 wrong usage (argparse leaves by SystemExit), 130 Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # models write any Unicode; a terminal may claim to know ASCII alone
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(argv: Sequence[str] | None) -> int:
    arguments = parser().parse_args(argv)
    try:
        from lstm_core import commands  # here, so that --help need not wait for torch

        commands.set_threads(arguments)
        return getattr(commands, arguments.command)(arguments)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise
    except (OSError, ValueError, FloatingPointError) as error:
        print(f"Error: {_sentence(error)}.", file=sys.stderr)
        return 2 if isinstance(error, commands.UsageError) else 1


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return ": ".join([str(name) for name in (error.filename, error.filename2) if name] + [error.strerror])
    return str(error).rstrip(".")


def parser() -> argparse.ArgumentParser:
    """The whole command line, as argparse knows it."""
    top = argparse.ArgumentParser(
        "python -m lstm_core",
        description="Trains recurrent character models, judges them, writes text with them, and records every gate.",
        epilog="Each command explains itself: python -m lstm_core train --help. Results go to standard output, progress"
        " and errors to standard error. The exit code is 0 when all went well, 1 after an error, 2 for a command that"
        " can't be understood, and 130 after Ctrl-C.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_train, _add_evaluate, _add_sample, _add_trace, _add_models, _add_ngrams):
        add(commands)
    return top


def _add(commands: Any, name: str, line: str, text: str, examples: Sequence[str]) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=line,
        description=f"{line}\n\n{text}",
        epilog="examples:\n" + "\n".join(f"  python -m lstm_core {name} {example}".rstrip() for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _at_least(kind: type, least: float) -> Callable[[str], Any]:
    """An argparse type: a number of `kind`, `least` or more."""

    def number(text: str) -> Any:
        value = kind(text)
        if not least <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is not {least} or more")
        return value

    number.__name__ = {int: "whole number", float: "number"}[kind]
    return number


def _typed(text: str) -> str:
    """An argument as it was typed: UTF-8, also where the terminal claims to know ASCII alone."""
    return os.fsencode(text).decode("utf-8", "replace")


def _add_threads(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--threads",
        type=_at_least(int, 1),
        default=1,
        metavar="N",
        help="Processor threads to use. More than one make small models slower. The default is 1.",
    )


def _add_model(command: argparse.ArgumentParser, **options: Any) -> None:
    command.add_argument("model", metavar="MODEL", help="A shipped model's name, or a .safetensors file.", **options)


def _add_train(commands: Any) -> None:
    command = _add(
        commands,
        "train",
        "Train a model, and write it to a .safetensors file with a card of how it was made.",
        """\
RECIPE names a shipped model to make again; every option below changes one thing of it.
Without RECIPE, what is not given has the default named below.
The last 10 % of the text are held out, to judge the model and to choose the weights that are kept.

The run can be interrupted: it is kept, every half minute and at Ctrl-C, in a file beside the
output that ends in .resume, and the same command goes on from there. When the model is
written, that file is removed.""",
        (
            "family-lstm --corpus warandpeace.txt",
            "--corpus poems.txt --cell gru --units 64 --passes 20 --output poems.safetensors",
            "--layers 2 --dropout 0.1          (on the Python standard library's own source)",
        ),
    )
    command.add_argument("recipe", nargs="?", metavar="RECIPE", choices=SHIPPED, help=f"One of {', '.join(SHIPPED)}.")
    command.add_argument(
        "--corpus",
        metavar="FILE",
        help="The text to train on. Without it the Python standard library's own source, unless RECIPE asks for another text.",
    )
    command.add_argument(
        "--output", metavar="FILE", help="Where the model goes. The default is NAME.safetensors, in this folder."
    )
    command.add_argument("--name", help="What the model is called. The default is the recipe's name, or CELL-LAYERSxUNITS.")
    command.add_argument("--overwrite", action="store_true", help="Replace the output file if there is one already.")
    command.add_argument("--no-resume", action="store_true", help="Keep nothing of an interrupted run, and go on from none.")
    _add_threads(command)
    options = command.add_argument_group("what is trained, and how")
    for field in fields(Recipe):
        flag, text = f"--{field.name.replace('_', '-')}", RECIPE_HELP[field.name]
        if field.name == "bias":
            options.add_argument("--no-bias", dest="bias", action="store_false", default=argparse.SUPPRESS, help=f"{text}.")
            continue
        choices = list(cells()) if field.name == "cell" else None
        default = "none" if field.default is None else field.default
        options.add_argument(
            flag,
            type=KINDS[field.type],
            choices=choices,
            metavar=None if choices else "N",
            default=argparse.SUPPRESS,  # so that only what was given changes a recipe
            help=f"{text}. The default is {default}.",
        )


def _add_evaluate(commands: Any) -> None:
    command = _add(
        commands,
        "evaluate",
        "Compute a model's held-out loss again, and print its card's beside it.",
        """\
The loss is in nats per character, on the last 10 % of the text (of the Python standard library: the
last tenth of its files), the model's state carried on from the first character to the last.
It is said when the text is not the one that the model was trained on, by its SHA-256.""",
        (
            "family-lstm --corpus warandpeace.txt",
            "python-lstm                       (on the Python standard library's own source)",
            "--all --corpora texts             (each model on the file that its card names, in the folder texts)",
        ),
    )
    _add_model(command, nargs="?")
    command.add_argument(
        "--corpus", metavar="FILE", help="The text. It may be left out for a model of the Python standard library's source."
    )
    command.add_argument("--all", action="store_true", help="Judge all shipped models instead of one.")
    command.add_argument("--corpora", metavar="FOLDER", help="Where the texts lie, each under the name that the cards give.")
    command.add_argument(
        "--streams",
        type=_at_least(int, 1),
        default=1,
        metavar="N",
        help="Cut the held-out part into so many pieces that are read side by side, each from a zero state: faster,"
        " and a little worse. The default is 1, as in the cards.",
    )
    _add_threads(command)


def _add_sample(commands: Any) -> None:
    command = _add(
        commands,
        "sample",
        "Let a model write.",
        "The prompt is printed first, then what the model writes after it, one character at a time.",
        (
            'shakespeare-lstm --prompt "To be, or not to be" --length 300',
            "python-lstm --prompt 'def ' --temperature 0.5 --seed 7",
        ),
    )
    _add_model(command)
    command.add_argument(
        "--prompt", type=_typed, default="The ", help="The text that the model reads first. The default is 'The '."
    )
    command.add_argument(
        "--length", type=_at_least(int, 0), default=400, metavar="N", help="Characters to write. The default is 400."
    )
    command.add_argument(
        "--temperature",
        type=_at_least(float, 0),
        default=1.0,
        metavar="T",
        help="1, the default, draws from the model's own distribution; less is more certain; 0 takes the likeliest each time.",
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="N", help="The same seed writes the same text. The default is 0."
    )
    _add_threads(command)


def _add_trace(commands: Any) -> None:
    command = _add(
        commands,
        "trace",
        "Read a text with a model, and write every gate and state at every character to an .npz file.",
        """\
The text has 1 to 20,000 characters. Printed are the loss, in nats per character, and the certificate:
how far what was written is from an independent computation of the same text.""",
        (
            'war-and-peace-lstm --text "the clouds are in the sky" -o clouds.npz',
            "python-lstm --text-file setup.py -o setup.npz",
            "family-gru - -o piped.npz < poem.txt",
        ),
    )
    _add_model(command)
    text = command.add_mutually_exclusive_group(required=True)
    text.add_argument("--text", type=_typed, metavar="TEXT", help="The text itself.")
    text.add_argument("--text-file", metavar="FILE", help="A file that holds the text.")
    text.add_argument("stdin", nargs="?", choices=["-"], metavar="-", help="Read the text from standard input.")
    command.add_argument("-o", "--output", required=True, metavar="OUT.npz", help="Where the arrays go.")
    _add_threads(command)


def _add_models(commands: Any) -> None:
    command = _add(
        commands,
        "models",
        "List the shipped models.",
        "For each: its cell, its sizes, the text it was trained on, its held-out loss in nats per character, and its steps.",
        ("", "--json"),
    )
    command.add_argument("--json", action="store_true", help="Print everything that is known of each model, as JSON.")


def _add_ngrams(commands: Any) -> None:
    command = _add(
        commands,
        "ngrams",
        "Compute what tables of n-grams need for the held-out part of a text.",
        """\
Interpolated Witten-Bell n-grams, counted in the part to train on, in nats per character. A model
with a higher loss has learnt less than such a table.""",
        ("--corpus warandpeace.txt --orders 8", "                          (on the Python standard library's own source)"),
    )
    command.add_argument("--corpus", metavar="FILE", help="The text. Without it, the Python standard library's own source.")
    command.add_argument(
        "--orders", type=_at_least(int, 1), default=10, metavar="N", help="Orders 1 to N are computed. The default is 10."
    )


if __name__ == "__main__":
    sys.exit(main())
