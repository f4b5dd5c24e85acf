"""Every gate and state of a layer as heatmaps under the typed characters, and the difference of two traces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from lstm_core import numbering
from lstm_core.errors import InputError
from lstm_core.figures import lettering, palette, paper
from lstm_core.formula import Signal
from lstm_core.numbers import short
from lstm_core.trace import Trace
from lstm_core.words import N_, tr

CellAs = Literal["C", "tanh"]

SMALLEST_ROW, LARGEST_ROW = 96, 260  # pixels of one heatmap
GAP = 30  # pixels between two heatmaps: room for the pointwise operations
HUNDREDTHS = 100
REORDERED = N_("Rows are reordered; each is told by its unit's number.")


@dataclass(frozen=True)
class _Row:
    """One heatmap: its numbers (time, unit), where its colours end, and a note for the caption."""

    name: str
    title: str
    values: np.ndarray
    limits: tuple[float, float]
    scale: palette.Scale
    lead: str = ""
    note: str = ""


def gate_heatmaps(
    trace: Trace,
    layer: int = 0,
    signals: Sequence[str] | None = None,
    order: Sequence[int] | np.ndarray | None = None,
    theme: palette.Theme = "light",
    cell_as: CellAs = "C",
    width: int | None = None,
    compact: bool = False,
) -> go.Figure:
    """One heatmap a signal, from the top of the cell's drawing to its foot, on one time axis under the typed characters.

    layer: counted from 0. signals: which (default: all). order: which unit stands in each row, (unit,), as
    `analysis.unit_order` gives it (default: by number). cell_as: the unbounded cell state as "C", with limits taken
    from the data and printed, or as "tanh" of it, -1 to 1. width: pixels to lay out for (default: as wide as its
    place). compact: bounded signals as whole hundredths (int8), a quarter of the size; else all numbers are float32.
    Gates are coloured from 0 to 1, candidates and h from -1 to 1, whatever the data.
    Raises InputError for a layer, signal, order, theme or cell_as that does not exist; the message names those that do.
    Source: the drawings of Olah 2015.
    """
    trace.check(layer=layer)
    if cell_as not in ("C", "tanh"):
        raise InputError(tr('the cell state is drawn as "C" or as "tanh", not as {cell_as!r}', cell_as=cell_as))
    rows = [_row(trace.cell[name], trace[name][layer], cell_as) for name in _wanted(trace, signals)]
    sentences = [
        tr(
            "{escaped}, {layer_of}, {trace.units} units, {count}: “{snippet}”",
            escaped=lettering.escaped(trace.model),
            layer_of=_layer_of(trace, layer),
            trace=trace,
            count=_count(trace),
            snippet=lettering.snippet(trace.text),
        ),
        *(r.note for r in rows if r.note),
        *([] if order is None else [REORDERED]),
        f"{lettering.escaped(paper.convention(trace))} {paper.version()}.",
    ]
    title = tr("Gates and states of the {escaped}", escaped=lettering.escaped(trace.cell.title))
    return _drawn(rows, [trace], _checked_order(order, trace.units), title, sentences, theme, width, compact)


def difference_heatmaps(
    trace_a: Trace,
    trace_b: Trace,
    layer: int = 0,
    signals: Sequence[str] | None = None,
    order: Sequence[int] | np.ndarray | None = None,
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """Signal by signal, trace_a minus trace_b: two models on one text, or one model on two texts of equal length.

    Arguments as for `gate_heatmaps`. Every signal is diverging about 0, to plus or minus the width of its declared
    range; an unbounded one to limits taken from the data and printed. All numbers are float32.
    Raises InputError when the traces differ in cell, units or layers, or in their number of steps: the message names
    both.
    """
    trace_a.check(layer=layer)
    _check_same(trace_a, trace_b)
    rows = [_difference(trace_a.cell[n], trace_a[n][layer] - trace_b[n][layer]) for n in _wanted(trace_a, signals)]
    sentences = [
        tr(
            "{named} minus {named_2}, {layer_of}, {trace_a.units} units, {count}",
            named=_named(trace_a),
            named_2=_named(trace_b),
            layer_of=_layer_of(trace_a, layer),
            trace_a=trace_a,
            count=_count(trace_a),
        ),
        *(r.note for r in rows if r.note),
        *([] if order is None else [REORDERED]),
        f"{lettering.escaped(paper.convention(trace_a))} {paper.version()}.",
    ]
    title = tr("Difference of two traces of the {escaped}", escaped=lettering.escaped(trace_a.cell.title))
    return _drawn(rows, [trace_a, trace_b], _checked_order(order, trace_a.units), title, sentences, theme, width, False)


# What is drawn


def _row(signal: Signal, values: np.ndarray, cell_as: CellAs) -> _Row:
    symbol = lettering.plain_symbol(signal.symbol)
    lead = "  ".join(signal.lead)
    if all(map(math.isfinite, signal.range)):
        return _Row(signal.name, f"{symbol}  {signal.title}", values, signal.range, palette.scale_of(signal), lead)
    if cell_as == "tanh":
        return _Row(
            signal.name,
            tr("tanh {symbol}  {signal.title}", symbol=symbol, signal=signal),
            np.tanh(values),
            (-1, 1),
            "diverging",
            lead,
        )
    return _unbounded(signal.name, f"{symbol}  {signal.title}", symbol, values, lead)


def _difference(signal: Signal, values: np.ndarray) -> _Row:
    symbol = lettering.plain_symbol(signal.symbol)
    low, high = signal.range
    if math.isfinite(high - low):
        return _Row(signal.name, f"Δ{symbol}  {signal.title}", values, (low - high, high - low), "diverging")
    return _unbounded(signal.name, f"Δ{symbol}  {signal.title}", f"Δ{symbol}", values)


def _unbounded(name: str, title: str, symbol: str, values: np.ndarray, lead: str = "") -> _Row:
    limit, most = palette.colour_limit(values)
    note = tr(
        "{symbol} has no bound: its colours end at ±{short}, its largest |{symbol}| is {short_2}.",
        symbol=symbol,
        short=short(limit, 3),
        short_2=short(most, 3),
    )
    return _Row(name, title, values, (-limit, limit), "diverging", lead, note)


def _drawn(
    rows: Sequence[_Row],
    traces: Sequence[Trace],
    order: np.ndarray | None,
    title: str,
    sentences: Sequence[str],
    theme: palette.Theme,
    width: int | None,
    compact: bool,
) -> go.Figure:
    figure = go.Figure(layout=paper.theme_layout(theme))
    units = rows[0].values.shape[1]
    height = min(max(units, SMALLEST_ROW), LARGEST_ROW)
    letters = paper.letters_height(traces, width)
    top = paper.write_above(figure, title, sentences, width, letters + 30)
    plot = len(rows) * height + (len(rows) - 1) * GAP
    figure.update_layout(height=top + plot + 40, hovermode="closest", dragmode="zoom")
    for k, row in enumerate(rows):
        axis = "y" if k == 0 else f"y{k + 1}"
        start = k * (height + GAP) / plot
        domain = [max(0.0, 1 - start - height / plot), 1 - start]
        figure.add_trace(_heatmap(row, order, axis, compact, theme, domain))
        figure.update_layout({axis.replace("y", "yaxis"): _unit_axis(units, order, domain)})
        _write_above(figure, row, domain[1], theme, letters if k == 0 else 0)
    paper.time_axis(figure, traces, theme, width)
    figure.update_xaxes(side="top", anchor="y")
    return figure


def _heatmap(
    row: _Row, order: np.ndarray | None, axis: str, compact: bool, theme: palette.Theme, domain: list[float]
) -> go.Heatmap:
    numbers = row.values.T if order is None else row.values.T[order]
    hundredths = compact and max(map(abs, row.limits)) <= 1
    times = HUNDREDTHS if hundredths else 1
    z = np.rint(numbers * times).astype(np.int8) if hundredths else np.ascontiguousarray(numbers, np.float32)
    low, high = row.limits
    ticks = [low, high] if low == 0 else [low, 0, high]
    symbol = row.title.split("  ")[0]
    shown = "%{z} / 100" if hundredths else "%{z:.4f}"
    return go.Heatmap(
        z=z, yaxis=axis, name=row.name, zmin=low * times, zmax=high * times,
        colorscale=palette.plotly_scale(row.scale, theme),
        hovertemplate=f"{symbol} = {shown}<br>character %{{x}}<br>step %{{x:d}}, unit %{{y}}<extra></extra>",
        colorbar={
            "len": domain[1] - domain[0], "y": (domain[0] + domain[1]) / 2, "yanchor": "middle", "ypad": 0,
            "x": 1, "xpad": 8, "thickness": 10, "outlinewidth": 0.5,
            "tickvals": [t * times for t in ticks], "ticktext": [short(t, 3) for t in ticks],
            "tickfont": {"size": 11},
        },
    )  # fmt: skip


def _unit_axis(units: int, order: np.ndarray | None, domain: list[float]) -> dict[str, Any]:
    """Unit 0 at the top; where the rows are reordered, each row's number has the unit's as its alias."""
    axis: dict[str, Any] = {
        "domain": domain, "range": [units - 0.5, -0.5], "minallowed": -0.5, "maxallowed": units - 0.5,
        "nticks": 5, "tickformat": "d", "hoverformat": "d", "showgrid": False, "zeroline": False, "ticks": "",
        "tickfont": {"size": 10}, "matches": None if domain[1] == 1 else "y",
    }  # fmt: skip
    if order is not None:
        axis["labelalias"] = {str(row): str(unit) for row, unit in enumerate(order)}
    return axis


def _write_above(figure: go.Figure, row: _Row, top: float, theme: palette.Theme, letters: int) -> None:
    """The row's name at its left shoulder, and before it the pointwise operations that lead to it."""
    words = f"<b>{row.title}</b>"
    figure.add_annotation(
        text=words if letters or not row.lead else f"{row.lead}   {words}",
        xref="paper", yref="paper", x=0, y=top, xanchor="left", yanchor="bottom", showarrow=False, yshift=letters + 2,
        font={"size": 13, "color": palette.INK[theme]},
    )  # fmt: skip


