"""The declarations: what they refuse, and what is read off them."""

from __future__ import annotations

import pytest

from lstm_core.cells import cells
from lstm_core.formula import (
    Cell,
    Signal,
    Vector,
    affine,
    diagonal,
    equation,
    h_prev,
    sigmoid,
    signal,
    source_of,
    tanh,
    terms,
    x,
)

every_cell = pytest.mark.parametrize("cell", cells().values(), ids=list(cells()))


def declared(*signals: Signal, rows: tuple[str, ...] = ("a", "h"), **more: object) -> Cell:
    return Cell("probe", "probe", "no paper", rows, signals, **more)  # type: ignore[arg-type]


def hidden(expression) -> Signal:
    return Signal("hidden", "h", "hidden state", expression, (-1, 1))


def gate(expression) -> Signal:
    return Signal("gate", "g", "gate", expression, (0, 1))


H = tanh(affine("h", h_prev, x))


@pytest.mark.parametrize(
    "signals, rows, more, message",
    [
        ([hidden(signal("gate") * H)], ("h",), {}, "'hidden' reads 'gate' before it is declared"),
        ([hidden(Vector("cell", True) * H)], ("h",), {}, "reads the previous 'cell', never declared"),
        ([hidden(H)], ("a",), {}, "uses rows 'h', not in"),
        ([gate(sigmoid(affine("h", x)))], ("h",), {}, "declares no signal 'hidden'"),
        ([hidden(H)], ("h",), {"drawn": ("hidden", "cell")}, "drawn .* are not its signals"),
        ([hidden(H), hidden(H)], ("h",), {}, "declares 'hidden' twice"),
        ([hidden(tanh(affine("h", h_prev, h_prev * h_prev, x)))], ("h",), {}, "lets the rows 'h' read x, hidden or cell more"),
        ([hidden(tanh(affine("h", h_prev)))], ("h",), {}, "never reads the input x"),
        ([hidden(H * x)], ("h",), {}, r"'hidden' reads x outside an affine map; .* write affine\(rows, x\)"),
        ([hidden(H), gate(x)], ("h",), {}, "'gate' reads x outside an affine map"),
        ([hidden(affine("h", h_prev, 1 - x))], ("h",), {}, "'hidden' gives the rows 'h' something made of x"),
        ([hidden(H * affine("a", affine("a", x)))], ("a", "h"), {}, "'hidden' gives the rows 'a' something made of x"),
        ([hidden(H + affine("a"))], ("a", "h"), {}, "'hidden' applies the rows 'a' to nothing"),
        ([hidden(H), gate(affine("a", diagonal("h")))], ("a", "h"), {}, "'gate' applies the rows 'a' to what they can't read"),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(signals, rows, more, message) -> None:
    with pytest.raises(ValueError, match=rf"cell 'probe'.*{message}"):
        declared(*signals, rows=rows, **more)


def test_formulas_know_one_minus_a_gate_only() -> None:
    with pytest.raises(ValueError, match="1 - gate only, not 2 - gate"):
        2 - signal("gate")


def test_an_affine_map_reads_x_hidden_or_cell() -> None:
    assert [source_of(v) for v in (x, h_prev, signal("reset") * h_prev, Vector("cell", True))] == ["ih", "hh", "hh", "ch"]
    with pytest.raises(ValueError, match="reads x, hidden or cell, not .*reset"):
        source_of(signal("reset"))


def test_an_unknown_signal_is_refused_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="has no signal 'gate'; it has hidden"):
        cells()["rnn"]["gate"]


@pytest.mark.parametrize(
    "cell, name, latex",
    [
        ("lstm", "forget", r"f_{t} = \sigma\left(W_{f} \cdot [h_{t-1}, x_t] + b_{f}\right)"),
        ("lstm", "candidate", r"\tilde{C}_{t} = \tanh\left(W_{C} \cdot [h_{t-1}, x_t] + b_{C}\right)"),
        ("lstm", "cell", r"C_{t} = f_{t} * C_{t-1} + i_{t} * \tilde{C}_{t}"),
        ("lstm", "hidden", r"h_{t} = o_{t} * \tanh\left(C_{t}\right)"),
        ("coupled", "input", r"i_{t} = 1 - f_{t}"),
        ("gru", "update", r"z_{t} = \sigma\left(W_{z} \cdot [h_{t-1}, x_t]\right)"),
        ("gru", "candidate", r"\tilde{h}_{t} = \tanh\left(W \cdot [r_{t} * h_{t-1}, x_t]\right)"),
        ("gru", "hidden", r"h_{t} = (1 - z_{t}) * h_{t-1} + z_{t} * \tilde{h}_{t}"),
        ("gru_pytorch", "hidden", r"h_{t} = (1 - z_{t}) * \tilde{h}_{t} + z_{t} * h_{t-1}"),
        ("peephole_full", "output", r"o_{t} = \sigma\left(W_{o} \cdot [C_{t}, h_{t-1}, x_t] + b_{o}\right)"),
    ],
)
def test_equations_are_the_essays(cell: str, name: str, latex: str) -> None:
    assert equation(cells()[cell], name) == latex


@pytest.mark.parametrize(
    "expression, latex",
    [
        ((1 - signal("gate")) * signal("gate"), r"(1 - g_{t}) * g_{t}"),
        ((signal("gate") + h_prev) * h_prev, r"\left(g_{t} + h_{t-1}\right) * h_{t-1}"),
        (1 - (signal("gate") + h_prev), r"1 - \left(g_{t} + h_{t-1}\right)"),
    ],
)
def test_latex_keeps_sums_together(expression, latex) -> None:
    gate = Signal("gate", "g", "gate", sigmoid(affine("a", x)), (0, 1))
    assert equation(declared(gate, hidden(expression)), "hidden") == f"h_{{t}} = {latex}"


@every_cell
def test_a_gate_is_what_a_sigmoid_or_its_complement_gives(cell: Cell) -> None:
    squashed = {s.name for s in cell.signals if s.is_gate}
    assert squashed == {"forget", "input", "output", "update", "reset"} & set(cell.names)


@every_cell
def test_states_are_what_the_next_step_reads(cell: Cell) -> None:
    assert cell.states == (("hidden", "cell") if "cell" in cell.names else ("hidden",))


@every_cell
def test_every_cell_names_its_paper_and_every_signal_its_letter(cell: Cell) -> None:
    assert cell.source and cell.title and cell.note
    assert all(s.symbol and s.title for s in cell.signals)
    assert len({s.symbol for s in cell.signals}) == len(cell.signals)


def test_drawn_order_is_the_essays() -> None:
    assert cells()["lstm"].order == ("cell", "forget", "input", "candidate", "output", "hidden")
    assert cells()["gru"].order == cells()["gru_pytorch"].order == ("update", "reset", "candidate", "hidden")
    assert cells()["rnn"].order == ("hidden",)


def test_terms_of_the_cell_state_are_what_was_kept_and_what_was_written() -> None:
    lstm = cells()["lstm"]
    assert terms(lstm["cell"].equation) == (signal("forget") * Vector("cell", True), signal("input") * signal("candidate"))


def test_which_gates_wait_for_the_step_before() -> None:
    waiting = {name: [s for s in cell.names if cell.waits(s)] for name, cell in cells().items()}
    assert waiting["rnn"] == []
    assert waiting["lstm"] == ["cell", "hidden"]
    assert waiting["peephole"] == ["forget", "input", "cell", "output", "hidden"]
    assert waiting["gru"] == ["candidate", "hidden"]


def test_peepholes_are_one_weight_a_unit() -> None:
    shapes = cells()["peephole"].parameter_shapes(5, 4)
    assert shapes["weight_peephole"] == (12,)
    assert cells()["peephole"].diagonals == ("i", "f", "o")
    assert cells()["peephole_full"].parameter_shapes(5, 4)["weight_ch"] == (12, 4)
    assert diagonal("f").children == ()
