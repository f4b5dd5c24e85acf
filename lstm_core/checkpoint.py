"""Models to files and from files. What a file holds, `model_file` says, which needs no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from lstm_core import model_file
from lstm_core.errors import FileError, InputError
from lstm_core.model import CharModel
from lstm_core.model_file import CONFIG, FORMAT
from lstm_core.words import tr


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


def load(name: str | Path) -> CharModel:
    """A shipped model by its name, or any checkpoint of ours by its path. In evaluation mode, float32, on the CPU.

    name: as `models` lists it, or a path that ends in .safetensors. Raises CheckpointError, one sentence, when there is
    no such model, or when the file is damaged, foreign, of wrong shapes, not finite or too large (over 1 GiB). Nothing is
    unpickled. Source: the safetensors format, version 0.
    """
    file = model_file.read(name)
    weights = {key: torch.from_numpy(values) for key, values in file.weights().items()}
    with torch.device("meta"):
        sizes = {key: file.config[key] for key in CONFIG if key != "cell"}
        model = CharModel(file.vocabulary, file.cell, name=file.name, **sizes)
    model.card = dict(file.card)
    model.load_state_dict(weights, assign=True)
    return model.eval()
