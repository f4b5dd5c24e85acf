"""What experiments found, in files: written run by run, so that an interrupted experiment goes on, and read back."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lstm_core import recall
from lstm_core.analysis import spectrum
from lstm_core.corpora import Corpus
from lstm_core.errors import InputError
from lstm_core.places import ASSETS
from lstm_core.words import tr

SHIPPED_EXPERIMENTS = ASSETS / "experiments"
RECALL_CELLS = ("rnn", "lstm", "peephole", "coupled", "gru", "gru_pytorch")
RECALL_SEEDS = (1, 2, 3)
RECALL_UNITS = 32


class ExperimentError(InputError):
    """A file that holds no results of the experiment that is asked for, in one sentence."""


def versions() -> dict[str, str]:
    """The versions of Python, torch and NumPy that a result was made with."""
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}


def write(path: str | Path, record: Mapping[str, Any]) -> None:
    """Writes a record as JSON, one run a line; the file appears whole or not at all. Raises OSError."""
    path = Path(path)
    lines = []
    for key, value in record.items():
        if key == "runs":
            text = "[\n" + ",\n".join(json.dumps(run, ensure_ascii=False) for run in value) + "\n]"
        else:
            text = json.dumps(value, ensure_ascii=False)
        lines.append(f"{json.dumps(key)}: {text}")
    beside = path.with_name(path.name + ".part")
    beside.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    os.replace(beside, path)


def read(path: str | Path, experiment: str) -> dict[str, Any]:
    """The record that `write` wrote. Raises OSError, and ExperimentError when it is no record of that experiment."""
    path = Path(path)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ExperimentError(tr("{path.name} is not JSON: {error}", path=path, error=error)) from error
    if not isinstance(record, dict) or record.get("experiment") != experiment:
        raise ExperimentError(
            tr("{path.name} holds no results of the experiment {experiment!r}", path=path, experiment=experiment)
        )
    return record


def runs_to_go_on_from(path: str | Path, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The runs that a file holds already. Raises ExperimentError when it is of another experiment, protocol or version."""
    before = read(path, record["experiment"])
    wanted = json.loads(json.dumps({k: v for k, v in record.items() if k not in ("runs", "command")}))
    for key, value in wanted.items():
        if before.get(key) != value:
            raise ExperimentError(
                tr("{name} holds runs of another {key}; name another file, or remove it", name=Path(path).name, key=key)
            )
    return before["runs"]


@dataclass(frozen=True)
class RecallResults:
    """The recall experiment's results.

    protocols: draw -> what its runs have in common. units: of every cell's one layer. results: every run, as `recall.run`
    returns it, without its models. versions: of Python, torch and NumPy. command: which makes them again.
    Source: assets/experiments/recall.json, or the file that was read.
    """

    protocols: Mapping[str, recall.Protocol]
    units: int
    results: tuple[recall.Result, ...]
    versions: Mapping[str, str]
    command: str

    def of(self, draw: str, cell: str) -> tuple[recall.Result, ...]:
        """The runs of one cell by one protocol, in the order of their seeds; none when there are none."""
        found = [r for r in self.results if r.draw == draw and r.cell == cell]
        return tuple(sorted(found, key=lambda r: r.seed))


