"""The choice of model, layer and text in the sidebar, and the trace that follows from it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

import lstm_core as lc
from pages.common import caches, selection
from pages.common.selection import ALL_LAYERS, Selection

TEXTS = json.loads((Path(__file__).resolve().parents[2] / "assets" / "texts.json").read_text("utf-8"))
COMPLAINTS = "complaints"  # sentences about a link, shown once
TYPED = "typed"  # the sentence about what was typed last, where no model can read it
LONGEST_LINE = 120


def text_for(model: str) -> str:
    """The text a newcomer sees first: one the model can be expected to read well."""
    return next((t["text"] for t in TEXTS if t.get("model") == model), TEXTS[0]["text"])


def start(models: dict[str, lc.ModelInfo]) -> None:
    """The selection at the first run of a session: what the link asks for, else a shipped model and a sentence."""
    if selection.KEY in st.session_state:
        return
    query = {name: st.query_params[name] for name in st.query_params}
    first = query["model"] if query.get("model") in models else next(iter(models))
    default = Selection(first, text_for(first))
    layers = {name: info.config["layers"] for name, info in models.items()}
    chosen, complaints = selection.from_query(query, layers, default)
    try:
        caches.model(chosen.model).vocabulary.encode(chosen.text)
    except lc.TextError as error:
        complaints.append(str(error))
        chosen = Selection(chosen.model, default.text, chosen.layer)
    st.session_state[selection.KEY] = chosen
    st.session_state[COMPLAINTS] = complaints
    _fill_widgets(chosen)


def _fill_widgets(chosen: Selection) -> None:
    st.session_state["model"], st.session_state["layer"] = chosen.model, chosen.layer
    _fill_texts(chosen.text)


def _fill_texts(text: str) -> None:
    st.session_state["text"] = text
    st.session_state["line"] = text if "\n" not in text and len(text) <= LONGEST_LINE else ""


def _take(text: str) -> None:
    """A new text, if a model can read it; else a sentence, and the last good picture stays."""
    try:
        caches.model(selection.current().model).vocabulary.encode(text)
    except lc.TextError as error:
        st.session_state[TYPED] = str(error)
        return
    selection.change(text=text)


def _typed_line() -> None:
    st.session_state["text"] = st.session_state["line"]
    _take(st.session_state["line"])


def _typed_text() -> None:
    text = st.session_state["text"]
    _take(text)
    st.session_state["line"] = text if "\n" not in text and len(text) <= LONGEST_LINE else ""


def _took_preset() -> None:
    preset = st.session_state["preset"]
    if preset is not None:
        _fill_texts(TEXTS[preset]["text"])
        _take(TEXTS[preset]["text"])
        st.session_state["preset"] = None


def _took_model() -> None:
    chosen, name = selection.current(), st.session_state["model"]
    was_preset = chosen.text in (t["text"] for t in TEXTS[:1]) or chosen.text == text_for(chosen.model)
    text = text_for(name) if was_preset else chosen.text
    layer = min(chosen.layer, caches.model(name).layers)
    selection.change(model=name, text=text, layer=layer, unit=None, pinned_layer=None)
    st.session_state["layer"] = layer
    _fill_texts(text)


def _took_layer() -> None:
    if st.session_state["layer"] is not None:
        selection.change(layer=st.session_state["layer"], pinned_layer=None)


def sidebar(models: dict[str, lc.ModelInfo]) -> None:
    """Draws the choices. They are keyed widgets, and their callbacks keep the selection."""
    chosen, info = selection.current(), models[selection.current().model]
    with st.sidebar:
        st.subheader("Gatescope", anchor=False)
        st.text_input("Type, and watch", key="line", live=True, on_change=_typed_line, placeholder="one line, read as you type")
        st.selectbox(
            "Or take a text",
            range(len(TEXTS)),
            None,
            lambda k: TEXTS[k]["title"],
            key="preset",
            on_change=_took_preset,
            placeholder="examples",
        )
        st.text_area(
            "Text",
            key="text",
            height=110,
            on_change=_typed_text,
            help="Any Unicode, up to 20,000 characters; each is one step. Ctrl+Enter reads it.",
        )
        if TYPED in st.session_state:
            st.text(f"⚠ {st.session_state.pop(TYPED)}")
        st.selectbox("Model", list(models), key="model", on_change=_took_model)
        layers = info.config["layers"]
        if layers > 1:
            options = [*range(1, layers + 1), ALL_LAYERS]
            st.segmented_control(
                "Layer",
                options,
                key="layer",
                required=True,
                on_change=_took_layer,
                format_func=lambda k: "all" if k == ALL_LAYERS else str(k),
            )
        with st.expander("About this model"):
            card(info)
        with st.popover("Link to this view", width="stretch"):
            _link(chosen)


def card(info: lc.ModelInfo) -> None:
    """What is known of a model, from its file's own header."""
    facts, config, cell = info.card, info.config, lc.cell(info.config["cell"])
    layers = f"{config['layers']} layers" if config["layers"] > 1 else "one layer"
    sizes = f"knows {info.vocabulary} characters and has {layers} of {config['units']} units"
    lines = [f"**{info.name}** {sizes}: {cell.title} ({cell.source})."]
    if "corpus" in facts:
        lines.append(
            f"Trained on *{facts['corpus']}*, {facts['split']}: {facts['characters_seen']:,} characters read in"
            f" {facts['steps']:,} steps."
        )
    if "held_out_loss" in facts:
        lines.append(f"On the part it never saw: **{facts['held_out_loss']:.3f}** nats a character ({facts['loss_protocol']}).")
    if "ngrams" in facts:
        table = facts["ngrams"]
        lines.append(
            f"For comparison: the best table of n-grams, order {table['order']}, reaches {table['held_out_loss']:.3f} there,"
            f" and guessing evenly {math.log(info.vocabulary):.3f}."
        )
    st.markdown("\n\n".join(lines))


def _link(chosen: Selection) -> None:
    st.write("The address of this page opens exactly this view:")
    st.code(f"{st.context.url or ''}?{_encoded(chosen)}", language=None, wrap_lines=True)
    if "text" not in chosen.query():
        st.write(f"Its text of {len(chosen.text):,} characters is too long for a link; send the text along.")


def _encoded(chosen: Selection) -> str:
    return urlencode(chosen.query(), errors="replace")


def complain(damaged: Sequence[str]) -> None:
    """Shows which models are damaged, and what a link asked for in vain, as plain text: nothing in it is interpreted."""
    for sentence in (*damaged, *st.session_state.pop(COMPLAINTS, [])):
        st.text(f"⚠ {sentence}")
