"""Keras's files: Keras 3 itself as the judge; Keras 1 and 2 written by hand from their layouts, with their equations beside."""

from __future__ import annotations

import io
import json
import os
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core import convert
from lstm_core.convert import ConvertError, Draft, keras_file
from lstm_core.convert import hdf5 as hdf5_file
from tests.examples import examples
from tests.lstm_core.convert.conftest import damaged

if TYPE_CHECKING:
    import keras
    from keras import layers

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
    pytest.mark.usefixtures("hdf5_in_this_process"),
]
ALPHABET = " abcdefghij"
SIZE = len(ALPHABET)  # as many units as inputs: a missed transpose keeps its shape
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
REAL = SHARED / "checkpoints" / "keras2_lstm120_shakespeare" / "shakespeare.h5"
IDS = np.random.default_rng(0).integers(0, SIZE, 24)
Stack = Callable[[], list]


def probabilities(draft: Draft, ids: np.ndarray = IDS) -> np.ndarray:
    model = draft.model(ALPHABET)
    t = lc.trace(model, "".join(ALPHABET[k] for k in ids))
    assert lc.certify(model, t).holds
    return t.probs


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# Keras 3 as the judge


@pytest.fixture(scope="module", autouse=True)
def _load_keras() -> None:
    """Keras is imported when its first test runs: it takes seconds, and collecting needs none of it."""
    global keras, layers
    os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        import keras
        from keras import layers
    except ImportError:
        if "CI" in os.environ:
            raise
        pytest.skip("keras is not installed (tests/requirements.txt)")


def judged(stack: list, embedding: int | None = None, activation: str | None = "softmax") -> keras.Model:
    """A model with random weights, biases among them."""
    before = [] if embedding is None else [layers.Embedding(SIZE, embedding)]
    shape = (None, SIZE) if embedding is None else (None,)
    model = keras.Sequential([keras.Input(shape), *before, *stack, layers.Dense(SIZE, activation=activation)])
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(0, 0.7, w.shape) for w in model.get_weights()])
    return model


def saved(model: keras.Model, ending: str, folder: Path) -> bytes:
    path = folder / f"model{ending}"
    (model.save_weights if ending == ".weights.h5" else model.save)(path)
    return path.read_bytes()


def expected(model: keras.Model, one_hot: bool, logits: bool = False) -> np.ndarray:
    with torch.no_grad():
        x = np.eye(SIZE, dtype="f4")[IDS] if one_hot else IDS
        y = keras.ops.convert_to_numpy(model(x[None]))[0]
    return softmax(y) if logits else y


def again(stack: list) -> list:
    """Every layer hands on what it makes at each step."""
    for each in stack:
        if isinstance(each, layers.RNN):
            each.return_sequences = True
    return stack


STACKS: dict[str, tuple[Stack, str]] = {
    "LSTM": (lambda: [layers.LSTM(SIZE)], "lstm"),
    "LSTM, hard sigmoid": (lambda: [layers.LSTM(SIZE, recurrent_activation="hard_sigmoid")], "lstm"),
    "LSTM, relu": (lambda: [layers.LSTM(SIZE, activation="relu")], "lstm"),
    "LSTM, no bias": (lambda: [layers.LSTM(SIZE, use_bias=False)], "lstm"),
    "three LSTMs": (lambda: [layers.LSTM(7), layers.Dropout(0.5), layers.LSTM(7, dropout=0.1), layers.LSTM(7)], "lstm"),
    "GRU": (lambda: [layers.GRU(SIZE)], "gru_pytorch"),
    "GRU, reset before": (lambda: [layers.GRU(SIZE, reset_after=False)], "gru_cho"),
    "GRU, hard sigmoid": (lambda: [layers.GRU(SIZE, recurrent_activation="hard_sigmoid", reset_after=False)], "gru_cho"),
    "two GRUs, no bias": (lambda: [layers.GRU(5, use_bias=False), layers.GRU(5)], "gru_pytorch"),
    "two GRUs, one without bias, reset before": (
        lambda: [layers.GRU(5, reset_after=False, use_bias=False), layers.GRU(5, reset_after=False)], "gru_cho",
    ),
    "SimpleRNN": (lambda: [layers.SimpleRNN(SIZE)], "rnn"),
    "RNN of an LSTMCell": (lambda: [layers.RNN(layers.LSTMCell(SIZE))], "lstm"),
}  # fmt: skip


