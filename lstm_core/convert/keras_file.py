"""Keras's files: .keras archives (version 3) and HDF5 (versions 1, 2 and 3). Keras itself is not needed.

Rows stand as i, f, c, o (LSTM) and z, r, h (GRU), one column a row: kernels are (input, rows). z keeps the old. The hard
sigmoid means clip(0.2x + 0.5) up to Keras 2, clip(x/6 + 0.5) in Keras 3. unit_forget_bias is in the stored bias already.
Source: keras.layers of each version; for the layouts of cuDNN's layers, keras.engine.saving of Keras 2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from reprlib import repr as shorten
from typing import Any

import numpy as np

from lstm_core.convert import archives, hdf5
from lstm_core.convert.assembly import Found, Layer, layer, variant
from lstm_core.convert.draft import DEEPEST, MOST_ARRAYS, ConvertError, Draft
from lstm_core.words import N_, tr

WEIGHTS, CONFIG, METADATA = "model.weights.h5", "config.json", "metadata.json"  # in a .keras archive
TRAINING = ("optimizer_weights", "optimizer")
ORDERS = {"LSTM": "ifgo", "GRU": "zrn", "SimpleRNN": "h"}  # Keras's i, f, c, o and z, r, h in our letters
GATE_ORDERS = {"LSTM": N_("i, f, c, o (Keras's)"), "GRU": N_("z, r, h (Keras's)"), "SimpleRNN": N_("one block: no gates")}
CUDNN = {"CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}
CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN"}
KERAS_1_ROWS = {"LSTM": "icfo", "GRU": "zrh", "SimpleRNN": ""}  # the order of its separate arrays, three a gate
HEADS = ("Dense", "TimeDistributedDense")
TRAINING_ONLY = (
    "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization", "InputLayer",
)  # fmt: skip
HARD = {True: "hard_sigmoid_keras2", False: "hard_sigmoid_keras3"}  # by whether it is older than Keras 3
FUNCTIONS = ("sigmoid", "tanh", "relu", "linear")
REFUSED = {
    r"Bidirectional": N_("is bidirectional, which is not supported: a text is read from its start to its end"),
    r"ConvLSTM|Conv\d|Pooling": N_("is convolutional, which is not supported"),
    r"Attention|Transformer": N_("is attention, which is not supported"),
    r"LayerNormalization": N_("is a layer normalisation, which is not supported"),
    r"BatchNormalization": N_("is a batch normalisation, which is not supported"),
    r"Lambda": N_("runs code of its own, which is never run here"),
    r"Sequential|Model|Functional": N_("is a model within the model, which is not supported"),
}

Json = dict[str, Any]


def recognises(data: bytes, name: str) -> bool:
    """Whether this is HDF5, or a zip with Keras's weights in it."""
    return data.startswith(hdf5.SIGNATURE) or WEIGHTS in archives.names(data)


def read(data: bytes, name: str, aside: Mapping[str, bytes]) -> Draft:
    """The model in a file of Keras's; for weights alone, the model's JSON must stand aside. Raises ConvertError."""
    if data.startswith(hdf5.SIGNATURE):
        model = _from_hdf5(hdf5.read(data, name, TRAINING), name, aside)
    else:
        model = _from_archive(data, name)
    return _Chain(model).draft()


@dataclass(frozen=True, eq=False)
class _File:
    """A file of Keras's: the layers' descriptions in order, and their arrays by the layer's name, in Keras's order."""

    source: str
    version: int
    layers: Sequence[Json]
    arrays: Mapping[str, Sequence[tuple[str, np.ndarray]]]
    ignored: tuple[str, ...]


# What is in the file


def _from_archive(data: bytes, name: str) -> _File:
    wanted = tuple(member for member in (WEIGHTS, CONFIG, METADATA) if member in archives.names(data))
    if CONFIG not in wanted:
        raise ConvertError(
            tr(
                "{shorten} holds Keras's weights without {config}: what the layers are is not said",
                shorten=shorten(name),
                config=CONFIG,
            )
        )
    found = archives.members(data, name, wanted)
    metadata = _json(found.get(METADATA, b"{}"), tr("{metadata} in {shorten}", metadata=METADATA, shorten=shorten(name)))
    version = _major(metadata.get("keras_version", "3"), name)
    contents = hdf5.read(found[WEIGHTS], tr("{weights} in {name}", weights=WEIGHTS, name=name), TRAINING)
    layers = _layers(_json(found[CONFIG], tr("{config} in {shorten}", config=CONFIG, shorten=shorten(name))), name)
    arrays = _by_class(contents.arrays, layers)
    return _File(tr("Keras {version} archive (.keras)", version=version), version, layers, arrays, contents.ignored)


