"""What a person has chosen, as one frozen value under one key, and as the query of a link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from pages.common.own_models import PREFIX

KEY = "selection"
LONGEST_LINKED_TEXT = 2000  # characters; a longer text does not belong in an address
ALL_LAYERS = 0


@dataclass(frozen=True)
class Selection:
    """model: a listed model's name. layer: 1, 2, ... or ALL_LAYERS. step, unit: the pin, counted from 0; pinned_layer
    from 1. None: not chosen yet, or not there in this trace."""

    model: str
    text: str
    layer: int = 1
    step: int | None = None
    unit: int | None = None
    pinned_layer: int | None = None

    def query(self) -> dict[str, str]:
        """The query parameters of a link that opens this view; a text that no address can hold is left out."""
        wanted = {"model": self.model, "layer": "all" if self.layer == ALL_LAYERS else str(self.layer)}
        if fits_address(self.text):
            wanted["text"] = self.text
        numbers = {
            "step": self.step,
            "unit": self.unit,
            "pinned_layer": self.pinned_layer if self.layer == ALL_LAYERS else None,
        }
        return wanted | {name: str(value) for name, value in numbers.items() if value is not None}


def fits_address(text: str) -> bool:
    """Whether an address can hold a text: one that is not too long, and without half a surrogate pair."""
    return len(text) <= LONGEST_LINKED_TEXT and not any("\ud800" <= c <= "\udfff" for c in text)


def current() -> Selection:
    return st.session_state[KEY]


def change(**fields: Any) -> None:
    """Replaces parts of the selection."""
    st.session_state[KEY] = replace(current(), **fields)


@dataclass(frozen=True)
class Sizes:
    """How many layers and units a model has: what a link may ask for."""

    layers: int
    units: int


def _a_character_a_step(model: str, text: str) -> int:
    return len(text)


def from_query(
    query: Mapping[str, str],
    models: Mapping[str, Sizes],
    default: Selection,
    steps: Callable[[str, str], int] = _a_character_a_step,
) -> tuple[Selection, list[str]]:
    """The selection that a link asks for, and one sentence for each thing in it that can't be had.

    default: what holds where the link says nothing, or asks for nothing that is there. steps: how many a model takes for a
    text: one that reads bytes takes several a character.
    """
    said: list[str] = []
    model = query.get("model", default.model)
    if model not in models:
        why = ": it stays in the session that brought it" if model.startswith(PREFIX) else ""
        said.append(f"The link names a model “{model[:60]}”, which is not here{why}; {default.model} is shown instead.")
        model = default.model
    text, sizes = query.get("text", default.text), models[model]
    layer = _layer(query.get("layer", ""), model, sizes.layers, said) or (default.layer if default.model == model else 1)
    if query.get("layer") == "all" and sizes.layers > 1:
        layer = ALL_LAYERS
    step = _index(query.get("step", ""), "character", steps(model, text), "the text", said)
    unit = _index(query.get("unit", ""), "unit", sizes.units, model, said)
    pinned = _layer(query.get("pinned_layer", ""), model, sizes.layers, said)
    return Selection(model, text, layer, step, unit, pinned), said


def _layer(asked: str, model: str, layers: int, said: list[str]) -> int | None:
    """A layer counted from 1; None, and a sentence, where there is none such."""
    if not asked or (asked == "all" and layers > 1):
        return None
    number = _number(asked)
    if number is None or not 1 <= number <= layers:
        has = f"layers 1 to {layers}" if layers > 1 else "one layer"
        said.append(f"The link asks for layer “{asked[:20]}”; {model} has {has}.")
        return None
    return number


def _index(asked: str, what: str, count: int, of: str, said: list[str]) -> int | None:
    """A number counted from 0; None, and a sentence, where there is none such."""
    number = _number(asked)
    if asked and (number is None or number >= count):
        said.append(f"The link asks for {what} “{asked[:20]}”; {of} has {what}s 0 to {count - 1}.")
        return None
    return number


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
