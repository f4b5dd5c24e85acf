"""The choice of model, layer and text in the sidebar, and the trace that follows from it."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import lstm_core as lc
from lstm_core.places import ASSETS
from pages.common import caches, own_models, selection
from pages.common.selection import ALL_LAYERS, Selection, Sizes

TEXTS = json.loads((ASSETS / "texts.json").read_text("utf-8"))
COMPLAINTS = "complaints"  # sentences about a link, shown once
TYPED = "typed"  # the sentence about what was typed last, as long as no model can read it
ADDRESS = "address"  # the query that the page wrote last; another one means that the person went elsewhere
LEFT = "address left"  # the one before it, and when it was left
ON_THE_WAY = 1.5  # seconds that a message from the browser may take; nobody goes back so soon
LONGEST_LINE = 120
LONGEST_IN_BYTES = 4  # of a character, in UTF-8


def text_for(model: str) -> str:
    """The text a newcomer sees first: one the model can be expected to read well."""
    return next((t["text"] for t in TEXTS if t.get("model") == model), TEXTS[0]["text"])


def start(models: dict[str, lc.ModelInfo]) -> bool:
    """The selection that the address asks for: at a session's first run, and when a person goes back or forward.

    Where the address says nothing: what was chosen on another page, else a shipped model and a sentence. Returns True
    when the address is a link that this page has not answered yet: then st.query_params holds the page's own wishes too.
    """
    _let_go(models)
    arrived = _arrived(models)
    _cut_to_fit()
    return arrived


def _just_left(query: dict[str, str]) -> bool:
    """True for the address before this one, a moment after the change: a message that the browser sent before it heard."""
    old, when = st.session_state.get(LEFT, (None, 0.0))
    return query == old and time.monotonic() - when < ON_THE_WAY


def _let_go(models: dict[str, lc.ModelInfo]) -> None:
    """Goes back to the first model where the chosen one, a session's own, was removed."""
    if selection.KEY in st.session_state and selection.current().model not in models:
        show(Selection(next(iter(models)), selection.current().text))


