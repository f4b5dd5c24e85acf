"""Data flows one way: Streamlit starts at pages/, torch stops at the Trace."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "lstm_core").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
WITHOUT_MODELS = {"formula.py", "text.py", "diagram.py", "corpora.py", "recipes.py"}
MODEL_FREE = [p for p in CORE if p.parent.name in ("cells", "figures") or p.name in WITHOUT_MODELS]


def imported(source: str) -> Iterator[str]:
    """The dotted names that a source imports, however it spells it, at the top or inside a function."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, names, level):
                yield from (f"{'.' * level}{module or ''}.{alias.name}".replace("..", ".") for alias in names)
            case ast.Call(ast.Name("__import__") | ast.Attribute(_, "import_module"), [ast.Constant(str(name)), *_]):
                yield name


def of(path: Path, package: str) -> list[str]:
    names = imported(path.read_text(encoding="utf-8"))
    return [name for name in names if name == package or name.startswith(f"{package}.")]


def named(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=[p.relative_to(ROOT).as_posix() for p in paths])


@pytest.mark.parametrize(
    "source",
    [
        "import torch",
        "import numpy, torch.nn as nn",
        "from torch import nn",
        "from torch.nn import functional",
        "def late():\n    import torch",
        "if True:\n    from torch import *",
        "import importlib; importlib.import_module('torch')",
        "__import__('torch.nn')",
    ],
)
def test_no_spelling_of_an_import_is_missed(source: str) -> None:
    assert any(name.split(".")[0] == "torch" for name in imported(source))


def test_there_is_something_to_look_at() -> None:
    assert len(CORE) > 20 and len(PAGES) > 3 and len(MODEL_FREE) > 5


@named(CORE)
def test_the_core_knows_no_streamlit_and_no_pages(path: Path) -> None:
    assert of(path, "streamlit") + of(path, "pages") + of(path, "app") == []


@named(PAGES)
def test_pages_know_no_torch(path: Path) -> None:
    assert of(path, "torch") == []


@named(MODEL_FREE)
def test_pictures_and_declarations_know_no_torch_and_no_model(path: Path) -> None:
    assert of(path, "torch") + of(path, "lstm_core.model") == []


def test_importing_the_core_loads_no_streamlit_and_no_plotly() -> None:
    """Nor does anything happen at import: not a file is read that a first picture does not need."""
    code = "import sys, lstm_core; print(sorted({n.split('.')[0] for n in sys.modules} & {'streamlit', 'plotly', 'pages'}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
