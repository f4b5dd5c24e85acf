"""Arrays in an .npz file: TensorFlow 1's cells under their own names, and Torch7's char-rnn.

A manifest says what names and shapes can't. It is JSON: in the file under the name "manifest", as its member manifest.json, or
in a .json file given along.

    format       "tf1-basic-lstm", "tf1-lstm", "tf1-gru", "tf1-basic-rnn" or "char-rnn-lstm"; names may tell it
    order        of an LSTM's gates: "ijfo" in TensorFlow (j is the candidate), "ifog" in char-rnn
    forget_bias  what is added to the forget gate's bias when it runs: 1.0 in TensorFlow, 0.0 in char-rnn
    layers       one {"kernel": NAME, "bias": NAME} a layer; for char-rnn {"i2h": NAME, "i2h_bias": NAME, "h2h": ..., ...}
    embedding, head, head_bias   names of arrays
    vocabulary   the characters in the order of their ids: a text, a list or a table

Source: BasicLSTMCell, LSTMCell, GRUCell and BasicRNNCell of TensorFlow 1 (tf.nn.rnn_cell); LSTM.lua of karpathy/char-rnn.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from reprlib import repr as shorten
from typing import Any

import numpy as np

from lstm_core.cells import cell as find_cell
from lstm_core.convert import archives, vocabularies
from lstm_core.convert.assembly import Found, Layer, layer
from lstm_core.convert.draft import LARGEST_ARRAY, MOST_ARRAYS, ConvertError, Draft
from lstm_core.words import N_, tr

MANIFEST = "manifest"
LARGEST_BIAS = 1000  # to be added to a forget gate's; 1 is usual
MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000  # bytes before an array's numbers
PLAIN = r"[<>|=]?([fiu][1248]|b1|[US]\d{1,6})"  # what is read: numbers and texts of fixed sizes
BASIC_LSTM, LSTM, GRU, RNN, CHAR_RNN = "tf1-basic-lstm", "tf1-lstm", "tf1-gru", "tf1-basic-rnn", "char-rnn-lstm"
SOURCES = {
    BASIC_LSTM: N_("TensorFlow 1, BasicLSTMCell"), LSTM: N_("TensorFlow 1, LSTMCell"), GRU: N_("TensorFlow 1, GRUCell"),
    RNN: N_("TensorFlow 1, BasicRNNCell"), CHAR_RNN: N_("Torch7, char-rnn"),
}  # fmt: skip
ORDERS = {BASIC_LSTM: "ijfo", LSTM: "ijfo", CHAR_RNN: "ifog"}
FORGET_BIASES = {BASIC_LSTM: 1.0, LSTM: 1.0, CHAR_RNN: 0.0}
KINDS = {  # by what stands in TensorFlow's names, the longer names first
    BASIC_LSTM: r"basic_?lstm_?cell", LSTM: r"(?<!norm_basic_)lstm_?cell", GRU: r"gru_?cell", RNN: r"basic_?rnn_?cell",
}  # fmt: skip
TRAINING = re.compile(
    r"(^|[/._])(adam(_\d+)?|momentum|rmsprop(_\d+)?|adagrad|exponentialmovingaverage|beta[12]_power|global_step|lr|learning_rate)$",
    re.IGNORECASE,
)
PART = re.compile(r"(kernel|weights?|matrix|bias(?:es)?|w_[fio]_diag)$", re.IGNORECASE)
KEYS = ("format", "order", "forget_bias", "layers", "embedding", "head", "head_bias", "vocabulary")


def recognises(data: bytes, name: str) -> bool:
    """Whether this is a zip of .npy members, as NumPy writes it."""
    return any(member.endswith(".npy") for member in archives.names(data))


def read(data: bytes, name: str, aside: Mapping[str, bytes]) -> Draft:
    """The model in an .npz file, with a manifest in it or aside where one is needed. Raises ConvertError."""
    contents = _contents(data, name)
    manifest = _manifest(contents, aside)
    kind = _kind(contents, manifest, name)
    found = Found(f"{SOURCES[kind]} (.npz)", "", ignored=contents.ignored)
    rest = dict(contents.arrays)
    layers = _char_rnn(rest, manifest) if kind == CHAR_RNN else _tensorflow(rest, manifest, kind)
    _cells(found, layers, kind, manifest)
    _ends(found, rest, kind, manifest)
    assert found.head is not None
    facts = contents.facts | dict(vocabularies.flattened({k: manifest[k] for k in ("vocabulary",) if k in manifest}))
    found.vocabulary, remarks = vocabularies.in_facts(facts, len(found.head))
    found.ignored += [*remarks, *(tr("“{left}”, which no part of the model asks for", left=left[:60]) for left in rest)]
    return found.draft()


# What the file holds


@dataclass(eq=False)
class _Contents:
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


def _contents(data: bytes, name: str) -> _Contents:
    listed = tuple(dict.fromkeys(m for m in archives.names(data) if m.endswith((".npy", ".json"))))
    found = _Contents()
    for member, content in archives.members(data, name, listed).items():
        if member.endswith(".json"):
            found.facts[member.removesuffix(".json")] = _parsed(content.decode("utf-8", "replace"))
            continue
        title = member.removesuffix(".npy").removesuffix(":0")
        array = _array(content, title)
        if array.dtype.kind in "US":
            texts = [t.decode("utf-8", "replace") if isinstance(t, bytes) else t for t in array.ravel().tolist()]
            found.facts[title] = texts if array.ndim else _parsed(texts[0])
        elif TRAINING.search(title):
            found.ignored.append(tr("“{title}”, which only training uses", title=title[:60]))
        elif array.dtype.kind in "fiu":
            found.arrays[title] = array
        else:
            found.ignored.append(tr("“{title}”, which holds no numbers", title=title[:60]))
    if sum(array.size for array in found.arrays.values()) > 2 * LARGEST_ARRAY:
        raise ConvertError(
            tr(
                "{shorten} has more than {largest_array:,} numbers, which is not read",
                shorten=shorten(name),
                largest_array=2 * LARGEST_ARRAY,
            )
        )
    return found


def _array(content: bytes, title: str) -> np.ndarray:
    """One .npy member, its size known before it is made; objects, which would have to be unpickled, are refused."""
    described, start = _header(content)
    descr, shape = described.get("descr"), described.get("shape")
    if not isinstance(descr, str) or not isinstance(shape, tuple) or not all(type(n) is int for n in shape):
        raise ConvertError(tr("“{title}” is no plain array that NumPy writes: the file is damaged", title=title[:60]))
    if not re.fullmatch(PLAIN, descr):
        raise ConvertError(
            tr("“{title}” holds Python objects, which are never unpickled; save plain arrays instead", title=title[:60])
        )
    dtype, left = np.dtype(descr), len(content) - start
    if len(shape) > 8 or any(n < 0 for n in shape) or prod(shape) * dtype.itemsize != left:
        raise ConvertError(
            tr(
                "“{title}” has not as many numbers as its shape {shorten} says: the file is damaged",
                title=title[:60],
                shorten=shorten(shape),
            )
        )
    flat = np.frombuffer(content, dtype, -1, start) if left else np.zeros(0, dtype)
    return flat.reshape(shape, order="F" if described.get("fortran_order") else "C")


def _header(content: bytes) -> tuple[dict[str, Any], int]:
    """What stands before the numbers of an .npy member, and where they begin; empty where it is damaged."""
    width = {b"\x01": 2, b"\x02": 4, b"\x03": 4}.get(content[6:7], 0)
    start = 8 + width + int.from_bytes(content[8 : 8 + width], "little")
    if not content.startswith(MAGIC) or not width or start > min(len(content), LONGEST_HEADER):
        return {}, 0
    text = content[8 + width : start].decode("utf-8", "replace").strip()
    try:
        found = ast.literal_eval(re.sub(r"(\d)L\b", r"\1", text))  # Python 2 wrote long numbers as 10L
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return {}, 0
    return found if isinstance(found, dict) else {}, start


def _parsed(text: str) -> Any:
    """What JSON holds, or the text itself."""
    try:
        return json.loads(text) if text.lstrip()[:1] in ("{", "[") else text
    except (ValueError, RecursionError):
        return text


def _manifest(contents: _Contents, aside: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest in the file, else one given along; empty when there is none."""
    inside = next((contents.facts.pop(name) for name in (MANIFEST, "manifest.json") if name in contents.facts), None)
    given = [_parsed(content.decode("utf-8", "replace")) for content in aside.values()]
    manifests = [m for m in (inside, *given) if isinstance(m, dict) and set(m) & set(KEYS[:4])]
    if inside is not None and inside not in manifests:
        raise ConvertError(tr("the manifest must be a JSON object of {keys}", keys=", ".join(KEYS)))
    manifest = manifests[0] if manifests else {}
    unknown = sorted(str(key) for key in manifest if key not in KEYS)
    if unknown:
        raise ConvertError(
            tr(
                "the manifest has {shorten}, which means nothing here; it may have {keys}",
                shorten=shorten(unknown[0]),
                keys=", ".join(KEYS),
            )
        )
    return manifest


