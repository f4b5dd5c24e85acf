"""Training, third section: a model of one's own, on a text of one's own, watched while it learns."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

import lstm_core as lc
from lstm_core import corpora
from lstm_core.corpora import Corpus
from lstm_core.errors import InputError
from lstm_core.figures.growth import in_training
from lstm_core.figures.lettering import escaped
from lstm_core.text import Vocabulary
from lstm_core.training import Recipe
from lstm_core.words import N_, tr
from lstm_core.worker import EVALUATED, MAX_SECONDS, POLL_TIMEOUT, Report, Training, TrainingQueue, suited_recipe
from pages.common import detail, frame, own_models, selection
from pages.common.models import listing as models_list
from pages.common.training.view import life_view

KEY = "training here"
UNITS = (16, 32, 64, 96, 128)
MOST_TEXT = 1_000_000  # characters; of a longer text the first
MOST_PASTED = 200_000
LARGEST_FILE = 5  # MB
MOST_HELD_OUT = 10_000  # characters
JUDGMENTS = 12  # of the held-out part, while it trains
MOST_KNOWN = 1_000  # different characters
SENTENCE = 40  # characters that are read on the way
MINUTES = (0.5, 1.0, 2.0, 5.0, 10.0)
MOST_PASSES = 200
POLLED = 1.0  # seconds between two polls
TEXTS = {"stdlib": N_("Python standard library"), "paste": "Paste", "upload": "Upload"}
LEARNING_RATE = 1e-2  # as for the shipped family


@dataclass
class SessionTraining:
    """What this session trains. kept: the name by which its result is listed, and after how many steps. message: a sentence."""

    training: Training | None = None
    kept: tuple[str, int] | None = None
    message: str = ""


@st.cache_resource(show_spinner=False)
def queue() -> TrainingQueue:
    """This server's queue: all processors but one train, at least one; the rest is for the pages."""
    return TrainingQueue(max(1, (os.cpu_count() or 1) - 1))


def session_training() -> SessionTraining:
    """This session's own."""
    if KEY not in st.session_state:
        st.session_state[KEY] = SessionTraining()
    return st.session_state[KEY]


def show(lives: Mapping[str, lc.Life]) -> None:
    """The choice of what to train, and the training as it goes."""
    st.caption(
        tr(
            "A small model of your own, trained on this server while you watch: up to 2 layers of {units} units, a"
            " text of up to {most_text:,} characters, {max_seconds:.0f} minutes of work, one training a person."
            " Meanwhile you can look at other pages, for {poll_timeout:.0f} minutes at a time; then it stops, and can"
            " go on. It goes with this tab.",
            units=max(UNITS),
            most_text=MOST_TEXT,
            max_seconds=MAX_SECONDS / 60,
            poll_timeout=POLL_TIMEOUT / 60,
        )
    )
    own = session_training()
    works = own.training is not None and own.training.report().works
    _form(own, works)
    if own.message:
        st.text(own.message)
        own.message = ""
    if own.training is not None:
        frame.fragment("Training", _watched, run_every=POLLED if works else None)(own, works)


# What to train


def _form(own: SessionTraining, works: bool) -> None:
    key = f"{KEY}: text"
    st.segmented_control(
        tr("Text to learn from"),
        list(TEXTS),
        default="stdlib",
        required=True,
        key=key,
        format_func=TEXTS.__getitem__,
        disabled=works,
    )
    with st.container(border=True):
        read = _text_widget(st.session_state[key])
        with st.container(horizontal=True, vertical_alignment="bottom"):
            names = list(lc.cells())
            cell = st.selectbox(
                tr("Cell"), names, names.index("lstm"), format_func=lambda n: lc.cell(n).title, key=f"{KEY}: cell"
            )
            units = st.select_slider(tr("Units"), UNITS, 64, key=f"{KEY}: units", width=220)
            layers = st.segmented_control(tr("Layers"), [1, 2], default=1, required=True, key=f"{KEY}: layers")
            budget = st.selectbox(
                tr("Train for"), [*MINUTES, "passes"], 1, format_func=_budget, key=f"{KEY}: budget", width=170
            )
            passes = _passes() if budget == "passes" else 1
        pressed = st.button(tr("Train"), type="primary", disabled=works, key=f"{KEY}: train")
    if not pressed or works:
        return
    try:
        corpus = read()
        recipe = Recipe(
            cell=cell if cell in names else "lstm", units=units if units in UNITS else UNITS[0], layers=2 if layers == 2 else 1,
            validations=JUDGMENTS,
            learning_rate=LEARNING_RATE, passes=passes,
        )  # fmt: skip
        _begin(own, corpus, recipe, 60 * budget if budget in MINUTES else None)
    except InputError as error:
        st.text(f"⚠ {error.sentence}")
        return
    st.rerun()


