"""What stands under the pictures of several pages: the certificate, equations in numbers, the cell's drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

import lstm_core as lc
from lstm_core import diagram
from lstm_core.figures import palette
from lstm_core.figures.lettering import glyph
from lstm_core.model_file import ModelFile
from lstm_core.words import tr
from pages.common import caches
from pages.common.selection import Selection

if TYPE_CHECKING:
    from lstm_core.analysis.explain import Line

PLOT = {"displaylogo": False}
NARROW = 32  # letters of LaTeX that a row of numbers may have on a phone
MOST_DRAWN = 8_000_000  # values in all heatmaps of a zoomable figure: more makes a browser slow
LARGE = 100_000  # values a signal, from which a zoomable figure is sent in hundredths: a quarter of the bytes


def theme() -> palette.Theme:
    return "dark" if st.context.theme.type == "dark" else "light"


def certificate_line(chosen: Selection, trace: lc.Trace) -> None:
    """The certificate, the model's loss on this text, the convention, and what was read in another's place."""
    certificate = caches.certificate(chosen.model, chosen.text)
    model = caches.model(chosen.model)
    word = trace.vocabulary.reads.removesuffix("s")
    loss = (
        tr("one {word}: nothing to predict", word=word)
        if math.isnan(trace.loss)
        else tr("{trace.loss:.3f} nats a {word} on this text", trace=trace, word=word)
    )
    held_out = model.card.get("held_out_loss")
    known = tr(", {held_out:.3f} on the held-out part of its corpus", held_out=held_out) if held_out else ""
    line = tr("max |h − h_ref| = {certificate.h_error:.1e} against {certificate.against}", certificate=certificate)
    if trace.steps > 1:
        line += tr(
            ", loss {certificate.loss_shown:.6f} from the shown gates, {certificate.loss_reference:.6f} from it",
            certificate=certificate,
        )
    line += tr(
        "; each step within {certificate.step_error:.1e} of it, every signal within"
        " {certificate.signal_error:.1e} of its equation",
        certificate=certificate,
    )
    if certificate.holds:
        st.caption(
            tr(
                "✓ Certified: {line}. {model.name}: {loss}{known}. {trace.cell.note}",
                line=line,
                model=model,
                loss=loss,
                known=known,
                trace=trace,
            )
        )
    else:
        st.error(
            tr(
                "These pictures are NOT what {certificate.against} computes: {line}. Do not trust them.",
                certificate=certificate,
                line=line,
            )
        )
    replaced = {(c, r) for c, r in zip(trace.chars, trace.read_as) if c != r}
    if replaced:
        pairs = ", ".join(tr("{glyph} as {glyph_2}", glyph=glyph(c)[0], glyph_2=glyph(r)[0]) for c, r in sorted(replaced)[:12])
        more = tr(" and {replaced_count} more", replaced_count=len(replaced) - 12) if len(replaced) > 12 else ""
        st.text(tr("This model does not know every character here. It read {pairs}{more}.", pairs=pairs, more=more))


def certificates(certified: Mapping[str, lc.Certificate]) -> None:
    """The certificates of several readings in one line, by what they are called."""
    lines = "; ".join(
        tr(
            "{name} max |h − h_ref| = {certificate.h_error:.1e} against {certificate.against}",
            name=name,
            certificate=certificate,
        )
        for name, certificate in certified.items()
    )
    wrong = [name for name, certificate in certified.items() if not certificate.holds]
    if not wrong:
        st.caption(tr("✓ Certified: {lines}.", lines=lines))
        return
    st.error(
        tr(
            "The pictures of {wrong} are NOT what was computed independently: {lines}. Do not trust them.",
            wrong=", ".join(wrong),
            lines=lines,
        )
    )


def in_rows(line: Line) -> str:
    """An equation, its numbers, and, where these are long, their result in a row of its own: a phone is narrow."""
    sum_, _, result = line.numbers.rpartition(" = ")
    numbers = rf"{sum_} \\ &= {result}" if len(sum_) > NARROW else line.numbers
    return rf"{line.equation.replace('=', '&=', 1)} \\ &\;{numbers}"


def drawing(model: lc.CharModel | ModelFile) -> None:
    """The cell as the essay draws it, and how its lines are read."""
    with st.expander(tr("The drawing of this cell: {model.cell.title}", model=model)):
        one_line = " ".join(diagram.load(model.cell).split())  # Markdown ends an HTML block at a blank line
        st.markdown(f'<div class="drawing">{one_line}</div>', unsafe_allow_html=True)
        st.caption(
            tr(
                "Yellow boxes are learned layers, pink circles work unit by unit, and each line carries a whole"
                " vector: {model.units} numbers. Lines that merge are put side by side, lines that fork are copied."
                " Drawn anew after the figures of Christopher Olah's essay [Understanding LSTM"
                " Networks](https://colah.github.io/posts/2015-08-Understanding-LSTMs/) (2015).",
                model=model,
            )
        )
