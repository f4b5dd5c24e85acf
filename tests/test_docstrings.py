"""Every public name of the core says what it is, what shape its arrays have, and which errors it raises.

Each test is one rule over all names and lists every fault. The rules compare a docstring with the code below it, so that
a sentence for its own sake passes none of them.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import lstm_core as lc
from lstm_core.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "lstm_core" / "command_line"  # `add` and `run` of each are told of in the package; --help tells the rest
CONSTRUCTORS = {"__init__", "__post_init__"}  # told of in the docstring of their class
ARRAY = re.compile(r"\b(np\.ndarray|torch\.Tensor|Tensor)\b")
SHAPE = re.compile(r"\((\w+|\d+),( (\w[\w +*-]*|\.\.\.),?)*\)|\bone (number )?(a|for each) \w+|\bsame shape\b")
SOMEWHERE_ELSE = re.compile(  # a year, a standard, a format, a library, an equation, a folder of assets
    r"\b(1[89]|20)\d\d\b|\b(RFC|PEP) \d|W3C|Unicode|PKWARE|HDF5|NumPy|Parquet|PyTorch|\btorch\.|TensorFlow|Keras|ONNX"
    r"|safetensors|Plotly|kaleido| = |\bassets/"
)


@dataclass(frozen=True)
class Definition:
    """A module, a public function or class, or a public method of one: where it stands, its code and its docstring."""

    name: str
    module: str
    node: ast.Module | ast.FunctionDef | ast.ClassDef
    text: str
    above: str = ""  # of a method: its class's docstring

    @property
    def function(self) -> ast.FunctionDef | None:
        return self.node if isinstance(self.node, ast.FunctionDef) else None


def public(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    return (n for n in node.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_"))


@cache
def sources() -> dict[str, ast.Module]:
    paths = sorted((ROOT / "lstm_core").rglob("*.py"))
    names = (".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in paths)
    return {name: ast.parse(path.read_text("utf-8")) for name, path in zip(names, paths)}


@cache
def definitions() -> tuple[Definition, ...]:
    found = []
    for name, tree in sources().items():
        module = importlib.import_module(name)
        found.append(Definition(name, name, tree, inspect.getdoc(module) or ""))
        file = Path(str(module.__file__))
        if file.parent == COMMANDS and not file.name.startswith("_"):
            continue
        for node in public(tree):
            value = getattr(module, node.name)
            text = inspect.getdoc(value) or ""
            found.append(Definition(f"{name}.{node.name}", name, node, text))
            for method in public(node) if isinstance(node, ast.ClassDef) else ():
                told = inspect.getdoc(inspect.getattr_static(value, method.name)) or ""
                found.append(Definition(f"{name}.{node.name}.{method.name}", name, method, told, text))
    return tuple(found)


def test_every_public_name_says_what_it_is() -> None:
    """A method that takes another's place may leave the telling to it."""
    faults = []
    for d in definitions():
        first = d.text.split("\n\n")[0]
        if not first:
            faults.append(f"{d.name}: no docstring")
        elif not first.endswith((".", ":", ")")):
            faults.append(f"{d.name}: begins with no sentence: {first!r}")
        elif first.startswith(f"{d.name.rpartition('.')[2]}("):
            faults.append(f"{d.name}: a dataclass's signature is no docstring")
    assert len(definitions()) > 500
    assert not faults, "\n".join(faults)


def given(value: Any) -> list[str]:
    """A function's parameters, a class's own; for a dataclass, what a reader finds in it."""
    if is_dataclass(value):
        return [f.name for f in fields(value) if not f.name.startswith("_")]
    return [n for n in inspect.signature(value).parameters if n not in ("args", "kwargs")]


def test_what_a_user_meets_first_tells_of_all_that_is_given() -> None:
    """Every parameter, and every field of a dataclass, of the names in `lstm_core.__all__`."""
    values = {name: inspect.unwrap(getattr(lc, name)) for name in lc.__all__}
    all_of_it = {n: (v, inspect.getdoc(v) or "") for n, v in values.items() if not is_exception(v)}
    faults = [f"{n}: {g}" for n, (v, text) in all_of_it.items() for g in given(v) if not re.search(rf"\b{g}\b", text)]
    assert not faults, "\n".join(faults)


def test_arrays_have_shapes() -> None:
    """What returns an array says its shape, as in (time, unit); so does a dataclass that holds arrays."""
    faults = []
    for d in definitions():
        if d.function:
            arrays = [d.function.returns] if d.function.returns else []
            text = d.text + d.above * ("property" in map(ast.unparse, d.function.decorator_list))
        elif isinstance(d.node, ast.ClassDef):
            arrays = [n.annotation for n in d.node.body if isinstance(n, ast.AnnAssign)]
            text = d.text
        else:
            continue
        if any(ARRAY.fullmatch(ast.unparse(a)) for a in arrays) and not SHAPE.search(text):
            faults.append(f"{d.name}: {text[:200]!r}")
    assert not faults, "\n".join(faults)


# Errors


