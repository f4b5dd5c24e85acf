"""How far back gradients reach: as lines for one loss, as a map of all, and by distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lstm_core import numbering
from lstm_core.analysis import vanishing
from lstm_core.analysis.gradients import Gradients
from lstm_core.analysis.vanishing import EXPLODED, TOP, VANISHED, Path
from lstm_core.figures import lettering, marks, palette, paper
from lstm_core.figures.unit_lines import DASHES
from lstm_core.numbers import power
from lstm_core.words import N_, tr

HEIGHT = 300  # pixels of the plot of lines
MAP = 420
DECADES = 6  # that lines show below 1
LIMITS = ((VANISHED, N_("vanished: below 1/1000")), (EXPLODED, N_("exploded: above 10")))


def gradient_lines(
    found: Sequence[Gradients],
    step: int,
    layer: int = TOP,
    state: str = "memory",
    start: int = 0,
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """For one loss a line a model: the gradient's size at every step before, as a share of its value at the loss's own.

    found: of one text. step: whose loss, one of the targets. layer, state: as for `vanishing.path`. start: the number of the
    first step in the text that it is a stretch of. Dotted: along the direct path alone. Where a line vanishes or explodes it is
    marked and named. width: pixels to lay out for. Raises InputError for a step that was not asked for, a state or layer that
    is not there, and an unknown theme.
    """
    figure = go.Figure(layout=paper.theme_layout(theme))
    for k, each in enumerate(found):
        _add_line(figure, each, step, vanishing.path(each, layer, state), k, start, theme)
    what = tr("The loss after character {character}, followed back", character=numbering.character(start + step))
    sentences = [f"{_named(found, layer, state)}.", _share_note(found, layer, state)]
    top = paper.write_above(figure, what, sentences, width, 10, found)
    figure.update_layout(height=top + HEIGHT + 110, margin={"b": 110, "l": 72, "r": 20}, hovermode="x unified", legend=_LEGEND)
    _log_axis(figure, theme)
    figure.update_xaxes(title={"text": tr("s, the character looked back at"), "standoff": 4}, showgrid=False)
    figure.update_xaxes(range=[start + 0.5, start + len(found[0].chars) + 0.5])
    return figure


def gradient_map(
    found: Gradients,
    layer: int = TOP,
    state: str = "memory",
    start: int = 0,
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """The gradient of every loss (down) with respect to the state after every character before it (across), on a log scale.

    Arguments as for `gradient_lines`. Shares of the value at s = t: blank where it has vanished, full ink at 1 and above.
    Raises InputError for a state or layer that is not there, and an unknown theme.
    """
    where = vanishing.path(found, layer, state)
    shares = vanishing.share(found, where)
    figure = go.Figure(layout=paper.theme_layout(theme))
    with np.errstate(divide="ignore"):
        logs = np.log10(shares).astype(np.float32)
    logs[np.isneginf(logs)] = -99  # Plotly draws no infinity; nothing at all is vanished
    steps = len(found.chars)
    ticks = np.arange(np.log10(VANISHED), 1)
    first = numbering.character(start)
    figure.add_heatmap(
        z=logs, x=first + np.arange(steps), y=first + found.targets, zmin=ticks[0], zmax=0,
        colorscale=palette.plotly_scale("gate", theme), hoverongaps=False,
        hovertemplate="t = %{y}, s = %{x}<br>10 to the power of %{z:.2f}<extra></extra>",
        colorbar={"tickvals": ticks, "ticktext": [power(int(t)) for t in ticks], "thickness": 12, "outlinewidth": 0.5},
    )  # fmt: skip
    edge = vanishing.fate(shares).vanished
    rows = edge != vanishing.NOWHERE
    figure.add_scatter(
        x=first + edge[rows] + 0.5, y=first + found.targets[rows], mode="markers", name=tr("vanished from here back"),
        marker={"size": 3, "color": palette.POSITIVE[theme]}, hoverinfo="skip",
    )  # fmt: skip
    sentences = [f"{_named([found], layer, state)}.", _share_note([found], layer, state)]
    top = paper.write_above(figure, tr("How far back every loss reaches"), sentences, width, 10, [found])
    figure.update_layout(height=top + MAP + 90, margin={"b": 90, "l": 72}, showlegend=bool(rows.any()), legend=_LEGEND)
    figure.update_xaxes(title={"text": tr("s, the character looked back at"), "standoff": 4}, showgrid=False)
    figure.update_yaxes(title={"text": tr("t, whose loss"), "standoff": 4}, autorange="reversed", showgrid=False)
    return figure


def gradient_by_distance(
    found: Sequence[Gradients],
    layer: int = TOP,
    state: str = "memory",
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """What is left of the gradient after so many characters: the median over all losses as a line a model, 10 % to 90 % as a
    band, and the median along the direct path alone, dotted.

    Arguments as for `gradient_lines`. Raises InputError for a state or layer that is not there, and an unknown theme.
    """
    figure = go.Figure(layout=paper.theme_layout(theme))
    for k, each in enumerate(found):
        where = vanishing.path(each, layer, state)
        colour = palette.READER_COLOURS[theme][k % 6]
        left = vanishing.left(vanishing.share(each, where))
        _add_band(figure, left, colour, each.model)
        _add_median(figure, left, colour, DASHES[k % len(DASHES)], each.model, _label(each, where), True)
        if where.state in each.direct:
            along = vanishing.left(vanishing.share(each, where, direct=True))
            _add_median(
                figure, along, colour, "dot", each.model, tr("{label}, direct path alone", label=_label(each, where)), False
            )
    sentences = [
        tr("{named}, {targets_count:,} losses.", named=_named(found, layer, state), targets_count=len(found[0].targets)),
        tr(
            "{share_note} Lines: the median over all losses that reach so far back; bands: 10 % to 90 %.",
            share_note=_share_note(found, layer, state),
        ),
    ]
    top = paper.write_above(figure, tr("What is left of the gradient"), sentences, width, 10, found)
    figure.update_layout(height=top + HEIGHT + 120, margin={"b": 120, "l": 72, "r": 20}, hovermode="x unified", legend=_LEGEND)
    _log_axis(figure, theme)
    figure.update_xaxes(title={"text": tr("characters back"), "standoff": 4}, rangemode="tozero", showgrid=False)
    return figure


_LEGEND = {"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top", "itemwidth": 40}


def _add_line(figure: go.Figure, found: Gradients, step: int, where: Path, k: int, start: int, theme: palette.Theme) -> None:
    row, colour = found.row(step), palette.READER_COLOURS[theme][k % 6]
    shares = vanishing.share(found, where)
    x, here = numbering.character(start) + np.arange(step + 1), shares[row, : step + 1]
    labels = [lettering.spoken(c) for c in found.chars[: step + 1]]
    figure.add_scatter(
        x=x, y=_drawable(here), customdata=labels, mode="lines", name=_label(found, where),
        line={"color": colour, "width": 2, "dash": DASHES[k % len(DASHES)]}, hovertemplate="%{customdata}: %{y:.2g}",
    )  # fmt: skip
    if where.state in found.direct:
        along = vanishing.share(found, where, direct=True)[row, : step + 1]
        figure.add_scatter(
            x=x, y=_drawable(along), mode="lines", name=tr("{label}, direct path alone", label=_label(found, where)),
            line={"color": colour, "width": 1.5, "dash": "dot"}, hovertemplate="%{y:.2g}",
        )  # fmt: skip
    fate = vanishing.fate(shares)
    for at, word in ((fate.vanished[row], tr("vanished from here back")), (fate.exploded[row], tr("exploded here"))):
        if at != vanishing.NOWHERE:
            _name_fate(figure, int(x[at]), float(here[at]), f"{found.model} {word}", colour, k)


def _drawable(shares: np.ndarray) -> np.ndarray:
    """Shares that a logarithmic axis can show: no nothing, no infinity."""
    return np.where(np.isfinite(shares) & (shares > 0), shares, np.nan)


def _name_fate(figure: go.Figure, x: int, share: float, words: str, colour: str, k: int) -> None:
    if not (np.isfinite(share) and share > 0):
        return
    height = float(np.log10(max(share, 10.0**-DECADES)))
    figure.add_annotation(
        x=x, y=height, text=lettering.escaped(words), font={"color": colour, "size": 11}, arrowcolor=colour, arrowwidth=1,
        ax=-46, ay=28 + 16 * k, xanchor="right",
    )  # fmt: skip


def _add_band(figure: go.Figure, left: vanishing.Left, colour: str, group: str) -> None:
    low, high = (np.clip(values, 10.0 ** -(DECADES + 2), None) for values in (left.low, left.high))
    figure.add_scatter(
        x=np.concatenate([left.distances, left.distances[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself",
        fillcolor=colour, opacity=0.14, line={"width": 0}, hoverinfo="skip", showlegend=False, legendgroup=group,
    )  # fmt: skip


def _add_median(figure: go.Figure, left: vanishing.Left, colour: str, dash: str, group: str, name: str, true: bool) -> None:
    figure.add_scatter(
        x=left.distances, y=_drawable(left.middle), mode="lines", name=name, legendgroup=group,
        line={"color": colour, "width": 2.25 if true else 1.5, "dash": dash}, hovertemplate="%{y:.2g}",
    )  # fmt: skip


def _log_axis(figure: go.Figure, theme: palette.Theme) -> None:
    most = max((float(np.nanmax(line.y)) for line in figure.data if np.isfinite(line.y).any()), default=1.0)
    high = max(1.4, np.log10(most) + 0.3)
    powers = range(-DECADES, int(high) + 1, 1 if high < 6 else 3)
    figure.update_yaxes(
        type="log", range=[-DECADES, high], tickvals=[10.0**p for p in powers],
        ticktext=[power(p) for p in powers],
        title={"text": tr("share of its value at s = t"), "standoff": 4},
    )  # fmt: skip
    for limit, words in LIMITS:
        marks.level(figure, limit, words, theme)


# Captions


def _label(found: Gradients, where: Path) -> str:
    symbol = lettering.plain_symbol(found.cell[where.state].symbol)
    layers = len(found.norms[where.state])
    layer = tr(", layer {layer} of {layers}", layer=numbering.layer(where.layer), layers=layers) if layers > 1 else ""
    return tr("{escaped}{layer}: through {symbol}", escaped=lettering.escaped(found.model), layer=layer, symbol=symbol)


def _named(found: Sequence[Gradients], layer: int, state: str) -> str:
    return "; ".join(
        f"{_label(each, vanishing.path(each, layer, state))} ({lettering.escaped(each.cell.title)})" for each in found
    )


def _share_note(found: Sequence[Gradients], layer: int, state: str) -> str:
    symbols = {
        lettering.plain_symbol(each.cell[vanishing.path(each, layer, state).state].symbol)
        for each in found
        if vanishing.path(each, layer, state).state in each.direct
    }
    direct = ""
    if symbols:
        named = " or ".join(sorted(symbols))
        direct = tr(" Dotted: the direct path, along {symbols} alone, through what the gates keep.", symbols=named)
    return tr(
        "Size of the gradient of the loss after character t by the state after s, as a share of its size at s = t.{direct}",
        direct=direct,
    )
