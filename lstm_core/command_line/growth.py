"""Read one text with a model at every checkpoint of its training."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lstm_core.command_line import _common as common

if TYPE_CHECKING:
    from lstm_core.analysis.growth import Stage


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
NAME is a shipped life (the command life lists them), or a file that life has made. Printed for each checkpoint:
its loss on the held-out text that its card names, its loss on this text, the mean of what its units keep of their
state (of an LSTM the forget gate), and their median half-life in characters. Several lives stand one below the other.""",
        ('lstm --text "the clouds are in the sky"', "lstm lstm-bias-0 lstm-bias-2 --text-file sample.txt",
         'gru --text "to be" --characters'),
    )  # fmt: skip
    command.add_argument("names", nargs="+", metavar="NAME", help="A life's name, or a .safetensors file of one.")
    group = command.add_mutually_exclusive_group(required=True)
    group.add_argument("--text", type=common.typed, metavar="TEXT", help="The text itself.")
    group.add_argument("--text-file", metavar="FILE", help="A file that holds the text.")
    command.add_argument(
        "--characters", action="store_true", help="Print the surprise at each character, in nats, for every checkpoint."
    )
    common.add_threads(command)
    command.set_defaults(stdin=None)


def run(arguments: Namespace) -> int:
    """Prints a table a life. Returns 0."""
    from lstm_core.analysis import growth
    from lstm_core.life import life

    text = common.text(arguments)
    for name in arguments.names:
        one = life(name)
        stages = growth.stages(one, text)
        print(f"{one.name}: {one.config['cell']}, {one.config['units']} units")
        rows = _surprises(stages) if arguments.characters else _losses(stages)
        for line in common.table(rows, right=tuple(range(len(rows[0])))):
            print(line)
    return 0


def _losses(stages: Sequence[Stage]) -> list[tuple[str, ...]]:
    from lstm_core.analysis import growth

    keeps = growth.keeps(stages[0].trace)
    rows: list[tuple[str, ...]] = [
        ("step", "characters", "held-out loss", "loss here", *(("keeps", "half-life") if keeps else ()))
    ]
    for stage in stages:
        row = f"{stage.step:,}", f"{stage.characters:,}", _nats(stage.loss), _nats(stage.trace.loss)
        gates = (f"{growth.mean_keep(stage.trace):.4f}", f"{growth.median_half_life(stage.trace):.2f}") if keeps else ()
        rows.append((*row, *gates))
    return rows


def _surprises(stages: Sequence[Stage]) -> list[tuple[str, ...]]:
    rows = [("character", *(f"step {stage.step:,}" for stage in stages))]
    for place, character in enumerate(stages[0].trace.chars):
        rows.append((repr(character), *(_nats(stage.trace.surprise[place]) for stage in stages)))
    return rows


def _nats(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4f}"
