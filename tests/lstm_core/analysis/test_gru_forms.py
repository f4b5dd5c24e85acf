from dataclasses import replace

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.analysis import gru_forms
from lstm_core.formula import equation

TEXT = "the clouds are in the sky"
GRUS = [name for name, cell in lc.cells().items() if gru_forms.is_gru(cell)]
every_gru = pytest.mark.parametrize("cell", GRUS)


def read(make_model, cell, form, **more):
    model = make_model(cell, layers=2, **more)
    trace = lc.trace(model, TEXT)
    return trace, gru_forms.read_as(model, trace, form)


def equations(cell: lc.Cell) -> dict[str, str]:
    return {name: equation(cell, name, bias=False) for name in cell.names}


def test_which_cells_are_grus_and_what_they_hold():
    assert set(GRUS) == {"gru", "gru_cho", "gru_pytorch"}
    cells = lc.cells()
    assert [gru_forms.keeps_old(cells[n]) for n in ("gru", "gru_cho", "gru_pytorch")] == [False, True, True]
    assert [gru_forms.resets_before(cells[n]) for n in ("gru", "gru_cho", "gru_pytorch")] == [True, True, False]


@every_gru
def test_swapped_values_leave_h_as_it_is_and_turn_z(make_model, cell):
    trace, other = read(make_model, cell, gru_forms.z_swapped)
    assert other.furthest < 5e-6
    assert other.trace["update"] == pytest.approx(1 - trace["update"], abs=5e-6)
    assert other.after == pytest.approx(other.before, abs=1e-5)
    assert gru_forms.keeps_old(other.trace.cell) != gru_forms.keeps_old(trace.cell)


@every_gru
def test_a_new_name_alone_is_another_cell(make_model, cell):
    trace, other = read(make_model, cell, gru_forms.z_renamed)
    assert other.furthest > 0.1
    assert other.trace["update"][0, 0] == pytest.approx(trace["update"][0, 0], abs=2e-6)  # z itself was not touched
    assert gru_forms.keeps_old(other.trace.cell) != gru_forms.keeps_old(trace.cell)


@every_gru
def test_a_moved_reset_is_another_cell_and_nothing_else_changes(make_model, cell):
    trace, other = read(make_model, cell, gru_forms.reset_moved)
    assert other.furthest > 0.01
    assert gru_forms.resets_before(other.trace.cell) != gru_forms.resets_before(trace.cell)
    before, after = equations(trace.cell), equations(other.trace.cell)
    assert {name for name in before if before[name] != after[name]} == {"candidate"}
    h_apart = np.abs(other.trace["hidden"] - trace["hidden"]).max(axis=2)
    assert np.array_equal(other.apart, h_apart) and other.furthest == h_apart.max()


@every_gru
def test_twice_is_as_before(cell):
    declared = lc.cell(cell)
    for form in (gru_forms.z_renamed, gru_forms.reset_moved):
        assert equations(form(form(declared))) == equations(declared)


@every_gru
def test_an_open_reset_may_stand_on_either_side(make_model, cell):
    """With r = 1 the two forms are the same; and with one unit both are, but for the bias that r scales."""
    model = make_model(cell)
    if model.rnn.bias:
        with torch.no_grad():
            model.rnn.bias_ih_l0[:16] = 60  # rows r first
        trace = lc.trace(model, TEXT)
        assert gru_forms.read_as(model, trace, gru_forms.reset_moved).furthest < 5e-6
    single = make_model(cell, units=1, bias=False)
    assert gru_forms.read_as(single, lc.trace(single, TEXT), gru_forms.reset_moved).furthest < 5e-6


def test_the_moved_forms_are_the_declared_cells(make_model):
    """PyTorch's weights with the reset before the product are Cho's cell; z turned, the essay's."""
    cells = lc.cells()
    moved = equations(gru_forms.reset_moved(cells["gru_pytorch"]))
    assert moved == equations(cells["gru_cho"])
    assert equations(gru_forms.z_renamed(cells["gru_cho"])) == equations(cells["gru"])


def test_a_reading_that_goes_on_is_compared_from_the_same_state(make_model):
    model = make_model("gru")
    start = lc.trace(model, "the clouds ").final
    trace = lc.trace(model, "are", state=start)
    assert gru_forms.read_as(model, trace, gru_forms.z_swapped).furthest < 5e-6


def test_shipped_models_lose_by_the_reset_and_nothing_by_the_swap():
    for name in ("family-gru", "family-gru-pytorch"):
        model = lc.load(name)
        trace = lc.trace(model, "he went out of the room, and the prince looked at her with a smile.")
        moved, swapped = (gru_forms.read_as(model, trace, f) for f in (gru_forms.reset_moved, gru_forms.z_swapped))
        assert moved.after > moved.before + 1
        assert swapped.after == pytest.approx(swapped.before, abs=1e-5)


def test_what_is_no_gru_is_refused(make_model):
    model = make_model("lstm")
    for form in (gru_forms.z_swapped, gru_forms.reset_moved, gru_forms.keeps_old, gru_forms.resets_before):
        with pytest.raises(ValueError, match="LSTM is no GRU: it has forget, input"):
            form(model.cell)
    with pytest.raises(ValueError, match="unnamed is LSTM, and the trace is of another model"):
        gru_forms.read_as(model, lc.trace(make_model("gru"), TEXT), gru_forms.z_swapped)


def test_a_gru_of_another_form_is_refused():
    cell = lc.cell("gru")
    candidate = cell["candidate"]
    odd = replace(
        cell, signals=tuple(replace(s, equation=candidate.equation) if s.name == "hidden" else s for s in cell.signals)
    )
    with pytest.raises(ValueError, match="is not shared out between the old and the new"):
        gru_forms.keeps_old(odd)
