"""Models and traces, computed once and shared by all sessions."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import lstm_core as lc

SHORT_TEXT = 2_000  # characters; a trace of one more than this can take hundreds of megabytes


@st.cache_resource(max_entries=16, show_spinner=False)
def model(name: str, stamp: float = 0.0) -> lc.CharModel:
    """A shipped model. stamp: the file's time, so that a changed file is read again."""
    return lc.load(name)


def read(name: str, text: str) -> lc.Trace:
    """The trace of a text by a shipped model. Raises lc.TextError, lc.CheckpointError."""
    return (_short if len(text) <= SHORT_TEXT else _long)(name, text)


@st.cache_resource(max_entries=24, show_spinner=False)
def _short(name: str, text: str) -> lc.Trace:
    return lc.trace(model(name), text)


@st.cache_resource(max_entries=2, show_spinner="Reading a long text …")
def _long(name: str, text: str) -> lc.Trace:
    return lc.trace(model(name), text)


@st.cache_resource(max_entries=64, show_spinner=False)
def certificate(name: str, text: str) -> lc.Certificate:
    return lc.certify(model(name), read(name, text))


@st.cache_resource(max_entries=1, show_spinner=False)
def models(stamps: tuple[tuple[str, float], ...]) -> dict[str, lc.ModelInfo]:
    """The shipped models by name. stamps: the files and their times, so that a new file is seen."""
    return {info.name: info for info in lc.models()}


def shipped() -> dict[str, lc.ModelInfo]:
    files = sorted(Path(lc.checkpoint.SHIPPED_MODELS).glob("*.safetensors"))
    return models(tuple((f.name, f.stat().st_mtime) for f in files))
