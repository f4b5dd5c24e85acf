"""Gradients of long texts, worked out a little at a time: several sessions may watch one, and any may leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.analysis.gradients import gradient_steps
from lstm_core.analysis.window import Window, part
from lstm_core.numbers import percent
from lstm_core.words import tr
from pages.common import caches

if TYPE_CHECKING:
    from lstm_core.analysis.gradients import Gradients

AT_ONCE = 0.2  # seconds of work between two looks at whether the person has gone on to something else
SILENT = 0.5  # seconds before a bar is shown
STOPPED = "followed back: stopped"


class Work:
    """The gradients of one model on a stretch of one text, as far as they are worked out.

    share: of the work that is done, 0 to 1. result: once that is 1.
    """

    def __init__(self, name: str, text: str, window: Window) -> None:
        trace = caches.read(name, text)
        # One character more: the loss after the stretch's last one is about it.
        stretch = part(trace, window.start, min(window.stop + 1, trace.steps))
        self.share = 0.0
        self.result: Gradients | None = None
        self._lock = threading.Lock()
        self._run: Generator[float, None, Gradients] | None = gradient_steps(
            caches.model(name), stretch, window.targets.tolist()
        )

    def advance(self, seconds: float) -> None:
        """Goes on for so long, or to the end. One session at a time; another one waits as long."""
        until = time.perf_counter() + seconds
        with self._lock:
            while self._run is not None and time.perf_counter() < until:
                try:
                    self.share = next(self._run)
                except StopIteration as finished:
                    self.result, self._run, self.share = finished.value, None, 1.0


@caches.cached(8)
def work(name: str, text: str, window: Window) -> Work:
    """The one computation of these gradients, shared by all sessions; of a session's own model, by itself."""
    return Work(name, text, window)


def gradients(names: Sequence[str], text: str, window: Window) -> list[Gradients] | None:
    """The gradients of each model; behind a bar with a button to stop it, where they take long. None when it was stopped."""
    works = [work(name, text, window) for name in names]
    place, wanted, began = st.empty(), (tuple(names), text, window), time.perf_counter()
    if st.session_state.get(STOPPED) == wanted and any(each.result is None for each in works):
        with place.container():
            st.text(tr("Stopped at {percent}.", percent=_percent(works)))
            st.button(tr("Go on"), on_click=_go_on)
        return None
    bar = None
    for each in works:
        while each.result is None:
            each.advance(AT_ONCE)
            if each.result is None and bar is None and time.perf_counter() - began > SILENT:
                with place.container():
                    bar = st.progress(0.0)
                    st.button(tr("Stop"), key="long range: stop", on_click=_stop, args=(wanted,))
            if bar is not None:
                bar.progress(_share(works), tr("Following the losses back: {percent}", percent=_percent(works)))
    place.empty()
    return [each.result for each in works if each.result is not None]


def _share(works: Sequence[Work]) -> float:
    return sum(each.share for each in works) / len(works)


def _percent(works: Sequence[Work]) -> str:
    return percent(_share(works), 0)


def _stop(wanted: object) -> None:
    st.session_state[STOPPED] = wanted


def _go_on() -> None:
    st.session_state.pop(STOPPED, None)