def _kind(contents: _Contents, manifest: Mapping[str, Any], name: str) -> str:
    kind = manifest.get("format")
    if kind is not None:
        if str(kind) not in SOURCES:
            raise ConvertError(
                tr(
                    "the manifest's format is {shorten}; it must be one of {sources}",
                    shorten=shorten(str(kind)),
                    sources=", ".join(SOURCES),
                )
            )
        return str(kind)
    joined = "\n".join(contents.arrays)
    if re.search(r"layer_?norm", joined, re.IGNORECASE):
        raise ConvertError(tr("{shorten} holds a layer-normalised cell, which is not supported", shorten=shorten(name)))
    if re.search(r"opaque_kernel|cudnn", joined, re.IGNORECASE):
        raise ConvertError(
            tr("{shorten} holds cuDNN's opaque weights; save TensorFlow's canonical ones instead", shorten=shorten(name))
        )
    if re.search(r"i2h", joined) and re.search(r"h2h", joined):
        return CHAR_RNN
    for found, pattern in KINDS.items():
        if re.search(pattern, joined, re.IGNORECASE):
            return found
    raise ConvertError(
        tr(
            "the names of the arrays in {shorten} do not tell what they are: add a manifest, JSON with format (one of"
            " {sources}), layers and head",
            shorten=shorten(name),
            sources=", ".join(SOURCES),
        )
    )


