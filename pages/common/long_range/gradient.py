"""Long range, first section: how far back the gradient of each loss reaches, and which characters mattered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

import lstm_core as lc
from lstm_core import figure_file, numbering
from lstm_core.analysis import vanishing
from lstm_core.analysis.gradient_file import to_npz
from lstm_core.analysis.gradients import Gradients
from lstm_core.analysis.window import Window, window
from lstm_core.figures import palette
from lstm_core.figures.lettering import glyph, plain_symbol
from lstm_core.figures.reach import gradient_by_distance, gradient_lines, gradient_map
from lstm_core.numbers import short
from lstm_core.words import tr
from pages.common import caches, detail, markdown, selection
from pages.common.compare import models as compare_models
from pages.common.long_range import choice
from pages.common.long_range.view import Reader, nearest, reach_view
from pages.common.long_range.work import gradients

DISTANCES = (1, 5, 10, 20, 50, 100)
DIRECT_AT = 20


def show(models: Mapping[str, lc.ModelInfo]) -> None:
    """The choice of models, the linked picture, what it says in words, and what can be taken away."""
    choice.choose_models(models)
    wanted, chosen = choice.STATE.current(), selection.current()
    traces = read(wanted.models, chosen.text)
    if not traces:
        return
    if problem := compare_models.not_comparable(traces):
        st.text(f"⚠ {problem}")
        return
    steps = traces[0].steps
    stretch = window(steps, min(chosen.step or 0, steps - 1))
    st.caption(_lead(stretch, steps))
    found = gradients(wanted.models, chosen.text, stretch)
    if found is None:
        return
    readers = [Reader(trace, each) for trace, each in zip(traces, found)]
    step = reach_view(readers, stretch, key="reach", layer=wanted.layer, step=chosen.step)
    if chosen.step is None or step != nearest(stretch, chosen.step):  # a pin between two losses stays where it was
        selection.change(step=step)
    layer = wanted.layer
    st.subheader(tr("Over all of these losses"), anchor=False)
    st.markdown(table(found, layer))
    st.caption(explanation(found, layer))
    _replaced(traces)
    _downloads(readers, stretch, step, layer)


def read(names: Sequence[str], text: str) -> list[lc.Trace]:
    """The traces of a text; none, and a sentence, where a model can't read it."""
    try:
        for name in names:
            caches.check(name, text)
        return [caches.read(name, text) for name in names]
    except lc.TextError as error:
        st.text(f"⚠ {error}")
        return []


def _lead(stretch: Window, steps: int) -> str:
    what = tr(
        "Learning from a loss means following it back, character by character. Point at a character: how far back"
        " does the loss after it reach, and through which characters was the next one made likelier?"
    )
    length = stretch.stop - stretch.start
    if length < steps:
        what += tr(
            " Of the {steps:,} characters, {length:,} around the pin are followed back: {character:,} to {character_2:,}.",
            steps=steps,
            length=length,
            character=numbering.character(stretch.start),
            character_2=numbering.character(stretch.stop - 1),
        )
    if stretch.stride > 1:
        what += tr(" Of so many, every {ordinal} character’s loss.", ordinal=_ordinal(stretch.stride))
    return what


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


# In words


@dataclass(frozen=True)
class _Summary:
    """What becomes of one model's gradients, over all losses: through what each keeps."""

    name: str
    symbol: str
    left: vanishing.Left
    along: vanishing.Left | None
    fate: vanishing.Fate

    def after(self, distance: int, direct: bool = False) -> float | None:
        """The median share that is left so many characters back; None where no loss reaches so far, or no path is there."""
        left = self.along if direct else self.left
        return None if left is None or distance >= len(left.middle) else float(left.middle[distance])


def _summary(found: Gradients, layer: int) -> _Summary:
    where = vanishing.path(found, layer)
    shares = vanishing.share(found, where)
    along = vanishing.left(vanishing.share(found, where, direct=True)) if where.state in found.direct else None
    symbol = plain_symbol(found.cell[where.state].symbol)
    return _Summary(found.model, symbol, vanishing.left(shares), along, vanishing.fate(shares))


def table(found: Sequence[Gradients], layer: int) -> str:
    """Markdown: what is left of each model's gradient after so many characters, and whether it vanishes or explodes."""
    heads = [tr("{distance} back", distance=distance) for distance in DISTANCES]
    heads += [tr("direct path alone, {distance} back", distance=DIRECT_AT), tr("vanished"), tr("largest")]
    lines = ["| | " + " | ".join(heads) + " |"]
    lines.append("|---|" + "---:|" * len(heads))
    for each in (_summary(one, layer) for one in found):
        cells = [short(each.after(distance)) for distance in DISTANCES]
        cells.append(tr("no direct path") if each.along is None else short(each.after(DIRECT_AT, direct=True)))
        gone = each.left.vanished_after
        cells.append(tr("not here") if gone is None else tr("{gone} back", gone=gone))
        cells.append(f"{short(each.fate.most)} ×")
        lines.append(
            tr("| {plain}, through {each.symbol} | ", plain=markdown.plain(each.name), each=each) + " | ".join(cells) + " |"
        )
    return "\n".join(lines)


