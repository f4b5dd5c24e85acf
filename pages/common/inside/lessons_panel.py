"""Lessons above the picture: what to look at, a question, a prediction, then the answer with the numbers of this run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

import lstm_core as lc
from lstm_core import numbering
from lstm_core.errors import InputError
from lstm_core.lessons import Lesson, LessonError, check, fill, lessons, measure
from lstm_core.words import N_, tr
from pages.common import address, caches, links, selection, sidebar
from pages.common.links import Field, OneOf
from pages.common.selection import Selection

KEY = "lesson"  # in the session, and in the address
PICKER = "lesson_picker"
WIDTH = 430  # of the list, in pixels: room for the longest title; on a phone the buttons go below it


@dataclass(frozen=True)
class Opened:
    """The lesson that is open. predicted: the choice that was made before the answer was revealed; None: not revealed."""

    id: str
    predicted: int | None = None


FIELDS = (
    Field(
        KEY,
        OneOf(),
        lambda now, lessons: lessons,
        N_("The link names a lesson “{asked}”, which is not here. Lessons: {known}."),
        attribute="id",
    ),
)


def panel(models: Mapping[str, lc.ModelInfo], query: Mapping[str, str] | None) -> dict[str, str]:
    """Draws the lessons' picker and the open lesson. Returns what the address must say: {"lesson": ID}, or nothing.

    models: those that can be read; a lesson of another model is left out. query: of a link that the page has not answered
    yet, else None. A link that names the lesson alone opens it whole, in a second run.
    """
    try:
        known = {lesson.id: lesson for lesson in _all() if lesson.model in models}
    except LessonError as error:
        st.text(tr("⚠ The lessons can't be shown: {error}.", error=error))
        return {}
    if query is not None:
        _open_linked(known, query)
    opened = st.session_state.get(KEY)
    if opened is not None and opened.id not in known:
        opened = st.session_state[KEY] = None
    if not known:
        return {}
    if opened is None:
        _picker(known, None)
        return {}
    with st.container(border=True, key="lesson_box"):
        _picker(known, opened)
        _lesson(known[opened.id], opened)
    return {KEY: opened.id}


@st.cache_resource(show_spinner=False)
def _all() -> tuple[Lesson, ...]:
    return lessons()


@st.cache_resource(max_entries=32, show_spinner=False)
def _measured(lesson: str) -> tuple[dict[str, float], list[str]]:
    """The lesson's numbers, and the claims that don't hold of them. Raises InputError where they can't be measured."""
    found = next(each for each in _all() if each.id == lesson)
    numbers = measure(found, caches.model)
    return numbers, check(found, numbers)


def _place(lesson: Lesson) -> Selection:
    return Selection(lesson.model, lesson.text, numbering.index("layer", lesson.layer), lesson.step, lesson.unit)


def _open_linked(known: Mapping[str, Lesson], query: Mapping[str, str]) -> None:
    """Opens the lesson that a link names; where the link says no more, it is answered as if it had said all."""
    before: Opened | None = st.session_state.get(KEY)
    linked, sentences = links.read(FIELDS, query, Opened(""), known)
    for sentence in sentences:
        st.text(f"⚠ {sentence}")
    st.session_state[KEY] = None
    if not linked.id:
        return
    st.session_state[KEY] = before if before is not None and before.id == linked.id else linked
    if "model" not in query and "text" not in query:
        place = _place(known[linked.id])
        address.go_to(place, {name: value for name, value in query.items() if name not in place.query()})


def _show(lesson: Lesson) -> None:
    sidebar.show(_place(lesson))


def _open(lesson: Lesson) -> None:
    st.session_state[KEY] = Opened(lesson.id)
    _show(lesson)


def _close() -> None:
    st.session_state[KEY] = None


def _reveal(opened: Opened, predicted: int) -> None:
    st.session_state[KEY] = replace(opened, predicted=predicted)


def _hide(lesson: Lesson) -> None:
    st.session_state[KEY] = Opened(lesson.id)


def _picked(known: Mapping[str, Lesson]) -> None:
    picked = st.session_state[PICKER]
    if picked is None:
        _close()
    else:
        _open(known[picked])


