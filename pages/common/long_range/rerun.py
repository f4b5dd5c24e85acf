"""The recall task once more, small, in the person's own script: its curves grow, it can be stopped, and goes on where it was.

No thread is started: the run is a generator kept in the session, and each script that shows this section carries it on.
When a person does something else the script ends in between, and when the session goes, so does the generator.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

import lstm_core as lc
from lstm_core import recall
from lstm_core.errors import DivergenceError
from lstm_core.experiments import RECALL_CELLS
from lstm_core.figures.recall import accuracy_by_gap
from lstm_core.numbers import percent
from lstm_core.words import tr
from pages.common import detail

if TYPE_CHECKING:
    from lstm_core.recall import Progress, Result

KEY = "dial run"
FIRST = ("rnn", "lstm")
UNITS = (8, 16, 32)
REDRAWN = 1.0  # seconds between two drawings of the curves
REPORTED = 0.3  # seconds between two looks at whether the person has done something else
MOST_SEED = 9999
KNOWN = 0.1  # of a cell's work: from then on its speed tells how long it will take


@dataclass
class Run:
    """One person's run: cells one after another.

    cells, units, seed: what was asked for. accuracies: cell -> gap -> share of right answers, as far as it is. done: share
    of the work, 0 to 1. stopped: by the person.
    """

    cells: tuple[str, ...]
    units: int
    seed: int
    accuracies: dict[str, Mapping[int, float]] = field(default_factory=dict)
    now: Progress | None = None
    stopped: bool = False
    finished: bool = False
    _going: Generator[Progress, None, Result] | None = None

    @property
    def done(self) -> float:
        """The share of the work that is done, every cell counted alike."""
        whole = len(self.accuracies) - (self.now is not None)
        return 1.0 if self.finished else (whole + (self.now.done if self.now else 0.0)) / len(self.cells)

    def advance(self) -> None:
        """Goes on to the next report. Raises DivergenceError when the training diverges."""
        if self._going is None:
            cell = self.cells[len(self.accuracies)]
            self._going = recall.run(cell, self.units, self.seed, recall.QUICK, REPORTED)
            self.accuracies[cell] = {}
        cell = self.cells[len(self.accuracies) - 1]
        try:
            self.now = next(self._going)
            self.accuracies[cell] = self.now.accuracy
        except StopIteration as ended:
            self.accuracies[cell], self.now, self._going = ended.value.accuracy, None, None
            self.finished = len(self.accuracies) == len(self.cells)

    def progress_text(self) -> str:
        """How far it is, in words."""
        if self.now is None:
            return percent(self.done, 0)
        progress = tr(
            "{percent}, {title}, gap {gaps}: loss {self.now.loss:.2f}",
            percent=percent(self.done, 0),
            title=lc.cell(self.now.cell).title,
            gaps=self.now.gaps[-1],
            self=self,
        )
        if self.now.done < KNOWN:
            return progress
        left = self.now.seconds_left + (len(self.cells) - len(self.accuracies)) * self.now.seconds / self.now.done
        return tr("{progress}; about {left:.0f} s left", progress=progress, left=left)


def show() -> None:
    """The choice of cells and size, the button, and the run as it goes."""
    protocol = recall.QUICK
    st.subheader(tr("Run it again here"), anchor=False)
    st.caption(
        tr(
            "Small, so that it takes seconds: gaps up to {gaps}, {protocol.steps:,} steps for each, learning rate"
            " {protocol.learning_rate:g}; a model of its own for every gap. It stops when you press Stop, waits while"
            " you do something else, and goes when you go.",
            gaps=max(protocol.gaps),
            protocol=protocol,
        )
    )
    run: Run | None = st.session_state.get(KEY)
    going = run is not None and not run.finished and not run.stopped
    with st.form("long range: run it", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        cells = st.multiselect(
            tr("Cells"), RECALL_CELLS, FIRST, format_func=lambda name: lc.cell(name).title, key="long range: cells"
        )
        units = st.selectbox(tr("Units"), UNITS, 1, key="long range: units", width=90)
        seed = st.number_input(tr("Seed"), 0, MOST_SEED, 1, key="long range: seed", width=120)
        pressed = st.form_submit_button(tr("Run"), disabled=going, type="primary")
    if pressed and not going:
        run = _begun(cells, units, seed)
    if run is not None:
        _shown(run)


def _begun(cells: Sequence[str], units: int, seed: int) -> Run | None:
    if not cells:
        st.text(tr("⚠ Choose a cell to train."))
        return None
    chosen = tuple(name for name in RECALL_CELLS if name in cells)
    size = units if units in UNITS else UNITS[0]
    run = st.session_state[KEY] = Run(chosen, size, min(max(int(seed), 0), MOST_SEED))
    return run


def _shown(run: Run) -> None:
    place, picture = st.empty(), st.empty()
    if run.finished:
        place.text(tr("Done: {names}, {run.units} units, seed {run.seed}.", names=_names(run), run=run))
        _draw(picture, run)
        return
    if run.stopped:
        with place.container(horizontal=True, vertical_alignment="center"):
            st.text(tr("Stopped at {percent}.", percent=percent(run.done, 0)))
            st.button(tr("Go on"), key="long range: go on", on_click=_set, args=(run, False))
            st.button(tr("Throw it away"), key="long range: away", on_click=_forget)
        _draw(picture, run)
        return
    with place.container():
        bar = st.progress(run.done, run.progress_text())
        st.button(tr("Stop"), key="long range: stop run", on_click=_set, args=(run, True))
    _go_on(run, bar, picture)
    if run.finished:
        st.rerun()  # the form's button can be pressed again


def _go_on(run: Run, bar: st.delta_generator.DeltaGenerator, picture: st.delta_generator.DeltaGenerator) -> None:
    """Carries the run on to its end; each report is a place where Streamlit may end this script."""
    _draw(picture, run)
    drawn, shown = time.monotonic(), _points(run)
    while not run.finished:
        try:
            run.advance()
        except DivergenceError as error:
            st.session_state.pop(KEY)
            st.text(f"⚠ {error}.")
            return
        bar.progress(min(1.0, run.done), run.progress_text())
        if time.monotonic() - drawn > REDRAWN and _points(run) != shown:
            _draw(picture, run)
            drawn, shown = time.monotonic(), _points(run)


def _points(run: Run) -> int:
    return sum(map(len, run.accuracies.values()))


def _draw(picture: st.delta_generator.DeltaGenerator, run: Run) -> None:
    protocol = recall.QUICK
    notes = [
        tr(
            "{run.units} units, one seed ({run.seed}); tested on up to {protocol.tests:,} fresh sequences at each gap.",
            run=run,
            protocol=protocol,
        )
    ]
    accuracies = {cell: [found] for cell, found in run.accuracies.items() if found}
    figure = accuracy_by_gap(accuracies, protocol.chance, notes, protocol.gaps, detail.theme())
    picture.plotly_chart(figure, theme=None, config=detail.PLOT)


def _names(run: Run) -> str:
    return ", ".join(lc.cell(name).title for name in run.cells)


def _set(run: Run, stopped: bool) -> None:
    run.stopped = stopped


def _forget() -> None:
    st.session_state.pop(KEY, None)
