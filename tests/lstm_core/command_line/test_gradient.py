"""The command gradient: one loss or all of them, as the API gives them, in a table and in a file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.__main__ import main
from lstm_core.analysis import vanishing
from lstm_core.analysis.gradients import gradients

TEXT = "the clouds are in the sky"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_model) -> lc.CharModel:
    """A model in the current folder, as made.safetensors."""
    model = make_model("lstm", 12, 2, name="made")
    lc.save(model, tmp_path / "made.safetensors")
    monkeypatch.chdir(tmp_path)
    return lc.load("made.safetensors")


def run(*more: str) -> int:
    return main(["gradient", "made.safetensors", "--text", TEXT, *more])


def table(capture: Capture) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in capture.readouterr().out.splitlines()[1:]]


def test_one_loss_is_told_step_by_step(made: lc.CharModel, capsys: Capture) -> None:
    assert run("--at", "10", "--layer", "1") == 0
    head, *rows = table(capsys)
    assert head == ["back", "character", "hidden", "cell", "cell, direct", "push"]
    found = gradients(made, lc.trace(made, TEXT), [9])
    assert len(rows) == 10
    for back, character, hidden, cell, direct, push in rows:
        step = 9 - int(back)
        assert character == repr(TEXT[step])
        assert float(hidden) == pytest.approx(found.norms["hidden"][0, 0, step], rel=1e-3)
        assert float(cell) == pytest.approx(found.norms["cell"][0, 0, step], rel=1e-3)
        assert float(direct) == pytest.approx(found.direct["cell"][0, 0, step], rel=1e-3)
        assert float(push) == pytest.approx(found.characters[0, step], rel=1e-3, abs=1e-12)


def test_all_losses_are_told_by_distance(made: lc.CharModel, capsys: Capture) -> None:
    assert run() == 0
    head, *rows, last = table(capsys)
    found = gradients(made, lc.trace(made, TEXT))
    left = vanishing.left(vanishing.share(found, vanishing.path(found, -1, "cell")))
    assert head == ["back", "hidden", "cell", "cell, direct"]
    for back, _, cell, _ in rows:
        assert float(cell) == pytest.approx(left.middle[int(back)], rel=1e-3)
    after = left.vanished_after
    assert last[2] == ("not here" if after is None else f"{after} back")


def test_the_head_says_which_loss(made: lc.CharModel, capsys: Capture) -> None:
    run("--at", "10")
    assert capsys.readouterr().out.startswith("made, layer 2: the loss after character 10, 's', for ' ', which came next\n")
    run("--at", str(len(TEXT)))
    assert re.match(r"made, layer 2: the loss after character 25, 'y', for '.', the likeliest\n", capsys.readouterr().out)


def test_the_file_holds_all_layers(made: lc.CharModel, capsys: Capture) -> None:
    assert run("-o", "g.npz") == 0
    with np.load("g.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["norms_cell"], gradients(made, lc.trace(made, TEXT)).norms["cell"])
    assert "g.npz: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "more, sentence",
    [
        (("--layer", "3"), "--layer 3 is not there: made has 2 layers"),
        (("--at", "26"), "--at 26 is beyond the text, which has 25 characters"),
    ],
)
def test_what_is_not_there_is_named(made: lc.CharModel, capsys: Capture, more: tuple[str, ...], sentence: str) -> None:
    assert run(*more) == 2
    assert sentence in capsys.readouterr().err


def test_a_long_text_is_cut_and_that_is_said(made: lc.CharModel, capsys: Capture) -> None:
    assert main(["gradient", "made.safetensors", "--text", "to and fro " * 100, "--at", "1000"]) == 0
    assert "made, layer 2, characters 101 to 1100: the loss after character 1000" in capsys.readouterr().out
