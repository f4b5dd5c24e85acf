"""Models, below: bring your own. The file, what was found in it, its characters, whether it reads; only then it is used."""

from __future__ import annotations

import hashlib
import inspect
import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

import lstm_core as lc
from lstm_core import corpora, diagram
from lstm_core.analysis.proof import COMPARED, LARGE, LONGEST, SHORTEST
from lstm_core.convert.draft import LARGEST_FILE
from lstm_core.convert.vocabularies import Candidate
from lstm_core.errors import InputError
from lstm_core.figures.lettering import BOX, glyph
from lstm_core.figures.losses import loss_bars
from lstm_core.places import ASSETS
from lstm_core.text import Vocabulary
from lstm_core.words import tr
from pages.common import detail, own_models
from pages.common.markdown import plain
from pages.common.models import file as models_file
from pages.common.models import listing as models_list
from pages.common.models.file import OWN_CHARACTERS, Found

PASSAGES = json.loads((ASSETS / "passages.json").read_text("utf-8"))
KEY = "bring"
LARGEST_TEXT = 20  # MB
WRITTEN = 240  # characters that the model writes
PROMPT = 60
TEMPERATURE = 0.7
SHORTER = 3_000  # characters: so many are read with large models
MOST_GLYPHS = 256
OWN_TEXT, UPLOADED = "own", "uploaded"


@dataclass(frozen=True)
class Judged:
    """A proof of a model by a text, and what the model wrote. request: what was asked for."""

    request: tuple[str, ...]
    proof: lc.Proof
    prompt: str
    written: str


@dataclass
class Bringing:
    """How far a person has come. turn: counts the models brought, so that the uploaders start anew."""

    turn: int = 0
    tried: tuple[str, ...] = ()
    found: Found | None = None
    problem: str = ""
    text: tuple[str, str, str] = ("", "", "")  # of the uploaded text: id, name, text
    offered: tuple[tuple[str, str], tuple[Candidate, ...]] = (("", ""), ())
    judged: Judged | None = None


def show() -> None:
    """The steps, one below the other, as far as a person has come."""
    st.subheader(tr("Bring your own"), anchor=False)
    state = _state()
    _file_step(state)
    if state.found is None:
        return
    _found_step(state.found)
    chosen = _vocabulary_step(state, state.found)
    if chosen is None:
        return
    judged = _proof_step(state, state.found, chosen)
    if judged is not None:
        _use_step(state, state.found, chosen, judged)


def _state() -> Bringing:
    if KEY not in st.session_state:
        st.session_state[KEY] = Bringing()
    return st.session_state[KEY]


def _step(number: int, title: str) -> None:
    st.markdown(f"##### {number}. {title}")


# The file


def _file_step(state: Bringing) -> None:
    st.markdown(
        tr(
            "A trained character model of PyTorch (state dict, training checkpoint or whole module), safetensors"
            " (Gatescope’s own too), Keras 1 to 3, ONNX, or arrays of TensorFlow 1 and char-rnn in an .npz with a"
            " manifest: LSTM, GRU or RNN, one-hot or embedded, stacked, one linear head. Files up to {largest_file}"
            " MB. What a file is, its content tells; **nothing in it is ever run**. It stays in this session alone,"
            " and is gone with it: when this tab is closed or loaded anew.",
            largest_file=LARGEST_FILE >> 20,
        )
    )
    _step(1, tr("The file"))
    left, right = st.columns(2, gap="large")
    with left:
        main = st.file_uploader(tr("Checkpoint"), key=f"bring_file_{state.turn}", max_upload_size=LARGEST_FILE >> 20)
    with right:
        beside = st.file_uploader(
            tr("Beside it, if you have them: its list of characters (.json or .txt), its manifest"),
            type=["json", "txt"],
            accept_multiple_files=True,
            key=f"bring_beside_{state.turn}",
            max_upload_size=1,
        )
    if main is None:
        state.tried, state.found, state.problem, state.judged = (), None, "", None
        return
    request = (main.file_id, *(each.file_id for each in beside))
    if request != state.tried:
        state.tried = request
        _read(state, main, beside)
    if state.problem:
        still = (
            tr(" What stands below is the last file that could be read, {state.found.file}.", state=state)
            if state.found
            else ""
        )
        st.text(f"⚠ {state.problem}{still}")


