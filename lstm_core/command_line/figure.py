"""Draw what a model's gates did while it read a text."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from lstm_core import numbering
from lstm_core.command_line import _common as common

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.model import CharModel
    from lstm_core.trace import Trace

KINDS = ("heatmaps", "lines", "bars")


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
The pictures:
  heatmaps  Every gate and state of a layer under the characters.
  lines     One unit's gates and states over the text.
  bars      What one unit kept of its past at one character, and what was written.
The file's name says its format: .html is interactive and needs nothing else; .png, .svg and .pdf are drawn
by an installed Chromium or Chrome, with the package kaleido. The caption tells model, text, layer, unit,
convention and version.""",
        (
            'heatmaps war-and-peace-lstm --text "the clouds are in the sky" --layer 2 -o clouds.html',
            'lines family-gru --text "the clouds" --unit 7 -o unit-7.pdf',
            "bars family-lstm --unit 3 --character 5 - -o bars.svg < poem.txt",
        ),
    )
    command.add_argument("kind", choices=KINDS, metavar="PICTURE", help="One of the pictures above.")
    common.add_model(command)
    common.add_text(command)
    whole = common.at_least(int, 1)
    command.add_argument("--layer", type=whole, default=1, metavar="N", help="The layer. The default is 1.")
    command.add_argument("--character", type=whole, metavar="N", help="Of bars, and marked in lines. The default is the last.")
    unit = common.at_least(int, 0)
    command.add_argument("--unit", type=unit, default=0, metavar="N", help="The unit, counted from 0. The default is 0.")
    command.add_argument("--theme", choices=("light", "dark"), default="light", help="The default is light.")
    command.add_argument("--width", type=common.at_least(int, 300), default=1000, metavar="N", help="Pixels: 1000 by default.")
    command.add_argument("-o", "--output", required=True, metavar="FILE", help="Where it goes: .html, .png, .svg or .pdf.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Writes the picture, and prints what it shows. Returns 0."""
    from lstm_core import checkpoint, figure_file
    from lstm_core.tracing import trace

    figure_file.check_ending(arguments.output)
    model = checkpoint.load(arguments.model)
    read = trace(model, common.text(arguments))
    figure_file.write(_drawn(model, read, arguments), arguments.output)
    print(f"{arguments.output}: {arguments.kind} of layer {arguments.layer} of {model.name}")
    return 0


def _drawn(model: CharModel, read: Trace, arguments: Namespace) -> go.Figure:
    from lstm_core.analysis.explain import explain
    from lstm_core.figures.bars import kept_and_written
    from lstm_core.figures.heatmaps import gate_heatmaps
    from lstm_core.figures.unit_lines import unit_lines

    layer, unit, drawn = (
        numbering.index("layer", arguments.layer),
        arguments.unit,
        {"theme": arguments.theme, "width": arguments.width},
    )
    step = read.steps - 1 if arguments.character is None else numbering.index("character", arguments.character)
    read.check(layer, step, unit)
    if arguments.kind == "heatmaps":
        return gate_heatmaps(read, layer, **drawn)
    if arguments.kind == "lines":
        return unit_lines(read, layer, unit, None if arguments.character is None else step, **drawn)
    return kept_and_written(explain(model, read, layer, step, unit), **drawn)
