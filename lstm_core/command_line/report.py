"""Write a whole reading as one HTML page that opens without a network and without a server, or a page that reads new text."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from lstm_core import numbering
from lstm_core.command_line import _common as common
from lstm_core.words import tr


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
In it: every gate of every layer under one cursor, the cell's drawing alive, the equations with the numbers of
one unit, the certificate, the loss, and the model's card. Its numbers may take 32 MB: a model of 2 x 256
units can read about 1,400 characters.

With --live the page reads what is typed into it: in it are the gates of every layer, the drawing of the cell, the
model's weights, and what runs them, under 6 MB for a model of 2 x 256 units. It compares what it computes for its first
text with torch's trace, and says so. Several models go into one page: --live MODEL --live MODEL.""",
        (
            "--model war-and-peace-lstm --text-file scene.txt -o report.html",
            '--model family-gru --text "the clouds are in the sky" --unit 7 -o report.html',
            "--live war-and-peace-lstm -o page.html",
        ),
    )
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", metavar="MODEL", help="A shipped model's name, or a .safetensors file.")
    which.add_argument("--live", action="append", metavar="MODEL", help="The same, for a page that reads what is typed.")
    common.add_text(command, required=False)  # with --live an example is there
    whole = common.at_least(int, 1)
    command.add_argument(
        "--layer", type=whole, metavar="N", help="Whose cell is drawn. The default is 1. With --live: the only one shown."
    )
    command.add_argument("--character", type=whole, metavar="N", help="The pinned character.")
    command.add_argument("--unit", type=common.at_least(int, 0), metavar="N", help="The pinned unit, counted from 0.")
    command.add_argument("-o", "--output", required=True, metavar="FILE.html", help="Where the page goes.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Writes the page, and prints its size and, of a page with one reading, the loss. Returns 0."""
    from lstm_core import checkpoint, examples, report
    from lstm_core.tracing import trace

    if Path(arguments.output).suffix.lower() not in (".html", ".htm"):
        raise common.UsageError(tr("--output must end in .html, and {arguments.output} does not", arguments=arguments))
    text = common.optional_text(arguments)
    layer = None if arguments.layer is None else numbering.index("layer", arguments.layer)
    if arguments.live:
        if arguments.unit is not None or arguments.character is not None:
            raise common.UsageError(tr("--unit and --character go with --model: a page that reads by itself has no fixed text"))
        models = [checkpoint.load(name) for name in arguments.live]
        _write(arguments.output, report.build_live(models, examples.text_for(models[0].name) if text is None else text, layer))
        return 0
    if text is None:
        raise common.UsageError(tr("a report needs a text: --text, --text-file or -"))
    model = checkpoint.load(arguments.model)
    read = trace(model, text)
    step = None if arguments.character is None else numbering.index("character", arguments.character)
    _write(arguments.output, report.build(model, read, layer or 0, step, arguments.unit))
    print(f"loss: {common.nats(read.loss)}")
    return 0


def _write(path: str, page: str) -> None:
    sent = page.encode("utf-8")
    Path(path).write_bytes(sent)
    print(f"{path}: {len(sent) / 1e6:.1f} MB, opens in a browser from the disk")