def _passes() -> int:
    wish = st.number_input(
        tr("Passes"), 1, MOST_PASSES, 5, key=f"{KEY}: passes", width=120, help=tr("How often it reads the text.")
    )
    return min(max(int(wish), 1), MOST_PASSES)


def _budget(choice: float | str) -> str:
    if isinstance(choice, str):
        return tr("a number of passes")
    return "½ minute" if choice == 0.5 else tr("{choice:g} minute{value}", choice=choice, value="s" if choice != 1 else "")


def _text_widget(kind: str) -> Callable[[], Corpus]:
    """The widget for one kind of text; returns what makes the corpus of it, and raises InputError, one sentence."""
    if kind == "paste":
        typed = st.text_area(
            tr("The text"), key=f"{KEY}: pasted", height=160, max_chars=MOST_PASTED,
            placeholder=tr("A few thousand characters are a start; a hundred are the least."),
        )  # fmt: skip
        return lambda: corpus_of(typed[:MOST_PASTED], tr("a pasted text"))
    if kind == "upload":
        file = st.file_uploader(
            tr("A text file, up to {largest_file} MB", largest_file=LARGEST_FILE),
            key=f"{KEY}: file",
            max_upload_size=LARGEST_FILE,
        )

        def uploaded() -> Corpus:
            if file is None:
                raise InputError(tr("there is no file yet: choose a text file to learn from"))
            data = file.getvalue()[: LARGEST_FILE << 20]
            if b"\0" in data[:4096]:
                raise InputError(tr("“{name}” is no text file: it holds zero bytes", name=file.name[:60]))
            return corpus_of(corpora.decode(data), file.name)

        return uploaded
    st.caption(
        tr(
            "The source of this server’s Python, the first {most_text:,} characters of it: code, with its indents and names.",
            most_text=MOST_TEXT,
        )
    )
    return standard_library


def corpus_of(text: str, name: str) -> Corpus:
    """A text to learn from, within the limits, in two parts. Raises InputError where it is too short."""
    whole = corpora.from_text(text[:MOST_TEXT], name)
    return _limited(whole)


@st.cache_resource(show_spinner=N_("Reading Python’s own source …"))
def standard_library() -> Corpus:
    """The beginning of the standard library, and of the files that are held out."""
    whole = corpora.standard_library()
    return _limited(replace(whole, train=whole.train[:MOST_TEXT]))


def _limited(corpus: Corpus) -> Corpus:
    held_out = corpus.held_out[:MOST_HELD_OUT]
    shorter = tr(
        "; of it {train_count:,} characters to train and {held_out_count:,} to judge",
        train_count=len(corpus.train),
        held_out_count=len(held_out),
    )
    return replace(corpus, held_out=held_out, split=corpus.split + shorter)


def known(corpus: Corpus) -> Vocabulary:
    """The characters that a model learns: all of them, or, where there are very many, the most frequent."""
    counts = Counter(corpus.train + corpus.held_out)
    return Vocabulary(sorted(character for character, _ in counts.most_common(MOST_KNOWN)))


def _begin(own: SessionTraining, corpus: Corpus, recipe: Recipe, seconds: float | None) -> None:
    """Starts it, in the place of the one before. Raises InputError where the text is too short."""
    sentence = selection.current().text[:SENTENCE]
    name = f"{recipe.cell} {recipe.layers}x{recipe.units}"
    training = Training(
        corpus,
        suited_recipe(recipe, corpus),
        sentence,
        queue(),
        name=name,
        vocabulary=known(corpus),
        seconds=seconds,
        alive=_alive(),
    )
    if own.training is not None:
        own.training.stop()
    own.training, own.kept = training, None
    training.start()


