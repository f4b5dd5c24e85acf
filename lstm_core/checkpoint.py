"""Models on disk: safetensors with a JSON header. Nothing is ever unpickled.

The header's metadata holds one key, "gatescope": JSON with the format's version, the name, the sizes, the
vocabulary and the card. The tensors are the model's state dict, under PyTorch's names.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shorten
from types import UnionType
from typing import Any

import safetensors
import safetensors.torch
import torch

from lstm_core.errors import FileError, InputError
from lstm_core.model import CharModel
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
NUMBERS = ("F32", "F16", "BF16", "F64")  # safetensors' names of what weights may be kept in
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


def save(model: CharModel, path: str | Path) -> None:
    """Writes a model: weights as float32 safetensors, everything else as JSON in the header.

    path: must end in .safetensors, as `load` wants it. The file appears whole or not at all.
    Raises InputError for another ending, OSError when it can't be written, TypeError when the card holds what JSON can't.
    Source: the safetensors format, version 0.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise InputError(tr("a model is written to a file that ends in .safetensors, not to {path.name}", path=path))
    header = {
        "format": FORMAT,
        "name": model.name,
        "config": model.config,
        "vocabulary": list(model.vocabulary.characters),
        "unknown": model.vocabulary.unknown,
        "reads": model.vocabulary.reads,
        "card": model.card,
    }
    tensors = {k: v.detach().to("cpu", torch.float32).contiguous() for k, v in model.state_dict().items()}
    write(path, tensors, {"gatescope": json.dumps(header, ensure_ascii=True)})


def write(path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Writes a safetensors file beside its place and renames it, so that no half file is left.

    Raises FileError where safetensors can't write it, OSError where the system can't.
    """
    beside = path.with_name(path.name + ".part")
    try:
        safetensors.torch.save_file(dict(tensors), beside, metadata)
    except safetensors.SafetensorError as error:
        raise FileError(tr("{path} can't be written: {error}", path=path, error=error)) from error
    beside.chmod(0o644)
    os.replace(beside, path)


def models(damaged: list[CheckpointError] | None = None) -> tuple[ModelInfo, ...]:
    """The shipped models, in the order in which a newcomer should meet them. Reads headers alone.

    damaged: a list that takes the errors of files that can't be read, which are then left out.
    Returns a tuple of `ModelInfo`, empty when none is shipped. Raises CheckpointError when a shipped file is damaged and
    no list is given. Source: assets/models; each card names the corpus and the recipe.
    """
    infos = []
    for path in sorted(SHIPPED_MODELS.glob("*.safetensors")):
        try:
            infos.append(_info(path))
        except CheckpointError as error:
            if damaged is None:
                raise
            damaged.append(error)
    order = list(SHIPPED)
    return tuple(sorted(infos, key=lambda i: (order.index(i.name) if i.name in order else len(order), i.name)))


def load(name: str | Path) -> CharModel:
    """A shipped model by its name, or any checkpoint of ours by its path. In evaluation mode, float32, on the CPU.

    name: as `models` lists it, or a path that ends in .safetensors. Raises CheckpointError, one sentence, when there is
    no such model, or when the file is damaged, foreign, of wrong shapes, not finite or too large (over 1 GiB). Nothing is
    unpickled. Source: the safetensors format, version 0.
    """
    path = _path_of(name)
    header = _header(path)
    model = _build(path, header)
    try:
        with safetensors.safe_open(path, "pt") as opened:
            _check_shapes(path, model, opened)
            # copied: what safetensors hands out is the file itself, which may change under it
            tensors = {key: opened.get_tensor(key).to(torch.float32, copy=True) for key in model.state_dict()}
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:
        raise CheckpointError(tr("{path.name} can't be read: {error}", path=path, error=error)) from error
    for key, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(tr("{path.name}: {key!r} holds values that are not finite numbers", path=path, key=key))
    model.load_state_dict(tensors, assign=True)
    return model.eval()


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
    try:
        with safetensors.safe_open(path, "pt") as opened:
            metadata = opened.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(tr("{path.name} is not a whole safetensors file: {error}", path=path, error=error)) from error
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


def _build(path: Path, header: Mapping[str, Any]) -> CharModel:
    """A model without memory for its weights, of the sizes that the header claims, if they are sane."""
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
        with torch.device("meta"):
            sizes = {key: config[key] for key in CONFIG}
            model = CharModel(vocabulary, name=header["name"], functions=functions, **sizes)
    except InputError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    model.card = header["card"]
    return model


def _check_shapes(path: Path, model: CharModel, opened: safetensors.safe_open) -> None:
    """Compares names, shapes and number formats with the model's, before any weight is read."""
    wanted, given = model.state_dict(), set(opened.keys())
    for name in sorted(wanted.keys() | given):
        if name not in given:
            raise CheckpointError(tr("{path.name} lacks the weights {name!r}", path=path, name=name))
        if name not in wanted:
            raise CheckpointError(
                tr(
                    "{path.name} holds weights {shorten}, which a {model.cell.title} of its sizes does not have",
                    path=path,
                    shorten=shorten(name),
                    model=model,
                )
            )
        tensor, shape = opened.get_slice(name), list(wanted[name].shape)
        if tensor.get_shape() != shape:
            raise CheckpointError(
                tr(
                    "{path.name}: {name!r} has shape {shorten}, it must be {shape}",
                    path=path,
                    name=name,
                    shorten=shorten(tensor.get_shape()),
                    shape=shape,
                )
            )
        if tensor.get_dtype() not in NUMBERS:
            raise CheckpointError(
                tr(
                    "{path.name}: {name!r} holds {get_dtype}; it must hold {numbers}",
                    path=path,
                    name=name,
                    get_dtype=tensor.get_dtype(),
                    numbers=" or ".join(NUMBERS),
                )
            )


def _info(path: Path) -> ModelInfo:
    header = _header(path)
    return ModelInfo(path.stem, path, header["config"], header["card"], len(header["vocabulary"]))
