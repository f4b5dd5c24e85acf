"""The frame that every page stands in: the list of pages, the page's settings, and the way in for a deep link."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import FragmentHandledException
from streamlit.navigation.page import StreamlitPage

import lstm_core as lc
from lstm_core.errors import InputError
from lstm_core.places import APP, ASSETS
from lstm_core.words import tr
from pages.common import address, caches, process, selection, sidebar, stage
from pages.common.view_state import ViewState

FOLDER = APP / "pages"
FRAMED = "framed"  # the session's mark: app.py, or the page itself, has set up the navigation


def _pages() -> list:
    gates = FOLDER / "gates.py"
    return [
        st.Page(gates, title="Gates", icon="🔬", url_path="home", default=True),
        st.Page(gates, title="Gates", url_path="gates", visibility="hidden"),  # the landing page, called by its name
        st.Page(FOLDER / "inside.py", title="Inside", icon="🔎", url_path="inside"),
        st.Page(FOLDER / "compare.py", title="Compare", icon="⚖️", url_path="compare"),
        st.Page(FOLDER / "long_range.py", title=tr("Long range"), icon="⏳", url_path="long_range"),
        st.Page(FOLDER / "training.py", title="Training", icon="🌱", url_path="training"),
        st.Page(FOLDER / "models.py", title="Models", icon="📦", url_path="models"),
    ]


def route() -> None:
    """The whole of app.py: settings, navigation, and the page that the address names."""
    st.session_state[FRAMED] = True
    process.end_with_tab()
    st.set_page_config(page_title=tr("Gatescope"), page_icon="🔬", layout="wide")
    page = st.navigation(_pages(), position="top")
    with _errors_shown(page.title):
        page.run()
    process.arrange()


def fragment(page: str, function: Callable[..., None], **options: Any) -> Callable[..., None]:
    """`st.fragment`, with what a page says of an error: a fragment that runs again runs by itself, outside of its page.

    page: its title. options: of `st.fragment`.
    """

    @wraps(function)
    def shown(*arguments: Any) -> None:
        with _errors_shown(page):
            function(*arguments)

    return st.fragment(shown, **options)


@contextmanager
def _errors_shown(page: str) -> Iterator[None]:
    """A sentence for an error of the person's; for any other a line to report, before Streamlit's error box."""
    try:
        yield
    except InputError as error:
        st.text(f"⚠ {error.sentence}")
    except FragmentHandledException:
        raise  # `fragment` has said it
    except Exception as error:
        st.text(report_line(page, error))
        raise  # Streamlit writes the traceback to the server's log and shows its error box


def report_line(page: str, error: Exception) -> str:
    """What a person is told of an error that is not theirs: what to report, and where its traceback stands."""
    kind = type(error).__name__
    return tr(
        "⚠ This is a fault in Gatescope, not in what you did. Please report it with this line: Gatescope {version}, page"
        " {page}, {kind}. The traceback stands in the server's log.",
        version=lc.__version__, page=page, kind=kind,
    )  # fmt: skip


def landing() -> StreamlitPage:
    """The page Gates, to link to."""
    return _pages()[0]


def enter() -> None:
    """Leads through app.py, and dresses the page.

    After a restart of the server the first visitor with a deep link reaches the page's file without app.py. Naming
    the pages and running again leads through app.py to the same page, query parameters kept.
    """
    if FRAMED not in st.session_state:
        st.session_state[FRAMED] = True
        st.navigation(_pages(), position="hidden")
        st.rerun()
    st.html(ASSETS / "page.html")
    st.html(ASSETS / "history.html", unsafe_allow_javascript=True)  # our own file, without anything that a person gave


@dataclass(frozen=True)
class Page:
    """A page that has begun.

    models: that there are to choose from, by name. query: of a link that the page has not answered yet, else None.
    is_new: whether this is the session's first run. has_stage: whether the page's own picture has the choice of text, model
    and layer. section: which of its sections is chosen, "" where it has none.
    """

    models: dict[str, lc.ModelInfo]
    query: dict[str, str] | None
    is_new: bool
    has_stage: bool
    section: str
    _state: ViewState[Any] | None
    _link: DeltaGenerator

    def end(self, *parameters: Mapping[str, str]) -> None:
        """Writes the address and the link in the sidebar, once everything is chosen. parameters: beside the choice's own."""
        query: dict[str, str] = {} if self._state is None else self._state.query()
        for more in parameters:
            query |= more
        address.write(query)
        address.draw_link(self._link)


def begin(
    state: ViewState[Any] | None = None,
    world: Any = None,
    *,
    fewest: int = 1,
    sidebar_model: bool | Container[str] = True,
    on_stage: stage.Kind | None = None,
    damaged: Sequence[str] = (),
) -> Page:
    """What each page that reads a text calls first: the link it was opened with, its sections, the sidebar, the warnings.

    state: the page's own choice, if it has one. world: what `state` chooses from (default: the models). fewest: models that
    the page needs; it stops with a sentence where there are fewer. sidebar_model: whether the sidebar has the choice of
    model and layer, or in which sections. on_stage: the page's own picture, which has the choice of text, model and layer
    where the model can run in a browser. damaged: sentences about files beside the models.
    """
    enter()
    models, damaged_models = caches.models()
    if len(models) < fewest:
        few = (
            tr("There is no model to read with")
            if fewest == 1
            else tr("There are fewer than {fewest} models to compare", fewest=fewest)
        )
        st.text(tr("⚠ {few}: assets/models holds {value} that can be read.", few=few, value=len(models) or "none"))
        st.stop()
    is_new = selection.KEY not in st.session_state
    if on_stage is not None:
        stage.hear(on_stage)
    query, section = address.start(models), ""
    if state is not None:
        address.warn(state.start(models if world is None else world, query))
        section = state.choose_section()
    has_stage = on_stage is not None and stage.fits(selection.current().model)
    if has_stage:
        sidebar.draw_card(models)
    else:
        sidebar.draw(models, sidebar_model if isinstance(sidebar_model, bool) else section in sidebar_model)
    link = st.sidebar.popover(tr("Link to this view"), width="stretch")
    address.show_warnings((*damaged_models, *damaged))
    return Page(models, query, is_new, has_stage, section, state, link)
