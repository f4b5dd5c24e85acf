"""What the page Training looks at: which section, whose life, which place in it; as one value, and as a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from pages.common import reading
from pages.common.training.view import Place

KEY = "training"
SECTIONS = {"life": "A model’s life", "bias": "Forget-gate bias", "here": "Train here"}
FIRST = "lstm"


@dataclass(frozen=True)
class Look:
    """section: one of SECTIONS. life: a shipped life's name. place: the pin in it, or None."""

    section: str = "life"
    life: str = FIRST
    place: Place | None = None

    def query(self) -> dict[str, str]:
        """The query parameters that a link to this page has beside those of the selection."""
        wanted = {"section": self.section}
        if self.section == "life":
            wanted["life"] = self.life
            if self.place is not None:
                wanted["at"] = f"{self.place.stage}:{self.place.step}:{self.place.unit}"
        return wanted


def current() -> Look:
    return st.session_state[KEY]


def change(**fields: Any) -> None:
    """Replaces parts of the look."""
    st.session_state[KEY] = replace(current(), **fields)


def start(lives: Sequence[str], arrived: bool) -> None:
    """The look that the address asks for, or the one from before, or the first."""
    if KEY not in st.session_state:
        st.session_state[KEY] = Look(life=FIRST if FIRST in lives or not lives else lives[0])
    if arrived:
        chosen, complaints = from_query(st.query_params.to_dict(), lives, current())
        st.session_state[KEY] = chosen
        reading.note(complaints)
        for name in ("section", "life"):
            st.session_state.pop(f"{KEY}: {name}", None)  # the widgets show what is chosen now


def from_query(query: Mapping[str, str], lives: Sequence[str], default: Look) -> tuple[Look, list[str]]:
    """The look that a link asks for, and one sentence for each thing in it that can't be had."""
    said: list[str] = []
    section, life = query.get("section", default.section), query.get("life", default.life)
    if section not in SECTIONS:
        said.append(f"The link asks for a section “{section[:40]}”; there are {', '.join(SECTIONS)}.")
        section = default.section
    if life not in lives and "life" in query:
        said.append(f"The link asks for the life “{life[:40]}”; there are {', '.join(lives) or 'none'}.")
        life = default.life
    return Look(section, life, _place(query.get("at", ""), said)), said


def _place(asked: str, said: list[str]) -> Place | None:
    numbers = asked.split(":")
    if len(numbers) == 3 and all(n.isascii() and n.isdigit() and len(n) < 9 for n in numbers):
        return Place(*map(int, numbers))
    if asked:
        said.append(f"The link asks for “{asked[:40]}”; a place is checkpoint:character:unit, each counted from 0.")
    return None


def choose_section() -> str:
    """One of SECTIONS."""
    key = f"{KEY}: section"
    st.session_state.setdefault(key, current().section)
    st.segmented_control(
        "What to look at",
        list(SECTIONS),
        key=key,
        required=True,
        format_func=SECTIONS.__getitem__,
        on_change=lambda: change(section=st.session_state[key]),
        label_visibility="collapsed",
    )
    return current().section