def _alive() -> Callable[[], bool]:
    """Whether this session is still connected, asked from another thread."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    server, session = runtime.get_instance(), context.session_id
    return lambda: server.is_active_session(session)


# The training as it goes


def _watched(own: SessionTraining, worked: bool) -> None:
    """Everything that changes while it trains; drawn again and again, without the rest of the page."""
    training = own.training
    if training is None:
        return
    report = training.report()
    if worked and not report.works:
        st.rerun()  # the form can be used again, and nobody has to ask any more
    _standing(report)
    _buttons(own, training, report)
    if report.train_losses:
        _curve(training, report)
    if report.stages:
        _reading(training, report)


def _standing(report: Report) -> None:
    share = report.step / report.steps if report.steps else 0.0
    if report.state == "waiting":
        waits = tr("{report.ahead} before you", report=report) if report.ahead else tr("your turn is next")
        st.info(
            tr("This server trains {limit} at once; {waits}. It begins by itself.", limit=queue().limit, waits=waits), icon="⏳"
        )
    elif report.state == "measuring":
        st.progress(0.0, tr("Measuring how fast it goes …"))
    elif report.state == "running":
        st.progress(
            min(share, 1.0),
            tr("Step {report.step:,} of {report.steps:,}; {left}", report=report, left=_left(report.seconds_left)),
        )
    elif report.state == "finishing":
        st.progress(1.0, tr("All {report.steps:,} steps are done; judging what was learnt …", report=report))
    elif report.state == "failed":
        st.text(f"⚠ {report.message}")
    else:
        word = "Done" if report.state == "done" else "Stopped"
        worked = tr("{report.step:,} of {report.steps:,} steps, {clock} of work", report=report, clock=_clock(report.seconds))
        st.text(f"{word} after {worked}. {report.message}".strip())


def _left(seconds: float) -> str:
    return tr("how long it takes is not known yet") if math.isnan(seconds) else tr("about {clock} left", clock=_clock(seconds))


def _clock(seconds: float) -> str:
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return tr("{floor} min {floor_2} s", floor=math.floor(seconds / 60), floor_2=math.floor(seconds) % 60)


def _buttons(own: SessionTraining, training: Training, report: Report) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if report.works:
            st.button(tr("Stop"), key=f"{KEY}: stop", on_click=_stop, args=(training,), disabled=report.state == "finishing")
            return
        if report.state == "stopped" and report.seconds < MAX_SECONDS and st.button(tr("Go on"), key=f"{KEY}: go on"):
            training.start()
            st.rerun()
        if st.button(tr("Throw it away"), key=f"{KEY}: away"):
            own.training, own.kept = None, None
            st.rerun()
        _keep(own, training, report)


def _stop(training: Training) -> None:
    """A step takes a moment: waiting for it spares the person a second look."""
    training.stop(wait=2.0)


def _keep(own: SessionTraining, training: Training, report: Report) -> None:
    model = training.model
    if model is None:
        return
    if own.kept is None or own.kept[1] != report.step:
        if st.button(
            tr("Keep it"),
            key=f"{KEY}: keep",
            type="primary",
            help=tr("Puts the model on the lists of all pages, in this session"),
        ):
            try:
                name = own_models.add(model, tr("trained here on {training.corpus.name}", training=training))
                own.kept, own.message = (
                    (name, report.step),
                    tr("It is listed as “{name}” on every page, in this session.", name=name),
                )
                models_list.show_next(name, tr("This is the model that you trained."))
            except own_models.OwnModelError as error:
                own.message = f"⚠ {error}"
            st.rerun()
        return
    name = own.kept[0]
    if (model := own_models.get(name)) is not None:
        file = f"{own_models.plain_name(name)}.safetensors"
        st.download_button(
            tr("Download it"), lambda: own_models.as_file(model), file, "application/octet-stream", on_click="ignore"
        )
        if st.button(tr("See it in Models"), key=f"{KEY}: models"):
            st.switch_page(frame.FOLDER / "models.py")


def _note(training: Training) -> str:
    cell = lc.cell(training.recipe.cell).title
    layers = "2 layers" if training.recipe.layers == 2 else tr("one layer")
    return tr(
        "{cell}, {layers} of {training.recipe.units} units, on {escaped}: {train_count:,} characters,"
        " {training.recipe.streams} × {training.recipe.window} of them a step.",
        cell=cell,
        layers=layers,
        training=training,
        escaped=escaped(training.corpus.name),
        train_count=len(training.corpus.train),
    )


def _curve(training: Training, report: Report) -> None:
    uniform = math.log(len(training.vocabulary))
    figure = in_training(report.train_losses, report.held_out_losses, report.steps, uniform, [_note(training)], detail.theme())
    st.plotly_chart(figure, key=f"{KEY}: curve", theme=None, config=detail.PLOT)
    st.markdown(verdict(report, uniform))


def verdict(report: Report, uniform: float) -> str:
    """Where the loss stands, in words."""
    first, last = report.train_losses[0][1], report.train_losses[-1][1]
    text = tr(
        "Loss on the text it trains on: **{last:.3f}** nats a character, {first:.3f} at the beginning", last=last, first=first
    )
    if report.held_out_losses:
        best_step, best = min(report.held_out_losses, key=lambda point: point[1])
        now = report.held_out_losses[-1][1]
        text += tr("; on the text that is held out **{now:.3f}**", now=now)
        if now > best + 0.02:
            text += tr(
                ", and it was {best:.3f} after step {best_step:,}: since then it learns its text by heart",
                best=best,
                best_step=best_step,
            )
    return tr("{text}. Expecting all characters alike: {uniform:.3f}.", text=text, uniform=uniform)


def _reading(training: Training, report: Report) -> None:
    st.caption(
        tr(
            "How it reads the first {sentence_count} characters of the text at the left, then and now, and what it"
            " writes: the slider goes back through its life.",
            sentence_count=len(training.sentence),
        )
    )
    judged = min(EVALUATED, len(training.corpus.held_out))
    life_view(
        report.stages, key=f"{KEY}: life", name=training.name, prompt=training.prompt,
        judged=tr("held-out loss, {judged:,} characters", judged=judged), steps=report.steps, layer=training.recipe.layers - 1,
    )  # fmt: skip
