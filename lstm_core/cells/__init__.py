"""The registry of cells, found from the files of this folder: a file that defines a `Cell` adds one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from reprlib import repr as shorten

from lstm_core.errors import InputError
from lstm_core.formula import Cell
from lstm_core.words import tr


@cache
def cells() -> dict[str, Cell]:
    """All declared cells by name. A new cell is one new file in lstm_core/cells that defines a `Cell`.

    Returns a dictionary from name ("lstm") to `formula.Cell`, sorted by the files' names.
    Raises ValueError when two files declare the same name.
    """
    found: dict[str, Cell] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda i: i.name):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Cell):
                if found.get(value.name, value) is not value:
                    raise ValueError(f"two cells are called {value.name!r}; the second is in {module.__name__}")
                found[value.name] = value
    return found


def cell(name: str) -> Cell:
    """The cell called `name`, as `cells` lists it.

    Raises InputError, naming the cells there are, when there is none such.
    """
    try:
        return cells()[name]
    except KeyError:
        raise InputError(
            tr("there is no cell {shorten}; there are {cells}", shorten=shorten(name), cells=", ".join(cells()))
        ) from None
