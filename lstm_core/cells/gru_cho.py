"""The GRU of the paper, with biases: the reset comes before the product, and z keeps the old."""

from lstm_core.formula import Cell, Signal, affine, h_prev, sigmoid, signal, tanh, x
from lstm_core.words import N_

z, r, n = map(signal, ("update", "reset", "candidate"))

GRU_CHO = Cell(
    name="gru_cho",
    title=N_("GRU (Cho et al.)"),
    source=N_("Cho et al. 2014, with biases; Keras's GRU with reset_after=False, ONNX's with linear_before_reset=0"),
    rows=("r", "z", "n"),
    signals=(
        Signal("update", "z", N_("update gate"), sigmoid(affine("z", h_prev, x)), (0, 1)),
        Signal("reset", "r", N_("reset gate"), sigmoid(affine("r", h_prev, x)), (0, 1)),
        Signal(
            "candidate", r"\tilde{h}", "candidate", tanh(affine("n", r * h_prev, x, symbol="")), (-1, 1), ("r × h′", "tanh")
        ),
        Signal("hidden", "h", N_("hidden state"), (1 - z) * n + z * h_prev, (-1, 1), ("(1−z) ×", "+ z × h′", "=")),
    ),
    note=N_("z near 1 keeps the old; the reset comes before the product. The essay's GRU has z the other way round."),
)
