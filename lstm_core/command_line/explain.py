"""Put the numbers of one unit at one character into every equation of its cell."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from lstm_core import numbering
from lstm_core.command_line import _common as common

if TYPE_CHECKING:
    from lstm_core.analysis.explain import Line, Split


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
For each signal: its value, and what it is the sum of: what was kept and what was written, or what the
squashing function was given, split by where it came from: x, h, C and the biases. The written parts add up.""",
        (
            'war-and-peace-lstm --text "the clouds are" --layer 2 --unit 17 --character 5',
            'family-gru --text "the clouds" --json',
        ),
    )
    common.add_model(command)
    common.add_text(command)
    whole = common.at_least(int, 1)
    command.add_argument("--layer", type=whole, default=1, metavar="N", help="The layer. The default is 1.")
    command.add_argument("--character", type=whole, metavar="N", help="Which of the text. The default is the last.")
    unit = common.at_least(int, 0)
    command.add_argument("--unit", type=unit, default=0, metavar="N", help="The unit, counted from 0. The default is 0.")
    command.add_argument("--json", action="store_true", help="Print the same as JSON, with the equations in LaTeX.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Prints a line a signal, or all of it as JSON. Returns 0."""
    from lstm_core import checkpoint
    from lstm_core.analysis.explain import explain
    from lstm_core.tracing import trace

    model = checkpoint.load(arguments.model)
    read = trace(model, common.text(arguments))
    step = read.steps - 1 if arguments.character is None else numbering.index("character", arguments.character)
    explained = explain(model, read, numbering.index("layer", arguments.layer), step, arguments.unit)
    if arguments.json:
        print(json.dumps([_facts(line) for line in explained.lines], indent=2))
        return 0
    where = f"layer {arguments.layer}, unit {arguments.unit}, character {numbering.character(step)}"
    print(f"{model.name}, {where}: {explained.character!r}")
    for line in common.table([(line.name, line.shown, _sum(line)) for line in explained.lines], right=(1,)):
        print(line)
    return 0


def _sum(line: Line) -> str:
    if line.preactivation is not None:
        return f"squashed {line.preactivation.total} = {_parts(line.preactivation)}"
    return "" if line.terms is None else _parts(line.terms)


def _parts(split: Split) -> str:
    return " + ".join(f"{part.label} {part.written}" for part in split.parts)


def _facts(line: Line) -> dict[str, Any]:
    split = line.preactivation or line.terms
    parts = [] if split is None else [{"label": p.label, "latex": p.latex, "value": p.value} for p in split.parts]
    return {
        "signal": line.name,
        "value": line.value,
        "equation": line.equation,
        "numbers": line.numbers,
        "squashed": None if line.preactivation is None else line.preactivation.value,
        "parts": parts,
    }
