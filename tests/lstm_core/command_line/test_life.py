"""The command life: makes what is not there yet, lists, and judges again."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import lstm_core as lc
from lstm_core import command_line
from lstm_core.__main__ import main
from lstm_core.recipes import Recipe

SMALL = Recipe(units=8, streams=4, window=16, passes=2, warmup=5, validations=1)
TEXT = "the clouds are in the sky, and the sky is blue. " * 60
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"lstm": (SMALL, 1), "lstm-bias-2": (SMALL, 2)}
    for module in (sys.modules["lstm_core.life"], command_line.module("life")):
        monkeypatch.setattr(module, "LIVES", table)
    monkeypatch.setattr(sys.modules["lstm_core.life"], "SHIPPED_LIVES", tmp_path / "lives")
    monkeypatch.chdir(tmp_path)
    Path("clouds.txt").write_text(TEXT)


def test_it_makes_what_is_not_there_yet(capsys: Capture) -> None:
    assert main(["life", "lstm", "--corpus", "clouds.txt"]) == 0
    made = lc.life("lstm")
    expected = f"lives/lstm.safetensors: {len(made)} checkpoints, loss {made.losses[0]:.3f} to {made.losses[-1]:.3f} nats"
    assert capsys.readouterr().out.startswith(expected)
    before = made.path.stat().st_mtime_ns
    assert main(["life", "--corpus", "clouds.txt"]) == 0
    assert "lives/lstm.safetensors is there already." in capsys.readouterr().err
    assert made.path.stat().st_mtime_ns == before
    assert [one.name for one in lc.lives()] == ["lstm", "lstm-bias-2"]
    assert len(lc.life("lstm-bias-2")) < len(made)
    assert Path("lives/held-out.txt").read_text() == TEXT[int(len(TEXT) * 0.9) :]


def test_it_lists_and_judges(capsys: Capture) -> None:
    main(["life", "lstm", "--corpus", "clouds.txt"])
    capsys.readouterr()
    assert main(["life"]) == 0
    made = lc.life("lstm")
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row == ["lstm", "8", str(len(made)), str(made.steps[-1]), f"{made.losses[0]:.3f}", f"{made.losses[-1]:.3f}"]
    assert main(["life", "lstm"]) == 0
    shown = capsys.readouterr().out
    judged = re.findall(r"^step ([\d,]+): ([\d.]+) nats a character; its card says ([\d.]+)$", shown, re.MULTILINE)
    assert [int(step.replace(",", "")) for step, _, _ in judged] == list(made.steps)
    assert all(abs(float(a) - float(b)) < 2e-4 for _, a, b in judged)
    assert f"  Prince Andrew {made.samples[-1]}".replace("\n", "⏎") in shown


def test_an_unknown_life_is_named(capsys: Capture) -> None:
    assert main(["life", "rain"]) == 2
    assert "there is no life 'rain'; there are lstm, lstm-bias-2" in capsys.readouterr().err