def _from_hdf5(contents: hdf5.Contents, name: str, aside: Mapping[str, bytes]) -> _File:
    root = "model_weights" if "model_weights" in contents.attributes else ""
    attributes = contents.attributes.get("", {}) | contents.attributes.get(root, {})
    kind = tr("full model")
    config: Json | None = None
    if "model_config" in attributes:
        config = _json(
            str(attributes["model_config"]).encode("utf-8", "replace"),
            tr("the model_config of {shorten}", shorten=shorten(name)),
        )
    else:
        kind = tr("weights, with the model's JSON beside")
        config = next(filter(None, (_model_json(content) for content in aside.values())), None)
    if config is None:
        raise ConvertError(
            tr(
                "{shorten} holds weights alone, and not what its layers are, such as which sigmoid: give the model's"
                " JSON (model.to_json()) along with it",
                shorten=shorten(name),
            )
        )
    layers = _layers(config, name)
    by_class = any(re.search(r"(^|/)vars/\d+$", path.replace("\\", "/")) for path in contents.arrays)
    version = _major(attributes.get("keras_version", config.get("keras_version", "3" if by_class else "1")), name)
    arrays = _by_class(contents.arrays, layers) if by_class else _by_name(contents, root, layers)
    return _File(tr("Keras {version} HDF5, {kind}", version=version, kind=kind), version, layers, arrays, contents.ignored)


def _json(data: bytes, what: str) -> Json:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ConvertError(tr("{what} is no JSON object: the file is damaged", what=what))
    return found


def _model_json(data: bytes) -> Json | None:
    """A model's description among the files aside, None for any other file."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and {"class_name", "config"} <= found.keys() else None


def _major(version: Any, name: str) -> int:
    number = str(version).partition(".")[0]
    if number not in ("1", "2", "3"):
        raise ConvertError(
            tr(
                "{shorten} is of Keras {shorten_2}; versions 1, 2 and 3 can be read",
                shorten=shorten(name),
                shorten_2=shorten(str(version)),
            )
        )
    return int(number)


def _by_name(contents: hdf5.Contents, root: str, layers: Sequence[Json]) -> dict[str, list[tuple[str, np.ndarray]]]:
    """HDF5 of Keras 1 and 2, and the like of it by Keras 3: one group a layer, its arrays in the order of weight_names."""
    found: dict[str, list[tuple[str, np.ndarray]]] = {}
    for each in layers:
        group = f"{root}/{_title(each)}" if root else _title(each)
        found[_title(each)] = []
        for path in _listed(contents.attributes.get(group, {}), "weight_names"):
            array = contents.arrays.get(f"{group}/{path}")
            if array is None:
                raise ConvertError(
                    tr(
                        "the weights {shorten} of the layer “{title}” are missing: the file is damaged",
                        shorten=shorten(path),
                        title=_title(each),
                    )
                )
            found[_title(each)].append((path, array))
    return found


def _listed(attributes: Json, name: str) -> list[str]:
    """A list of texts, which Keras cuts into name0, name1, ... where it is long."""
    parts = [attributes[name]] if name in attributes else []
    while f"{name}{len(parts)}" in attributes and name not in attributes:
        parts.append(attributes[f"{name}{len(parts)}"])
    return [str(text) for part in parts for text in (part if isinstance(part, list) else [part])]


def _by_class(arrays: Mapping[str, np.ndarray], layers: Sequence[Json]) -> dict[str, list[tuple[str, np.ndarray]]]:
    """Keras 3's own HDF5: one group a layer, named after its class and counted, its arrays numbered."""
    numbered: dict[str, list[tuple[str, np.ndarray]]] = {}
    for path, array in arrays.items():
        parts = path.replace("\\", "/").split("/")
        if len(parts) > 2 and "seed_generator" not in parts:
            numbered.setdefault(parts[1], []).append((path, array))
    for group in numbered.values():
        group.sort(key=lambda item: tuple(int(n) for n in re.findall(r"\d{1,9}", item[0])))
    found, counts = {}, dict[str, int]()
    for each in layers:
        kind = _snake(str(each.get("class_name")))
        counts[kind] = counts.get(kind, -1) + 1
        group_name = f"{kind}_{counts[kind]}" if counts[kind] else kind
        found[_title(each)] = numbered.get(group_name) or numbered.get(_title(each), [])
    return found


