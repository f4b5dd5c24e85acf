"""Train plain RNNs with and without clipping, and write their gradients' norms."""

from __future__ import annotations

import sys
from argparse import Namespace
from itertools import product
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lstm_core import experiments
from lstm_core.analysis import spectrum
from lstm_core.command_line import _common as common


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
Plain gradient descent from recurrent weights of several spectral radii. Every ten steps the loss, the
gradient's norm and the weights' largest singular value are noted. Each run is written as soon as it
is done, and the same command goes on with those that the file lacks.""",
        ("--corpus warandpeace.txt", "--corpus warandpeace.txt --steps 200 --seeds 1 --output short.json"),
    )
    default = spectrum.Protocol()
    command.add_argument("--corpus", metavar="FILE", help="The text. The default is the Python standard library's own source.")
    command.add_argument("--output", metavar="FILE", default="clipping.json", help="The default is clipping.json, here.")
    command.add_argument(
        "--steps", type=common.at_least(int, 1), default=default.steps, metavar="N", help="The default is 2000."
    )
    command.add_argument("--units", type=common.at_least(int, 1), default=default.units, metavar="N", help="The default is 64.")
    command.add_argument("--learning-rate", type=float, default=default.learning_rate, metavar="X", help="The default is 1.")
    command.add_argument(
        "--radii",
        type=float,
        nargs="+",
        default=default.radii,
        metavar="X",
        help="Of the weights to begin with. The default is 0.5 1 1.5 2.5.",
    )
    command.add_argument(
        "--seeds", type=common.at_least(int, 0), nargs="+", default=default.seeds, metavar="N", help="The default is 1 2 3."
    )
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Runs what the output file lacks, and prints a line a run. Returns 0."""
    path, corpus = Path(arguments.output), common.corpus(arguments.corpus)
    protocol = spectrum.Protocol(
        units=arguments.units,
        steps=arguments.steps,
        learning_rate=arguments.learning_rate,
        radii=tuple(arguments.radii),
        seeds=tuple(arguments.seeds),
    )
    record = experiments.clipping_record(protocol, corpus)
    if path.exists():
        record["runs"] = experiments.runs_to_go_on_from(path, record)
    done = {(r["radius"], r["clip"], r["seed"]) for r in record["runs"]}
    for seed, radius, clip in product(protocol.seeds, protocol.radii, protocol.clips):
        if (radius, clip, seed) not in done:
            found = _watch(spectrum.clipping_run(corpus, radius, clip, seed, protocol), protocol.steps)
            record["runs"].append(experiments.clipping_entry(found))
            experiments.write(path, record)
    for line in common.table(_rows(record), right=(0, 1, 2, 3, 4, 5)):
        print(line)
    return 0


def _watch(run: Any, steps: int) -> spectrum.ClippingRun:
    with tqdm(total=steps, unit=" steps", leave=False, disable=not sys.stderr.isatty()) as bar:
        while True:
            try:
                now = next(run)
            except StopIteration as finished:
                return finished.value
            bar.set_postfix_str(f"loss {now.point.loss:.3f}, gradient {now.point.norm:.3g}", refresh=False)
            bar.update(now.point.step - bar.n)


def _rows(record: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("radius", "clip", "seed", "last loss", "largest norm", "last sigma", "diverged")]
    for r in record["runs"]:
        points = r["points"]
        largest = max((n for n in points["largest"] if n is not None), default=float("nan"))
        loss, sigma = points["loss"][-1], points["sigma"][-1]
        shown = "none" if loss is None else f"{loss:.3f}", f"{largest:.4g}", f"{sigma:.4g}"
        rows.append((str(r["radius"]), str(r["clip"]), str(r["seed"]), *shown, str(r["diverged"] or "")))
    return rows
