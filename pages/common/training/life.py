"""Training, first section: a text through a model's life, from random to trained."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import streamlit as st

import lstm_core as lc
from lstm_core import figure_file, numbering
from lstm_core.analysis import growth
from lstm_core.analysis.growth import Stage
from lstm_core.figures.growth import surprises
from lstm_core.figures.lettering import escaped, glyph, snippet
from lstm_core.numbers import percent, short
from lstm_core.words import N_, tr
from pages.common import detail, markdown, own_models, selection
from pages.common.training import choice
from pages.common.training.view import NEWEST, Place, life_view

MOST = 200  # characters: all checkpoints together stay under 5 MB
JUDGED = N_("held-out loss")


@st.cache_resource(show_spinner=False)
def shipped() -> tuple[dict[str, lc.Life], tuple[str, ...]]:
    """The shipped lives by name, and a sentence for each damaged file."""
    damaged: list[lc.CheckpointError] = []
    found = {life.name: life for life in lc.lives(damaged)}
    return found, tuple(map(str, damaged))


@st.cache_resource(max_entries=16, show_spinner=False)
def stages(name: str, text: str) -> tuple[Stage, ...]:
    """A text through each checkpoint of a shipped life. Raises lc.TextError, lc.CheckpointError."""
    return growth.stages(shipped()[0][name], text)


def title(life: lc.Life) -> str:
    """A life as people choose it: its cell, and the forget gate's bias where it is not the usual one."""
    words = lc.cell(life.config["cell"]).title
    bias = life.card.get("recipe", {}).get("forget_bias", 1.0)
    return tr("{words}, forget-gate bias {bias:g}", words=words, bias=bias) if bias != 1.0 else words


def show(lives: Mapping[str, lc.Life]) -> None:
    """The choice of a life, its picture, and what it shows in words."""
    if not lives:
        st.text(tr("⚠ No life of a model is shipped with this copy: assets/lives holds none that can be read."))
        return
    life = lives[_choose(lives)]
    text = selection.current().text[:MOST]
    _explained(life)
    if len(selection.current().text) > MOST:
        st.text(
            tr(
                "The first {most} of the text’s {text_count:,} characters go through every checkpoint.",
                most=MOST,
                text_count=len(selection.current().text),
            )
        )
    found = stages(life.name, text)
    place = choice.STATE.current().place
    pinned = life_view(
        found, key="life", name=life.name, prompt=life.card["prompt"], judged=JUDGED, steps=life.steps[-1], place=place,
        first=Place(NEWEST, _first_step(found), _most_active_unit(found)),
    )  # fmt: skip
    choice.STATE.change(place=pinned)
    st.markdown("\n".join(f"- {sentence}" for sentence in findings(life, found)))
    if pinned is not None:
        _use(life, pinned)
    _downloads(life, found, text)
    with st.expander(tr("How it was trained")):
        st.markdown(_protocol(life))


def _choose(lives: Mapping[str, lc.Life]) -> str:
    key = f"{choice.STATE.key}: life"
    now = choice.STATE.current().life
    if now not in lives:
        choice.STATE.change(life=next(iter(lives)), place=None)
    st.session_state.setdefault(key, choice.STATE.current().life)
    st.selectbox(
        tr("Whose life"),
        list(lives),
        key=key,
        format_func=lambda name: title(lives[name]),
        on_change=lambda: choice.STATE.change(life=st.session_state[key], place=None),
    )
    return choice.STATE.current().life


def _explained(life: lc.Life) -> None:
    st.caption(
        tr(
            "{title} with {units} units, kept at {life_count} moments of its training, each so many times later than"
            " the one before. Your text goes through every one of them: drag the slider.",
            title=lc.cell(life.config["cell"]).title,
            units=life.config["units"],
            life_count=len(life),
        )
    )


def _first_step(found: Sequence[Stage]) -> int:
    """The character that training made most less surprising."""
    before, after = found[0].trace.surprise, found[-1].trace.surprise
    gains = [float(a - b) if math.isfinite(a - b) else -math.inf for a, b in zip(before, after)]
    return gains.index(max(gains))


def _most_active_unit(found: Sequence[Stage]) -> int:
    """The unit whose h swings most at the end."""
    hidden = found[-1].trace["hidden"][0]
    return int((hidden.max(axis=0) - hidden.min(axis=0)).argmax())


# What it shows, in words


def findings(life: lc.Life, found: Sequence[Stage]) -> list[str]:
    """How far the loss fell, when most, and what became of the gates; all from the numbers that are drawn."""
    guess = math.log(len(life.vocabulary))
    sentences = [
        tr(
            "Held-out loss: {losses:.2f} nats a character untrained (expecting all {vocabulary_count} characters"
            " alike: {guess:.2f}), {losses_2:.2f} after {steps:,} steps. {fastest}",
            losses=life.losses[0],
            vocabulary_count=len(life.vocabulary),
            guess=guess,
            losses_2=life.losses[-1],
            steps=life.steps[-1],
            fastest=_fastest(life),
        )
    ]
    sentences += _here(found)
    if growth.keeps(found[0].trace):
        kept = [growth.mean_keep(stage.trace) for stage in (found[0], found[-1])]
        lives = [growth.median_half_life(stage.trace) for stage in (found[0], found[-1])]
        sentences.append(
            tr(
                "What a unit keeps of its state from one character to the next: {kept:.2f} of it on average"
                " untrained, {kept_2:.2f} trained; the median half-life on this text goes from {steps} to {steps_2}.",
                kept=kept[0],
                kept_2=kept[1],
                steps=_steps(lives[0]),
                steps_2=_steps(lives[1]),
            )
        )
    return sentences


