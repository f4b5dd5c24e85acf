"""ONNX models: onnxruntime as the judge of every node, torch of what its own exporter writes."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import lstm_core as lc
from lstm_core import convert
from lstm_core.convert import ConvertError, Draft
from tests.examples import examples
from tests.lstm_core.convert.conftest import damaged

try:
    import onnxruntime
except ImportError:
    if "CI" in os.environ:
        raise
    pytest.skip("onnxruntime is not installed (tests/requirements.txt)", allow_module_level=True)

ALPHABET = " abcdefghij"
SIZE = len(ALPHABET)  # as many units as inputs: a missed transpose keeps its shape
IDS = np.random.default_rng(0).integers(0, SIZE, 24)
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def draw(*shape: int, scale: float = 0.7) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, scale, shape).astype(np.float32)


class Graph:
    """A graph made by hand: nodes and stored arrays in the order in which they are added."""

    def __init__(self) -> None:
        self.nodes: list = []
        self.stored: dict[str, np.ndarray] = {}

    def node(self, kind: str, *inputs: str, outputs: Sequence[str] = (), **attributes: object) -> str:
        made = list(outputs) or [f"{kind.lower()}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(kind, list(inputs), made, name=made[0], **attributes))
        return made[0]

    def array(self, name: str, value: np.ndarray) -> str:
        self.stored[name] = value
        return name

    def recurrent(self, kind: str, x: str, inputs: int, units: int, **more: object) -> str:
        """One node and the Squeeze that drops the axis of directions; `more` may hold P, no bias, and attributes."""
        k, rows = len(self.nodes), GATES[kind] * units
        names = [x, self.array(f"W{k}", draw(1, rows, inputs)), self.array(f"R{k}", draw(1, rows, units)), "", "", ""]
        if more.pop("bias", True):
            names[3] = self.array(f"B{k}", draw(1, 2 * rows))
        if more.pop("peepholes", False):
            names += ["", self.array(f"P{k}", draw(1, 3 * units))]
        y = self.node(kind, *names, outputs=[f"Y{k}", f"Y_h{k}"], hidden_size=units, **more)
        return self.node("Squeeze", y, self.array(f"axes{k}", np.array([2 if more.get("layout") else 1])))

    def model(self, *outputs: str, input_type: int = TensorProto.INT64, metadata: dict | None = None) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "by hand",
            [helper.make_tensor_value_info("x", input_type, None)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            [numpy_helper.from_array(value, name) for name, value in self.stored.items()],
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="by hand")
        helper.set_model_props(made, metadata or {})
        return made


def embedded(graph: Graph, width: int) -> str:
    """ids (time,) as (time, 1, width)."""
    rows = graph.node("Gather", graph.array("table", draw(SIZE, width)), "x")
    return graph.node("Unsqueeze", rows, graph.array("one", np.array([1])))


def one_hot(graph: Graph) -> str:
    values = graph.array("values", np.array([0, 1], np.float32))
    rows = graph.node("OneHot", "x", graph.array("depth", np.array(SIZE)), values, axis=-1)
    return graph.node("Unsqueeze", rows, graph.array("one", np.array([1])))


def dense(graph: Graph, h: str, units: int) -> str:
    product = graph.node("MatMul", h, graph.array("head", draw(units, SIZE)))
    return graph.node("Add", product, graph.array("head_bias", draw(SIZE)))


def probabilities(draft: Draft) -> np.ndarray:
    model = draft.model(ALPHABET)
    t = lc.trace(model, "".join(ALPHABET[k] for k in IDS))
    assert lc.certify(model, t).holds
    return t.probs


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def judged(model: onnx.ModelProto, output: str, feed: np.ndarray = IDS) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return softmax(session.run([output], {"x": feed})[0].reshape(len(IDS), SIZE))


def agree(kind: str, cell: str, units: int = SIZE, layers: int = 1, width: int | None = None, **more: object) -> Draft:
    graph = Graph()
    h = one_hot(graph) if width is None else embedded(graph, width)
    for layer in range(layers):
        h = graph.recurrent(kind, h, units if layer else width or SIZE, units, **dict(more))
    output = dense(graph, h, units)
    model = graph.model(output)
    draft = convert.read(model.SerializeToString(), "model.onnx")
    assert (draft.cell.name, draft.units, draft.layers, draft.embedding) == (cell, units, layers, width)
    np.testing.assert_allclose(probabilities(draft), judged(model, output), rtol=0, atol=1e-5)
    return draft


@pytest.mark.parametrize("units, layers, width", [(SIZE, 1, None), (SIZE, 3, None), (6, 2, 4), (1, 1, 1)])
@pytest.mark.parametrize(
    "kind, cell, more",
    [
        ("LSTM", "lstm", {}),
        ("LSTM", "lstm", {"bias": False}),
        ("LSTM", "peephole", {"peepholes": True}),
        ("LSTM", "coupled", {"input_forget": 1}),
        ("GRU", "gru_cho", {}),
        ("GRU", "gru_cho", {"linear_before_reset": 0, "bias": False}),
        ("GRU", "gru_pytorch", {"linear_before_reset": 1}),
        ("RNN", "rnn", {}),
    ],
)
def test_every_node_is_read_as_onnxruntime_computes_it(
    kind: str, cell: str, more: dict, units: int, layers: int, width: int | None
) -> None:
    agree(kind, cell, units, layers, width, **more)


HARD = {"activation_alpha": [0.2], "activation_beta": [0.5]}


@pytest.mark.parametrize(
    "kind, cell, more, functions",
    [
        ("LSTM", "lstm", {"activations": ["HardSigmoid", "Tanh", "Tanh"], **HARD}, {"sigmoid": "hard_sigmoid_keras2"}),
        ("LSTM", "lstm", {"activations": ["HardSigmoid", "Tanh", "Tanh"]}, {"sigmoid": "hard_sigmoid_keras2"}),
        ("LSTM", "coupled", {"activations": ["HardSigmoid", "Tanh", "Tanh"], "input_forget": 1},
         {"sigmoid": "hard_sigmoid_keras2"}),
        ("GRU", "gru_cho", {"activations": ["HardSigmoid", "Tanh"], "activation_alpha": [1 / 6], "activation_beta": [0.5]},
         {"sigmoid": "hard_sigmoid_keras3"}),
        ("GRU", "gru_pytorch", {"activations": ["Sigmoid", "Relu"], "linear_before_reset": 1}, {"tanh": "relu"}),
        ("RNN", "rnn", {"activations": ["Relu"]}, {"tanh": "relu"}),
        ("RNN", "rnn", {"activations": ["Affine"], "activation_alpha": [1.0], "activation_beta": [0.0]}, {"tanh": "linear"}),
    ],
)  # fmt: skip
def test_other_functions(kind: str, cell: str, more: dict, functions: dict) -> None:
    assert dict(agree(kind, cell, 5, **more).cell.functions) == functions


def test_the_judge_can_tell_the_conventions_apart() -> None:
    for kind, cell, one, other in (
        ("GRU", "gru_cho", {"linear_before_reset": 0}, {"linear_before_reset": 1}),
        ("LSTM", "lstm", {}, {"input_forget": 1}),
        ("LSTM", "lstm", {}, {"activations": ["HardSigmoid", "Tanh", "Tanh"]}),
    ):
        shown = probabilities(agree(kind, cell, **one))
        graph = Graph()
        output = dense(graph, graph.recurrent(kind, one_hot(graph), SIZE, SIZE, **other), SIZE)
        assert np.abs(judged(graph.model(output), output) - shown).max() > 1e-3


def test_heads_and_inputs_in_other_forms() -> None:
    """A Gemm, turned; a table applied to one-hot vectors that are given; layout 1; a softmax; last states as outputs too."""
    graph = Graph()
    rows = graph.node("MatMul", "x", graph.array("table", draw(SIZE, 4)))
    y = graph.recurrent("GRU", rows, 4, 6, linear_before_reset=1)
    flat = graph.node("Reshape", y, graph.array("shape", np.array([-1, 6])))
    out = graph.node(
        "Gemm", flat, graph.array("head", draw(SIZE, 6)), graph.array("b", draw(SIZE)), transB=1, alpha=0.5, beta=2.0
    )
    output = graph.node("Softmax", out, axis=-1)
    model = graph.model("Y_h1", output, input_type=TensorProto.FLOAT)
    draft = convert.read(model.SerializeToString(), "model.onnx")
    one_hots = np.eye(SIZE, dtype=np.float32)[IDS][:, None]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(probabilities(draft), session.run([output], {"x": one_hots})[0], rtol=0, atol=1e-5)
    assert any("Y_h1" in sentence for sentence in draft.ignored) and any("Softmax" in sentence for sentence in draft.ignored)


def test_weights_that_are_put_together_in_the_graph() -> None:
    """Some exporters keep a matrix a gate, and join, cut and turn them in front of the node."""
    graph = Graph()
    x = one_hot(graph)
    blocks = [graph.array(f"w{k}", draw(SIZE, 5) + k) for k in range(3)]
    joined = graph.node("Transpose", graph.node("Concat", *blocks, axis=1), perm=[1, 0])
    w = graph.node("Unsqueeze", joined, graph.array("zero", np.array([0])))
    long = graph.array("long", draw(1, 20, 5))
    r = graph.node("Slice", long, *(graph.array(n, np.array([v])) for n, v in (("from", 0), ("to", 15), ("axis", 1))))
    graph.nodes.append(helper.make_node("GRU", [x, w, r], ["Y"], hidden_size=5, name="cells"))
    h = graph.node("Squeeze", "Y", graph.array("second", np.array([1])))
    output = dense(graph, h, 5)
    model = graph.model(output)
    draft = convert.read(model.SerializeToString(), "model.onnx")
    np.testing.assert_allclose(probabilities(draft), judged(model, output), rtol=0, atol=1e-5)


def test_the_vocabulary_among_a_models_notes() -> None:
    graph = Graph()
    output = dense(graph, graph.recurrent("RNN", one_hot(graph), SIZE, 3), 3)
    for key, value in (("vocabulary", ALPHABET), ("itos", json.dumps(list(ALPHABET)))):
        draft = convert.read(graph.model(output, metadata={key: value}).SerializeToString(), "model.onnx")
        assert draft.vocabulary is not None and "".join(draft.vocabulary.characters) == ALPHABET


# What torch writes


class Network(torch.nn.Module):
    """A character model as people write it."""

    def __init__(self, kind: str, embedding: int | None, last: bool = False) -> None:
        super().__init__()
        self.table = None if embedding is None else torch.nn.Embedding(SIZE, embedding)
        self.cells = getattr(torch.nn, kind)(embedding or SIZE, 7, 2, batch_first=True)
        self.head, self.last = torch.nn.Linear(7, SIZE), last

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = torch.nn.functional.one_hot(ids, SIZE).float() if self.table is None else self.table(ids)
        y = self.cells(x)[0]
        return self.head(y[:, -1] if self.last else y)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("embedding", [None, 4])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_what_torch_exports(kind: str, embedding: int | None, last: bool) -> None:
    torch.manual_seed(0)
    network, buffer = Network(kind, embedding, last).eval(), io.BytesIO()
    ids = torch.from_numpy(IDS)[None]
    torch.onnx.export(network, (ids,), buffer, dynamo=False, opset_version=17)
    draft = convert.read(buffer.getvalue(), "torch.onnx")
    network.last = False
    with torch.no_grad():
        wanted = torch.softmax(network(ids)[0], -1).numpy()
    np.testing.assert_allclose(probabilities(draft), wanted, rtol=0, atol=1e-5)
    assert draft.source.startswith("ONNX, written by pytorch 2.")
    assert (draft.embedding, draft.layers, draft.units) == (embedding, 2, 7)


# What is refused


def with_node(**more: object) -> bytes:
    graph = Graph()
    kind = str(more.pop("kind", "LSTM"))
    output = dense(graph, graph.recurrent(kind, one_hot(graph), SIZE, 3, **more), 3)
    return graph.model(output).SerializeToString()


def with_more(then: Callable[[Graph, str], str]) -> bytes:
    graph = Graph()
    return graph.model(then(graph, graph.recurrent("LSTM", one_hot(graph), SIZE, 3))).SerializeToString()


def external() -> bytes:
    model = onnx.load_from_string(with_node())
    tensor = model.graph.initializer[3]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return model.SerializeToString()


def claiming(*dims: int) -> bytes:
    model = onnx.load_from_string(with_node())
    del model.graph.initializer[3].dims[:]
    model.graph.initializer[3].dims.extend(dims)
    return model.SerializeToString()


def circle() -> bytes:
    graph = Graph()
    graph.nodes += [
        helper.make_node("Identity", ["b"], ["a"]),
        helper.make_node("Identity", ["a"], ["b"]),
        helper.make_node("RNN", ["a", "w", "r"], ["Y"]),
    ]
    return graph.model("a").SerializeToString()


def doubling(size: int) -> bytes:
    """Each node joins the one before it with itself, a hundred times."""
    graph = Graph()
    w = graph.array("w", np.zeros((1, size, SIZE), np.float32))
    for _ in range(15):
        w = graph.node("Concat", *[w] * 100, axis=1)
    graph.nodes.append(helper.make_node("RNN", [one_hot(graph), w, graph.array("r", draw(1, 3, 3))], ["Y"]))
    return graph.model(dense(graph, "Y", 3)).SerializeToString()


def reading(x: Callable[[Graph], str]) -> bytes:
    graph = Graph()
    return graph.model(dense(graph, graph.recurrent("RNN", x(graph), SIZE, 3), 3)).SerializeToString()


@pytest.mark.parametrize(
    "data, sentence",
    [
        (lambda: with_node(direction="reverse"), "reads backwards"),
        (lambda: with_node(direction="bidirectional"), "is bidirectional"),
        (lambda: with_node(clip=3.0), "clips what goes into its functions at 3"),
        (lambda: with_node(peepholes=True, input_forget=1), "couples its gates"),
        (lambda: with_node(activations=["Sigmoid", "Tanh", "Relu"]), "Tanh to its candidate and Relu to its state"),
        (lambda: with_node(activations=["Sigmoid"]), "names 1 functions; a forward LSTM has 3"),
        (lambda: with_node(activations=["Softsign"] * 3), "applies 'Softsign'"),
        (lambda: with_node(activations=["HardSigmoid", "Tanh", "Tanh"], activation_alpha=[0.3]), "alpha 0.3 and beta 0.5"),
        (lambda: with_more(lambda g, h: h), "has no head"),
        (lambda: with_more(lambda g, h: dense(g, g.node("Relu", h), 3)), r"\(Relu\) can't be read at its place"),
        (lambda: with_more(lambda g, h: g.node("LayerNormalization", h, "x")), "layer normalisation"),
        (lambda: reading(lambda g: g.node("Tanh", one_hot(g))), r"\(Tanh\) can't be read at its place"),
        (lambda: reading(lambda g: g.node("MatMul", g.node("Relu", "x"), g.array("d", draw(SIZE, SIZE)))), "only a single one"),
        (external, "lie in another file"),
        (lambda: claiming(1 << 40, 1 << 20), "which is not read"),
        (lambda: claiming(-1, 3), "which is not read"),
        (lambda: claiming(2, 2), "not as many numbers as its shape says"),
        (circle, "goes round in a circle"),
        (lambda: doubling(1), "is made of more than 16,777,216 numbers"),
        (lambda: doubling(0), "does not fit 1 blocks"),
        (lambda: Graph().model("x").SerializeToString(), "has no LSTM, GRU or RNN node"),
        (lambda: b"\x08\x08\x12\xff\xff", "is no whole ONNX model"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(data: Callable[[], bytes], sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence) as caught:
        convert.read(data(), "model.onnx")
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)


WHOLE = with_node()


@given(st.data())
@settings(max_examples=examples(150))
def test_truncated_and_bit_flipped_files_are_refused_or_read(data: st.DataObject) -> None:
    with suppress(ConvertError):
        convert.read(data.draw(damaged(WHOLE)), "damaged")
