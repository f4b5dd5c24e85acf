"""The LSTM's gates out of the kernel that torch runs anyway: oneDNN keeps them in its training workspace.

The workspace's layout is not documented, so nothing is believed: the cell state is computed anew from the gates found
there and compared with the kernel's own last state and output. Where they differ, or the kernel is not to be had,
`lstm_steps` returns None and the caller runs the equations step by step.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

LSTM_MODE = 2  # torch's number for an LSTM in mkldnn_rnn_layer
GATES = ("input", "forget", "candidate", "output")  # the order of PyTorch's rows
TOLERANCE = 1e-4
SHORTEST = 2  # one step from a zero state says nothing of the forget gate: its place could not be checked


def lstm_steps(parameters: Mapping[str, Tensor], x: Tensor, initial: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """Every signal of one LSTM layer at every step: name -> float32 (time, unit), or None when the kernel gave no gates.

    parameters: one layer's, float32, on the CPU. x: (time, input). initial: "hidden" and "cell", (unit,) each.
    """
    if len(x) < SHORTEST or x.dtype != torch.float32:
        return None
    units = initial["hidden"].shape[0]
    weight_ih, weight_hh = parameters["weight_ih"], parameters["weight_hh"]
    none = torch.zeros(4 * units)
    biases = (parameters.get("bias_ih", none), parameters.get("bias_hh", none))
    x = x.contiguous()  # the kernel does not heed strides
    h0, c0 = (torch.from_numpy(np.array(initial[name], np.float32))[None] for name in ("hidden", "cell"))
    try:
        with torch.enable_grad():  # without it the kernel keeps no workspace
            hidden, _, last_c, workspace = torch.ops.aten.mkldnn_rnn_layer(
                x[:, None], weight_ih, weight_hh, *biases, h0, c0, False, [], LSTM_MODE, units, 1, True, False, False, True
            )
    except (RuntimeError, AttributeError):  # torch was built without oneDNN, or it does not run on this processor
        return None
    gates = None if workspace is None else _gates(workspace, x.shape[0], units)
    if gates is None:
        return None
    signals = dict(zip(GATES, gates)) | {"hidden": hidden[:, 0].numpy()}
    signals["cell"] = _cell_states(signals, c0[0].numpy())
    return signals if _agree(signals, last_c.numpy()) else None


def _gates(workspace: Tensor, length: int, units: int) -> list[np.ndarray] | None:
    """The four gates as views of the workspace: one row a step, padded to cache lines and off powers of two."""
    width = -(-4 * units // 16) * 16
    width += 16 if width % 256 == 0 else 0
    flat = workspace.reshape(-1).view(torch.uint8).numpy()
    if flat.size < length * width * 4:
        return None
    rows = flat[: length * width * 4].view(np.float32).reshape(length, width)
    return [rows[:, k * units : (k + 1) * units] for k in range(4)]


def _cell_states(signals: Mapping[str, np.ndarray], before: np.ndarray) -> np.ndarray:
    """C_t = f_t * C_{t-1} + i_t * C~_t over all steps."""
    states = signals["input"] * signals["candidate"]
    kept, multiply, add = np.empty_like(before), np.multiply, np.add
    for forget, now in zip(signals["forget"], states):
        multiply(forget, before, kept)
        add(now, kept, now)
        before = now
    return states


def _agree(signals: Mapping[str, np.ndarray], last_c: np.ndarray) -> bool:
    """The last C that follows from the gates is the kernel's own, and each h is o * tanh(C)."""
    hidden = signals["output"] * np.tanh(signals["cell"])
    scale = max(1.0, float(np.abs(last_c).max()))
    return bool(
        np.abs(signals["cell"][-1] - last_c).max() <= TOLERANCE * scale
        and np.abs(hidden - signals["hidden"]).max() <= TOLERANCE
    )
