from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lstm_core import diagram, walk
from lstm_core.cells import cells
from lstm_core.formula import FUNCTIONS, Apply, Cell
from lstm_core.walk import Step

LSTM, RNN = cells()["lstm"], cells()["rnn"]
every_cell = pytest.mark.parametrize("cell", [pytest.param(cell, id=name) for name, cell in cells().items()])


def said(cell: Cell, steps: tuple[Step, ...]) -> list[str]:
    return walk.check(cell, steps, diagram.load(cell))


def changed(number: int, **fields: object) -> tuple[Step, ...]:
    """The LSTM's walk with one step changed."""
    steps = list(walk.walk(LSTM))
    steps[number] = replace(steps[number], **fields)  # type: ignore[arg-type]
    return tuple(steps)


# The shipped walks


@every_cell
def test_every_cell_has_a_walk_that_agrees_with_its_drawing(cell: Cell) -> None:
    steps = walk.walk(cell)
    assert len(steps) >= 3
    assert said(cell, steps) == []


@every_cell
@pytest.mark.parametrize("function", ["hard_sigmoid_keras2", "relu"])
def test_the_walk_of_a_variant_agrees_with_its_drawing(cell: Cell, function: str) -> None:
    for old in {node.function for node in cell.nodes if isinstance(node, Apply)}:
        variant = cell.with_functions({old: function})
        before, now = (FUNCTIONS[name].label for name in (old, function))
        assert said(variant, walk.walk(variant)) == []
        for plain, step in zip(walk.walk(cell), walk.walk(variant), strict=True):
            more = f" This model applies {now} in place of {before}." if before in plain.text else ""
            assert step.text == plain.text + more


@every_cell
def test_each_step_lights_parts_of_its_own_and_dims_others(cell: Cell) -> None:
    parts = [e for e in ElementTree.fromstring(diagram.load(cell)).iter() if "data-value" in e.attrib]
    lit = [{k for k, part in enumerate(parts) if any(walk.lit(v, part) for v in step.lights)} for step in walk.walk(cell)]
    assert len(set(map(frozenset, lit))) == len(lit)
    assert all(0 < len(step) < len(parts) for step in lit)


@every_cell
def test_the_words_are_for_reading(cell: Cell) -> None:
    steps = walk.walk(cell)
    assert len({step.title for step in steps}) == len(steps)
    for step in steps:
        assert 2 <= len(re.findall(r"[.?!](?= |$)", step.text)) <= 4, step.text
        assert len(step.title) <= 45 and len(step.text) <= 420 and len(step.attempt) <= 180, step.title
        for text in (step.title, step.text, step.attempt):
            assert not re.search(r"['\"*_`$<>]| - ", text), f"straight quotes, markup or a bare hyphen in: {text}"


def test_the_walk_of_the_essay_for_the_lstm() -> None:
    shown = [step.equations for step in walk.walk(LSTM)]
    assert shown == [("cell",), ("forget",), ("input", "candidate"), ("cell",), ("output", "hidden")]
    assert [step.bars for step in walk.walk(LSTM)] == [False, False, False, True, False]


def test_the_output_gate_of_a_peephole_cell_is_lit_with_the_new_cell_state_the_others_with_the_old() -> None:
    for name in ("peephole", "peephole_full"):
        steps = {equation: step for step in walk.walk(cells()[name]) for equation in step.equations}
        assert "cell -> output" in steps["output"].lights
        assert "cell@-1 -> forget" in steps["forget"].lights and "cell@-1 -> input" in steps["input"].lights


def test_no_file_is_without_a_cell_and_none_says_another() -> None:
    for path in walk.FOLDER.iterdir():
        assert json.loads(path.read_text("utf-8"))["cell"] == path.stem


# The check


def test_a_light_that_is_no_part_is_named() -> None:
    first = walk.walk(LSTM)[0].lights
    assert said(LSTM, changed(0, lights=(*first, "cell -> forget"))) == [
        "lstm, “The line through the top”: the light 'cell -> forget' is no part of the drawing"
    ]


