"""onnxruntime as the outside judge: it computes the cells that torch has no kernel for, from the same weights.

ONNX stacks LSTM rows as i, o, f, c and GRU rows as z, r, h; peepholes stand as i, o, f. Its coupled gates give
f = 1 - i, ours i = 1 - f: since 1 - sigmoid(a) = sigmoid(-a), our forget rows, negated, are its input rows. Its GRU keeps the
old with z, the essay's lets the new in: the z rows, negated, are the other's.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

import lstm_core as lc

try:
    import onnxruntime
    from onnx import TensorProto, helper
except ImportError:
    if "CI" in os.environ:
        raise
    pytest.skip("onnx and onnxruntime are not installed (tests/requirements.txt)", allow_module_level=True)

make = Callable[..., lc.CharModel]
TEXT = "the heated debates attest that he hated the death"
SIZES = pytest.mark.parametrize("units", [1, 5, 7, 16], ids="{} units".format)  # 7: as many units as inputs, a square
ALPHABET = " abdeht"
ZERO = ("zeros",)


class Weights:
    """One layer's weights of a trace's model, cut into the row blocks of its declaration."""

    def __init__(self, model: lc.CharModel) -> None:
        self.units = model.units
        self.blocks = model.rnn.blocks(0)

    def stack(self, source: str, *rows: str | tuple[str]) -> np.ndarray:
        """(1, rows x unit, columns): weights in ONNX's order; "-f" is f negated."""
        return np.concatenate([self.block(source, r, 0) for r in rows])[None]

    def biases(self, *rows: str | tuple[str]) -> np.ndarray:
        """(1, 2 x rows x unit): the input's biases, then the recurrent ones, zeros where there are none."""
        return np.concatenate([self.block(source, r, 1) for source in ("ih", "hh") for r in rows])[None]

    def block(self, source: str, rows: str | tuple[str], part: int) -> np.ndarray:
        if rows == ZERO:
            return np.zeros_like(self.block(source, next(iter(self.blocks[source])), part))
        name, sign = rows.removeprefix("-"), -1 if rows.startswith("-") else 1
        tensor = self.blocks[source][name][part]
        return np.zeros(self.units, np.float32) if tensor is None else sign * tensor.detach().numpy()


def judged(model: lc.CharModel, t: lc.Trace, kind: str, rows: tuple, peepholes: bool = False, **attributes: object) -> dict:
    """What onnxruntime computes from the same weights, inputs and initial states: h of all steps, and the last states."""
    weights, is_lstm = Weights(model), kind == "LSTM"
    feeds = {
        "X": np.eye(len(model.vocabulary), dtype=np.float32)[t.ids][:, None],
        "W": weights.stack("ih", *rows),
        "R": weights.stack("hh", *rows),
        "B": weights.biases(*rows),
        "initial_h": t.initial["hidden"][:1][None],
    }
    names = ["X", "W", "R", "B", "", "initial_h"]
    if is_lstm:
        feeds["initial_c"] = t.initial["cell"][:1][None]
        names.append("initial_c")
    if peepholes:
        feeds["P"] = weights.stack("peephole", "i", "o", "f")
        names.append("P")
    outputs = ["Y", "Y_h", "Y_c"] if is_lstm else ["Y", "Y_h"]
    node = helper.make_node(kind, names, outputs, hidden_size=model.units, **attributes)
    graph = helper.make_graph(
        [node],
        "judge",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, v.shape) for n, v in feeds.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
    )
    judge = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    session = onnxruntime.InferenceSession(judge.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip(outputs, session.run(None, feeds), strict=True))


def agree(model: lc.CharModel, kind: str, rows: tuple, **attributes: object) -> None:
    generator = np.random.default_rng(1)
    shape = (1, model.units)
    start = lc.State({n: generator.uniform(-1, 1, shape).astype(np.float32) for n in model.cell.states})
    t = lc.trace(model, TEXT, start)
    found = judged(model, t, kind, rows, **attributes)
    np.testing.assert_allclose(t["hidden"][0], found["Y"][:, 0, 0], rtol=0, atol=1e-5)
    for name, output in zip(model.cell.states, ("Y_h", "Y_c")):
        np.testing.assert_allclose(t.final[name], found[output][0], rtol=1e-5, atol=1e-5)


@SIZES
def test_lstm(make_model: make, units: int) -> None:
    agree(make_model("lstm", units, vocabulary=ALPHABET), "LSTM", ("i", "o", "f", "g"))