def _picker(known: Mapping[str, Lesson], opened: Opened | None) -> None:
    """The list of lessons and, beside it, the ways on; what is open is always what the list shows."""
    ids = list(known)
    st.session_state[PICKER] = opened.id if opened else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            tr("Lessons: predict, then look"),
            ids,
            None,
            lambda name: f"{ids.index(name) + 1}. {known[name].title} ({known[name].level})",
            key=PICKER,
            on_change=_picked,
            args=(known,),
            placeholder=tr("{ids_count} short lessons on real models", ids_count=len(ids)),
            width=WIDTH,
        )
        if opened is not None:
            here = ids.index(opened.id)
            for label, number in (("← Previous", here - 1), ("Next →", here + 1)):
                inside = 0 <= number < len(ids)
                lesson = known[ids[number]] if inside else known[opened.id]
                st.button(label, disabled=not inside, on_click=_open, args=(lesson,))
            st.button(tr("Close"), on_click=_close, help=tr("The text and the model stay as they are."))


def _lesson(lesson: Lesson, opened: Opened) -> None:
    chosen = selection.current()
    if (chosen.model, chosen.text) != (lesson.model, lesson.text):
        what = tr("another model reads") if chosen.model != lesson.model else tr("this is not")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(
                tr(
                    "You are exploring: {what} the lesson’s text. What is said below is about {lesson.model} on its own text.",
                    what=what,
                    lesson=lesson,
                )
            )
            st.button(tr("Back to the lesson"), on_click=_show, args=(lesson,), key="lesson_back")
    try:
        numbers, broken = _measured(lesson.id)
    except InputError as error:  # a model file that was exchanged
        st.text(tr("⚠ This lesson can't be held to {lesson.model}: {error}.", lesson=lesson, error=error))
        return
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(tr("**Look at** {fill}", fill=fill(lesson.look, lesson, numbers)))
        st.button(
            tr(
                "↪ Show unit {lesson.unit} of layer {lesson.layer} at character {character}",
                lesson=lesson,
                character=numbering.character(lesson.step),
            ),
            type="tertiary",
            on_click=_show,
            args=(lesson,),
            key="lesson_unit",
        )
    choices = [fill(choice, lesson, numbers) for choice in lesson.choices]
    question = f"**Predict** {fill(lesson.question, lesson, numbers)}"
    if opened.predicted is None:
        with right:
            st.markdown(question)
            _ask(lesson, opened, choices)
        return
    with left:
        st.markdown(question)
        st.markdown(_verdict(choices, opened.predicted, lesson.right))
        st.button(tr("Hide the answer"), type="tertiary", on_click=_hide, args=(lesson,))
    with right:
        for sentence in broken:
            st.text(tr("⚠ Written for another version of this model: {sentence}.", sentence=sentence))
        st.markdown(fill(lesson.answer, lesson, numbers))
        st.caption(tr("**For the teacher.** {fill}", fill=fill(lesson.teacher, lesson, numbers)))
        st.caption(
            tr("Every number is measured on this run, by {lesson.model}", lesson=lesson)
            + (tr(" and its family.") if _others(lesson) else ".")
        )


def _others(lesson: Lesson) -> bool:
    """Whether other models than the lesson's own are measured too."""
    return any(spec.get("model", lesson.model) != lesson.model for spec in lesson.numbers.values())


def _ask(lesson: Lesson, opened: Opened, choices: list[str]) -> None:
    predicted = st.radio(
        tr("Your prediction"),
        range(len(choices)),
        index=None,
        format_func=choices.__getitem__,
        key=f"lesson_choice_{lesson.id}",
        label_visibility="collapsed",
    )
    st.button(
        tr("Reveal"),
        type="primary",
        disabled=predicted is None,
        on_click=_reveal,
        args=(opened, predicted),
        help=tr("Predict first: take one of the answers.") if predicted is None else None,
    )


def _verdict(choices: list[str], predicted: int, right: int) -> str:
    if predicted == right:
        return tr("✓ You predicted: *{choices}*. That is what happens.", choices=choices[predicted])
    return tr(
        "✗ You predicted: *{choices}*.\n\n✓ What happens: *{choices_2}*.", choices=choices[predicted], choices_2=choices[right]
    )
