"""The linked picture of the pages Gates and Compare: text strips, predictions and every heatmap under one cursor.

lstm_core/browser/gates.py packs traces for the browser, assets/gates/gates.js paints them; here stands what passes between
the two and the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

import streamlit as st

import lstm_core as lc
from lstm_core.browser.gates import Between, Reader, Track, check, payload, window
from pages.common import components
from pages.common.display import Options, displayed
from pages.common.links import Decimal, Field, OneOf

if TYPE_CHECKING:
    from lstm_core.trace import Trace

__all__ = ["Between", "GatesView", "Pin", "Reader", "Track", "gates_view", "linked_view"]

Order = Literal["index", "mean", "grouped"]
Pin = Mapping[str, Any]


# How the picture is displayed. What holds at first sight follows from the heatmaps, and the browser, which knows it,
# leaves it out. The signals are those of any cell, for the model may change.
SIGNALS = tuple(sorted({signal for cell in lc.cells().values() for signal in cell.names}))
NARROWEST, WIDEST = 0.25, 36.0  # pixels a column
OPTIONS = (
    Field("rows", OneOf(), ("small", "medium", "large", "every")),
    Field("pooling", OneOf(), ("mean", "farthest")),
    Field("squash", OneOf(), ("on",)),
    Field("order", OneOf(), ("index", "grouped", *SIGNALS)),  # or by the mean of a signal
    Field("zoom", Decimal(("fit",)), (NARROWEST, WIDEST)),  # or the whole text at once
)


@dataclass(frozen=True)
class GatesView:
    """What the picture shows: the pinned {"step", "unit", "layer", "model"} (or None), the first column sent, and how it is
    displayed, as a query."""

    pin: dict[str, Any] | None
    start: int
    options: Options


def gates_view(
    trace: Trace,
    layers: Sequence[int],
    *,
    key: str,
    pin: Pin | None = None,
    start: int = 0,
    order: Order = "index",
    query: Mapping[str, str] | None = None,
    on_pin: Callable[[], None] | None = None,
) -> GatesView:
    """Draws the linked picture of some layers of a trace, and returns what is pinned in it.

    layers: which, counted from 0, from top to bottom. pin: {"step", "unit", "layer"}; it moves the picture only when
    it differs from the pin given before, so a page may go on giving an old one while the person clicks. start: the
    first column of the window, and order: of the units, both at first sight; then the person decides. query: of a link,
    whose parameters OPTIONS say how to display it; then, too, the person decides. The place scrolled to is none of them:
    a picture opens where its pin is in view. on_pin: called before the rerun that a new pin causes.
    Raises ValueError for a layer that the trace lacks.
    """
    if not layers or not all(0 <= layer < trace.layers for layer in layers):
        raise ValueError(f"layers to draw: {tuple(layers)}; the trace has layers 0 to {trace.layers - 1}")
    tracks = [Track(0, layer) for layer in layers]
    given = None if pin is None else {"model": trace.model, **pin}
    view = linked_view(
        [Reader(trace.model, trace)], tracks, key=key, pin=given, start=start, order=order, query=query, on_pin=on_pin
    )
    own = None if view.pin is None else {name: view.pin[name] for name in ("step", "unit", "layer")}
    return GatesView(own, view.start, view.options)


def linked_view(
    readers: Sequence[Reader],
    tracks: Sequence[Track],
    *,
    key: str,
    pin: Pin | None = None,
    start: int = 0,
    order: Order = "index",
    query: Mapping[str, str] | None = None,
    between: Between | None = None,
    caption: str = "",
    file: str = "",
    on_pin: Callable[[], None] | None = None,
) -> GatesView:
    """Draws several readings of a text on one time axis, one scale and under one cursor; returns what is pinned.

    readers: of equally many columns. tracks: from top to bottom, each of a model and layer of its own. pin: {"step",
    "unit", "layer", "model"}; see `gates_view` for it and for start, order, query and on_pin. between: how far they are apart.
    caption: below the picture, and below one that is saved under the name `file`. Raises ValueError for readers of
    different lengths and for a layer that is not there.
    """
    check(readers, tracks)
    shown = _shown(key, readers, tracks, pin, start)
    display = displayed(key, query, OPTIONS)
    view = {"pin": shown.command, "serial": shown.serial, "order": order, **display.view()}
    components.mount(
        "gates",
        key=key,
        data=payload(readers, tracks, shown.start, between, caption, file) | {"view": view},
        on_pin_change=on_pin or _nothing,
        on_start_change=_nothing,
        on_look_change=_nothing,
    )
    return GatesView(shown.pin, shown.start, display.options)


def _nothing() -> None:
    """Streamlit keeps a component's state only where a callback is named."""


