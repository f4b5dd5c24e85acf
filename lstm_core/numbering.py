"""How layers, characters and units are numbered where people read or type them: the one rule, for pages, links and figures.

Layers, characters, columns and checkpoints count from 1; units, and steps of an array, count from 0: unit 235 is index 235.
In Python, in arrays and in files all of them are indices, from 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from lstm_core.words import tr

Counted = Literal["layer", "character", "column", "checkpoint", "unit", "step"]

FIRST: dict[Counted, int] = {"layer": 1, "character": 1, "column": 1, "checkpoint": 1, "unit": 0, "step": 0}


def shown(what: Counted, index: int) -> int:
    """The number that people read for an index: shown("layer", 0) is 1, shown("unit", 235) is 235."""
    return index + FIRST[what]


def layer(index: int) -> int:
    """The number of a layer that people read."""
    return shown("layer", index)


def character(step: int) -> int:
    """The number of a character that people read, for the step that reads it."""
    return shown("character", step)


def index(what: Counted, number: int) -> int:
    """The index that a number stands for, negative where it is below the first."""
    return number - FIRST[what]


def available(what: Counted, count: int) -> str:
    """What there is to choose from, of so many: "layers 1 to 2", "units 0 to 127", "one layer"."""
    return (
        tr("{what}s {shown} to {shown_2}", what=what, shown=shown(what, 0), shown_2=shown(what, count - 1))
        if count > 1
        else tr("one {what}", what=what)
    )


def listed(what: Counted, indices: Iterable[int]) -> str:
    """Several as people read them: "1 and 2"."""
    return " and ".join(str(shown(what, each)) for each in indices)
