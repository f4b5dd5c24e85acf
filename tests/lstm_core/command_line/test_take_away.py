"""The commands trace, show and figure: what is written comes back, and what was asked for in vain is said in a sentence."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core import model_file
from lstm_core.__main__ import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with the one shipped model, tiny."""
    torch.manual_seed(0)
    lc.save(lc.CharModel(lc.Vocabulary.of("helo, wrd"), "lstm", 6, 2, name="tiny"), tmp_path / "tiny.safetensors")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(model_file, "SHIPPED_MODELS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("ending", ["npz", "zip", "parquet"])
def test_what_trace_writes_show_tells(ending: str, capsys: Capture) -> None:
    assert main(["trace", "tiny", "--text", "hello, world", "-o", f"out.{ending}"]) == 0
    trace = lc.trace(lc.load("tiny"), "hello, world")
    assert np.array_equal(lc.Trace.load(f"out.{ending}")["cell"], trace["cell"])
    capsys.readouterr()
    assert main(["show", f"out.{ending}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["model: tiny, LSTM", f"convention: {trace.cell.note}", "text: 'hello, world'"]
    assert lines[3] == "sizes: 2 x 12 x 6 (layers x steps x units)"
    assert lines[4] == f"loss: {trace.loss:.4f} nats per character"
    told = {line.split()[0]: [float(n) for n in line.split()[1:]] for line in lines[6:]}
    assert list(told) == list(trace.signals)
    for name, numbers in told.items():
        values = trace[name]
        assert numbers == pytest.approx([values.min(), values.mean(), values.max()], abs=5.1e-5)


def test_show_as_json_holds_the_whole_text_and_what_was_held(capsys: Capture) -> None:
    held = lc.trace(lc.load("tiny"), "h\ud800" * 50, clamps=[lc.Clamp("forget", 0.5, units=[1])])
    held.save("held.npz")
    assert main(["show", "held.npz", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["text"] == "h\ud800" * 50 and len(facts["held"]) == 1 and facts["loss"] == pytest.approx(held.loss)
    assert main(["show", "held.npz"]) == 0
    shown = capsys.readouterr().out
    assert "and 40 more characters" in shown and "held: the forget gate of unit 1" in shown


def test_show_of_one_character_has_no_loss(capsys: Capture) -> None:
    lc.trace(lc.load("tiny"), "h").save("one.npz")
    assert main(["show", "one.npz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["loss"] is None
    assert main(["show", "one.npz"]) == 0
    assert "loss: none, for one character alone" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv, sentence",
    [
        (["show", "none.npz"], "none.npz: No such file or directory."),
        (["show", "tiny.safetensors"], "the file is neither NPZ, nor Parquet, nor a ZIP with trace.csv"),
        (["trace", "tiny", "--text", "hello", "-o", "out.csv"], "ends in .npz, .zip or .parquet, not to 'out.csv'"),
        (["explain", "tiny", "--text", "hello", "--unit", "9"], "there is no unit 9"),
        (["figure", "lines", "tiny", "--text", "hello", "-o", "out.gif"], "ends in .html, .png, .svg or .pdf"),
        (["figure", "lines", "tiny", "--text", "hello", "--layer", "3", "-o", "out.html"], "there is no layer 2"),
        (["figure", "bars", "tiny", "--text", "hello", "--character", "6", "-o", "out.html"], "there is no step 5"),
        (["figure", "bars", "tiny", "--text", "hello", "--unit", "6", "-o", "out.html"], "there is no unit 6"),
    ],
)
def test_what_can_not_be_had_is_one_sentence(argv: list[str], sentence: str, capsys: Capture, folder: Path) -> None:
    assert main(argv) == 1
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == ["tiny.safetensors"]


@pytest.mark.parametrize("kind, title", [("heatmaps", "Gates and states"), ("lines", "Unit 2 over time"), ("bars", "Kept and")])
def test_each_picture_is_a_page_of_its_own(kind: str, title: str, folder: Path) -> None:
    asked = ["--layer", "2", "--unit", "2", "--character", "3", "--theme", "dark", "-o", "out.html"]
    assert main(["figure", kind, "tiny", "--text", "hello", *asked]) == 0
    page = (folder / "out.html").read_text("utf-8")
    assert title in page and "layer 2" in page and "background:#0e1117" in page


def test_explain_prints_numbers_that_add_up(capsys: Capture) -> None:
    asked = ["explain", "tiny", "--text", "hello", "--layer", "2", "--unit", "3", "--character", "4"]
    assert main(asked) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "tiny, layer 2, unit 3, character 4: 'l'"
    trace = lc.trace(lc.load("tiny"), "hello")
    assert [line.split()[0] for line in lines] == list(trace.cell.names)
    for line in lines:
        name, shown, *rest = line.split()
        assert float(shown) == pytest.approx(float(trace[name][1, 3, 3]), abs=5.1e-3)
        if rest[:1] == ["squashed"]:
            parts = [float(word) for word in rest[3:] if word.lstrip("-").replace(".", "").isdigit()]
            assert round(sum(parts), 9) == pytest.approx(float(rest[1]), abs=5.1e-3)
    assert main([*asked, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    for fact in facts:
        assert fact["value"] == pytest.approx(float(trace[fact["signal"]][1, 3, 3]))
        if fact["squashed"] is not None:
            assert sum(part["value"] for part in fact["parts"]) == pytest.approx(fact["squashed"])


def test_where_nothing_can_draw_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "kaleido" else find(name, *more))
    assert main(["figure", "bars", "tiny", "--text", "hello", "-o", "out.png"]) == 1
    assert "Error: A PNG needs the package kaleido" in capsys.readouterr().err
