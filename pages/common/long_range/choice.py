"""What the page Long range looks at: which section, which models, which layer; as one value, as widgets, and as a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

import lstm_core as lc
from pages.common import reading

KEY = "long range"
SECTIONS = {"gradient": "The gradient", "memory": "What each unit keeps", "dial": "The gap as a dial", "clipping": "Clipping"}
FIRST = ("family-rnn", "family-lstm", "family-gru-pytorch")
MOST = 4
TOP = 0  # the layer that the head reads, whichever number it has


@dataclass(frozen=True)
class Look:
    """section: one of SECTIONS. models: one to four names. layer: 1, 2, ... or TOP."""

    models: tuple[str, ...]
    section: str = "gradient"
    layer: int = TOP

    def query(self) -> dict[str, str]:
        """The query parameters that a link to this page has beside those of the selection."""
        wanted = {"section": self.section, "models": ",".join(self.models)}
        return wanted | ({"of_layer": str(self.layer)} if self.layer != TOP else {})


def current() -> Look:
    return st.session_state[KEY]


def change(**fields: Any) -> None:
    """Replaces parts of the look."""
    st.session_state[KEY] = replace(current(), **fields)


def start(models: Mapping[str, lc.ModelInfo], arrived: bool) -> None:
    """The look that the address asks for, or the one from before, or the first."""
    if KEY not in st.session_state:
        st.session_state[KEY] = first(models)
    here = tuple(name for name in current().models if name in models)
    if here != current().models:  # a model of the session's own has gone
        change(models=here or first(models).models, layer=TOP)
        st.session_state.pop(f"{KEY}: models", None)
    if arrived:
        chosen, complaints = from_query(st.query_params.to_dict(), models, current())
        st.session_state[KEY] = chosen
        reading.note(complaints)
        for name in [name for name in st.session_state if isinstance(name, str) and name.startswith(f"{KEY}: ")]:
            del st.session_state[name]  # the widgets show what is chosen now


def first(models: Mapping[str, lc.ModelInfo]) -> Look:
    """What a newcomer sees: a plain RNN, an LSTM and a GRU, or the first models that are there."""
    return Look(tuple(name for name in FIRST if name in models) or tuple(models)[:MOST])


def from_query(query: Mapping[str, str], models: Mapping[str, lc.ModelInfo], default: Look) -> tuple[Look, list[str]]:
    """The look that a link asks for, and one sentence for each thing in it that can't be had."""
    said: list[str] = []
    section = query.get("section", default.section)
    if section not in SECTIONS:
        said.append(f"The link asks for a section “{section[:40]}”; there are {', '.join(SECTIONS)}.")
        section = default.section
    asked = list(dict.fromkeys(query["models"].split(","))) if "models" in query else list(default.models)
    unknown = [name for name in asked if name not in models]
    if unknown:
        said.append(f"The link names {', '.join(f'“{name[:60]}”' for name in unknown[:4])}: not among the models here.")
    names = tuple(name for name in asked if name in models)
    if len(names) > MOST:
        said.append(f"The link names {len(names)} models; the first {MOST} are shown.")
    names = names[:MOST] or default.models
    return Look(names, section, _layer(query.get("of_layer", ""), names, models, said)), said


def _layer(asked: str, names: tuple[str, ...], models: Mapping[str, lc.ModelInfo], said: list[str]) -> int:
    deepest = max(models[name].config["layers"] for name in names)
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else TOP
    if asked and not 1 <= number <= deepest:
        said.append(f"The link asks for layer “{asked[:20]}”; the deepest of these models has {deepest}.")
        return TOP
    return number if number < deepest else TOP


# The widgets


def choose_section() -> str:
    """One of SECTIONS."""
    key = f"{KEY}: section"
    st.session_state.setdefault(key, current().section)
    st.segmented_control(
        "What to look at",
        list(SECTIONS),
        key=key,
        required=True,
        format_func=SECTIONS.__getitem__,
        on_change=lambda: change(section=st.session_state[key]),
        label_visibility="collapsed",
    )
    return current().section


def choose_models(models: Mapping[str, lc.ModelInfo], with_layer: bool = True) -> None:
    """One to four models, and, where one of them has several layers, which layer is meant."""
    key = f"{KEY}: models"
    deepest = max(models[name].config["layers"] for name in current().models)
    st.session_state.setdefault(key, list(current().models))
    chosen, beside = st.columns([4, 1], vertical_alignment="bottom") if with_layer and deepest > 1 else (st.container(), None)
    chosen.multiselect(
        f"Models, up to {MOST}", list(models), key=key, max_selections=MOST, on_change=_took_models, args=(models,)
    )
    if not st.session_state[key]:
        st.text("⚠ Choose a model. The picture is of the last ones.")
    if beside is not None:
        with beside:
            _choose_layer(deepest)


def _took_models(models: Mapping[str, lc.ModelInfo]) -> None:
    names = tuple(st.session_state[f"{KEY}: models"])[:MOST]
    if names:
        deepest = max(models[name].config["layers"] for name in names)
        change(models=names, layer=current().layer if current().layer < deepest else TOP)


def _choose_layer(deepest: int) -> None:
    key = f"{KEY}: layer of {deepest}"
    words = {TOP: "top", **{k: str(k) for k in range(1, deepest)}}
    st.session_state.setdefault(key, current().layer)
    st.selectbox(
        "Layer",
        list(words),
        key=key,
        format_func=words.__getitem__,
        on_change=lambda: change(layer=st.session_state[key]),
        help="Counted from below. A model with fewer layers shows its top one, which its head reads.",
    )
