"""The LSTM with forget gate, as in the essay and in PyTorch."""

from lstm_core.formula import UNBOUNDED, C_prev, Cell, Signal, affine, h_prev, sigmoid, signal, tanh, x
from lstm_core.words import N_

f, i, g, C, o = map(signal, ("forget", "input", "candidate", "cell", "output"))

LSTM = Cell(
    name="lstm",
    title=N_("LSTM"),
    source=N_("Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000"),
    rows=("i", "f", "g", "o"),
    signals=(
        Signal("forget", "f", N_("forget gate"), sigmoid(affine("f", h_prev, x)), (0, 1), ("×",)),
        Signal("input", "i", N_("input gate"), sigmoid(affine("i", h_prev, x)), (0, 1), ("+",)),
        Signal("candidate", r"\tilde{C}", N_("candidate"), tanh(affine("g", h_prev, x, symbol="C")), (-1, 1), ("×",)),
        Signal("cell", "C", N_("cell state"), f * C_prev + i * g, UNBOUNDED),
        Signal("output", "o", N_("output gate"), sigmoid(affine("o", h_prev, x)), (0, 1), ("= C", "tanh", "×")),
        Signal("hidden", "h", N_("hidden state"), o * tanh(C), (-1, 1), ("=",)),
    ),
    drawn=("cell", "forget", "input", "candidate", "output", "hidden"),
    kernel="lstm",
    biases=2,
    note=N_("f near 1 keeps the cell state, i near 1 writes to it."),
)
