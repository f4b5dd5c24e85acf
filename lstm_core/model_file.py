"""Files of models, read with NumPy alone: safetensors with a JSON header. Nothing is ever unpickled.

The header's metadata holds one key, "gatescope": JSON with the format's version, the name, the sizes, the
vocabulary and the card. The tensors are the model's state dict, under PyTorch's names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from reprlib import repr as shorten
from types import UnionType
from typing import Any, Protocol, TypeVar

import numpy as np
import safetensors

from lstm_core.cells import cell as find_cell
from lstm_core.errors import InputError
from lstm_core.formula import Cell
from lstm_core.places import ASSETS
from lstm_core.recipes import SHIPPED
from lstm_core.text import Vocabulary
from lstm_core.words import tr

SHIPPED_MODELS = ASSETS / "models"
FORMAT = 1
LARGEST_FILE = 1 << 30
LARGEST_HEADER = 1 << 24
LARGEST_SIZE = {"units": 8192, "layers": 32, "embedding": 65536}
CONFIG: dict[str, type | UnionType] = {
    "cell": str, "units": int, "layers": int, "embedding": int | None, "dropout": int | float, "bias": bool, "head_bias": bool,
}  # fmt: skip
CARD: dict[str, type | UnionType] = {  # what pages and the command line read of a card, where it is there
    "corpus": str, "sha256": str, "split": str, "loss_protocol": str, "held_out_loss": int | float, "steps": int,
    "characters_seen": int, "ngrams": dict, "recipe": dict, "history": list,
}  # fmt: skip
# What weights may be kept in, by safetensors' names. NumPy has no bfloat16: the upper half of a float32.
NUMBERS = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "F64": "<f8"}
PICKLE_OR_ZIP = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


class CheckpointError(InputError):
    """A file that is no model of ours, with one sentence that names what is wrong."""


@dataclass(frozen=True)
class ModelInfo:
    """A shipped model as `models()` lists it, read from the header alone.

    name: what `load` takes. config: cell, units, layers, embedding, ... card: corpus, split, steps, losses, versions.
    path: the file. vocabulary: how many characters it knows.
    """

    name: str
    path: Path
    config: Mapping[str, Any]
    card: Mapping[str, Any]
    vocabulary: int


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A file of a model of ours, whose header has been checked.

    name: the model's own. cell: with the functions that it applies. config, card: as in `ModelInfo`.
    """

    path: Path
    name: str
    cell: Cell
    vocabulary: Vocabulary
    config: Mapping[str, Any]
    card: Mapping[str, Any]

    @property
    def units(self) -> int:
        """How many units each layer has."""
        return self.config["units"]

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return self.config["layers"]

    @property
    def parameters(self) -> int:
        """How many numbers were trained: weights, biases and the head."""
        return sum(map(math.prod, self.shapes.values()))

    @property
    def inputs(self) -> int:
        """How many numbers the first layer reads a step: the embedding's width, or one for each symbol."""
        embedding: int | None = self.config["embedding"]
        return len(self.vocabulary) if embedding is None else embedding

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array of weights, by the names and in the order of the model's parameters."""
        vocab, bias = len(self.vocabulary), self.config["bias"]
        shapes: dict[str, tuple[int, ...]] = {}
        if self.config["embedding"] is not None:
            shapes["embedding.weight"] = (vocab, self.inputs)
        for layer in range(self.layers):
            below = self.units if layer else self.inputs
            each = self.cell.parameter_shapes(below, self.units, bias)
            shapes |= {f"rnn.{name}_l{layer}": shape for name, shape in each.items()}
        shapes["head.weight"] = (vocab, self.units)
        return shapes | ({"head.bias": (vocab,)} if self.config["head_bias"] else {})

    def weights(self) -> dict[str, np.ndarray]:
        """All weights, float32, in arrays of their own, by the names and in the order of `shapes`.

        Raises CheckpointError when one is not finite, or when the file has changed.
        """
        return _weights(self.path, self.shapes)


def read(name: str | Path) -> ModelFile:
    """A shipped model's file by the model's name, or any file of ours by its path. Its weights are not read yet.

    name: as `models` lists it, or a path that ends in .safetensors. Raises CheckpointError, one sentence, when there is
    no such model, or when the file is damaged, foreign, of wrong shapes or too large (over 1 GiB).
    Source: the safetensors format, version 0.
    """
    path = _path_of(name)
    file = _described(path, _header(path))
    _check_shapes(file)
    return file