def _snake(name: str) -> str:
    """SimpleRNN as simple_rnn, as Keras names its groups."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


# What the layers are


def _layers(model: Json, name: str) -> list[Json]:
    """The layers' descriptions, from the input on."""
    kind, config = model.get("class_name"), model.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    if kind not in ("Sequential", "Model", "Functional") or not isinstance(layers, list):
        raise ConvertError(
            tr(
                "the model in {shorten} is of a class of its own, {shorten_2}, whose layers are not said",
                shorten=shorten(name),
                shorten_2=shorten(str(kind)),
            )
        )
    if len(layers) > MOST_ARRAYS or not all(isinstance(each, dict) for each in layers):
        raise ConvertError(
            tr("the layers of {shorten} are described in a way that can't be read: the file is damaged", shorten=shorten(name))
        )
    return layers if kind == "Sequential" else _in_line(layers)


def _in_line(layers: Sequence[Json]) -> list[Json]:
    """The layers of a graph in the order of reading. Raises ConvertError where it branches."""
    below: dict[str, str] = {}
    for each in layers:
        read = sorted(set(_sources(each.get("inbound_nodes"))))
        title = _title(each)
        calls = each.get("inbound_nodes")
        if len(read) > 1 or (isinstance(calls, list) and len(calls) > 1) or (read and read[0] in below.values()):
            raise ConvertError(
                tr("the graph branches or joins at “{title}”; models whose layers stand in one line are supported", title=title)
            )
        if read:
            below[title] = read[0]
    above = {under: title for title, under in below.items()}
    named = {_title(each): each for each in layers}
    starts = [title for title in named if title not in below]
    if len(starts) != 1 or len(named) != len(layers):
        raise ConvertError(
            tr(
                "the graph has {starts_count} beginnings; models whose layers stand in one line are supported",
                starts_count=len(starts),
            )
        )
    ordered = [starts[0]]
    while ordered[-1] in above and len(ordered) <= len(layers):
        ordered.append(above[ordered[-1]])
    if len(ordered) != len(layers) or any(title not in named for title in ordered):
        raise ConvertError(tr("the graph's layers do not stand in one line: this is not supported"))
    return [named[title] for title in ordered]


def _sources(nodes: Any, depth: int = 0) -> Iterator[str]:
    """The names of the layers that a layer reads, in any of the ways in which Keras has written that down."""
    if depth > DEEPEST:
        raise ConvertError(tr("the graph's description is nested too deeply: the file is damaged"))
    if isinstance(nodes, dict):
        for value in nodes.values():
            yield from _sources(value, depth + 1)
    elif isinstance(nodes, list):
        if len(nodes) in (3, 4) and isinstance(nodes[0], str) and all(type(n) is int for n in nodes[1:3]):
            yield nodes[0]
        else:
            for value in nodes:
                yield from _sources(value, depth + 1)


def _config(each: Json) -> Json:
    config = each.get("config")
    return config if isinstance(config, dict) else {}


def _title(each: Json) -> str:
    return str(each.get("name") or _config(each).get("name") or each.get("class_name"))[:80]


def _activation(value: Any, default: str) -> str:
    """An activation's name, also where it is written as an object."""
    if isinstance(value, dict):
        value = value.get("config") if isinstance(value.get("config"), str) else value.get("class_name")
    return default if value is None else str(value)