# The layers, as dictionaries of arrays taken out of the rest


def _named(rest: dict[str, np.ndarray], name: Any, what: str) -> np.ndarray:
    """An array that the manifest names, taken out of the rest."""
    key = str(name).removesuffix(":0")
    if key not in rest:
        raise ConvertError(
            tr("the manifest names {shorten} as {what}, but the file has no such array", shorten=shorten(str(name)), what=what)
        )
    return rest.pop(key)


def _listed(rest: dict[str, np.ndarray], manifest: Mapping[str, Any], parts: Sequence[str]) -> list[dict[str, np.ndarray]]:
    """The layers that the manifest lists."""
    layers = manifest["layers"]
    if not isinstance(layers, list) or not layers or not all(isinstance(each, dict) for each in layers):
        raise ConvertError(tr('the manifest\'s "layers" must be a list with an object of names for each layer'))
    found = []
    for each in layers[:MOST_ARRAYS]:
        if unknown := [str(key) for key in each if key not in parts]:
            raise ConvertError(
                tr(
                    "a layer of the manifest has {shorten}; it may have {parts}",
                    shorten=shorten(unknown[0]),
                    parts=", ".join(parts),
                )
            )
        found.append({part: _named(rest, name, part) for part, name in each.items()})
    return found


def _tensorflow(rest: dict[str, np.ndarray], manifest: Mapping[str, Any], kind: str) -> list[dict[str, np.ndarray]]:
    parts = ("kernel", "bias", "gates", "gates_bias", "w_f_diag", "w_i_diag", "w_o_diag")
    if "layers" in manifest:
        return _listed(rest, manifest, parts)
    layers: dict[tuple[int, ...], dict[str, np.ndarray]] = {}
    for name in [n for n in rest if re.search(KINDS[kind], n, re.IGNORECASE)]:
        if "projection" in name.lower():
            raise ConvertError(tr("“{name}” is a projection of the cell's output, which is not supported", name=name[:60]))
        part = PART.search(name)
        if part is None:
            continue
        key = part[1].lower()
        key = key if key.endswith("diag") else "bias" if key.startswith("bias") else "kernel"
        if kind == GRU and re.search(r"gates", name, re.IGNORECASE):
            key = {"kernel": "gates", "bias": "gates_bias"}[key]
        place = tuple(int(n) for n in re.findall(r"\d{1,6}", name))  # cell_0, cell_1, ...
        if key in layers.setdefault(place, {}):
            raise ConvertError(tr("“{name}” is there twice for one layer: say in a manifest which is which", name=name[:60]))
        layers[place][key] = rest.pop(name)
    return [layers[place] for place in sorted(layers)]


def _char_rnn(rest: dict[str, np.ndarray], manifest: Mapping[str, Any]) -> list[dict[str, np.ndarray]]:
    if "layers" in manifest:
        return _listed(rest, manifest, ("i2h", "i2h_bias", "h2h", "h2h_bias"))
    layers: dict[tuple[int, ...], dict[str, np.ndarray]] = {}
    for name in [n for n in rest if re.search("i2h|h2h", n)]:
        which = re.findall("i2h|h2h", name)[-1]
        key = f"{which}_bias" if re.search(r"b(ias)?$", name) else which
        place = tuple(int(n) for n in re.findall(r"\d{1,6}", re.sub("i2h|h2h", "", name)))
        layers.setdefault(place, {})[key] = rest.pop(name)
    return [layers[place] for place in sorted(layers)]