@pytest.mark.parametrize(
    "stack, ending, embedding",
    # How a file is laid out has nothing to do with its layers: each stack with each input and each ending, not with all pairs.
    [(stack, *each) for k, stack in enumerate(STACKS) for each in zip((".keras", ".h5"), (None, 4) if k % 2 else (4, None))],
)
def test_keras_3_is_read_as_keras_computes_it(tmp_path: Path, stack: str, ending: str, embedding: int | None) -> None:
    make, cell = STACKS[stack]
    model = judged(again(make()), embedding)
    draft = convert.read(saved(model, ending, tmp_path), f"model{ending}")
    assert (draft.cell.name, draft.embedding, draft.size) == (cell, embedding, SIZE)
    assert ("hard_sigmoid_keras3" in dict(draft.cell.functions).values()) == ("hard" in stack)
    np.testing.assert_allclose(probabilities(draft), expected(model, embedding is None), rtol=0, atol=1e-5)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_graphs_in_one_line_and_other_heads(tmp_path: Path, ending: str) -> None:
    x = keras.Input((None,))
    h = layers.Embedding(SIZE, 6, name="table")(x)
    for k in range(2):
        h = layers.LSTM(8, return_sequences=True, name=f"cells_{2 - k}")(h)
    y = layers.Activation("softmax")(layers.TimeDistributed(layers.Dense(SIZE))(h))
    model = keras.Model(x, y)
    generator = np.random.default_rng(2)
    model.set_weights([generator.normal(0, 0.7, w.shape) for w in model.get_weights()])
    draft = convert.read(saved(model, ending, tmp_path), f"model{ending}")
    np.testing.assert_allclose(probabilities(draft), expected(model, False), rtol=0, atol=1e-5)
    assert any("softmax" in sentence for sentence in draft.ignored)


def test_a_head_without_softmax(tmp_path: Path) -> None:
    model = judged(again([layers.GRU(6)]), activation=None)
    draft = convert.read(saved(model, ".keras", tmp_path), "model.keras")
    np.testing.assert_allclose(probabilities(draft), expected(model, True, logits=True), rtol=0, atol=1e-5)


def test_the_optimiser_is_set_aside(tmp_path: Path) -> None:
    for ending in (".keras", ".h5"):
        model = judged(again([layers.LSTM(SIZE)]))
        model.compile("adam", "categorical_crossentropy")
        one_hot = np.eye(SIZE, dtype="f4")[IDS][None]
        model.fit(one_hot, one_hot, verbose=0)
        draft = convert.read(saved(model, ending, tmp_path), f"model{ending}")
        np.testing.assert_allclose(probabilities(draft), expected(model, True), rtol=0, atol=1e-5)
        assert any("optimizer" in sentence and "training" in sentence for sentence in draft.ignored)


def test_what_was_detected_is_said(tmp_path: Path) -> None:
    stack = [layers.GRU(7, reset_after=False, recurrent_activation="hard_sigmoid", name="memory"), layers.Dropout(0.2)]
    draft = convert.read(saved(judged(again(stack), 4), ".keras", tmp_path), "model.keras")
    detected = dict(draft.detected)
    assert draft.source == "Keras 3 archive (.keras)"
    assert detected["cell"] == "GRU (Cho et al.) with hard sigmoid clip(x/6 + 0.5), from “memory”"
    assert detected["layers"] == "1 × 7 units"
    assert detected["GRU form"].startswith("the reset comes before the product, z near 1 keeps the old")
    assert detected["activations"] == "hard sigmoid clip(x/6 + 0.5) for the gates, tanh for the rest"
    assert (detected["input"], detected["biases"]) == (f"embedding, {SIZE} × 4", "one a layer")
    assert sorted(sentence.partition(" (")[2].partition(")")[0] for sentence in draft.ignored) == ["Dropout", "InputLayer"]


