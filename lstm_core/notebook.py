"""What a notebook shows of a trace: a small card of HTML with pictures inside, without scripts."""

from __future__ import annotations

import base64
import html
import math
import struct
import zlib

import numpy as np

from lstm_core.figures import lettering, palette, paper
from lstm_core.formula import Signal
from lstm_core.numbers import short
from lstm_core.trace import Trace
from lstm_core.words import tr

MOST_COLUMNS, MOST_ROWS = 120, 64  # of a picture: with them the whole card has at most 100 kB
MOST_LETTERS = 240  # of the text above the pictures
NARROWEST, WIDEST, COLUMN = 160, 720, 8  # pixels of a picture, and of one of its columns where there is room


def as_html(trace: Trace) -> str:
    """A trace at a glance: model, text, sizes, loss, convention, and the top layer's signals as small heatmaps.

    Shows the first 120 characters and the 64 units whose h moves most there, and says so where there are more. Returns HTML
    of at most 100 kB that runs no script and fetches nothing; all words of a text or a file in it are escaped.
    Source: the trace itself; PNG (RFC 2083).
    """
    columns = min(trace.steps, MOST_COLUMNS)
    units = _most_varied(trace, columns)
    rows = "".join(_row(trace, trace.cell[name], units, columns) for name in trace.signals)
    facts = "".join(f"<div>{sentence}</div>" for sentence in _facts(trace, columns, len(units)))
    colours = f"background:{palette.BACKGROUND['light']};color:{palette.INK['light']}"
    return (
        f'<div style="{colours};padding:12px 16px;max-width:960px;font:13px/1.5 sans-serif;overflow-x:auto">'
        f"<b>Trace of {lettering.escaped(trace.model)}</b>{facts}"
        f'<table style="border-collapse:collapse;margin-top:8px;color:inherit;font:inherit">{rows}</table></div>'
    )


def _facts(trace: Trace, columns: int, units: int) -> list[str]:
    steps = tr("{trace.steps:,} step{value}", trace=trace, value="" if trace.steps == 1 else "s")
    sizes = tr(
        "{steps}, {trace.layers} layer{value} of {trace.units} units",
        steps=steps,
        trace=trace,
        value="" if trace.layers == 1 else "s",
    )
    loss = (
        ""
        if math.isnan(trace.loss)
        else tr(
            ", loss {trace.loss:.3f} nats a {removesuffix}", trace=trace, removesuffix=trace.vocabulary.reads.removesuffix("s")
        )
    )
    shown = tr("Below: layer {trace.layers} of {trace.layers}", trace=trace)
    if units < trace.units:
        shown += tr(", the {units} units whose h moves most", units=units)
    if columns < trace.steps:
        shown += tr(", the first {columns} steps; figures.heatmaps.gate_heatmaps draws the rest", columns=columns)
    return [
        f'<span style="font-family:monospace">“{lettering.snippet(trace.text, MOST_LETTERS)}”</span>',
        f"{sizes}{loss}",
        f"{lettering.escaped(paper.convention(trace))}",
        f"{shown}. {paper.version()}.",
    ]


def _most_varied(trace: Trace, columns: int) -> np.ndarray:
    """The units whose h of the top layer moves most in the first columns, by number: int64 (at most 64,)."""
    moves = np.ptp(trace["hidden"][-1, :columns], axis=0)
    return np.sort(np.argsort(-moves, kind="stable")[:MOST_ROWS])


def _row(trace: Trace, signal: Signal, units: np.ndarray, columns: int) -> str:
    values = trace[signal.name][-1, :columns][:, units].T
    low, high = signal.range
    if not math.isfinite(high - low):
        high = palette.colour_limit(values.T)[0]
        low = -high
    scale = palette.scale_of(signal)
    colours = np.rint((values - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)
    data = base64.b64encode(_png(colours, palette.lut(scale))).decode()
    width = min(max(COLUMN * columns, NARROWEST), WIDEST)
    label = f"{lettering.plain_symbol(signal.symbol)}  {signal.title}"
    ends = tr("{short} to {short_2}", short=short(low, 3), short_2=short(high, 3))
    cell = tr("padding:2px 12px 2px 0;text-align:left;white-space:nowrap")
    return (
        f'<tr><td style="{cell}">{html.escape(label)}<br><small>colours: {ends}</small></td><td style="padding:2px 0">'
        f'<img alt="{html.escape(label)}" src="data:image/png;base64,{data}" width="{width}" height="{max(len(units), 24)}"'
        ' style="image-rendering:pixelated;border:1px solid #8888;max-width:none"></td></tr>'
    )


def _png(indices: np.ndarray, colours: np.ndarray) -> bytes:
    """A picture as PNG: uint8 (height, width), each the number of one of 256 colours, uint8 (256, 3)."""
    height, width = indices.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1).tobytes()  # each begins with its filter, none
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (b"IHDR", header), (b"PLTE", colours.tobytes()), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(named: tuple[bytes, bytes]) -> bytes:
    name, data = named
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
