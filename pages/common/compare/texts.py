"""Compare, second view: two texts through one model, and what an edited word changes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import streamlit as st

import lstm_core as lc
from lstm_core import figure_file, numbering
from lstm_core.analysis.two_texts import TwoTexts, to_csv, two_texts
from lstm_core.errors import InputError
from lstm_core.figures.heatmaps import difference_heatmaps
from lstm_core.figures.lettering import glyph, plain_symbol
from lstm_core.words import N_, tr
from pages.common import caches, detail, selection
from pages.common.compare import choice
from pages.common.display import Options
from pages.common.gates.view import Between, Reader, Track, linked_view

NAMES = (N_("first text"), N_("second text"))
SECONDS = {  # for the texts that are offered: one word changed
    "the clouds are in the sky": "the crowds are in the sky",
    "I grew up in France... I speak fluent French.": "I grew up in Russia... I speak fluent French.",
}
PROBLEM = "second text: problem"


def show(models: Mapping[str, lc.ModelInfo], query: Mapping[str, str] | None) -> Options:
    """The second text, the linked picture of the difference, and the numbers behind it.

    query: of a link, if there is one. Returns how the picture is displayed, for the address.
    """
    chosen = selection.current()
    second = _second_text()
    both = _compared(chosen.model, chosen.text, second)
    if isinstance(both, str):
        st.text(f"⚠ {both[0].upper()}{both[1:]}.")
        return {}
    layers = chosen.layers(both.first.layers)
    st.caption(
        tr(
            "{chosen.model} reads both texts from the same start. The heatmaps show the first minus the second: blank"
            " where the two are alike, orange where the first is higher, blue where the second is. Where only one"
            " text has a character, the other has a hatched gap.",
            chosen=chosen,
        )
    )
    file = f"{chosen.model}-two-texts"
    readers = [
        Reader(NAMES[0], both.first, both.alignment.first),
        Reader(NAMES[1], both.second, both.alignment.second),
    ]
    tracks = [Track(0, layer, minus=1) for layer in layers]
    pin = _pin(both, layers[0])
    view = linked_view(
        readers,
        tracks,
        key="compared texts",
        pin=pin,
        query=query,
        between=Between(both.apart, both.peaks),
        caption=_caption(both, layers),
        file=file,
    )
    pin = view.pin or pin
    choice.STATE.change(pin=(chosen.model, pin["layer"], pin["unit"], pin["step"]))
    _losses(both)
    _numbers(both, pin)
    _downloads(both, pin["layer"], file)
    certified = [caches.certificate(chosen.model, each) for each in (chosen.text, second)]
    detail.certificates(dict(zip(map(str, NAMES), certified)))
    return view.options


def proposed(text: str) -> str:
    """A second text to begin with: one word changed, or the second word left out."""
    words = text.split(" ")
    return SECONDS.get(text) or (" ".join(words[:1] + words[2:]) if len(words) > 2 else text + text[-1:])


def _second_text() -> str:
    """The second text as the person has it; what can't be read is said, and the last good one stays."""
    key = "compare: second text"
    own = choice.STATE.current().text2
    text = proposed(selection.current().text) if own is None else own
    st.session_state.setdefault(key, text)
    if own is None and PROBLEM not in st.session_state:
        st.session_state[key] = text
    field, buttons = st.columns([5, 1], vertical_alignment="bottom")
    field.text_area(
        tr("Second text"),
        key=key,
        height=80,
        on_change=_typed,
        help=tr("Change a word of the first text and press Ctrl+Enter. Any Unicode, up to 20,000 characters."),
    )
    buttons.button(tr("Copy the first"), on_click=_copied, width="stretch")
    if PROBLEM in st.session_state:
        st.text(tr("⚠ {session_state} The picture is of the last text that was read.", session_state=st.session_state[PROBLEM]))
    return text


def _typed() -> None:
    text = st.session_state["compare: second text"]
    problem = choice.unreadable(text)
    if problem:
        st.session_state[PROBLEM] = problem
        return
    st.session_state.pop(PROBLEM, None)
    choice.STATE.change(text2=text)


def _copied() -> None:
    text = selection.current().text
    st.session_state.pop(PROBLEM, None)
    st.session_state["compare: second text"] = text
    choice.STATE.change(text2=text)


@caches.cached(4)
def _compared(model: str, first: str, second: str) -> TwoTexts | str:
    """The two texts side by side, or why they can't stand so."""
    try:
        return two_texts(caches.read(model, first), caches.read(model, second))
    except InputError as error:
        return str(error).rstrip(".")


