"""The generated loop against the plain float64 evaluation: for the shipped cells, and for cells made up by Hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core import stepping
from lstm_core.cells import cells
from lstm_core.clamp import Clamp, held_steps
from lstm_core.formula import (
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
    source_of,
    tanh,
    x,
)
from lstm_core.model import CharModel
from lstm_core.trace import State, Trace
from lstm_core.tracing import trace
from tests.examples import examples

TEXT = "the clouds are in the sky"
START = np.random.default_rng(0).uniform(-1, 1, (9, 64))


def start_of(model: CharModel) -> State:
    """A state that is not zero, so that nothing hides behind zeros."""
    shape = (model.layers, model.units)
    return State({name: np.resize(START[k:], shape).astype(np.float32) for k, name in enumerate(model.cell.states)})


def largest_error(model: CharModel, t: Trace) -> float:
    """max |shown - float64| over all signals, each layer fed with what is shown of the one below."""
    inputs, worst = model.inputs(t.ids).detach().numpy(), 0.0
    shown: dict[str, np.ndarray] = {}
    for layer in range(model.layers):
        parameters = {n: p.detach().numpy() for n, p in model.rnn.layer(layer).items()}
        start = {n: t.initial[n][layer] for n in model.cell.states}
        held = held_steps(t.clamps, layer, t.units, t.steps)
        wanted = stepping.reference(model.cell.program, parameters, inputs, start, held, shown)
        worst = max(worst, *(float(np.abs(t[n][layer] - wanted[n]).max()) for n in model.cell.names))
        shown = {n: t[n][layer] for n in model.cell.names}
        inputs = shown["hidden"]
    return worst


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("units, layers", [(1, 1), (2, 3), (16, 2), (17, 1), (64, 1)])
@pytest.mark.parametrize("cell", cells())
def test_the_loop_equals_the_equations(
    make_model: Callable[..., CharModel], monkeypatch: pytest.MonkeyPatch, cell: str, units: int, layers: int, bias: bool
) -> None:
    monkeypatch.setattr("lstm_core.onednn.lstm_steps", lambda *_: None)
    model = make_model(cell, units, layers, bias=bias)
    assert largest_error(model, trace(model, TEXT, start_of(model))) < 1e-5


@pytest.mark.parametrize("cell", cells())
def test_the_equations_in_torch_equal_those_in_numpy(make_model: Callable[..., CharModel], cell: str) -> None:
    model = make_model(cell, 7).double()
    x_t = model.read(torch.from_numpy(model.vocabulary.ids(TEXT))[:, None])
    states = tuple(torch.randn(1, 7, dtype=torch.float64) for _ in model.cell.states)
    with torch.no_grad():
        kept, _ = model.rnn.declared(0, x_t, states, model.cell.names)
    parameters = {n: p.detach().numpy() for n, p in model.rnn.layer(0).items()}
    start = {n: s[0].numpy() for n, s in zip(model.cell.states, states, strict=True)}
    wanted = stepping.reference(model.cell.program, parameters, x_t[:, 0].numpy(), start)
    for name in model.cell.names:
        np.testing.assert_allclose(kept[name][:, 0], wanted[name], rtol=0, atol=1e-12)


SQUASH = {"sigmoid": sigmoid, "tanh": tanh}


@st.composite
def expressions(draw: st.DrawFn, readable: list[Expression], depth: int = 2) -> Expression:
    """Any formula over vectors, affine maps (also of gated vectors) and diagonals; few rows, so that some are shared."""
    rows = draw(st.sampled_from("abc"))
    kind = draw(st.sampled_from(["vector", "affine", "affine", "peephole", "fixed", "sum", "product", "complement", "apply"]))
    inner = expressions(readable, depth - 1)
    if kind == "vector" or depth == 0:
        return draw(st.sampled_from(readable))
    if kind == "affine":
        gates = [v for v in readable if v != below("cell")]
        gated = st.builds(lambda gate, v: gate * v, st.sampled_from(gates), st.sampled_from([h_prev, Vector("cell", True)]))
        vectors = st.one_of(st.just(x), st.just(h_prev), st.just(Vector("cell", True)), gated)
        mask = ((1, 0), (1, 1)) if rows == "c" else None
        read = draw(st.lists(vectors, min_size=1, max_size=3, unique_by=source_of))
        return affine(rows, *read, mask=mask if "hh" in map(source_of, read) else None)
    if kind == "peephole":
        return diagonal(rows) * draw(inner)
    if kind == "fixed":
        return draw(st.sampled_from([fixed(0.5), fixed(1, -0.25, symbol="T")])) * draw(inner)
    if kind == "complement":
        return 1 - draw(inner)
    if kind == "apply":
        return SQUASH[draw(st.sampled_from(list(SQUASH)))](draw(inner))
    left, right = draw(inner), draw(inner)
    return left + right if kind == "sum" else left * right


@st.composite
def made_up_cells(draw: st.DrawFn) -> Cell:
    """Cells of two to five squashed signals, in which two may share weights, read each other and overwrite states."""
    readable: list[Expression] = [h_prev, Vector("cell", True), below("cell")]
    names = draw(st.permutations(["cell", "hidden", *("gate", "valve", "lock")[: draw(st.integers(0, 3))]]))
    signals = []
    for name in names:
        equation = SQUASH[draw(st.sampled_from(list(SQUASH)))](draw(expressions(readable)))
        signals.append(Signal(name, name, name, equation, (-1, 1)))
        readable.append(signal(name))
    signals.append(Signal("last", "l", "last", sigmoid(affine("d", h_prev, x)), (0, 1)))
    return Cell(
        f"cell{next(SERIAL)}", "made up", "nobody", tuple("abcd"), tuple(signals), biases=draw(st.sampled_from([0, 1, 2]))
    )


SERIAL = count()


@given(made_up_cells(), st.sampled_from([1, 2, 5]))
@settings(max_examples=examples(80))
def test_any_cell_that_can_be_declared_runs_as_declared(make_model: Callable[..., CharModel], cell: Cell, units: int) -> None:
    model = make_model(cell, units, 2, vocabulary="aehst ")
    t = trace(model, "the hat", start_of(model))
    assert largest_error(model, t) < 2e-5
    with torch.no_grad():
        start = tuple(torch.from_numpy(t.initial[name][:, None].copy()).double() for name in cell.states)
        h, _ = model.double()(torch.from_numpy(t.ids.copy())[:, None], start)
        np.testing.assert_allclose(torch.softmax(h[:, 0], -1), t.probs, rtol=0, atol=1e-4)


@given(made_up_cells(), st.data())
@settings(max_examples=examples(60))
def test_any_signals_of_any_cell_can_be_held(make_model: Callable[..., CharModel], cell: Cell, data: st.DataObject) -> None:
    signals = data.draw(st.lists(st.sampled_from(cell.names), min_size=1, unique=True))
    clamps = [
        Clamp(name, 0.5, data.draw(st.sampled_from([0, 1])), data.draw(st.sampled_from([None, (0,), (1, 2)])), first, first + 3)
        for first, name in enumerate(signals)
    ]
    model = make_model(cell, 3, 2, vocabulary="aehst ")
    t = trace(model, "the hats", start_of(model), clamps)
    assert largest_error(model, t) < 2e-5
    for clamp in clamps:
        units = slice(None) if clamp.units is None else list(clamp.units)
        assert (t[clamp.signal][clamp.layer, clamp.start : clamp.stop, units] == 0.5).all()


def test_signals_of_one_form_are_computed_together() -> None:
    assert [len(group) for group in stepping._Nodes(cells()["lstm"]).groups()] == [3, 1, 1, 1]
    assert [len(group) for group in stepping._Nodes(cells()["gru"]).groups()] == [2, 1, 1]
