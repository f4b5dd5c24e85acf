"""Models on disk: safetensors with a JSON header. Nothing is ever unpickled.

The header's metadata holds one key, "gatescope": JSON with the format's version, the name, the sizes, the
vocabulary and the card. The tensors are the model's state dict, under PyTorch's names.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
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
