"""The picture of a model's life: one text at every checkpoint, under one slider.

lstm_core/browser/life.py packs the checkpoints for the browser, assets/life/life.js paints them; here stands what passes
between the two and the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import streamlit as st

from lstm_core.browser.life import payload
from pages.common import components

if TYPE_CHECKING:
    from lstm_core.analysis.growth import Stage


NEWEST = -1


@dataclass(frozen=True)
class Place:
    """Where a person is: the checkpoint, counted from 0, or NEWEST, whichever that is; the character; the unit."""

    stage: int
    step: int
    unit: int


@dataclass(frozen=True)
class _Shown:
    """What one picture shows, remembered between reruns. command: the place the browser was told last, obeyed when its
    serial number is new there. of: whose life it is. given: the place that the page gave last."""

    place: Place
    pinned: bool
    command: Place
    serial: int
    of: str
    given: Place | None


_payloads: WeakKeyDictionary[Any, tuple[Any, dict[str, Any]]] = WeakKeyDictionary()


def life_view(
    stages: Sequence[Stage],
    *,
    key: str,
    name: str,
    prompt: str,
    judged: str,
    steps: int,
    layer: int = 0,
    place: Place | None = None,
    first: Place | None = None,
    on_pin: Callable[[], None] | None = None,
) -> Place | None:
    """Draws a life, and returns what is pinned in it, or None.

    stages, layer, name, prompt, judged, steps: as for `lstm_core.browser.life.payload`, which raises. place: the pin; it
    moves the picture only when it differs from the one given before. first: where to look at first, without a pin.
    on_pin: called before the rerun that a new pin causes.
    """
    start = first or Place(NEWEST, 0, 0)
    shown = _shown(key, name, stages, place, start)
    facts = (name, prompt, judged, steps, layer)
    view = {"at": vars(shown.command), "pinned": shown.pinned, "serial": shown.serial}
    components.mount("life", key=key, data=_sent(stages, facts) | {"view": view}, on_pin_change=on_pin or _nothing)
    return shown.place if shown.pinned else None


def _nothing() -> None:
    """Streamlit keeps a component's state only where a callback is named."""


def _sent(stages: Sequence[Stage], facts: tuple[str, str, str, int, int]) -> dict[str, Any]:
    """The payload, packed once as long as nothing changes."""
    name, prompt, judged, steps, layer = facts
    wanted = (tuple(map(id, stages)), facts)
    kept = _payloads.get(stages[-1])
    if kept is None or kept[0] != wanted:
        packed = payload(stages, layer, name=name, prompt=prompt, judged=judged, steps=steps)
        kept = _payloads[stages[-1]] = (wanted, packed)
    return kept[1]


def _shown(key: str, of: str, stages: Sequence[Stage], given: Place | None, start: Place) -> _Shown:
    memory = f"{key}: shown"
    state = st.session_state.get(key)
    last: _Shown | None = st.session_state.get(memory)
    if last is None or last.of != of:
        first = _fitted(given or start, stages)
        serial = 1 if last is None else last.serial + 1
        last = _Shown(first, given is not None, first, serial, of, given)
    clicked = _clicked(state, last.serial)
    now = last if clicked is None else replace(last, place=clicked, pinned=True)
    fitted = _fitted(now.place, stages)
    moved = given is not None and given not in (last.given, now.place)
    if moved and given is not None:
        fitted, now = _fitted(given, stages), replace(now, pinned=True)
    if moved or (state is None and now.pinned):  # the browser starts afresh when its page is opened again
        now = replace(now, command=fitted, serial=now.serial + 1)
    now = st.session_state[memory] = replace(now, place=fitted, given=given)
    return now


def _clicked(state: Any, serial: int) -> Place | None:
    """What the browser reports, where that is well formed and not outdated."""
    reported = (state or {}).get("pin")
    names = ("stage", "step", "unit", "serial")
    if (
        not isinstance(reported, Mapping)
        or any(type(reported.get(name)) is not int for name in names)
        or reported["serial"] != serial
    ):
        return None
    return Place(reported["stage"], reported["step"], reported["unit"])


def _fitted(place: Place, stages: Sequence[Stage]) -> Place:
    read = stages[-1].trace
    return Place(
        min(max(place.stage, NEWEST), len(stages) - 1),
        min(max(place.step, 0), read.steps - 1),
        min(max(place.unit, 0), read.units - 1),
    )
