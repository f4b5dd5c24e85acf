"""Results in files: what is written is read back, an interrupted experiment goes on, and the shipped results are whole."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from lstm_core import corpora, experiments, recall
from lstm_core.analysis import spectrum
from lstm_core.experiments import (
    RECALL_CELLS,
    RECALL_SEEDS,
    SHIPPED_EXPERIMENTS,
    ExperimentError,
    clipping_results,
    recall_results,
)
from lstm_core.recall import EXPERIMENTS, Protocol

CLOUDS = corpora.from_text("the clouds are in the sky, and the sky is blue. " * 60, "clouds")
TINY = Protocol(gaps=(1, 3), keys=3, distractors=2, steps=12, batch=8, warmup=5, tests=20, glances=10, looks=2)
SHORT = spectrum.Protocol(units=8, streams=4, window=8, steps=8, every=4, radii=(1.0,), seeds=(1,), looks=(0, 8))


def finish(running):
    while True:
        try:
            next(running)
        except StopIteration as finished:
            return finished.value


@pytest.fixture
def recalled(tmp_path: Path) -> tuple[Path, recall.Result]:
    result = finish(recall.run("lstm", 6, 2, TINY))
    record = experiments.recall_record({"alone": TINY}, 6, "python -m lstm_core recall --units 6")
    record["runs"].append(experiments.recall_entry(result))
    experiments.write(tmp_path / "recall.json", record)
    return tmp_path / "recall.json", result


@pytest.fixture
def clipped(tmp_path: Path) -> tuple[Path, spectrum.ClippingRun]:
    run = finish(spectrum.clipping_run(CLOUDS, 1.0, None, 1, SHORT))
    record = experiments.clipping_record(SHORT, CLOUDS)
    record["runs"].append(experiments.clipping_entry(run))
    experiments.write(tmp_path / "clipping.json", record)
    return tmp_path / "clipping.json", run


def test_recall_comes_back_as_it_was(recalled: tuple[Path, recall.Result]) -> None:
    path, result = recalled
    found = recall_results(path)
    assert found.protocols == {"alone": TINY} and found.units == 6 and found.versions == experiments.versions()
    (back,) = found.of("alone", "lstm")
    assert found.of("alone", "gru") == found.of("even", "lstm") == ()
    assert (back.cell, back.units, back.seed, back.draw, back.parameters) == ("lstm", 6, 2, "alone", result.parameters)
    assert back.accuracy == pytest.approx(result.accuracy, abs=1e-4) and back.models == ()
    assert [look.step for look in back.history] == [look.step for look in result.history] == [6, 12, 6, 12]
    assert [look.loss for look in back.history] == pytest.approx([look.loss for look in result.history], abs=1e-4)


def test_clipping_comes_back_as_it_was(clipped: tuple[Path, spectrum.ClippingRun]) -> None:
    path, run = clipped
    found = clipping_results(path)
    assert (
        found.protocol == SHORT
        and found.corpus == CLOUDS.facts
        and found.uniform == pytest.approx(math.log(len(set(CLOUDS.train + CLOUDS.held_out))), abs=1e-4)
    )
    (back,) = found.of(1.0, None)
    assert found.of(1.0, 1.0) == () and back.diverged is None and math.isnan(back.points[0].loss)
    for name in ("step", "norm", "largest", "sigma", "radius"):
        assert [getattr(p, name) for p in back.points[1:]] == pytest.approx(
            [getattr(p, name) for p in run.points[1:]], rel=1e-4
        )
    assert {step: pytest.approx(norms, rel=1e-4) for step, norms in run.reach.items()} == back.reach


def test_a_file_is_plain_json_with_a_run_a_line(clipped: tuple[Path, spectrum.ClippingRun]) -> None:
    text = clipped[0].read_text()
    record = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert sum(line.startswith('{"radius"') for line in text.splitlines()) == len(record["runs"]) == 1
    assert list(clipped[0].parent.glob("*.part")) == []


def test_files_of_something_else_are_named(recalled: tuple[Path, recall.Result], tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"recall\.json holds no results of the experiment 'clipping'"):
        clipping_results(recalled[0])
    (tmp_path / "half.json").write_text(recalled[0].read_text()[:99])
    with pytest.raises(ExperimentError, match=r"half\.json is not JSON"):
        recall_results(tmp_path / "half.json")
    with pytest.raises(FileNotFoundError):
        recall_results(tmp_path / "none.json")


@pytest.mark.parametrize("key", ["protocols", "runs", "units", "versions"])
def test_a_record_that_lacks_a_part_is_named(recalled: tuple[Path, recall.Result], key: str) -> None:
    record = json.loads(recalled[0].read_text())
    del record[key]
    recalled[0].write_text(json.dumps(record))
    with pytest.raises(ExperimentError, match=f"no whole record of the recall experiment: KeyError.'{key}'"):
        recall_results(recalled[0])


def test_it_goes_on_only_from_its_own_kind(recalled: tuple[Path, recall.Result]) -> None:
    path, _ = recalled
    same = experiments.recall_record({"alone": TINY}, 6, "another command")
    assert len(experiments.runs_to_go_on_from(path, same)) == 1
    for record, key in (
        (experiments.recall_record({"alone": replace(TINY, steps=13)}, 6, ""), "protocols"),
        (experiments.recall_record({"alone": TINY}, 7, ""), "units"),
        ({**same, "versions": {**experiments.versions(), "torch": "1.0"}}, "versions"),
    ):
        with pytest.raises(ExperimentError, match=f"holds runs of another {key}; name another file, or remove it"):
            experiments.runs_to_go_on_from(path, record)


# the shipped results


def test_the_shipped_recall_is_whole() -> None:
    found = recall_results()
    assert found.protocols == EXPERIMENTS and found.units == experiments.RECALL_UNITS
    which = [(r.draw, r.cell, r.seed) for r in found.results]
    assert sorted(which) == sorted(product(EXPERIMENTS, RECALL_CELLS, RECALL_SEEDS))
    for r in found.results:
        protocol = EXPERIMENTS[r.draw]
        assert tuple(r.accuracy) == protocol.gaps and protocol.tests >= 500
        assert all(
            0 <= share <= 1 and share * protocol.tests == pytest.approx(round(share * protocol.tests))
            for share in r.accuracy.values()
        )
        assert len(r.history) == protocol.looks * len(protocol.stages) and all(math.isfinite(look.loss) for look in r.history)
        assert min(r.accuracy.values()) > protocol.chance - 0.06, "worse than guessing"
        model = recall.new_model(r.cell, r.units, r.seed, protocol)
        assert r.parameters == sum(p.numel() for p in model.parameters()) and r.seconds > 0


@pytest.mark.parametrize("cell", ["lstm", "coupled"])  # by torch's kernel, and by its declaration
def test_the_code_still_walks_the_shipped_way(cell: str) -> None:
    """The first quarter of the training at gap 1, run again: the same loss on the way, and as many right answers."""
    now = next(recall.run(cell, experiments.RECALL_UNITS, 1, EXPERIMENTS["alone"], report_every=math.inf))
    look = recall_results().of("alone", cell)[0].history[0]
    assert (now.step, now.gaps) == (look.step, (1,))
    assert now.loss == pytest.approx(look.loss, abs=2e-3) and now.accuracy[1] == pytest.approx(look.accuracy[1], abs=0.03)


def test_each_shipped_cell_learnt_the_shortest_gap() -> None:
    """The yardstick of the whole: what no cell learns at gap 1 would be a fault of the training, not of the gap."""
    for r in recall_results().results:
        if r.draw == "alone":
            assert r.accuracy[1] > 0.99


@pytest.mark.parametrize("bias", [0, 3])
def test_the_lstm_with_other_forget_biases_is_shipped(bias: int) -> None:
    found = recall_results(SHIPPED_EXPERIMENTS / f"recall-bias-{bias}.json")
    assert found.protocols == {"alone": replace(EXPERIMENTS["alone"], forget_bias=bias)}
    assert [(r.cell, r.seed) for r in found.results] == [("lstm", seed) for seed in RECALL_SEEDS]
    assert all(tuple(r.accuracy) == EXPERIMENTS["alone"].gaps and r.accuracy[1] > 0.99 for r in found.results)
    assert f"--forget-bias {bias}" in found.command


def test_the_shipped_clipping_is_whole() -> None:
    found, protocol = clipping_results(), spectrum.Protocol()
    assert found.protocol == protocol and found.corpus["corpus"] == "warandpeace.txt" and len(found.corpus["sha256"]) == 64
    which = [(r.radius, r.clip, r.seed) for r in found.runs]
    assert sorted(which, key=str) == sorted(product(protocol.radii, protocol.clips, protocol.seeds), key=str)
    for run in found.runs:
        assert run.points[0].radius == pytest.approx(run.radius, rel=1e-4)
        last = protocol.steps if run.diverged is None else run.diverged - 1
        assert [p.step for p in run.points] == list(range(0, last + 1, protocol.every))
        assert all(p.sigma >= p.radius * (1 - 1e-3) > 0 and p.largest >= p.norm >= 0 for p in run.points[1:])
        assert all(len(norms) == protocol.window for norms in run.reach.values())


def test_the_shipped_clipping_begins_as_the_code_begins() -> None:
    """What needs the size of the vocabulary alone: the weights that each run was begun with."""
    found = clipping_results()
    characters = "".join(chr(0x100 + k) for k in range(round(math.exp(found.uniform))))
    text = corpora.from_text(characters * 40, "as many characters")
    for run in found.runs:
        short = finish(spectrum.clipping_run(text, run.radius, run.clip, run.seed, replace(found.protocol, steps=1, looks=())))
        assert short.points[0].sigma == pytest.approx(run.points[0].sigma, rel=1e-4)


def test_clipping_saves_the_run_that_explodes() -> None:
    """What the page shows: from large weights, unclipped steps throw them far away; smaller ones need no clipping."""
    found = clipping_results()
    large = max(found.protocol.radii)
    for free, clipped in zip(found.of(large, None), found.of(large, 1.0), strict=True):
        assert free.seed == clipped.seed and free.points[-1].loss > clipped.points[-1].loss + 0.9
        assert max(p.largest for p in free.points[1:]) > 1e4 and free.points[-1].sigma > 1e4 > 1e3 * clipped.points[-1].sigma
    for radius in found.protocol.radii[:-1]:
        for free, clipped in zip(found.of(radius, None), found.of(radius, 1.0), strict=True):
            assert free.points[-1].loss == pytest.approx(clipped.points[-1].loss, abs=0.05)
