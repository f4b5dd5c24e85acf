"""Models on disk: safetensors with a JSON header. Nothing is ever unpickled.

The header's metadata holds one key, "gatescope": JSON with the format's version, the name, the sizes, the
vocabulary and the card. The tensors are the model's state dict, under PyTorch's names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from lstm_core.model import CharModel
from lstm_core.text import Vocabulary

SHIPPED_MODELS = Path(__file__).resolve().parent.parent / "assets" / "models"
FORMAT = 1
LARGEST_FILE = 1 << 30
LARGEST_SIZE = {"units": 8192, "layers": 32, "embedding": 65536}


class CheckpointError(ValueError):
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

    The file appears whole or not at all. Raises OSError when it can't be written.
    """
    path = Path(path)
    header = {
        "format": FORMAT,
        "name": model.name,
        "config": model.config,
        "vocabulary": list(model.vocabulary.characters),
        "unknown": model.vocabulary.unknown,
        "card": model.card,
    }
    tensors = {k: v.detach().to("cpu", torch.float32).contiguous() for k, v in model.state_dict().items()}
    beside = path.with_name(path.name + ".part")
    safetensors.torch.save_file(tensors, beside, {"gatescope": json.dumps(header, ensure_ascii=True)})
    os.replace(beside, path)


def models() -> tuple[ModelInfo, ...]:
    """The shipped models, in the order in which a newcomer should meet them. Reads headers alone.

    Raises CheckpointError when a shipped file is damaged.
    """
    infos = [_info(path) for path in sorted(SHIPPED_MODELS.glob("*.safetensors"))]
    return tuple(sorted(infos, key=lambda i: (i.name.startswith("family"), "war" not in i.name, i.name)))


def load(name: str | Path) -> CharModel:
    """A shipped model by its name, or any checkpoint of ours by its path. In evaluation mode, float32, on the CPU.

    Raises CheckpointError, one sentence, when there is no such model, or when the file is damaged, foreign, of wrong
    shapes, not finite or too large. Nothing is unpickled.
    """
    path = Path(name)
    if path.suffix != ".safetensors":
        path = SHIPPED_MODELS / f"{Path(name).name}.safetensors"
        if not path.is_file() or Path(name).name != str(name):
            known = ", ".join(sorted(p.stem for p in SHIPPED_MODELS.glob("*.safetensors"))) or "none"
            raise CheckpointError(f"there is no model {str(name)!r}; shipped are {known}, or give a .safetensors file")
    header = _header(path)
    model = _build(path, header)
    try:
        tensors = safetensors.torch.load_file(path)
    except (OSError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{path.name} can't be read: {error}") from error
    _check_tensors(path, model, tensors)
    model.load_state_dict(tensors)
    return model.eval()


def _header(path: Path) -> dict[str, Any]:
    """The file's own description, checked for every key that is used."""
    if not path.is_file():
        raise CheckpointError(f"there is no file {path.name}")
    if path.stat().st_size > LARGEST_FILE:
        raise CheckpointError(f"{path.name} has {path.stat().st_size >> 20} MB; at most {LARGEST_FILE >> 20} MB are read")
    with path.open("rb") as file:
        start = file.read(2)
    if start in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        raise CheckpointError(f"{path.name} is a pickle or a zip archive, not safetensors; it is not opened, for it could run code")
    try:
        with safetensors.safe_open(path, "pt") as opened:
            metadata = opened.metadata() or {}
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{path.name} is not a whole safetensors file: {error}") from error
    if "gatescope" not in metadata:
        raise CheckpointError(f"{path.name} is a safetensors file, but not one of Gatescope's: it has no 'gatescope' header")
    try:
        header = json.loads(metadata["gatescope"])
    except (json.JSONDecodeError, RecursionError) as error:
        raise CheckpointError(f"the header of {path.name} is not JSON: {error}") from error
    wanted = {"format": int, "name": str, "config": dict, "vocabulary": list, "unknown": str, "card": dict}
    for key, kind in wanted.items():
        if not isinstance(header, dict) or not isinstance(header.get(key), kind):
            raise CheckpointError(f"the header of {path.name} has no {key!r} of kind {kind.__name__}")
    if header["format"] != FORMAT:
        raise CheckpointError(f"{path.name} has format {header['format']}; this version reads format {FORMAT}")
    return header


def _build(path: Path, header: Mapping[str, Any]) -> CharModel:
    """An unfilled model of the sizes that the header claims, if they are sane."""
    config = dict(header["config"])
    known = {"cell": str, "units": int, "layers": int, "embedding": (int, type(None)), "dropout": (int, float), "bias": bool, "head_bias": bool}  # fmt: skip
    for key, kind in known.items():
        value = config.get(key)
        if key not in config or not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise CheckpointError(f"the header of {path.name} gives {key!r} as {value!r}")
    for key, largest in LARGEST_SIZE.items():
        if config[key] is not None and not 1 <= config[key] <= largest:
            raise CheckpointError(f"{path.name} claims {key} = {config[key]}; it must be 1 to {largest}")
    if not all(isinstance(c, str) for c in header["vocabulary"]):
        raise CheckpointError(f"the vocabulary of {path.name} must be a list of characters")
    if not 0 <= config["dropout"] < 1:
        raise CheckpointError(f"{path.name} claims dropout = {config['dropout']}; it must be at least 0 and less than 1")
    _check_sizes(path, config, len(header["vocabulary"]))
    try:
        vocabulary = Vocabulary(header["vocabulary"], header["unknown"])
        with torch.device("meta"):
            model = CharModel(vocabulary, name=header["name"], **{k: config[k] for k in known})
    except ValueError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    model = model.to_empty(device="cpu")
    model.card = dict(header["card"])
    return model


def _check_sizes(path: Path, config: Mapping[str, Any], vocabulary: int) -> None:
    """Refuses sizes that the file is too small to hold, before any memory is asked for."""
    least = 4 * config["layers"] * config["units"] ** 2 + 4 * config["units"] * vocabulary
    if least > path.stat().st_size:
        raise CheckpointError(
            f"{path.name} claims {config['layers']} layers of {config['units']} units and {vocabulary} characters,"
            f" more than its {path.stat().st_size:,} bytes can hold"
        )


def _check_tensors(path: Path, model: CharModel, tensors: Mapping[str, torch.Tensor]) -> None:
    wanted = model.state_dict()
    for name in sorted(wanted.keys() | tensors.keys()):
        if name not in tensors:
            raise CheckpointError(f"{path.name} lacks the weights {name!r}")
        if name not in wanted:
            raise CheckpointError(f"{path.name} holds weights {name!r}, which a {model.cell.title} of its sizes does not have")
        given, shape = tensors[name], tuple(wanted[name].shape)
        if tuple(given.shape) != shape:
            raise CheckpointError(f"{path.name}: {name!r} has shape {tuple(given.shape)}, it must be {shape}")
        if not given.dtype.is_floating_point or not torch.isfinite(given).all():
            raise CheckpointError(f"{path.name}: {name!r} holds values that are not finite numbers")


def _info(path: Path) -> ModelInfo:
    header = _header(path)
    return ModelInfo(header["name"], path, header["config"], header["card"], len(header["vocabulary"]))
