"""Train a model, and write it to a .safetensors file with a card of how it was made."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm import tqdm

from lstm_core import checkpoint, recipes, training
from lstm_core.cells import cells
from lstm_core.command_line import _common as common
from lstm_core.corpora import Corpus
from lstm_core.errors import InputError
from lstm_core.model import CharModel
from lstm_core.recipes import SHIPPED, Recipe
from lstm_core.words import tr, tr_n


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


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
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
    common.add_threads(command)
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


@dataclass
class _CtrlC:
    """Whether Ctrl-C was pressed. The first is noted, so that a run stops between two steps; the second stops it at once."""

    pressed: bool = False

    def press(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True


@contextmanager
def _noting_ctrl_c() -> Iterator[_CtrlC]:
    noted = _CtrlC()
    before = signal.signal(signal.SIGINT, noted.press)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def run(arguments: Namespace) -> int:
    """Trains a model and writes it; goes on from an interrupted run. Returns 0, or 130 after Ctrl-C."""
    recipe, name = _recipe(arguments), _name(arguments)
    output = _output(arguments, name)
    resume = None if arguments.no_resume else output.with_suffix(".resume")
    corpus = _training_corpus(arguments)
    size = f"{recipe.layers} x {recipe.units} units"
    length = tr_n("{n:,} character", "{n:,} characters", len(corpus.train))
    common.remark(f"Training {name} ({recipe.cell}, {size}) on {corpus.name}, {length}.")
    if resume is not None:
        common.remark(f"{'Going on from' if resume.exists() else 'Interrupted, it goes on from'} {resume}.")
    run = training.fit(corpus, recipe, name=name, resume=resume)
    try:
        model = _watch(run)
    except KeyboardInterrupt:
        common.remark("\nStopped. " + ("Nothing was kept." if resume is None else _how_to_go_on(resume)))
        return 130
    checkpoint.save(model, output)
    if resume is not None:
        resume.unlink(missing_ok=True)
    print(
        f"{output}: held-out loss {model.card['held_out_loss']:.4f} nats per character, step {model.card['kept_step']:,} kept"
    )
    return 0


def _how_to_go_on(resume: Path) -> str:
    if resume.exists():
        return f"The run is kept in {resume}; the same command goes on from there."
    return "It had not begun; the same command begins anew."


def _watch(run: Generator[training.Progress, None, CharModel]) -> CharModel:
    """Runs a training to its end, and shows how it goes. Raises KeyboardInterrupt, the run kept, after Ctrl-C."""
    bar, held_out = None, math.nan
    with _noting_ctrl_c() as ctrl_c:
        try:
            while not ctrl_c.pressed:
                now = next(run)
                if bar is None:
                    per_step = now.characters // now.step
                    bar = common.bar(now.steps * per_step, now.characters)
                if now.held_out is not None:
                    held_out = now.held_out
                    tqdm.write(_line(now), file=sys.stderr)
                bar.set_postfix_str(f"loss {now.loss:.3f}, held-out {held_out:.3f}", refresh=False)
                bar.update(now.characters - bar.n)
            run.close()
            raise KeyboardInterrupt
        except StopIteration as finished:
            return finished.value
        finally:
            if bar is not None:
                bar.close()


def _line(now: training.Progress) -> str:
    minutes, seconds = divmod(round(now.seconds_left), 60)
    return (
        f"step {now.step:,} of {now.steps:,}: loss {now.loss:.4f}, held-out {now.held_out:.4f},"
        f" {now.characters_per_second:,.0f} characters/s, {minutes}:{seconds:02} left"
    )


def _recipe(arguments: Namespace) -> Recipe:
    given = {f.name: getattr(arguments, f.name) for f in fields(Recipe) if f.name in arguments}
    base = recipes.SHIPPED[arguments.recipe].recipe if arguments.recipe else Recipe()
    try:
        return replace(base, **given)
    except InputError as error:
        raise common.UsageError(str(error).replace("_", " ")) from error


def _name(arguments: Namespace) -> str:
    recipe = _recipe(arguments)
    name = arguments.name or arguments.recipe or f"{recipe.cell}-{recipe.layers}x{recipe.units}"
    if Path(name).name != name:
        raise common.UsageError(
            tr("--name is the model's name, not a path, and {name!r} is one: use --output for the file", name=name)
        )
    return name


def _output(arguments: Namespace, name: str) -> Path:
    """Where the model goes; refused now rather than after hours of training."""
    output = Path(arguments.output or f"{name}.safetensors")
    if output.suffix != ".safetensors":
        raise common.UsageError(tr("--output must end in .safetensors, and {output} does not", output=output))
    if not output.parent.is_dir():
        raise InputError(tr("there is no folder {output.parent} to write {output.name} to", output=output))
    if not os.access(output.parent, os.W_OK):
        raise InputError(tr("the folder {resolve} can't be written to", resolve=output.parent.resolve()))
    if output.exists() and not arguments.overwrite:
        raise InputError(
            tr("{output} exists already; name another with --output, or replace it with --overwrite", output=output)
        )
    return output


def _training_corpus(arguments: Namespace) -> Corpus:
    wanted = recipes.SHIPPED[arguments.recipe].corpus if arguments.recipe else None
    if arguments.corpus is None and wanted is not None:
        raise common.UsageError(
            tr(
                "{arguments.recipe} is trained on {wanted}: say with --corpus where that file is",
                arguments=arguments,
                wanted=wanted,
            )
        )
    return common.corpus(arguments.corpus)