def test_the_judge_can_tell_the_conventions_apart(tmp_path: Path) -> None:
    """The same weights under other words: each gives other probabilities, so that agreeing means something."""
    model = judged(again([layers.LSTM(SIZE, recurrent_activation="hard_sigmoid")]))
    data = saved(model, ".keras", tmp_path)
    right = expected(model, True)
    for old, new in ((b'"recurrent_activation": "hard_sigmoid"', b'"recurrent_activation": "sigmoid"'), (b'"3.', b'"2.')):
        other = repacked(data, {name: content.replace(old, new) for name, content in members(data).items()})
        assert np.abs(probabilities(convert.read(other, "model.keras")) - right).max() > 1e-3
    turned = convert.read(data, "model.keras")
    turned.parameters["rnn.weight_hh_l0"][:] = np.concatenate(
        [block.T for block in np.split(turned.parameters["rnn.weight_hh_l0"], 4)]
    )
    assert np.abs(probabilities(turned) - right).max() > 1e-3


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(data: bytes, contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_weights_alone_need_the_models_json(tmp_path: Path) -> None:
    model = judged(
        again([layers.LSTM(SIZE, recurrent_activation="hard_sigmoid"), layers.LSTM(SIZE, recurrent_activation="hard_sigmoid")])
    )
    weights = saved(model, ".weights.h5", tmp_path)
    draft = convert.read(
        weights, "model.weights.h5", {"text.txt": b"\xff", "list.json": b"[1]", "model.json": model.to_json().encode()}
    )
    np.testing.assert_allclose(probabilities(draft), expected(model, True), rtol=0, atol=1e-5)
    with pytest.raises(ConvertError, match=r"holds weights alone.*model.to_json"):
        convert.read(weights, "model.weights.h5")


@pytest.mark.parametrize(
    "stack, sentence",
    [
        (lambda: [layers.Bidirectional(layers.LSTM(4, return_sequences=True))], "“bidirectional.*” .* is bidirectional"),
        (lambda: [layers.LSTM(4, return_sequences=True, go_backwards=True)], "reads backwards"),
        (lambda: [layers.LSTM(4, return_sequences=True), layers.LayerNormalization()], "layer normalisation"),
        (lambda: [layers.LSTM(4, return_sequences=True), layers.BatchNormalization()], "batch normalisation"),
        (lambda: [layers.Conv1D(4, 3), layers.LSTM(4, return_sequences=True)], "convolutional"),
        (lambda: [layers.LSTM(4, return_sequences=True), layers.Dense(9, "relu")], "ends in 'relu'"),
        (lambda: [layers.LSTM(4, return_sequences=True), layers.Dense(9)], "single dense layer"),
        (lambda: [layers.Dense(9), layers.LSTM(4, return_sequences=True)], "single dense layer"),
        (lambda: [layers.LSTM(4, return_sequences=True), layers.LSTM(5, return_sequences=True)], "layers of different sizes"),
        (lambda: [layers.LSTM(4, return_sequences=True), layers.GRU(4, return_sequences=True)], "layers of different cells"),
        (lambda: [layers.LSTM(4, return_sequences=True), layers.Activation("relu")], "applies 'relu' between the layers"),
        (lambda: [layers.LSTM(4, return_sequences=True, activation="elu")], "applies 'elu' for its candidate"),
        (lambda: [layers.RNN([layers.LSTMCell(4), layers.LSTMCell(4)], return_sequences=True)], "can't be read at its place"),
        (lambda: [layers.LSTM(4, return_sequences=True), layers.MultiHeadAttention(1, 4)], "attention"),
        (lambda: [layers.Reshape((-1, SIZE))], "can't be read at its place"),
        (list, "single dense layer"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(tmp_path: Path, stack: Stack, sentence: str) -> None:
    if "attention" in sentence:
        x = keras.Input((None, SIZE))
        h = layers.LSTM(4, return_sequences=True)(x)
        model = keras.Model(x, layers.Dense(SIZE)(layers.MultiHeadAttention(1, 4)(h, h)))
        sentence = "branches or joins|attention"
    else:
        model = judged(stack())
    with pytest.raises(ConvertError, match=sentence):
        convert.read(saved(model, ".keras", tmp_path), "model.keras")


def test_graphs_that_branch_and_numbers_instead_of_characters_are_refused(tmp_path: Path) -> None:
    x = keras.Input((None, SIZE))
    h = layers.LSTM(4, return_sequences=True)(x)
    branched = keras.Model(x, layers.Dense(SIZE)(layers.Concatenate()([h, layers.LSTM(4, return_sequences=True)(h)])))
    y = keras.Input((None, 1))
    numbers = keras.Model(y, layers.Dense(SIZE, "softmax")(layers.LSTM(4)(y)))
    for model, sentence in ((branched, "branches or joins"), (numbers, "reads each character as a single number")):
        with pytest.raises(ConvertError, match=sentence):
            convert.read(saved(model, ".keras", tmp_path), "model.keras")


# Keras 1 and 2, written by hand


def hdf5(
    config: object, version: str | None, arrays: dict[str, list[tuple[str, np.ndarray]]], root: str = "model_weights"
) -> bytes:
    """A file as Keras 1 and 2 wrote it: the configuration as an attribute, a group a layer, its arrays listed in order."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        group = file.create_group(root)
        for owner in (file, group):
            if version:
                owner.attrs["keras_version"] = version.encode()
        group.attrs["layer_names"] = [name.encode() for name in arrays]
        for name, weights in arrays.items():
            layer = group.create_group(name)
            layer.attrs["weight_names"] = [path.encode() for path, _ in weights]
            for path, array in weights:
                layer.create_dataset(path, data=array.astype("f4"))
    return buffer.getvalue()


def sequential(version: int, *described: tuple[str, dict]) -> dict:
    listed = [{"class_name": kind, "config": config} for kind, config in described]
    return {"class_name": "Sequential", "config": listed if version == 1 else {"name": "sequential_1", "layers": listed}}


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def hard_sigmoid(z: np.ndarray) -> np.ndarray:
    return np.clip(0.2 * z + 0.5, 0, 1)


class Weights:
    """Random kernels as Keras 2 names them, and a run of its equations in float64."""

    def __init__(self, gates: int, seed: int = 3, units: int = SIZE) -> None:
        draw = lambda *shape: np.random.default_rng(seed + sum(shape)).normal(0, 0.7, shape).astype("f4").astype(float)  # noqa: E731
        self.kernel, self.recurrent, self.bias = draw(SIZE, gates * units), draw(units, gates * units), draw(gates * units)
        self.head, self.head_bias, self.units = draw(units, SIZE), draw(SIZE), units

    def predict(self, step: Callable[..., tuple]) -> np.ndarray:
        h, c, found = np.zeros(self.units), np.zeros(self.units), []
        for k in IDS:
            h, c = step(self, np.eye(SIZE)[k], h, c)
            found.append(softmax(h @ self.head + self.head_bias))
        return np.array(found)

    def dense(self, name: str = "dense_1", kernel: str = "kernel:0", bias: str = "bias:0") -> list[tuple[str, np.ndarray]]:
        return [(f"{name}/{kernel}", self.head), (f"{name}/{bias}", self.head_bias)]


def lstm_step(squash: Callable) -> Callable[..., tuple]:
    def step(w: Weights, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple:
        i, f, g, o = np.split(x @ w.kernel + h @ w.recurrent + w.bias, 4)
        c = squash(f) * c + squash(i) * np.tanh(g)
        return squash(o) * np.tanh(c), c

    return step


def gru_step(squash: Callable) -> Callable[..., tuple]:
    """Keras 1 and 2 without reset_after: h = z h' + (1 - z) tanh(W x + U (r h'))."""

    def step(w: Weights, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple:
        (z_x, r_x, n_x), (u_z, u_r, u_n) = np.split(x @ w.kernel + w.bias, 3), np.split(w.recurrent, 3, axis=1)
        z, r = squash(z_x + h @ u_z), squash(r_x + h @ u_r)
        return z * h + (1 - z) * np.tanh(n_x + (r * h) @ u_n), c

    return step


def rnn_step(w: Weights, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple:
    return np.tanh(x @ w.kernel + h @ w.recurrent + w.bias), c


def test_keras_1_with_an_array_a_gate() -> None:
    """Keras 1 kept W, U and b of each gate apart: i, c, f, o for an LSTM, z, r, h for a GRU; dots in no names yet."""
    w = Weights(4)
    blocks = {gate: k for k, gate in enumerate("ifco")}
    arrays = [
        (f"lstm_1_{letter}_{gate}", np.split(whole, 4, axis=-1)[blocks[gate]])
        for gate in "icfo"
        for letter, whole in (("W", w.kernel), ("U", w.recurrent), ("b", w.bias))
    ]
    lstm = {
        "name": "lstm_1",
        "output_dim": SIZE,
        "activation": "tanh",
        "inner_activation": "hard_sigmoid",
        "return_sequences": True,
    }
    config = sequential(
        1,
        ("LSTM", lstm),
        ("TimeDistributedDense", {"name": "dense_1", "activation": "linear"}),
        ("Activation", {"name": "a", "activation": "softmax"}),
    )
    data = hdf5(config, None, {"lstm_1": arrays, "dense_1": w.dense(kernel="W", bias="b"), "a": []})
    draft = convert.read(data, "old.h5")
    assert draft.source == "Keras 1 HDF5, full model"
    np.testing.assert_allclose(probabilities(draft), w.predict(lstm_step(hard_sigmoid)), rtol=0, atol=1e-5)

    w = Weights(3)
    arrays = [
        (f"gru_1_{letter}_{gate}", np.split(whole, 3, axis=-1)[k])
        for k, gate in enumerate("zrh")
        for letter, whole in (("W", w.kernel), ("U", w.recurrent), ("b", w.bias))
    ]
    gru = {"name": "gru_1", "output_dim": SIZE, "activation": "tanh", "inner_activation": "hard_sigmoid"}
    config = sequential(1, ("GRU", gru), ("Dense", {"name": "dense_1", "activation": "softmax"}))
    data = hdf5(config, "1.2.2", {"gru_1": arrays, "dense_1": w.dense(kernel="W", bias="b")})
    np.testing.assert_allclose(
        probabilities(convert.read(data, "old.h5")), w.predict(gru_step(hard_sigmoid)), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("activation, squash", [("hard_sigmoid", hard_sigmoid), ("sigmoid", sigmoid)])
@pytest.mark.parametrize("kind, gates", [("LSTM", 4), ("GRU", 3), ("SimpleRNN", 1)])
def test_keras_2(kind: str, gates: int, activation: str, squash: Callable) -> None:
    w = Weights(gates)
    described = {"name": "cells", "units": SIZE, "activation": "tanh", "recurrent_activation": activation, "use_bias": True}
    described |= {"reset_after": False} if kind == "GRU" else {}
    arrays = [("cells/kernel:0", w.kernel), ("cells/recurrent_kernel:0", w.recurrent), ("cells/bias:0", w.bias)]
    config = sequential(2, (kind, described), ("Dense", {"name": "dense_1", "activation": "softmax"}))
    draft = convert.read(hdf5(config, "2.2.4", {"cells": arrays, "dense_1": w.dense()}), "model.h5")
    step = {"LSTM": lstm_step(squash), "GRU": gru_step(squash), "SimpleRNN": rnn_step}[kind]
    np.testing.assert_allclose(probabilities(draft), w.predict(step), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind, module", [("CuDNNLSTM", torch.nn.LSTM), ("CuDNNGRU", torch.nn.GRU)])
@pytest.mark.parametrize("units", [SIZE, 7])
def test_the_layouts_of_cudnn(kind: str, module: type[torch.nn.RNNBase], units: int) -> None:
    """Keras 2 kept a gate's (unit, input) matrix under the shape (input, unit); torch computes what cuDNN does."""
    torch.manual_seed(4)
    theirs, head = module(SIZE, units), torch.nn.Linear(units, SIZE)
    gates = len(theirs.weight_hh_l0) // units
    order = [0, 1, 2, 3] if gates == 4 else [1, 0, 2]  # torch's i, f, g, o is Keras's; its r, z, n is Keras's z, r, h

    def blocks(parameter: torch.Tensor) -> list[np.ndarray]:
        cut = [b.detach().numpy() for b in parameter.split(units)]
        return [cut[k] for k in order]

    def turned(kernel: np.ndarray) -> np.ndarray:
        """transpose_input of keras.engine.saving, from a plain (input, unit) kernel to cuDNN's."""
        return kernel.T.reshape(kernel.shape, order="C")

    kernel = np.hstack([turned(b.T) for b in blocks(theirs.weight_ih_l0)])
    recurrent = np.hstack([b.T.T for b in blocks(theirs.weight_hh_l0)])
    bias = np.concatenate(blocks(theirs.bias_ih_l0) + blocks(theirs.bias_hh_l0))
    arrays = [("c/kernel:0", kernel), ("c/recurrent_kernel:0", recurrent), ("c/bias:0", bias)]
    dense = [("d/kernel:0", head.weight.detach().numpy().T), ("d/bias:0", head.bias.detach().numpy())]
    config = sequential(2, (kind, {"name": "c", "units": units}), ("Dense", {"name": "d", "activation": "softmax"}))
    draft = convert.read(hdf5(config, "2.2.4-tf", {"c": arrays, "d": dense}), "cudnn.h5")
    with torch.no_grad():
        wanted = torch.softmax(head(theirs(torch.eye(SIZE)[IDS])[0]), -1).numpy()
    np.testing.assert_allclose(probabilities(draft), wanted, rtol=0, atol=1e-5)


def test_reset_after_of_keras_2_has_two_biases() -> None:
    """tf.keras 2's default GRU; its graph written as nested lists, its long list of names cut in two."""
    torch.manual_seed(5)
    theirs, head = torch.nn.GRU(SIZE, 6), torch.nn.Linear(6, SIZE)
    w_x, w_h, b_x, b_h = (
        np.concatenate([p.detach().numpy().reshape(3, 6, -1)[k] for k in (1, 0, 2)]) for p in theirs.parameters()
    )
    arrays = [
        ("gru/gru_cell/kernel:0", w_x.T),
        ("gru/gru_cell/recurrent_kernel:0", w_h.T),
        ("gru/gru_cell/bias:0", np.stack([b_x, b_h])[..., 0]),
    ]
    gru = {"name": "gru", "reset_after": True, "recurrent_activation": "sigmoid"}
    listed = [
        {
            "class_name": kind,
            "name": given["name"],
            "config": given,
            "inbound_nodes": [[[below, 0, 0, {}]]] if below else [],
        }
        for kind, given, below in (("InputLayer", {"name": "in"}, ""), ("Dense", DENSE_CONFIG, "gru"), ("GRU", gru, "in"))
    ]
    config = {"class_name": "Functional", "config": {"name": "model", "layers": listed}}
    dense = [("d/kernel:0", head.weight.detach().numpy().T), ("d/bias:0", head.bias.detach().numpy())]
    data = hdf5(config, "2.4.0", {"in": [], "gru": arrays, "dense_1": dense})
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        group = file["model_weights/gru"]
        names = list(group.attrs["weight_names"])
        del group.attrs["weight_names"]
        group.attrs["weight_names0"], group.attrs["weight_names1"] = names[:2], names[2:]
    draft = convert.read(buffer.getvalue(), "model.h5")
    with torch.no_grad():
        wanted = torch.softmax(head(theirs(torch.eye(SIZE)[IDS])[0]), -1).numpy()
    assert dict(draft.detected)["biases"] == "two a layer"
    np.testing.assert_allclose(probabilities(draft), wanted, rtol=0, atol=1e-5)


LSTM_CONFIG = {"name": "cells", "units": SIZE, "activation": "tanh", "recurrent_activation": "sigmoid"}
DENSE_CONFIG = {"name": "dense_1", "activation": "softmax"}


def changed(kernel: np.ndarray | None = None, drop: int = 0, config: object = None, version: str = "2.2.4") -> bytes:
    w = Weights(4)
    arrays = [("k", w.kernel if kernel is None else kernel), ("r", w.recurrent), ("b", w.bias)][drop:]
    described = sequential(2, ("LSTM", LSTM_CONFIG), ("Dense", DENSE_CONFIG)) if config is None else config
    return hdf5(described, version, {"cells": arrays, "dense_1": w.dense()})


@pytest.mark.parametrize(
    "data, sentence",
    [
        (lambda: changed(np.zeros((SIZE, 4 * SIZE - 1))), "does not fit 4 blocks"),
        (lambda: changed(np.zeros(5)), "no matrices"),
        (lambda: changed(np.full((SIZE, 4 * SIZE), np.nan)), "not finite"),
        (lambda: changed(drop=2), "has 1 arrays in the file"),
        (lambda: changed(version="0.3"), "versions 1, 2 and 3"),
        (lambda: changed(config={"class_name": "CharRNN", "config": {}}), "class of its own, 'CharRNN'"),
        (lambda: changed(config=[1]), "no JSON object"),
        (lambda: changed(config={"class_name": "Sequential", "config": [1]}), "described in a way that can't be read"),
        (lambda: changed(config=sequential(2, ("LSTM", LSTM_CONFIG))), "has no head"),
        (lambda: changed(config=sequential(2, ("Lambda", {"name": "l"}))), "code of its own, which is never run"),
        (lambda: changed(config=sequential(2, ("ConvLSTM2D", {"name": "l"}))), "convolutional"),
        (lambda: changed(config=sequential(2, ("Nonsense", {"name": "l"}))), r"“l” \('Nonsense'\) can't be read"),
    ],
)  # fmt: skip
def test_files_that_contradict_themselves_are_refused_in_a_sentence(data: Callable[[], bytes], sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence) as caught:
        convert.read(data(), "model.h5")
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)


def test_an_archive_without_its_config_and_a_bomb_are_refused(tmp_path: Path) -> None:
    data = saved(judged(again([layers.LSTM(3)])), ".keras", tmp_path)
    contents = members(data)
    with pytest.raises(ConvertError, match=r"without config.json"):
        convert.read(repacked(data, {"model.weights.h5": contents["model.weights.h5"]}), "model.keras")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content if name != "model.weights.h5" else bytes(80 << 20))
    with pytest.raises(ConvertError, match="unpacks to more than 64 MB"):
        convert.read(buffer.getvalue(), "model.keras")


