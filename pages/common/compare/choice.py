"""What is compared: which models and layers, which second text; as one frozen value, as widgets, and as the query of a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

import lstm_core as lc
from pages.common import caches, reading, selection
from pages.common.selection import ALL_LAYERS

KEY = "comparison"
VIEWS = {"models": "One text, several models", "texts": "Two texts, one model", "family": "What each costs"}
FIRST = ("family-rnn", "family-lstm", "family-gru-pytorch")
FEWEST, MOST = 2, 6
TOP = -1  # the layer that the head reads, whichever number it has


@dataclass(frozen=True)
class Comparison:
    """view: one of VIEWS. models: two to six names. layers: of each, 1 or more, TOP or ALL_LAYERS. text2: the second text,
    None: the first with a word changed. at: the pinned (model, layer from 1, unit, step), or None."""

    models: tuple[str, ...]
    layers: tuple[int, ...]
    view: str = "models"
    text2: str | None = None
    at: tuple[str, int, int, int] | None = None

    def query(self) -> dict[str, str]:
        """The query parameters that a link to this comparison has beside those of the selection."""
        words = {TOP: "top", ALL_LAYERS: "all"}
        wanted = {
            "view": self.view,
            "models": ",".join(self.models),
            "layers": ",".join(words.get(layer, str(layer)) for layer in self.layers),
        }
        if self.at:
            wanted["at"] = ":".join(map(str, self.at))
        if self.view == "texts" and self.text2 is not None and selection.fits_address(self.text2):
            wanted["text2"] = self.text2
        return wanted

    def layers_of(self, model: str, count: int) -> tuple[int, ...]:
        """Which layers of a chosen model with so many are drawn, counted from 0."""
        layer = self.layers[self.models.index(model)]
        if layer == ALL_LAYERS:
            return tuple(range(count))
        return (count - 1 if layer == TOP else layer - 1,)


def current() -> Comparison:
    return st.session_state[KEY]


def change(**fields: Any) -> None:
    """Replaces parts of the comparison."""
    st.session_state[KEY] = replace(current(), **fields)


def start(models: Mapping[str, lc.ModelInfo], arrived: bool) -> None:
    """The comparison that the address asks for, or the one from before, or the first."""
    if KEY not in st.session_state:
        st.session_state[KEY] = first(models)
    if not set(current().models) <= set(models):  # one of the session's own was removed
        _choose(tuple(name for name in current().models if name in models), models)
    if arrived:
        chosen, complaints = from_query(st.query_params.to_dict(), models, current())
        st.session_state[KEY] = chosen
        reading.note(complaints)
        _fill_widgets()


def include(models: Mapping[str, lc.ModelInfo], name: str) -> None:
    """Puts a model at the head of the comparison, if it is not in it: for other pages, which lead here."""
    before = st.session_state.get(KEY) or first(models)
    st.session_state[KEY] = before
    if name not in before.models:
        _choose((name, *(other for other in before.models if other in models))[:MOST], models)


def _choose(names: tuple[str, ...], models: Mapping[str, lc.ModelInfo]) -> None:
    """Compares these, and others that are here where they are too few; each keeps its layer."""
    names += tuple(name for name in first(models).models if name not in names)[: max(0, FEWEST - len(names))]
    before = dict(zip(current().models, current().layers))
    change(models=names, layers=tuple(before.get(name, TOP) for name in names), at=None)
    _fill_widgets()


def _fill_widgets() -> None:
    """The widgets show what is chosen now."""
    for name in [name for name in st.session_state if isinstance(name, str) and name.startswith("compare: ")]:
        del st.session_state[name]


def first(models: Mapping[str, lc.ModelInfo]) -> Comparison:
    """What a newcomer sees: three of the family, or the first models that are there."""
    names = tuple(name for name in FIRST if name in models)
    names += tuple(name for name in models if name not in names)[: max(0, FEWEST - len(names))]
    return Comparison(names, (TOP,) * len(names))


def from_query(
    query: Mapping[str, str], models: Mapping[str, lc.ModelInfo], default: Comparison
) -> tuple[Comparison, list[str]]:
    """The comparison that a link asks for, and one sentence for each thing in it that can't be had."""
    said: list[str] = []
    view = query.get("view", default.view)
    if view not in VIEWS:
        said.append(f"The link asks for a view “{view[:40]}”; there are {', '.join(VIEWS)}.")
        view = default.view
    asked = list(dict.fromkeys(query["models"].split(","))) if "models" in query else list(default.models)
    unknown = [name for name in asked if name not in models]
    if unknown:
        said.append(f"The link names {', '.join(f'“{name[:60]}”' for name in unknown[:4])}: not among the models here.")
    names = tuple(name for name in asked if name in models)[:MOST]
    if len(names) < FEWEST:
        said.append(f"A comparison needs {FEWEST} to {MOST} models; {', '.join(default.models)} are shown.")
        names = default.models
    before = dict(zip(default.models, default.layers))
    layers = tuple(before.get(name, TOP) for name in names)
    if "layers" in query:
        layers = _layers(query["layers"], names, models, said)
    text2 = query.get("text2", default.text2)
    if text2 is not None and text2 != default.text2 and (problem := unreadable(text2)):
        said.append(problem)
        text2 = default.text2
    return Comparison(names, layers, view, text2, _at(query.get("at", ""), said)), said


