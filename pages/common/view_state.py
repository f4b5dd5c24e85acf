"""What a person has chosen on a page: one frozen value under one key of the session, which links write and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import streamlit as st

from pages.common import links
from pages.common.links import Field

T = TypeVar("T")


@dataclass(frozen=True)
class Sections:
    """The sections of a page: which attribute of its choice names one, name -> title, and what a change of section resets."""

    attribute: str
    titles: Mapping[str, str]
    label: str
    resets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ViewState(Generic[T]):
    """A page's choice, a dataclass T.

    key: of the session; the page's widgets have keys that begin with "KEY: ". fields: what links say of it. sections: of
    the page. first: what a newcomer sees. repaired: the value without what is not there any more. first and repaired are
    given `world`: what there is to choose from, as the fields' bounds take it. asked: the value of before, without what a
    link must say anew.
    """

    key: str
    fields: Sequence[Field]
    sections: Sections
    first: Callable[[Any], T]
    repaired: Callable[[T, Any], T] = lambda value, world: value
    asked: Callable[[T], T] = lambda value: value

    def current(self) -> T:
        return st.session_state[self.key]

    def change(self, **fields: Any) -> None:
        """Replaces parts of the choice."""
        st.session_state[self.key] = replace(self.current(), **fields)  # type: ignore[type-var]

    def start(self, world: Any, query: Mapping[str, str] | None) -> list[str]:
        """The choice that a link's query asks for, or the one from before, or the first; and sentences about the link."""
        before = st.session_state.get(self.key) or self.first(world)
        value, sentences = self.repaired(before, world), list[str]()
        if query is not None:
            value, sentences = self.from_query(query, world, value)
        st.session_state[self.key] = value
        if query is not None or value != before:
            self.clear_widgets()
        return sentences

    def from_query(self, query: Mapping[str, str], world: Any, before: T) -> tuple[T, list[str]]:
        """The choice that a link asks for, and one sentence for each thing in it that can't be had."""
        return links.read(self.fields, query, self.asked(before), world)

    def query(self) -> dict[str, str]:
        """The query parameters that a link to this view has beside those of the selection."""
        return links.write(self.fields, self.current())

    def clear_widgets(self) -> None:
        """Makes the page's widgets show what is chosen now."""
        for name in [name for name in st.session_state if isinstance(name, str) and name.startswith(f"{self.key}: ")]:
            del st.session_state[name]

    def choose_section(self) -> str:
        """Draws the choice of a section, and returns which it is."""
        key = f"{self.key}: {self.sections.attribute}"
        st.session_state.setdefault(key, self._section)
        st.segmented_control(
            self.sections.label,
            list(self.sections.titles),
            key=key,
            required=True,
            format_func=self.sections.titles.__getitem__,
            on_change=lambda: self.change(**{self.sections.attribute: st.session_state[key]}, **self.sections.resets),
            label_visibility="collapsed",
        )
        return self._section

    @property
    def _section(self) -> str:
        return getattr(self.current(), self.sections.attribute)
