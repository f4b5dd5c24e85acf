"""The flat program of a declaration: what stands in it, and how often."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lstm_core import stepping
from lstm_core.cells import cell, cells
from lstm_core.formula import Cell, Signal, affine, diagonal, h_prev, sigmoid, signal, tanh, x
from lstm_core.model import CharModel
from lstm_core.program import Program


def shown(program: Program) -> list[str]:
    """The operations, one a line: vectors by name, values by number."""

    def name(k: int) -> str:
        buffer = program.buffers[k]
        match buffer.role:
            case "value":
                return f"v{k}"
            case "before":
                return f"{buffer.name}@-1"
            case "weight":
                return f"{buffer.name}[{buffer.block}]"
        return buffer.name

    return [
        " ".join(
            [name(o.into), "=", o.function or o.kind, *map(name, o.reads)]
            + [f"{p.weight}[{p.block}]·{name(p.reads)}+{p.bias}" for p in o.parts]
        )
        for o in program.operations
    ]


def test_the_program_of_the_essays_gru() -> None:
    assert shown(cell("gru").program) == [
        "v2 = affine weight_hh[1]·hidden@-1+bias_hh weight_ih[1]·x+bias_ih",
        "update = sigmoid v2",
        "v4 = affine weight_hh[0]·hidden@-1+bias_hh weight_ih[0]·x+bias_ih",
        "reset = sigmoid v4",
        "v6 = multiply reset hidden@-1",
        "v7 = affine weight_hh[2]·v6+bias_hh weight_ih[2]·x+bias_ih",
        "candidate = tanh v7",
        "v9 = complement update",
        "v10 = multiply v9 hidden@-1",
        "v11 = multiply update candidate",
        "hidden = add v10 v11",
    ]


@pytest.mark.parametrize("cell", cells().values(), ids=list(cells()))
def test_a_program_writes_each_vector_once_and_reads_what_is_there(cell: Cell) -> None:
    buffers, operations = cell.program.buffers, cell.program.operations
    assert len(set(operations)) == len(operations)
    assert cell.program.states == cell.states
    written = [o.into for o in operations]
    assert sorted(written) == [k for k, b in enumerate(buffers) if b.role in ("signal", "value")]
    assert [buffers[k].name for k in written if buffers[k].role == "signal"] == list(cell.names)
    there = {k for k, b in enumerate(buffers) if b.role not in ("signal", "value")}
    for o in operations:
        assert there.issuperset([*o.reads, *(p.reads for p in o.parts)])
        there.add(o.into)
    shapes = cell.parameter_shapes(3, 5)
    for weight, block in [(p.weight, p.block) for o in operations for p in o.parts]:
        assert (block + 1) * 5 <= shapes[weight][0]


def twice() -> Cell:
    """A cell that has one expression three times: as a signal, in another signal, and as a third one."""
    gate = sigmoid(affine("a", h_prev, x) + diagonal("b") * h_prev)
    signals = (
        Signal("gate", "g", "gate", gate, (0, 1)),
        Signal("valve", "v", "valve", 1 - gate, (0, 1)),
        Signal("lock", "l", "lock", gate, (0, 1)),
        Signal("copy", "c", "copy", h_prev, (-1, 1)),
        Signal("hidden", "h", "hidden state", signal("gate") * tanh(affine("b", h_prev)) + signal("copy"), (-1, 1)),
    )
    return Cell("twice", "twice", "nobody", ("a", "b"), signals)


def test_what_stands_twice_is_computed_once() -> None:
    kinds = Counter(o.function or o.kind for o in twice().program.operations)
    assert kinds == {"affine": 2, "multiply": 2, "add": 2, "sigmoid": 1, "complement": 1, "copy": 3, "tanh": 1}


def test_a_held_signal_changes_no_other_of_the_same_expression(make_model: Callable[..., CharModel]) -> None:
    parameters = {n: p.detach().numpy() for n, p in make_model(twice(), 4).rnn.layer(0).items()}
    inputs, start = np.eye(27)[:1], {"hidden": np.full(4, 0.5)}
    free = stepping.reference(twice(), parameters, inputs, start)
    held = stepping.reference(twice(), parameters, inputs, start, {"gate": ([np.full(4, 0.25)], [np.ones(4, bool)])})
    assert (held["gate"] == 0.25).all()
    for name in ("valve", "lock"):
        np.testing.assert_array_equal(held[name], free[name])
    assert not np.allclose(held["hidden"], free["hidden"])


@pytest.mark.parametrize("cell", cells().values(), ids=list(cells()))
def test_a_program_as_json_holds_all_of_it(cell: Cell) -> None:
    sent = cell.program.as_json()
    assert json.loads(json.dumps(sent)) == sent
    assert [b["role"] for b in sent["buffers"]] == [b.role for b in cell.program.buffers]
    for there, o in zip(sent["operations"], cell.program.operations, strict=True):
        assert there["into"] == o.into and there.get("reads", []) == list(o.reads)
        assert [p["block"] for p in there.get("parts", [])] == [p.block for p in o.parts]


def test_a_declaration_and_its_program_need_no_numpy() -> None:
    code = "import sys; from lstm_core.cells import cells; [c.program for c in cells().values()]; print('numpy' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
