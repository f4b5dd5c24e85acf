import math
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from lstm_core import diagram
from lstm_core.cells import cells
from lstm_core.formula import Affine, Cell, Expression, Signal, Vector, affine, h_prev, sigmoid, signal, tanh, x

CELLS = [pytest.param(cell, id=name) for name, cell in cells().items()]
LSTM = cells()["lstm"]
every_cell = pytest.mark.parametrize("cell", CELLS)


def parsed(cell: Cell) -> Element:
    return ElementTree.fromstring(diagram.load(cell))


def changed(cell: Cell, pattern: str, replacement: str) -> list[str]:
    """What the check says of the cell's own picture after one change."""
    svg, count = re.subn(pattern, replacement, diagram.load(cell))
    assert count, f"nothing in {cell.name}.svg matches {pattern!r}"
    return diagram.check(cell, svg)


# the declaration: the same signals, the same arrows


@every_cell
def test_the_picture_agrees_with_the_declaration(cell: Cell) -> None:
    assert diagram.check(cell, diagram.load(cell)) == []


@every_cell
def test_every_operation_is_drawn_once(cell: Cell) -> None:
    drawn = [(e.get("data-value"), e.get("data-signal")) for e in parsed(cell).iter() if "data-signal" in e.attrib]
    assert len(drawn) == len(set(drawn))
    missing = diagram.operations(cell).items() - set(drawn)
    assert not missing


def test_a_missing_signal_is_named() -> None:
    assert changed(LSTM, ' data-signal="output"', "") == [
        "lstm: the signal 'output' is not drawn: no part has data-signal=\"output\""
    ]


def test_an_undeclared_signal_is_named() -> None:
    (sentence,) = changed(LSTM, r"<g class=\"layers\"", r'<g data-signal="attention" \g<0>'.replace(r"<g data", "<g data", 1) + "")  # fmt: skip
    assert "attention" in sentence
