"""Models, above: what is listed, how good each is, how it was made, and the ways on from there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

import lstm_core as lc
from lstm_core import examples
from lstm_core.figures.losses import loss_bars
from lstm_core.recipes import SHIPPED
from lstm_core.words import tr
from pages.common import caches, detail, frame, own_models, selection, sidebar
from pages.common.compare import choice
from pages.common.markdown import plain
from pages.common.own_models import Own
from pages.common.selection import Selection

LOOKED_AT = "models: looked at"
NEXT = "models: next"
NOTICE = "models: notice"  # a sentence, shown once
PAGES = {"Gates": "gates.py", "Inside": "inside.py", "Compare": "compare.py"}


def show(models: Mapping[str, lc.ModelInfo]) -> None:
    """The table of all models, and one of them whole."""
    st.dataframe([_row(info) for info in models.values()], hide_index=True, column_config=_columns(), placeholder="–")
    st.caption(
        tr(
            "Losses are nats a character on the part of the corpus that the model was not trained on. A model that"
            " does not beat the table of n-grams has learnt less than a table. Only losses on one corpus compare."
        )
    )
    wishes = (st.session_state.pop(NEXT, None), st.session_state.get(LOOKED_AT), _chosen_elsewhere(), next(iter(models)))
    st.session_state[LOOKED_AT] = next(name for name in wishes if name in models)
    name = st.selectbox(tr("Look at one of them"), list(models), key=LOOKED_AT)
    if NOTICE in st.session_state:
        st.text(st.session_state.pop(NOTICE))
    with st.container(border=True):
        _one(models[name])


def _chosen_elsewhere() -> str | None:
    chosen = st.session_state.get(selection.KEY)
    return None if chosen is None else chosen.model


def show_next(name: str, notice: str) -> None:
    """Has the next run look at a model, and say a sentence once."""
    st.session_state[NEXT], st.session_state[NOTICE] = name, notice


def _row(info: lc.ModelInfo) -> dict[str, Any]:
    card, own = info.card, own_models.all_own().get(info.name)
    return {
        "model": info.name,
        "loss": card.get("held_out_loss"),
        "best n-grams": card.get("ngrams", {}).get("held_out_loss"),
        "guessing": math.log(info.vocabulary),
        "cell": caches.described(info.name).cell.title,
        "layers × units": f"{info.config['layers']} × {info.config['units']}",
        "parameters": caches.parameters(info.name),
        "trained on": card.get("corpus") or (own.kind if own else tr("not recorded")),
    }


def _columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "parameters": number(format="localized", help=tr("All trained numbers: weights, biases and the head")),
        "loss": number(format="%.3f", help=tr("On the part of its corpus that it was not trained on, from the model’s card")),
        "best n-grams": number(format="%.3f", help=tr("The best table of n-grams (interpolated Witten-Bell) on the same part")),
        "guessing": number(
            format="%.3f", help=tr("Each of its characters as likely as any other: the logarithm of their number")
        ),
    }


# One model


def _one(info: lc.ModelInfo) -> None:
    own = own_models.all_own().get(info.name)
    words, picture = st.columns([3, 2], gap="large")
    with words:
        sidebar.card(info)
        st.caption(caches.described(info.name).cell.note)
        _ways_on(info, own)
        if own is not None:
            _manage(info.name)
    losses = _losses(info)
    if len(losses) > 1:
        with picture:
            note = (
                tr("{info.name}, on the held-out part of {corpus}.", info=info, corpus=info.card["corpus"])
                if "corpus" in info.card
                else ""
            )
            note = note or tr("{info.name}, on “{text}”.", info=info, text=info.card["proof"]["text"])
            st.plotly_chart(loss_bars(losses, [note], detail.theme()), key="model_losses", theme=None, config=detail.PLOT)
    if "recipe" in info.card:
        with st.expander(tr("How it was made, and how to make it again")):
            _recipe(info)


def _losses(info: lc.ModelInfo) -> list[tuple[str, float]]:
    """What is known: the model's own loss, that of n-grams, that of guessing."""
    card, guessing = info.card, (tr("guessing evenly among {info.vocabulary}", info=info), math.log(info.vocabulary))
    if "held_out_loss" in card:
        table = card.get("ngrams")
        grams = (
            [(tr("the best table of n-grams, order {order}", order=table["order"]), float(table["held_out_loss"]))]
            if table
            else []
        )
        return [(tr("this model"), float(card["held_out_loss"])), *grams, guessing]
    if "proof" in card and own_models.get(info.name) is not None:
        judged = card["proof"]
        return [(tr("this model"), judged["loss"]), (tr("the best table of n-grams"), judged["ngrams"]), guessing]
    return []