def unreadable(text: str) -> str:
    """Why the current model can't read a text, or nothing."""
    try:
        caches.check(selection.current().model, text)
    except lc.TextError as error:
        return str(error)
    return ""


def _layers(asked: str, names: tuple[str, ...], models: Mapping[str, lc.ModelInfo], said: list[str]) -> tuple[int, ...]:
    words = asked.split(",")
    layers = []
    for k, name in enumerate(names):
        word, count = words[k] if k < len(words) else "top", models[name].config["layers"]
        number = {"top": TOP, "all": ALL_LAYERS}.get(word)
        if number is None:
            number = int(word) if word.isascii() and word.isdigit() and len(word) < 9 else -9
            if not 1 <= number <= count:
                said.append(f"The link asks for layer “{word[:20]}” of {name}, which has {count}.")
                number = TOP
        layers.append(number if count > 1 else TOP)
    return tuple(layers)


def _at(asked: str, said: list[str]) -> tuple[str, int, int, int] | None:
    """A pin as a link writes it; where it does not lie in the picture, the picture brings it inside."""
    name, *numbers = asked.rsplit(":", 3)
    if not asked:
        return None
    if len(numbers) == 3 and all(n.isascii() and n.isdigit() and len(n) < 9 for n in numbers):
        layer, unit, step = map(int, numbers)
        return name, max(1, layer), unit, step
    said.append(f"The link pins “{asked[:60]}”; a pin is written model:layer:unit:character.")
    return None


# The widgets


def choose_view() -> str:
    """One of VIEWS."""
    key = "compare: view"
    st.session_state.setdefault(key, current().view)
    st.segmented_control(
        "What to compare",
        list(VIEWS),
        key=key,
        required=True,
        format_func=VIEWS.__getitem__,
        on_change=lambda: change(view=st.session_state[key], at=None),
        label_visibility="collapsed",
    )
    return current().view


def choose_models(models: Mapping[str, lc.ModelInfo], with_layers: bool = True) -> None:
    """Two to six models, and of those with several layers which are drawn, where anything is drawn."""
    key = "compare: models"
    st.session_state.setdefault(key, list(current().models))
    st.multiselect(
        f"Models, {FEWEST} to {MOST}",
        list(models),
        key=key,
        max_selections=MOST,
        on_change=_took_models,
        help="Each keeps its place: the first is drawn at the top.",
    )
    if len(st.session_state[key]) < FEWEST:
        st.text(f"⚠ A comparison needs {FEWEST} models or more. The picture is of the last ones.")
    deep = [name for name in current().models if with_layers and models[name].config["layers"] > 1]
    for place, name in zip(st.columns(min(3, len(deep))) * 2 if deep else [], deep):
        with place:
            _choose_layer(name, models[name].config["layers"])


def _took_models() -> None:
    names = tuple(st.session_state["compare: models"])
    if FEWEST <= len(names) <= MOST:
        before = dict(zip(current().models, current().layers))
        change(models=names, layers=tuple(before.get(name, TOP) for name in names))


def _choose_layer(name: str, count: int) -> None:
    key = f"compare: layer of {name}"
    words = {**{k: f"layer {k}" for k in range(1, count)}, TOP: f"layer {count}, the top", ALL_LAYERS: "all layers"}
    chosen = current().layers[current().models.index(name)]
    st.session_state.setdefault(key, TOP if chosen == count else chosen)
    st.selectbox(f"Of {name}", list(words), key=key, format_func=words.__getitem__, on_change=_took_layer, args=(name, key))


def _took_layer(name: str, key: str) -> None:
    layers = {**dict(zip(current().models, current().layers)), name: st.session_state[key]}
    change(layers=tuple(layers[model] for model in current().models))
