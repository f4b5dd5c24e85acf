"""Models, traces and certificates, computed once and shared by all sessions."""

from __future__ import annotations

import streamlit as st

import lstm_core as lc

SHORT_TEXT = 1_000  # characters: with 2 x 256 units 12 MB a trace, of which 16 are kept; of longer ones, 2


@st.cache_resource(show_spinner=False)
def shipped() -> tuple[dict[str, lc.ModelInfo], tuple[str, ...]]:
    """The shipped models that can be read, by name, and a sentence for each file that can't."""
    damaged: list[lc.CheckpointError] = []
    good = {}
    for info in lc.models(damaged):
        try:
            model(info.name)
            good[info.name] = info
        except lc.CheckpointError as error:
            damaged.append(error)
    return good, tuple(map(str, damaged))


@st.cache_resource(max_entries=16, show_spinner=False)
def model(name: str) -> lc.CharModel:
    """A shipped model. Raises lc.CheckpointError."""
    return lc.load(name)


def read(name: str, text: str) -> lc.Trace:
    """The trace of a text by a shipped model. Raises lc.TextError, lc.CheckpointError."""
    return (_short if len(text) <= SHORT_TEXT else _long)(name, text)


@st.cache_resource(max_entries=16, show_spinner=False)
def _short(name: str, text: str) -> lc.Trace:
    return lc.trace(model(name), text)


@st.cache_resource(max_entries=2, show_spinner="Reading a long text …")
def _long(name: str, text: str) -> lc.Trace:
    return lc.trace(model(name), text)


@st.cache_resource(max_entries=64, show_spinner=False)
def certificate(name: str, text: str) -> lc.Certificate:
    """How far that trace is from an independent computation."""
    return lc.certify(model(name), read(name, text))
