"""Compare, first view: one text read by several models, on one time axis and one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

import lstm_core as lc
from lstm_core import figure_file, numbering
from lstm_core.analysis import disagreement as apart
from lstm_core.figures.disagreement import surprise_and_disagreement
from lstm_core.figures.lettering import BOX, glyph
from lstm_core.numbers import percent
from lstm_core.words import N_, tr
from pages.common import caches, detail, selection
from pages.common.compare import choice
from pages.common.compare.choice import Comparison
from pages.common.display import Options
from pages.common.gates.view import Between, Reader, Track, linked_view

PEAKS = 8
MOST_NUMBERS = 60_000_000  # of all traces together: a quarter of a gigabyte
MOST_HEATMAPS = 40
CONTEXT = 20  # characters before and after a disagreement that the list shows


def show(models: Mapping[str, lc.ModelInfo], query: Mapping[str, str] | None) -> Options:
    """The choice of models, the linked picture, and what can be read off it and taken away.

    query: of a link, if there is one. Returns how the picture is displayed, for the address.
    """
    choice.choose_models(models)
    chosen, text = choice.STATE.current(), _readable_part()
    try:
        traces = traces_of(chosen.models, text)
    except lc.TextError as error:
        st.text(f"⚠ {error}")
        return {}
    if problem := not_comparable(traces):
        st.text(f"⚠ {problem}")
        return {}
    between = _between(chosen.models, text)
    tracks = _tracks(chosen, traces)
    st.caption(
        tr(
            "Each model reads the same text, and each has rows of its own. All share one time axis, one scale and one"
            " cursor: a unit of one model has nothing to do with the same number in another. Marked are the"
            " characters after which they differ most in what they expect next."
        )
    )
    readers = [Reader(trace.model, trace) for trace in traces]
    file = "-".join(chosen.models) + "-compared"
    apart_ = Between(between.values, between.peaks)
    caption = _caption(traces, tracks)
    pin = _pin(chosen, readers, tracks, between)
    view = linked_view(readers, tracks, key="compared models", pin=pin, query=query, between=apart_, caption=caption, file=file)
    pin = view.pin or pin
    choice.STATE.change(pin=(pin["model"], pin["layer"], pin["unit"], pin["step"]))
    selection.change(step=pin["step"])
    _losses(traces, models)
    _peaks(traces, between)
    _downloads(traces, between, file)
    detail.certificates(dict(zip(chosen.models, _certified(chosen.models, text))))
    return view.options


def _readable_part() -> str:
    """The text, or as much of it as so many models can be traced on; where it is cut, that is said."""
    text = selection.current().text
    chosen = [caches.model(name) for name in choice.STATE.current().models]
    numbers = sum(model.layers * model.units * len(model.cell.signals) for model in chosen)
    most = min(max(1, MOST_NUMBERS // numbers), *(caches.longest(model.name) for model in chosen))
    if len(text) > most:
        st.text(
            tr(
                "So many models at once read {most:,} of the {text_count:,} characters, from the first on.",
                most=most,
                text_count=len(text),
            )
        )
    return text[:most]


def traces_of(names: Sequence[str], text: str) -> tuple[lc.Trace, ...]:
    """The traces of a text by several models, kept together where the text is long."""
    if len(text) <= caches.SHORT_TEXT:
        return tuple(caches.read(name, text) for name in names)
    return _long(tuple(names), text)


@caches.cached(2, N_("Several models read a long text …"))
def _long(names: tuple[str, ...], text: str) -> tuple[lc.Trace, ...]:
    return tuple(lc.trace(caches.model(name), text) for name in names)


@caches.cached(8)
def _between(names: tuple[str, ...], text: str) -> apart.Disagreement:
    return apart.disagreement(traces_of(names, text), PEAKS)


@caches.cached(8, "Certifying …")
def _certified(names: tuple[str, ...], text: str) -> tuple[lc.Certificate, ...]:
    if len(text) <= caches.SHORT_TEXT:
        return tuple(caches.certificate(name, text) for name in names)
    return tuple(lc.certify(caches.model(trace.model), trace) for trace in traces_of(names, text))


def not_comparable(traces: Sequence[lc.Trace]) -> str:
    """Why these traces have no common time axis, in one sentence, or nothing."""
    first = traces[0]
    for other in traces[1:]:
        if other.chars != first.chars:
            return tr(
                "{first.model} takes {first.steps} steps for this text and {other.model} {other.steps}: one of"
                " them reads bytes. They can be compared on a text of plain ASCII characters alone.",
                first=first,
                other=other,
            )
    return ""


def _tracks(chosen: Comparison, traces: Sequence[lc.Trace]) -> list[Track]:
    """The layers that were asked for; of too many, each model's top one."""
    wanted = [Track(k, layer) for k, t in enumerate(traces) for layer in chosen.layers_of(t.model, t.layers)]
    if sum(len(traces[track.reader].signals) for track in wanted) <= MOST_HEATMAPS:
        return wanted
    st.text(
        tr(
            "All these layers would be more than {most_heatmaps} heatmaps: of each model the top layer is shown.",
            most_heatmaps=MOST_HEATMAPS,
        )
    )
    return [Track(k, trace.layers - 1) for k, trace in enumerate(traces)]