# The real file

# What a text of 60 characters has: the play that it was trained on, line breaks as spaces, knows no $, 3, X and Z.
REAL_ALPHABET = " !&',-.:;?ABCDEFGHIJKLMNOPQRSTUVWYabcdefghijklmnopqrstuvwxyz"
PLAY = (
    "Over hill, over dale, Thorough bush, thorough brier, Over park, over pale, Thorough flood, thorough fire, I do wander"
    " everywhere, Swifter than the moon's sphere; And I serve the fairy queen, To dew her orbs upon the green."
)


def loss_in_windows(draft: Draft, text: str, window: int = 10) -> float:
    """Nats a character, each read after the ten before it from a zero state, as this model was trained."""
    model = draft.model(REAL_ALPHABET)
    ids = torch.from_numpy(model.vocabulary.ids(text))
    windows = torch.stack([ids[k : k + window] for k in range(len(ids) - window)], dim=1)
    with torch.no_grad():
        logits, _ = model(windows)
    return float(torch.nn.functional.cross_entropy(logits[-1], ids[window:]))


@pytest.mark.skipif(not REAL.is_file(), reason=f"the real file is not there: {REAL}")
def test_the_real_file_reads_and_with_its_own_hard_sigmoid_best() -> None:
    data = REAL.read_bytes()
    draft = convert.read(data, REAL.name)
    assert draft.cell.functions == (("sigmoid", "hard_sigmoid_keras2"),)
    assert (draft.units, draft.layers, draft.embedding, draft.size) == (120, 1, None, 60)
    loss = loss_in_windows(draft, PLAY)
    assert loss < 1.3  # uniform guessing: 4.09
    for other in ("hard_sigmoid_keras3", "sigmoid"):
        cell = lc.cell("lstm").with_functions({"sigmoid": other})
        assert loss_in_windows(replace(draft, cell=cell), PLAY) > loss + 0.03


