"""The command convert: what it prints, what it writes, and when it does not."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
import torch

import lstm_core as lc
from lstm_core.__main__ import main

Capture = pytest.CaptureFixture[str]
TEXT = (
    "It was in July, 1805, and the speaker was the well-known Anna Pavlovna Scherer, maid of honor and favorite of the Empress"
    " Marya Fedorovna. With these words she greeted Prince Vasili Kuragin, a man of high rank and importance, who was the first"
    " to arrive at her reception. Anna Pavlovna had had a cough for some days."
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a trained model as others would keep it, a list of its characters under no usual name, and a text."""
    model = lc.load("family-lstm")
    state = {name.replace("rnn.", "lstm.").replace("head.", "fc."): value for name, value in model.state_dict().items()}
    torch.save({"net": state, "epoch": 3}, tmp_path / "tolstoy.pt")
    (tmp_path / "list.json").write_text(json.dumps(model.vocabulary.characters), "utf-8")
    (tmp_path / "wrong.json").write_text(json.dumps(model.vocabulary.characters[::-1]), "utf-8")
    (tmp_path / "text.txt").write_text(TEXT, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def convert(*more: str) -> int:
    return main(["convert", "tolstoy.pt", "-o", "out.safetensors", *more])


def test_it_tells_what_it_found_proves_it_and_writes_it(folder: Path, capsys: Capture) -> None:
    assert convert("--vocabulary", "list.json", "--text-file", "text.txt", "--name", "tolstoy") == 0
    shown = capsys.readouterr().out
    assert "source: PyTorch checkpoint\ncell: LSTM" in shown
    assert "gate order: i, f, g, o" in shown and "vocabulary: list.json" in shown
    assert "proof: This model reads: " in shown and shown.endswith("out.safetensors: written\n")
    model, original = lc.load("out.safetensors"), lc.load("family-lstm")
    assert (lc.trace(model, TEXT).probs == lc.trace(original, TEXT).probs).all()
    assert (model.name, model.card["file"], model.card["source"]) == ("tolstoy", "tolstoy.pt", "PyTorch checkpoint")
    assert model.card["proof"]["verdict"] == "reads" and len(model.card["file_sha256"]) == 64


def test_what_looks_wrong_is_not_written_but_anyway(folder: Path, capsys: Capture) -> None:
    wrong = ("--vocabulary", "wrong.json", "--text-file", "text.txt")
    assert convert(*wrong) == 1
    shown = capsys.readouterr()
    assert "proof: This looks wrongly packed or paired with the wrong vocabulary" in shown.out
    assert "out.safetensors was not written" in shown.err and not Path("out.safetensors").exists()
    assert convert(*wrong, "--anyway") == 0
    assert lc.load("out.safetensors").card["proof"]["verdict"] == "wrong"


def test_without_a_text_nothing_is_proved_and_that_is_said(folder: Path, capsys: Capture) -> None:
    assert convert("--vocabulary", "list.json") == 0
    shown = capsys.readouterr()
    assert "proof" not in shown.out and "name a text with --text-file" in shown.err
    assert "proof" not in lc.load("out.safetensors").card


def test_a_list_beside_the_file_is_taken(folder: Path, capsys: Capture) -> None:
    Path("list.json").rename("vocab.json")
    assert convert("--text-file", "text.txt") == 0
    assert "vocabulary: the list beside the file" in capsys.readouterr().out


def test_the_characters_of_a_text_in_their_order(folder: Path, capsys: Capture) -> None:
    known = sorted(lc.load("family-lstm").vocabulary.characters)
    Path("all.txt").write_text(TEXT * 4 + "".join(known), "utf-8", newline="")
    assert convert("--vocabulary", "text:all.txt") == 0
    assert "vocabulary: the characters of all.txt, sorted" in capsys.readouterr().out
    assert lc.load("out.safetensors").vocabulary.characters == tuple(known)


@pytest.mark.parametrize(
    "more, code, sentence",
    [
        ((), 1, "Error: the file does not say which 82 characters its model knows, nor does a list beside it"),
        (("--vocabulary", "printable"), 1, "Error: the vocabulary has 100 characters, but the model predicts 82."),
        (("--vocabulary", "bytes"), 1, "Error: the vocabulary has 256 characters, but the model predicts 82."),
        (("--vocabulary", "list.csv"), 2, "Error: --vocabulary is printable, bytes, text:FILE, or a .json or .txt file"),
        (("--vocabulary", "text.txt"), 1, "Error: 'text.txt' names a character twice."),
        (("--vocabulary", "none.json"), 1, "Error: none.json: No such file or directory."),
        (("--output", "out.pt"), 2, "Error: --output must end in .safetensors, and out.pt does not."),
    ],
)
def test_what_can_not_be(folder: Path, capsys: Capture, more: tuple[str, ...], code: int, sentence: str) -> None:
    assert convert(*more) == code
    assert sentence in capsys.readouterr().err


def test_a_file_that_is_there_stays(folder: Path, capsys: Capture) -> None:
    Path("out.safetensors").write_bytes(b"precious")
    assert convert("--vocabulary", "list.json") == 1
    assert "out.safetensors exists already" in capsys.readouterr().err
    assert Path("out.safetensors").read_bytes() == b"precious"
    assert convert("--vocabulary", "list.json", "--overwrite") == 0
    assert lc.load("out.safetensors").units == 128


def test_string_printable(tmp_path: Path, capsys: Capture) -> None:
    torch.manual_seed(0)
    parts = {"embed": torch.nn.Embedding(100, 3), "gru": torch.nn.GRU(3, 4), "fc": torch.nn.Linear(4, 100)}
    torch.save(torch.nn.ModuleDict(parts).state_dict(), tmp_path / "m.pth")
    assert main(["convert", str(tmp_path / "m.pth"), "--vocabulary", "printable", "-o", str(tmp_path / "m.safetensors")]) == 0
    assert lc.load(tmp_path / "m.safetensors").vocabulary.characters == tuple(string.printable)
