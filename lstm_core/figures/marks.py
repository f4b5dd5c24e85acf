"""Lines across a plot that say where a limit lies."""

from __future__ import annotations

import math
from typing import Literal

import plotly.graph_objects as go

from lstm_core.figures import lettering, palette


def level(
    figure: go.Figure,
    value: float,
    words: str,
    theme: palette.Theme = "light",
    axis: str = "y",
    side: Literal["left", "right"] = "left",
    above: bool = True,
) -> None:
    """A dashed line across the plot at a value of a logarithmic y axis, with words at one of its ends, above or below it.

    value: above 0. words: any text; it is escaped. axis: "y", "y2", ... Raises ValueError for a value that such an axis can't
    show. Plotly's own add_hline puts its words elsewhere on a logarithmic axis.
    """
    if not 0 < value < math.inf:
        raise ValueError(f"a logarithmic axis can't show {value}: it needs a number above 0")
    figure.add_shape(
        type="line", xref="paper", x0=0, x1=1, yref=axis, y0=value, y1=value, layer="below", opacity=0.6,
        line={"color": palette.INK[theme], "width": 1, "dash": "dash"},
    )  # fmt: skip
    figure.add_annotation(
        xref="paper", x=0 if side == "left" else 1, yref=axis, y=math.log10(value), text=lettering.escaped(words),
        showarrow=False, xanchor=side, yanchor="bottom" if above else "top", font={"size": 11},
        bgcolor=palette.BACKGROUND[theme], opacity=0.85, borderpad=1,
    )  # fmt: skip