def _read(state: Bringing, main: Any, beside: Sequence[Any]) -> None:
    try:
        with st.spinner(tr("Reading the file …")):
            state.found = models_file.read(main.getvalue(), main.name, {each.name: each.getvalue() for each in beside})
    except InputError as error:
        state.problem = error.sentence
    else:
        state.problem = ""


# What was found


def _found_step(found: Found) -> None:
    _step(2, tr("What was found in it"))
    left, right = st.columns([3, 2], gap="large")
    with left:
        rows = [f"| {plain(label)} | {plain(value)} |" for label, value in (("format", found.source), *found.detected)]
        st.markdown("\n".join([tr("| what | as it was found |"), "|---|---|", *rows]))
        if found.ignored:
            st.text(tr("Left out: ") + "; ".join(found.ignored) + ".")
        else:
            st.caption(tr("Nothing in the file was left out."))
    with right:
        one_line = " ".join(diagram.load(found.cell).split())  # Markdown ends an HTML block at a blank line
        st.markdown(f'<div class="drawing">{one_line}</div>', unsafe_allow_html=True)
        st.caption(tr("{found.cell.title}, drawn after the figures of the essay. {found.cell.note}", found=found))


# The characters


def _vocabulary_step(state: Bringing, found: Found) -> Candidate | None:
    _step(3, tr("Its characters"))
    if not found.names_characters:
        st.markdown(
            tr(
                "The file does not say which {found.symbols} characters its model knows, or in which order. A wrong"
                " list makes a good model babble, so choose one; the next step shows whether it was the right one.",
                found=found,
            )
        )
        _upload_text(state, tr("A text that it was trained on, or one of the same characters: its characters are then offered"))
    offered = _offered(state, found)
    if not offered:
        st.text(
            tr(
                "⚠ No list in common use has {found.symbols} characters. Give one beside the file, above, in the"
                " order of its ids (.json or .txt), or here a text that the model was trained on.",
                found=found,
            )
        )
        return None
    labels = {candidate.label: candidate for candidate in offered}
    key = f"bring_vocabulary_{found.digest[:12]}"
    if st.session_state.get(key) not in labels:
        st.session_state[key] = OWN_CHARACTERS if OWN_CHARACTERS in labels else None
    label = st.radio(
        tr("Which characters?"),
        list(labels),
        key=key,
        index=None,
        format_func=lambda each: plain(f"T{each[1:]}" if each.startswith("the ") else each),
        captions=[plain(candidate.why) for candidate in offered],
    )
    if label is None:
        st.caption(tr("Choose one to go on."))
        return None
    st.text(tr("In the order of their ids: {glyphs}", glyphs=_glyphs(labels[label].vocabulary)))
    return labels[label]


def _upload_text(state: Bringing, label: str) -> None:
    uploaded = st.file_uploader(label, key=f"bring_text_{state.turn}", max_upload_size=LARGEST_TEXT)
    if uploaded is None:
        state.text = ("", "", "")
    elif uploaded.file_id != state.text[0]:
        data = uploaded.getvalue()[: LARGEST_TEXT << 20]
        state.text = (uploaded.file_id, uploaded.name, corpora.decode(data))


def _offered(state: Bringing, found: Found) -> tuple[Candidate, ...]:
    """The vocabularies that fit, looked for once: a text may be long."""
    request = (found.digest, state.text[0])
    if state.offered[0] != request:
        state.offered = (request, found.candidates(state.text[2] or None))
    return state.offered[1]


