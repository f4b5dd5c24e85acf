"""What is arranged once for a server's process, after its first page."""

from __future__ import annotations

import contextlib
import gc
import sys
from importlib import import_module
from threading import Thread

import streamlit as st

if sys.platform != "win32":
    import resource

NEEDS_TORCH = ("lstm_core.checkpoint", "lstm_core.tracing", "lstm_core.certificate")  # what every page calls sooner or later
DESCRIPTORS = 4096  # files and sockets: Streamlit keeps three for a session until two minutes after it closed


@st.cache_resource(show_spinner=False)
def arrange() -> Thread:
    """Once a process; further calls cost nothing. Returns the thread that loads what the first page did not need."""
    _allow_descriptors()
    loading = Thread(target=_load_and_keep, name="loading torch", daemon=True)
    loading.start()
    return loading


def _load_and_keep() -> None:
    """Loads torch, while the first visitor looks at the first page: two seconds that nobody waits for.

    The modules that are loaded then stay, and are never searched for garbage again. Streamlit collects all garbage after each
    run. With torch there are 275,000 objects to go through, which takes as long as a page, and everybody else waits.
    """
    for name in NEEDS_TORCH:
        import_module(name)
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
