"""The way back equals torch's autograd, for every cell, and each claim about its arrays holds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.analysis.gradients import gradient_steps, gradients, kept
from lstm_core.evaluation import Evaluation, blocks
from lstm_core.formula import UNBOUNDED, Signal, Vector, affine, below, diagonal, fixed, h_prev, x
from lstm_core.model import TORCH
from tests.lstm_core.test_program import FAMILY, twice

TEXT = "abcab bacca"


def made(cell: str | lc.Cell, layers: int = 2, embedding: int | None = None, units: int = 5) -> lc.CharModel:
    torch.manual_seed(3)
    model = lc.CharModel(sorted(set(TEXT)), cell, units=units, layers=layers, embedding=embedding)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.7)
    return model


def graph(model: lc.CharModel, trace: lc.Trace) -> tuple[dict, list, torch.Tensor, torch.Tensor]:
    """Every state of every layer and step as a node of torch's graph, the inputs scaled by 1, the logits."""
    model = model.double()
    ids = torch.from_numpy(trace.ids.copy())
    scale = torch.ones(trace.steps, dtype=torch.float64, requires_grad=True)
    read = model.read(ids[:, None])[:, 0].double() * scale[:, None]
    nodes: dict = {}
    signals: dict = {}
    for layer in range(model.layers):
        weights = blocks(model.rnn.layer(layer), model.units)
        now = {
            # a counter that no weight moves has a gradient too
            Vector(n, True): torch.from_numpy(trace.initial[n][layer].copy()).double().requires_grad_()
            for n in model.cell.states
        }
        above = []
        for step in range(trace.steps):
            now[x] = read[step]
            for n in model.cell.below:
                now[below(n)] = signals[n, layer - 1, step] if layer else torch.zeros(model.units, dtype=torch.float64)
            for name, value in Evaluation(model.cell, now, weights, TORCH).signals().items():
                now[Vector(name)] = signals[name, layer, step] = value
            for n in model.cell.states:
                nodes[n, layer, step] = now[Vector(n)]
            now |= {Vector(n, True): now[Vector(n)] for n in model.cell.states}
            above.append(now[Vector("hidden")])
        read = torch.stack(above)
        # the layer above reads the same nodes
        read = torch.stack([nodes["hidden", layer, s] for s in range(trace.steps)])
    return nodes, list(nodes), model.head(read), scale


@pytest.mark.parametrize("embedding", [None, 3])
@pytest.mark.parametrize("cell", [*lc.cells().values(), twice(), *FAMILY], ids=lambda cell: cell.name)
def test_every_gradient_equals_autograd(cell: lc.Cell, embedding: int | None) -> None:
    model = made(cell, embedding=embedding)
    trace = lc.trace(model, TEXT)
    found = gradients(model, trace, float64=True)
    nodes, keys, logits, scale = graph(model, trace)
    for target in range(trace.steps):
        loss = torch.nn.functional.cross_entropy(logits[target][None], torch.tensor([int(found.aims[target])]))
        *true, along = torch.autograd.grad(loss, [*nodes.values(), scale], retain_graph=True, allow_unused=True)
        for (name, layer, step), gradient in zip(keys, true, strict=True):
            ours = found.norms[name][layer, target, step]
            if step > target:
                assert np.isnan(ours) and (gradient is None or not gradient.any())
            else:
                norm = 0.0 if gradient is None else float(gradient.norm())
                assert ours == pytest.approx(norm, rel=1e-9, abs=1e-12), (name, layer, target, step)
        assert found.characters[target, : target + 1] == pytest.approx(along.numpy()[: target + 1], rel=1e-9, abs=1e-12)
        assert np.isnan(found.characters[target, target + 1 :]).all()


def test_the_loss_after_a_character_is_the_surprise_of_the_next_and_after_the_last_of_the_likeliest() -> None:
    model = made("lstm")
    trace = lc.trace(model, TEXT)
    found = gradients(model, trace)
    assert list(found.aims[:-1]) == list(trace.ids[1:])
    assert found.aims[-1] == trace.probs[-1].argmax()


@pytest.mark.parametrize("cell", ["lstm", "gru", "gru_pytorch", "rnn"])
def test_float32_agrees_with_float64(cell: str) -> None:
    model = made(cell, units=24)
    trace = lc.trace(model, TEXT * 3)
    rough, exact = gradients(model, trace), gradients(model.double(), trace, float64=True)
    for name in model.cell.states:
        np.testing.assert_allclose(rough.norms[name], exact.norms[name], rtol=2e-4, atol=1e-6)