def is_exception(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


@cache
def exceptions() -> dict[str, type[BaseException]]:
    """Python's exceptions and those that the core declares, by name."""
    modules = [builtins, *(importlib.import_module(name) for name in sources())]
    return {n: v for module in modules for n, v in vars(module).items() if is_exception(v)}


def exception(name: str, module: str) -> type[BaseException] | None:
    """What a name stands for in a module, or a dotted one anywhere, when it is an exception."""
    first, *rest = name.split(".")
    value = vars(importlib.import_module(module)).get(first)
    for part in rest:
        value = getattr(value, part, None)
    if value is None and len(rest) > 1:
        with suppress(ImportError):
            value = getattr(importlib.import_module(".".join([first, *rest[:-1]])), rest[-1], None)
    return value if is_exception(value) else exceptions().get(name.rpartition(".")[2])


def own_parts(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is in it, but for the functions that are defined in it: they may run later, or never."""
    if not isinstance(node, ast.FunctionDef | ast.Lambda):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from own_parts(child)


def raised(nodes: Iterable[ast.AST]) -> set[str]:
    """The names of what a piece of code raises itself."""
    raises = [n.exc for n in nodes if isinstance(n, ast.Raise) and n.exc]
    return {ast.unparse(e.func if isinstance(e, ast.Call) else e) for e in raises}


def told(text: str) -> list[str]:
    """The exceptions of a docstring, with a library's name before it where there is one: xml.etree.ElementTree.ParseError."""
    names = re.findall(r"(?<!`)\b(?:\w+\.)*[A-Z]\w+\b", text)
    return [n for n in names if n.endswith(("Error", "Exception")) or n.rpartition(".")[2] in exceptions()]


@cache
def texts() -> dict[str, str]:
    """All docstrings by last name, for those that refer to one another."""
    return {d.name.rpartition(".")[2]: d.text for d in definitions()}


REFERS = r"(?:what|as) `(?:\w+\.)*(\w+)`"


def test_errors_that_are_told_of_exist() -> None:
    """After "Raises" stands an exception, or the name of a function whose errors they are."""
    faults = []
    for d in definitions():
        faults += [f"{d.name}: there is no {name}" for name in told(d.text) if exception(name, d.module) is None]
        for said in re.findall(r"\bRaises,?\s+(\S+(?:\s+\S+)?)", d.text):
            referred = re.fullmatch(REFERS, said.rstrip(".,;:"))
            if not told(said) and not (referred and referred[1] in texts()):
                faults.append(f"{d.name}: “Raises {said}” names no exception")
    assert not faults, "\n".join(faults)


def telling(kind: type[BaseException]) -> list[type]:
    """The exceptions by whose names a docstring says that this one is raised."""
    return [each for each in kind.__mro__ if not issubclass(kind, InputError) or issubclass(each, InputError)]


def test_what_raises_says_so() -> None:
    """A public function, method or constructor whose own body raises names the exception, or one that it is a kind of.

    Of an error by what a person gave, the name says so: InputError or its kind, not ValueError.
    """
    faults = []
    for d in definitions():
        if isinstance(d.node, ast.Module):
            continue
        bodies = [d.node] if d.function else [n for n in d.node.body if getattr(n, "name", "") in CONSTRUCTORS]
        referred = [texts().get(name, "") for name in re.findall(f"raises {REFERS}", d.text, re.I)]
        kinds = {exception(name, d.module) for text in (d.text, d.above, *referred) for name in told(text)}
        for name in sorted(raised(node for body in bodies for part in body.body for node in own_parts(part))):
            kind = exception(name, d.module)
            if kind and kind is not NotImplementedError and kinds.isdisjoint(telling(kind)):
                faults.append(f"{d.name} raises {name}")
    assert not faults, "\n".join(faults)


@cache
def calls() -> dict[str, tuple[set[str], set[str]]]:
    """For every name of a function or class: which exceptions its code raises, and what it calls."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for tree in sources().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                kinds, used = found.setdefault(node.name, (set(), set()))
                kinds |= {name.rpartition(".")[2] for name in raised(ast.walk(node))}
                for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
                    named = [call.func, *call.args] if ast.unparse(call.func) in ("map", "partial") else [call.func]
                    used |= {ast.unparse(n).rpartition(".")[2] for n in named}
    return found


def reachable(name: str) -> set[str]:
    """The names of all exceptions that a function, and those that it may call, raise."""
    seen, waiting = set(), [name]
    kinds: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in calls() and name not in seen:
            seen.add(name)
            kinds |= calls()[name][0]
            waiting += calls()[name][1]
    return kinds


def test_the_cores_own_errors_can_come() -> None:
    """A docstring that names an exception of the core stands above code that leads to its raising, by any way of calls."""
    ours = {n: v for n, v in exceptions().items() if v.__module__.startswith("lstm_core.")}
    faults = []
    for d in definitions():
        if not d.function:
            continue
        kinds = {ours[k] for k in reachable(d.function.name) if k in ours}
        for name in told(d.text):
            kind = ours.get(name.rpartition(".")[2])
            if kind and not any(issubclass(k, kind) for k in kinds):
                faults.append(f"{d.name}: nothing that it calls raises {name}")
    assert len(ours) > 5
    assert not faults, "\n".join(faults)


def test_sources_stand_outside_this_project() -> None:
    """A source is a paper with its year, a standard, another library, an equation or a folder of assets."""
    faults = []
    for d in definitions():
        sources_told = re.findall(r"Source: (.*?)(?:\n\n|\Z)", d.text, re.S)
        faults += [f"{d.name}: {source!r}" for source in sources_told if not SOMEWHERE_ELSE.search(source)]
    assert not faults, "\n".join(faults)


def test_all_names_are_there_and_each_once() -> None:
    assert sorted(set(lc.__all__)) == sorted(lc.__all__)
    assert all(hasattr(lc, name) for name in lc.__all__)
