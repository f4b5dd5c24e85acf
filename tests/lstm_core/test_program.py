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
import torch

from lstm_core import stepping
from lstm_core.analysis.explain import explain
from lstm_core.browser.mathml import mathml
from lstm_core.cells import cell, cells
from lstm_core.certificate import certify
from lstm_core.clamp import Clamp
from lstm_core.formula import (
    UNBOUNDED,
    Apply,
    C_prev,
    Cell,
    Expression,
    Signal,
    Vector,
    affine,
    below,
    diagonal,
    fixed,
    h_prev,
    sigmoid,
    signal,
    tanh,
    x,
)
from lstm_core.model import CharModel
from lstm_core.program import Program
from lstm_core.tracing import trace


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


# Cells of the family that read the layer below, or that move at times: as tests declare them


PERIODS = (1, 2, 4)


def clockwork() -> Cell:
    """The Clockwork RNN (Koutnik et al. 2014): a module of units moves once in so many steps, counted in a state of its own.

    The numbers of steps are fixed, and a module reads those that move as seldom as it does, or more seldom.
    """
    wait, active = Vector("wait", previous=True), signal("active")
    mask = tuple(tuple(int(of >= own) for of in PERIODS) for own in PERIODS)
    signals = (
        Signal("active", "a", "active", Apply("relu", 1 - fixed(2) * wait), (0, 1)),
        Signal("wait", "w", "steps to wait", wait + fixed(-1) + fixed(*PERIODS, symbol="T") * active, (0, UNBOUNDED[1])),
        Signal("candidate", r"\tilde{h}", "candidate", tanh(affine("h", h_prev, x, mask=mask)), (-1, 1)),
        Signal("hidden", "h", "hidden state", active * signal("candidate") + (1 - active) * h_prev, (-1, 1)),
    )
    return Cell("clockwork", "Clockwork RNN", "Koutnik et al. 2014", ("h",), signals)


def depth_gated() -> Cell:
    """The depth-gated LSTM (Yao et al. 2015): a gate d lets the C of the layer below in; the first layer has none."""
    i, f, g, o, d = (signal(name) for name in ("input", "forget", "candidate", "output", "depth"))
    looks = diagonal("c") * C_prev + diagonal("l") * below("cell")
    signals = (
        Signal("input", "i", "input gate", sigmoid(affine("i", h_prev, x)), (0, 1)),
        Signal("forget", "f", "forget gate", sigmoid(affine("f", h_prev, x)), (0, 1)),
        Signal("candidate", r"\tilde{C}", "candidate", tanh(affine("g", h_prev, x)), (-1, 1)),
        Signal("output", "o", "output gate", sigmoid(affine("o", h_prev, x)), (0, 1)),
        Signal("depth", "d", "depth gate", sigmoid(affine("d", x) + looks), (0, 1)),
        Signal("cell", "C", "cell state", f * C_prev + i * g + d * below("cell"), UNBOUNDED),
        Signal("hidden", "h", "hidden state", o * tanh(signal("cell")), (-1, 1)),
    )
    return Cell("depth_gated", "depth-gated LSTM", "Yao et al. 2015", tuple("ifgodcl"), signals)


FAMILY = (clockwork(), depth_gated())


def wide_awake(cell: Cell) -> CharModel:
    """Two layers of six units and three of embedding, whose every weight matters."""
    torch.manual_seed(0)
    model = CharModel("abcdefgh", cell, 6, 2, 3).eval()
    with torch.no_grad():
        for parameter in model.rnn.parameters():
            parameter.uniform_(-1, 1)
    return model


def read_by(model: CharModel, text: str) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
    """What the first layer reads, (time, input), and each layer's trained weights, all in float64."""
    x_t = model.inputs(model.vocabulary.ids(text)).detach().double().numpy()
    parameters = {n: p.detach().double().numpy() for n, p in model.rnn.named_parameters()}
    return x_t, [{n[:-3]: p for n, p in parameters.items() if n.endswith(f"_l{k}")} for k in range(model.layers)]


def judged_clockwork(model: CharModel, text: str) -> list[dict[str, np.ndarray]]:
    """Every h and every move of the Clockwork RNN, by the clock and not by a counter: (time, unit), a layer."""
    inputs, layers = read_by(model, text)
    periods = np.repeat(PERIODS, 2)
    found = []
    for p in layers:
        h, moves = np.zeros(6), np.array([t % periods == 0 for t in range(len(text))])
        weight, hidden = p["weight_hh"] * (periods[None, :] >= periods[:, None]), []
        for x_t, moving in zip(inputs, moves):
            h = np.where(moving, np.tanh(p["weight_ih"] @ x_t + p["bias_ih"] + weight @ h), h)
            hidden.append(h)
        inputs = np.stack(hidden)
        found.append({"hidden": inputs, "active": moves})
    return found


def judged_depth_gated(model: CharModel, text: str) -> list[dict[str, np.ndarray]]:
    """Every h, C and d of the depth-gated LSTM: (time, unit), a layer."""
    inputs, layers = read_by(model, text)
    under = np.zeros((len(text), 6))
    found = []
    for p in layers:
        h, c = np.zeros(6), np.zeros(6)
        each: dict[str, list[np.ndarray]] = {"hidden": [], "cell": [], "depth": []}
        for x_t, c_below in zip(inputs, under):
            i, f, g, o, d = np.split(p["weight_ih"] @ x_t + p["bias_ih"] + np.append(p["weight_hh"] @ h, np.zeros(6)), 5)
            d = d + p["weight_peephole"][:6] * c + p["weight_peephole"][6:] * c_below
            i, f, o, d = (1 / (1 + np.exp(-gate)) for gate in (i, f, o, d))
            c = f * c + i * np.tanh(g) + d * c_below
            h = o * np.tanh(c)
            for kept, value in zip(each.values(), (h, c, d)):
                kept.append(value)
        found.append({name: np.stack(values) for name, values in each.items()})
        inputs, under = found[-1]["hidden"], found[-1]["cell"]
    return found


