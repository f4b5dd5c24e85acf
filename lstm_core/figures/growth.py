"""Models in training: losses, and what their gates keep, over the steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from lstm_core.figures import lettering, palette, paper
from lstm_core.figures.unit_lines import DASHES, MARKERS
from lstm_core.words import tr

HEIGHT = 280  # pixels of the plot

Line = Sequence[tuple[int, float]]  # (step, value)


def over_steps(
    lines: Mapping[str, Line],
    title: str,
    axis: str,
    notes: Sequence[str] = (),
    limits: tuple[float, float] | None = None,
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """A line a model: some value at each of its checkpoints, over the steps of training, log axis; step 0 at its left end.

    lines: a model's name -> (step, value), ascending; values that are no number are left out. title, axis: of the figure
    and of its y axis, with its unit. notes: sentences for the caption, written by us or `lettering.escaped`. limits: of the
    y axis. width: pixels to lay out for. Raises ValueError where there is nothing to draw, InputError for an unknown theme.
    """
    steps = sorted({step for line in lines.values() for step, _ in line})
    if not steps:
        raise ValueError("there is no checkpoint to draw: give at least one line of at least one step")
    figure = go.Figure(layout=paper.theme_layout(theme))
    first = next((step for step in steps if step > 0), 1)
    for k, (name, line) in enumerate(lines.items()):
        known = [(step, value) for step, value in line if math.isfinite(value)]
        figure.add_scatter(
            x=[step or first / 2 for step, _ in known], y=[value for _, value in known], mode="lines+markers",
            name=lettering.escaped(name), customdata=[step for step, _ in known], line=_style(k, theme),
            marker={"symbol": MARKERS[k % len(MARKERS)], "size": 7}, hovertemplate="%{y:.3f}, step %{customdata:,}",
        )  # fmt: skip
    top = paper.write_above(figure, title, [*notes, f"{paper.version()}."], width, 8)
    figure.update_layout(height=top + HEIGHT + 100, margin={"b": 100, "l": 70, "r": 24}, legend=_LEGEND, hovermode="closest")
    ticks = _ticks(first, steps[-1])
    shown = {"tickvals": [first / 2, *ticks], "ticktext": ["0", *[f"{tick:,}" for tick in ticks]]}
    figure.update_xaxes(
        type="log", range=[math.log10(first / 2.6), math.log10(max(steps[-1], first) * 1.15)], showgrid=False,
        title={"text": tr("steps of training"), "standoff": 4}, **shown,
    )  # fmt: skip
    figure.update_yaxes(title={"text": axis, "standoff": 4}, range=limits, zeroline=False)
    return figure


def in_training(
    trained: Line,
    held_out: Line,
    steps: int,
    uniform: float,
    notes: Sequence[str] = (),
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """One training as it goes: the loss of the training text, and of the held-out part, over the steps that it will have.

    trained, held_out: (step, nats a character), ascending; either may be empty. steps: of the whole run. uniform: the loss of
    expecting every character alike, marked. notes: sentences for the caption, written by us or `lettering.escaped`. width:
    pixels to lay out for. Raises InputError for an unknown theme.
    """
    figure = go.Figure(layout=paper.theme_layout(theme))
    for k, (name, line) in enumerate(((tr("text it trains on"), trained), (tr("held-out text"), held_out))):
        figure.add_scatter(
            x=[step for step, _ in line], y=[loss for _, loss in line], name=name, hovertemplate="%{y:.3f}, step %{x:,}",
            mode="lines" if k == 0 else "lines+markers", line=_style(k, theme), marker={"symbol": "square", "size": 6},
        )  # fmt: skip
    top = paper.write_above(figure, tr("The loss while it trains"), [*notes, f"{paper.version()}."], width, 8)
    figure.update_layout(height=top + HEIGHT + 90, margin={"b": 90, "l": 64, "r": 24}, legend=_LEGEND, hovermode="closest")
    figure.update_xaxes(range=[0, steps * 1.01], title={"text": "steps", "standoff": 4}, showgrid=False)
    figure.update_yaxes(title={"text": tr("nats a character"), "standoff": 4}, zeroline=False)
    figure.add_hline(
        y=uniform, line={"color": palette.INK[theme], "width": 1, "dash": "dash"},
        annotation={"text": tr("all characters alike: {uniform:.2f}", uniform=uniform),
            "font": {"size": 11}, "x": 1, "xanchor": "right"},
    )  # fmt: skip
    return figure


def surprises(
    stages: Sequence[int],
    values: Sequence[Sequence[float]],
    text: Sequence[str],
    notes: Sequence[str] = (),
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """How surprising each character was at each checkpoint: a row a checkpoint, a column a character.

    stages: each checkpoint's step. values: of each, nats a character, NaN where nothing was expected. text: the characters.
    notes: sentences for the caption, written by us or `lettering.escaped`. width: pixels to lay out for. Raises ValueError
    where the counts differ, InputError for an unknown theme.
    """
    if len(stages) != len(values) or any(len(row) != len(text) for row in values):
        sizes = ", ".join(str(len(row)) for row in values)
        raise ValueError(f"a row a checkpoint and a value a character; {len(stages)} and {len(text)}, given {sizes}")
    figure = go.Figure(layout=paper.theme_layout(theme))
    rows = [tr("step {step:,}", step=step) for step in stages]
    figure.add_heatmap(
        z=[[None if math.isnan(nats) else nats for nats in row] for row in values], y=list(range(len(rows))), zmin=0,
        colorscale=palette.plotly_scale("gate", theme), colorbar={"title": {"text": "nats"}, "thickness": 12},
        customdata=[[f"{row}, {lettering.spoken(c)}" for c in text] for row in rows],
        hovertemplate="%{customdata}: %{z:.2f} nats<extra></extra>",
    )  # fmt: skip
    top = paper.write_above(figure, tr("Surprise at each character"), [*notes, f"{paper.version()}."], width, 30)
    figure.update_layout(height=top + 24 * len(rows) + 40, margin={"l": 86, "b": 24})
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=rows, autorange="reversed", showgrid=False)
    every = max(1, len(text) // 60)
    figure.update_xaxes(
        side="top", tickvals=list(range(0, len(text), every)), ticktext=[lettering.tick(c) for c in text[::every]],
        tickangle=0, tickfont={"family": "monospace", "size": 11}, showgrid=False,
    )  # fmt: skip
    return figure


_LEGEND = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top", "itemwidth": 40}


def _style(k: int, theme: palette.Theme) -> dict[str, Any]:
    return {"color": palette.READER_COLOURS[theme][k % 6], "width": 2, "dash": DASHES[k % len(DASHES)]}


def _ticks(first: int, last: int) -> list[int]:
    """1, 2 and 5 of each power of ten between two steps; the powers alone where that is too many for a phone."""
    powers = range(math.ceil(math.log10(max(last, 1))) + 1)
    every = [times * 10**power for power in powers for times in (1, 2, 5)]
    ticks = [tick for tick in every if first <= tick <= last]
    return ticks if len(ticks) <= 7 else [tick for tick in ticks if math.log10(tick).is_integer()]
