"""ONNX models: LSTM, GRU and RNN nodes in one line, between an embedding or one-hot characters and a linear head.

The graph is walked backwards, from what it puts out to what it reads. Rows stand as i, o, f, c (LSTM) and z, r, h (GRU),
peepholes as i, o, f; z keeps the old; input_forget means f = 1 - i, as onnxruntime computes it.
Source: ONNX operators LSTM, GRU and RNN, versions 7 to 22.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isclose, prod
from reprlib import repr as shorten
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, numpy_helper

from lstm_core.convert import vocabularies
from lstm_core.convert.assembly import Found, Layer, layer, variant
from lstm_core.convert.draft import LARGEST_ARRAY, MOST_ARRAYS, ConvertError, Draft
from lstm_core.words import N_, tr

NEXT_TAGS = b"\x12\x1a\x22\x28\x32\x3a\x42"  # what may follow a model's first field, its ir_version
NEWEST = 32  # of ir_versions; 13 is in use
RECURRENT = {"LSTM": "iofg", "GRU": "zrn", "RNN": "h"}  # ONNX's i, o, f, c and z, r, h in our letters
GATE_ORDERS = {"LSTM": N_("i, o, f, c (ONNX's)"), "GRU": N_("z, r, h (ONNX's)"), "RNN": N_("one block: no gates")}
# Operators that hand on what they are given first, in another shape or place, or choose some steps of it.
TRANSPARENT = ("Transpose", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Identity", "Cast", "Dropout", "Slice")
NUMBERS = {
    getattr(TensorProto, name) for name in ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "UINT8", "INT32", "INT64", "BOOL")
}
DAMAGE = (DecodeError, ValueError, TypeError, RuntimeError, IndexError, OverflowError, AttributeError)
_LOOP = N_("a loop of its own instead of an LSTM, GRU or RNN node")
KINDS = {
    "Loop": _LOOP, "Scan": _LOOP, "Conv": N_("a convolution"), "LayerNormalization": N_("a layer normalisation"),
    "BatchNormalization": N_("a batch normalisation"), "Attention": "attention", "MultiHeadAttention": "attention",
}  # fmt: skip


def recognises(data: bytes, name: str) -> bool:
    """Whether the file begins as an ONNX model does, with its version and another of its fields."""
    return len(data) > 2 and data[0] == 8 and 1 <= data[1] <= NEWEST and data[2] in NEXT_TAGS


def read(data: bytes, name: str, aside: Mapping[str, bytes]) -> Draft:
    """The model in an ONNX file. Raises ConvertError, one sentence."""
    try:
        model = onnx.load_from_string(data)
    except DAMAGE as error:
        raise ConvertError(tr("{shorten} is damaged: it is no whole ONNX model", shorten=shorten(name))) from error
    return _Walk(model, name).draft()


class _Walk:
    """Goes through a graph from its output to its input, and takes in what it meets."""

    def __init__(self, model: Any, name: str) -> None:
        self.graph, self.name = model.graph, name
        if len(self.graph.node) > MOST_ARRAYS * 4 or len(self.graph.initializer) > MOST_ARRAYS:
            raise ConvertError(
                tr(
                    "{shorten} has {node_count:,} nodes and {initializer_count:,} arrays: too many",
                    shorten=shorten(name),
                    node_count=len(self.graph.node),
                    initializer_count=len(self.graph.initializer),
                )
            )
        if not any(node.op_type in RECURRENT for node in self.graph.node):
            raise ConvertError(
                tr(
                    "{shorten} has no LSTM, GRU or RNN node: its {node_count:,} nodes may be a recurrence written out"
                    " step by step, or another model; torch.onnx.export(..., dynamo=False) keeps such nodes",
                    shorten=shorten(name),
                    node_count=len(self.graph.node),
                )
            )
        self.made = {output: node for node in self.graph.node for output in node.output if output}
        self.stored = {tensor.name: tensor for tensor in self.graph.initializer}
        self.known: dict[str, np.ndarray | None] = {}
        self.room = 4 * LARGEST_ARRAY
        self.inputs = {value.name for value in self.graph.input} - set(self.stored)
        producer = f"{_text(model.producer_name)[:40]} {_text(model.producer_version)[:20]}".strip()
        self.found = Found(tr("ONNX, written by {producer}", producer=producer) if producer else "ONNX", "")
        self.facts = {_text(entry.key): _text(entry.value) for entry in model.metadata_props}

    def draft(self) -> Draft:
        at = self.output()
        at = self.head(at)
        while True:
            at = self.past(at)
            node = self.made.get(at)
            if node is None or node.op_type not in RECURRENT or not _plain(node):
                break
            if at != node.output[0] and self.found.layers:
                raise ConvertError(
                    tr(
                        "“{title}” reads the last state of “{title_2}” alone, not every step",
                        title=self.found.layers[0].title,
                        title_2=_title(node),
                    )
                )
            self.found.layers.insert(0, self.layer(node))
            self.found.order = GATE_ORDERS[node.op_type]
            at = node.input[0]
        if self.found.layers:
            self.source(at)
        elif node is not None:
            raise ConvertError(self.refusal(node))
        if self.found.head is not None:
            self.found.vocabulary, remarks = vocabularies.in_facts(_facts(self.facts), len(self.found.head))
            self.found.ignored += remarks
        return self.found.draft()

    def output(self) -> str:
        """The output that is made by a head; others, such as last states, are set aside."""
        outputs = [value.name for value in self.graph.output]
        heads = [name for name in outputs if self.under_softmax(name, quiet=True) not in (None, *RECURRENT)]
        if not heads:
            raise ConvertError(
                tr(
                    "{shorten} has no head: none of its {outputs_count} outputs is made by a dense layer",
                    shorten=shorten(self.name),
                    outputs_count=len(outputs),
                )
            )
        chosen = next((name for name in heads if self.under_softmax(name, quiet=True) in ("MatMul", "Gemm", "Add")), heads[0])
        self.found.ignored += [tr("the output “{name}”", name=name[:60]) for name in outputs if name != chosen]
        return chosen

    def under_softmax(self, name: str, quiet: bool = False) -> str | None:
        """The operator that makes an output, softmax and turns aside; None for an output that nothing makes."""
        node = self.made.get(self.past(name, ("Softmax", "LogSoftmax"), quiet))
        return None if node is None else str(node.op_type)

    def past(self, name: str, also: Sequence[str] = (), quiet: bool = False) -> str:
        """Back through operators that change nothing but shapes."""
        for _ in range(len(self.graph.node) + 1):
            node = self.made.get(name)
            if node is None or not node.input or not _plain(node):
                return name
            if node.op_type in also:
                if not quiet:
                    self.found.ignored.append(
                        tr(
                            "“{title}” ({node.op_type}), which the next character's probabilities take anyway",
                            title=_title(node),
                            node=node,
                        )
                    )
            elif node.op_type == "Gather" and self.constant(node.input[0]) is None and self.constant(node.input[1]) is not None:
                pass  # chooses some steps, as the last one
            elif node.op_type not in TRANSPARENT:
                return name
            name = node.input[0]
        raise ConvertError(tr("the graph in {shorten} goes round in a circle: the file is damaged", shorten=shorten(self.name)))

    # The head

    def head(self, at: str) -> str:
        """Takes in the dense layer that makes `at`, and says what it reads."""
        node = self.made[self.past(at, ("Softmax", "LogSoftmax"))]
        bias = None
        if node.op_type == "Add" and _plain(node):
            first, second = (self.constant(name) for name in node.input[:2])
            bias, product = (second, node.input[0]) if second is not None else (first, node.input[1])
            node = self.made.get(self.past(product), node)
        weights = self.dense(node)
        if weights is None:
            raise ConvertError(self.refusal(node))
        self.found.head, own_bias = weights
        self.found.head_title = _title(node)
        if bias is not None and own_bias is not None:
            bias = bias + own_bias
        bias = own_bias if bias is None else bias
        self.found.head_bias = None if bias is None else bias.reshape(-1)
        return str(node.input[0])

    def dense(self, node: Any) -> tuple[np.ndarray, np.ndarray | None] | None:
        """(output, input) and the bias of a MatMul or Gemm with stored weights; None for another node."""
        if not _plain(node) or node.op_type not in ("MatMul", "Gemm") or len(node.input) < 2:
            return None
        weight = self.constant(node.input[1])
        if weight is None or weight.ndim != 2:
            return None
        if node.op_type == "MatMul":
            return weight.T, None
        given = _attributes(node)
        if given.get("transA"):
            return None
        bias = self.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else None
        weight = (weight if given.get("transB") else weight.T) * np.float32(given.get("alpha", 1.0))
        return weight, None if bias is None else bias * np.float32(given.get("beta", 1.0))

    # The recurrent layers

    def layer(self, node: Any) -> Layer:
        given, kind, title = _attributes(node), str(node.op_type), _title(node)
        direction = str(given.get("direction", "forward"))
        if direction != "forward":
            how = tr("is bidirectional") if direction == "bidirectional" else tr("reads backwards")
            raise ConvertError(
                tr("“{title}” {how}, which is not supported: a text is read from its start to its end", title=title, how=how)
            )
        if given.get("clip"):
            raise ConvertError(
                tr(
                    "“{title}” clips what goes into its functions at {clip:g}, which is not supported",
                    title=title,
                    clip=given["clip"],
                )
            )
        weight_ih, weight_hh = (self.weights(node, k, 3) for k in (1, 2))
        order = RECURRENT[kind]
        bias_ih = bias_hh = None
        if self.has(node, 3):
            both = self.weights(node, 3, 2)
            if both.size % 2:
                raise ConvertError(
                    tr("“{title}” has biases of shape {both.shape}; they must be two halves", title=title, both=both)
                )
            bias_ih, bias_hh = np.split(both, 2)
        for k, what in ((5, "hidden"), (6, "cell")):
            value = self.constant(node.input[k]) if self.has(node, k) else None
            if value is not None and value.any():
                self.found.ignored.append(
                    tr("the first {what} state of “{title}”: reading begins from zeros", what=what, title=title)
                )
        functions = _functions(given, kind, title)
        peephole = self.weights(node, 7, 2) if kind == "LSTM" and self.has(node, 7) else None
        if peephole is not None and not peephole.any():
            peephole = None
        coupled = kind == "LSTM" and bool(given.get("input_forget"))
        if coupled and (
            peephole is not None or functions["sigmoid"] not in ("sigmoid", "hard_sigmoid_keras2", "hard_sigmoid_keras3")
        ):
            raise ConvertError(
                tr(
                    "“{title}” couples its gates (input_forget) and has peepholes or other gates too: this is not supported",
                    title=title,
                )
            )
        if coupled:  # f = 1 - s(a) = s(-a) for a sigmoid of either kind: our forget rows are ONNX's input rows, negated
            self.found.more = ((tr("coupled gates"), tr("f = 1 − i (input_forget), kept as i = 1 − f")),)
            negated = [None if a is None else _first_negated(a) for a in (weight_ih, weight_hh, bias_ih, bias_hh)]
            return layer(title, variant("coupled", functions), ("f", "o", "unused", "g"), *negated)  # type: ignore[arg-type]
        if kind == "GRU":
            name = "gru_pytorch" if given.get("linear_before_reset") else "gru_cho"
        else:
            name = {"LSTM": "lstm" if peephole is None else "peephole", "RNN": "rnn"}[kind]
        looks = None if peephole is None else ("iof", peephole)
        return layer(title, variant(name, functions), order, weight_ih, weight_hh, bias_ih, bias_hh, looks)

    def has(self, node: Any, k: int) -> bool:
        return len(node.input) > k and bool(node.input[k])

    def weights(self, node: Any, k: int, axes: int) -> np.ndarray:
        """An input that must be stored numbers of one direction, without the axis of directions."""
        value = self.constant(node.input[k]) if self.has(node, k) else None
        if value is None or value.ndim != axes or value.shape[0] != 1:
            found = tr("is computed") if value is None else tr("has shape {value.shape}", value=value)
            raise ConvertError(
                tr(
                    "“{title}”: its input {k} {found}; it must be stored weights of one direction, of {axes} axes",
                    title=_title(node),
                    k=k,
                    found=found,
                    axes=axes,
                )
            )
        return value[0]

    # What the first layer reads

    def source(self, at: str) -> None:
        """Takes in the embedding, if there is one. One-hot characters may be made in the graph, or before it."""
        at = self.past(at)
        node = self.made.get(at)
        if node is None:
            if at not in self.inputs:
                raise ConvertError(tr("“{at}” is read, but nothing makes it: the file is damaged", at=at[:60]))
            return
        if node.op_type == "Gather" and _plain(node) and not _attributes(node).get("axis"):
            self.found.embedding = self.constant(node.input[0])
        elif node.op_type == "OneHot" and _plain(node):
            values = self.constant(node.input[2]) if self.has(node, 2) else None
            if values is None or values.tolist() != [0, 1]:
                raise ConvertError(tr("“{title}” makes vectors of other numbers than 0 and 1", title=_title(node)))
        elif node.op_type == "Equal" and any(_counts_up(self.constant(name)) for name in node.input):
            pass  # ids compared with 0, 1, 2, ...: one-hot
        elif (weights := self.dense(node)) is not None and weights[1] is None and self.past(node.input[0]) in self.inputs:
            self.found.embedding = np.ascontiguousarray(weights[0].T)  # of one-hot characters
        else:
            raise ConvertError(self.refusal(node))

    # Stored numbers

    def constant(self, name: str, depth: int = 0) -> np.ndarray | None:
        """A stored array, or one that follows from stored ones by turning and joining; None for what a text decides."""
        if name not in self.known:
            value = self.known[name] = self.computed(name, depth)
            self.room -= 0 if value is None else value.size
            if self.room < 0:
                raise ConvertError(
                    tr(
                        "the arrays around “{name}” have more than {largest_array:,} numbers",
                        name=name[:60],
                        largest_array=4 * LARGEST_ARRAY,
                    )
                )
        return self.known[name]

    def computed(self, name: str, depth: int) -> np.ndarray | None:
        if name in self.stored:
            return _array(self.stored[name], name)
        node = self.made.get(name)
        if node is None or depth > 16 or not _plain(node):
            return None
        given = _attributes(node)
        if node.op_type == "Constant":
            return _constant(given, name)
        if node.op_type not in FOLDED:
            return None
        values = [self.constant(each, depth + 1) if each else None for each in node.input]
        known = [v for v in values if v is not None]
        if not known or len(known) < sum(map(bool, node.input)) or values[0] is None:
            return None
        if sum(v.size for v in known) > LARGEST_ARRAY:
            raise ConvertError(
                tr("“{name}” is made of more than {largest_array:,} numbers", name=name[:60], largest_array=LARGEST_ARRAY)
            )
        try:
            return FOLDED[node.op_type](known, given)
        except DAMAGE as error:
            raise ConvertError(
                tr("“{title}” ({node.op_type}) does not fit the arrays that it is given", title=_title(node), node=node)
            ) from error

    def refusal(self, node: Any) -> str:
        kind = _text(node.op_type)[:60]
        if kind in KINDS:
            return tr("“{title}” ({kind}) is {kinds}, which is not supported", title=_title(node), kind=kind, kinds=KINDS[kind])
        if kind in ("MatMul", "Gemm", "Add"):
            return tr(
                "“{title}” ({kind}) is not the one dense layer after the recurrent ones: only a single one is supported",
                title=_title(node),
                kind=kind,
            )
        return tr(
            "“{title}” ({kind}) can't be read at its place: an embedding or one-hot input, then LSTM, GRU or RNN"
            " nodes, then one dense layer can",
            title=_title(node),
            kind=kind,
        )


def _first_negated(stacked: np.ndarray) -> np.ndarray:
    """Four blocks of rows, the first of them negated."""
    quarter = len(stacked) // 4
    return np.concatenate([-stacked[:quarter], stacked[quarter:]])


def _plain(node: Any) -> bool:
    """Whether a node is of ONNX's own operators, not of a maker's."""
    return node.domain in ("", "ai.onnx")


def _title(node: Any) -> str:
    return _text(node.name or (node.output[0] if node.output else node.op_type))[:60]


def _text(value: str | bytes) -> str:
    """A text; what is no UTF-8 comes as bytes."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _attributes(node: Any) -> dict[str, Any]:
    """A node's attributes, texts as text."""
    found = {}
    for attribute in node.attribute:
        try:
            value = onnx.helper.get_attribute_value(attribute)
        except DAMAGE as error:
            raise ConvertError(
                tr("an attribute of “{title}” can't be read: the file is damaged", title=_title(node))
            ) from error
        if isinstance(value, list):
            value = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in value]
        found[attribute.name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return found


def _array(tensor: Any, name: str) -> np.ndarray:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ConvertError(
            tr("the numbers of “{name}” lie in another file (external data); save the model in one file", name=name[:60])
        )
    if tensor.data_type not in NUMBERS:
        raise ConvertError(tr("“{name}” holds no plain numbers: quantised and other formats are not supported", name=name[:60]))
    if len(tensor.dims) > 8 or any(n < 0 for n in tensor.dims) or prod(tensor.dims) > LARGEST_ARRAY:
        raise ConvertError(
            tr("“{name}” has shape {shorten}, which is not read", name=name[:60], shorten=shorten(list(tensor.dims)))
        )
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except DAMAGE as error:
        raise ConvertError(
            tr("“{name}” has not as many numbers as its shape says: the file is damaged", name=name[:60])
        ) from error


def _constant(given: Mapping[str, Any], name: str) -> np.ndarray | None:
    if "value" in given and isinstance(given["value"], TensorProto):
        return _array(given["value"], name)
    for key in ("value_float", "value_floats", "value_int", "value_ints"):
        if key in given:
            return np.array(given[key], np.float32 if "float" in key else np.int64)
    return None


def _axes(values: Sequence[np.ndarray], given: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Axes as an attribute, or, from version 13 on, as an input."""
    axes = values[1].ravel().tolist() if len(values) > 1 else given.get("axes")
    return None if axes is None else tuple(axes)


def _sliced(values: Sequence[np.ndarray], given: Mapping[str, Any]) -> np.ndarray:
    whole, *bounds = values
    if not bounds:
        bounds = [np.array(given[key]) for key in ("starts", "ends", "axes") if key in given]
    starts, ends, *more = (b.ravel().tolist() for b in bounds)
    axes = more[0] if more else range(len(starts))
    steps = more[1] if len(more) > 1 else [1] * len(starts)
    cut = [slice(None)] * whole.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps):
        cut[axis] = slice(start, end, step)
    return whole[tuple(cut)]


def _reshaped(values: Sequence[np.ndarray], given: Mapping[str, Any]) -> np.ndarray:
    whole, shape = values
    wanted = [whole.shape[k] if n == 0 else n for k, n in enumerate(shape.ravel().tolist())]
    return whole.reshape(wanted)


# What exporters put between the stored arrays and the nodes that use them.
FOLDED: Mapping[str, Callable[[list[np.ndarray], Mapping[str, Any]], np.ndarray]] = {
    "Identity": lambda values, given: values[0],
    "Cast": lambda values, given: values[0],
    "Transpose": lambda values, given: np.transpose(values[0], given.get("perm")),
    "Squeeze": lambda values, given: np.squeeze(values[0], _axes(values, given)),
    "Unsqueeze": lambda values, given: np.expand_dims(values[0], _axes(values, given) or ()),
    "Concat": lambda values, given: np.concatenate(values, given["axis"]),
    "Reshape": _reshaped,
    "Slice": _sliced,
}


def _functions(given: Mapping[str, Any], kind: str, title: str) -> dict[str, str]:
    """What a node applies for σ and tanh, from its lists of functions and of their numbers."""
    defaults = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}[kind]
    named = [str(name) for name in given.get("activations") or defaults]
    alphas, betas = iter(given.get("activation_alpha") or ()), iter(given.get("activation_beta") or ())
    found = [_function(name, alphas, betas, title) for name in named]
    if len(found) != len(defaults):
        raise ConvertError(
            tr(
                "“{title}” names {found_count} functions; a forward {kind} has {defaults_count}",
                title=title,
                found_count=len(found),
                kind=kind,
                defaults_count=len(defaults),
            )
        )
    if kind == "LSTM" and found[1] != found[2]:
        raise ConvertError(
            tr(
                "“{title}” applies {named} to its candidate and {named_2} to its state, which is not supported",
                title=title,
                named=named[1],
                named_2=named[2],
            )
        )
    return dict(zip(("sigmoid", "tanh"), found)) if kind != "RNN" else {"tanh": found[0]}


def _function(name: str, alphas: Iterable[float], betas: Iterable[float], title: str) -> str:
    """Our name of a function; those with numbers take theirs from the lists, in order."""
    plain = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu"}
    if name.lower() in plain:
        return plain[name.lower()]
    lines = {
        "hardsigmoid": ((0.2, 0.5), {(0.2, 0.5): "hard_sigmoid_keras2", (1 / 6, 0.5): "hard_sigmoid_keras3"}),
        "affine": ((1.0, 0.0), {(1.0, 0.0): "linear"}),
    }
    default, known = lines.get(name.lower(), ((0.0, 0.0), dict[tuple[float, float], str]()))
    slope, offset = next(iter(alphas), default[0]), next(iter(betas), default[1])
    for (our_slope, our_offset), ours in known.items():
        if isclose(slope, our_slope, abs_tol=1e-5) and isclose(offset, our_offset, abs_tol=1e-5):
            return ours
    numbers = tr(" with alpha {slope:g} and beta {offset:g}", slope=slope, offset=offset) if known else ""
    raise ConvertError(
        tr(
            "“{title}” applies {shorten}{numbers}; Sigmoid, Tanh, Relu, Affine (1, 0) and HardSigmoid (0.2 or 1/6,"
            " 0.5) can be read",
            title=title,
            shorten=shorten(name),
            numbers=numbers,
        )
    )


def _counts_up(value: np.ndarray | None) -> bool:
    return value is not None and value.size > 1 and (value.ravel() == np.arange(value.size)).all()


def _facts(texts: Mapping[str, str]) -> dict[str, Any]:
    """A model's own notes; those that are JSON, as what they hold."""
    facts: dict[str, Any] = {}
    for key, value in texts.items():
        try:
            parsed = json.loads(value) if value[:1] in ("[", "{") else value
        except (ValueError, RecursionError):
            parsed = value
        facts.update(vocabularies.flattened(parsed, key))
    return facts
