"""A figure to a file: HTML, which is interactive, PNG, SVG and PDF."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go

from lstm_core.errors import DrawingError, InputError
from lstm_core.words import tr

FIGURE_CONFIG = {"displaylogo": False, "typesetMath": False, "responsive": True}
ENDINGS = (".html", ".png", ".svg", ".pdf")

_A = {"png": "A PNG", "svg": "An SVG", "pdf": "A PDF"}


def to_html(figure: go.Figure) -> str:
    """A figure as one HTML page that needs nothing else: plotly.js is inside (4.8 MB), nothing is fetched.

    Returns text to be saved as UTF-8. Source: Plotly's own HTML.
    """
    background = figure.layout.paper_bgcolor or "#ffffff"
    page = figure.to_html(include_plotlyjs=True, include_mathjax=False, full_html=True, config=FIGURE_CONFIG)
    style = f"<style>body{{margin:0;background:{background}}}</style>"
    head = f'<meta name="viewport" content="width=device-width"><title>Gatescope</title>{style}'
    return page.replace("</head>", f"{head}</head>", 1)


@cache
def can_draw() -> bool:
    """Whether `to_image` finds what it needs here: kaleido and a Chromium or Chrome. Source: kaleido."""
    if importlib.util.find_spec("kaleido") is None:
        return False
    from choreographer.browsers import Chromium  # kaleido's own way to find one

    return Chromium.find_browser(skip_local=False) is not None


def to_image(
    figure: go.Figure,
    kind: Literal["png", "svg", "pdf"] = "png",
    width: int | None = None,
    height: int | None = None,
    scale: float = 2,
) -> bytes:
    """A figure as a PNG, SVG or PDF file, drawn by kaleido in an installed Chromium; nothing is fetched.

    width, height: pixels (default: the figure's own, else 1000 x 500). scale: of a PNG's pixels.
    Raises InputError for another kind, DrawingError when kaleido or a Chromium is missing or fails.
    Source: kaleido.
    """
    if kind not in _A:
        raise InputError(tr('a picture is "png", "svg" or "pdf", not {kind!r}', kind=kind))
    if importlib.util.find_spec("kaleido") is None:
        raise DrawingError(tr("{a} needs the package kaleido: pip install kaleido, or save the figure as HTML.", a=_A[kind]))
    import kaleido  # optional: pictures can be taken in the browser as well
    from kaleido.errors import BrowserFailedError, ChromeNotFoundError

    size = {"width": width or figure.layout.width or 1000, "height": height or figure.layout.height or 500}
    try:
        return kaleido.calc_fig_sync(figure.to_dict(), opts={"format": kind, "scale": scale, **size}, kopts={"mathjax": False})
    except (BrowserFailedError, ChromeNotFoundError) as error:
        raise DrawingError(
            tr("{a} needs an installed Chromium or Chrome that starts: install one, or save the figure as HTML.", a=_A[kind])
        ) from error


def check_ending(path: str | os.PathLike[str]) -> str:
    """The ending of a picture's file, one of ".html", ".png", ".svg" and ".pdf", in small letters.

    Raises InputError for another; the message names these.
    """
    kind = Path(path).suffix.lower()
    if kind not in ENDINGS:
        raise InputError(
            tr("a picture's file ends in .html, .png, .svg or .pdf, and {fspath!r} does not", fspath=os.fspath(path))
        )
    return kind


def write(figure: go.Figure, path: str | os.PathLike[str]) -> None:
    """A figure as a file, in the format that its name's ending says: .html, which is interactive, .png, .svg or .pdf.

    Raises InputError for another ending, OSError, and DrawingError where `to_image` does.
    """
    kind = check_ending(path)
    data = to_html(figure).encode() if kind == ".html" else to_image(figure, kind[1:])  # type: ignore[arg-type]
    Path(path).write_bytes(data)