def test_a_label_is_lit_with_its_vector_wherever_that_goes() -> None:
    parts = [e for e in ElementTree.fromstring(diagram.load(LSTM)).iter() if e.get("data-value") == "cell"]
    lit = [(e.tag.rpartition("}")[2], e.get("data-to") or e.get("data-signal")) for e in parts if walk.lit("cell -> out", e)]
    assert lit == [("path", "hidden out"), ("path", "out"), ("text", None)]


def test_an_undeclared_signal_is_named() -> None:
    assert said(LSTM, changed(0, equations=("cell", "reset"))) == [
        "lstm, “The line through the top”: the equation 'reset' is not declared;"
        " LSTM has forget, input, candidate, cell, output, hidden"
    ]


def test_bars_belong_to_a_state_that_is_a_sum() -> None:
    assert said(LSTM, changed(1, bars=True)) == [
        "lstm, “The forget gate”: bars, but none of forget is a state made of two terms"
    ]
    steps = tuple(replace(step, bars=True) for step in walk.walk(RNN))
    assert len([s for s in said(RNN, steps) if "bars, but none of hidden" in s]) == len(steps)


def test_a_sum_that_is_never_weighed_is_named() -> None:
    assert said(LSTM, changed(3, bars=False)) == ["lstm: no step shows as bars what 'cell' is made of"]


def test_a_part_that_is_never_lit_and_an_equation_that_is_never_shown_are_named() -> None:
    steps = changed(4, lights=tuple(v for v in walk.walk(LSTM)[4].lights if v != "tanh(cell)"), equations=("hidden",))
    assert said(LSTM, steps) == [
        "lstm: no step lights 'tanh(cell)' (hidden)",  # the line
        "lstm: no step lights 'tanh(cell)' (hidden)",  # the circle
        "lstm: no step shows the equation of 'output'",
    ]


def test_a_walk_of_another_cell_does_not_agree() -> None:
    assert said(cells()["gru_pytorch"], walk.walk(cells()["gru"]))


# The file


GOOD = {"title": "A", "text": "B.", "attempt": "C.", "lights": ["x"], "equations": ["hidden"], "bars": False}


def written(folder: Path, steps: object, cell: str = "rnn") -> Path:
    (folder / "rnn.json").write_text(json.dumps({"cell": cell, "steps": steps}), encoding="utf-8")
    return folder


def test_a_walk_is_read(tmp_path: Path) -> None:
    assert walk.walk(RNN, written(tmp_path, [GOOD])) == (Step("A", "B.", "C.", ("x",), ("hidden",)),)


def test_a_cell_without_a_file_has_no_walk(tmp_path: Path) -> None:
    assert walk.walk(RNN, tmp_path) == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"lites": ["x"]},
            "rnn.json, step 1: a step has attempt, bars, equations, lights, text, title; this one has attempt, bars, equations",
        ),
        ({"title": " "}, "rnn.json, step 1: title is a sentence, not ' '"),
        ({"lights": "x"}, "rnn.json, step 1: lights is a list of names, not 'x'"),
        ({"equations": []}, "rnn.json, step 1: equations is a list of names, not []"),
        ({"bars": 1}, "rnn.json, step 1: bars is true or false, not 1"),
    ],
)
def test_a_step_of_another_form_is_refused(tmp_path: Path, change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        walk.walk(RNN, written(tmp_path, [GOOD | change]))


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("rnn.json, step 1: a step has attempt")):
        walk.walk(RNN, written(tmp_path, ["forget"]))
    with pytest.raises(ValueError, match='rnn.json is no walk of rnn: it needs "cell": "rnn" and a list of "steps"'):
        walk.walk(RNN, written(tmp_path, [GOOD], cell="lstm"))
    (tmp_path / "rnn.json").write_text("{")
    with pytest.raises(ValueError, match="rnn.json is not JSON: "):
        walk.walk(RNN, tmp_path)