# Layers into cells


def _cells(found: Found, layers: Sequence[Mapping[str, np.ndarray]], kind: str, manifest: Mapping[str, Any]) -> None:
    if not layers:
        raise ConvertError(tr("no array of a layer of {sources} was found; a manifest can name them", sources=SOURCES[kind]))
    order = _order(manifest, kind)
    forget = manifest.get("forget_bias", FORGET_BIASES.get(kind, 0.0))
    if type(forget) not in (int, float) or not -LARGEST_BIAS <= forget <= LARGEST_BIAS:
        raise ConvertError(
            tr("the manifest's forget_bias must be a number of usual size, not {shorten}", shorten=shorten(str(forget)))
        )
    for k, arrays in enumerate(layers):
        title = tr("layer {k}", k=k + 1)
        if kind == CHAR_RNN:
            made = _of_char_rnn(title, arrays, order, forget)
        elif kind == GRU:
            made = _of_gru(title, arrays)
        else:
            made = _of_kernel(title, arrays, kind, order, forget)
        found.layers.append(made)
    if kind in FORGET_BIASES:
        whose = tr("as the manifest says") if "forget_bias" in manifest else tr("the default, for the file does not say")
        found.more = ((tr("forget bias"), tr("{forget:g} is added to what is stored, {whose}", forget=forget, whose=whose)),)
        found.order = ", ".join(manifest.get("order", ORDERS[kind])) + tr(" (j, g or c is the candidate)")
    else:
        found.order = tr("r, u (gates), c apart (TensorFlow's)") if kind == GRU else tr("one block: no gates")


def _order(manifest: Mapping[str, Any], kind: str) -> str:
    """An LSTM's order in our letters; j and c are other names of the candidate g."""
    order = manifest.get("order", ORDERS.get(kind, ""))
    ours = re.sub("[jc]", "g", order) if isinstance(order, str) else ""
    if kind in ORDERS and sorted(ours) != ["f", "g", "i", "o"]:
        raise ConvertError(
            tr(
                'the manifest\'s order is {shorten}; it must be the letters i, f, o and j in their order, as "ijfo"',
                shorten=shorten(str(order)),
            )
        )
    return ours


def _part(arrays: Mapping[str, np.ndarray], part: str, title: str, axes: int) -> np.ndarray:
    array = arrays.get(part)
    if array is None:
        raise ConvertError(
            tr("{title} has no {part}: it has {value}", title=title, part=part, value=", ".join(sorted(arrays)) or "nothing")
        )
    if array.ndim != axes:
        raise ConvertError(
            tr(
                "the {part} of {title} has shape {array.shape}; it must have {axes} axes",
                part=part,
                title=title,
                array=array,
                axes=axes,
            )
        )
    return array