def models(damaged: list[CheckpointError] | None = None) -> tuple[ModelInfo, ...]:
    """The shipped models, in the order in which a newcomer should meet them. Reads headers alone.

    damaged: a list that takes the errors of files that can't be read, which are then left out.
    Returns a tuple of `ModelInfo`, empty when none is shipped. Raises CheckpointError when a shipped file is damaged and
    no list is given. Source: assets/models; each card names the corpus and the recipe.
    """
    return listed(SHIPPED_MODELS, _info, list(SHIPPED), damaged)


class Named(Protocol):
    """What a shipped file is listed as."""

    @property
    def name(self) -> str:
        """Its name."""


T = TypeVar("T", bound=Named)


def listed(
    folder: Path, read: Callable[[Path], T], order: Sequence[str], damaged: list[CheckpointError] | None
) -> tuple[T, ...]:
    """What stands in a folder's .safetensors files, by name in this order, others behind.

    damaged: a list that takes the errors of files that can't be read; where there is none, the first is raised.
    """
    found = []
    for path in sorted(folder.glob("*.safetensors")):
        try:
            found.append(read(path))
        except CheckpointError as error:
            if damaged is None:
                raise
            damaged.append(error)
    return tuple(sorted(found, key=lambda one: (order.index(one.name) if one.name in order else len(order), one.name)))


def _path_of(name: str | Path) -> Path:
    if Path(name).suffix == ".safetensors":
        return Path(name)
    shipped = {path.stem: path for path in sorted(SHIPPED_MODELS.glob("*.safetensors"))}
    if str(name) not in shipped:
        known = ", ".join(shipped) or "none"
        raise CheckpointError(
            tr(
                "there is no model {shorten}; shipped are {known}, or give a .safetensors file",
                shorten=shorten(str(name)),
                known=known,
            )
        )
    return shipped[str(name)]


def _header(path: Path) -> dict[str, Any]:
    """The file's own description, checked for every key that is used."""
    _check_start(path)
    with _opened(path) as opened:
        metadata = opened.metadata() or {}
    if "gatescope" not in metadata:
        raise CheckpointError(
            tr("{path.name} is a safetensors file, but not one of Gatescope's: it has no 'gatescope' header", path=path)
        )
    try:
        header = json.loads(metadata["gatescope"])
    except (ValueError, RecursionError) as error:
        raise CheckpointError(tr("the header of {path.name} is not JSON: {error}", path=path, error=error)) from error
    wanted = {"format": int, "name": str, "config": dict, "vocabulary": list, "unknown": str, "card": dict}
    for key, kind in wanted.items():
        if not isinstance(header, dict) or not isinstance(header.get(key), kind):
            raise CheckpointError(
                tr("the header of {path.name} has no {key!r} of kind {name}", path=path, key=key, name=kind.__name__)
            )
    _check_card(path, header["card"])
    if header["format"] != FORMAT:
        raise CheckpointError(
            tr(
                "{path.name} has format {format}; this version reads format {format_2}",
                path=path,
                format=header["format"],
                format_2=FORMAT,
            )
        )
    return header


def _check_card(path: Path, card: Mapping[str, Any]) -> None:
    """Refuses a card that claims what no training run could have written."""
    table = card.get("ngrams", {"order": 1, "held_out_loss": 0.0})
    table = table if isinstance(table, dict) else {}
    claims = [(key, card[key], kind) for key, kind in CARD.items() if key in card]
    claims += [("ngrams", table.get("order"), int), ("ngrams", table.get("held_out_loss"), int | float)]
    for key, value, kind in claims:
        if not isinstance(value, kind) or (isinstance(value, float) and not math.isfinite(value)):
            raise CheckpointError(
                tr("the card of {path.name} gives {key!r} as {shorten}", path=path, key=key, shorten=shorten(str(value)))
            )


