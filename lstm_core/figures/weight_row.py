"""One unit's row of W, the vectors that it is multiplied with, and their products: cut where h ends and x begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from lstm_core.figures import lettering, palette, paper
from lstm_core.numbers import short
from lstm_core.trace import Trace
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.analysis.matrix import Row

STRIP = 34  # pixels of one strip
GAP = 30  # pixels between two: room for its name
LABELS = 20  # pixels above the strips for the names of the pieces


def weight_row(
    row: Row, where: str, theme: palette.Theme = "light", width: int | None = None, of: Trace | None = None
) -> go.Figure:
    """Three strips, as wide as the row of W: its weights, the joined vectors, and the products that add up to the shares.

    row: as `analysis.matrix` gives it. where: model, unit and character, as people read it. The strips are diverging about
    0: weights and products to limits taken from the data and printed, the vectors to their largest value, 1 or more. A line
    stands where one vector ends and the next begins. width: pixels to lay out for. of: the trace that
    was read, whose text and convention the caption tells (default: none).
    Raises InputError for an unknown theme. Source: W · [h, x] = W_h h + W_x x.
    """
    figure = go.Figure(layout=paper.theme_layout(theme))
    weights, vector = (np.concatenate([getattr(p, name) for p in row.pieces]) for name in ("weights", "vector"))
    joined = ", ".join(lettering.plain_formula(p.latex) for p in row.pieces)
    strips = {"weights of the row": weights, f"what it reads: {joined}": vector, "products, weight × number": weights * vector}
    limits = [palette.rounded_up(float(np.abs(v).max())) or 1.0 for v in strips.values()]
    limits[1] = max(limits[1], 1.0)
    title = tr("The row of W for {plain_formula}", plain_formula=lettering.plain_formula(row.line.symbol + "_{t}"))
    ends = ", ".join(f"{name.split(':')[0].split(',')[0]} ±{short(limit, 3)}" for name, limit in zip(strips, limits))
    notes = [f"{lettering.escaped(where)}.", tr("Blue below 0, orange above; colours end at: {ends}.", ends=ends)]
    top = paper.write_above(figure, title, notes, width, LABELS + GAP, [] if of is None else [of])
    plot = len(strips) * STRIP + (len(strips) - 1) * GAP
    for k, ((name, values), limit) in enumerate(zip(strips.items(), limits)):
        axis = "y" if k == 0 else f"y{k + 1}"
        upper = 1 - k * (STRIP + GAP) / plot
        figure.add_trace(_strip(name, values, row, limit, axis, theme))
        domain = [max(0.0, upper - STRIP / plot), upper]
        figure.update_layout({axis.replace("y", "yaxis"): {"domain": domain, "visible": False, "fixedrange": True}})
        figure.add_annotation(
            text=name, xref="paper", yref="paper", x=0, y=upper, xanchor="left", yanchor="bottom", showarrow=False,
            font={"size": 12},
        )  # fmt: skip
    _mark_pieces(figure, row, theme)
    figure.update_layout(height=top + plot + 34, margin={"l": 16, "r": 16, "b": 34}, dragmode="zoom")
    figure.update_xaxes(anchor=axis, range=[-0.5, row.width - 0.5], showgrid=False, zeroline=False)
    figure.update_xaxes(title={"text": tr("column of W"), "standoff": 2})
    return figure


def _strip(name: str, values: np.ndarray, row: Row, limit: float, axis: str, theme: palette.Theme) -> go.Heatmap:
    labels = [
        tr("{plain_formula}, number {k}", plain_formula=lettering.plain_formula(p.latex), k=k)
        for p in row.pieces
        for k in range(len(p.weights))
    ]
    return go.Heatmap(
        z=values[None].astype(np.float32), name=name, yaxis=axis, zmin=-limit, zmax=limit, showscale=False,
        colorscale=palette.plotly_scale("diverging", theme), text=[labels], hovertemplate="%{text}: %{z:.4f}<extra></extra>",
    )  # fmt: skip


def _mark_pieces(figure: go.Figure, row: Row, theme: palette.Theme) -> None:
    """A line where each piece begins, and over it what the piece adds."""
    start = 0
    for piece in row.pieces:
        if start:
            line = {"color": palette.INK[theme], "width": 2}
            figure.add_shape(type="line", x0=start - 0.5, x1=start - 0.5, yref="paper", y0=0, y1=1, line=line)
        letters = lettering.plain_formula(piece.latex)
        figure.add_annotation(
            text=f"<b>{letters}</b>: {len(piece.weights)}", x=start - 0.5, yref="paper", y=1, xanchor="left",
            yanchor="bottom", yshift=LABELS - 2, showarrow=False, font={"size": 12},
        )  # fmt: skip
        start += len(piece.weights)
