"""The LSTM whose forget and input gates are coupled: what is forgotten makes room for what is written."""

from lstm_core.formula import UNBOUNDED, C_prev, Cell, Signal, affine, h_prev, sigmoid, signal, tanh, x
from lstm_core.words import N_

f, i, g, C, o = map(signal, ("forget", "input", "candidate", "cell", "output"))

COUPLED = Cell(
    name="coupled",
    title=N_("coupled LSTM"),
    source=N_("Greff et al. 2015 (CIFG); the essay's coupled forget and input gates"),
    rows=("f", "g", "o"),
    signals=(
        Signal("forget", "f", N_("forget gate"), sigmoid(affine("f", h_prev, x)), (0, 1), ("×",)),
        Signal("input", "i", N_("input gate"), 1 - f, (0, 1), ("+",)),
        Signal("candidate", r"\tilde{C}", N_("candidate"), tanh(affine("g", h_prev, x, symbol="C")), (-1, 1), ("×",)),
        Signal("cell", "C", N_("cell state"), f * C_prev + i * g, UNBOUNDED),
        Signal("output", "o", N_("output gate"), sigmoid(affine("o", h_prev, x)), (0, 1), ("= C", "tanh", "×")),
        Signal("hidden", "h", N_("hidden state"), o * tanh(C), (-1, 1), ("=",)),
    ),
    drawn=("cell", "forget", "input", "candidate", "output", "hidden"),
    note=N_("The input gate is 1 − f: it is shown, but has no weights of its own."),
)
