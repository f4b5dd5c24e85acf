"""How a picture is displayed (zoom, order, ...): decided in the browser, and told to others by the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.common import links
from pages.common.links import Field

Options = dict[str, str]  # as an address says them; what is as at first sight is left out


@dataclass(frozen=True)
class Display:
    """A picture's options; `command` is what the browser was last told, obeyed when its serial is new there."""

    options: Options
    command: Options
    serial: int = 0

    def view(self) -> dict[str, Any]:
        """What the component is sent."""
        return {"look": self.command, "lookSerial": self.serial}


def displayed(key: str, query: Mapping[str, str] | None, fields: Sequence[Field]) -> Display:
    """The options of the component `key`: what its browser reports as {"look": {..., "serial"}}, what a link asks for in its
    query, or, where the page is opened again and the browser starts afresh, the ones from before.

    fields: the options that there are.
    """
    memory = f"{key}: display"
    state = st.session_state.get(key)
    last: Display = st.session_state.get(memory, Display({}, {}))
    reported = (state or {}).get("look")
    options, command, serial = last.options, last.command, last.serial
    if isinstance(reported, Mapping) and reported.get("serial") == serial:
        options = links.accepted(fields, reported)
    asked = None if query is None else links.accepted(fields, query)
    if asked is not None and asked != options:
        options = command = asked
        serial += 1
    elif state is None and options:
        command, serial = options, serial + 1
    now = st.session_state[memory] = Display(options, command, serial)
    return now