# Captions and checks


def _named(trace: Trace) -> str:
    return tr("{escaped} on “{snippet}”", escaped=lettering.escaped(trace.model), snippet=lettering.snippet(trace.text, 40))


def _layer_of(trace: Trace, layer: int) -> str:
    return tr("layer {layer} of {trace.layers}", layer=numbering.layer(layer), trace=trace)


def _count(trace: Trace) -> str:
    return tr("{trace.steps:,} characters", trace=trace) if trace.steps != 1 else "1 character"


def _wanted(trace: Trace, signals: Sequence[str] | None) -> Sequence[str]:
    if signals is None:
        return trace.signals
    if not signals:
        raise InputError(
            tr("no signal was asked for; {trace.cell.title} has {signals}", trace=trace, signals=", ".join(trace.signals))
        )
    for name in signals:
        trace[name]  # raises, naming the signals there are
    return signals


def _check_same(a: Trace, b: Trace) -> None:
    if a.cell != b.cell:
        raise InputError(tr("a difference needs two traces of one cell, not of {a.cell.title} and {b.cell.title}", a=a, b=b))
    if (a.layers, a.units) != (b.layers, b.units):
        raise InputError(
            tr(
                "a difference needs equal sizes, not {a.layers} x {a.units} and {b.layers} x {b.units} (layers x units)",
                a=a,
                b=b,
            )
        )
    if a.steps != b.steps:
        raise InputError(
            tr("a difference needs texts of equal length; the first has {a.steps} characters, the second {b.steps}", a=a, b=b)
        )


def _checked_order(order: Sequence[int] | np.ndarray | None, units: int) -> np.ndarray | None:
    if order is None:
        return None
    order = np.asarray(order)
    if order.shape != (units,) or not np.array_equal(np.sort(order), np.arange(units)):
        raise InputError(
            tr(
                "an order names each of the {units} units once; it was given {order.size} numbers: {tolist}...",
                units=units,
                order=order,
                tolist=order.tolist()[:8],
            )
        )
    return order
