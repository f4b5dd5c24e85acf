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

MANIFEST = "manifest"
LARGEST_BIAS = 1000  # to be added to a forget gate's; 1 is usual
MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000  # bytes before an array's numbers
PLAIN = r"[<>|=]?([fiu][1248]|b1|[US]\d{1,6})"  # what is read: numbers and texts of fixed sizes
BASIC_LSTM, LSTM, GRU, RNN, CHAR_RNN = "tf1-basic-lstm", "tf1-lstm", "tf1-gru", "tf1-basic-rnn", "char-rnn-lstm"
SOURCES = {
    BASIC_LSTM: "TensorFlow 1, BasicLSTMCell", LSTM: "TensorFlow 1, LSTMCell", GRU: "TensorFlow 1, GRUCell",
    RNN: "TensorFlow 1, BasicRNNCell", CHAR_RNN: "Torch7, char-rnn",
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
    found.ignored += [*remarks, *(f"“{left[:60]}”, which no part of the model asks for" for left in rest)]
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
            found.ignored.append(f"“{title[:60]}”, which only training uses")
        elif array.dtype.kind in "fiu":
            found.arrays[title] = array
        else:
            found.ignored.append(f"“{title[:60]}”, which holds no numbers")
    if sum(array.size for array in found.arrays.values()) > 2 * LARGEST_ARRAY:
        raise ConvertError(f"{shorten(name)} has more than {2 * LARGEST_ARRAY:,} numbers, which is not read")
    return found


def _array(content: bytes, title: str) -> np.ndarray:
    """One .npy member, its size known before it is made; objects, which would have to be unpickled, are refused."""
    described, start = _header(content)
    descr, shape = described.get("descr"), described.get("shape")
    if not isinstance(descr, str) or not isinstance(shape, tuple) or not all(type(n) is int for n in shape):
        raise ConvertError(f"“{title[:60]}” is no plain array that NumPy writes: the file is damaged")
    if not re.fullmatch(PLAIN, descr):
        raise ConvertError(f"“{title[:60]}” holds Python objects, which are never unpickled; save plain arrays instead")
    dtype, left = np.dtype(descr), len(content) - start
    if len(shape) > 8 or any(n < 0 for n in shape) or prod(shape) * dtype.itemsize != left:
        raise ConvertError(f"“{title[:60]}” has not as many numbers as its shape {shorten(shape)} says: the file is damaged")
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
        raise ConvertError(f"the manifest must be a JSON object of {', '.join(KEYS)}")
    manifest = manifests[0] if manifests else {}
    unknown = sorted(str(key) for key in manifest if key not in KEYS)
    if unknown:
        raise ConvertError(f"the manifest has {shorten(unknown[0])}, which means nothing here; it may have {', '.join(KEYS)}")
    return manifest


def _kind(contents: _Contents, manifest: Mapping[str, Any], name: str) -> str:
    kind = manifest.get("format")
    if kind is not None:
        if str(kind) not in SOURCES:
            raise ConvertError(f"the manifest's format is {shorten(str(kind))}; it must be one of {', '.join(SOURCES)}")
        return str(kind)
    joined = "\n".join(contents.arrays)
    if re.search(r"layer_?norm", joined, re.IGNORECASE):
        raise ConvertError(f"{shorten(name)} holds a layer-normalised cell, which is not supported")
    if re.search(r"opaque_kernel|cudnn", joined, re.IGNORECASE):
        raise ConvertError(f"{shorten(name)} holds cuDNN's opaque weights; save TensorFlow's canonical ones instead")
    if re.search(r"i2h", joined) and re.search(r"h2h", joined):
        return CHAR_RNN
    for found, pattern in KINDS.items():
        if re.search(pattern, joined, re.IGNORECASE):
            return found
    raise ConvertError(
        f"the names of the arrays in {shorten(name)} do not tell what they are: add a manifest, JSON with format (one of"
        f" {', '.join(SOURCES)}), layers and head"
    )


# The layers, as dictionaries of arrays taken out of the rest


def _named(rest: dict[str, np.ndarray], name: Any, what: str) -> np.ndarray:
    """An array that the manifest names, taken out of the rest."""
    key = str(name).removesuffix(":0")
    if key not in rest:
        raise ConvertError(f"the manifest names {shorten(str(name))} as {what}, but the file has no such array")
    return rest.pop(key)


def _listed(rest: dict[str, np.ndarray], manifest: Mapping[str, Any], parts: Sequence[str]) -> list[dict[str, np.ndarray]]:
    """The layers that the manifest lists."""
    layers = manifest["layers"]
    if not isinstance(layers, list) or not layers or not all(isinstance(each, dict) for each in layers):
        raise ConvertError('the manifest\'s "layers" must be a list with an object of names for each layer')
    found = []
    for each in layers[:MOST_ARRAYS]:
        if unknown := [str(key) for key in each if key not in parts]:
            raise ConvertError(f"a layer of the manifest has {shorten(unknown[0])}; it may have {', '.join(parts)}")
        found.append({part: _named(rest, name, part) for part, name in each.items()})
    return found


def _tensorflow(rest: dict[str, np.ndarray], manifest: Mapping[str, Any], kind: str) -> list[dict[str, np.ndarray]]:
    parts = ("kernel", "bias", "gates", "gates_bias", "w_f_diag", "w_i_diag", "w_o_diag")
    if "layers" in manifest:
        return _listed(rest, manifest, parts)
    layers: dict[tuple[int, ...], dict[str, np.ndarray]] = {}
    for name in [n for n in rest if re.search(KINDS[kind], n, re.IGNORECASE)]:
        if "projection" in name.lower():
            raise ConvertError(f"“{name[:60]}” is a projection of the cell's output, which is not supported")
        part = PART.search(name)
        if part is None:
            continue
        key = part[1].lower()
        key = key if key.endswith("diag") else "bias" if key.startswith("bias") else "kernel"
        if kind == GRU and re.search(r"gates", name, re.IGNORECASE):
            key = {"kernel": "gates", "bias": "gates_bias"}[key]
        place = tuple(int(n) for n in re.findall(r"\d{1,6}", name))  # cell_0, cell_1, ...
        if key in layers.setdefault(place, {}):
            raise ConvertError(f"“{name[:60]}” is there twice for one layer: say in a manifest which is which")
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
        raise ConvertError(f"no array of a layer of {SOURCES[kind]} was found; a manifest can name them")
    order = _order(manifest, kind)
    forget = manifest.get("forget_bias", FORGET_BIASES.get(kind, 0.0))
    if type(forget) not in (int, float) or not -LARGEST_BIAS <= forget <= LARGEST_BIAS:
        raise ConvertError(f"the manifest's forget_bias must be a number of usual size, not {shorten(str(forget))}")
    for k, arrays in enumerate(layers):
        title = f"layer {k + 1}"
        if kind == CHAR_RNN:
            made = _of_char_rnn(title, arrays, order, forget)
        elif kind == GRU:
            made = _of_gru(title, arrays)
        else:
            made = _of_kernel(title, arrays, kind, order, forget)
        found.layers.append(made)
    if kind in FORGET_BIASES:
        whose = "as the manifest says" if "forget_bias" in manifest else "the default, for the file does not say"
        found.more = (("forget bias", f"{forget:g} is added to what is stored, {whose}"),)
        found.order = ", ".join(manifest.get("order", ORDERS[kind])) + " (j, g or c is the candidate)"
    else:
        found.order = "r, u (gates), c apart (TensorFlow's)" if kind == GRU else "one block: no gates"


def _order(manifest: Mapping[str, Any], kind: str) -> str:
    """An LSTM's order in our letters; j and c are other names of the candidate g."""
    order = manifest.get("order", ORDERS.get(kind, ""))
    ours = re.sub("[jc]", "g", order) if isinstance(order, str) else ""
    if kind in ORDERS and sorted(ours) != ["f", "g", "i", "o"]:
        raise ConvertError(
            f'the manifest\'s order is {shorten(str(order))}; it must be the letters i, f, o and j in their order, as "ijfo"'
        )
    return ours


def _part(arrays: Mapping[str, np.ndarray], part: str, title: str, axes: int) -> np.ndarray:
    array = arrays.get(part)
    if array is None:
        raise ConvertError(f"{title} has no {part}: it has {', '.join(sorted(arrays)) or 'nothing'}")
    if array.ndim != axes:
        raise ConvertError(f"the {part} of {title} has shape {array.shape}; it must have {axes} axes")
    return array


def _forgetting(bias: np.ndarray, order: str, forget: float) -> np.ndarray:
    """The bias with what is added to the forget gate's when it runs."""
    if bias.ndim != 1 or len(bias) % len(order):
        raise ConvertError(f"a bias of shape {bias.shape} can't be cut into {len(order)} gates")
    added = np.zeros((len(order), len(bias) // len(order)), np.float64)
    added[order.index("f")] = forget
    return bias.astype(np.float64) + added.ravel()


def _cut(kernel: np.ndarray, units: int, title: str) -> tuple[np.ndarray, np.ndarray]:
    """TensorFlow's one kernel, (input + unit, rows), as one for x and one for h, (rows, input) and (rows, unit)."""
    if not 0 < units < len(kernel):
        raise ConvertError(
            f"the kernel of {title} has shape {kernel.shape}, which leaves no rows for the input over {units} units"
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
    looks = [arrays[name] for name in ("w_i_diag", "w_f_diag", "w_o_diag") if name in arrays]
    if not looks:
        return layer(title, find_cell("lstm"), order, weight_ih, weight_hh, bias)
    if any(look.shape != (units,) for look in looks) or len(looks) != 3:
        raise ConvertError(f"{title} has {len(looks)} peepholes that do not all have {units} numbers; an LSTM has three")
    return layer(title, find_cell("peephole"), order, weight_ih, weight_hh, bias, None, ("ifo", np.concatenate(looks)))


def _of_gru(title: str, arrays: Mapping[str, np.ndarray]) -> Layer:
    """TensorFlow's GRU: r and u in one kernel, the candidate in another; u keeps the old, r comes before the product."""
    gates, candidate = _part(arrays, "gates", title, 2), _part(arrays, "kernel", title, 2)
    units = candidate.shape[1]
    if gates.shape != (len(candidate), 2 * units):
        raise ConvertError(
            f"{title} has a kernel of shape {gates.shape} for its gates, {candidate.shape} for its candidate: they do not fit"
        )
    biases = arrays.get("gates_bias", np.zeros(2 * units)), arrays.get("bias", np.zeros(units))
    if any(b.shape != (n * units,) for n, b in zip((2, 1), biases)):
        raise ConvertError(
            f"{title} has biases of shapes {biases[0].shape} and {biases[1].shape}; they do not fit {units} units"
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
        found.embedding = _named(rest, manifest["embedding"], "the embedding")
    else:
        table = [n for n, a in rest.items() if a.ndim == 2 and a.shape[1] == inputs and re.search("emb", n, re.IGNORECASE)]
        found.embedding = rest.pop(table[0]) if len(table) == 1 and table[0] != manifest.get("head") else None
    if "head" in manifest:
        found.head_title = str(manifest["head"])
        head = _named(rest, manifest["head"], "the head")
    else:
        heads = [n for n, a in rest.items() if a.ndim == 2 and a.shape[head_axis] == units]
        if len(heads) != 1:
            names = ", ".join(f"“{n[:40]}”" for n in heads[:3]) or "none"
            raise ConvertError(
                f"the head can't be told among the arrays ({names} would fit {units} units): name it in a manifest"
            )
        found.head_title = heads[0]
        head = rest.pop(heads[0])
    if head.ndim != 2:
        raise ConvertError(f"the head “{found.head_title[:60]}” has shape {head.shape}, which is no matrix")
    found.head = head if head_axis else head.T
    size = len(found.head)
    if "head_bias" in manifest:
        found.head_bias = _named(rest, manifest["head_bias"], "the head's bias")
    else:
        biases = [n for n, a in rest.items() if a.shape == (size,)]
        if len(biases) > 1:
            raise ConvertError(
                f"“{biases[0][:40]}” and “{biases[1][:40]}” could both be the head's bias: name it in a manifest"
            )
        found.head_bias = rest.pop(biases[0]) if biases else None