def _pin(chosen: Comparison, readers: Sequence[Reader], tracks: Sequence[Track], between: apart.Disagreement) -> dict:
    """What was pinned, here or on another page, at the character that is pinned on every page; at first where the models
    differ most."""
    step = selection.current().step
    if chosen.pin is not None:
        model, layer, unit, own = chosen.pin
        return {"step": own if step is None else step, "unit": unit, "layer": layer, "model": model}
    if step is None or step >= len(between.values):
        step = between.peaks[0] if between.peaks else 0
    if (elsewhere := _pinned_elsewhere(readers, tracks)) is not None:
        return elsewhere | {"step": step}
    trace, layer = readers[tracks[0].reader].trace, tracks[0].layer
    unit = int(np.ptp(trace["hidden"][layer], axis=0).argmax())
    return {"step": step, "unit": unit, "layer": layer, "model": trace.model}


def _pinned_elsewhere(readers: Sequence[Reader], tracks: Sequence[Track]) -> dict | None:
    """The unit that is pinned on another page, where its model and layer are among those drawn here."""
    pinned = selection.current()
    layer = pinned.one_layer
    drawn = [(readers[track.reader].trace.model, track.layer) for track in tracks]
    if pinned.unit is None or (pinned.model, layer) not in drawn:
        return None
    return {"unit": pinned.unit, "layer": layer, "model": pinned.model}


def _caption(traces: Sequence[lc.Trace], tracks: Sequence[Track]) -> str:
    parts, notes = [], {}
    for k, trace in enumerate(traces):
        layers = numbering.listed("layer", [track.layer for track in tracks if track.reader == k])
        several = "s" if " and " in layers else ""
        which = (
            tr(", layer{several} {layers} of {trace.layers}", several=several, layers=layers, trace=trace)
            if trace.layers > 1
            else ""
        )
        parts.append(tr("{trace.model} ({trace.cell.title}{which}, {trace.units} units)", trace=trace, which=which))
        notes[trace.cell.title] = trace.cell.note
    free = any("cell" in traces[track.reader].signals for track in tracks)
    shared = tr(" C of all models ends at the same limits.") if free else ""
    remarks = " ".join(f"{title}: {note}" for title, note in notes.items() if note)
    return tr(
        "{parts}. Disagreement: Jensen-Shannon divergence of what they expect after each character, nats.{shared} {remarks}",
        parts=", ".join(parts),
        shared=shared,
        remarks=remarks,
    )


# Below the picture


