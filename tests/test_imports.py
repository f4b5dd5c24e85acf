"""Data flows one way: Streamlit starts at pages/, torch at the models; and no module imports itself by way of others."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import lstm_core

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "lstm_core").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
WITHOUT_TORCH = {
    "analysis/explain", "analysis/gradients", "analysis/memory", "analysis/two_texts", "analysis/window", "clamp", "corpora",
    "diagram", "errors", "figure_file", "formula", "frozen", "model_file", "notebook", "places", "program", "recipes",
    "report", "stepping", "text", "trace", "trace_file", "walk",
}  # fmt: skip
FOLDERS_WITHOUT_TORCH = {"browser", "cells", "figures"}


def module(path: Path) -> str:
    """A file's dotted name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path): path for path in [*CORE, *PAGES]}


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names that a source imports, however it spells it, at the top, inside a function or for types alone."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, names, level):
                yield from (f"{'.' * level}{module or ''}.{alias.name}".replace("..", ".") for alias in names)
            case ast.Call(ast.Name("__import__") | ast.Attribute(_, "import_module"), [ast.Constant(str(name)), *_]):
                yield name


@cache
def imports(path: Path) -> frozenset[str]:
    return frozenset(imported(ast.parse(path.read_text(encoding="utf-8"))))


def imports_of(paths: list[Path], *packages: str) -> list[str]:
    """Each import of one of these packages, as "file: name"."""
    found = ((path.relative_to(ROOT).as_posix(), name) for path in paths for name in imports(path))
    return [f"{file}: {name}" for file, name in found if name.startswith(tuple(f"{p}." for p in packages)) or name in packages]


def fresh(code: str) -> str:
    """What a new Python prints that runs this."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


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
    assert any(name.split(".")[0] == "torch" for name in imported(ast.parse(source)))


def test_the_core_knows_no_streamlit_and_no_pages() -> None:
    assert len(CORE) > 20 and imports_of(CORE, "streamlit", "pages", "app") == []


def test_training_knows_no_analysis() -> None:
    assert imports_of([ROOT / "lstm_core/training.py", ROOT / "lstm_core/ngrams.py"], "lstm_core.analysis") == []


def test_pages_know_no_torch() -> None:
    assert len(PAGES) > 3 and imports_of(PAGES, "torch") == []


def test_importing_the_core_alone_loads_next_to_nothing() -> None:
    heavy = "{'streamlit', 'plotly', 'pages', 'torch', 'numpy', 'pyarrow'}"
    assert fresh(f"import sys, lstm_core; print(sorted({{n.split('.')[0] for n in sys.modules}} & {heavy}))") == "[]"


def test_declarations_traces_and_figures_load_no_torch() -> None:
    """One process imports them one after the other, and names the first that loads it."""
    inside = {name: path.relative_to(ROOT / "lstm_core").with_suffix("") for name, path in MODULES.items() if path in CORE}
    names = [n for n, p in inside.items() if p.as_posix() in WITHOUT_TORCH or p.parts[0] in FOLDERS_WITHOUT_TORCH]
    assert len(names) > len(WITHOUT_TORCH) + 20
    lines = [
        "import importlib, sys",
        f"for name in {names}:",
        "    importlib.import_module(name)",
        "    if 'torch' in sys.modules: sys.exit(f'{name} loads torch')",
    ]
    assert fresh("\n".join(lines)) == ""


def graph() -> dict[str, set[str]]:
    """Each module and the modules that it imports.

    A package's own file is left out where a name in it is what is imported and that is a module too. lstm_core/__init__.py
    imports nothing: it loads by name what is asked for. Trace.load, Trace.save and a notebook ask it so for what is made of
    traces, and a report, when it is made, for what needs torch.
    """
    edges: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        wanted = imports(path) if name != "lstm_core" else ()
        known = {w if w in MODULES else w.rpartition(".")[0] for w in wanted}
        edges[name] = {k for k in known if k in MODULES and k != name}
    return edges


def test_there_is_no_import_cycle() -> None:
    edges = graph()
    assert "lstm_core.trace" in edges["lstm_core.trace_file"] and len(edges) > 100
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_type_checkers_see_the_public_names_that_are_loaded_on_first_use() -> None:
    tree = ast.parse((ROOT / "lstm_core" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (n for n in tree.body if isinstance(n, ast.If) and isinstance(n.test, ast.Name) and n.test.id == "TYPE_CHECKING")
    seen = {n.rpartition(".")[2]: n.rpartition(".")[0] for n in imported(block) if n not in MODULES}
    assert seen == lstm_core._HOMES
    assert sorted(lstm_core._HOMES) == sorted(lstm_core.__all__)
    assert set(lstm_core.__all__) <= set(dir(lstm_core))
    assert not any(name.startswith("lstm_core") for node in tree.body if node is not block for name in imported(node))


def test_public_names_are_never_the_modules_of_the_same_name() -> None:
    """`trace`, `life` and `cells` are functions, whichever module is imported first; torch is loaded once for all orders."""
    assert {name for name in lstm_core.__all__ if f"lstm_core.{name}" in MODULES} == {"trace", "life", "cells"}
    orders = [
        "import lstm_core.trace, lstm_core.life, lstm_core.cells",
        "from lstm_core.trace import Trace",
        "from lstm_core import trace\nimport lstm_core.trace",
        "import lstm_core\nlstm_core.trace, lstm_core.life, lstm_core.cells\nimport lstm_core.trace, lstm_core.life",
        "from lstm_core import *\nassert callable(trace) and cell('lstm')",
        "import lstm_core.figures.heatmaps, lstm_core.cells.lstm",
        "import importlib\nimportlib.import_module('lstm_core.trace')\nimportlib.import_module('lstm_core.life')",
    ]
    code = f"""
import sys, types, torch
for order in {orders!r}:
    for name in [name for name in sys.modules if name.partition(".")[0] == "lstm_core"]:
        del sys.modules[name]
    exec(order, {{}})
    import lstm_core as lc
    modules = [name for name in ("trace", "life", "cells") if isinstance(getattr(lc, name), types.ModuleType)]
    if modules or lc.trace is not sys.modules["lstm_core.tracing"].trace or not isinstance(lc.trace_file, types.ModuleType):
        sys.exit(f"after {{order!r}}: {{modules}}")
"""
    assert fresh(code) == ""


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'lstm_core' has no attribute 'traces'"):
        lstm_core.traces  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'traces'"):
        exec("from lstm_core import traces")
