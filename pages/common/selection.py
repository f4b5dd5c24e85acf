"""What a person has chosen, as one frozen value under one key, and as the query of a link."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import streamlit as st

from lstm_core.words import N_, tr
from pages.common import links
from pages.common.links import Field, Number, Refused, Text
from pages.common.own_models import PREFIX

KEY = "selection"
ALL_LAYERS = -2


@dataclass(frozen=True)
class Selection:
    """model: a listed model's name. layer: an index, or ALL_LAYERS. step, unit, pinned_layer: the pin, indices; None: not
    chosen yet, or not there in this trace."""

    model: str
    text: str
    layer: int = 0
    step: int | None = None
    unit: int | None = None
    pinned_layer: int | None = None

    def query(self) -> dict[str, str]:
        """The query parameters of a link that opens this view; a text that no address can hold is left out."""
        return links.write(FIELDS, self)

    def layers(self, count: int) -> tuple[int, ...]:
        """The layers that are drawn, of a model with so many."""
        return tuple(range(count)) if self.layer == ALL_LAYERS else (self.layer,)

    @property
    def one_layer(self) -> int:
        """The layer of a page that draws one: the chosen one, or, of all, the pinned one."""
        return self.pinned_layer or 0 if self.layer == ALL_LAYERS else self.layer

    def pinned(self, step: int, unit: int, layer: int) -> dict[str, int]:
        """The pin, and in its place what is given where nothing is pinned yet."""
        first, own = {"step": step, "unit": unit, "layer": layer}, (self.step, self.unit, self.pinned_layer)
        return {name: first[name] if value is None else value for name, value in zip(first, own)}


class Sizes(NamedTuple):
    """How many layers and units a model has: what a link may ask for."""

    layers: int
    units: int


class World(NamedTuple):
    """What links may ask for. steps: how many a model takes for a text: one that reads bytes takes several a character."""

    models: Mapping[str, Sizes]
    steps: Callable[[str, str], int] = lambda model, text: len(text)


class ModelName:
    """The name of a model that is listed; a session's own model is in no other session."""

    def read(self, text: str, bounds: Iterable[str]) -> links.Read:
        if text in bounds:
            return text, []
        return None, [Refused(text, tr(": it stays in the session that brought it") if text.startswith(PREFIX) else "")]

    def write(self, value: str) -> str | None:
        return value


def _layers(now: Selection, world: World) -> int:
    return world.models[now.model].layers


def _steps(now: Selection, world: World) -> int:
    return world.steps(now.model, now.text)


NO_LAYER = N_("The link asks for layer “{asked}”; {now.model} has {known}.")
FIELDS = (
    Field(
        "model",
        ModelName(),
        lambda now, world: world.models,
        N_("The link names a model “{asked}”, which is not here{known}; {kept} is shown instead."),
    ),
    Field("text", Text()),
    Field("layer", Number("layer", {"all": ALL_LAYERS}), _layers, NO_LAYER),
    Field(
        "character",
        Number("character"),
        _steps,
        N_("The link asks for character “{asked}”; the text has {known}."),
        attribute="step",
    ),
    Field(
        "step",
        Number("step"),
        _steps,
        N_("The link, an older one, asks for step “{asked}”; the text has {known}."),
        replaced_by="character",
    ),
    Field(
        "unit",
        Number("unit"),
        lambda now, world: world.models[now.model].units,
        N_("The link asks for unit “{asked}”; {now.model} has {known}."),
    ),
    Field("pinned_layer", Number("layer"), _layers, NO_LAYER, when=lambda value: value.layer == ALL_LAYERS),
)


def from_query(query: Mapping[str, str], world: World, default: Selection) -> tuple[Selection, list[str]]:
    """The selection that a link asks for, and one sentence for each thing in it that can't be had.

    default: what holds where the link says nothing, or asks for nothing that is there.
    """
    start = replace(default, step=None, unit=None, pinned_layer=None)
    if query.get("model", default.model) in world.models and query.get("model", default.model) != default.model:
        start = replace(start, layer=0)
    return links.read(FIELDS, query, start, world)


def current() -> Selection:
    return st.session_state[KEY]


def change(**fields: Any) -> None:
    """Replaces parts of the selection."""
    st.session_state[KEY] = replace(current(), **fields)
