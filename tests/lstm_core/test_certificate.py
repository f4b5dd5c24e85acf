"""The certificate: it holds on every good trace, and turns red when a gate is not what the equations say."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

import lstm_core as lc

make = Callable[..., lc.CharModel]
TEXT = "the clouds are in the sky"
every_cell = pytest.mark.parametrize("cell", lc.cells())
every_gate = pytest.mark.parametrize(
    "cell, gate", [(cell.name, s.name) for cell in lc.cells().values() for s in cell.signals if s.is_gate]
)


def tampered(t: lc.Trace, **signals: np.ndarray) -> lc.Trace:
    return replace(t, values={**t.values, **signals})


@pytest.mark.parametrize("embedding", [None, 5])
@pytest.mark.parametrize("layers", [1, 3])
@every_cell
def test_it_holds_on_good_traces(make_model: make, cell: str, layers: int, embedding: int | None) -> None:
    model = make_model(cell, 16, layers, embedding=embedding)
    whole = lc.trace(model, TEXT)
    for t in (whole, lc.trace(model, "a"), lc.trace(model, TEXT, whole.final)):
        certificate = lc.certify(model, t)
        assert certificate.holds, certificate
        assert certificate.h_error < 1e-5
        assert certificate.signal_error < 1e-5
    kernel = model.cell.kernel
    assert certificate.against == (
        f"torch's own {kernel} kernel" if kernel else "the declared equations, step by step in float64"
    )


@pytest.mark.parametrize("info", lc.models(), ids=lambda info: info.name)
def test_it_holds_on_the_shipped_models(info: lc.ModelInfo) -> None:
    model = lc.load(info.name)
    assert lc.certify(model, lc.trace(model, "I grew up in France... I speak fluent French. " * 4)).holds


@every_cell
def test_the_loss_is_that_of_the_trace(make_model: make, cell: str) -> None:
    model = make_model(cell)
    t = lc.trace(model, TEXT)
    certificate = lc.certify(model, t)
    assert certificate.loss_shown == pytest.approx(t.loss, abs=1e-5)
    assert certificate.loss_reference == pytest.approx(t.loss, abs=1e-5)
    assert math.isnan(lc.certify(model, lc.trace(model, "a")).loss_shown)


@pytest.mark.parametrize("layer", [0, 1])
@every_gate
def test_a_gate_that_is_slightly_wrong_turns_it_red(make_model: make, cell: str, gate: str, layer: int) -> None:
    model = make_model(cell, 16, 2)
    t = lc.trace(model, TEXT)
    wrong = t[gate].copy()
    wrong[layer, 9, 3] += 0.001
    assert not lc.certify(model, tampered(t, **{gate: wrong})).holds


@every_gate
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gate_that_is_no_number_turns_it_red(make_model: make, cell: str, gate: str, value: float) -> None:
    model = make_model(cell)
    t = lc.trace(model, TEXT)
    wrong = t[gate].copy()
    wrong[0, -1, -1] = value
    assert not lc.certify(model, tampered(t, **{gate: wrong})).holds


@pytest.mark.parametrize("cell", [name for name, cell in lc.cells().items() if "input" in cell.names])
def test_forget_and_input_exchanged_turn_it_red(make_model: make, cell: str) -> None:
    model = make_model(cell)
    t = lc.trace(model, TEXT)
    assert not lc.certify(model, tampered(t, forget=t["input"], input=t["forget"])).holds


@pytest.mark.parametrize("cell", ["gru", "gru_pytorch"])
def test_update_turned_round_or_exchanged_with_reset_turns_it_red(make_model: make, cell: str) -> None:
    model = make_model(cell)
    t = lc.trace(model, TEXT)
    assert not lc.certify(model, tampered(t, update=1 - t["update"])).holds
    assert not lc.certify(model, tampered(t, update=t["reset"], reset=t["update"])).holds


@every_cell
def test_a_missed_transpose_turns_it_red(make_model: make, cell: str) -> None:
    """Where there are as many units as inputs, only the numbers tell."""
    model, wrong = make_model(cell, 16), make_model(cell, 16)
    with torch.no_grad():
        weight = wrong.rnn.weight_hh_l0
        weight.copy_(torch.cat([block.T for block in weight.split(16)]))
    assert not lc.certify(model, lc.trace(wrong, TEXT)).holds


@pytest.mark.parametrize("cell", [name for name, cell in lc.cells().items() if cell.biases])
def test_dropped_biases_turn_it_red(make_model: make, cell: str) -> None:
    model, wrong = make_model(cell), make_model(cell)
    with torch.no_grad():
        wrong.rnn.bias_ih_l0.zero_()
    assert not lc.certify(model, lc.trace(wrong, TEXT)).holds


def test_a_state_that_was_lost_turns_it_red(make_model: make) -> None:
    model = make_model("lstm")
    t = lc.trace(model, TEXT, lc.trace(model, TEXT).final)
    assert not lc.certify(model, replace(t, initial=lc.trace(model, TEXT).initial)).holds


@pytest.mark.parametrize("change", [{"cell": "rnn"}, {"units": 17}, {"layers": 2}, {"vocabulary": "abc"}])
def test_a_trace_of_another_model_is_refused(make_model: make, change: dict) -> None:
    t = lc.trace(make_model(**{"cell": "lstm", "name": "one"} | change), TEXT)
    with pytest.raises(ValueError, match=r"the trace is of one, .* it can't be held to two"):
        lc.certify(make_model("lstm", name="two"), t)


def test_a_model_in_double_or_in_training_is_certified_too(make_model: make) -> None:
    model = make_model("lstm", 16, 2, dropout=0.5)
    assert lc.certify(model.train(), lc.trace(model, TEXT)).holds
    assert lc.certify(model.double(), lc.trace(model, TEXT)).holds
