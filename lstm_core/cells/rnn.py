"""The plain recurrent network: one tanh layer."""

from lstm_core.formula import Cell, Signal, affine, h_prev, tanh, x

RNN = Cell(
    name="rnn",
    title="RNN",
    source="Elman 1990; PyTorch's nn.RNN",
    rows=("h",),
    signals=(Signal("hidden", "h", "hidden state", tanh(affine("h", h_prev, x, symbol="")), (-1, 1)),),
    kernel="rnn_tanh",
    biases=2,
    note="One tanh layer; no gates.",
)
