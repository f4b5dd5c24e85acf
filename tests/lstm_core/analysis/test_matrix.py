import numpy as np
import pytest

import lstm_core as lc
from lstm_core.analysis.matrix import row

TEXT = "the clouds are in the sky"
CELLS = tuple(lc.cells())


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("layer", "step", "unit"), [(0, 0, 0), (0, 9, 3), (1, 24, 15)])
def test_the_whole_is_the_sum_of_its_parts_and_with_the_biases_the_preactivation(make_model, cell, layer, step, unit):
    model = make_model(cell, layers=2)
    trace = lc.trace(model, TEXT)
    for name in model.cell.weighed:
        found = row(model, trace, layer, step, unit, name)
        assert found.together == pytest.approx(sum(piece.share for piece in found.pieces), abs=1e-12)
        split = found.line.preactivation
        if found.joined:
            others = sum(p.value for p in split.parts if p.label not in ("h", "x", "C") or "p_" in p.latex)
            assert found.together + others == pytest.approx(split.value, abs=1e-6)
        else:
            r, (x, h) = float(trace["reset"][layer, step, unit]), found.pieces
            biases = sum(p.value for p in split.parts if p.label == "bias")
            assert x.share + r * h.share + biases == pytest.approx(split.value, abs=1e-6)


def test_the_pieces_are_rows_of_the_models_own_parameters(make_model):
    model = make_model("lstm", units=6)
    found = row(model, lc.trace(model, TEXT), 0, 5, 2, "forget")
    h, x = found.pieces
    assert (h.label, x.label, found.letter, found.joined) == ("h", "x", "W_{f}", True)
    forget = 6 + 2  # PyTorch stacks i, f, g, o
    assert np.array_equal(h.weights, model.rnn.weight_hh_l0[forget].detach().double().numpy())
    assert np.array_equal(x.weights, model.rnn.weight_ih_l0[forget].detach().double().numpy())
    assert (found.units, found.width) == (6, 6 + len(model.vocabulary))


def test_what_stands_in_one_product_and_what_does_not(make_model):
    labels = {}
    for cell, name in (("peephole_full", "output"), ("gru", "candidate"), ("gru_pytorch", "candidate")):
        model = make_model(cell)
        found = row(model, lc.trace(model, TEXT), 0, 4, 1, name)
        labels[cell] = ([piece.latex for piece in found.pieces], found.joined)
    assert labels["peephole_full"] == (["C_{t}", "h_{t-1}", "x_t"], True)
    assert labels["gru"] == (["r_{t} * h_{t-1}", "x_t"], True)
    assert labels["gru_pytorch"] == (["x_t", "h_{t-1}"], False)


def test_a_signal_without_weights_is_refused(make_model):
    model = make_model("coupled")
    with pytest.raises(ValueError, match="input of coupled LSTM has no weights of its own; forget, candidate, output have"):
        row(model, lc.trace(model, TEXT), 0, 0, 0, "input")
