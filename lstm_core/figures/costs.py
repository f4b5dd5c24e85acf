"""What models cost against how well they predict."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lstm_core.figures import lettering, palette, paper
from lstm_core.figures.unit_lines import MARKERS
from lstm_core.words import tr

HEIGHT = 300  # pixels of the plot


def loss_against_cost(
    names: Sequence[str],
    multiplications: Sequence[int],
    losses: Sequence[float],
    ngrams: float | None = None,
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """One labelled point a model: multiplications a character against held-out loss; lower and further left is better.

    names, multiplications, losses: of the same models, of one corpus; losses in nats a character. ngrams: the loss of the
    best table of n-grams, drawn as a line. width: pixels to lay out for. Raises ValueError where the three differ in
    length, InputError for an unknown theme.
    """
    if not len(names) == len(multiplications) == len(losses):
        raise ValueError(
            f"one cost and one loss a model: given {len(names)} names, {len(multiplications)} costs, {len(losses)} losses"
        )
    figure = go.Figure(layout=paper.theme_layout(theme))
    for k, (name, count, loss) in enumerate(zip(names, multiplications, losses)):
        figure.add_scatter(
            x=[count], y=[loss], mode="markers", name=lettering.escaped(name),
            marker={"size": 12, "symbol": MARKERS[k % len(MARKERS)], "color": palette.READER_COLOURS[theme][k % 6]},
            hovertemplate=tr("%{x:,} multiplications, %{y:.3f} nats<extra>") + lettering.escaped(name) + "</extra>",
        )  # fmt: skip
    if ngrams is not None:
        figure.add_hline(
            y=ngrams,
            line={"color": palette.INK[theme], "width": 1.25, "dash": "dot"},
            annotation={
                "text": tr("the best table of n-grams: {ngrams:.3f}", ngrams=ngrams),
                "font": {"size": 11},
                "xanchor": "right",
                "x": 1,
            },
        )
    notes = [tr("Held-out loss from the cards; multiplications counted from the declarations and the shapes of the weights.")]
    top = paper.write_above(
        figure, tr("What a character costs, and how well it predicts"), [*notes, f"{paper.version()}."], width, 8
    )
    figure.update_layout(
        height=top + HEIGHT + 150, margin={"b": 150}, legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}
    )
    figure.update_xaxes(title={"text": tr("multiplications a character")}, rangemode="tozero")
    figure.update_yaxes(title={"text": tr("held-out loss, nats a character"), "standoff": 4})
    return figure
