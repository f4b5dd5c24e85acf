"""Open the app in the browser."""

from __future__ import annotations

import os
import runpy
import sys
from argparse import Namespace
from typing import Any

from lstm_core.command_line import _common as common
from lstm_core.places import APP

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")  # on Linux one of these is set where a browser can show itself


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
A server for this computer alone, at http://127.0.0.1:8501 or the next port that is free; Ctrl-C ends it.
Settings are Streamlit's. They come from the file .streamlit/config.toml that belongs to the app; a variable of
the environment, such as STREAMLIT_SERVER_ADDRESS, outranks it; the config.toml of another folder does not.""",
        ("", "--port 8502 --no-browser"),
    )
    command.add_argument("--port", type=common.at_least(int, 1), metavar="N", help="The port to listen at.")
    command.add_argument("--no-browser", action="store_true", help="Serve, but open no browser.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Serves the app until it is stopped. Returns 0; leaves by SystemExit with Streamlit's own code where that ends first."""
    if not arguments.no_browser and (not sys.platform.startswith("linux") or any(map(os.environ.get, _SCREENS))):
        os.environ.setdefault("STREAMLIT_SERVER_HEADLESS", "false")
    port = [] if arguments.port is None else ["--server.port", str(arguments.port)]
    sys.argv = ["streamlit", "run", str(APP / "app.py"), *port]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)  # by name: the core imports no Streamlit
    return 0
