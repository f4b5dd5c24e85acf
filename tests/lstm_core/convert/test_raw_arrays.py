"""TensorFlow 1's and char-rnn's arrays, held to their equations as their sources write them, in float64."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core import convert
from lstm_core.convert import ConvertError, Draft
from tests.examples import examples
from tests.lstm_core.convert.conftest import damaged

ALPHABET = " abcdefghij"
SIZE = len(ALPHABET)  # as many units as inputs: a missed transpose keeps its shape
IDS = np.random.default_rng(0).integers(0, SIZE, 24)
CELL = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/{}"
Step = Callable[[int, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).normal(0, 0.7, shape).astype(np.float32)


def npz(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def with_member(data: bytes, name: str, content: bytes) -> bytes:
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def probabilities(draft: Draft) -> np.ndarray:
    model = draft.model(ALPHABET)
    t = lc.trace(model, "".join(ALPHABET[k] for k in IDS))
    assert lc.certify(model, t).holds
    return t.probs


def predicted(steps: list[Step], units: int, head: np.ndarray, bias: np.ndarray, table: np.ndarray | None = None) -> np.ndarray:
    """The layers' own equations, one on another, and a softmax over head (unit, symbol)."""
    states = [(np.zeros(units), np.zeros(units)) for _ in steps]
    rows, found = np.eye(SIZE) if table is None else table, []
    for k in IDS:
        x = rows[k]
        for layer, step in enumerate(steps):
            states[layer] = step(layer, x, *states[layer])
            x = states[layer][0]
        e = np.exp(x @ head + bias)
        found.append(e / e.sum())
    return np.array(found)


