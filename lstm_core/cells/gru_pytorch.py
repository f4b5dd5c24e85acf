"""The GRU of PyTorch and cuDNN: the reset comes after the product, and z keeps the old."""

from lstm_core.formula import Cell, Signal, affine, h_prev, sigmoid, signal, tanh, x
from lstm_core.words import N_

z, r, n = map(signal, ("update", "reset", "candidate"))

GRU_PYTORCH = Cell(
    name="gru_pytorch",
    title=N_("GRU (PyTorch's)"),
    source=N_("PyTorch's nn.GRU; Cho et al. 2014 with the reset after the product, as in cuDNN"),
    rows=("r", "z", "n"),
    signals=(
        Signal("update", "z", N_("update gate"), sigmoid(affine("z", h_prev, x)), (0, 1)),
        Signal("reset", "r", N_("reset gate"), sigmoid(affine("r", h_prev, x)), (0, 1)),
        Signal(
            "candidate",
            r"\tilde{h}",
            "candidate",
            tanh(affine("n", x, symbol="in") + r * affine("n", h_prev, symbol="hn")),
            (-1, 1),
            ("r × (W h′)", "tanh"),
        ),
        Signal("hidden", "h", N_("hidden state"), (1 - z) * n + z * h_prev, (-1, 1), ("(1−z) ×", "+ z × h′", "=")),
    ),
    kernel="gru",
    biases=2,
    note=N_("z near 1 keeps the old; the reset comes after the product. Not the essay's GRU."),
)
