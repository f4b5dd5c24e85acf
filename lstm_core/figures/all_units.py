"""One unit beside all others of its layer: one number a unit, sorted, with the one in question marked."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lstm_core.errors import InputError
from lstm_core.figures import palette, paper
from lstm_core.numbers import fixed
from lstm_core.trace import Trace
from lstm_core.words import tr

HEIGHT = 220  # pixels of the plot


def all_units(
    values: np.ndarray,
    unit: int,
    title: str,
    note: str,
    limits: tuple[float, float] | None = None,
    colour: str = "hidden",
    theme: palette.Theme = "light",
    width: int | None = None,
    of: Trace | None = None,
) -> go.Figure:
    """A bar for each unit, the highest first; the bar of one unit stands out in ink, with its number.

    values: float (unit,). unit: counted from 0. title, note: what the numbers are, and of which model, character and layer,
    written by us or `lettering.escaped`. limits: of the axis (default: those of the values). colour: the signal whose colour
    the other bars have. width: pixels to lay out for. of: the trace
    that the numbers belong to, whose text and convention the caption tells (default: none).
    Raises InputError for a unit that `values` lacks and for an unknown theme.
    """
    if not 0 <= unit < len(values):
        raise InputError(
            tr("there is no unit {unit} among {values_count}: they are counted from 0", unit=unit, values_count=len(values))
        )
    figure = go.Figure(layout=paper.theme_layout(theme))
    top = paper.write_above(figure, title, [note], width, 30, [] if of is None else [of])
    order = np.argsort(-values, kind="stable")
    place = int(np.flatnonzero(order == unit)[0])
    bars = [palette.SIGNAL_COLOURS.get(colour, palette.SIGNAL_COLOURS["hidden"])] * len(values)
    bars[place] = palette.INK[theme]
    figure.add_bar(
        y=values[order], customdata=order, marker={"color": bars, "line": {"width": 0}},
        hovertemplate="unit %{customdata}: %{y:.4f}<extra></extra>",
    )  # fmt: skip
    low, high = limits or (min(0.0, float(values.min())), max(0.0, float(values.max())) or 1.0)
    room = 0.04 * (high - low)
    figure.add_vline(x=place, line={"color": palette.INK[theme], "width": 1, "dash": "dot"}, layer="below")
    figure.add_annotation(
        text=tr("<b>unit {unit}: {fixed}</b>", unit=unit, fixed=fixed(values[unit], 2)),
        x=place, yref="paper", y=1, yanchor="bottom",
        showarrow=False, xanchor="left" if place < len(values) / 2 else "right",
    )  # fmt: skip
    figure.update_layout(height=top + HEIGHT + 44, showlegend=False, bargap=0, margin={"l": 48, "r": 16, "b": 44})
    figure.update_xaxes(title={"text": tr("units, the highest first"), "standoff": 4}, showticklabels=False, showgrid=False)
    figure.update_xaxes(range=[-1, len(values)], zeroline=False)
    figure.update_yaxes(range=[low - (room if low < 0 else 0), high + room], zerolinecolor=palette.INK[theme])
    return figure
