"""The plain recurrent network: one tanh layer."""

from lstm_core.formula import Cell, Signal, affine, h_prev, tanh, x
from lstm_core.words import N_

RNN = Cell(
    name="rnn",
    title=N_("RNN"),
    source=N_("Elman 1990; PyTorch's nn.RNN"),
    rows=("h",),
    signals=(Signal("hidden", "h", N_("hidden state"), tanh(affine("h", h_prev, x, symbol="")), (-1, 1)),),
    kernel="rnn_tanh",
    biases=2,
    note=N_("One tanh layer; no gates."),
)
