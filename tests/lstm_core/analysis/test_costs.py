import pytest

import lstm_core as lc
from lstm_core.analysis.costs import cost, milliseconds

UNITS, VOCAB = 16, 27
GATES = {"rnn": 0, "lstm": 3, "coupled": 3, "gru": 3, "gru_pytorch": 3, "gru_cho": 3, "peephole": 6, "peephole_full": 3}


@pytest.mark.parametrize("cell", lc.cells())
@pytest.mark.parametrize(("layers", "embedding"), [(1, None), (3, None), (2, 5)])
def test_every_weight_of_a_matrix_multiplies_once_a_character_but_the_one_hot_input(make_model, cell, layers, embedding):
    model = make_model(cell, UNITS, layers, embedding=embedding)
    weights = {name: p for name, p in model.rnn.named_parameters() if p.dim() == 2}
    if embedding is None:
        del weights["weight_ih_l0"]
    wanted = sum(p.numel() for p in weights.values()) + model.head.weight.numel()
    assert cost(model).products == wanted


@pytest.mark.parametrize("cell", GATES)
def test_the_products_of_the_equations_are_counted_once_a_unit_and_layer(make_model, cell):
    assert cost(make_model(cell, UNITS, 2)).pointwise == GATES[cell] * UNITS * 2


def test_an_lstm_by_hand(make_model):
    found = cost(make_model("lstm", UNITS))
    assert found.equations == 6
    assert found.parameters == 4 * UNITS * (VOCAB + UNITS + 2) + VOCAB * (UNITS + 1)
    assert found.multiplications == 4 * UNITS * UNITS + VOCAB * UNITS + 3 * UNITS


def test_parameters_are_what_the_file_holds():
    for info in lc.models():
        model = lc.load(info.name)
        assert cost(model).parameters == sum(v.numel() for v in model.state_dict().values())


def test_the_clock_gives_a_median_a_model_after_each_round(make_model):
    models = [make_model("rnn", 4), make_model("lstm", 64)]
    rounds = list(milliseconds(models, "a quiet evening " * 20, runs=5))
    assert len(rounds) == 5 and all(len(medians) == 2 for medians in rounds)
    assert all(0 < took < 10 for took in rounds[-1])
