"""Say what a saved trace holds."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from lstm_core.command_line import _common as common
from lstm_core.words import tr_n

LONGEST = 60  # characters of the text that are printed


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
The file is one that the command trace wrote, or that was downloaded: .npz, .zip with CSV, or .parquet; its
content tells which. Printed are the model, the cell and its convention, the text, the sizes, the loss in nats
per character, what was held, and the least, mean and largest value of every signal.""",
        ("clouds.npz", "clouds.parquet --json"),
    )
    command.add_argument("file", metavar="FILE", help="A saved trace.")
    command.add_argument("--json", action="store_true", help="Print the same as JSON, with the whole text.")


def run(arguments: Namespace) -> int:
    """Prints what is in the file, as lines or as JSON. Returns 0."""
    from lstm_core.trace import Trace

    facts = _facts(Trace.load(arguments.file))
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return 0
    text = facts["text"]
    shown = repr(text[:LONGEST]) + (
        f" and {tr_n('{n:,} more character', '{n:,} more characters', len(text) - LONGEST)}" if text[LONGEST:] else ""
    )
    print(f"model: {facts['model']}, {facts['cell']}")
    if facts["convention"]:
        print(f"convention: {facts['convention']}")
    print(f"text: {shown}")
    print(f"sizes: {facts['layers']} x {facts['steps']} x {facts['units']} (layers x steps x units)")
    print(f"loss: {common.nats(float('nan') if facts['loss'] is None else facts['loss'])}")
    for sentence in facts["held"]:
        print(f"held: {sentence}")
    rows = [("signal", "least", "mean", "largest")]
    rows += [(name, *(f"{value:.4f}" for value in values.values())) for name, values in facts["signals"].items()]
    for line in common.table(rows, right=(1, 2, 3)):
        print(line)
    return 0


def _facts(trace: Any) -> dict[str, Any]:
    from lstm_core.clamp import described

    held = [described(clamp, trace.cell, trace.layers, trace.units) for clamp in trace.clamps]
    return {
        "model": trace.model,
        "cell": trace.cell.title,
        "convention": trace.cell.note,
        "text": trace.text,
        "layers": trace.layers,
        "steps": trace.steps,
        "units": trace.units,
        "loss": None if trace.loss != trace.loss else trace.loss,  # NaN is no JSON
        "held": held,
        "signals": {name: _spread(trace[name]) for name in trace.signals},
    }


def _spread(values: Any) -> dict[str, float]:
    return {"least": float(values.min()), "mean": float(values.mean(dtype=float)), "largest": float(values.max())}
