"""The flat program of a declaration: what stands in it, and how often."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from lstm_core import stepping
from lstm_core.cells import cell, cells
from lstm_core.formula import Cell, Signal, affine, diagonal, h_prev, sigmoid, signal, tanh, x
from lstm_core.model import CharModel
from lstm_core.program import Builder, Part, Program


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
    free = stepping.reference(twice().program, parameters, inputs, start)
    held = stepping.reference(twice().program, parameters, inputs, start, {"gate": ([np.full(4, 0.25)], [np.ones(4, bool)])})
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


# Cells that can't be declared yet: what the program has room for


def affine_of(builder: Builder, block: int, **reads: int) -> int:
    """An affine map: one block of the rows of the weights that are named, on the vectors that they read."""
    parts = [Part(f"weight_{source}", f"bias_{source}", block, vector) for source, vector in reads.items()]
    return builder.value("affine", parts=tuple(parts))


def clockwork() -> Program:
    """The Clockwork RNN (Koutnik et al. 2014): a unit moves once in so many steps, counted in a state of its own.

    The periods and -1 are fixed weights; which unit reads which is zeros in the matrix.
    """
    b = Builder()
    h, wait, x = b.buffer("before", "hidden"), b.buffer("before", "wait"), b.buffer("input", "x")
    minus_one, period = b.buffer("weight", "weight_fixed", 0), b.buffer("weight", "weight_fixed", 1)
    b.signal("active", b.value("apply", (b.value("complement", (wait,)),), function="relu"))
    active = b.buffer("signal", "active")
    b.signal("wait", b.value("add", (b.value("add", (wait, minus_one)), b.value("multiply", (period, active)))))
    b.signal("candidate", b.value("apply", (affine_of(b, 0, hh=h, ih=x),), function="tanh"))
    new = b.value("multiply", (active, b.buffer("signal", "candidate")))
    b.signal("hidden", b.value("add", (new, b.value("multiply", (b.value("complement", (active,)), h)))))
    return b.program(("hidden", "wait"))


def depth_gated() -> Program:
    """The depth-gated LSTM (Yao et al. 2015): a gate d lets the layer below's C in; the first layer has none."""
    b = Builder()
    h, c, x, below = b.buffer("before", "hidden"), b.buffer("before", "cell"), b.buffer("input", "x"), b.buffer("below", "cell")
    for k, (name, function) in enumerate(zip("ifgo", ("sigmoid", "sigmoid", "tanh", "sigmoid"))):
        b.signal(name, b.value("apply", (affine_of(b, k, hh=h, ih=x),), function=function))
    looked = [b.value("multiply", (b.buffer("weight", "weight_peephole", k), v)) for k, v in enumerate((c, below))]
    b.signal(
        "d", b.value("apply", (b.value("add", (affine_of(b, 4, ih=x), b.value("add", tuple(looked)))),), function="sigmoid")
    )
    i, f, g, o, d = (b.buffer("signal", name) for name in "ifgod")
    written = b.value("add", (b.value("multiply", (f, c)), b.value("multiply", (i, g))))
    b.signal("cell", b.value("add", (written, b.value("multiply", (d, below)))))
    b.signal("hidden", b.value("multiply", (o, b.value("apply", (b.buffer("signal", "cell"),), function="tanh"))))
    return b.program(("hidden", "cell"))


PERIODS = np.array([1, 1, 2, 2, 4, 4])


def parameters_of(program: Program, inputs: int, chance: np.random.Generator) -> dict[str, np.ndarray]:
    """Random weights of six units for one of the two."""
    rows = 1 if program.states[1] == "wait" else 4
    found = {
        "weight_ih": chance.normal(size=((rows + rows // 4) * 6, inputs)),
        "weight_hh": chance.normal(size=(rows * 6, 6)),
        "bias_ih": chance.normal(size=(rows + rows // 4) * 6),
    }
    if rows == 1:
        found["weight_hh"] *= PERIODS[None, :] >= PERIODS[:, None]
        found["weight_fixed"] = np.concatenate([np.full(6, -1.0), PERIODS])
    else:
        found["weight_peephole"] = chance.normal(size=2 * 6)
    return {name: value.astype(np.float32) for name, value in found.items()}


def run_layers(program: Program, layers: Sequence[dict[str, np.ndarray]], inputs: np.ndarray) -> list[dict[str, np.ndarray]]:
    """The signals of each layer by the program, from zeros."""
    found: list[dict[str, np.ndarray]] = []
    for parameters in layers:
        x = found[-1]["hidden"] if found else inputs
        start = {name: np.zeros(6) for name in program.states}
        found.append(stepping.reference(program, parameters, x, start, below=found[-1] if found else {}))
    return found


def test_the_program_has_room_for_units_that_move_at_times() -> None:
    chance = np.random.default_rng(0)
    layers = [parameters_of(clockwork(), 5, chance), parameters_of(clockwork(), 6, chance)]
    inputs = chance.normal(size=(12, 5))
    for found, p in zip(run_layers(clockwork(), layers, inputs), layers):
        h = np.zeros(6)
        for t, x_t in enumerate(inputs):
            moves = t % PERIODS == 0
            h = np.where(moves, np.tanh(p["weight_ih"] @ x_t + p["bias_ih"] + p["weight_hh"] @ h), h)
            np.testing.assert_array_equal(found["active"][t], moves)
            np.testing.assert_allclose(found["hidden"][t], h, rtol=0, atol=1e-12)
        inputs = found["hidden"]


def test_the_program_has_room_for_the_layer_below() -> None:
    chance = np.random.default_rng(0)
    layers = [parameters_of(depth_gated(), 5, chance), parameters_of(depth_gated(), 6, chance)]
    inputs, below = chance.normal(size=(12, 5)), np.zeros((12, 6))
    for found, p in zip(run_layers(depth_gated(), layers, inputs), layers):
        h, c = np.zeros(6), np.zeros(6)
        for t, x_t in enumerate(inputs):
            i, f, g, o, d = np.split(p["weight_ih"] @ x_t + p["bias_ih"] + np.append(p["weight_hh"] @ h, np.zeros(6)), 5)
            d = d + p["weight_peephole"][:6] * c + p["weight_peephole"][6:] * below[t]
            i, f, o, d = (1 / (1 + np.exp(-gate)) for gate in (i, f, o, d))
            c = f * c + i * np.tanh(g) + d * below[t]
            h = o * np.tanh(c)
            np.testing.assert_allclose(found["cell"][t], c, rtol=0, atol=1e-12)
            np.testing.assert_allclose(found["hidden"][t], h, rtol=0, atol=1e-12)
        inputs, below = found["hidden"], found["cell"]


def test_a_declaration_and_its_program_need_no_numpy() -> None:
    code = "import sys; from lstm_core.cells import cells; [c.program for c in cells().values()]; print('numpy' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
