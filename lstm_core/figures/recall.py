"""How well cells recall a key over a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from lstm_core.cells import cell
from lstm_core.figures import lettering, palette, paper
from lstm_core.figures.unit_lines import DASHES, MARKERS
from lstm_core.numbers import percent, short
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.recall import Result

HEIGHT = 360  # pixels of the plot


def accuracy_by_gap(
    accuracies: Mapping[str, Sequence[Mapping[int, float]]],
    chance: float,
    notes: Sequence[str] = (),
    gaps: Sequence[int] = (),
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """A line a cell: the mean over its runs of the share of right answers at each gap, from the least to the largest as bars.

    accuracies: a registered cell's name -> one mapping a run, gap -> share, 0 to 1; a run may lack gaps. chance: the share
    that guessing gets, marked. notes: sentences for the caption, written by us or `lettering.escaped`. gaps: that the axis
    shows from the beginning (default: those there are). width: pixels to lay out for.
    Raises InputError for a cell that is not there, or an unknown theme.
    """
    figure = go.Figure(layout=paper.theme_layout(theme))
    for k, (name, runs) in enumerate(accuracies.items()):
        _add_cell(figure, name, runs, k, theme)
    shown = sorted({*gaps, *(gap for runs in accuracies.values() for run in runs for gap in run)}) or [1]
    top = paper.write_above(figure, tr("Accuracy against the gap"), [*notes, f"{paper.version()}."], width, 8)
    figure.update_layout(height=top + HEIGHT + 110, margin={"b": 110, "l": 64, "r": 20}, legend=_LEGEND, hovermode="x unified")
    figure.update_xaxes(
        type="log", tickvals=shown, ticktext=[str(gap) for gap in shown], showgrid=False,
        range=_log_range(shown), title={"text": tr("gap: distractors between the key and the question"), "standoff": 4},
    )  # fmt: skip
    figure.update_yaxes(range=[0, 1.04], tickformat="~%", title={"text": tr("right answers"), "standoff": 4})
    figure.add_hline(
        y=chance, line={"color": palette.INK[theme], "width": 1.25, "dash": "dash"},
        annotation={"text": tr("guessing: {short} %", short=short(100 * chance, 3)),
            "font": {"size": 11}, "x": 0, "xanchor": "left"},
    )  # fmt: skip
    return figure


def by_cell(results: Sequence[Result]) -> dict[str, list[Mapping[int, float]]]:
    """Every run's accuracies under its cell's name, for `accuracy_by_gap`; the cells in the order of their first run."""
    found: dict[str, list[Mapping[int, float]]] = {}
    for result in results:
        found.setdefault(result.cell, []).append(result.accuracy)
    return found


_LEGEND = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top", "itemwidth": 40}


def _log_range(gaps: Sequence[int]) -> list[float]:
    room = 0.03 * max(0.5, log10(gaps[-1] / gaps[0]))
    return [log10(gaps[0]) - room, log10(gaps[-1]) + room]


def _add_cell(figure: go.Figure, name: str, runs: Sequence[Mapping[int, float]], k: int, theme: palette.Theme) -> None:
    gaps = sorted({gap for run in runs for gap in run})
    shares = [[run[gap] for run in runs if gap in run] for gap in gaps]
    means = [sum(values) / len(values) for values in shares]
    above = [max(values) - mean for values, mean in zip(shares, means)]
    below = [mean - min(values) for values, mean in zip(shares, means)]
    labels = [percent(mean) for mean in means]
    if len(runs) > 1:
        labels = [f"{mean} ({', '.join(percent(v, 0) for v in sorted(each))})" for mean, each in zip(labels, shares)]
    figure.add_scatter(
        x=gaps, y=means, mode="lines+markers", name=lettering.escaped(cell(name).title), customdata=labels,
        error_y={"type": "data", "array": above, "arrayminus": below, "thickness": 1.25, "width": 4},
        line={"color": palette.READER_COLOURS[theme][k % 6], "width": 2, "dash": DASHES[k % len(DASHES)]},
        marker={"symbol": MARKERS[k % len(MARKERS)], "size": 8},
        hovertemplate="%{customdata}",
    )  # fmt: skip