def basic_lstm(kernels: list[np.ndarray], biases: list[np.ndarray], forget_bias: float = 1.0) -> Step:
    """BasicLSTMCell.call of TensorFlow 1.4: i, j, f, o = split(matmul([x, h], kernel) + bias, 4)."""

    def step(layer: int, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        i, j, f, o = np.split(np.concatenate([x, h]) @ kernels[layer] + biases[layer], 4)
        c = c * sigmoid(f + forget_bias) + sigmoid(i) * np.tanh(j)
        return np.tanh(c) * sigmoid(o), c

    return step


def stack(units: int, layers: int, inputs: int = SIZE, gates: int = 4) -> tuple[list[np.ndarray], list[np.ndarray]]:
    sizes = [inputs, *[units] * (layers - 1)]
    return [draw(n + units, gates * units, seed=k) for k, n in enumerate(sizes)], [
        draw(gates * units, seed=9 + k) for k in range(layers)
    ]


NAMES = {
    "TensorFlow 1.2 and later": (CELL, "kernel", "bias", "softmax_w", "softmax_b"),
    "TensorFlow 1.1": (f"rnnlm/{CELL}", "weights", "biases", "rnnlm/softmax_w", "rnnlm/softmax_b"),
    "TensorFlow 0.12": ("RNN/MultiRNNCell/Cell{}/BasicLSTMCell/Linear/{}", "Matrix", "Bias", "W", "b"),
    "written with colons": (CELL, "kernel:0", "bias:0", "dense/kernel:0", "dense/bias:0"),
    "written with dots": ("rnn.multi_rnn_cell.cell_{}.basic_lstm_cell.{}", "kernel", "bias", "dense.kernel", "dense.bias"),
}  # fmt: skip


@pytest.mark.parametrize("units, layers", [(SIZE, 1), (6, 3)])
@pytest.mark.parametrize("names", NAMES)
def test_basic_lstm_cells_under_tensorflows_names(names: str, units: int, layers: int) -> None:
    cell, kernel, bias, head, head_bias = NAMES[names]
    kernels, biases = stack(units, layers)
    arrays = {head: draw(units, SIZE), head_bias: draw(SIZE)}
    for k in reversed(range(layers)):
        arrays |= {cell.format(k, kernel): kernels[k], cell.format(k, bias): biases[k]}
    draft = convert.read(npz(**arrays), "weights.npz")
    assert (draft.cell.name, draft.units, draft.layers, draft.source) == (
        "lstm",
        units,
        layers,
        "TensorFlow 1, BasicLSTMCell (.npz)",
    )
    wanted = predicted([basic_lstm(kernels, biases)] * layers, units, draw(units, SIZE), draw(SIZE))
    np.testing.assert_allclose(probabilities(draft), wanted, rtol=0, atol=1e-5)
    assert dict(draft.detected)["forget bias"] == "1 is added to what is stored, the default, for the file does not say"


def test_the_optimisers_slots_are_set_aside_and_the_embedding_is_found() -> None:
    kernels, biases = stack(6, 2, 5)
    table, head, head_bias = draw(SIZE, 5, seed=1), draw(6, SIZE), draw(SIZE)
    arrays = {"rnnlm/embedding": table, "rnnlm/softmax_w": head, "rnnlm/softmax_b": head_bias}
    for k in range(2):
        arrays |= {CELL.format(k, "kernel"): kernels[k], CELL.format(k, "bias"): biases[k]}
    slots = {f"{name}/{slot}": array for name, array in arrays.items() for slot in ("Adam", "Adam_1")}
    more = {"beta1_power": np.float32(0.9), "global_step": np.int64(5), "chars": np.array(list(ALPHABET))}
    draft = convert.read(npz(**arrays, **slots, **more), "weights.npz")
    wanted = predicted([basic_lstm(kernels, biases)] * 2, 6, head, head_bias, table)
    np.testing.assert_allclose(probabilities(draft), wanted, rtol=0, atol=1e-5)
    assert draft.vocabulary is not None and "".join(draft.vocabulary.characters) == ALPHABET
    assert sum("training" in sentence for sentence in draft.ignored) == len(slots) + 2


@pytest.mark.parametrize("where", ["as a member", "as an array", "aside"])
@pytest.mark.parametrize("order, forget_bias", [("ijfo", 1.0), ("ifog", 0.0), ("ifco", 2.5)])
def test_a_manifest_names_order_forget_bias_arrays_and_vocabulary(order: str, forget_bias: float, where: str) -> None:
    (kernel,), (bias,) = stack(SIZE, 1)
    blocks = dict(zip("ijfo", range(4)))
    columns = [blocks["j" if gate in "gc" else gate] for gate in order]
    kernel_in_order = np.concatenate([np.split(kernel, 4, axis=1)[k] for k in columns], axis=1)
    bias_in_order = np.concatenate([np.split(bias, 4)[k] for k in columns])
    arrays = {"a": kernel_in_order, "b": bias_in_order, "c": draw(SIZE, SIZE), "d": draw(SIZE), "e": draw(3)}
    manifest = {
        "format": "tf1-basic-lstm", "order": order, "forget_bias": forget_bias, "layers": [{"kernel": "a", "bias": "b"}],
        "head": "c", "head_bias": "d", "vocabulary": ALPHABET,
    }  # fmt: skip
    text = json.dumps(manifest)
    if where == "as an array":
        draft = convert.read(npz(**arrays, manifest=np.array(text)), "weights.npz")
    elif where == "as a member":
        draft = convert.read(with_member(npz(**arrays), "manifest.json", text.encode()), "weights.npz")
    else:
        draft = convert.read(npz(**arrays), "weights.npz", {"notes.txt": b"{", "manifest.json": text.encode()})
    wanted = predicted([basic_lstm([kernel], [bias], forget_bias)], SIZE, draw(SIZE, SIZE), draw(SIZE))
    np.testing.assert_allclose(probabilities(draft), wanted, rtol=0, atol=1e-5)
    assert draft.vocabulary is not None and "".join(draft.vocabulary.characters) == ALPHABET
    assert dict(draft.detected)["forget bias"].endswith("as the manifest says")
    assert any(sentence.startswith("“e”") for sentence in draft.ignored)


def test_a_missing_forget_bias_and_another_order_show() -> None:
    (kernel,), (bias,) = stack(SIZE, 1)
    arrays = {CELL.format(0, "kernel"): kernel, CELL.format(0, "bias"): bias, "w": draw(SIZE, SIZE), "b": draw(SIZE)}
    right = probabilities(convert.read(npz(**arrays), "weights.npz"))
    for wrong in ({"forget_bias": 0.0}, {"order": "ifjo"}):
        other = convert.read(
            npz(**arrays), "weights.npz", {"manifest.json": json.dumps({"format": "tf1-basic-lstm"} | wrong).encode()}
        )
        assert np.abs(probabilities(other) - right).max() > 1e-3


@pytest.mark.parametrize("units", [SIZE, 6])
def test_the_gru_of_tensorflow_1(units: int) -> None:
    """GRUCell.call: r, u = split(sigmoid([x, h] gates)); c = tanh([x, r h] candidate); u h + (1 - u) c."""
    gates, candidate = draw(SIZE + units, 2 * units), draw(SIZE + units, units)
    gates_bias, candidate_bias = draw(2 * units), draw(units)
    arrays = {
        "rnn/gru_cell/gates/kernel": gates, "rnn/gru_cell/gates/bias": gates_bias,
        "rnn/gru_cell/candidate/kernel": candidate, "rnn/gru_cell/candidate/bias": candidate_bias,
        "dense/kernel": draw(units, SIZE, seed=1), "dense/bias": draw(SIZE, seed=1),
    }  # fmt: skip

    def step(layer: int, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r, u = np.split(sigmoid(np.concatenate([x, h]) @ gates + gates_bias), 2)
        new = np.tanh(np.concatenate([x, r * h]) @ candidate + candidate_bias)
        return u * h + (1 - u) * new, c

    draft = convert.read(npz(**arrays), "weights.npz")
    assert draft.cell.name == "gru_cho"
    wanted = predicted([step], units, arrays["dense/kernel"], arrays["dense/bias"])
    np.testing.assert_allclose(probabilities(draft), wanted, rtol=0, atol=1e-5)


def test_peepholes_and_plain_cells_of_tensorflow_1() -> None:
    (kernel,), (bias,) = stack(6, 1)
    looks = {f"w_{gate}_diag": draw(6, seed=ord(gate)) for gate in "fio"}
    ends = {"w": draw(6, SIZE), "b": draw(SIZE)}

    def peephole(layer: int, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        i, j, f, o = np.split(np.concatenate([x, h]) @ kernel + bias, 4)
        c_new = sigmoid(f + 1 + looks["w_f_diag"] * c) * c + sigmoid(i + looks["w_i_diag"] * c) * np.tanh(j)
        return sigmoid(o + looks["w_o_diag"] * c_new) * np.tanh(c_new), c_new

    arrays = {f"rnn/lstm_cell/{name}": array for name, array in ({"kernel": kernel, "bias": bias} | looks).items()}
    draft = convert.read(npz(**arrays, **ends), "weights.npz")
    assert draft.cell.name == "peephole"
    np.testing.assert_allclose(probabilities(draft), predicted([peephole], 6, *ends.values()), rtol=0, atol=1e-5)

    (kernel,), (bias,) = stack(6, 1, gates=1)

    def plain(layer: int, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.tanh(np.concatenate([x, h]) @ kernel + bias), c

    arrays = {"rnn/basic_rnn_cell/kernel": kernel, "rnn/basic_rnn_cell/bias": bias}
    draft = convert.read(npz(**arrays, **ends), "weights.npz")
    assert draft.cell.name == "rnn"
    np.testing.assert_allclose(probabilities(draft), predicted([plain], 6, *ends.values()), rtol=0, atol=1e-5)


@pytest.mark.parametrize("units, layers", [(SIZE, 1), (6, 3)])
@pytest.mark.parametrize("names", ["i2h_{}.weight", "lstm.{}.i2h_weight", "given"])
def test_char_rnn(names: str, units: int, layers: int) -> None:
    """LSTM.lua: all = i2h(x) + h2h(h), cut into in, forget and out gates and the in transform; nn.Linear keeps (out, in)."""
    sizes = [SIZE, *[units] * (layers - 1)]
    parts = [
        {
            "i2h": draw(4 * units, n, seed=k), "i2h_bias": draw(4 * units, seed=k),
            "h2h": draw(4 * units, units, seed=20 + k), "h2h_bias": draw(4 * units, seed=40 + k),
        }
        for k, n in enumerate(sizes)
    ]  # fmt: skip

    def step(layer: int, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = parts[layer]
        i, f, o, g = np.split(p["i2h"] @ x + p["i2h_bias"] + p["h2h"] @ h + p["h2h_bias"], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    decoder, bias = draw(SIZE, units, seed=3), draw(SIZE, seed=3)
    arrays = {"decoder.weight": decoder, "decoder.bias": bias}
    manifest: dict = {"format": "char-rnn-lstm", "layers": []}
    for k, p in enumerate(parts, 1):
        for part, array in p.items():
            weight = names.format(k).replace("i2h", part[:3])
            name = f"{k}-{part}" if names == "given" else weight.replace("weight", "bias") if "bias" in part else weight
            arrays[name] = array
        manifest["layers"].append({part: f"{k}-{part}" for part in p})
    aside = {"manifest.json": json.dumps(manifest).encode()} if names == "given" else {}
    draft = convert.read(npz(**arrays), "char-rnn.npz", aside)
    assert draft.source == "Torch7, char-rnn (.npz)"
    np.testing.assert_allclose(probabilities(draft), predicted([step] * layers, units, decoder.T, bias), rtol=0, atol=1e-5)
    assert dict(draft.detected)["biases"] == "two a layer"


# What is refused


def sound(**more: object) -> bytes:
    (kernel,), (bias,) = stack(6, 1)
    arrays: dict[str, object] = {CELL.format(0, "kernel"): kernel, CELL.format(0, "bias"): bias}
    return npz(**(arrays | {"w": draw(6, SIZE), "b": draw(SIZE)} | more))


def manifest(**keys: object) -> dict[str, bytes]:
    return {"manifest.json": json.dumps({"format": "tf1-basic-lstm"} | keys).encode()}


def claiming(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    return with_member(sound(), "huge.npy", content)


@pytest.mark.parametrize(
    "data, aside, sentence",
    [
        (lambda: npz(a=draw(3)), {}, "do not tell what they are: add a manifest"),
        (lambda: npz(**{"rnn/layer_norm_basic_lstm_cell/kernel": draw(3)}), {}, "layer-normalised"),
        (lambda: npz(**{"cudnn_lstm/opaque_kernel": draw(3)}), {}, "opaque weights"),
        (lambda: sound(o=np.array([object()], dtype=object)), {}, "never unpickled"),
        (lambda: claiming("(1000000, 1000000, 1000)"), {}, "not as many numbers as its shape"),
        (lambda: claiming("(-1,)"), {}, "not as many numbers as its shape"),
        (lambda: claiming("__import__('os').getpid()"), {}, "no plain array that NumPy writes"),
        (lambda: claiming("(" * 500), {}, "no plain array that NumPy writes"),
        (lambda: sound(w2=draw(6, SIZE)), {}, r"“w”, “w2” would fit 6 units\): name it in a manifest"),
        (lambda: sound(b2=draw(SIZE)), {}, "could both be the head's bias"),
        (lambda: sound(w=draw(5, SIZE)), {}, "the head can't be told"),
        (lambda: sound(**{CELL.format(0, "bias"): draw(23)}), {}, "can't be cut into 4 gates"),
        (lambda: sound(**{CELL.format(0, "bias"): draw(20)}), {}, "does not fit 4 blocks"),
        (lambda: sound(**{CELL.format(0, "kernel"): draw(5, 24)}), {}, "leaves no rows for the input"),
        (lambda: sound(**{CELL.format(0, "kernel"): draw(24)}), {}, "must have 2 axes"),
        (lambda: sound(**{CELL.format(1, "bias"): draw(24)}), {}, "layer 2 has no kernel"),
        (lambda: npz(**{"rnn/lstm_cell/projection/kernel": draw(3, 3)}), {}, "is a projection"),
        (sound, manifest(order="ijf"), "must be the letters i, f, o and j"),
        (sound, manifest(order=7), "must be the letters i, f, o and j"),
        (sound, manifest(forget_bias="one"), "must be a number of usual size, not 'one'"),
        (sound, manifest(forget_bias=float("nan")), "must be a number of usual size, not 'nan'"),
        (sound, manifest(forget_bias=10**400), "must be a number of usual size"),
        (sound, manifest(format="keras"), "must be one of tf1-basic-lstm"),
        (sound, manifest(colour="red"), "'colour', which means nothing here"),
        (sound, manifest(layers=[]), "must be a list with an object"),
        (sound, manifest(layers=[{"kernel": "nowhere"}]), "names 'nowhere' as kernel"),
        (sound, manifest(layers=[{"weights": "w"}]), "has 'weights'; it may have kernel"),
        (sound, manifest(head="nowhere"), "names 'nowhere' as the head"),
        (lambda: with_member(sound(), "manifest.json", b"[1]"), {}, "must be a JSON object"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(data: Callable[[], bytes], aside: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence) as caught:
        convert.read(data(), "weights.npz", aside)
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)


def test_a_zip_bomb_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(3):
            archive.writestr(f"{k}.npy", bytes(30 << 20))
    with pytest.raises(ConvertError, match="unpacks to more than 64 MB"):
        convert.read(buffer.getvalue(), "weights.npz")


@given(st.data())
@settings(max_examples=examples(150))
def test_truncated_and_bit_flipped_files_are_refused_or_read(data: st.DataObject) -> None:
    with suppress(ConvertError):
        convert.read(data.draw(damaged(sound())), "damaged")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["format", "order", "forget_bias", "layers", "embedding", "head", "head_bias", "vocabulary", "kernel"]
                ),
                inner,
            )
        ),
    )
)
def test_any_manifest_is_refused_or_read(given_manifest: object) -> None:
    with suppress(ConvertError):
        convert.read(sound(), "weights.npz", {"manifest.json": json.dumps(given_manifest).encode()})
