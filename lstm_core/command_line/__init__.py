"""The commands, one file each: `add(commands)` says how one is called, `run(arguments)` does it and returns the exit code.

Results are printed to stdout, progress and remarks to stderr.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType


@cache
def modules() -> dict[str, ModuleType]:
    """The commands by name, found from the files of this folder, in alphabetical order."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    return {name: import_module(f"{__name__}.{name}") for name in names}
