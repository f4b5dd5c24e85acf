"""How a picture is looked at, kept between the browser, which decides it, and the address, which tells it to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

Look = dict[str, str]  # as an address says it; what is as at first sight is left out


@dataclass(frozen=True)
class Told:
    """A picture's look; `command` is what the browser was last told, obeyed when its serial is new there."""

    look: Look
    command: Look
    serial: int = 0

    def view(self) -> dict[str, Any]:
        """What the component is sent."""
        return {"look": self.command, "lookSerial": self.serial}


def told(key: str, given: Mapping[str, str] | None, checked: Callable[[Mapping[str, Any]], Look]) -> Told:
    """The look of the component `key`: what its browser reports as {"look": {..., "serial"}}, what a link asks for in
    `given`, or, where the page is opened again and the browser starts afresh, the one from before.

    checked: of anything reported, what a look can be.
    """
    memory = f"{key}: look"
    state = st.session_state.get(key)
    last: Told = st.session_state.get(memory, Told({}, {}))
    said = (state or {}).get("look")
    look, command, serial = last.look, last.command, last.serial
    if isinstance(said, Mapping) and said.get("serial") == serial:
        look = checked(said)
    if given is not None and dict(given) != look:
        look = dict(given)
        command, serial = look, serial + 1
    elif state is None and look:
        command, serial = look, serial + 1
    now = st.session_state[memory] = Told(look, command, serial)
    return now


def chosen(said: Mapping[str, Any], choices: Mapping[str, tuple[str, ...]]) -> Look:
    """Of anything said, what names one of the choices that there are."""
    return {name: said[name] for name, known in choices.items() if isinstance(said.get(name), str) and said[name] in known}
