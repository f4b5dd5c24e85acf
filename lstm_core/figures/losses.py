"""How well a model predicts, beside what needs no model: a bar each."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lstm_core.figures import lettering, palette, paper
from lstm_core.words import N_

BAR = 34  # pixels that one bar takes


def loss_bars(
    losses: Sequence[tuple[str, float]],
    sentences: Sequence[str] = (),
    theme: palette.Theme = "light",
    width: int | None = None,
    title: str = N_("Nats a character: less is better"),
) -> go.Figure:
    """Losses as bars, the first of them, the model's own, in full ink.

    losses: (what predicted, nats), from top to bottom, each 0 to inf. sentences: what was judged, plain text. width: pixels
    to lay out for. Raises ValueError where there is nothing to draw, InputError for an unknown theme.
    """
    if not losses:
        raise ValueError("there is no loss to draw: give at least one pair of a name and nats")
    figure = go.Figure(layout=paper.theme_layout(theme))
    names, nats = [lettering.escaped(name) for name, _ in losses], [value for _, value in losses]
    colours = [palette.INK[theme], *[palette.SIGNAL_COLOURS["hidden"]] * (len(losses) - 1)]
    figure.add_bar(
        x=nats, y=list(range(len(losses))), orientation="h", width=0.42, marker={"color": colours},
        text=[f"{name}: <b>{value:.3f}</b>" for name, value in zip(names, nats)], textposition="none",
        hovertemplate="%{text} nats<extra></extra>",
    )  # fmt: skip
    for place, (name, value) in enumerate(zip(names, nats)):
        figure.add_annotation(
            x=0, y=place - 0.4, xanchor="left", yanchor="middle", showarrow=False, font={"size": 13},
            text=f"{name}: <b>{value:.3f}</b>",
        )  # fmt: skip
    top = paper.write_above(figure, title, [*map(lettering.escaped, sentences)], width, 4)
    figure.update_layout(
        height=top + (BAR + 12) * len(losses) + 34, margin={"l": 16, "r": 16, "b": 30}, showlegend=False, bargap=0
    )
    figure.update_xaxes(range=[0, max(nats) * 1.04 or 1.0], fixedrange=True, zeroline=False, nticks=6)
    figure.update_yaxes(range=[len(losses) - 0.45, -0.75], visible=False, fixedrange=True)
    return figure
