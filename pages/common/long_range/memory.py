"""Long range, second section: how long each unit keeps what it holds, by its own gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

import lstm_core as lc
from lstm_core import figure_file
from lstm_core.analysis.memory import half_life, remembering
from lstm_core.errors import InputError
from lstm_core.figures.memory import LONG, Lives, half_lives
from lstm_core.numbers import short
from lstm_core.words import tr
from pages.common import detail, frame, markdown, selection
from pages.common.long_range import choice, gradient

MOST_NAMED = 60  # units, as buttons


def show(models: Mapping[str, lc.ModelInfo]) -> None:
    """The choice of models, their units' half-lives, and the units that hold for hundreds of steps."""
    choice.choose_models(models, with_layer=False)
    st.caption(
        tr(
            "A gate says how much of its unit’s state is kept at each step. Were nothing written, the state would"
            " fade: the half-life is the number of steps until half of it is gone. Click a dot to open its unit on"
            " the Gates page."
        )
    )
    chosen = selection.current()
    traces = gradient.read(choice.STATE.current().models, chosen.text)
    keeping = [trace for trace in traces if _keeps(trace)]
    for trace in traces:
        if trace not in keeping:
            st.text(tr("{trace.model} has no such gate: a plain RNN computes its whole state anew at every step.", trace=trace))
    if not keeping:
        return
    every = [lives for trace in keeping for lives in _lives(trace)]
    figure = half_lives(every, max(trace.steps for trace in keeping), detail.theme())
    picked = st.plotly_chart(
        figure, key="long range: lives", theme=None, config=detail.PLOT, on_select="rerun", selection_mode="points"
    )
    _open_picked(every, picked)
    st.markdown(table(every))
    _named(every)
    _downloads(figure, every)


def _keeps(trace: lc.Trace) -> bool:
    try:
        remembering(trace)
    except InputError:
        return False
    return True


def _lives(trace: lc.Trace) -> list[Lives]:
    return [Lives(trace.model, layer, trace.layers, values) for layer, values in enumerate(half_life(trace))]


def table(every: Sequence[Lives]) -> str:
    """Markdown: a line a layer, the median half-life and how many units hold for hundreds of steps."""
    lines = [tr("| layer | median half-life | longest | of its units hold 100 steps or more |"), "|---|---:|---:|---:|"]
    for lives in every:
        long = int((lives.values >= LONG).sum())
        cells = [
            _steps(float(np.median(lives.values))),
            _steps(float(lives.values.max())),
            tr("{long} of {values_count}", long=long, values_count=len(lives.values)),
        ]
        lines.append(f"| {markdown.plain(lives.name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _steps(life: float) -> str:
    return tr("for ever") if np.isinf(life) else tr("{short} steps", short=short(life, 3))


def _named(every: Sequence[Lives]) -> None:
    """Every unit that holds for hundreds of steps, as a link to it."""
    long = [(lives, [int(unit) for unit in np.argsort(-lives.values) if lives.values[unit] >= LONG]) for lives in every]
    if not any(units for _, units in long):
        st.caption(tr("None of these units holds for {long:g} steps or more on this text.", long=LONG))
        return
    st.subheader(tr("Units that hold for hundreds of steps"), anchor=False)
    for lives, units in long:
        if units:
            _links(lives, units)


def _links(lives: Lives, units: Sequence[int]) -> None:
    st.text(tr("{lives.name}: each opens its unit on the Gates page.", lives=lives))
    with st.container(horizontal=True, gap="small"):
        for unit in units[:MOST_NAMED]:
            label = tr("unit {unit}: {steps}", unit=unit, steps=_steps(float(lives.values[unit])))
            st.page_link(frame.landing(), label=label, query_params=_place(lives, unit).query())
    if len(units) > MOST_NAMED:
        st.caption(tr("And {units_count} more: point at the dots.", units_count=len(units) - MOST_NAMED))


def _place(lives: Lives, unit: int) -> selection.Selection:
    """The unit on the Gates page: this text, at the step that is pinned."""
    chosen = selection.current()
    return selection.Selection(lives.model, chosen.text, lives.layer, chosen.step, unit, lives.layer)


def _open_picked(every: Sequence[Lives], picked: Any) -> None:
    """A clicked dot leads to its unit."""
    points = [point for point in picked.selection.points if "customdata" in point]
    if not points:
        return
    place, unit = points[0]["customdata"]
    if 0 <= place < len(every) and 0 <= unit < len(every[place].values):
        st.switch_page(frame.landing(), query_params=_place(every[place], int(unit)).query())


def _downloads(figure: Any, every: Sequence[Lives]) -> None:
    rows = [(lives.model, lives.layer, unit, life) for lives in every for unit, life in enumerate(lives.values)]
    csv = "model,layer,unit,half_life\n" + "".join(f"{m},{layer},{unit},{life:.9g}\n" for m, layer, unit, life in rows)
    with st.container(horizontal=True):
        st.download_button(tr("Numbers (CSV)"), csv, "half-lives.csv", "text/csv", on_click="ignore")
        st.download_button(
            tr("Interactive page (HTML)"),
            lambda: figure_file.to_html(figure),
            "half-lives.html",
            "text/html",
            on_click="ignore",
        )