# Damage


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Sequence[bytes]:
    model = judged(again([layers.GRU(3)]))
    return [saved(model, ending, tmp_path_factory.mktemp("whole")) for ending in (".keras", ".h5")]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["LSTM", "GRU", "Dense", "Model", "softmax"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["class_name", "config", "layers", "name", "inbound_nodes", "cell", "activation"]), inner
        )
    ),
    max_leaves=25,
)


@given(JSON, st.booleans())
@settings(max_examples=examples(100))
def test_any_description_of_layers_is_refused_or_read(given_config: object, in_line: bool) -> None:
    layers_given = given_config if isinstance(given_config, list) else [given_config]
    kind = "Functional" if in_line else "Sequential"
    for config in (given_config, {"class_name": kind, "config": {"layers": layers_given}}):
        contents = hdf5_file.Contents({}, {"": {"model_config": json.dumps(config)}}, ())
        with suppress(ConvertError):
            keras_file._Chain(keras_file._from_hdf5(contents, "model.h5", {})).draft()


@given(st.data())
@settings(max_examples=examples(8))  # each starts a process
def test_truncated_and_bit_flipped_files_are_refused_or_read(
    whole: Sequence[bytes], monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(hdf5_file, "subprocess", subprocess)
    with suppress(ConvertError):
        convert.read(data.draw(damaged(*whole)), "damaged")