def _check_start(path: Path) -> None:
    """Refuses, from its size and first bytes, a file that is not worth opening."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError as error:
        raise CheckpointError(tr("there is no file {path.name!r}", path=path)) from error
    except (OSError, ValueError) as error:  # a name may be one that no file can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(tr("{shorten} can't be read: {reason}", shorten=shorten(path.name), reason=reason)) from error
    if size > LARGEST_FILE:
        raise CheckpointError(
            tr(
                "{path.name} has {size} MB; at most {largest_file} MB are read",
                path=path,
                size=size >> 20,
                largest_file=LARGEST_FILE >> 20,
            )
        )
    header_size = int.from_bytes(start, "little")  # so a safetensors file begins, and any other bytes are too large a size
    if header_size > size and start.startswith(PICKLE_OR_ZIP):
        raise CheckpointError(
            tr("{path.name} is a pickle or a zip archive, not safetensors; it is not opened, for it could run code", path=path)
        )
    if size >= header_size > LARGEST_HEADER:
        raise CheckpointError(
            tr(
                "the header of {path.name} has {header_size:,} bytes; at most {largest_header:,} are read",
                path=path,
                header_size=header_size,
                largest_header=LARGEST_HEADER,
            )
        )


def _described(path: Path, header: Mapping[str, Any]) -> ModelFile:
    """What the header claims, if it is sane."""
    config = header["config"]
    for key, kind in CONFIG.items():
        value = config.get(key)
        if key not in config or not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise CheckpointError(
                tr("the header of {path.name} gives {key!r} as {shorten}", path=path, key=key, shorten=shorten(value))
            )
    for key, largest in LARGEST_SIZE.items():
        if config[key] is not None and not 1 <= config[key] <= largest:
            raise CheckpointError(
                tr(
                    "{path.name} claims {key} = {shorten}; it must be 1 to {largest}",
                    path=path,
                    key=key,
                    shorten=shorten(config[key]),
                    largest=largest,
                )
            )
    if not 0 <= config["dropout"] < 1:
        raise CheckpointError(
            tr(
                "{path.name} claims dropout = {dropout}; it must be at least 0 and less than 1",
                path=path,
                dropout=config["dropout"],
            )
        )
    functions = config.get("functions", {})
    if not isinstance(functions, dict) or not all(isinstance(name, str) for name in functions.values()):
        raise CheckpointError(
            tr("the header of {path.name} gives 'functions' as {shorten}", path=path, shorten=shorten(functions))
        )
    try:
        vocabulary = Vocabulary(header["vocabulary"], header["unknown"], header.get("reads", "characters"))
        cell = find_cell(config["cell"]).with_functions(functions)
    except InputError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    return ModelFile(path, header["name"], cell, vocabulary, config, header["card"])


def _check_shapes(file: ModelFile) -> None:
    """Compares names, shapes and number formats with those of such a model, before any weight is read."""
    path, wanted = file.path, file.shapes
    with _opened(path) as opened:
        given = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118  it is no mapping
        for name in sorted(wanted.keys() | given.keys()):
            if name not in given:
                raise CheckpointError(tr("{path.name} lacks the weights {name!r}", path=path, name=name))
            if name not in wanted:
                raise CheckpointError(
                    tr(
                        "{path.name} holds weights {shorten}, which a {file.cell.title} of its sizes does not have",
                        path=path,
                        shorten=shorten(name),
                        file=file,
                    )
                )
            shape, number = given[name].get_shape(), given[name].get_dtype()
            if shape != list(wanted[name]):
                raise CheckpointError(
                    tr(
                        "{path.name}: {name!r} has shape {shorten}, it must be {shape}",
                        path=path,
                        name=name,
                        shorten=shorten(shape),
                        shape=list(wanted[name]),
                    )
                )
            if number not in NUMBERS:
                raise CheckpointError(
                    tr(
                        "{path.name}: {name!r} holds {number}; it must hold {numbers}",
                        path=path,
                        name=name,
                        number=number,
                        numbers=" or ".join(NUMBERS),
                    )
                )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A safetensors file, whose places and sizes safetensors has checked."""
    try:
        with safetensors.safe_open(path, "np") as opened:
            yield opened
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(tr("{path.name} is not a whole safetensors file: {error}", path=path, error=error)) from error


def _weights(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The file is read, not mapped: what is mapped is the file itself, which may change under it."""
    found = {}
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            entries = json.loads(file.read(size))
            for name in names:
                entry = entries[name]
                start, end = entry["data_offsets"]
                file.seek(8 + size + start)
                stored = np.frombuffer(file.read(end - start), NUMBERS[entry["dtype"]]).reshape(entry["shape"])
                found[name] = _float32(stored, entry["dtype"])
    except (OSError, ValueError, KeyError) as error:  # it was sound a moment ago
        raise CheckpointError(tr("{path.name} can't be read: {error}", path=path, error=error)) from error
    for name, values in found.items():
        if not np.isfinite(values).all():
            raise CheckpointError(tr("{path.name}: {key!r} holds values that are not finite numbers", path=path, key=name))
    return found


def _float32(stored: np.ndarray, number: str) -> np.ndarray:
    if number == "BF16":
        return (stored.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # too large a float64 becomes infinite, and is refused for that
        return stored.astype(np.float32)


def _info(path: Path) -> ModelInfo:
    header = _header(path)
    return ModelInfo(path.stem, path, header["config"], header["card"], len(header["vocabulary"]))
