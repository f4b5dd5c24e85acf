"""What is arranged for a server's process: once, after its first page, and for each session, when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from importlib import import_module
from threading import Thread

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

if sys.platform != "win32":
    import resource

# What every page calls sooner or later; Streamlit needs pandas for tables.
LATER = ("lstm_core.checkpoint", "lstm_core.tracing", "lstm_core.certificate", "pandas")
DESCRIPTORS = 4096  # files and sockets, of which each session has four
RETURN = 115.0  # seconds in which a tab that lost its connection may come back: Streamlit's own two minutes, but for a moment


def has_torch() -> bool:
    """Whether torch is imported, which takes seconds. Importing it waits for whoever does so already."""
    torch = sys.modules.get("torch")
    return torch is not None and not getattr(torch.__spec__, "_initializing", False)


def arrange() -> Thread:
    """To be called at the end of each run: what it does, it does once a process. Returns the thread that loads what the first
    page did not need."""
    loading = _arranged()
    if loading.is_alive():
        gc.freeze()  # or Streamlit, after each run in the meantime, would search all that has been loaded
    return loading


@st.cache_resource(show_spinner=False)
def _arranged() -> Thread:
    _allow_descriptors()
    # No daemon, as a thread of a script's own would be: torch can't be taken down before it is up.
    loading = Thread(target=_load_and_keep, name="loading", daemon=False)
    loading.start()
    return loading


def _load_and_keep() -> None:
    """Loads torch and pandas, while the first visitor looks at the first page: three seconds that nobody waits for.

    The modules that are loaded then stay, and are never searched for garbage again. Streamlit collects all garbage after each
    run. With torch there are 275,000 objects to go through, which takes as long as a page, and everybody else waits.
    """
    for name in LATER:
        import_module(name)
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _allow_descriptors() -> None:
    """Some systems allow a process 256 descriptors where it does not ask for more: eighty visitors in two minutes."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # a system may have a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def end_with_tab() -> None:
    """Has this session ended some time after its tab was closed. To be called in each of its runs, which costs nothing.

    Streamlit keeps the session of a closed tab for two minutes, and, when these are over, until somebody else comes: all that
    it holds, and the three descriptors of an event loop.
    """
    context = get_script_run_ctx()
    if context is not None:
        _session(context.session_id)


def _end_later(session: str) -> None:
    """Called by Streamlit when a tab's connection is lost, on the server's event loop."""
    try:
        server = asyncio.get_running_loop()
    except RuntimeError:
        return  # on a script's thread: caches are cleared, and the tab is still there
    if (earlier := _ending.pop(session, None)) is not None:
        earlier.cancel()
    _ending[session] = server.call_later(RETURN, _end, session)


def _end(session: str) -> None:
    _ending.pop(session, None)
    if not runtime.get_instance().is_active_session(session):
        runtime.get_instance().close_session(session)


_ending: dict[str, asyncio.TimerHandle] = {}  # of sessions without a tab


@st.cache_resource(scope="session", on_release=_end_later, show_spinner=False)
def _session(session: str) -> str:
    """What Streamlit releases when a session's tab is closed."""
    return session
