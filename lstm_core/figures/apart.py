"""How far one text's hidden states are apart when the same weights are read by another form of their cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from lstm_core import numbering
from lstm_core.figures import lettering, palette, paper
from lstm_core.trace import Trace
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.analysis.gru_forms import Reading

HEIGHT = 200  # pixels of the plot


def apart(reading: Reading, trace: Trace, layer: int, theme: palette.Theme = "light", width: int | None = None) -> go.Figure:
    """The largest |difference of h| over a layer's units, at each character, 0 to 2.

    reading: as `analysis.gru_forms.read_as` gives it; trace: the one that it was compared with. layer: counted from 0.
    width: pixels to lay out for. Raises InputError for a layer that the trace lacks, or an unknown theme.
    """
    trace.check(layer)
    figure = go.Figure(layout=paper.theme_layout(theme))
    where = tr(
        "{escaped}, layer {layer} of {trace.layers}, “{snippet}”",
        escaped=lettering.escaped(trace.model),
        layer=numbering.layer(layer),
        trace=trace,
        snippet=lettering.snippet(trace.text),
    )
    notes = [where, f"{lettering.escaped(reading.model.cell.note)}"]
    top = paper.write_above(
        figure, tr("How far h is from the trained one"), notes, width, paper.letters_height([trace], width) + 8
    )
    figure.add_scatter(
        y=reading.apart[layer], mode="lines+markers", line={"color": palette.SIGNAL_COLOURS["output"], "width": 2},
        marker={"size": 6, "maxdisplayed": 40}, hovertemplate="max |Δh| = %{y:.4f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(height=top + HEIGHT + 24, hovermode="x", showlegend=False, margin={"b": 24})
    figure.update_yaxes(range=[0, 2.05], tickvals=[0, 0.5, 1, 1.5, 2], title={"text": "max |Δh|", "standoff": 4})
    paper.time_axis(figure, [trace], theme, width)
    figure.update_xaxes(side="top", anchor="y")
    return figure
