"""List the shipped models."""

from __future__ import annotations

import json
import math
from argparse import Namespace
from typing import Any

import safetensors

from lstm_core import model_file
from lstm_core.command_line import _common as common


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        "For each: its cell, its sizes, the text it was trained on, its held-out loss in nats per character, and its steps.",
        ("", "--json"),
    )
    command.add_argument("--json", action="store_true", help="Print everything that is known of each model, as JSON.")


def run(arguments: Namespace) -> int:
    """Prints the shipped models, as a table or as JSON. Returns 0."""
    shipped = model_file.models()
    if arguments.json:
        print(json.dumps([_facts(info) for info in shipped], ensure_ascii=False, indent=2))
        return 0
    if not shipped:
        common.remark("No models are shipped with this copy.")
    rows = [("name", "cell", "layers x units", "parameters", "corpus", "held-out loss", "steps")]
    for facts in map(_facts, shipped):
        config, card = facts["config"], facts["card"]
        size, loss = f"{config['layers']} x {config['units']}", card.get("held_out_loss", math.nan)
        row = facts["name"], config["cell"], size, f"{facts['parameters']:,}", card.get("corpus", "unknown")
        rows.append((*row, f"{loss:.4f}", f"{card.get('steps', 0):,}"))
    for line in common.table(rows, right=(3, 5, 6)):
        print(line)
    return 0


def _facts(info: model_file.ModelInfo) -> dict[str, Any]:
    """What is known of a shipped model; the parameters are counted in the file's header."""
    with safetensors.safe_open(info.path, "pt") as file:
        names = file.keys()
        parameters = sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    return {
        "name": info.name,
        "file": info.path.name,
        "parameters": parameters,
        "vocabulary": info.vocabulary,
        "config": dict(info.config),
        "card": dict(info.card),
    }