def recall_results(path: str | Path = SHIPPED_EXPERIMENTS / "recall.json") -> RecallResults:
    """The accuracy of each cell at each gap, for every seed and protocol.

    path: the shipped file, or another of its kind. Returns `RecallResults`. Raises OSError when it can't be read,
    ExperimentError when it is no such file. `python -m lstm_core recall` writes the file.
    """
    record = read(path, "recall")
    try:
        protocols = {name: recall.Protocol(**{**p, "gaps": tuple(p["gaps"])}) for name, p in record["protocols"].items()}
        results = tuple(map(_recall_result, record["runs"]))
        return RecallResults(protocols, record["units"], results, record["versions"], record["command"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ExperimentError(
            tr("{name} is no whole record of the recall experiment: {error!r}", name=Path(path).name, error=error)
        ) from error


def recall_record(protocols: Mapping[str, recall.Protocol], units: int, command: str) -> dict[str, Any]:
    """A record of the recall experiment with no runs yet, for `write`; `command` is what makes it."""
    return {
        "experiment": "recall",
        "about": tr("accuracy at the question, by the gap between key and question; a gap is a number of distractors"),
        "command": command,
        "units": units,
        "layers": 1,
        "optimiser": tr("Adam (beta 0.9 and 0.999, no weight decay), one step a batch, loss at the question alone"),
        "weights": tr(
            "uniform within 1/sqrt(units), from the one-hot input within input_range; the forget gate's"
            " bias, where the cell has one, starts at forget_bias"
        ),
        "chance": "1 / keys",
        "protocols": {name: asdict(protocol) for name, protocol in protocols.items()},
        "versions": versions(),
        "runs": [],
    }


def recall_entry(result: recall.Result) -> dict[str, Any]:
    """A run as the record keeps it."""
    return {
        "draw": result.draw,
        "cell": result.cell,
        "seed": result.seed,
        "parameters": result.parameters,
        "seconds": round(result.seconds, 1),
        "units": result.units,
        "accuracy": _rounded(result.accuracy),
        "history": [
            {"step": evaluation.step, "loss": round(evaluation.loss, 4), "accuracy": _rounded(evaluation.accuracy)}
            for evaluation in result.history
        ],
    }


def _rounded(accuracy: Mapping[int, float]) -> dict[str, float]:
    return {str(gap): round(share, 4) for gap, share in accuracy.items()}


def _recall_result(run: Mapping[str, Any]) -> recall.Result:
    evaluations = (
        recall.Evaluation(evaluation["step"], evaluation["loss"], _by_gap(evaluation["accuracy"]))
        for evaluation in run["history"]
    )
    which = run["draw"], run["cell"], run["units"], run["seed"]
    return recall.Result(*which, _by_gap(run["accuracy"]), tuple(evaluations), run["parameters"], run["seconds"])


def _by_gap(accuracy: Mapping[str, float]) -> dict[int, float]:
    return {int(gap): share for gap, share in accuracy.items()}


@dataclass(frozen=True)
class ClippingResults:
    """The clipping experiment's results.

    protocol: what all runs have in common. corpus: the text's name, SHA-256 and split. runs: as `spectrum.clipping_run`
    returns them. versions: of Python, torch and NumPy. command: which makes them again. uniform: the loss of a model that
    thinks all characters alike likely, nats a character: a run above it has learnt less than nothing.
    Source: assets/experiments/clipping.json, or the file that was read.
    """

    protocol: spectrum.Protocol
    corpus: Mapping[str, Any]
    runs: tuple[spectrum.ClippingRun, ...]
    versions: Mapping[str, str]
    command: str
    uniform: float

    def of(self, radius: float, clip: float | None) -> tuple[spectrum.ClippingRun, ...]:
        """The runs begun with this radius and clip, in the order of their seeds; none when there are none."""
        return tuple(sorted((r for r in self.runs if (r.radius, r.clip) == (radius, clip)), key=lambda r: r.seed))


def clipping_results(path: str | Path = SHIPPED_EXPERIMENTS / "clipping.json") -> ClippingResults:
    """Loss, gradient norm and singular value during the training of plain RNNs, with and without clipping.

    path: the shipped file, or another of its kind. Returns `ClippingResults`. Raises OSError when it can't be read,
    ExperimentError when it is no such file. `python -m lstm_core clipping` writes the file.
    """
    record = read(path, "clipping")
    try:
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in record["protocol"].items()
        }
        runs = tuple(map(_clipping_run, record["runs"]))
        facts = record["corpus"], runs, record["versions"], record["command"], record["uniform"]
        return ClippingResults(spectrum.Protocol(**given), *facts)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ExperimentError(
            tr("{name} is no whole record of the clipping experiment: {error!r}", name=Path(path).name, error=error)
        ) from error


def clipping_record(protocol: spectrum.Protocol, corpus: Corpus) -> dict[str, Any]:
    """A record of the clipping experiment with no runs yet, for `write`."""
    return {
        "experiment": "clipping",
        "about": tr(
            "a plain RNN trained by plain gradient descent, from recurrent weights of several spectral"
            " radii, with the gradient's norm clipped or not"
        ),
        "command": tr("python -m lstm_core clipping --corpus FILE"),
        "cell": "rnn",
        "layers": 1,
        "optimiser": tr("plain gradient descent at a constant rate; state carried on from window to window"),
        "uniform": round(math.log(len(set(corpus.train + corpus.held_out))), 4),
        "protocol": asdict(protocol),
        "corpus": corpus.facts,
        "versions": versions(),
        "runs": [],
    }


COLUMNS = ("step", "loss", "norm", "largest", "sigma", "radius")


def clipping_entry(run: spectrum.ClippingRun) -> dict[str, Any]:
    """A run as the record keeps it: points by column, five significant digits, null for no number."""
    return {
        "radius": run.radius,
        "clip": run.clip,
        "seed": run.seed,
        "diverged": run.diverged,
        "seconds": round(run.seconds, 1),
        "points": {name: [_short(getattr(point, name)) for point in run.points] for name in COLUMNS},
        "reach": {str(step): [_short(norm) for norm in norms] for step, norms in run.reach.items()},
    }


def _clipping_run(run: Mapping[str, Any]) -> spectrum.ClippingRun:
    columns = [[math.nan if value is None else value for value in run["points"][name]] for name in COLUMNS]
    points = tuple(spectrum.Point(*row) for row in zip(*columns, strict=True))
    reach = {int(step): tuple(math.nan if n is None else n for n in norms) for step, norms in run["reach"].items()}
    return spectrum.ClippingRun(run["radius"], run["clip"], run["seed"], points, reach, run["diverged"], run["seconds"])


def _short(number: float) -> float | None:
    return None if not math.isfinite(number) else number if isinstance(number, int) else float(f"{number:.5g}")
