"""The LSTM whose gates look at the cell state: with one weight a unit, and with the essay's full matrices.

The forget and input gates look at C of the step before, the output gate at C of this step.
"""

from lstm_core.formula import (
    UNBOUNDED,
    C_prev,
    Cell,
    Expression,
    Signal,
    affine,
    diagonal,
    h_prev,
    sigmoid,
    signal,
    tanh,
    x,
)  # fmt: skip
from lstm_core.words import N_

f, i, g, C, o = map(signal, ("forget", "input", "candidate", "cell", "output"))


def _signals(gate_f: Expression, gate_i: Expression, gate_o: Expression) -> tuple[Signal, ...]:
    return (
        Signal("forget", "f", N_("forget gate"), sigmoid(gate_f), (0, 1), ("×",)),
        Signal("input", "i", N_("input gate"), sigmoid(gate_i), (0, 1), ("+",)),
        Signal("candidate", r"\tilde{C}", N_("candidate"), tanh(affine("g", h_prev, x, symbol="C")), (-1, 1), ("×",)),
        Signal("cell", "C", N_("cell state"), f * C_prev + i * g, UNBOUNDED),
        Signal("output", "o", N_("output gate"), sigmoid(gate_o), (0, 1), ("= C", "tanh", "×")),
        Signal("hidden", "h", N_("hidden state"), o * tanh(C), (-1, 1), ("=",)),
    )


DRAWN = ("cell", "forget", "input", "candidate", "output", "hidden")

PEEPHOLE = Cell(
    name="peephole",
    title=N_("peephole LSTM"),
    source=N_("Gers & Schmidhuber 2000; Greff et al. 2015"),
    rows=("i", "f", "g", "o"),
    signals=_signals(
        affine("f", h_prev, x) + diagonal("f") * C_prev,
        affine("i", h_prev, x) + diagonal("i") * C_prev,
        affine("o", h_prev, x) + diagonal("o") * C,
    ),
    drawn=DRAWN,
    note=N_("Each gate sees its own unit's cell state through one weight; the output gate sees the new C."),
)

PEEPHOLE_FULL = Cell(
    name="peephole_full",
    title=N_("peephole LSTM, full matrices"),
    source=N_("Olah 2015, the essay's peephole figure: matrices on [C, h, x]"),
    rows=("i", "f", "g", "o"),
    signals=_signals(affine("f", C_prev, h_prev, x), affine("i", C_prev, h_prev, x), affine("o", C, h_prev, x)),
    drawn=DRAWN,
    note=N_("Each gate sees every unit's cell state through a matrix; the output gate sees the new C."),
)