def _losses(traces: Sequence[lc.Trace], models: Mapping[str, lc.ModelInfo]) -> None:
    """Each model's loss on this text, and what it read in another's place."""
    if traces[0].steps < 2:
        st.caption(tr("One character: nothing to predict, and no loss."))
        return
    rows = [
        {
            "model": trace.model,
            "here": trace.loss,
            "held out": models[trace.model].card.get("held_out_loss"),
            "corpus": models[trace.model].card.get("corpus", ""),
        }
        for trace in traces
    ]
    st.subheader(tr("Loss on this text"), anchor=False)
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "here": st.column_config.NumberColumn(
                tr("on this text"), format="%.3f", help=tr("Mean surprise, nats a character, from the second character on")
            ),
            "held out": st.column_config.NumberColumn(
                tr("held out"),
                format="%.3f",
                help=tr("From the model's card: on the part of its corpus that it was not trained on"),
            ),
        },
    )
    for trace in traces:
        replaced = sorted({(c, r) for c, r in zip(trace.chars, trace.read_as) if c != r})
        if replaced:
            pairs = ", ".join(tr("{glyph} as {glyph_2}", glyph=glyph(c)[0], glyph_2=glyph(r)[0]) for c, r in replaced[:12])
            more = tr(" and {replaced_count} more", replaced_count=len(replaced) - 12) if len(replaced) > 12 else ""
            st.text(
                tr(
                    "{trace.model} does not know every character here. It read {pairs}{more}.",
                    trace=trace,
                    pairs=pairs,
                    more=more,
                )
            )


def context(text: str, step: int) -> str:
    """The characters around a step, visible, the step's own in angle brackets."""
    before, after = text[max(0, step - CONTEXT) : step], text[step + 1 : step + 1 + CONTEXT]
    return f"{_visible(before)}⟨{_visible(text[step])}⟩{_visible(after)}"


def _visible(text: str) -> str:
    drawn = [(" ", "plain") if c == " " else glyph(c)[::2] for c in text]
    return "".join(BOX if kind == "boxed" else shown for shown, kind in drawn)


def _expected(trace: lc.Trace, step: int) -> str:
    best = int(trace.probs[step].argmax())
    return f"{glyph(trace.vocabulary.characters[best])[0]} {percent(trace.probs[step, best])}"


def _peaks(traces: Sequence[lc.Trace], between: apart.Disagreement) -> None:
    """The largest disagreements: where they are, and what each model thinks likeliest there."""
    st.subheader(tr("Where they disagree most"), anchor=False)
    text = [c or "·" for c in traces[0].chars]
    rows = [
        {
            "nats": float(between.values[step]),
            "character": numbering.character(step),
            "after reading": context("".join(text), step),
            **{trace.model: _expected(trace, step) for trace in traces},
        }
        for step in between.peaks
    ]
    if not rows:
        st.caption(tr("Nowhere: they expect the same everywhere."))
        return
    st.dataframe(rows, hide_index=True, column_config={"nats": st.column_config.NumberColumn(format="%.3f")})
    st.caption(
        tr(
            "The generalised Jensen-Shannon divergence (Lin 1991) of the {traces_count} predictions after each"
            " character, equally weighted: 0 where all expect the same, at most ln {traces_count} ="
            " {between.widest:.3f} nats where no two think the same character possible. It is taken over all"
            " characters that any of the models knows; one that a model does not know has probability 0 there, and"
            " nothing is renormalised. Beside each place stands what each model thinks likeliest; two places side by"
            " side count once.",
            traces_count=len(traces),
            between=between,
        )
    )


def _downloads(traces: Sequence[lc.Trace], between: apart.Disagreement, file: str) -> None:
    opened = st.expander(tr("Zoom, download"), key="compare_take_away", on_change="rerun")
    if not opened.open:
        return
    with opened:
        csv, html = st.columns(2)
        csv.download_button(
            tr("Surprise and disagreement (CSV)"),
            lambda: apart.to_csv(traces, between),
            f"{file}.csv",
            "text/csv",
            on_click="ignore",
        )
        figure = surprise_and_disagreement(traces, between, theme=detail.theme())
        html.download_button(
            tr("Interactive page (HTML)"), lambda: figure_file.to_html(figure), f"{file}.html", "text/html", on_click="ignore"
        )
        st.plotly_chart(figure, key="compare_lines", theme=None, config=detail.PLOT)