def _fastest(life: lc.Life) -> str:
    """Between which two checkpoints the loss fell most."""
    falls = [before - after for before, after in pairwise(life.losses)]
    if not falls or max(falls) <= 0:
        return tr("It never fell from one checkpoint to the next.")
    k = falls.index(max(falls))
    of = life.losses[0] - life.losses[-1]
    share = tr(", {percent} of the whole fall", percent=percent(falls[k] / of, 0)) if of > 0 else ""
    return tr(
        "It fell most between steps {steps:,} and {steps_2:,}: by {falls:.2f}{share}.",
        steps=life.steps[k],
        steps_2=life.steps[k + 1],
        falls=falls[k],
        share=share,
    )


def _here(found: Sequence[Stage]) -> list[str]:
    """What became of this very text, and of the character that it helped most."""
    first, last = found[0].trace, found[-1].trace
    if math.isnan(last.loss):
        return []
    step = _first_step(found)
    text = tr("This text: {first.loss:.2f} nats a character untrained, {last.loss:.2f} trained.", first=first, last=last)
    character = markdown.plain(glyph(last.chars[step])[0])
    before, after = float(first.surprise[step]), float(last.surprise[step])
    if after < before:
        where = tr("character {character}, “{character_2}”", character=numbering.character(step), character_2=character)
        text += tr(
            " Training helped most at {where}: {before:.2f} nats became {after:.2f}.", where=where, before=before, after=after
        )
    return [text]


def _steps(life: float) -> str:
    return tr("no end") if math.isinf(life) else tr("{short} characters", short=short(life))


def _protocol(life: lc.Life) -> str:
    card, recipe = life.card, life.card.get("recipe", {})
    settings = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in recipe.items() if value is not None)
    return tr(
        "Trained on {plain}: {plain_2}. Losses: {plain_3}. What it wrote: {length} characters after “{plain_4}”,"
        " temperature {temperature:g}, seed {seed}, the same for all. Made again by `{command}`.",
        plain=markdown.plain(str(card["corpus"])),
        plain_2=markdown.plain(settings),
        plain_3=markdown.plain(card["loss_protocol"]),
        length=card["sample"]["length"],
        plain_4=markdown.plain(card["prompt"]),
        temperature=card["sample"]["temperature"],
        seed=card["sample"]["seed"],
        command=card["command"],
    )


# Taking it away


def _use(life: lc.Life, pinned: Place) -> None:
    """The pinned checkpoint as a model of the session's own, so that every page can show it."""
    step = life.steps[pinned.stage]
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(tr("Put the model of step {step:,} on the list of models", step=step), key="life: use"):
            try:
                name = own_models.add(
                    life.model(pinned.stage), tr("the life of {life.name}, step {step:,}", life=life, step=step)
                )
                st.text(tr("It is listed as “{name}” on every page, in this session.", name=name))
            except own_models.OwnModelError as error:
                st.text(f"⚠ {error}")


def _downloads(life: lc.Life, found: Sequence[Stage], text: str) -> None:
    opened = st.expander(tr("Numbers, and the surprise of every character"), key="life: take away", on_change="rerun")
    if not opened.open:
        return
    with opened:
        notes = [tr("{escaped}, {units} units.", escaped=escaped(life.name), units=life.config["units"]), f"“{snippet(text)}”."]
        values = [stage.trace.surprise.tolist() for stage in found]
        steps = [stage.step for stage in found]
        figure = surprises(steps, values, found[0].trace.chars, notes, detail.theme())
        with st.container(horizontal=True):
            st.download_button(tr("Numbers (CSV)"), to_csv(found), f"{life.name}-life.csv", "text/csv", on_click="ignore")
            st.download_button(
                tr("Interactive page (HTML)"), lambda: figure_file.to_html(figure), f"{life.name}-life.html", "text/html",
                on_click="ignore",
            )  # fmt: skip
        st.plotly_chart(figure, key="life: surprises", theme=None, config=detail.PLOT)
        st.caption(
            tr(
                "A row a checkpoint: the darker, the more surprising. Each trace whole:"
                " `lc.trace(lc.life(NAME).model(k), text)`."
            )
        )


def to_csv(found: Sequence[Stage]) -> str:
    """A row a checkpoint and character: step, characters read, held-out loss, place, character, what was read, surprise."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["step", "characters_read", "held_out_loss", "place", "character", "read_as", "surprise_nats"])
    for stage in found:
        read = stage.trace
        for place, (typed, as_, nats) in enumerate(zip(read.chars, read.read_as, read.surprise)):
            surprise = "" if math.isnan(nats) else f"{nats:.6g}"
            writer.writerow(
                [stage.step, stage.characters, f"{stage.loss:.6g}", numbering.character(place), typed, as_, surprise]
            )
    return out.getvalue()
