"""The command clipping: a run for each radius, clip and seed; only what the file lacks is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstm_core.__main__ import main
from lstm_core.analysis import spectrum
from lstm_core.experiments import clipping_results

OPTIONS = ("clipping", "--corpus", "clouds.txt", "--steps", "20", "--units", "6", "--radii", "0.5", "2")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clouds.txt").write_text("the clouds are in the sky, and the sky is blue. " * 60)


def test_it_writes_each_run_and_prints_a_line(capsys: Capture) -> None:
    assert main([*OPTIONS, "--seeds", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = clipping_results("clipping.json")
    assert [(r.radius, r.clip) for r in found.runs] == [(0.5, None), (0.5, 1.0), (2.0, None), (2.0, 1.0)]
    assert (found.protocol.units, found.protocol.steps, found.corpus["corpus"]) == (6, 20, "clouds.txt")
    for line, r in zip(lines[1:], found.runs):
        largest = max(p.largest for p in r.points[1:])
        assert line.split()[:5] == [str(r.radius), str(r.clip), "1", f"{r.points[-1].loss:.3f}", f"{largest:.4g}"]


def test_nothing_is_run_twice(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert main([*OPTIONS, "--seeds", "1"]) == 0
    first = capsys.readouterr().out
    monkeypatch.setattr(spectrum, "clipping_run", lambda *given: pytest.fail("the run is in the file"))
    assert main([*OPTIONS, "--seeds", "1"]) == 0
    assert capsys.readouterr().out == first


def test_a_rate_that_can_not_be_is_named(capsys: Capture) -> None:
    assert main([*OPTIONS, "--learning-rate", "-1"]) == 1
    assert "learning_rate must be above 0, not -1.0" in capsys.readouterr().err
