"""What the README says is true: its Python runs, its table of models is the models' own, and each can be made again."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import lstm_core as lc
from lstm_core import command_line
from lstm_core.recipes import SHIPPED

README = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")


def row(info: lc.ModelInfo) -> str:
    """A model's line in the README, from its card."""
    config, card = info.config, info.card
    size = f"{config['layers']} × {config['units']}"
    table = card["ngrams"]
    judged = f"{card['held_out_loss']:.3f} | {table['held_out_loss']:.3f} (order {table['order']})"
    return f"| `{info.name}` | {lc.cell(config['cell']).title} | {size} | {card['corpus']} | {judged} |"


def test_the_table_of_models_is_the_models_own() -> None:
    rows = [row(info) for info in lc.models()]
    written = [line for line in README.splitlines() if re.match(r"\| `(family|war|shake|python)-?", line)]
    assert written == rows, "\n".join(rows)


def test_every_shipped_model_has_its_recipe() -> None:
    assert {info.name for info in lc.models()} == set(SHIPPED)
    for info in lc.models():
        assert lc.Recipe(**info.card["recipe"]) == SHIPPED[info.name].recipe, info.name


def test_the_five_calls_that_matter_run_and_so_does_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    five, rest = re.findall(r"```python\n(.*?)```", README, re.S)
    assert sum(isinstance(node, ast.Call) for node in ast.walk(ast.parse(five))) == 5
    names: dict = {}
    exec(five, names)
    trace, figure = names["trace"], names["figure"]
    assert names["seal"].holds
    assert np.array_equal(figure.data[0].z, trace["cell"][0].T)
    back = lc.Trace.load("to-be.npz")
    assert back.text == trace.text and np.array_equal(back["hidden"], trace["hidden"])
    exec(rest, names)
    assert len(names["more"]) == len(" that is")


def test_the_commands_in_the_readme_are_there() -> None:
    for command in re.findall(r"^python -m lstm_core (\w+)", README, re.M):
        assert command in command_line.names()
