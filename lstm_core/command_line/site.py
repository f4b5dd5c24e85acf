"""Write a folder for a static host: a page that reads what is typed into it for each model, and one that leads to them."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from lstm_core.command_line import _common as common
from lstm_core.words import tr


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
Each page is what `report --live` writes: it holds its model and fetches nothing. Any host that serves files will
do; the pages open from a disk too. Begin with index.html.""",
        ("-o site", "family-lstm family-gru mine.safetensors -o site"),
    )
    command.add_argument("models", nargs="*", metavar="MODEL", help="Names or .safetensors files. The default is all shipped.")
    command.add_argument("-o", "--output", required=True, metavar="FOLDER", help="Where the files go; it is made if need be.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Writes the files, and prints the size of each as it is written. Returns 0."""
    from lstm_core import checkpoint, model_file, site

    models = [checkpoint.load(name) for name in arguments.models or [info.name for info in model_file.models()]]
    folder = Path(arguments.output)
    for file, page in site.pages(models):
        sent = page.encode("utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(sent)
        print(tr("{path}: {size:.1f} MB", path=folder / file, size=len(sent) / 1e6), flush=True)
    return 0
