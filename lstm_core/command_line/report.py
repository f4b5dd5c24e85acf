"""Write a whole reading as one HTML page that opens without a network and without a server."""

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
units can read about 1,400 characters.""",
        (
            "--model war-and-peace-lstm --text-file scene.txt -o report.html",
            '--model family-gru --text "the clouds are in the sky" --unit 7 -o report.html',
        ),
    )
    command.add_argument("--model", required=True, metavar="MODEL", help="A shipped model's name, or a .safetensors file.")
    common.add_text(command)
    whole = common.at_least(int, 1)
    command.add_argument("--layer", type=whole, default=1, metavar="N", help="Whose cell is drawn. The default is 1.")
    command.add_argument("--character", type=whole, metavar="N", help="The pinned character.")
    command.add_argument("--unit", type=common.at_least(int, 0), metavar="N", help="The pinned unit, counted from 0.")
    command.add_argument("-o", "--output", required=True, metavar="FILE.html", help="Where the page goes.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Writes the page, and prints its size and the loss. Returns 0."""
    from lstm_core import checkpoint, report
    from lstm_core.tracing import trace

    if Path(arguments.output).suffix.lower() not in (".html", ".htm"):
        raise common.UsageError(tr("--output must end in .html, and {arguments.output} does not", arguments=arguments))
    model = checkpoint.load(arguments.model)
    read = trace(model, common.text(arguments))
    step = None if arguments.character is None else numbering.index("character", arguments.character)
    page = report.build(model, read, numbering.index("layer", arguments.layer), step, arguments.unit).encode("utf-8")
    Path(arguments.output).write_bytes(page)
    print(f"{arguments.output}: {len(page) / 1e6:.1f} MB, opens in a browser from the disk")
    print(f"loss: {common.nats(read.loss)}")
    return 0
