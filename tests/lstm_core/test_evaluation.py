import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.evaluation import Evaluation, evaluation
from lstm_core.formula import C_prev, diagonal, h_prev, sigmoid, signal, x
from lstm_core.model import TORCH

CELLS = tuple(lc.cells())
TEXT = "the clouds are in the sky"


def traced(make_model, cell: str, **more) -> tuple[lc.CharModel, lc.Trace]:
    model = make_model(cell, layers=2, **more)
    return model, lc.trace(model, TEXT)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("layer", "step"), [(0, 0), (0, 7), (1, 0), (1, 24)])
def test_one_step_computed_anew_is_the_traces_own(make_model, cell, layer, step):
    model, trace = traced(make_model, cell)
    held = evaluation(model, trace, layer, step)
    for name, values in held.signals().items():
        assert values.dtype == np.float64
        assert values == pytest.approx(trace[name][layer, step], abs=2e-6)
        assert held.term(model.cell[name].equation) == pytest.approx(values, abs=2e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_many_steps_at_once_are_each_of_them_and_torch_gives_the_same(make_model, cell):
    model, trace = traced(make_model, cell)
    at = np.array([0, 3, 24])
    many = evaluation(model, trace, 1, at)
    tensors = {v: torch.from_numpy(values) for v, values in many.vectors.items()}
    blocks = {name: torch.from_numpy(b) for name, b in many.blocks.items()}
    for s in model.cell.signals:
        found = many.term(s.equation)
        assert found.shape == (3, 16)
        for k, step in enumerate(at):
            assert found[k] == pytest.approx(evaluation(model, trace, 1, int(step)).term(s.equation), abs=1e-14)
        in_torch = Evaluation(model.cell, tensors, blocks, TORCH).term(s.equation)
        assert in_torch.numpy() == pytest.approx(found, abs=1e-14)


def test_a_term_is_written_out_by_hand(make_model):
    model, trace = traced(make_model, "peephole")
    held = evaluation(model, trace, 0, 4)
    kept = trace["forget"][0, 4].astype(np.float64) * trace["cell"][0, 3]
    assert np.array_equal(held.term(signal("forget") * C_prev), kept)
    weight = model.rnn.weight_peephole_l0.detach().numpy().astype(np.float64)[model.cell.diagonals.index("o") * 16 :][:16]
    squashed = 1 / (1 + np.exp(-weight * trace["cell"][0, 4]))
    assert held.term(1 - sigmoid(diagonal("o") * signal("cell"))) == pytest.approx(1 - squashed, abs=1e-15)
    assert np.array_equal(held.over({C_prev: np.zeros(16)}).term(signal("forget") * C_prev), np.zeros(16))
    with pytest.raises(KeyError, match="no values are given for .*reset"):
        held.term(signal("reset") * h_prev)


def test_x_is_the_character_below_and_h_above(make_model):
    model, trace = traced(make_model, "lstm")
    first = evaluation(model, trace, 0, 3).vectors[x]
    assert first.sum() == 1 and first[model.vocabulary.index(TEXT[3])] == 1
    assert np.array_equal(evaluation(model, trace, 1, 3).vectors[x], trace["hidden"][0, 3])


def test_an_embedded_character_is_its_vector(make_model):
    model, trace = traced(make_model, "gru", embedding=5)
    expected = model.embedding.weight[model.vocabulary.index("h")].detach().numpy()
    assert evaluation(model, trace, 0, 1).vectors[x] == pytest.approx(expected)


def test_a_reading_that_goes_on_begins_where_the_last_one_ended(make_model):
    model, trace = traced(make_model, "lstm")
    more = lc.trace(model, "abc", state=trace.final)
    assert np.array_equal(evaluation(model, more, 1, 0).vectors[C_prev], trace["cell"][1, -1])


@pytest.mark.parametrize("cell", CELLS)
def test_the_signals_with_weights_are_those_whose_equation_has_a_matrix(cell):
    declared = lc.cell(cell)
    assert declared.weighed == tuple(n for n in declared.names if declared[n].equation.affines)


def test_without_biases_there_are_none(make_model):
    model, trace = traced(make_model, "lstm")
    held = evaluation(model, trace, 0, 0)
    assert np.array_equal(held.rows("ih", "f")[1], model.rnn.bias_ih_l0.detach().numpy()[16:32])
    assert held.without_biases().rows("ih", "f")[1] is None
    assert held.without_biases().term(signal("forget")) is held.vectors[signal("forget")]


def test_another_models_trace_and_a_place_that_is_not_there_are_refused(make_model):
    model, trace = traced(make_model, "lstm")
    with pytest.raises(ValueError, match="the trace is of 2 x 16 LSTM, but unnamed is 1 x 16 LSTM"):
        evaluation(make_model("lstm"), trace, 0, 0)
    with pytest.raises(ValueError, match="there is no step 25; the trace has steps 0 to 24"):
        evaluation(model, trace, 0, 25)
