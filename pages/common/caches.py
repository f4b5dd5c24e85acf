"""Models, traces and certificates: of the shipped models computed once for all, of a session's own for it alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np
import streamlit as st

import lstm_core as lc
from lstm_core import model_file
from lstm_core.model_file import ModelFile
from lstm_core.text import MAX_CHARACTERS
from lstm_core.words import N_, tr
from pages.common import own_models

SHORT_TEXT = 1_000  # characters: with 2 x 256 units 12 MB a trace, of which 16 are kept; of longer ones, 2

P = ParamSpec("P")
R = TypeVar("R")


def cached(max_entries: int | None = None, show_spinner: bool | str = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """As st.cache_resource, for functions of models' names, texts and other plain values, given by position.

    What is computed with a model of a session's own stays in that session, and goes with it.
    """

    def decorate(compute: Callable[P, R]) -> Callable[P, R]:
        shared = st.cache_resource(max_entries=max_entries, show_spinner=show_spinner)(compute)

        @wraps(compute)
        def found(*arguments: P.args, **named: P.kwargs) -> R:
            if not own_models.concerns(arguments):
                return shared(*arguments, **named)
            if isinstance(show_spinner, str):
                with st.spinner(show_spinner):
                    return own_models.result(compute, arguments, max_entries or own_models.MOST_RESULTS)
            return own_models.result(compute, arguments, max_entries or own_models.MOST_RESULTS)

        found.clear = shared.clear  # type: ignore[attr-defined]  # as st.cache_resource's own
        return found

    return decorate


def models() -> tuple[dict[str, lc.ModelInfo], tuple[str, ...]]:
    """The models that pages list, by name: the shipped ones, then the session's own; and a sentence for each damaged file."""
    good, damaged = shipped()
    return good | own_models.infos(), damaged


def shipped() -> tuple[dict[str, lc.ModelInfo], tuple[str, ...]]:
    """The shipped models that can be read, by name, and a sentence for each file that can't."""
    infos, _, damaged = _files()
    return infos, damaged


@st.cache_resource(show_spinner=False)
def _files() -> tuple[dict[str, lc.ModelInfo], dict[str, ModelFile], tuple[str, ...]]:
    """The shipped models' files, looked through whole, without torch; no weights are kept."""
    damaged: list[lc.CheckpointError] = []
    infos, files = {}, {}
    for info in lc.models(damaged):
        try:
            file = model_file.read(info.name)
            file.weights()
            infos[info.name], files[info.name] = info, file
        except lc.CheckpointError as error:
            damaged.append(error)
    return infos, files, tuple(map(str, damaged))


def look_again() -> None:
    """The shipped models' files are looked through anew at the next run: one has been damaged since."""
    _files.clear()


def described(name: str) -> ModelFile | lc.CharModel:
    """What a listed model's file says of it, or a model of the session's own: enough to read a text's characters with.

    Needs no torch. Raises lc.CheckpointError.
    """
    own = own_models.get(name)
    if own is not None:
        return own
    return _files()[1].get(name) or model_file.read(name)


def parameters(name: str) -> int:
    """How many trained numbers a listed model has. Raises lc.CheckpointError."""
    known = described(name)
    return known.parameters if isinstance(known, ModelFile) else sum(p.numel() for p in known.parameters())


def model(name: str) -> lc.CharModel:
    """A model by its listed name: the session's own, or a shipped one, loaded when it is first asked for.

    Raises lc.CheckpointError where a file has been damaged since it was listed; from the next run on it is listed as damaged.
    """
    own = own_models.get(name)
    if own is not None:
        return own
    try:
        return _loaded(name)
    except lc.CheckpointError:
        look_again()
        raise


@st.cache_resource(max_entries=16, show_spinner=False)
def _loaded(name: str) -> lc.CharModel:
    return lc.load(name)


def check(name: str, text: str) -> None:
    """Raises lc.TextError, one sentence, for a text that a model can't read, or that is too long for one so large."""
    chosen, most = described(name), longest(name)
    steps = len(chosen.vocabulary.encode(text).ids)
    if steps > most:
        raise lc.TextError(
            tr(
                "{name} has {chosen.layers} × {chosen.units} units, all of which are kept at each step: at most"
                " {most:,} steps can be read at once, and the text has {steps:,}.",
                name=name,
                chosen=chosen,
                most=most,
                steps=steps,
            )
        )


def steps(name: str, text: str) -> int:
    """How many steps a model takes for a text: one a character, or one a byte. Of what it can't read, one a character."""
    try:
        return len(described(name).vocabulary.encode(text).ids)
    except lc.TextError:
        return len(text)


def longest(name: str) -> int:
    """How many steps of a text a model may be traced on at once."""
    own = own_models.get(name)
    return MAX_CHARACTERS if own is None else min(MAX_CHARACTERS, own_models.longest(own))


def read(name: str, text: str) -> lc.Trace:
    """The trace of a text by a model. Raises lc.TextError, lc.CheckpointError.

    A model of a session's own may overflow, for it may squash nothing: then one sentence stands in the page's place.
    """
    trace = (_short if len(text) <= SHORT_TEXT else _long)(name, text)
    if own_models.get(name) is not None and not all(np.isfinite(trace[signal]).all() for signal in trace.signals):
        st.text(
            tr("⚠ The numbers of {name} grow beyond all bounds on this text: take a shorter one, or another model.", name=name)
        )
        st.stop()
    return trace


@cached(16)
def _short(name: str, text: str) -> lc.Trace:
    return lc.trace(model(name), text)


@cached(2, N_("Reading a long text …"))
def _long(name: str, text: str) -> lc.Trace:
    return lc.trace(model(name), text)


@cached(64)
def certificate(name: str, text: str) -> lc.Certificate:
    """How far that trace is from an independent computation."""
    return lc.certify(model(name), read(name, text))
