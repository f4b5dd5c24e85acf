"""What the page Long range shows: which section, which models, which layer; as one value, as widgets, and as a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

import lstm_core as lc
from lstm_core import numbering
from lstm_core.analysis.vanishing import TOP
from lstm_core.words import N_, tr
from pages.common.links import Field, Number, OneOf, Several
from pages.common.view_state import Sections, ViewState

SECTIONS = {
    "gradient": N_("The gradient"),
    "memory": N_("What each unit keeps"),
    "dial": N_("The gap as a dial"),
    "clipping": "Clipping",
}
FIRST = ("family-rnn", "family-lstm", "family-gru-pytorch")
MOST = 4
Models = Mapping[str, lc.ModelInfo]


@dataclass(frozen=True)
class Choice:
    """section: one of SECTIONS. models: one to four names. layer: an index below the deepest model's top, or TOP."""

    models: tuple[str, ...]
    section: str = "gradient"
    layer: int = TOP


def first(models: Models) -> Choice:
    """What a newcomer sees: a plain RNN, an LSTM and a GRU, or the first models that are there."""
    return Choice(tuple(name for name in FIRST if name in models) or tuple(models)[:MOST])


def _repaired(choice: Choice, models: Models) -> Choice:
    """The choice without the models of the session's own that were removed."""
    names = tuple(name for name in choice.models if name in models)
    return choice if names == choice.models else replace(choice, models=names or first(models).models, layer=TOP)


def deepest(names: tuple[str, ...], models: Models) -> int:
    """The number of layers of the deepest of these models."""
    return max(models[name].config["layers"] for name in names)


FIELDS = (
    Field("section", OneOf(), SECTIONS, N_("The link asks for a section “{asked}”; there are {known}.")),
    Field(
        "models",
        Several(1, MOST, too_many=N_("The link names {known} models; the first {kind.most} are shown.")),
        lambda now, models: models,
        N_("The link names “{asked}”: not among the models here."),
    ),
    Field(
        "of_layer",
        Number("layer", omitted=TOP),
        lambda now, models: deepest(now.models, models),
        N_("The link asks for layer “{asked}”; the deepest of these models has {known}."),
        attribute="layer",
    ),
)


class _State(ViewState[Choice]):
    def from_query(self, query: Mapping[str, str], world: Models, before: Choice) -> tuple[Choice, list[str]]:
        choice, sentences = super().from_query(query, world, replace(before, layer=TOP))
        return (replace(choice, layer=TOP) if choice.layer == deepest(choice.models, world) - 1 else choice), sentences


STATE = _State("long range", FIELDS, Sections("section", SECTIONS, N_("What to look at")), first, _repaired)


# The widgets


def choose_models(models: Models, with_layer: bool = True) -> None:
    """One to four models, and, where one of them has several layers, which layer is meant."""
    key = f"{STATE.key}: models"
    layers = deepest(STATE.current().models, models)
    st.session_state.setdefault(key, list(STATE.current().models))
    chosen, beside = st.columns([4, 1], vertical_alignment="bottom") if with_layer and layers > 1 else (st.container(), None)
    chosen.multiselect(
        tr("Models, up to {most}", most=MOST),
        list(models),
        key=key,
        max_selections=MOST,
        on_change=_models_changed,
        args=(models,),
    )
    if not st.session_state[key]:
        st.text(tr("⚠ Choose a model. The picture is of the last ones."))
    if beside is not None:
        with beside:
            _choose_layer(layers)


def _models_changed(models: Models) -> None:
    names = tuple(st.session_state[f"{STATE.key}: models"])[:MOST]
    if names:
        layer = STATE.current().layer
        STATE.change(models=names, layer=layer if layer < deepest(names, models) - 1 else TOP)


def _choose_layer(layers: int) -> None:
    key = f"{STATE.key}: layer of {layers}"
    words = {TOP: "top", **{k: str(numbering.layer(k)) for k in range(layers - 1)}}
    st.session_state.setdefault(key, STATE.current().layer)
    st.selectbox(
        tr("Layer"),
        list(words),
        key=key,
        format_func=words.__getitem__,
        on_change=lambda: STATE.change(layer=st.session_state[key]),
        help=tr("Counted from below. A model with fewer layers shows its top one, which its head reads."),
    )
