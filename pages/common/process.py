"""What is arranged once for a server's process, after its first page."""

from __future__ import annotations

import contextlib
import gc
import sys

import streamlit as st

if sys.platform != "win32":
    import resource

DESCRIPTORS = 4096  # files and sockets: Streamlit keeps three for a session until two minutes after it closed


def has_torch() -> bool:
    """Whether torch is imported, which takes seconds. Importing it waits for whoever does so already."""
    torch = sys.modules.get("torch")
    return torch is not None and not getattr(torch.__spec__, "_initializing", False)


@st.cache_resource(show_spinner=False)
def arrange() -> None:
    """Once a process; further calls cost nothing."""
    _keep_what_is_loaded()
    _allow_descriptors()


def _keep_what_is_loaded() -> None:
    """The modules and models that are loaded stay, and are never searched for garbage again.

    Streamlit collects all garbage after each run. With torch there are 275,000 objects to go through, which takes as long as
    a page, and everybody else waits.
    """
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
