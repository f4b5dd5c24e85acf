"""Long range, first section: how far back the gradient of each loss reaches, and which characters mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

import lstm_core as lc
from lstm_core.analysis import vanishing
from lstm_core.analysis.window import Window, window
from pages.common import caches, compare_models, long_range_choice, selection
from pages.common.long_range_view import Reader, reach_view
from pages.common.long_range_work import gradients


def show(models: Mapping[str, lc.ModelInfo]) -> None:
    """The choice of models, the linked picture, what it says in words, and what can be taken away."""
    long_range_choice.choose_models(models)
    look, chosen = long_range_choice.current(), selection.current()
    traces = [caches.read(name, chosen.text) for name in look.models]
    problem = compare_models.not_comparable(traces)
    if problem:
        st.text(f"⚠ {problem}")
        return
    steps = traces[0].steps
    stretch = window(steps, min(chosen.step or 0, steps - 1))
    st.caption(_lead(stretch, steps))
    found = gradients(look.models, chosen.text, stretch)
    if found is None:
        return
    readers = [Reader(trace, each) for trace, each in zip(traces, found)]
    step = reach_view(readers, stretch, key="reach", layer=layer_index(look.layer), step=chosen.step)
    if chosen.step is None or step != chosen.step:
        selection.change(step=step)


def layer_index(layer: int) -> int:
    """A layer as the analyses count it: from 0, the top one -1."""
    return vanishing.TOP if layer == long_range_choice.TOP else layer - 1


def _lead(stretch: Window, steps: int) -> str:
    what = (
        "Learning from a loss means following it back, character by character. Point at a character: how far back does the"
        " loss after it reach, and through which characters was the next one made likelier?"
    )
    length = stretch.stop - stretch.start
    if length < steps:
        what += (
            f" Of the {steps:,} characters, {length:,} around the pin are followed back:"
            f" {stretch.start + 1:,} to {stretch.stop:,}."
        )
    if stretch.stride > 1:
        what += f" Of so many, every {_ordinal(stretch.stride)} character’s loss."
    return what


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
