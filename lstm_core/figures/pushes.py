"""What one unit's h does to the gates of the next step: a strip a gate, a column a unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from lstm_core import numbering
from lstm_core.figures import lettering, palette, paper
from lstm_core.numbers import short
from lstm_core.trace import Trace
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.analysis.reach import Reach

STRIP = 34  # pixels of one gate's strip
GAP = 26  # pixels between two: room for the gate's name


def pushes(reached: Reach, trace: Trace, theme: palette.Theme = "light", width: int | None = None) -> go.Figure:
    """How far each gate of each unit is moved at the next character by one unit's h: the gate minus what it would be without.

    reached: as `analysis.reach` gives it. trace: the one it was made from. One scale for all gates, diverging about 0, to the
    largest movement, which is printed. The pushing unit's own column is marked. width: pixels to lay out for.
    Raises InputError for an unknown theme.
    """
    moved = {name: reached.values[name] - reached.without[name] for name in reached.pushes}
    limit = palette.rounded_up(max(float(np.abs(v).max()) for v in moved.values())) or 1.0
    figure = go.Figure(layout=paper.theme_layout(theme))
    known = trace.vocabulary.characters
    typed = (trace.chars[step] or known[trace.ids[step]] for step in (reached.step, reached.step + 1))
    now, then = (f"“{lettering.tick(character)}”" for character in typed)
    title = tr("What unit {reached.unit} moves at the next character", reached=reached)
    notes = [
        tr(
            "{escaped}, layer {layer}: from {now}, character {character}, to {then}.",
            escaped=lettering.escaped(trace.model),
            layer=numbering.layer(reached.layer),
            now=now,
            character=numbering.character(reached.step),
            then=then,
        ),
        tr("Each gate minus the gate had this h been 0; blue down, orange up, colours end at ±{short}.", short=short(limit, 3)),
    ]
    top = paper.write_above(figure, title, notes, width, GAP, [trace])
    plot = len(moved) * STRIP + (len(moved) - 1) * GAP
    for k, (name, values) in enumerate(moved.items()):
        axis = "y" if k == 0 else f"y{k + 1}"
        upper = 1 - k * (STRIP + GAP) / plot
        figure.add_trace(
            go.Heatmap(
                z=values[None].astype(np.float32), name=name, yaxis=axis, zmin=-limit, zmax=limit, showscale=False,
                colorscale=palette.plotly_scale("diverging", theme), customdata=reached.pushes[name][None],
                hovertemplate="unit %{x}: moved by %{z:.4f}<br>pre-activation by %{customdata:.4f}<extra></extra>",
            )
        )  # fmt: skip
        domain = [max(0.0, upper - STRIP / plot), upper]
        figure.update_layout({axis.replace("y", "yaxis"): {"domain": domain, "visible": False, "fixedrange": True}})
        own = {"x0": reached.unit - 0.5, "x1": reached.unit + 0.5, "yref": tr("{axis} domain", axis=axis), "y0": 0, "y1": 1}
        figure.add_shape(type="rect", line={"color": palette.INK[theme], "width": 1.5, "dash": "dot"}, **own)
        signal = trace.cell[name]
        figure.add_annotation(
            text=f"{lettering.plain_symbol(signal.symbol)}  {signal.title}", xref="paper", yref="paper", x=0, y=upper,
            xanchor="left", yanchor="bottom", showarrow=False, font={"size": 12},
        )  # fmt: skip
    figure.update_layout(height=top + plot + 40, margin={"l": 16, "r": 16, "b": 40}, dragmode="zoom")
    figure.update_xaxes(anchor=axis, range=[-0.5, trace.units - 0.5], showgrid=False, zeroline=False, tickformat="d")
    figure.update_xaxes(title={"text": "unit", "standoff": 2})
    return figure
