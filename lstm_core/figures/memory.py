"""How long the units of a layer remember: every unit's half-life, sorted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from lstm_core import numbering
from lstm_core.figures import lettering, marks, palette, paper
from lstm_core.figures.unit_lines import MARKERS
from lstm_core.numbers import short
from lstm_core.words import tr

HEIGHT = 320  # pixels of the plot
LONG = 100.0  # steps: from here on a unit holds for hundreds of them
LEAST, MOST = 0.03, 1e5  # steps: ends of the axis, where what lies beyond is drawn


@dataclass(frozen=True, eq=False)
class Lives:
    """The half-lives of one layer.

    model: its name. layer: counted from 0, of layers. values: float64 (unit,), steps, 0 to inf.
    """

    model: str
    layer: int
    layers: int
    values: np.ndarray

    @property
    def name(self) -> str:
        """The model, and which of its layers where it has several."""
        return (
            tr("{self.model}, layer {layer}", self=self, layer=numbering.layer(self.layer)) if self.layers > 1 else self.model
        )


def half_lives(every: Sequence[Lives], steps: int, theme: palette.Theme = "light", width: int | None = None) -> go.Figure:
    """A dot a unit, each layer's sorted from the longest half-life to the shortest, on a logarithmic axis.

    every: one a layer; each dot's customdata is (its place among them, unit). steps: of the text, marked: a longer life than
    that is an estimate. Lives beyond the axis are drawn at its end. width: pixels to lay out for. Raises ValueError for no
    layer at all, InputError for an unknown theme.
    """
    if not every:
        raise ValueError("there is no layer to draw: give at least one")
    figure = go.Figure(layout=paper.theme_layout(theme))
    for k, lives in enumerate(every):
        order = np.argsort(-lives.values, kind="stable")
        values = lives.values[order]
        rank = (np.arange(len(values)) + 0.5) / len(values) * 100
        figure.add_scatter(
            x=rank, y=np.clip(values, LEAST, MOST), mode="markers", name=lettering.escaped(lives.name),
            customdata=[[k, int(unit)] for unit in order],
            text=[tr("unit {u}: {steps}", u=u, steps=_steps(v)) for u, v in zip(order, values)],
            marker={"color": palette.READER_COLOURS[theme][k % 6], "symbol": MARKERS[k % len(MARKERS)], "size": 7},
            hovertemplate="%{text}<extra>" + lettering.escaped(lives.name) + "</extra>",
        )  # fmt: skip
    notes = [
        tr(
            "Half-life: steps until what the gate keeps would halve the unit’s state if nothing were written, ln ½ /"
            " mean ln f over the {steps:,} characters of this text; for a GRU what multiplies h in f’s place.",
            steps=steps,
        ),
        f"{paper.version()}.",
    ]
    top = paper.write_above(figure, tr("How long each unit remembers"), notes, width, 8)
    figure.update_layout(height=top + HEIGHT + 110, margin={"b": 110, "l": 78, "r": 20}, legend=_LEGEND, hovermode="closest")
    figure.update_xaxes(
        title={"text": tr("units, the longest memory first, %"), "standoff": 4}, range=[-1, 101], showgrid=False
    )
    figure.update_yaxes(
        type="log", range=[np.log10(LEAST) - 0.1, np.log10(MOST) + 0.15], tickvals=[0.1, 1, 10, 100, 1000, 10_000, 100_000],
        ticktext=["0.1", "1", "10", "100", "1,000", "10,000", "100,000"], title={"text": tr("half-life, steps"), "standoff": 4},
    )  # fmt: skip
    for y, words, above in (
        (LONG, tr("hundreds of steps"), steps < LONG),
        (float(steps), tr("as long as the text: {steps:,}", steps=steps), steps >= LONG),
    ):
        marks.level(figure, min(max(y, LEAST), MOST), words, theme, side="right", above=above)
    return figure


_LEGEND = {"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top", "itemwidth": 40}


def _steps(life: float) -> str:
    return tr("for ever: the gate never closes") if np.isinf(life) else tr("{short} steps", short=short(life, 3))
