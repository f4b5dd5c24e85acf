import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.analysis.biases import biases

TEXT = "the clouds are in the sky"


def of(make_model, cell, step=6, **more):
    model = make_model(cell, **more)
    trace = lc.trace(model, TEXT)
    return model, trace, {bias.name: bias for bias in biases(model, trace, 0, step)}


@pytest.mark.parametrize("cell", [name for name, cell in lc.cells().items() if cell.biases])
def test_the_gate_is_the_traces_own_and_without_them_it_is_that_of_a_model_whose_biases_are_0(make_model, cell):
    model, trace, found = of(make_model, cell, step=0)
    assert tuple(found) == model.cell.weighed
    with torch.no_grad():
        for name, parameter in model.rnn.named_parameters():
            if name.startswith("bias"):
                parameter.zero_()
    bare = lc.trace(model, TEXT)
    for name, bias in found.items():
        assert bias.value == pytest.approx(trace[name][0, 0], abs=2e-6)
        if not any(v.name not in ("x", "hidden") for v in model.cell.reads(name)):  # reads nothing that biases made
            assert bias.without == pytest.approx(bare[name][0, 0], abs=2e-6)
            assert not np.allclose(bias.without, bias.value)


def test_pytorch_has_two_and_their_sum_is_the_essays(make_model):
    model, _, found = of(make_model, "lstm", units=6)
    forget = found["forget"]
    assert list(forget.parts) == ["b_ih", "b_hh"]
    both = (model.rnn.bias_ih_l0 + model.rnn.bias_hh_l0)[6:12].detach().double().numpy()
    assert forget.total == pytest.approx(both, abs=1e-7)


def test_a_cell_of_one_bias_has_one(make_model):
    *_, found = of(make_model, "peephole")
    assert all(list(bias.parts) == ["b_ih"] and np.array_equal(bias.total, bias.parts["b_ih"]) for bias in found.values())


def test_the_two_of_pytorchs_candidate_have_no_sum(make_model):
    *_, found = of(make_model, "gru_pytorch")
    assert found["candidate"].total is None and set(found["candidate"].parts) == {"b_ih", "b_hh"}
    assert found["update"].total is not None


def test_a_model_without_biases_has_none(make_model):
    assert of(make_model, "gru")[2] == {}
    assert of(make_model, "lstm", bias=False)[2] == {}