def _pin(both: TwoTexts, layer: int) -> dict:
    """What was pinned, if it lies in this picture; at first the unit and column that the edit moves most."""
    pin = choice.STATE.current().pin
    if pin is not None and pin[0] == both.first.model:
        return {"step": pin[3], "unit": pin[2], "layer": pin[1], "model": pin[0]}
    moved = np.nan_to_num(np.abs(both.difference("hidden", layer)))
    column, unit = np.unravel_index(int(moved.argmax()), moved.shape)
    return {"step": int(column), "unit": int(unit), "layer": layer, "model": both.first.model}


def _caption(both: TwoTexts, layers: tuple[int, ...]) -> str:
    trace = both.first
    numbers = numbering.listed("layer", layers)
    which = (
        tr("layer{value} {numbers} of {trace.layers}", value="s" if len(layers) > 1 else "", numbers=numbers, trace=trace)
        if trace.layers > 1
        else "1 layer"
    )
    return tr(
        "{trace.model}: {trace.cell.title}, {which}, {trace.units} units. First text minus second, on plus or"
        " minus the width of each signal's range; hatched where one text has no character. Disagreement:"
        " Jensen-Shannon divergence of what is expected after each column, nats. {trace.cell.note}",
        trace=trace,
        which=which,
    )


def _losses(both: TwoTexts) -> None:
    losses = []
    for name, trace in zip(NAMES, (both.first, both.second)):
        loss = (
            tr("one character, nothing to predict")
            if math.isnan(trace.loss)
            else tr("{trace.loss:.3f} nats a character", trace=trace)
        )
        losses.append(
            tr(
                "{name}: {loss} over {trace.steps:,} {value}",
                name=name,
                loss=loss,
                trace=trace,
                value="character" if trace.steps == 1 else "characters",
            )
        )
        replaced = sorted({(c, r) for c, r in zip(trace.chars, trace.read_as) if c != r})
        if replaced:
            pairs = ", ".join(tr("{glyph} as {glyph_2}", glyph=glyph(c)[0], glyph_2=glyph(r)[0]) for c, r in replaced[:12])
            st.text(tr("This model does not know every character of the {name}. It read {pairs}.", name=name, pairs=pairs))
    st.markdown(tr("**Loss.** {losses}.", losses="; ".join(losses)))


def _numbers(both: TwoTexts, pin: Mapping[str, int]) -> None:
    """The pinned unit in both texts, signal by signal."""
    column, unit, layer = pin["step"], pin["unit"], pin["layer"]
    a, b = int(both.alignment.first[column]), int(both.alignment.second[column])
    st.subheader(
        tr(
            "Unit {unit} of layer {layer} in column {shown}",
            unit=unit,
            layer=numbering.layer(layer),
            shown=numbering.shown("column", column),
        ),
        anchor=False,
    )
    if min(a, b) < 0:
        st.caption(
            tr("Only the {value} has a character here: there is no difference to show.", value=NAMES[0] if b < 0 else NAMES[1])
        )
        return
    rows = []
    for name in both.first.signals:
        signal, values = both.first.cell[name], (both.first[name][layer, a, unit], both.second[name][layer, b, unit])
        first, second = (round(float(value), 4) for value in values)
        rows.append(
            {
                "signal": f"{plain_symbol(signal.symbol)}  {signal.title}",
                NAMES[0]: first,
                NAMES[1]: second,
                "difference": round(first - second, 4),
            }
        )
    number = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(rows, hide_index=True, column_config=dict.fromkeys((*NAMES, "difference"), number))


def _downloads(both: TwoTexts, layer: int, file: str) -> None:
    opened = st.expander(tr("Zoom, download"), key="compare_take_away_texts", on_change="rerun")
    if not opened.open:
        return
    with opened:
        csv, html = st.columns(2)
        csv.download_button(tr("Surprise of both (CSV)"), lambda: to_csv(both), f"{file}.csv", "text/csv", on_click="ignore")
        if both.first.steps != both.second.steps:
            html.caption(tr("Zoomable difference heatmaps need two texts of equal length."))
            return
        figure = difference_heatmaps(both.first, both.second, layer, theme=detail.theme())
        html.download_button(
            tr("Interactive page (HTML)"), lambda: figure_file.to_html(figure), f"{file}.html", "text/html", on_click="ignore"
        )
        st.plotly_chart(figure, key="compare_difference", theme=None, config=detail.PLOT)
