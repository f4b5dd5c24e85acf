"""The notebook that newcomers read: its cells run from the top, and what stands at the end of each can be shown."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

import lstm_core as lc

NOTEBOOK = Path(__file__).resolve().parents[1] / "assets" / "examples" / "gatescope.ipynb"
CELLS = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def shown(cell: str, names: dict[str, Any]) -> Any:
    """Runs a cell as a notebook does. Returns what its last line is worth, if that is an expression."""
    tree = ast.parse(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_its_cells_run_in_order_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    results = [value for value in (shown(cell, names) for cell in CODE) if value is not None]
    assert list(tmp_path.iterdir()) == []
    figures = [value for value in results if isinstance(value, go.Figure)]
    traces = [value for value in results if isinstance(value, lc.Trace)]
    assert len(figures) == 5 and len(traces) == 1
    printed = capsys.readouterr().out
    assert printed.count("the same: True") == 3
    assert names["clamped"].loss > names["trace"].loss
    assert names["mine"].name == "untrained" and "guessing" in printed


def test_its_first_cell_finds_a_checkout_that_is_not_installed() -> None:
    code = f"{CODE[0]}\nimport lstm_core\nprint(lstm_core.__file__)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, cwd=NOTEBOOK.parent, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(NOTEBOOK.parents[2] / "lstm_core" / "__init__.py")


def test_it_shows_the_whole_way() -> None:
    words = ("lc.load(", "lc.trace(", "lc.certify(", "lc.Clamp(", "gradients(", "lc.from_torch(", "lc.proof(", ".save(")
    assert [word for word in words if not any(word in cell for cell in CODE)] == []


def test_it_is_stored_without_outputs_and_belongs_to_no_machine() -> None:
    assert all(cell.get("outputs", []) == [] and cell.get("execution_count") is None for cell in CELLS)
    assert len({cell["id"] for cell in CELLS}) == len(CELLS)
    assert not re.search(r"(?<![\w.])/(home|root|work|tmp|Users)/|[A-Z]:\\\\", NOTEBOOK.read_text("utf-8"))
