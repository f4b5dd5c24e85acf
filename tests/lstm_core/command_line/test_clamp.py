"""The command clamp: both losses, what changes most, both runs as files, and sentences for what can't be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.__main__ import main

TEXT = "the clouds\nare in the sky"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> lc.CharModel:
    """A model in the current folder, as made.safetensors."""
    torch.manual_seed(0)
    model = lc.CharModel(lc.Vocabulary.of(TEXT), "gru", 12, 2, name="made").eval()
    lc.save(model, tmp_path / "made.safetensors")
    monkeypatch.chdir(tmp_path)
    return lc.load("made.safetensors")


def run(*more: str) -> int:
    return main(["clamp", "made.safetensors", "--text", TEXT, *more])


def test_it_prints_both_losses_and_what_changes_most(made: lc.CharModel, capsys: Capture) -> None:
    assert run("--signal", "update", "--value", "1", "--layer", "2", "--units", "3,7-9", "--from", "10", "--to", "20") == 0
    shown = capsys.readouterr().out
    after = lc.trace(made, TEXT, clamps=[lc.Clamp("update", 1, 1, [3, 7, 8, 9], 9, 20)])
    before = lc.trace(made, TEXT)
    assert "held: the update gate of units 3, 7-9 of layer 2 at 1 from character 10 to 20\n" in shown
    assert f"loss: {before.loss:.4f} nats" in shown
    assert f"loss with the clamp: {after.loss:.4f} nats per character, a change of {after.loss - before.loss:+.4f}" in shown
    assert "part after character 10, “s”." in shown
    rows = re.findall(r"^ +(\d+)  “(.)” +([\d.]+) +([\d.]+) +([+-][\d.]+)$", shown, re.MULTILINE)
    assert len(rows) == 8
    for step, character, a, b, _ in rows:
        assert TEXT[int(step) - 1].replace("\n", "↵").replace(" ", "␣") == character
        assert float(a) == pytest.approx(before.surprise[int(step) - 1], abs=6e-4)
        assert float(b) == pytest.approx(after.surprise[int(step) - 1], abs=6e-4)
    assert "certificate: holds against the declared equations, step by step in float64, with the same clamps" in shown


def test_both_runs_are_written(made: lc.CharModel, capsys: Capture) -> None:
    assert run("--signal", "reset", "--value", "0", "-o", "run.npz") == 0
    free, held = (np.load(name, allow_pickle=False) for name in ("run.npz", "run-clamped.npz"))
    np.testing.assert_array_equal(free["reset"], lc.trace(made, TEXT)["reset"])
    assert (held["reset"][0] == 0).all() and (held["reset"][1] != 0).all()
    clamps = [json.loads(str(file["metadata"]))["clamps"] for file in (free, held)]
    assert clamps == [[], [{"signal": "reset", "value": 0.0, "layer": 0, "units": None, "start": 0, "stop": None}]]
    assert "run-clamped.npz: " in capsys.readouterr().out


@pytest.mark.parametrize("ending", [".npz", ".zip", ".parquet"])
def test_the_ending_says_how_both_runs_are_written(made: lc.CharModel, ending: str) -> None:
    assert run("--signal", "update", "--value", "1", "-o", f"run{ending}") == 0
    free, held = (lc.Trace.load(f"run{middle}{ending}") for middle in ("", "-clamped"))
    np.testing.assert_array_equal(free["update"], lc.trace(made, TEXT)["update"])
    assert (held["update"][0] == 1).all() and held.clamps == (lc.Clamp("update", 1, 0),)


def test_another_ending_is_refused_before_anything_is_read(made: lc.CharModel, capsys: Capture) -> None:
    assert run("--signal", "update", "--value", "1", "-o", "run.csv") == 1
    told = capsys.readouterr()
    assert ".npz, .zip or .parquet, not to 'run.csv'" in told.err and told.out == ""
    assert not list(Path().glob("run*"))


def test_a_clamp_after_the_last_prediction_changes_no_loss(made: lc.CharModel, capsys: Capture) -> None:
    assert run("--signal", "update", "--value", "0", "--from", str(len(TEXT))) == 0
    shown = capsys.readouterr().out
    assert "It changes most" not in shown
    assert re.search(r"a change of [+-]0\.0000", shown)


def exit_code(*more: str) -> int:
    """Also of what argparse does not understand."""
    try:
        return run(*more)
    except SystemExit as stopped:
        return int(stopped.code or 0)


@pytest.mark.parametrize(
    "more, code, said",
    [
        (("--value", "0"), 2, "required: --signal"),
        (("--signal", "update", "--value", "x"), 2, "--value: invalid float value: 'x'"),
        (("--signal", "update", "--value", "nan"), 2, "Error: 'update' is held at a finite number, not at nan."),
        (("--signal", "update", "--value", "0", "--layer", "3"), 2, "Error: --layer 3 is not there: made has 2 layers."),
        (("--signal", "update", "--value", "0", "--layer", "0"), 2, "--layer: 0 is not 1 or more"),
        (("--signal", "update", "--value", "0", "--units", "3,x"), 2, "“x” is no number and no range"),
        (("--signal", "update", "--value", "0", "--units", "12"), 2, "Error: there is no unit 12; there are units 0 to 11."),
        (("--signal", "update", "--value", "0", "--from", "26"), 2, "Error: --from 26 is beyond the text, which has 25 "),
        (("--signal", "update", "--value", "0", "--from", "9", "--to", "8"), 2, "Error: --to 8 comes before --from 9."),
        (("--signal", "forget", "--value", "0"), 1, "has no signal 'forget' to hold; it has update, reset, candidate, hidden."),
        (("--signal", "update", "--value", "2"), 1, "Error: the update gate runs from 0 to 1; it can't be held at 2."),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("made")
def test_what_cannot_be_gets_a_sentence(more: tuple[str, ...], code: int, said: str, capsys: Capture) -> None:
    assert exit_code(*more) == code
    assert said in capsys.readouterr().err


def test_it_explains_itself(capsys: Capture) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["clamp", "--help"])
    shown = capsys.readouterr().out
    assert len(re.findall(r"^  python -m lstm_core clamp ", shown, re.MULTILINE)) == 3 and "%(" not in shown
