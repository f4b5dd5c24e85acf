"""Every public name of the core says what it is; those that a user meets first say everything."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import lstm_core as lc

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "lstm_core").rglob("*.py"))
COMMANDS = ROOT / "lstm_core" / "command_line"  # `add` and `run` of each are told of in the package; --help tells the rest
CONSTRUCTORS = {"__init__", "__post_init__"}  # told of in the docstring of their class


def definitions(path: Path) -> Iterator[tuple[str, Any]]:
    """A module, its public functions and classes, and their public methods: dotted names and what they stand for."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)
    yield name, module
    if path.parent == COMMANDS and not path.name.startswith("_"):
        return
    for node in public(ast.parse(path.read_text(encoding="utf-8"))):
        value = getattr(module, node.name)
        yield f"{name}.{node.name}", value
        for method in public(node) if isinstance(node, ast.ClassDef) else ():
            yield f"{name}.{node.name}.{method.name}", inspect.getattr_static(value, method.name)


def public(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    return (n for n in node.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_"))


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for path in FILES for name, value in definitions(path)])
def test_every_public_name_has_a_docstring(value: Any) -> None:
    """A method that takes another's place may leave the telling to it."""
    first = (inspect.getdoc(value) or "").split("\n\n")[0]
    assert first, "no docstring"
    assert first.endswith((".", ":", ")")), f"the docstring begins with no sentence: {first!r}"
    assert not first.startswith(f"{getattr(value, '__name__', '')}("), "a dataclass's signature is no docstring"


def parameters(value: Any) -> list[str]:
    """What a caller gives: a function's parameters, a class's own; for a dataclass, what a reader finds in it."""
    if is_dataclass(value):
        return [f.name for f in fields(value) if not f.name.startswith("_")]
    return [n for n in inspect.signature(value).parameters if n not in ("args", "kwargs")]


def raises(value: Any) -> bool:
    """Whether its own code raises something (that of its constructor, for a class)."""
    functions = [n for n in ast.walk(ast.parse(inspect.getsource(value))) if isinstance(n, ast.FunctionDef)]
    own = [f for f in functions if f.name in CONSTRUCTORS or not inspect.isclass(value)]
    return any(isinstance(n, ast.Raise) for function in own for n in ast.walk(function))


def callables() -> list[Any]:
    values = [(name, inspect.unwrap(getattr(lc, name))) for name in lc.__all__]
    return [pytest.param(v, id=n) for n, v in values if not (inspect.isclass(v) and issubclass(v, Exception))]


@pytest.mark.parametrize("value", callables())
def test_what_a_user_meets_first_says_everything(value: Any) -> None:
    text = inspect.getdoc(value) or ""
    untold = [n for n in parameters(value) if not re.search(rf"\b{n}\b", text)]
    assert untold == [], "these parameters or fields are not told of"
    assert "Raises" in text or not raises(value), "it raises, and does not say what"
    assert "Source:" in text, "no source: author and year, or the place in this project or in another"


def test_all_names_are_there_and_each_once() -> None:
    assert sorted(set(lc.__all__)) == sorted(lc.__all__)
    assert all(hasattr(lc, name) for name in lc.__all__)