class _Chain:
    """Goes through the layers from the input on, and takes in each at its place."""

    def __init__(self, file: _File) -> None:
        self.file = file
        self.found = Found(file.source, "", ignored=list(file.ignored))
        self.done = False

    def draft(self) -> Draft:
        for each in self.file.layers:
            self.take(each)
        return self.found.draft()

    def take(self, each: Json) -> None:
        kind, title = str(each.get("class_name")), _title(each)
        found = self.found
        if kind in TRAINING_ONLY:
            what = tr("which tells the input's shape alone") if kind == "InputLayer" else tr("which only training uses")
            found.ignored.append(f"“{title}” ({kind}), {what}")
        elif kind == "Masking":
            found.ignored.append(tr("“{title}” (Masking), which skips padding: a typed text has none", title=title))
        elif kind in ("Activation", "Softmax"):
            self.activation(each, title)
        elif kind == "Embedding" and not found.layers and found.embedding is None:
            found.embedding = self.arrays(each, 1)[0]
            if _config(each).get("mask_zero"):
                found.ignored.append(tr("“{title}” skips id 0 (mask_zero): here every id is read", title=title))
        elif self.recurrent(each) is not None and found.head is None:
            described, cudnn = self.recurrent(each) or ("", False)
            found.layers.append(self.layer(each, described, cudnn))
            found.order = GATE_ORDERS[described]
        elif (kind in HEADS or _wraps_dense(each)) and found.layers and found.head is None:
            self.head(each)
        else:
            raise ConvertError(_refusal(kind, title))

    def arrays(self, each: Json, *counts: int) -> list[np.ndarray]:
        """A layer's arrays, as many as there may be. Raises ConvertError for other numbers of them."""
        arrays = [array for path, array in self.file.arrays[_title(each)] if "seed_generator" not in path]
        if len(arrays) not in counts:
            wanted = " or ".join(map(str, counts))
            raise ConvertError(
                tr(
                    "the layer “{title}” has {arrays_count} arrays in the file; a {get} has {wanted}",
                    title=_title(each),
                    arrays_count=len(arrays),
                    get=each.get("class_name"),
                    wanted=wanted,
                )
            )
        return arrays

    def activation(self, each: Json, title: str) -> None:
        name = "softmax" if each.get("class_name") == "Softmax" else _activation(_config(each).get("activation"), "linear")
        if name not in ("softmax", "linear") or (name == "softmax" and self.found.head is None):
            raise ConvertError(
                tr("“{title}” applies {shorten} between the layers, which is not supported", title=title, shorten=shorten(name))
            )
        self.found.ignored.append(
            tr("“{title}” ({name}), which the next character's probabilities take anyway", title=title, name=name)
        )

    def head(self, each: Json) -> None:
        inner = _config(each).get("layer") if each.get("class_name") == "TimeDistributed" else each
        config, title = _config(inner if isinstance(inner, dict) else {}), _title(each)
        name = _activation(config.get("activation"), "linear")
        if name not in ("softmax", "linear"):
            raise ConvertError(
                tr(
                    "“{title}” ends in {shorten}; a head that ends in softmax, or in nothing, is supported",
                    title=title,
                    shorten=shorten(name),
                )
            )
        kernel, *bias = self.arrays(each, 1, 2)
        if kernel.ndim != 2:
            raise ConvertError(
                tr("the head “{title}” has a kernel of shape {kernel.shape}, which is no matrix", title=title, kernel=kernel)
            )
        self.found.head, self.found.head_title = kernel.T, title
        self.found.head_bias = bias[0] if bias else None

    def recurrent(self, each: Json) -> tuple[str, bool] | None:
        """Which of LSTM, GRU and SimpleRNN a layer is, and whether in cuDNN's layout; None when it is none of them."""
        kind = str(each.get("class_name"))
        if kind == "RNN":
            inner = _config(each).get("cell")
            cell = str(inner.get("class_name")) if isinstance(inner, dict) else ""
            return (CELLS[cell], False) if cell in CELLS else None
        return (CUDNN.get(kind, kind), kind in CUDNN) if kind in ORDERS or kind in CUDNN else None

    def layer(self, each: Json, kind: str, cudnn: bool) -> Layer:
        title, config = _title(each), _config(each)
        if config.get("go_backwards"):
            raise ConvertError(tr("“{title}” reads backwards (go_backwards), which is not supported", title=title))
        inner = config.get("cell")
        if isinstance(inner, dict):
            config = _config(inner)
        if any(config.get(key) for key in ("dropout", "recurrent_dropout", "dropout_W", "dropout_U")):
            self.found.ignored.append(tr("“{title}” has dropout, which only training uses", title=title))
        if cudnn or (kind == "GRU" and config.get("reset_after")):
            name = {"LSTM": "lstm", "GRU": "gru_pytorch"}[kind]
        else:
            name = {"LSTM": "lstm", "GRU": "gru_cho", "SimpleRNN": "rnn"}[kind]
        kernel, recurrent, bias = self.kernels(each, kind)
        if cudnn:
            kernel, recurrent = _out_of_cudnn(kernel, recurrent, len(ORDERS[kind]))
        halves: tuple[np.ndarray | None, np.ndarray | None] = (bias, None)
        if bias is not None and (cudnn or bias.ndim == 2):
            if bias.size != 2 * recurrent.shape[1]:
                raise ConvertError(
                    tr(
                        "“{title}”: its biases have shape {bias.shape}, which does not fit a kernel of {kernel.shape}",
                        title=title,
                        bias=bias,
                        kernel=kernel,
                    )
                )
            first, second = bias.reshape(2, -1)
            halves = first, second
        cell = variant(name, {} if cudnn else self.functions(config, kind, title))
        return layer(title, cell, ORDERS[kind], kernel.T, recurrent.T, *halves)

    def functions(self, config: Json, kind: str, title: str) -> dict[str, str]:
        """What the layer applies for σ and tanh; what is not said is the default of its version."""
        older = self.file.version < 3
        gates = "hard_sigmoid" if self.file.version == 1 else "sigmoid"
        given = {"tanh": _activation(config.get("activation"), "tanh")}
        if kind != "SimpleRNN":
            given["sigmoid"] = _activation(config.get("recurrent_activation", config.get("inner_activation")), gates)
        for place, name in given.items():
            if name not in (*FUNCTIONS, "hard_sigmoid"):
                where = tr("for its gates") if place == "sigmoid" else tr("for its candidate")
                raise ConvertError(
                    tr(
                        "“{title}” applies {shorten} {where}; {functions} and hard_sigmoid can be read",
                        title=title,
                        shorten=shorten(name),
                        where=where,
                        functions=", ".join(FUNCTIONS),
                    )
                )
        return {place: HARD[older] if name == "hard_sigmoid" else name for place, name in given.items()}

    def kernels(self, each: Json, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """(input, rows), (unit, rows) and the bias; Keras 1 had an array of its own for each gate."""
        rows = KERAS_1_ROWS[kind]
        arrays = self.arrays(each, 2, 3, *((3 * len(rows),) if len(rows) else ()))
        if len(arrays) > 3:
            order = ORDERS[kind].replace("g", "c").replace("n", "h")
            if any(
                len({a.shape[0] if a.ndim else 0 for a in arrays[k::3]}) > 1 or arrays[k].ndim != 2 - (k == 2) for k in range(3)
            ):
                raise ConvertError(tr("the arrays of “{title}” have shapes that do not fit each other", title=_title(each)))
            arrays = [np.concatenate([arrays[3 * rows.index(r) + k] for r in order], axis=-1) for k in range(3)]
        kernel, recurrent, *bias = arrays
        if kernel.ndim != 2 or recurrent.ndim != 2:
            raise ConvertError(
                tr(
                    "“{title}” has kernels of shapes {kernel.shape} and {recurrent.shape}, which are no matrices",
                    title=_title(each),
                    kernel=kernel,
                    recurrent=recurrent,
                )
            )
        return kernel, recurrent, bias[0] if bias else None


def _out_of_cudnn(kernel: np.ndarray, recurrent: np.ndarray, gates: int) -> tuple[np.ndarray, np.ndarray]:
    """cuDNN's kernels as (input, rows): it keeps (unit, input) a gate, which Keras wrote down under the turned shape."""
    if kernel.shape[1] % gates or recurrent.shape[1] % gates:
        raise ConvertError(tr("a kernel of shape {kernel.shape} can't be cut into {gates} gates", kernel=kernel, gates=gates))
    blocks = [block.reshape(block.shape[::-1]).T for block in np.split(kernel, gates, axis=1)]
    return np.hstack(blocks), np.hstack([block.T for block in np.split(recurrent, gates, axis=1)])


def _wraps_dense(each: Json) -> bool:
    inner = _config(each).get("layer")
    return each.get("class_name") == "TimeDistributed" and isinstance(inner, dict) and inner.get("class_name") == "Dense"


def _refusal(kind: str, title: str) -> str:
    for pattern, sentence in REFUSED.items():
        if re.search(pattern, kind):
            return f"“{title}” ({shorten(kind)}) {sentence}"
    if kind in HEADS:
        return tr(
            "“{title}” (Dense) stands beside the one head after the recurrent layers; a single dense layer there is supported",
            title=title,
        )
    return tr(
        "“{title}” ({shorten}) can't be read at its place: an Embedding or one-hot input, then LSTM, GRU or"
        " SimpleRNN layers, then one Dense can",
        title=title,
        shorten=shorten(kind),
    )
