"""The declared equations against torch's own kernels, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lstm_core.cells import cells
from lstm_core.model import CharModel

MODULES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru_pytorch": nn.GRU}
STEPS, BATCH, INPUT = 9, 2, 5


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("units", [1, 3, 16, 17, 64, 256])
@pytest.mark.parametrize("cell", MODULES)
def test_equations_equal_torch_in_float64(cell: str, units: int, layers: int, bias: bool) -> None:
    torch.manual_seed(units)
    module = MODULES[cell](INPUT, units, layers, bias=bias).double()
    rnn = CharModel("abcde", cell, units, layers, bias=bias).double().rnn
    rnn.load_state_dict(module.state_dict())
    x = torch.randn(STEPS, BATCH, INPUT, dtype=torch.float64)
    states = tuple(torch.randn(layers, BATCH, units, dtype=torch.float64).tanh() for _ in rnn.cell.states)
    with torch.inference_mode():
        wanted, after = module(x, states if cell == "lstm" else states[0])
        for fused in (False, True):
            h, final = rnn(x, states, fused=fused)
            torch.testing.assert_close(h, wanted, rtol=0, atol=1e-9)
            for ours, theirs in zip(final, after if cell == "lstm" else (after,), strict=True):
                torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("cell", MODULES)
def test_gradients_equal_torch_in_float64(cell: str) -> None:
    torch.manual_seed(0)
    model = CharModel("abcde", cell, 7, 2).double()
    ids, gradients = torch.randint(5, (STEPS, BATCH)), []
    for fused in (False, True):
        model.zero_grad()
        model(ids, fused=fused)[0].square().sum().backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-9)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", cells())
def test_state_carried_on_equals_reading_at_once(cell: str, layers: int) -> None:
    torch.manual_seed(0)
    model = CharModel("abcde", cell, 6, layers).double().eval()
    ids = torch.randint(5, (11, BATCH))
    with torch.inference_mode():
        whole, end = model(ids)
        first, states = model(ids[:4])
        rest, last = model(ids[4:], states)
    torch.testing.assert_close(torch.cat([first, rest]), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(last, end, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", cells())
def test_every_parameter_takes_part(cell: str) -> None:
    model = CharModel("abcde", cell, 6, 2)
    model(torch.randint(5, (STEPS, BATCH)))[0].square().sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(
    "cell", [cell for cell in cells().values() if cell.biases and "forget" in cell.names], ids=lambda c: c.name
)
def test_forget_bias_starts_at_one(cell) -> None:
    rnn = CharModel("abcde", cell, 6, 2).rnn
    for layer in range(2):
        biases = [rows["f"][1] for rows in rnn.blocks(layer).values() if rows.get("f", (None, None))[1] is not None]
        assert len(biases) == cell.biases
        assert torch.equal(sum(biases), torch.ones(6))


def test_other_biases_do_not_start_at_one() -> None:
    blocks = CharModel("abcde", "lstm", 6).rnn.blocks(0)
    assert all(blocks["ih"][rows][1].abs().max() < 0.5 for rows in "igo")


@pytest.mark.parametrize("size", ["units", "layers", "embedding"])
def test_sizes_under_one_are_refused(size: str) -> None:
    with pytest.raises(ValueError, match=f"{size} must be 1 or more, not 0"):
        CharModel("ab", **{size: 0})


def test_unknown_cell_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no cell 'lstn'; there are .*lstm"):
        CharModel("ab", "lstn")


def test_kernel_is_refused_where_torch_has_none() -> None:
    rnn = CharModel("ab", "gru", 2).rnn
    with pytest.raises(ValueError, match="no kernel for the cell 'gru'"):
        rnn.run_kernel(torch.zeros(1, 1, 2), rnn.zero_states(1), [])


def test_embedding_equals_one_hot_through_its_matrix() -> None:
    torch.manual_seed(0)
    embedded = CharModel("abcde", "lstm", 6, embedding=3).double()
    one_hot = CharModel("abcde", "lstm", 6).double()
    weights = {k: v for k, v in embedded.state_dict().items() if k != "embedding.weight"}
    weights["rnn.weight_ih_l0"] = embedded.rnn.weight_ih_l0 @ embedded.embedding.weight.T
    one_hot.load_state_dict(weights)
    ids = torch.randint(5, (STEPS, BATCH))
    torch.testing.assert_close(embedded(ids)[0], one_hot(ids)[0], rtol=0, atol=1e-12)


def test_dropout_acts_in_training_alone() -> None:
    model = CharModel("abcde", "gru", 6, 2, dropout=0.5)
    ids = torch.randint(5, (STEPS, BATCH))
    assert torch.equal(model.eval()(ids)[0], model(ids)[0])
    assert not torch.equal(model.train()(ids)[0], model(ids)[0])


@pytest.mark.parametrize("cell", cells())
def test_config_builds_the_same_model(cell: str) -> None:
    model = CharModel("abcde", cell, 6, 2, embedding=3, dropout=0.1, bias=False, head_bias=False)
    again = CharModel("abcde", **model.config)
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (model, again)]
    assert shapes[0] == shapes[1]
    assert again.config == model.config


def test_stacked_maps_are_those_of_h_and_x_alone() -> None:
    def blocks(cell: str) -> list[dict[str, int]]:
        return [{p.weight: p.block for p in o.parts} for o in cells()[cell].program.stacked]

    assert blocks("lstm") == [{"weight_hh": k, "weight_ih": k} for k in range(4)]
    assert blocks("peephole_full") == [{"weight_hh": 2, "weight_ih": 2}]
    assert blocks("gru") == [{"weight_hh": k, "weight_ih": k} for k in range(2)]