@SIZES
def test_lstm_with_peepholes(make_model: make, units: int) -> None:
    agree(make_model("peephole", units, vocabulary=ALPHABET), "LSTM", ("i", "o", "f", "g"), peepholes=True)


@SIZES
def test_lstm_with_coupled_gates(make_model: make, units: int) -> None:
    rows = ("-f", "o", ZERO, "g")
    agree(make_model("coupled", units, vocabulary=ALPHABET), "LSTM", rows, input_forget=1)


@SIZES
def test_the_essays_gru(make_model: make, units: int) -> None:
    agree(make_model("gru", units, vocabulary=ALPHABET), "GRU", ("-z", "r", "n"), linear_before_reset=0)


@SIZES
def test_the_papers_gru(make_model: make, units: int) -> None:
    agree(make_model("gru_cho", units, vocabulary=ALPHABET), "GRU", ("z", "r", "n"), linear_before_reset=0)


HARD = [("hard_sigmoid_keras2", 0.2), ("hard_sigmoid_keras3", 1 / 6)]


@pytest.mark.parametrize("function, slope", HARD)
@pytest.mark.parametrize("cell, kind, rows", [
    ("lstm", "LSTM", ("i", "o", "f", "g")), ("gru_cho", "GRU", ("z", "r", "n")), ("gru_pytorch", "GRU", ("z", "r", "n")),
])  # fmt: skip
def test_hard_sigmoids(make_model: make, cell: str, kind: str, rows: tuple, function: str, slope: float) -> None:
    model = make_model(cell, 7, vocabulary=ALPHABET, functions={"sigmoid": function})
    activations = ["HardSigmoid", "Tanh", "Tanh"][: 3 if kind == "LSTM" else 2]
    alphas, betas = [slope, 1.0, 1.0][: len(activations)], [0.5, 1.0, 1.0][: len(activations)]
    more = {} if kind == "LSTM" else {"linear_before_reset": int(cell == "gru_pytorch")}
    agree(model, kind, rows, activations=activations, activation_alpha=alphas, activation_beta=betas, **more)


@pytest.mark.parametrize("function, theirs", [("relu", "Relu"), ("linear", "Affine")])
def test_other_functions_in_tanhs_place(make_model: make, function: str, theirs: str) -> None:
    model = make_model("lstm", 7, vocabulary=ALPHABET, spread=0.5, functions={"tanh": function})
    more = {"activation_alpha": [1.0] * 3, "activation_beta": [0.0] * 3} if theirs == "Affine" else {}
    agree(model, "LSTM", ("i", "o", "f", "g"), activations=["Sigmoid", theirs, theirs], **more)


@SIZES
def test_pytorchs_gru(make_model: make, units: int) -> None:
    agree(make_model("gru_pytorch", units, vocabulary=ALPHABET), "GRU", ("z", "r", "n"), linear_before_reset=1)


@SIZES
def test_rnn(make_model: make, units: int) -> None:
    agree(make_model("rnn", units, vocabulary=ALPHABET), "RNN", ("h",))


@pytest.mark.parametrize(
    "cell, kind, rows, attributes",
    [
        ("peephole", "LSTM", ("i", "o", "f", "g"), {}),  # without its peepholes
        ("coupled", "LSTM", ("f", "o", ZERO, "g"), {"input_forget": 1}),  # i taken for f
        ("gru", "GRU", ("-z", "r", "n"), {"linear_before_reset": 1}),  # the reset after the product
        ("gru", "GRU", ("z", "r", "n"), {"linear_before_reset": 0}),  # z the other way round
        ("gru_pytorch", "GRU", ("z", "r", "n"), {"linear_before_reset": 0}),
        ("gru_cho", "GRU", ("z", "r", "n"), {"linear_before_reset": 1}),
        ("gru_cho", "GRU", ("-z", "r", "n"), {"linear_before_reset": 0}),
        ("gru_pytorch", "GRU", ("r", "z", "n"), {"linear_before_reset": 1}),  # rows in PyTorch's order
        ("lstm", "LSTM", ("i", "f", "g", "o"), {}),
    ],
)
def test_the_judge_can_tell_the_conventions_apart(
    make_model: make, cell: str, kind: str, rows: tuple, attributes: dict
) -> None:
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        agree(make_model(cell, 7, vocabulary=ALPHABET), kind, rows, **attributes)