def test_the_direct_path_is_the_product_of_the_gates_that_keep() -> None:
    model = made("lstm", layers=1)
    trace = lc.trace(model, TEXT)
    found = gradients(model, trace, targets=[8])
    forget, row = trace["forget"][0], found.row(8)
    assert set(found.direct) == {"cell"}
    assert found.direct["cell"][0, row, 8] == pytest.approx(found.norms["cell"][0, row, 8])
    output, cell = trace["output"][0, 8], trace["cell"][0, 8]
    chances = trace.probs[8].astype(np.float64)
    chances[found.aims[row]] -= 1
    at_cell = chances @ model.head.weight.detach().numpy() * output * (1 - np.tanh(cell) ** 2)
    for step in (7, 4, 0):
        kept_by_gates = np.prod(forget[step + 1 : 9], axis=0)
        assert found.direct["cell"][0, row, step] == pytest.approx(np.linalg.norm(at_cell * kept_by_gates), rel=1e-4)


def test_which_states_have_a_direct_way() -> None:
    direct = {name: [s for s in cell.states if kept(cell, s) is not None] for name, cell in lc.cells().items()}
    assert direct["rnn"] == []
    assert direct["lstm"] == direct["peephole"] == direct["coupled"] == ["cell"]
    assert direct["gru"] == direct["gru_pytorch"] == ["hidden"]
    assert kept(lc.cell("gru_pytorch"), "hidden") == Vector("update")


def test_some_targets_are_the_same_rows_as_all_of_them() -> None:
    model = made("peephole")
    trace = lc.trace(model, TEXT)
    all_of_them, some = gradients(model, trace), gradients(model, trace, targets=[9, 2, 5])
    assert list(some.targets) == [2, 5, 9]
    for name in model.cell.states:
        np.testing.assert_allclose(some.norms[name], all_of_them.norms[name][:, [2, 5, 9]], rtol=1e-5)
    np.testing.assert_allclose(some.characters, all_of_them.characters[[2, 5, 9]], rtol=1e-4, atol=1e-7)
    with pytest.raises(ValueError, match="the loss after character 3 was not asked for"):
        some.row(3)


def test_progress_rises_to_one() -> None:
    model = made("rnn")
    shares = list(gradient_steps(model, lc.trace(model, TEXT)))
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) == len(TEXT)


def test_a_vanished_gradient_is_nothing_and_an_exploded_one_is_no_error() -> None:
    model = made("rnn", layers=1)
    with torch.no_grad():
        model.rnn.weight_hh_l0.mul_(1e-3)
    trace = lc.trace(model, TEXT * 30)
    assert gradients(model, trace, targets=[300]).norms["hidden"][0, 0, 0] == 0
    with torch.no_grad():
        model.rnn.weight_hh_l0.copy_(torch.eye(5) * 50)
        model.rnn.weight_ih_l0.zero_()
        model.rnn.bias_ih_l0.zero_()
        model.rnn.bias_hh_l0.zero_()
    trace = lc.trace(model, TEXT * 30)
    assert np.isinf(gradients(model, trace, targets=[300]).norms["hidden"][0, 0, 0])


def test_what_was_wrong_is_named() -> None:
    model = made("lstm")
    trace = lc.trace(model, TEXT)
    with pytest.raises(ValueError, match="there is no step 11; the trace has steps 0 to 10"):
        gradients(model, trace, targets=[11])
    with pytest.raises(ValueError, match="no step was asked for"):
        gradients(model, trace, targets=[])
    with pytest.raises(ValueError, match="the trace is of 2 x 5 LSTM"):
        gradients(made("gru"), trace)


@pytest.mark.parametrize("float64", [False, True])
def test_a_number_or_a_weight_that_a_state_is_multiplied_by_is_its_direct_path(float64: bool) -> None:
    for factor in (fixed(0.5, -0.25, symbol="d"), diagonal("d")):
        hidden = Signal("hidden", "h", "h", factor * h_prev + affine("a", x), UNBOUNDED)
        model = made(lc.Cell("leaky", "leaky", "nobody", ("a", "d"), (hidden,)), units=4)
        trace = lc.trace(model, TEXT)
        found = gradients(model, trace, [10], float64)
        weights = model.rnn.layer(1)
        by = np.abs(weights["weight_fixed" if "weight_fixed" in weights else "weight_peephole"].detach().numpy())
        whole = np.linalg.norm(gradient_at_head(model, trace, 10)[None] * by ** np.arange(11)[::-1, None], axis=1)
        np.testing.assert_allclose(found.direct["hidden"][1, 0], whole, rtol=1e-4)
        np.testing.assert_allclose(found.norms["hidden"][1, 0], whole, rtol=1e-4)


def gradient_at_head(model: lc.CharModel, trace: lc.Trace, step: int) -> np.ndarray:
    """d loss / d h of the top layer, whose last character is the likeliest one: (unit,)."""
    hidden = torch.from_numpy(trace["hidden"][-1, step].copy()).requires_grad_()
    logits = model.head(hidden)
    torch.nn.functional.cross_entropy(logits[None], logits.argmax()[None]).backward()
    assert hidden.grad is not None
    return hidden.grad.numpy()