def explanation(found: Sequence[Gradients], layer: int) -> str:
    """What the table means, and which reaches furthest on this text."""
    every = [_summary(one, layer) for one in found]
    text = tr(
        "The median over {targets_count:,} losses: the share of the gradient at s = t that is left so many"
        " characters back. Vanished: where that median falls below 1/1000 for good. Largest: of all shares; above"
        " {vanishing.EXPLODED:g} × it has exploded.",
        targets_count=len(found[0].targets),
        vanishing=vanishing,
    )
    exploded = [(each, int((each.fate.exploded != vanishing.NOWHERE).sum())) for each in every]
    counts = [tr("{count:,} of {each.name}’s losses", count=count, each=each) for each, count in exploded if count]
    text += tr(" Exploded here: {counts}.", counts="; ".join(counts)) if counts else tr(" Nothing explodes here.")
    if len(every) > 1:
        text += f" {_furthest(every)}"
    return text


def _furthest(every: Sequence[_Summary]) -> str:
    """Which model's gradient has most left at the longest distance of the table that losses reach."""
    reached = [d for d in DISTANCES if all(each.after(d) is not None for each in every)]
    if not reached:
        return tr("The text is too short to tell them apart.")
    at = reached[-1]
    ranked = sorted(every, key=lambda each: -(each.after(at) or 0))
    best, worst = ranked[0], ranked[-1]
    return tr(
        "{at} characters back most is left in {best.name}, {short}, and least in {worst.name}, {short_2}.",
        at=at,
        best=best,
        short=short(best.after(at)),
        worst=worst,
        short_2=short(worst.after(at)),
    )


def _replaced(traces: Sequence[lc.Trace]) -> None:
    for trace in traces:
        pairs = sorted({(c, r) for c, r in zip(trace.chars, trace.read_as) if c != r})
        if pairs:
            replacements = ", ".join(tr("{glyph} as {glyph_2}", glyph=glyph(c)[0], glyph_2=glyph(r)[0]) for c, r in pairs[:12])
            more = tr(" and {pairs_count} more", pairs_count=len(pairs) - 12) if len(pairs) > 12 else ""
            st.text(
                tr(
                    "{trace.model} does not know every character here. It read {replacements}{more}.",
                    trace=trace,
                    replacements=replacements,
                    more=more,
                )
            )


# To take away


def _downloads(readers: Sequence[Reader], stretch: Window, step: int, layer: int) -> None:
    opened = st.expander(tr("Zoom, download"), key="long range: take away", on_change="rerun")
    if not opened.open:
        return
    found = [reader.found for reader in readers]
    theme, start = detail.theme(), stretch.start
    figures = {
        "by distance": lambda: gradient_by_distance(found, layer, theme=theme),
        "this loss": lambda: gradient_lines(found, step - start, layer, start=start, theme=theme),
    } | {tr("map of {reader.trace.model}", reader=reader): _map(reader, layer, start, theme) for reader in readers}
    with opened:
        which = st.segmented_control(
            tr("Figure"), list(figures), default=tr("by distance"), required=True, key="long range: figure"
        )
        figure = figures[which]()
        name = f"{'-'.join(each.model for each in found)}-{which.replace(' ', '-')}"
        st.plotly_chart(figure, key="long range: plotly", theme=None, config=detail.PLOT)
        with st.container(horizontal=True):
            st.download_button(
                tr("Interactive page (HTML)"),
                lambda: figure_file.to_html(figure),
                f"{name}.html",
                "text/html",
                on_click="ignore",
            )
            for reader in readers:
                st.download_button(
                    tr("Numbers of {reader.trace.model} (NPZ)", reader=reader),
                    _npz(reader, start), f"{reader.trace.model}-gradients.npz",
                    on_click="ignore",
                )  # fmt: skip


def _map(reader: Reader, layer: int, start: int, theme: palette.Theme) -> Callable[[], go.Figure]:
    return lambda: gradient_map(reader.found, layer, start=start, theme=theme)


def _npz(reader: Reader, start: int) -> Callable[[], bytes]:
    return lambda: to_npz(reader.found, reader.trace.vocabulary.characters, start)