def _ways_on(info: lc.ModelInfo, own: Own | None) -> None:
    with st.container(horizontal=True):
        for title, file in PAGES.items():
            if st.button(tr("Open on {title}", title=title), key=f"open_{title}", disabled=not (frame.FOLDER / file).is_file()):
                _choose(info.name)
                st.switch_page(frame.FOLDER / file)
        data = info.path.read_bytes if own is None else partial(own_models.as_file, own.model)
        file = f"{own_models.plain_name(info.name)}.safetensors"
        st.download_button(tr("Download (.safetensors)"), data, file, key="model_file", on_click="ignore")


def _choose(name: str) -> None:
    """Makes a model the choice of all pages, with a text that it can be expected to read."""
    before = st.session_state.get(selection.KEY)
    text = examples.text_for(name) if before is None or before.text == examples.text_for(before.model) else before.text
    if before is None or before.model != name:
        sidebar.show(Selection(name, text))
    models, _ = caches.models()
    if len(models) >= choice.FEWEST:
        choice.include(models, name)


def _recipe(info: lc.ModelInfo) -> None:
    card = info.card
    if info.name in SHIPPED:
        corpus = SHIPPED[info.name].corpus
        where = tr(" --corpus {corpus}", corpus=corpus) if corpus else ""
        st.code(tr("python -m lstm_core train {info.name}{where}", info=info, where=where), language="sh", wrap_lines=True)
        if not corpus:
            st.caption(tr("Without a corpus it reads the source of the Python standard library that runs it."))
    sentences = []
    if "sha256" in card:
        sentences.append(tr("The corpus, as UTF-8, has the SHA-256 {plain}.", plain=plain(card["sha256"])))
    if isinstance(card.get("seconds"), (int, float)):
        sentences.append(tr("Training took {seconds:.0f} minutes on one thread.", seconds=card["seconds"] / 60))
    if isinstance(card.get("versions"), dict):
        sentences.append("With " + ", ".join(f"{plain(str(k))} {plain(str(v))}" for k, v in card["versions"].items()) + ".")
    st.caption(" ".join(sentences))
    rows = [f"| {plain(str(key))} | {plain(str(value))} |" for key, value in card["recipe"].items()]
    st.markdown("\n".join(["| setting | value |", "|---|---|", *rows]))


def _manage(name: str) -> None:
    """Another name, or none at all: for models of this session's own."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"rename_{name}"
        st.text_input(tr("Its name"), own_models.plain_name(name), key=key, max_chars=own_models.LONGEST_NAME, width=260)
        st.button(tr("Rename"), on_click=_rename, args=(name, key), key="model_rename")
        st.button(tr("Remove"), on_click=_remove, args=(name,), key="model_remove", icon=":material/delete:")
    st.caption(tr("It is kept by this session alone, and gone with it: when this tab is closed or loaded anew."))


def _rename(name: str, key: str) -> None:
    new = own_models.rename(name, st.session_state[key])
    chosen = st.session_state.get(selection.KEY)
    if chosen is not None and chosen.model == name:
        st.session_state[selection.KEY] = replace(chosen, model=new)
    show_next(new, tr("{name} is now called {new}.", name=name, new=new))


def _remove(name: str) -> None:
    own_models.remove(name)
    st.session_state[NOTICE] = tr("{name} was removed, with everything that was computed with it.", name=name)