# What is shown: the browser's clicks and the page's wishes


@dataclass(frozen=True)
class _Shown:
    """What one picture shows, remembered between reruns.

    command: the pin the browser was last told to show, obeyed when its serial number is new there. The browser's
    own clicks come back with that number, so that an old click never undoes a newer command.
    given: the pin that the page gave last.
    """

    pin: dict[str, Any] | None = None
    start: int = 0
    command: dict[str, Any] | None = None
    serial: int = 0
    given: dict[str, Any] | None = None


def _shown(key: str, readers: Sequence[Reader], tracks: Sequence[Track], given: Pin | None, start: int) -> _Shown:
    memory = f"{key}: shown"
    state = st.session_state.get(key)
    last = st.session_state.get(memory, _Shown(start=start))
    now = _after_clicks(last, state or {})
    pin, asked = _clamped(now.pin, readers, tracks), _clamped(given, readers, tracks)
    sent = window(readers, tracks)
    changed = given is not None and dict(given) not in (last.given, last.pin) and asked != pin
    reopened = state is None and pin is not None  # the browser starts afresh when its page is opened again
    if changed or reopened:
        pin = asked if changed else pin
        now = replace(now, command=pin, serial=now.serial + 1, start=_around(pin["step"], now.start, sent))  # type: ignore[index]
    start = max(0, min(now.start, readers[0].columns - sent))
    now = replace(now, pin=pin, start=start, given=now.given if given is None else dict(given))
    st.session_state[memory] = now
    return now


def _after_clicks(last: _Shown, state: Mapping[str, Any]) -> _Shown:
    """The memory brought up to date with what the browser reports, where that is well formed and not outdated."""
    clicked, moved = state.get("pin"), state.get("start")
    if _well_formed(clicked, ("step", "unit", "layer")) and clicked.get("serial", last.serial) == last.serial:
        last = replace(last, pin={**{k: clicked[k] for k in ("step", "unit", "layer")}, "model": clicked.get("model")})
    if _well_formed(moved, ("first",)) and moved.get("serial", last.serial) == last.serial:
        last = replace(last, start=moved["first"])
    return last


def _well_formed(value: Any, names: Iterable[str]) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and all(type(value.get(name)) is int for name in names)


def _clamped(pin: Pin | None, readers: Sequence[Reader], tracks: Sequence[Track]) -> dict[str, Any] | None:
    """A pin on a track that is there: on its own, else on one of its model, else of its layer, else on the first."""
    if pin is None:
        return None
    wanted = pin.get("model"), pin["layer"]
    names = {track: (readers[track.reader].trace.model, track.layer) for track in tracks}
    track = max(tracks, key=lambda t: (names[t] == wanted, names[t][0] == wanted[0], names[t][1] == wanted[1]))
    return {
        "step": min(max(pin["step"], 0), readers[0].columns - 1),
        "unit": min(max(pin["unit"], 0), readers[track.reader].trace.units - 1),
        "layer": track.layer,
        "model": names[track][0],
    }


def _around(step: int, start: int, sent: int) -> int:
    return start if start <= step < start + sent else step - sent // 2