JUDGES = {"clockwork": judged_clockwork, "depth_gated": judged_depth_gated}
READ = "abcdefghhgfedcbaaceg"


@pytest.mark.parametrize("cell", FAMILY, ids=lambda cell: cell.name)
def test_the_family_runs_as_its_papers_write_it(cell: Cell) -> None:
    """Trace, reference and torch against equations in plain NumPy that know nothing of the declaration."""
    model = wide_awake(cell)
    wanted = JUDGES[cell.name](model, READ)
    t = trace(model, READ)
    inputs, _ = read_by(model, READ)
    under: dict[str, np.ndarray] = {}
    kept: dict[str, torch.Tensor] = {}
    model.double()
    for layer, judged in enumerate(wanted):
        parameters = {n: p.detach().numpy() for n, p in model.rnn.layer(layer).items()}
        start = {name: np.zeros(6) for name in cell.states}
        x_t = under["hidden"] if under else inputs
        under = stepping.reference(cell.program, parameters, x_t, start, below=under)
        with torch.no_grad():
            states = tuple(torch.zeros(1, 6, dtype=torch.float64) for _ in cell.states)
            kept, _ = model.rnn.declared(layer, torch.from_numpy(x_t)[:, None], states, cell.names, kept)
        for name, values in judged.items():
            np.testing.assert_allclose(under[name], values, rtol=0, atol=1e-12)
            np.testing.assert_allclose(kept[name][:, 0], values, rtol=0, atol=1e-12)
            np.testing.assert_allclose(t[name][layer], values, rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", FAMILY, ids=lambda cell: cell.name)
def test_the_family_is_certified_explained_and_goes_on_from_a_state(cell: Cell) -> None:
    model = wide_awake(cell)
    t = trace(model, READ)
    assert certify(model, t).holds
    rest = trace(model, READ[7:], trace(model, READ[:7]).final)
    np.testing.assert_allclose(rest["hidden"], t["hidden"][:, 7:], rtol=0, atol=1e-6)
    held = trace(model, READ, clamps=[Clamp("hidden", 0.5, 0, (1,), 2, 9)])
    assert certify(model, held).holds and (held["hidden"][0, 2:9, 1] == 0.5).all()
    for layer in range(2):
        for line in explain(model, t, layer, 5, 3).lines:
            assert line.value == t[line.name][layer, 5, 3]
            assert mathml(line.equation)


@pytest.mark.parametrize("cell", FAMILY, ids=lambda cell: cell.name)
def test_training_moves_what_is_trained_and_nothing_else(cell: Cell) -> None:
    model = wide_awake(cell).train()
    ids = torch.from_numpy(model.vocabulary.ids(READ))[:, None]
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimiser = torch.optim.Adam(model.parameters(), 0.05)
    losses = []
    for _ in range(25):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(ids[:-1])[0][:, 0], ids[1:, 0])
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    for name, mask in stepping.masks(cell, 6).items():
        for layer in range(2):
            moved = (model.rnn.get_parameter(f"{name}_l{layer}") != before[f"rnn.{name}_l{layer}"]).numpy()
            assert not moved[mask == 0].any() and moved[mask == 1].all()
    assert set(before) == set(dict(model.named_parameters())) == set(model.state_dict())
    np.testing.assert_allclose(
        trace(model.eval(), READ)["hidden"][1, -1], JUDGES[cell.name](model, READ)[1]["hidden"][-1], atol=1e-5
    )


def declared(equation: Expression) -> Cell:
    """A cell with one equation that is to be judged."""
    hidden = Signal("hidden", "h", "h", equation + affine("a", h_prev, x), UNBOUNDED)
    return Cell("judged", "judged", "nobody", ("a", "b"), (hidden,))


@pytest.mark.parametrize(
    ("equation", "sentence"),
    [
        (below("cell"), "reads 'cell' of the layer below, never declared"),
        (below("x"), "reads 'x' of the layer below, never declared"),
        (affine("b", below("hidden")), "a signal of the layer below; they take x, which is h of that layer"),
        (affine("b", h_prev, mask=((1, 0),)), r"masks the rows 'b' with \(\(1, 0\),\): a mask is square, of 0 and 1"),
        (affine("b", h_prev, mask=((2,),)), "a mask is square, of 0 and 1"),
        (affine("b", x, mask=((1,),)), "a mask is square, of 0 and 1, on a map that reads h"),
        (affine("a", h_prev, mask=((1,),)), "masks the rows 'a' in two ways"),
        (fixed(float("nan")), "has 'nan' without finite numbers"),
        (fixed(symbol="T"), "has 'T' without finite numbers"),
    ],
)
def test_what_no_program_runs_is_refused_when_it_is_declared(equation: Expression, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"cell 'judged'.*{sentence}"):
        declared(equation)


def test_a_declaration_and_its_program_need_no_numpy() -> None:
    code = "import sys; from lstm_core.cells import cells; [c.program for c in cells().values()]; print('numpy' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
