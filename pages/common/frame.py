"""The frame that every page stands in: the list of pages, the page's settings, and the way in for a deep link."""

from __future__ import annotations

import streamlit as st
from streamlit.errors import FragmentHandledException
from streamlit.navigation.page import StreamlitPage

import lstm_core as lc
from lstm_core.errors import InputError
from lstm_core.places import APP, ASSETS

FOLDER = APP / "pages"
FRAMED = "framed"  # the session's mark: app.py, or the page itself, has set up the navigation


def _pages() -> list:
    gates = FOLDER / "gates.py"
    return [
        st.Page(gates, title="Gates", icon="🔬", url_path="home", default=True),
        st.Page(gates, title="Gates", url_path="gates", visibility="hidden"),  # the landing page, called by its name
        st.Page(FOLDER / "inside.py", title="Inside", icon="🔎", url_path="inside"),
        st.Page(FOLDER / "compare.py", title="Compare", icon="⚖️", url_path="compare"),
        st.Page(FOLDER / "long_range.py", title="Long range", icon="⏳", url_path="long_range"),
        st.Page(FOLDER / "training.py", title="Training", icon="🌱", url_path="training"),
        st.Page(FOLDER / "models.py", title="Models", icon="📦", url_path="models"),
    ]


def route() -> None:
    """The whole of app.py: settings, navigation, and the page that the address names."""
    st.session_state[FRAMED] = True
    st.set_page_config(page_title="Gatescope", page_icon="🔬", layout="wide")
    page = st.navigation(_pages(), position="top")
    try:
        page.run()
    except InputError as error:
        st.text(f"⚠ {error.sentence}")
    except Exception as error:
        st.text(report_line(page.title, error))
        raise  # Streamlit writes the traceback to the server's log and shows its error box


def report_line(page: str, error: Exception) -> str:
    """What a person is told of an error that is not theirs: what to report, and where its traceback stands."""
    kind = type(error.args[0] if isinstance(error, FragmentHandledException) and error.args else error).__name__
    return (
        f"⚠ This is a fault in Gatescope, not in what you did. Please report it with this line: Gatescope {lc.__version__},"
        f" page {page}, {kind}. The traceback stands in the server's log."
    )


def landing() -> StreamlitPage:
    """The page Gates, to link to and to lead to."""
    return _pages()[0]


def begin() -> None:
    """What each page calls first.

    After a restart of the server the first visitor with a deep link reaches the page's file without app.py. Naming
    the pages and running again leads through app.py to the same page, query parameters kept.
    """
    if FRAMED not in st.session_state:
        st.session_state[FRAMED] = True
        st.navigation(_pages(), position="hidden")
        st.rerun()
    st.html(ASSETS / "page.html")
