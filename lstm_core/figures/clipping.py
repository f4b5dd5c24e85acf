"""A plain RNN in training, its gradient clipped and not: loss, the gradient's norm, the largest singular value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lstm_core.errors import InputError
from lstm_core.figures import marks, palette, paper
from lstm_core.figures.unit_lines import DASHES
from lstm_core.words import N_, tr

if TYPE_CHECKING:
    from lstm_core.analysis.spectrum import ClippingRun, Point

ROW, GAP = 190, 34  # pixels of each plot, and between two
ROWS = (
    ("loss", N_("loss, nats"), N_("a character, mean of the steps between two points")),
    ("largest", N_("gradient’s norm"), N_("before clipping, the largest since the point before")),
    ("sigma", N_("largest singular value"), N_("of the recurrent weights")),
)
BACK = 300  # pixels of the plot by distance
MOST_DECADES = 9  # that each have a label of their own

Runs = Mapping[float | None, Sequence["ClippingRun"]]


def in_training(
    runs: Runs,
    notes: Sequence[str] = (),
    uniform: float | None = None,
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """Loss, the gradient's norm and the largest singular value over the steps, on logarithmic axes; a thin line a seed.

    runs: begun alike: the gradient's largest norm, or None where it is not clipped -> the runs of all seeds. notes: sentences
    for the caption, written by us or `lettering.escaped`. uniform: the loss of expecting every character alike, marked. A run
    that ended in no number ends in a cross. width: pixels to lay out for. Raises InputError for no run at all, or an unknown
    theme.
    """
    if not any(runs.values()):
        raise InputError(tr("there is no run to draw: give at least one"))
    figure = go.Figure(layout=paper.theme_layout(theme))
    plot = len(ROWS) * ROW + (len(ROWS) - 1) * GAP
    for place, (name, title, _) in enumerate(ROWS):
        axis = "y" if place == 0 else f"y{place + 1}"
        top = 1 - place * (ROW + GAP) / plot
        for k, (clip, several) in enumerate(runs.items()):
            for number, run in enumerate(several):
                figure.add_trace(_line(run, name, axis, k, clip, place == 0 and number == 0, theme))
        layout: dict[str, Any] = {
            "type": "log",
            "domain": [max(0.0, top - ROW / plot), top],
            "exponentformat": "power",
            "tickfont": {"size": 11},
        }
        figure.update_layout({axis.replace("y", "yaxis"): {**layout, "title": {"text": title, "standoff": 4}, "nticks": 5}})
    for clip in filter(None, runs):
        marks.level(figure, clip, tr("clipped above {clip:g}", clip=clip), theme, "y2", "right")
    if uniform is not None:
        marks.level(figure, uniform, tr("expecting all characters alike"), theme, "y", "right")
    marks.level(figure, 1.0, tr("1: makes no vector longer"), theme, "y3", "right")
    how = "; ".join(f"{title}: {meaning}" for _, title, meaning in ROWS)
    above = paper.write_above(figure, tr("Training a plain RNN"), [*notes, f"{how}. {paper.version()}."], width, 8)
    figure.update_layout(height=above + plot + 100, margin={"b": 100, "l": 78, "r": 20}, legend=_LEGEND, hovermode="x unified")
    figure.update_xaxes(title={"text": tr("steps of training"), "standoff": 4}, anchor=f"y{len(ROWS)}", showgrid=False)
    return figure


def gradient_reach(
    runs: Runs, step: int, notes: Sequence[str] = (), theme: palette.Theme = "light", width: int | None = None
) -> go.Figure:
    """How far back the last loss of a window is felt after so many steps of training; a thin line a seed, log axis.

    runs, notes, width: as for `in_training`. step: one of the steps at which it was measured; a run that had ended by then is
    left out. Raises InputError when no run measured it, or for an unknown theme.
    """
    if not any(step in run.reach for several in runs.values() for run in several):
        raise InputError(tr("no run measured how far back the loss is felt after step {step}", step=step))
    figure = go.Figure(layout=paper.theme_layout(theme))
    for k, (clip, several) in enumerate(runs.items()):
        for number, run in enumerate(r for r in several if step in r.reach):
            figure.add_scatter(
                y=[_drawable(norm) for norm in run.reach[step]], mode="lines", name=_named(clip), showlegend=number == 0,
                legendgroup=str(clip), line=_style(k, theme), hovertemplate=f"seed {run.seed}: %{{y:.2g}}",
            )  # fmt: skip
    title = tr("How far back the loss is felt after {step:,} steps", step=step)
    top = paper.write_above(figure, title, [*notes, f"{paper.version()}."], width, 8)
    figure.update_layout(height=top + BACK + 100, margin={"b": 100, "l": 78, "r": 20}, legend=_LEGEND, hovermode="x unified")
    figure.update_xaxes(title={"text": tr("characters back"), "standoff": 4}, showgrid=False)
    figure.update_yaxes(
        type="log", exponentformat="power", title={"text": "|∂ loss / ∂ h|", "standoff": 4}, tickfont={"size": 11}
    )
    drawn = [y for line in figure.data for y in line.y if y is not None]
    if drawn and max(drawn) < min(drawn) * 10.0**MOST_DECADES:
        figure.update_yaxes(dtick=1)
    return figure


_LEGEND = {"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top", "itemwidth": 40}


def _named(clip: float | None) -> str:
    return tr("not clipped") if clip is None else tr("clipped at {clip:g}", clip=clip)


def _style(k: int, theme: palette.Theme) -> dict[str, Any]:
    return {"color": palette.READER_COLOURS[theme][(1, 0, 2, 3)[k % 4]], "width": 1.5, "dash": DASHES[k % len(DASHES)]}


def _drawable(value: float) -> float | None:
    """What a logarithmic axis can show."""
    return value if math.isfinite(value) and value > 0 else None


def _line(run: ClippingRun, name: str, axis: str, k: int, clip: float | None, first: bool, theme: palette.Theme) -> go.Scatter:
    points: Sequence[Point] = run.points
    values = [_drawable(getattr(point, name)) for point in points]
    ends = [""] * len(points)
    if run.diverged is not None:
        ends[-1] = tr(", no number from step {run.diverged:,} on", run=run)
    sizes = [0.0] * (len(points) - 1) + [9.0 if run.diverged is not None else 0.0]
    return go.Scatter(
        x=[point.step for point in points], y=values, yaxis=axis, mode="lines+markers", name=_named(clip), showlegend=first,
        legendgroup=str(clip), line=_style(k, theme), marker={"symbol": "x", "size": sizes, "opacity": 1}, customdata=ends,
        hovertemplate=f"seed {run.seed}: %{{y:.3g}}%{{customdata}}",
    )  # fmt: skip
