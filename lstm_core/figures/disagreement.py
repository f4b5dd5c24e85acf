"""Several models on one text: how surprised each was, and how far apart they were in what they expected next."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lstm_core.analysis.disagreement import Disagreement
from lstm_core.figures import lettering, palette, paper
from lstm_core.figures.unit_lines import DASHES, MARKERS, MOST_MARKERS, READABLE
from lstm_core.trace import Trace
from lstm_core.words import tr

SURPRISE, APART, GAP = 220, 110, 34  # pixels of the two plots, and between them


def surprise_and_disagreement(
    traces: Sequence[Trace], between: Disagreement, theme: palette.Theme = "light", width: int | None = None
) -> go.Figure:
    """Surprise as one line a model, told apart by colour, dash and marker, over bars of their disagreement.

    traces: one a model, of one text; between: as `analysis.disagreement` gives it for them. Both in nats. The peaks carry
    their rank. width: pixels to lay out for. Raises ValueError where the traces are not those of `between`,
    InputError for an unknown theme. Source: the traces; Lin 1991.
    """
    if tuple(trace.model for trace in traces) != between.models:
        raise ValueError(f"the disagreement is of {', '.join(between.models)}, not of {', '.join(t.model for t in traces)}")
    figure = go.Figure(layout=paper.theme_layout(theme))
    steps = list(range(len(between.values)))
    for k, trace in enumerate(traces):
        figure.add_scatter(
            x=steps, y=trace.surprise, name=lettering.escaped(trace.model), mode="lines+markers", yaxis="y",
            line={"color": palette.READER_COLOURS[theme][k % 6], "width": 1.75, "dash": DASHES[k % len(DASHES)]},
            marker={"symbol": MARKERS[k % len(MARKERS)], "size": 6, "maxdisplayed": MOST_MARKERS},
            hovertemplate="%{y:.3f} nats",
        )  # fmt: skip
    figure.add_bar(
        x=steps, y=between.values, yaxis="y2", name="disagreement", marker={"color": palette.INK[theme], "opacity": 0.6},
        hovertemplate="%{y:.3f} nats", showlegend=False,
    )  # fmt: skip
    for rank, step in enumerate(between.peaks, 1):
        figure.add_annotation(
            x=step, y=float(between.values[step]), yref="y2", text=f"{rank}▼", showarrow=False, yshift=8, font={"size": 10}
        )
    return _laid_out(figure, traces, between, theme, width)


def _laid_out(
    figure: go.Figure, traces: Sequence[Trace], between: Disagreement, theme: palette.Theme, width: int | None
) -> go.Figure:
    names = ", ".join(lettering.escaped(trace.model) for trace in traces)
    sentences = [
        tr(
            "{names}, {steps:,} characters: “{snippet}”",
            names=names,
            steps=traces[0].steps,
            snippet=lettering.snippet(traces[0].text),
        ),
        tr(
            "Disagreement: Jensen-Shannon divergence of what they expect after each character, at most"
            " {between.widest:.3f} nats.",
            between=between,
        ),
    ]
    top = paper.write_above(
        figure, tr("Surprise and disagreement"), sentences, width, paper.letters_height(traces, width) + 8, traces
    )
    plot = SURPRISE + GAP + APART
    split = APART / plot
    figure.update_layout(
        height=top + plot + 70, hovermode="x unified", bargap=0.2, margin={"b": 70},
        legend={"orientation": "h", "x": 0, "y": -0.03, "yanchor": "top", "itemwidth": 40},
        yaxis={"domain": [split + GAP / plot, 1], "rangemode": "tozero",
            "title": {"text": tr("surprise, nats"), "standoff": 4}},
        yaxis2={
            "domain": [0, split], "range": [0, between.widest * 1.12], "title": {"text": "disagreement", "standoff": 4},
            "nticks": 4,
        },
    )  # fmt: skip
    paper.time_axis(figure, traces, theme, width)
    figure.update_xaxes(side="top", anchor="y", showspikes=False)
    if len(between.values) > READABLE:  # more bars than eyes can tell apart: zoom out for the rest
        figure.update_xaxes(range=[-0.5, READABLE - 0.5])
    return figure
