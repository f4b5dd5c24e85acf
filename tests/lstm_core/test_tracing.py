"""Traces: float32, every signal of every layer at every step, held to torch's kernels; frozen and read-only."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import lstm_core as lc
from lstm_core.cells import cells
from lstm_core.convert.torch_module import from_torch

MODULES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru_pytorch": nn.GRU}
ALPHABET = " abcdefghijklmnopqrstuvwxyz"
TEXT = "i grew up in france i speak fluent french"
make = Callable[..., lc.CharModel]
every_cell = pytest.mark.parametrize("cell", cells())


@pytest.fixture(params=["as it runs", "loop alone"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The LSTM's gates come out of oneDNN or, as for all other cells, out of the loop: both are held to torch."""
    if request.param == "loop alone":
        monkeypatch.setattr("lstm_core.onednn.lstm_steps", lambda *_: None)
    return request.param


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("units, layers", [(1, 1), (3, 2), (16, 3), (17, 1), (64, 2), (256, 1)])
@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.usefixtures("path")
def test_h_and_predictions_equal_torch(cell: str, units: int, layers: int, bias: bool) -> None:
    torch.manual_seed(units)
    module, head = MODULES[cell](27, units, layers, bias=bias), nn.Linear(units, 27)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(2)  # so that gates open and close
    t = lc.trace(from_torch(module, ALPHABET, head=head), TEXT)
    with torch.inference_mode():
        h, state = module(nn.functional.one_hot(torch.from_numpy(t.ids.copy()), 27).float())
        probs = head(h).softmax(-1)
    np.testing.assert_allclose(t["hidden"][-1], h, rtol=0, atol=1e-4)
    np.testing.assert_allclose(t.probs, probs, rtol=0, atol=1e-4)
    for name, wanted in zip(t.cell.states, state if cell == "lstm" else (state,), strict=True):
        np.testing.assert_allclose(t.final[name], wanted, rtol=0, atol=1e-4)


@every_cell
@pytest.mark.usefixtures("path")
def test_in_pieces_equals_the_whole(make_model: make, cell: str) -> None:
    model = make_model(cell, 12, 2)
    whole, pieces, state = lc.trace(model, TEXT), [], None
    for piece in (TEXT[:1], TEXT[1:8], TEXT[8:9], TEXT[9:]):
        pieces.append(lc.trace(model, piece, state))
        state = pieces[-1].final
    for name in whole.signals:
        np.testing.assert_allclose(np.concatenate([p[name] for p in pieces], axis=1), whole[name], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([p.surprise for p in pieces])[1:], whole.surprise[1:], rtol=0, atol=1e-5)
    for name in whole.cell.states:
        np.testing.assert_array_equal(pieces[-1].initial[name], pieces[-2].final[name])
        np.testing.assert_allclose(pieces[-1].final[name], whole.final[name], rtol=1e-5, atol=1e-5)


@every_cell
def test_the_contract(make_model: make, cell: str) -> None:
    model = make_model(cell, 6, 2, name="probe")
    t = lc.trace(model, "día!")
    assert t.signals == tuple(t) == model.cell.order
    assert (t.model, t.cell, t.vocabulary) == ("probe", model.cell, model.vocabulary)
    assert (t.layers, t.steps, t.units, len(t)) == (2, 4, 6, 4)
    assert (t.chars, t.read_as, t.text) == (tuple("día!"), tuple("dia "), "día!")
    assert [t.vocabulary.characters[k] for k in t.ids] == list(t.read_as)
    assert t.probs.shape == (4, 27) and t.surprise.shape == (4,)
    np.testing.assert_allclose(t.probs.sum(1), 1, atol=1e-6)
    for name in t.signals:
        low, high = t.cell[name].range
        assert t[name].shape == (2, 4, 6) and t[name].dtype == np.float32
        assert t[name].min() >= low and t[name].max() <= high
    for state in (t.initial, t.final):
        assert set(state.values) == set(t.cell.states)
        assert all(v.shape == (2, 6) and v.dtype == np.float32 for v in state.values.values())
    assert not any(v.any() for v in t.initial.values.values())
    assert t.initial.probs is None
    assert t.final.probs is not None


@every_cell
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.usefixtures("path")
def test_frozen_and_read_only(make_model: make, cell: str, layers: int) -> None:
    model = make_model(cell, 6, layers)
    given = lc.State({n: np.ones((layers, 6), np.float32) for n in model.cell.states}, np.full(27, 1 / 27, np.float32))
    for t in (lc.trace(model, "abc"), lc.trace(model, "abc", given)):
        states = [v for state in (t.initial, t.final) for v in (*state.values.values(), state.probs) if v is not None]
        for array in (*(t[name] for name in t.signals), t.probs, t.ids, *states):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
        for mapping in (t.values, t.initial.values, t.final.values):
            with pytest.raises(TypeError):
                mapping["hidden"] = None
        with pytest.raises(dataclasses.FrozenInstanceError):
            t.model = "another"


def test_the_given_state_stays_the_callers_own(make_model: make) -> None:
    model = make_model("lstm", 6)
    given = lc.State({n: np.ones((1, 6), np.float32) for n in model.cell.states})
    t = lc.trace(model, "abc", given)
    given["cell"][...] = 7
    assert (t.initial["cell"] == 1).all()


@pytest.mark.parametrize("text, sentence", [("", "There is no text to read"), ("a" * 20_001, "The text has 20,001 characters")])
def test_texts_that_cannot_be_read(make_model: make, text: str, sentence: str) -> None:
    with pytest.raises(lc.TextError, match=sentence):
        lc.trace(make_model("rnn"), text)


@pytest.mark.parametrize(
    "values, probs, sentence",
    [
        ({}, None, "the state holds nothing; probe needs hidden, cell of 1 layers x 6 units"),
        ({"hidden": (1, 6)}, None, r"the state holds hidden \(1, 6\); probe needs hidden, cell"),
        ({"hidden": (1, 6), "cell": (2, 6)}, None, r"cell \(2, 6\); probe needs"),
        ({"hidden": (1, 6), "cell": (1, 6)}, 5, "the state predicts 5 characters; probe knows 27"),
    ],
)
def test_a_state_of_another_model_is_refused(make_model: make, values: dict, probs: int | None, sentence: str) -> None:
    state = lc.State({n: np.zeros(s, np.float32) for n, s in values.items()}, None if probs is None else np.ones(probs))
    with pytest.raises(ValueError, match=sentence):
        lc.trace(make_model("lstm", 6, name="probe"), "abc", state)


def test_the_dtype_of_the_model_does_not_show(make_model: make) -> None:
    model = make_model("peephole", 6, embedding=4, head_bias=False)
    single, double = lc.trace(model, TEXT), lc.trace(model.double(), TEXT)
    assert double["cell"].dtype == double.probs.dtype == np.float32
    np.testing.assert_allclose(double["cell"], single["cell"], rtol=0, atol=1e-6)


def test_training_mode_leaves_no_mark(make_model: make) -> None:
    model = make_model("gru", 6, 2, dropout=0.9)
    np.testing.assert_array_equal(lc.trace(model.train(), TEXT).probs, lc.trace(model.eval(), TEXT).probs)
    assert all(p.grad is None for p in model.parameters())


@every_cell
def test_twenty_thousand_characters(make_model: make, cell: str) -> None:
    t = lc.trace(make_model(cell, 4), "to be or not " * 1538 + "to be ")
    assert len(t) == 20_000
    assert all(np.isfinite(t[name]).all() for name in t.signals)
