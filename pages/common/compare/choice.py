"""What is compared: which models and layers, which second text; as one frozen value, as widgets, and as the query of a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

import lstm_core as lc
from lstm_core import numbering
from lstm_core.numbering import Counted
from lstm_core.words import N_, tr
from pages.common import caches, selection
from pages.common.links import Each, Field, Kind, Number, OneOf, Parts, Several, Text
from pages.common.selection import ALL_LAYERS
from pages.common.view_state import Sections, ViewState

VIEWS = {"models": N_("One text, several models"), "texts": N_("Two texts, one model"), "family": N_("What each costs")}
FIRST = ("family-rnn", "family-lstm", "family-gru-pytorch")
FEWEST, MOST = 2, 6
TOP = -1  # the layer that the head reads, whichever number it has
Models = Mapping[str, lc.ModelInfo]


@dataclass(frozen=True)
class Comparison:
    """view: one of VIEWS. models: two to six names. layers: of each, an index, TOP or ALL_LAYERS. text2: the second text,
    None: the first with a word changed. pin: (model, layer, unit, step), indices, or None."""

    models: tuple[str, ...]
    layers: tuple[int, ...]
    view: str = "models"
    text2: str | None = None
    pin: tuple[str, int, int, int] | None = None

    def layers_of(self, model: str, count: int) -> tuple[int, ...]:
        """Which layers of a chosen model with so many are drawn."""
        layer = self.layers[self.models.index(model)]
        return tuple(range(count)) if layer == ALL_LAYERS else (layer % count,)

    def of(self, names: tuple[str, ...]) -> Comparison:
        """A comparison of these models, each of which keeps its layer."""
        before = dict(zip(self.models, self.layers))
        return replace(self, models=names, layers=tuple(before.get(name, TOP) for name in names))


def first(models: Models) -> Comparison:
    """What a newcomer sees: three of the family, or the first models that are there."""
    names = _enough(tuple(name for name in FIRST if name in models), tuple(models))
    return Comparison(names, (TOP,) * len(names))


def _enough(names: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """These models, and others where they are too few to compare."""
    return names + tuple(name for name in others if name not in names)[: max(0, FEWEST - len(names))]


def _repaired(comparison: Comparison, models: Models) -> Comparison:
    """The comparison without the models of the session's own that were removed."""
    names = tuple(name for name in comparison.models if name in models)
    return comparison if names == comparison.models else replace(_of_enough(comparison, names, models), pin=None)


def _of_enough(comparison: Comparison, names: tuple[str, ...], models: Models) -> Comparison:
    return comparison.of(_enough(names, first(models).models))


def unreadable(text: str) -> str:
    """Why the current model can't read a text, or nothing."""
    try:
        caches.check(selection.current().model, text)
    except lc.TextError as error:
        return str(error)
    return ""


def _pin(character: Counted) -> Kind:
    parts = {"layer": Number("layer"), "unit": Number("unit"), "character": Number(character)}
    return Parts({"model": Text(), **parts})


FIELDS = (
    Field("view", OneOf(), VIEWS, N_("The link asks for a view “{asked}”; there are {known}.")),
    Field(
        "models",
        Several(FEWEST, MOST, N_("A comparison needs {kind.fewest} to {kind.most} models; {kept} are shown.")),
        lambda now, models: models,
        N_("The link names “{asked}”: not among the models here."),
    ),
    Field(
        "layers",
        Each(Number("layer", {"top": TOP, "all": ALL_LAYERS}, alone=True), TOP),
        lambda now, models: {name: models[name].config["layers"] for name in now.models},
        N_("The link asks for layer “{asked}”; {known}."),
    ),
    Field(
        "text2",
        Text(),
        lambda now, models: unreadable,
        "{known}",
        when=lambda now: now.view == "texts",
    ),
    Field("pin", _pin("character"), None, N_("The link pins “{asked}”; {known}.")),
    Field("at", _pin("step"), None, N_("The link, an older one, pins “{asked}”; {known}."), attribute="pin", replaced_by="pin"),
)  # where a pin does not lie in the picture, the picture brings it inside


class _State(ViewState[Comparison]):
    def from_query(self, query: Mapping[str, str], world: Models, before: Comparison) -> tuple[Comparison, list[str]]:
        found, sentences = super().from_query(query, world, replace(before, pin=None))
        return (replace(found, layers=before.of(found.models).layers) if "layers" not in query else found), sentences


STATE = _State("compare", FIELDS, Sections("view", VIEWS, N_("What to compare"), {"pin": None}), first, _repaired)


def include(models: Models, name: str) -> None:
    """Puts a model at the head of the comparison, if it is not in it: for other pages, which lead here."""
    STATE.start(models, None)
    before = STATE.current()
    if name not in before.models:
        chosen = before.of((name, *before.models)[:MOST])
        st.session_state[STATE.key] = replace(chosen, pin=None)
        STATE.clear_widgets()


# The widgets


def choose_models(models: Models, with_layers: bool = True) -> None:
    """Two to six models, and of those with several layers which are drawn, where anything is drawn."""
    key = "compare: models"
    st.session_state.setdefault(key, list(STATE.current().models))
    st.multiselect(
        tr("Models, {fewest} to {most}", fewest=FEWEST, most=MOST),
        list(models),
        key=key,
        max_selections=MOST,
        on_change=_models_changed,
        help=tr("Each keeps its place: the first is drawn at the top."),
    )
    if len(st.session_state[key]) < FEWEST:
        st.text(tr("⚠ A comparison needs {fewest} models or more. The picture is of the last ones.", fewest=FEWEST))
    deep = [name for name in STATE.current().models if with_layers and models[name].config["layers"] > 1]
    for place, name in zip(st.columns(min(3, len(deep))) * 2 if deep else [], deep):
        with place:
            _choose_layer(name, models[name].config["layers"])


def _models_changed() -> None:
    names = tuple(st.session_state["compare: models"])
    if FEWEST <= len(names) <= MOST:
        STATE.change(**vars(STATE.current().of(names)))


def _choose_layer(name: str, count: int) -> None:
    key = f"compare: layer of {name}"
    words = {k: tr("layer {layer}", layer=numbering.layer(k)) for k in range(count - 1)}
    words |= {TOP: tr("layer {layer}, the top", layer=numbering.layer(count - 1)), ALL_LAYERS: tr("all layers")}
    chosen = STATE.current().layers[STATE.current().models.index(name)]
    st.session_state.setdefault(key, TOP if chosen == count - 1 else chosen)
    st.selectbox(
        tr("Of {name}", name=name),
        list(words),
        key=key,
        format_func=words.__getitem__,
        on_change=_layer_changed,
        args=(name, key),
    )


def _layer_changed(name: str, key: str) -> None:
    layers = {**dict(zip(STATE.current().models, STATE.current().layers)), name: st.session_state[key]}
    STATE.change(layers=tuple(layers[model] for model in STATE.current().models))
