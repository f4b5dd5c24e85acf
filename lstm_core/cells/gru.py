"""The GRU as the essay writes it: the reset comes before the product, and z lets the new in."""

from lstm_core.formula import Cell, Signal, affine, h_prev, sigmoid, signal, tanh, x
from lstm_core.words import N_

z, r, n = map(signal, ("update", "reset", "candidate"))

GRU = Cell(
    name="gru",
    title=N_("GRU (the essay's)"),
    source=N_("Cho et al. 2014 in the notation of Olah 2015, without biases"),
    rows=("r", "z", "n"),
    signals=(
        Signal("update", "z", N_("update gate"), sigmoid(affine("z", h_prev, x)), (0, 1)),
        Signal("reset", "r", N_("reset gate"), sigmoid(affine("r", h_prev, x)), (0, 1)),
        Signal(
            "candidate", r"\tilde{h}", "candidate", tanh(affine("n", r * h_prev, x, symbol="")), (-1, 1), ("r × h′", "tanh")
        ),
        Signal("hidden", "h", N_("hidden state"), (1 - z) * h_prev + z * n, (-1, 1), ("z ×", "+ (1−z) × h′", "=")),
    ),
    biases=0,
    note=N_("z near 1 lets the new in; the reset comes before the product. Not the cell that PyTorch calls GRU."),
)
