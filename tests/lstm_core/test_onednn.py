"""The gates in oneDNN's workspace, whose layout is not documented, against the equations; and what happens without it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lstm_core import onednn, stepping
from lstm_core.cells import cells
from lstm_core.model import CharModel
from lstm_core.tracing import trace

LSTM = cells()["lstm"]
TEXT = "the clouds are in the sky"
kernel = torch.ops.aten.mkldnn_rnn_layer
make = Callable[..., CharModel]


def layer(units: int, bias: bool = True, length: int = 6) -> tuple:
    """Random parameters, inputs and initial state of one LSTM layer."""
    generator = torch.Generator().manual_seed(units)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator) / shape[-1] ** 0.5

    parameters = {n: draw(*s) for n, s in LSTM.parameter_shapes(5, units, bias).items()}
    return parameters, draw(length, 5), {n: draw(units).numpy() for n in LSTM.states}


@pytest.fixture(scope="module", autouse=True)
def workspace_known() -> None:
    if onednn.lstm_steps(*layer(16)) is None:
        pytest.skip("this processor's oneDNN gives no workspace that is understood: the loop runs instead")


def test_gates_equal_the_equations_for_every_size() -> None:
    for units in range(1, 301):
        parameters, x, start = layer(units, bias=units % 2 == 0)
        found = onednn.lstm_steps(parameters, x, start)
        assert found is not None, f"{units} units: the workspace is laid out otherwise"
        wanted = stepping.reference(LSTM.program, {n: p.numpy() for n, p in parameters.items()}, x.numpy(), start)
        for name in LSTM.names:
            np.testing.assert_allclose(found[name], wanted[name], rtol=0, atol=2e-6, err_msg=f"{name}, {units} units")


@pytest.mark.parametrize("length", [2, 3, 64, 1000])
def test_gates_equal_the_equations_for_every_length(length: int) -> None:
    parameters, x, start = layer(24, length=length)
    found = onednn.lstm_steps(parameters, x, start)
    wanted = stepping.reference(LSTM.program, {n: p.numpy() for n, p in parameters.items()}, x.numpy(), start)
    assert found is not None
    for name in LSTM.names:
        np.testing.assert_allclose(found[name], wanted[name], rtol=0, atol=2e-6)


def shifted(workspace: torch.Tensor) -> torch.Tensor:
    flat = workspace.reshape(-1).view(torch.uint8)
    return flat.roll(4)


WRONG = {
    "no workspace": lambda workspace: None,
    "shifted by one number": shifted,
    "too short": lambda workspace: workspace.reshape(-1).view(torch.uint8)[:64],
    "not numbers": lambda workspace: torch.full((workspace.numel() // 4,), torch.nan),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_workspace_that_is_not_understood_is_not_believed(
    make_model: make, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    def other_kernel(*arguments: object) -> tuple:
        *results, workspace = kernel(*arguments)
        return *results, WRONG[wrong](workspace)

    assert_falls_back(make_model, monkeypatch, other_kernel)


def test_a_kernel_that_is_not_there_is_done_without(make_model: make, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_kernel(*arguments: object) -> tuple:
        raise NotImplementedError("built without oneDNN")

    assert_falls_back(make_model, monkeypatch, no_kernel)


def assert_falls_back(make_model: make, monkeypatch: pytest.MonkeyPatch, replacement: Callable[..., tuple]) -> None:
    model = make_model("lstm", 17, 2)
    fast = trace(model, TEXT)
    monkeypatch.setattr(onednn.torch.ops, "aten", SimpleNamespace(mkldnn_rnn_layer=replacement))
    assert onednn.lstm_steps(*layer(17)) is None
    slow = trace(model, TEXT)
    for name in LSTM.names:
        np.testing.assert_allclose(slow[name], fast[name], rtol=0, atol=2e-6)


@pytest.mark.parametrize("order", [("forget", "input", "candidate", "output"), ("input", "forget", "output", "candidate")])
def test_gates_in_another_order_are_not_believed(monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...]) -> None:
    monkeypatch.setattr(onednn, "GATES", order)
    assert onednn.lstm_steps(*layer(17)) is None


def test_one_step_alone_is_left_to_the_loop() -> None:
    assert onednn.lstm_steps(*layer(17, length=1)) is None


def test_weights_that_are_not_numbers_are_left_to_the_loop() -> None:
    parameters, x, start = layer(17)
    parameters["weight_hh"][0, 0] = torch.nan
    assert onednn.lstm_steps(parameters, x, start) is None


def test_it_works_inside_inference_mode(make_model: make) -> None:
    model = make_model("lstm", 17)
    with torch.inference_mode():
        inside = trace(model, TEXT)
    np.testing.assert_allclose(inside["forget"], trace(model, TEXT)["forget"], rtol=0, atol=2e-6)
