"""Keep models on their way from random to trained, or judge those that are shipped."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Generator
from pathlib import Path
from typing import Any

from lstm_core.command_line import _common as common
from lstm_core.corpora import Corpus
from lstm_core.life import HELD_OUT, JUDGED, LIVES, Life, checkpoints, held_out, judge, life, lives, record
from lstm_core.training import Progress, steps_of
from lstm_core.words import tr


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
With --corpus the lives that are named, or all, are made: each is trained and written to the folder
of --output when it is done; those that are there already are left as they are. Without it the shipped lives
are listed, or, where one is named, its checkpoints are judged again and what it wrote is printed.""",
        ("", "lstm", "--corpus warandpeace.txt --output lives", "lstm gru --corpus warandpeace.txt"),
    )
    command.add_argument("names", nargs="*", metavar="NAME", help=f"One of {', '.join(LIVES)}.")
    command.add_argument("--corpus", metavar="FILE", help="The text to train on.")
    command.add_argument("--output", metavar="FOLDER", default="lives", help="Where new lives go. The default is lives.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Makes lives, lists them, or judges one. Returns 0."""
    unknown = [name for name in arguments.names if name not in LIVES]
    if unknown:
        raise common.UsageError(
            tr("there is no life {unknown!r}; there are {lives}", unknown=unknown[0], lives=", ".join(LIVES))
        )
    if arguments.corpus is not None:
        return _make(arguments.names or list(LIVES), common.corpus(arguments.corpus), Path(arguments.output))
    for name in arguments.names:
        _evaluate(life(name))
    if not arguments.names:
        rows = [("name", "units", "checkpoints", "steps", "first loss", "last loss")]
        for one in lives():
            sizes = str(one.config["units"]), str(len(one)), f"{one.steps[-1]:,}"
            rows.append((one.name, *sizes, f"{one.losses[0]:.3f}", f"{one.losses[-1]:.3f}"))
        for line in common.table(rows, right=(1, 2, 3, 4, 5)):
            print(line)
    return 0


def _make(names: list[str], corpus: Corpus, folder: Path) -> int:
    folder.mkdir(exist_ok=True)
    (folder / HELD_OUT).write_text(corpus.held_out[:JUDGED], encoding="utf-8", newline="")
    for name in names:
        path = folder / f"{name}.safetensors"
        if path.exists():
            common.remark(f"{path} is there already.")
            continue
        recipe, every = LIVES[name]
        at = checkpoints(steps_of(recipe, len(corpus.train)), every=every)
        one = _watch(record(corpus, recipe, path, at))
        print(f"{path}: {len(one)} checkpoints, loss {one.losses[0]:.3f} to {one.losses[-1]:.3f} nats a character", flush=True)
    return 0


def _watch(run: Generator[Progress, None, Life]) -> Life:
    bar = None
    try:
        while True:
            now = next(run)
            per_step = now.characters // now.step
            bar = bar or common.bar(now.steps * per_step)
            bar.set_postfix_str(f"loss {now.loss:.3f}", refresh=False)
            bar.update(now.characters - bar.n)
    except StopIteration as finished:
        return finished.value
    finally:
        if bar is not None:
            bar.close()


def _evaluate(one: Life) -> None:
    text = held_out()
    for k, step in enumerate(one.steps):
        loss = judge(one, k, text)
        print(f"step {step:,}: {loss:.4f} nats a character; its card says {one.losses[k]:.4f}")
        print(f"  {one.card['prompt']}{one.samples[k]}".replace("\n", "⏎"))
