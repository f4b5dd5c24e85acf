"""The command recall: a line a run, results in a file, and only what the file lacks is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstm_core import experiments, recall
from lstm_core.__main__ import main
from lstm_core.recall import Protocol

TINY = Protocol(gaps=(1, 3), keys=3, distractors=2, steps=12, batch=8, warmup=5, tests=20, glances=10, looks=2)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recall, "QUICK", TINY)
    monkeypatch.setattr(recall, "EXPERIMENTS", {"alone": TINY})


def run(*more: str) -> int:
    return main(["recall", "--cells", "rnn", "gru", "--units", "5", *more])


def test_it_writes_each_run_and_prints_a_line(capsys: Capture) -> None:
    assert run("--seeds", "1", "--draw", "alone") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["draw", "cell", "seed", "seconds", "accuracy", "by", "gap"]
    found = experiments.recall_results("recall.json")
    assert [(r.cell, r.seed, r.units) for r in found.results] == [("rnn", 1, 5), ("gru", 1, 5)]
    for line, r in zip(lines[1:], found.results):
        assert line.split()[:3] == ["alone", r.cell, "1"] and line.endswith(f"1: {r.accuracy[1]:.2f}  3: {r.accuracy[3]:.2f}")
    assert found.command == "python -m lstm_core recall --cells rnn gru --units 5"


def test_it_goes_on_with_what_the_file_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("--seeds", "1", "2", "--output", "whole.json")
    run("--seeds", "1", "--output", "parts.json")
    asked = []
    original = recall.run
    monkeypatch.setattr(
        recall, "run", lambda cell, units, seed, protocol: asked.append((cell, seed)) or original(cell, units, seed, protocol)
    )
    run("--seeds", "1", "2", "--output", "parts.json")
    assert whole == 0 and asked == [("rnn", 2), ("gru", 2)]
    first, second = (json.loads(Path(name).read_text())["runs"] for name in ("whole.json", "parts.json"))
    assert [{**r, "seconds": 0} for r in first] == [{**r, "seconds": 0} for r in second]


def test_another_bias_is_another_protocol(capsys: Capture) -> None:
    assert run("--seeds", "1", "--forget-bias", "2.5", "--quick") == 0
    found = experiments.recall_results("recall.json")
    assert found.protocols["alone"].forget_bias == 2.5 and found.command.endswith("--forget-bias 2.5 --quick")
    assert run("--seeds", "1") == 1
    assert "recall.json holds runs of another protocols; name another file, or remove it" in capsys.readouterr().err