def _cut_to_fit() -> None:
    """Shortens the text to what the model can read at once, which for bytes and for large models is less, and says so."""
    chosen, most_steps = selection.current(), caches.longest(selection.current().model)
    for most in (None, most_steps, max(1, most_steps // LONGEST_IN_BYTES)):
        cut = chosen.text[:most]
        try:
            caches.check(chosen.model, cut)
        except lc.TextError as error:
            problem = str(error)
            continue
        if cut != chosen.text:
            step = chosen.step if chosen.step is not None and chosen.step < caches.steps(chosen.model, cut) else None
            show(replace(chosen, text=cut, step=step))
            st.session_state[COMPLAINTS] = [
                *st.session_state.get(COMPLAINTS, []), f"{problem} Its first {len(cut):,} characters are shown."
            ]  # fmt: skip
        return


def _arrived(models: dict[str, lc.ModelInfo]) -> bool:
    query = st.query_params.to_dict()
    if selection.KEY in st.session_state:
        if not query:  # come from another page
            _fill_widgets(selection.current())
            return False
        if query == st.session_state.get(ADDRESS, query) or _just_left(query):
            return False
    first = query["model"] if query.get("model") in models else next(iter(models))
    default = st.session_state.get(selection.KEY, Selection(first, text_for(first)))
    sizes = {name: Sizes(info.config["layers"], info.config["units"]) for name, info in models.items()}
    chosen, complaints = selection.from_query(query, sizes, default, caches.steps)
    try:
        caches.check(chosen.model, chosen.text)
    except lc.TextError as error:
        complaints.append(str(error))
        chosen = replace(chosen, text=default.text, step=None)
    st.session_state[selection.KEY] = chosen
    st.session_state[COMPLAINTS] = complaints
    st.session_state.pop(TYPED, None)
    _fill_widgets(chosen)
    return True


def write_address(more: Mapping[str, str] | None = None) -> None:
    """Puts the view into the address: it is always the link to what is seen, and the browser's way back leads back.

    more: what the page alone has to say, by names that the selection does not use.
    """
    query = selection.current().query() | dict(more or {})
    if (old := st.session_state.get(ADDRESS)) not in (None, query):
        st.session_state[LEFT] = (old, time.monotonic())
    st.session_state[ADDRESS] = query
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def show(chosen: Selection) -> None:
    """Shows a view that a page proposes, as if the person had chosen it. For callbacks: the sidebar is not drawn yet."""
    st.session_state[selection.KEY] = chosen
    st.session_state.pop(TYPED, None)
    _fill_widgets(chosen)


def lead_to(chosen: Selection, more: Mapping[str, str]) -> NoReturn:
    """Runs the page again, from a link to this view. For a run that has drawn its sidebar already."""
    st.session_state[ADDRESS] = {}  # so that the new one is taken for a link
    st.query_params.from_dict(chosen.query() | dict(more))
    st.rerun()


def _fill_widgets(chosen: Selection) -> None:
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
        st.session_state[TYPED] = str(error)
        return False
    st.session_state.pop(TYPED, None)
    chosen = selection.current()
    step = chosen.step if chosen.step is not None and chosen.step < caches.steps(chosen.model, text) else None
    selection.change(text=text, step=step)
    return True


def _typed_line() -> None:
    if _take(st.session_state["line"]):
        st.session_state["text"] = st.session_state["line"]


def _typed_text() -> None:
    text = st.session_state["text"]
    if _take(text):
        st.session_state["line"] = _as_line(text)


def _took_preset() -> None:
    preset = st.session_state["preset"]
    if preset is not None:
        _fill_texts(TEXTS[preset]["text"])
        _take(TEXTS[preset]["text"])
        st.session_state["preset"] = None


def _took_model() -> None:
    chosen, name = selection.current(), st.session_state["model"]
    layer = min(chosen.layer, caches.model(name).layers)
    selection.change(model=name, layer=layer, unit=None, pinned_layer=None)
    st.session_state["layer"] = layer
    if chosen.text == text_for(chosen.model) and chosen.text != text_for(name) and TYPED not in st.session_state:
        _fill_texts(text_for(name))
        _take(text_for(name))


def _took_layer() -> None:
    if st.session_state["layer"] is not None:
        selection.change(layer=st.session_state["layer"], pinned_layer=None)


def sidebar(models: dict[str, lc.ModelInfo], with_model: bool = True) -> DeltaGenerator:
    """Draws the choices: keyed widgets, whose callbacks keep the selection. Returns the place for the link.

    with_model: False where a page has a choice of models of its own.
    """
    info = models[selection.current().model]
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
            st.text(f"⚠ {st.session_state[TYPED]} The picture is of the last text that was read.")
        if not with_model:
            return st.popover("Link to this view", width="stretch")
        _restore_model()
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
        return st.popover("Link to this view", width="stretch")


def _restore_model() -> None:
    """A widget that was not drawn for a while has lost its value."""
    st.session_state.setdefault("model", selection.current().model)
    st.session_state.setdefault("layer", selection.current().layer)


def card(info: lc.ModelInfo) -> None:
    """What is known of a model, from its file's own header."""
    facts, config, model = info.card, info.config, caches.model(info.name)
    cell, reads = model.cell, model.vocabulary.reads
    layers = f"{config['layers']} layers" if config["layers"] > 1 else "one layer"
    sizes = f"knows {info.vocabulary} {reads} and has {layers} of {config['units']} units"
    lines = [f"**{plain(info.name)}** {sizes}: {cell.title} ({cell.source})."]
    if own_models.get(info.name) is not None:
        lines += brought(facts)
    if "corpus" in facts:
        read = f"{facts.get('characters_seen', 0):,} characters read in {facts.get('steps', 0):,} steps"
        lines.append(f"Trained on *{plain(facts['corpus'])}*, {plain(facts.get('split', 'whole'))}: {read}.")
    if "held_out_loss" in facts:
        protocol = plain(facts.get("loss_protocol", "protocol not recorded"))
        lines.append(f"On the part it was not trained on: **{facts['held_out_loss']:.3f}** nats a character ({protocol}).")
    if "ngrams" in facts:
        table = facts["ngrams"]
        lines.append(
            f"For comparison: the best table of n-grams, order {table['order']}, reaches {table['held_out_loss']:.3f} there,"
            f" and guessing evenly {math.log(info.vocabulary):.3f}."
        )
    st.markdown("\n\n".join(lines))


def brought(facts: Mapping[str, Any]) -> list[str]:
    """Where a session's own model is from, and what its proof said, in Markdown; its card was checked when it came."""
    lines = []
    if "source" in facts:
        file = f"the file *{plain(facts['file'])}*: {plain(facts['source'])}" if "file" in facts else plain(facts["source"])
        known = f" Its vocabulary: {plain(facts['vocabulary'])}." if "vocabulary" in facts else ""
        lines.append(f"From {file}.{known}")
    if "proof" in facts:
        judged = facts["proof"]
        lines.append(
            f"Tried on “{plain(judged['text'])}”: **{judged['loss']:.3f}** nats a step; tables of n-grams of that text"
            f" {judged['ngrams']:.3f}, guessing evenly {judged['uniform']:.3f}."
        )
    return lines


def plain(text: str) -> str:
    """A text that Markdown shows as it is: a file's words are no instructions."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def link(place: DeltaGenerator) -> None:
    """Fills the place for the link, once everything is chosen and write_address has been called."""
    chosen = selection.current()
    with place:
        st.write("This address opens exactly this view:")
        here = urlsplit(st.context.url or "")._replace(query=urlencode(st.session_state[ADDRESS]))
        st.code((here if here.path else here._replace(path="/")).geturl(), language=None, wrap_lines=True)
        if own_models.get(chosen.model) is not None:
            st.write("It does so in this session alone: a model of your own is nowhere else.")
        if "text" not in chosen.query():
            st.write(f"Its text of {len(chosen.text):,} characters does not fit into a link; send the text along.")


def note(complaints: Sequence[str]) -> None:
    """Keeps sentences about a link, to be shown once by `complain`."""
    st.session_state[COMPLAINTS] = [*st.session_state.get(COMPLAINTS, []), *complaints]


def complain(damaged: Sequence[str]) -> None:
    """Shows which models are damaged, and what a link asked for in vain, as plain text: nothing in it is interpreted."""
    for sentence in (*damaged, *st.session_state.pop(COMPLAINTS, [])):
        st.text(f"⚠ {sentence}")
