"""The choice of model, layer and text in the sidebar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

import lstm_core as lc
from lstm_core import examples, numbering
from lstm_core.words import tr
from pages.common import caches, own_models, selection
from pages.common.markdown import plain
from pages.common.selection import ALL_LAYERS, Selection

TEXT_PROBLEM = "text problem"  # the sentence about what was typed last, as long as no model can read it
LONGEST_LINE = 120


def show(chosen: Selection) -> None:
    """Selects what a page proposes, as if the person had chosen it. For callbacks: the sidebar is not drawn yet."""
    st.session_state[selection.KEY] = chosen
    st.session_state.pop(TEXT_PROBLEM, None)
    fill_widgets(chosen)


def fill_widgets(chosen: Selection) -> None:
    st.session_state["model"], st.session_state["layer"] = chosen.model, chosen.layer
    _fill_texts(chosen.text)


def _fill_texts(text: str) -> None:
    st.session_state["text"], st.session_state["line"] = text, _as_line(text)


def _as_line(text: str) -> str:
    """A text as the one-line field shows it: nothing, where it is no short line."""
    return text if "\n" not in text and len(text) <= LONGEST_LINE else ""


def _take(text: str) -> bool:
    """A new text, if a model can read it; else a sentence, and the last good picture stays. Returns whether it was read."""
    try:
        caches.check(selection.current().model, text)
    except lc.TextError as error:
        st.session_state[TEXT_PROBLEM] = str(error)
        return False
    st.session_state.pop(TEXT_PROBLEM, None)
    chosen = selection.current()
    step = chosen.step if chosen.step is not None and chosen.step < caches.steps(chosen.model, text) else None
    selection.change(text=text, step=step)
    return True


def _line_typed() -> None:
    if _take(st.session_state["line"]):
        st.session_state["text"] = st.session_state["line"]


def _text_typed() -> None:
    text = st.session_state["text"]
    if _take(text):
        st.session_state["line"] = _as_line(text)


def _preset_chosen() -> None:
    preset = st.session_state["preset"]
    if preset is not None:
        _fill_texts(examples.texts()[preset]["text"])
        _take(examples.texts()[preset]["text"])
        st.session_state["preset"] = None


def _model_chosen() -> None:
    chosen, name = selection.current(), st.session_state["model"]
    layer = min(chosen.layer, caches.described(name).layers - 1)
    selection.change(model=name, layer=layer, unit=None, pinned_layer=None)
    st.session_state["layer"] = layer
    suggested = examples.text_for(name)
    if chosen.text == examples.text_for(chosen.model) and chosen.text != suggested and TEXT_PROBLEM not in st.session_state:
        _fill_texts(suggested)
        _take(suggested)


def _layer_chosen() -> None:
    if st.session_state["layer"] is not None:
        selection.change(layer=st.session_state["layer"], pinned_layer=None)


def draw(models: dict[str, lc.ModelInfo], with_model: bool = True) -> None:
    """Draws the choices: keyed widgets, whose callbacks keep the selection.

    with_model: False where a page has a choice of models of its own.
    """
    info = models[selection.current().model]
    with st.sidebar:
        st.subheader(tr("Gatescope"), anchor=False)
        st.text_input(
            tr("Type, and watch"), key="line", live=True, on_change=_line_typed, placeholder=tr("one line, read as you type")
        )
        st.selectbox(
            tr("Or take a text"),
            range(len(examples.texts())),
            None,
            lambda k: examples.texts()[k]["title"],
            key="preset",
            on_change=_preset_chosen,
            placeholder=tr("examples"),
        )
        st.text_area(
            tr("Text"),
            key="text",
            height=110,
            on_change=_text_typed,
            help=tr("Any Unicode, up to 20,000 characters; each is one step. Ctrl+Enter reads it."),
        )
        if TEXT_PROBLEM in st.session_state:
            st.text(
                tr(
                    "⚠ {session_state} The picture is of the last text that was read.",
                    session_state=st.session_state[TEXT_PROBLEM],
                )
            )
        if not with_model:
            return
        _restore_model()
        st.selectbox(tr("Model"), list(models), key="model", on_change=_model_chosen)
        layers = info.config["layers"]
        if layers > 1:
            options = [*range(layers), ALL_LAYERS]
            st.segmented_control(
                tr("Layer"),
                options,
                key="layer",
                required=True,
                on_change=_layer_chosen,
                format_func=lambda k: "all" if k == ALL_LAYERS else str(numbering.layer(k)),
            )
        _card_here(info)


def draw_card(models: dict[str, lc.ModelInfo]) -> None:
    """What is known of the model, where it is chosen elsewhere on the page."""
    with st.sidebar:
        st.subheader(tr("Gatescope"), anchor=False)
        _card_here(models[selection.current().model])


def _card_here(info: lc.ModelInfo) -> None:
    with st.expander(tr("About this model")):
        card(info)


def _restore_model() -> None:
    """A widget that was not drawn for a while has lost its value."""
    st.session_state.setdefault("model", selection.current().model)
    st.session_state.setdefault("layer", selection.current().layer)


def card(info: lc.ModelInfo) -> None:
    """What is known of a model, from its file's own header."""
    facts, config, model = info.card, info.config, caches.described(info.name)
    cell, reads = model.cell, model.vocabulary.reads
    layers = tr("{layers} layers", layers=config["layers"]) if config["layers"] > 1 else tr("one layer")
    sizes = tr(
        "knows {info.vocabulary} {reads} and has {layers} of {units} units",
        info=info,
        reads=reads,
        layers=layers,
        units=config["units"],
    )
    lines = [f"**{plain(info.name)}** {sizes}: {cell.title} ({cell.source})."]
    if own_models.get(info.name) is not None:
        lines += brought(facts)
    if "corpus" in facts:
        read = tr(
            "{get:,} characters read in {get_2:,} steps", get=facts.get("characters_seen", 0), get_2=facts.get("steps", 0)
        )
        lines.append(
            tr(
                "Trained on *{plain}*, {plain_2}: {read}.",
                plain=plain(facts["corpus"]),
                plain_2=plain(facts.get("split", "whole")),
                read=read,
            )
        )
    if "held_out_loss" in facts:
        protocol = plain(facts.get("loss_protocol", tr("protocol not recorded")))
        lines.append(
            tr(
                "On the part it was not trained on: **{held_out_loss:.3f}** nats a character ({protocol}).",
                held_out_loss=facts["held_out_loss"],
                protocol=protocol,
            )
        )
    if "ngrams" in facts:
        table = facts["ngrams"]
        lines.append(
            tr(
                "For comparison: the best table of n-grams, order {order}, reaches {held_out_loss:.3f} there, and"
                " guessing evenly {log:.3f}.",
                order=table["order"],
                held_out_loss=table["held_out_loss"],
                log=math.log(info.vocabulary),
            )
        )
    st.markdown("\n\n".join(lines))


def brought(facts: Mapping[str, Any]) -> list[str]:
    """Where a session's own model is from, and what its proof said, in Markdown; its card was checked when it came."""
    lines = []
    if "source" in facts:
        file = (
            tr("the file *{plain}*: {plain_2}", plain=plain(facts["file"]), plain_2=plain(facts["source"]))
            if "file" in facts
            else plain(facts["source"])
        )
        known = tr(" Its vocabulary: {plain}.", plain=plain(facts["vocabulary"])) if "vocabulary" in facts else ""
        lines.append(tr("From {file}.{known}", file=file, known=known))
    if "proof" in facts:
        judged = facts["proof"]
        lines.append(
            tr(
                "Tried on “{plain}”: **{loss:.3f}** nats a step; tables of n-grams of that text {ngrams:.3f},"
                " guessing evenly {uniform:.3f}.",
                plain=plain(judged["text"]),
                loss=judged["loss"],
                ngrams=judged["ngrams"],
                uniform=judged["uniform"],
            )
        )
    return lines