def _forgetting(bias: np.ndarray, order: str, forget: float) -> np.ndarray:
    """The bias with what is added to the forget gate's when it runs."""
    if bias.ndim != 1 or len(bias) % len(order):
        raise ConvertError(
            tr("a bias of shape {bias.shape} can't be cut into {order_count} gates", bias=bias, order_count=len(order))
        )
    added = np.zeros((len(order), len(bias) // len(order)), np.float64)
    added[order.index("f")] = forget
    return bias.astype(np.float64) + added.ravel()


def _cut(kernel: np.ndarray, units: int, title: str) -> tuple[np.ndarray, np.ndarray]:
    """TensorFlow's one kernel, (input + unit, rows), as one for x and one for h, (rows, input) and (rows, unit)."""
    if not 0 < units < len(kernel):
        raise ConvertError(
            tr(
                "the kernel of {title} has shape {kernel.shape}, which leaves no rows for the input over {units} units",
                title=title,
                kernel=kernel,
                units=units,
            )
        )
    return kernel[:-units].T, kernel[-units:].T


def _of_kernel(title: str, arrays: Mapping[str, np.ndarray], kind: str, order: str, forget: float) -> Layer:
    kernel = _part(arrays, "kernel", title, 2)
    order = order or "h"
    units = kernel.shape[1] // len(order)
    weight_ih, weight_hh = _cut(kernel, units, title)
    bias = arrays.get("bias", np.zeros(kernel.shape[1]))
    if kind == RNN:
        return layer(title, find_cell("rnn"), order, weight_ih, weight_hh, bias)
    bias = _forgetting(bias, order, forget)
    peepholes = [arrays[name] for name in ("w_i_diag", "w_f_diag", "w_o_diag") if name in arrays]
    if not peepholes:
        return layer(title, find_cell("lstm"), order, weight_ih, weight_hh, bias)
    if any(peephole.shape != (units,) for peephole in peepholes) or len(peepholes) != 3:
        raise ConvertError(
            tr(
                "{title} has {peepholes_count} peepholes that do not all have {units} numbers; an LSTM has three",
                title=title,
                peepholes_count=len(peepholes),
                units=units,
            )
        )
    return layer(title, find_cell("peephole"), order, weight_ih, weight_hh, bias, None, ("ifo", np.concatenate(peepholes)))


def _of_gru(title: str, arrays: Mapping[str, np.ndarray]) -> Layer:
    """TensorFlow's GRU: r and u in one kernel, the candidate in another; u keeps the old, r comes before the product."""
    gates, candidate = _part(arrays, "gates", title, 2), _part(arrays, "kernel", title, 2)
    units = candidate.shape[1]
    if gates.shape != (len(candidate), 2 * units):
        raise ConvertError(
            tr(
                "{title} has a kernel of shape {gates.shape} for its gates, {candidate.shape} for its candidate: they"
                " do not fit",
                title=title,
                gates=gates,
                candidate=candidate,
            )
        )
    biases = arrays.get("gates_bias", np.zeros(2 * units)), arrays.get("bias", np.zeros(units))
    if any(b.shape != (n * units,) for n, b in zip((2, 1), biases)):
        raise ConvertError(
            tr(
                "{title} has biases of shapes {shape} and {shape_2}; they do not fit {units} units",
                title=title,
                shape=biases[0].shape,
                shape_2=biases[1].shape,
                units=units,
            )
        )
    weight_ih, weight_hh = _cut(np.hstack([gates, candidate]), units, title)
    return layer(title, find_cell("gru_cho"), "rzn", weight_ih, weight_hh, np.concatenate(biases))


def _of_char_rnn(title: str, arrays: Mapping[str, np.ndarray], order: str, forget: float) -> Layer:
    weight_ih, weight_hh = _part(arrays, "i2h", title, 2), _part(arrays, "h2h", title, 2)
    bias_ih = arrays.get("i2h_bias", np.zeros(len(weight_ih)))
    return layer(
        title, find_cell("lstm"), order, weight_ih, weight_hh, _forgetting(bias_ih, order, forget),
        arrays.get("h2h_bias", np.zeros(len(weight_hh))),
    )  # fmt: skip


# The embedding and the head


def _ends(found: Found, rest: dict[str, np.ndarray], kind: str, manifest: Mapping[str, Any]) -> None:
    """Takes the embedding and the head out of the arrays that are left."""
    units, inputs = found.layers[-1].units, found.layers[0].inputs
    head_axis = 1 if kind == CHAR_RNN else 0  # Torch7 keeps (symbol, unit), TensorFlow (unit, symbol)
    if "embedding" in manifest:
        found.embedding = _named(rest, manifest["embedding"], tr("the embedding"))
    else:
        table = [n for n, a in rest.items() if a.ndim == 2 and a.shape[1] == inputs and re.search("emb", n, re.IGNORECASE)]
        found.embedding = rest.pop(table[0]) if len(table) == 1 and table[0] != manifest.get("head") else None
    if "head" in manifest:
        found.head_title = str(manifest["head"])
        head = _named(rest, manifest["head"], tr("the head"))
    else:
        heads = [n for n, a in rest.items() if a.ndim == 2 and a.shape[head_axis] == units]
        if len(heads) != 1:
            names = ", ".join(f"“{n[:40]}”" for n in heads[:3]) or "none"
            raise ConvertError(
                tr(
                    "the head can't be told among the arrays ({names} would fit {units} units): name it in a manifest",
                    names=names,
                    units=units,
                )
            )
        found.head_title = heads[0]
        head = rest.pop(heads[0])
    if head.ndim != 2:
        raise ConvertError(
            tr(
                "the head “{head_title}” has shape {head.shape}, which is no matrix",
                head_title=found.head_title[:60],
                head=head,
            )
        )
    found.head = head if head_axis else head.T
    size = len(found.head)
    if "head_bias" in manifest:
        found.head_bias = _named(rest, manifest["head_bias"], tr("the head's bias"))
    else:
        biases = [n for n, a in rest.items() if a.shape == (size,)]
        if len(biases) > 1:
            raise ConvertError(
                tr(
                    "“{biases}” and “{biases_2}” could both be the head's bias: name it in a manifest",
                    biases=biases[0][:40],
                    biases_2=biases[1][:40],
                )
            )
        found.head_bias = rest.pop(biases[0]) if biases else None
