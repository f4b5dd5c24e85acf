"""Numbers that people read: layers, characters and checkpoints from 1, units as in arrays."""

from __future__ import annotations

import pytest

from lstm_core import numbering
from lstm_core.numbering import Counted


@pytest.mark.parametrize(
    "what, first", [("layer", 1), ("character", 1), ("column", 1), ("checkpoint", 1), ("unit", 0), ("step", 0)]
)
def test_a_number_and_its_index_are_inverse(what: Counted, first: int) -> None:
    assert numbering.shown(what, 0) == first
    assert [numbering.index(what, numbering.shown(what, index)) for index in range(5)] == list(range(5))
    assert numbering.index(what, first - 1) == -1


def test_what_there_is_is_said_as_it_is_counted() -> None:
    assert numbering.available("layer", 2) == "layers 1 to 2" and numbering.available("layer", 1) == "one layer"
    assert numbering.available("unit", 128) == "units 0 to 127"
    assert numbering.listed("layer", (0, 1)) == "1 and 2" and numbering.listed("unit", [235]) == "235"
    assert numbering.layer(0) == numbering.character(0) == 1
