"""The address of a page: the link it was opened with, and the link to what is shown now."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NoReturn
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import lstm_core as lc
from lstm_core import examples
from lstm_core.words import tr
from pages.common import caches, own_models, selection, sidebar
from pages.common.selection import Selection, Sizes, World

WARNINGS = "warnings"  # sentences, shown once
ADDRESS = "address"  # the query that the page wrote last; another one means that the person went elsewhere
LEFT = "address left"  # the one before it, and when it was left
MESSAGE_DELAY = 1.5  # seconds that a message from the browser may take; nobody goes back so soon
LONGEST_IN_BYTES = 4  # of a character, in UTF-8


def start(models: dict[str, lc.ModelInfo]) -> dict[str, str] | None:
    """The selection that the address asks for: at a session's first run, and when a person goes back or forward.

    Where the address says nothing: what was chosen on another page, else a shipped model and a sentence. Returns the query
    of a link that this page has not answered yet, which holds the page's own parameters too; None when there is none.
    """
    _leave_removed_model(models)
    query = _follow_link(models)
    _cut_to_fit()
    return query


def _is_late(query: dict[str, str]) -> bool:
    """True for the address before this one, a moment after the change: of a message that was sent before the change."""
    old, when = st.session_state.get(LEFT, (None, 0.0))
    return query == old and time.monotonic() - when < MESSAGE_DELAY


def _leave_removed_model(models: dict[str, lc.ModelInfo]) -> None:
    """Goes back to the first model where the chosen one, a session's own, was removed."""
    if selection.KEY in st.session_state and selection.current().model not in models:
        sidebar.show(Selection(next(iter(models)), selection.current().text))


def _cut_to_fit() -> None:
    """Shortens the text to what the model can read at once, which for bytes and for large models is less, and says so."""
    chosen, most_steps = selection.current(), caches.longest(selection.current().model)
    for most in (None, most_steps, max(1, most_steps // LONGEST_IN_BYTES)):
        cut = chosen.text[:most]
        try:
            caches.check(chosen.model, cut)
        except lc.TextError as error:
            problem = str(error)
            continue
        if cut != chosen.text:
            step = chosen.step if chosen.step is not None and chosen.step < caches.steps(chosen.model, cut) else None
            sidebar.show(replace(chosen, text=cut, step=step))
            warn([tr("{problem} Its first {cut_count:,} characters are shown.", problem=problem, cut_count=len(cut))])
        return


def _follow_link(models: dict[str, lc.ModelInfo]) -> dict[str, str] | None:
    query = st.query_params.to_dict()
    if selection.KEY in st.session_state:
        if not query:  # come from another page
            sidebar.fill_widgets(selection.current())
            return None
        if query == st.session_state.get(ADDRESS, query) or _is_late(query):
            return None
    first = query["model"] if query.get("model") in models else next(iter(models))
    default = st.session_state.get(selection.KEY, Selection(first, examples.text_for(first)))
    sizes = {name: Sizes(info.config["layers"], info.config["units"]) for name, info in models.items()}
    chosen, warnings = selection.from_query(query, World(sizes, caches.steps), default)
    try:
        caches.check(chosen.model, chosen.text)
    except lc.TextError as error:
        warnings.append(str(error))
        chosen = replace(chosen, text=default.text, step=None)
    st.session_state[selection.KEY] = chosen
    st.session_state[WARNINGS] = warnings
    st.session_state.pop(sidebar.TEXT_PROBLEM, None)
    sidebar.fill_widgets(chosen)
    return query


def write(more: Mapping[str, str] | None = None) -> None:
    """Puts the view into the address: it is always the link to what is seen, and the browser's way back leads back.

    more: what the page alone has to say, by names that the selection does not use.
    """
    query = selection.current().query() | dict(more or {})
    if (old := st.session_state.get(ADDRESS)) not in (None, query):
        st.session_state[LEFT] = (old, time.monotonic())
    st.session_state[ADDRESS] = query
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def go_to(chosen: Selection, more: Mapping[str, str]) -> NoReturn:
    """Runs the page again, from a link to this view. For a run that has drawn its sidebar already."""
    st.session_state[ADDRESS] = {}  # so that the new one is taken for a link
    st.query_params.from_dict(chosen.query() | dict(more))
    st.rerun()


def draw_link(place: DeltaGenerator) -> None:
    """Fills the place for the link, once everything is chosen and `write` has been called."""
    chosen = selection.current()
    with place:
        st.write(tr("This address opens exactly this view:"))
        here = urlsplit(st.context.url or "")._replace(query=urlencode(st.session_state[ADDRESS]))
        st.code((here if here.path else here._replace(path="/")).geturl(), language=None, wrap_lines=True)
        if own_models.get(chosen.model) is not None:
            st.write(tr("It does so in this session alone: a model of your own is nowhere else."))
        if "text" not in chosen.query():
            st.write(
                tr(
                    "Its text of {text_count:,} characters does not fit into a link; send the text along.",
                    text_count=len(chosen.text),
                )
            )


def warn(sentences: Sequence[str]) -> None:
    """Keeps sentences, to be shown once by `show_warnings`."""
    st.session_state[WARNINGS] = [*st.session_state.get(WARNINGS, []), *sentences]


def show_warnings(damaged: Sequence[str]) -> None:
    """Shows which files are damaged, and what a link asked for in vain, as plain text: nothing in it is interpreted."""
    for sentence in (*damaged, *st.session_state.pop(WARNINGS, [])):
        st.text(f"⚠ {sentence}")
