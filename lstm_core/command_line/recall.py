"""Train cells on the recall task, and write how well each recalls a key over each gap."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lstm_core import experiments
from lstm_core import recall as task
from lstm_core.cells import cells
from lstm_core.command_line import _common as common


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
A key, distractors, and the question which key it was. Each cell is trained and tested alike, by
three protocols: alone (one model for each gap), even (one model for all gaps from 1 to 200, all
alike likely) and short (likewise, short gaps more often).

Without options it makes the shipped results again, in about an hour. Each run is written as soon as it is
done, and the same command goes on with those that the file lacks.""",
        ("--output recall.json", "--draw alone --cells rnn lstm --seeds 1 --output two.json", "--quick --output quick.json"),
    )
    command.add_argument("--output", metavar="FILE", default="recall.json", help="The default is recall.json, in this folder.")
    command.add_argument(
        "--cells",
        nargs="+",
        choices=list(cells()),
        default=experiments.RECALL_CELLS,
        metavar="CELL",
        help="The default is " + ", ".join(experiments.RECALL_CELLS) + ".",
    )
    command.add_argument(
        "--seeds",
        nargs="+",
        type=common.at_least(int, 0),
        default=experiments.RECALL_SEEDS,
        metavar="N",
        help="The default is 1 2 3.",
    )
    command.add_argument(
        "--draw", nargs="+", choices=list(task.EXPERIMENTS), default=list(task.EXPERIMENTS), help="The default is all three."
    )
    command.add_argument(
        "--units",
        type=common.at_least(int, 1),
        default=experiments.RECALL_UNITS,
        metavar="N",
        help="Of each cell. The default is 32.",
    )
    command.add_argument("--forget-bias", type=float, metavar="X", help="Where forget gates' biases start. The default is 1.")
    command.add_argument("--quick", action="store_true", help="A small protocol, of gaps up to 40, in place of the others.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Runs what the output file lacks, and prints a line a run. Returns 0."""
    path = Path(arguments.output)
    chosen = {name: task.EXPERIMENTS[name] for name in arguments.draw}
    protocols: dict[str, task.Protocol] = {task.QUICK.draw: task.QUICK} if arguments.quick else chosen
    if arguments.forget_bias is not None:
        protocols = {name: replace(protocol, forget_bias=arguments.forget_bias) for name, protocol in protocols.items()}
    record = experiments.recall_record(protocols, arguments.units, _again(arguments))
    if path.exists():
        record["runs"] = experiments.runs_to_go_on_from(path, record)
    done = {(r["draw"], r["cell"], r["seed"]) for r in record["runs"]}
    for seed, draw, cell in product(arguments.seeds, protocols, arguments.cells):
        if (draw, cell, seed) not in done:
            result = _watch(task.run(cell, arguments.units, seed, protocols[draw]))
            record["runs"].append(experiments.recall_entry(result))
            experiments.write(path, record)
    for line in common.table(_rows(record), right=(2, 3)):
        print(line)
    return 0


def _again(arguments: Namespace) -> str:
    """The command that makes the whole file, its seeds apart."""
    asked: dict[str, tuple[list[Any], list[Any]]] = {
        "--draw": (list(arguments.draw), list(task.EXPERIMENTS)),
        "--cells": (list(arguments.cells), list(experiments.RECALL_CELLS)),
        "--units": ([arguments.units], [experiments.RECALL_UNITS]),
        "--forget-bias": ([arguments.forget_bias], [None]),
    }
    words = [f"{flag} {' '.join(map(str, given))}" for flag, (given, default) in asked.items() if given != default]
    return " ".join(["python -m lstm_core recall", *words, *(["--quick"] if arguments.quick else [])])


def _watch(run: Any) -> task.Result:
    shape = "{percentage:3.0f} % |{bar}| {desc} {remaining} left"
    with tqdm(total=1.0, bar_format=shape, leave=False, disable=not sys.stderr.isatty()) as bar:
        while True:
            try:
                now = next(run)
            except StopIteration as finished:
                return finished.value
            bar.set_description_str(f"{now.cell}, seed {now.seed}, gap {now.gaps[-1]}: loss {now.loss:.3f}", refresh=False)
            bar.update(now.done - bar.n)


def _rows(record: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("draw", "cell", "seed", "seconds", "accuracy by gap")]
    for r in record["runs"]:
        shares = "  ".join(f"{gap}: {share:.2f}" for gap, share in r["accuracy"].items())
        rows.append((r["draw"], r["cell"], str(r["seed"]), str(r["seconds"]), shares))
    return rows
