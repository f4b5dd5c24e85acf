import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.analysis.reach import reach

TEXT = "the clouds are in the sky"
CELLS = tuple(lc.cells())


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layer", [0, 1])
def test_the_gates_without_are_those_of_a_reading_that_goes_on_with_this_h_at_0(make_model, cell, layer):
    model = make_model(cell, layers=2)
    step, unit = 8, 5
    trace = lc.trace(model, TEXT)
    reached = reach(model, trace, layer, step, unit)
    state = lc.trace(model, TEXT[: step + 1]).final
    hidden = state["hidden"].copy()
    hidden[layer, unit] = 0
    silent = lc.trace(model, TEXT[step + 1], state=lc.State({**state.values, "hidden": hidden}))
    for name in reached.pushes:
        assert reached.values[name] == pytest.approx(trace[name][layer, step + 1], abs=2e-6)
        assert reached.without[name] == pytest.approx(silent[name][layer, 0], abs=2e-6)


def test_a_push_is_the_column_of_w_times_h(make_model):
    model = make_model("lstm", units=6)
    trace = lc.trace(model, TEXT)
    reached = reach(model, trace, 0, 10, 4)
    h = float(trace["hidden"][0, 10, 4])
    column = model.rnn.weight_hh_l0[:, 4].detach().double().numpy()
    for k, name in enumerate(("input", "forget", "candidate", "output")):  # as PyTorch stacks them
        assert np.array_equal(reached.weights[name], column[6 * k : 6 * (k + 1)])
        assert reached.pushes[name] == pytest.approx(column[6 * k : 6 * (k + 1)] * h, abs=1e-9)
    assert reached.states == {"hidden": h, "cell": float(trace["cell"][0, 10, 4])}


def test_the_strongest_are_those_that_move_most(make_model):
    model = make_model("lstm")
    reached = reach(model, lc.trace(model, TEXT), 0, 3, 0)
    moved = np.abs(np.concatenate([reached.values[n] - reached.without[n] for n in reached.pushes]))
    listed = reached.strongest(7)
    assert [abs(push.moved) for push in listed] == pytest.approx(sorted(moved)[::-1][:7])
    for push in listed:
        assert push.value == reached.values[push.name][push.unit] and push.push == reached.pushes[push.name][push.unit]


def test_peepholes_let_c_through_without_h(make_model):
    plain = make_model("lstm")
    assert reach(plain, lc.trace(plain, TEXT), 0, 3, 2).through_peepholes == {}
    model = make_model("peephole")
    trace = lc.trace(model, TEXT)
    through_peepholes = reach(model, trace, 0, 3, 2).through_peepholes
    assert set(through_peepholes) == {"forget", "input"}
    weight = model.rnn.weight_peephole_l0.detach()[16 + 2]  # rows i, f, o
    assert through_peepholes["forget"][2] == pytest.approx(float(weight) * float(trace["cell"][0, 3, 2]), abs=1e-9)
    assert np.flatnonzero(through_peepholes["forget"]).tolist() == [2]
    model = make_model("peephole_full")
    assert len(np.flatnonzero(reach(model, lc.trace(model, TEXT), 0, 3, 2).through_peepholes["forget"])) == 16


def test_a_unit_without_weights_reaches_nobody(make_model):
    model = make_model("lstm")
    with torch.no_grad():
        model.rnn.weight_hh_l0[:, 2] = 0
    reached = reach(model, lc.trace(model, TEXT), 0, 3, 2)
    assert all(push.moved == 0 for push in reached.strongest(100))


def test_the_last_character_reaches_nothing(make_model):
    model = make_model("lstm")
    with pytest.raises(ValueError, match="step 24 is the text's last"):
        reach(model, lc.trace(model, TEXT), 0, 24, 0)