def _glyphs(vocabulary: Vocabulary) -> str:
    shown = [glyph(c) for c in vocabulary.characters[:MOST_GLYPHS]]
    more = (
        tr(" … and {vocabulary_count:,} more", vocabulary_count=len(vocabulary) - MOST_GLYPHS)
        if len(vocabulary) > MOST_GLYPHS
        else ""
    )
    if vocabulary.reads == "bytes":
        return " ".join(drawn for drawn, _, _ in shown) + more
    return " ".join(BOX if kind == "boxed" else drawn for drawn, _, kind in shown) + more


# The proof


def _proof_step(state: Bringing, found: Found, chosen: Candidate) -> Judged | None:
    _step(4, tr("Does it read?"))
    st.markdown(
        tr(
            "Wrong packing is silent: a model whose gates were exchanged still runs. So it is tried on a text, best"
            " of the kind that it was trained on, and its loss is held against guessing and against tables of n-grams"
            " counted in the same text."
        )
    )
    name, text = _choose_text(state, found)
    if not text.strip():
        st.caption(tr("Give a text of {shortest} characters or more, better of some thousand.", shortest=SHORTEST))
        return None
    request = (found.digest, chosen.label, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
    if st.button(tr("See whether it reads"), type="primary", key="bring_proof"):
        problem = _judge(state, found, chosen, name, text, request)
        if problem:
            st.text(f"⚠ {problem}")
    judged = state.judged
    if judged is None or judged.request[:2] != request[:2]:
        return None
    _show_proof(judged, found)
    return judged


def _choose_text(state: Bringing, found: Found) -> tuple[str, str]:
    """What the text is called, and the text."""
    texts = dict(_passages())
    labels = {name: name for name in texts} | {OWN_TEXT: tr("Type or paste one"), UPLOADED: tr("Upload one")}
    key = f"bring_sample_{state.turn}"
    st.session_state.setdefault(key, UPLOADED if state.text[2] else next(iter(texts)))
    chosen = st.segmented_control(tr("By which text?"), list(labels), key=key, required=True, format_func=labels.__getitem__)
    picked = chosen or next(iter(texts))
    if picked == OWN_TEXT:
        typed = st.text_area(tr("Text"), key=f"bring_own_text_{state.turn}", height=140, max_chars=LONGEST)
        return tr("your own text"), typed[:LONGEST]
    if picked == UPLOADED:
        if found.names_characters:
            _upload_text(state, tr("A text file; its first {longest:,} characters count", longest=LONGEST))
        elif not state.text[2]:
            st.caption(tr("Its place is above, under “Its characters”."))
        if state.text[2]:
            st.caption(
                tr(
                    "{text}, the first {longest:,} of {text_count:,} characters.",
                    text=state.text[1],
                    longest=min(LONGEST, len(state.text[2])),
                    text_count=len(state.text[2]),
                )
            )
        return state.text[1] or tr("an uploaded text"), state.text[2][:LONGEST]
    source, text = texts[picked]
    st.caption(tr("{text_count:,} characters: {source}.", text_count=len(text), source=source))
    return picked, text


@st.cache_data(show_spinner=False)
def _passages() -> dict[str, tuple[str, str]]:
    """Texts long enough to judge by: title -> (where it is from, text). The code is this Python's own."""
    found = {each["title"]: (each["source"], each["text"]) for each in PASSAGES}
    return found | {
        "Python": (tr("the beginning of textwrap.py in Python’s standard library"), inspect.getsource(textwrap)[:8000])
    }


def _judge(state: Bringing, found: Found, chosen: Candidate, name: str, text: str, request: tuple[str, ...]) -> str:
    """Tries a model; returns a sentence where it can't be tried, or nothing."""
    large = found.weights > LARGE
    text, written_at_most = (text[:SHORTER], WRITTEN // 4) if large else (text, WRITTEN)
    shorter = (
        tr(
            "A model of {found.weights:,} weights: the first {shorter:,} characters of the text count. ",
            found=found,
            shorter=SHORTER,
        )
        if large
        else ""
    )
    bar = st.progress(0.0, tr("{shorter}Reading the text …", shorter=shorter))
    try:
        model = found.model(chosen)
        judged = lc.proof(
            model, text, progress=lambda share: bar.progress(share, tr("{shorter}Trying other packings …", shorter=shorter))
        )
        prompt = text[-PROMPT:]
        written = lc.sample(model, prompt, written_at_most, TEMPERATURE)
    except InputError as error:
        return error.sentence
    finally:
        bar.empty()
    state.judged = Judged((*request, name), judged, prompt, written)
    return ""


def _show_proof(judged: Judged, found: Found) -> None:
    proof = judged.proof
    box = {"reads": st.success, "unclear": st.warning, "wrong": st.error}[proof.verdict]
    box(plain(proof.sentence))
    left, right = st.columns(2, gap="large")
    with left:
        note = tr(
            "{found.file} on “{request}”: {proof.steps:,} {proof.unit}s, the second half of the text; model and"
            " tables had read the first.",
            found=found,
            request=judged.request[-1],
            proof=proof,
        )
        best = min(zip(proof.ngrams.losses, proof.ngrams.orders))
        bars = [
            (tr("this model"), proof.loss),
            (tr("the best table of n-grams, order {best}", best=best[1]), best[0]),
            (tr("guessing evenly among {found.symbols}", found=found), proof.uniform),
        ]
        figure = loss_bars(bars, [note], detail.theme(), title=tr("Nats a {proof.unit}: less is better", proof=proof))
        st.plotly_chart(figure, key="bring_losses", theme=None, config=detail.PLOT)
    with right:
        st.markdown(tr("What it writes after the end of that text, at temperature {temperature}:", temperature=TEMPERATURE))
        st.text(f"… {judged.prompt[-30:]}▮{judged.written}")
        for hint in proof.hints:
            st.text(f"→ {hint}")
        if proof.others:
            other = proof.others[0]
            st.caption(
                plain(
                    tr(
                        "{others_count} other ways to take the same weights were tried on {compared:,} steps. The"
                        " best of them, {other.label}, needs {other.loss:.2f} nats there; the file’s own packing"
                        " {proof.plain:.2f}.",
                        others_count=len(proof.others),
                        compared=COMPARED,
                        other=other,
                        proof=proof,
                    )
                )
            )
    st.caption(plain(proof.unseen))


# Use it


def _use_step(state: Bringing, found: Found, chosen: Candidate, judged: Judged) -> None:
    _step(5, tr("Use it"))
    wrong = judged.proof.verdict == "wrong"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        stem = found.ours.name if found.ours is not None else Path(found.file).stem
        wanted = st.text_input(
            tr("Its name"),
            own_models.tidied(stem),
            key=f"bring_name_{found.digest[:12]}",
            max_chars=own_models.LONGEST_NAME,
            width=260,
        )
        label = tr("Use it all the same") if wrong else tr("Use it on all pages")
        pressed = st.button(label, type="secondary" if wrong else "primary", key="bring_use")
    st.caption(
        tr(
            "It is then listed on every page of this session as “{own_models.PREFIX}{tidied}”.",
            own_models=own_models,
            tidied=own_models.tidied(wanted),
        )
    )
    if not pressed:
        return
    try:
        name = own_models.add(_finished(found, chosen, judged, wanted), _kind(found))
    except InputError as error:
        st.text(f"⚠ {error}")
        return
    st.session_state[KEY] = Bringing(state.turn + 1)
    models_list.show_next(name, tr("✓ {name} is now among the models of every page of this session.", name=name))
    st.rerun()


def _finished(found: Found, chosen: Candidate, judged: Judged, name: str) -> lc.CharModel:
    """The model under its name, with a card that says where it is from and what its proof said."""
    model, proof = found.model(chosen), judged.proof
    model.name = name
    model.card |= {
        "proof": {
            "text": judged.request[-1], "loss": proof.loss, "ngrams": proof.ngrams.best_loss, "uniform": proof.uniform,
            "verdict": proof.verdict,
        }
    }  # fmt: skip
    return model


def _kind(found: Found) -> str:
    return tr("from {found.file}", found=found)
