import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.analysis import one_step
from lstm_core.formula import Affine, Vector, x

CELLS = tuple(lc.cells())
TEXT = "the clouds are in the sky"


def traced(make_model, cell: str, **more) -> tuple[lc.CharModel, lc.Trace]:
    model = make_model(cell, layers=2, **more)
    return model, lc.trace(model, TEXT)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("layer", "step"), [(0, 0), (0, 7), (1, 0), (1, 24)])
def test_one_step_computed_anew_is_the_traces_own(make_model, cell, layer, step):
    model, trace = traced(make_model, cell)
    held = one_step.vectors(model, trace, layer, step)
    blocks = one_step.weights(model, layer)
    for name, values in one_step.signals(model.cell, blocks, held).items():
        assert values == pytest.approx(trace[name][layer, step], abs=2e-6)
        assert one_step.evaluate(model.cell[name].equation, blocks, held) == pytest.approx(values, abs=2e-6)


def test_x_is_the_character_below_and_h_above(make_model):
    model, trace = traced(make_model, "lstm")
    first = one_step.vectors(model, trace, 0, 3)[x]
    assert first.sum() == 1 and first[model.vocabulary.index(TEXT[3])] == 1
    assert np.array_equal(one_step.vectors(model, trace, 1, 3)[x], trace["hidden"][0, 3])


def test_an_embedded_character_is_its_vector(make_model):
    model, trace = traced(make_model, "gru", embedding=5)
    expected = model.embedding.weight[model.vocabulary.index("h")].detach().numpy()
    assert one_step.vectors(model, trace, 0, 1)[x] == pytest.approx(expected)


def test_a_reading_that_goes_on_begins_where_the_last_one_ended(make_model):
    model, trace = traced(make_model, "lstm")
    more = lc.trace(model, "abc", state=trace.final)
    assert np.array_equal(one_step.vectors(model, more, 1, 0)[Vector("cell", True)], trace["cell"][1, -1])


@pytest.mark.parametrize("cell", CELLS)
def test_the_signals_with_weights_are_those_whose_equation_has_a_matrix(cell):
    declared = lc.cell(cell)
    has = tuple(n for n in declared.names if any(isinstance(node, Affine) for node in declared[n].equation.walk()))
    assert one_step.weighed(declared) == has


def test_without_biases_there_are_none(make_model):
    model, _ = traced(make_model, "lstm")
    assert all(b is None for gates in one_step.weights(model, 0, bias=False).values() for _, b in gates.values())
    assert all(w.dtype == torch.float64 for gates in one_step.weights(model, 0).values() for w, _ in gates.values())


def test_another_models_trace_and_a_place_that_is_not_there_are_refused(make_model):
    model, trace = traced(make_model, "lstm")
    with pytest.raises(ValueError, match="the trace is of 2 x 16 LSTM, but unnamed is 1 x 16 LSTM"):
        one_step.vectors(make_model("lstm"), trace, 0, 0)
    with pytest.raises(ValueError, match="there is no step 25; the trace has steps 0 to 24"):
        one_step.vectors(model, trace, 0, 25)
