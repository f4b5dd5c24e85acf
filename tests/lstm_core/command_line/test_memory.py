"""The command memory: the API's half-lives, and a sentence for a cell without a gate that keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.__main__ import main
from lstm_core.analysis.memory import half_life

TEXT = "the clouds are in the sky"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_model) -> None:
    for cell in ("lstm", "rnn"):
        lc.save(make_model(cell, 12, 2, name=cell), tmp_path / f"{cell}.safetensors")
    monkeypatch.chdir(tmp_path)


def run(model: str, *more: str) -> int:
    return main(["memory", f"{model}.safetensors", "--text", TEXT, *more])


def test_the_longest_are_named_in_each_layer(capsys: Capture) -> None:
    assert run("lstm", "--most", "2") == 0
    shown = capsys.readouterr().out
    lives = half_life(lc.trace(lc.load("lstm.safetensors"), TEXT))
    for layer, values in enumerate(lives, 1):
        first, second = np.argsort(-values)[:2]
        assert f"layer {layer}: unit {first} {values[first]:.3g}, unit {second} {values[second]:.3g}\n" in shown


def test_the_file_holds_every_unit(capsys: Capture) -> None:
    assert run("lstm", "-o", "lives.csv") == 0
    head, *lines = Path("lives.csv").read_text("utf-8").splitlines()
    assert head == "layer,unit,half_life" and len(lines) == 24
    lives = half_life(lc.trace(lc.load("lstm.safetensors"), TEXT))
    for line in lines:
        layer, unit, life = line.split(",")
        assert float(life) == pytest.approx(lives[int(layer) - 1, int(unit)], rel=1e-6)


def test_a_plain_rnn_has_none(capsys: Capture) -> None:
    assert run("rnn") == 1
    assert "no gate of RNN decides what is kept" in capsys.readouterr().err
