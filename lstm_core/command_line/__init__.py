"""The commands, one file each: `add(commands)` says how one is called, `run(arguments)` does it and returns the exit code.

A command is found from its file and its line in the help is its docstring, so that a new command is one new file.
Results are printed to stdout, progress and remarks to stderr.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The commands' names, in alphabetical order."""
    return sorted(path.stem for path in _FOLDER.glob("*.py") if not path.stem.startswith("_"))


def line(name: str) -> str:
    """A command's line in the help: its file's docstring, read without importing it, for most commands load torch."""
    return (_FOLDER / f"{name}.py").read_text("utf-8").split('"""')[1]


def module(name: str) -> ModuleType:
    """The command of that name, imported."""
    return import_module(f"{__name__}.{name}")
