"""What a person has chosen, as one frozen value under one key, and as the query of a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

KEY = "selection"
LONGEST_LINKED_TEXT = 500  # characters; a longer text does not belong in an address
ALL_LAYERS = 0


@dataclass(frozen=True)
class Selection:
    """model: a shipped model's name. layer: 1, 2, ... or ALL_LAYERS. step, unit: the pin, counted from 0; pinned_layer
    from 1. None: not chosen yet, or not there in this trace."""

    model: str
    text: str
    layer: int = 1
    step: int | None = None
    unit: int | None = None
    pinned_layer: int | None = None

    def query(self) -> dict[str, str]:
        """The query parameters of a link that opens this view; a long text is left out."""
        wanted = {"model": self.model, "layer": "all" if self.layer == ALL_LAYERS else str(self.layer)}
        if len(self.text) <= LONGEST_LINKED_TEXT:
            wanted["text"] = self.text
        numbers = {
            "step": self.step,
            "unit": self.unit,
            "pinned_layer": self.pinned_layer if self.layer == ALL_LAYERS else None,
        }
        return wanted | {name: str(value) for name, value in numbers.items() if value is not None}


def current() -> Selection:
    return st.session_state[KEY]


def change(**fields: Any) -> None:
    """Replaces parts of the selection."""
    st.session_state[KEY] = replace(current(), **fields)


def from_query(query: Mapping[str, str], models: Mapping[str, int], default: Selection) -> tuple[Selection, list[str]]:
    """The selection that a link asks for, and one sentence for each thing in it that can't be had.

    models: name -> number of layers. default: what holds where the link says nothing, or nothing that is there.
    """
    complaints: list[str] = []
    model = query.get("model", default.model)
    if model not in models:
        complaints.append(f"The link names a model “{model[:60]}”, which is not here; {default.model} is shown instead.")
        model = default.model
    layer = default.layer
    asked = query.get("layer", "")
    if asked == "all":
        layer = ALL_LAYERS if models[model] > 1 else 1
    elif asked and (number := _number(asked)) is not None and 1 <= number <= models[model]:
        layer = number
    elif asked:
        complaints.append(f"The link asks for layer “{asked[:20]}”; {model} has layers 1 to {models[model]}.")
    numbers: dict[str, int | None] = {}
    for name in ("step", "unit", "pinned_layer"):
        value = query.get(name, "")
        numbers[name] = _number(value)
        if value and numbers[name] is None:
            complaints.append(f"The link's {name} “{value[:20]}” is not a number counted from 0.")
    return Selection(model, query.get("text", default.text), layer, **numbers), complaints


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
