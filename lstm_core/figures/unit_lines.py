"""One unit's gates and states as lines over the typed characters."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_core import numbering
from lstm_core.figures import lettering, palette, paper
from lstm_core.trace import Trace
from lstm_core.words import tr

MOST_MARKERS = 40  # on one line; more would hide it
HEIGHT = 250  # pixels of the plot
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
READABLE = 200  # steps that a line chart opens with


def unit_lines(
    trace: Trace,
    layer: int,
    unit: int,
    step: int | None = None,
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """The lines of one unit over time, one a signal, told apart by colour, dash and marker.

    layer, unit, step: counted from 0. step: the pinned one, marked (default: none). The axis runs from -1 to 1; a state
    that leaves that range has an axis of its own on the right. width: pixels to lay out for.
    Raises InputError for a layer, unit or step that the trace lacks, or an unknown theme.
    """
    trace.check(layer, step or 0, unit)
    figure = go.Figure(layout=paper.theme_layout(theme))
    beyond = [name for name in trace.signals if np.abs(trace[name][layer, :, unit]).max() > 1]
    for k, name in enumerate(trace.signals):
        figure.add_trace(_line(trace, name, layer, unit, k, theme, "y2" if name in beyond else "y"))
    where = tr(
        "layer {layer} of {trace.layers}, {escaped}, “{snippet}”",
        layer=numbering.layer(layer),
        trace=trace,
        escaped=lettering.escaped(trace.model),
        snippet=lettering.snippet(trace.text),
    )
    notes = f"{lettering.escaped(paper.convention(trace))} {paper.version()}."
    top = paper.write_above(
        figure, tr("Unit {unit} over time", unit=unit), [where, notes], width, paper.letters_height([trace], width) + 12
    )
    figure.update_layout(height=top + HEIGHT + 70, hovermode="x unified", legend=_LEGEND, yaxis=_axis(theme))
    if beyond:
        figure.update_layout(yaxis2=_own_axis(trace, beyond, layer, unit))
    figure.update_layout(margin={"b": 60})
    paper.time_axis(figure, [trace], theme, width)
    figure.update_xaxes(side="top", anchor="y", showspikes=False)
    if trace.steps > READABLE:  # more lines than eyes can follow: open about the pinned step, zoom out for the rest
        first = min(max((step or 0) - READABLE // 2, 0), trace.steps - READABLE)
        figure.update_xaxes(range=[first - 0.5, first + READABLE - 0.5])
    if step is not None:
        figure.add_vline(x=step, line={"color": palette.INK[theme], "width": 1.5, "dash": "dot"}, layer="below")
    return figure


_LEGEND = {"orientation": "h", "x": 0, "y": -0.04, "yanchor": "top", "itemwidth": 40}


def _line(trace: Trace, name: str, layer: int, unit: int, place: int, theme: palette.Theme, axis: str) -> go.Scatter:
    signal = trace.cell[name]
    symbol = lettering.plain_symbol(signal.symbol)
    beside = tr(" (right axis)") if axis == "y2" else ""
    return go.Scatter(
        y=trace[name][layer, :, unit], name=f"{symbol}  {signal.title}{beside}", yaxis=axis, mode="lines+markers",
        line={"color": palette.SIGNAL_COLOURS.get(name, palette.INK[theme]), "width": 2, "dash": DASHES[place % len(DASHES)]},
        marker={"symbol": MARKERS[place % len(MARKERS)], "size": 7, "maxdisplayed": MOST_MARKERS},
        hovertemplate="%{y:.4f}",
    )  # fmt: skip


def _axis(theme: palette.Theme) -> dict[str, Any]:
    return {
        "range": [-1.05, 1.05],
        "tickvals": [-1, -0.5, 0, 0.5, 1],
        "zerolinecolor": palette.INK[theme],
        "zerolinewidth": 0.5,
    }


def _own_axis(trace: Trace, names: list[str], layer: int, unit: int) -> dict[str, Any]:
    """An axis on the right, its 0 at the height of the left one's."""
    most = palette.rounded_up(max(float(np.abs(trace[name][layer, :, unit]).max()) for name in names))
    symbols = ", ".join(lettering.plain_symbol(trace.cell[name].symbol) for name in names)
    return {
        "overlaying": "y", "side": "right", "range": [-1.05 * most, 1.05 * most],
        "tickvals": [k * most / 2 for k in range(-2, 3)],
        "title": {"text": symbols, "standoff": 6}, "showgrid": False, "zeroline": False,
    }  # fmt: skip
