"""Under the heatmaps: the certificate, the pinned unit in numbers, and what can be taken away."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import plotly.graph_objects as go
import streamlit as st

import lstm_core as lc
from lstm_core import diagram, figure_file, numbering, report, trace_file
from lstm_core.analysis.explain import Line, explain
from lstm_core.analysis.first_look import first_look
from lstm_core.errors import InputError
from lstm_core.figures import palette
from lstm_core.figures.bars import kept_and_written
from lstm_core.figures.heatmaps import gate_heatmaps
from lstm_core.figures.lettering import glyph
from lstm_core.figures.unit_lines import unit_lines
from lstm_core.model_file import ModelFile
from lstm_core.words import tr
from pages.common import caches
from pages.common.markdown import plain
from pages.common.selection import Selection, current

PLOT = {"displaylogo": False}
NARROW = 32  # letters of LaTeX that a row of numbers may have on a phone
MOST_DRAWN = 8_000_000  # values in all heatmaps of a zoomable figure: more makes a browser slow
LARGE = 100_000  # values a signal, from which a zoomable figure is sent in hundredths: a quarter of the bytes
MOST_ROWS = 4_000_000  # of a table: more is no use to a spreadsheet, nor to a browser
PAPER = 1000  # pixels that a picture for paper is laid out for


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


def take_away(chosen: Selection) -> None:
    """Figures of Plotly, of the chosen unit and of all, and the numbers, for taking away."""
    opened = st.expander(tr("Zoom, compare, download"), key="take_away", on_change="rerun")
    if not opened.open:
        return
    trace, layer = caches.read(chosen.model, chosen.text), chosen.one_layer
    step, unit = (first if own is None else own for own, first in zip((chosen.step, chosen.unit), first_look(trace, layer)))
    with opened:
        _numbers(chosen.model, trace)
        _report(chosen.model, trace, layer)
        _live_page(chosen.model, chosen.text)
        if trace.steps * trace.units * len(trace.signals) > MOST_DRAWN:
            st.caption(tr("Zoomable heatmaps of so long a text are too much for a browser: take a shorter one."))
            return
        figure = _zoomable(chosen.model, chosen.text, layer, theme())
        _pictures(figure, lambda: gate_heatmaps(trace, layer, width=PAPER), f"{chosen.model}-layer-{numbering.layer(layer)}")
        explained = explain(caches.model(chosen.model), trace, layer, step, unit)
        st.plotly_chart(unit_lines(trace, layer, unit, step, theme()), config=PLOT, key="lines", theme=None)
        st.plotly_chart(kept_and_written(explained, theme()), config=PLOT, key="bars", theme=None)


def _numbers(name: str, trace: lc.Trace) -> None:
    """The whole trace as a file of each kind, as far as a spreadsheet and a browser can take it."""
    tables = trace_file.table_rows(trace) <= MOST_ROWS
    with st.container(horizontal=True):
        _download(tr("Numbers (NPZ)"), lambda: trace_file.to_npz(trace), f"{name}.npz", "application/octet-stream")
        if tables:
            _download(tr("Numbers (CSV)"), lambda: trace_file.to_csv_zip(trace), f"{name}.zip", "application/zip")
            _download(
                tr("Numbers (Parquet)"), lambda: trace_file.to_parquet(trace), f"{name}.parquet", "application/octet-stream"
            )
    if not tables:
        st.caption(
            tr(
                "As CSV or Parquet, one number a row, this would be {table_rows:,} rows, more than {most_rows:,}:"
                " take the NPZ, or a shorter text.",
                table_rows=trace_file.table_rows(trace),
                most_rows=MOST_ROWS,
            )
        )
    st.caption(
        tr(
            "Each file holds every signal of every layer, the predictions, and a README that explains its columns. In"
            ' Python, `lc.Trace.load("trace.npz")` gives the whole trace back from any of them.'
        )
    )


def _report(name: str, trace: lc.Trace, layer: int) -> None:
    """All of it in one page that opens without this app, with the pin where it is now."""
    model, now = caches.model(name), current()
    try:
        report.check(model, trace)
    except InputError as error:
        st.caption(tr("No offline report: {plain}.", plain=plain(str(error))))
        return
    step, unit = now.step, now.unit
    st.caption(
        tr("The report is one page with the picture above, the drawing alive, these numbers and the certificate, for the disk.")
    )
    _download(
        tr("Offline report (HTML)"), lambda: report.build(model, trace, layer, step, unit), f"{name}-report.html", "text/html"
    )


def _live_page(name: str, text: str) -> None:
    """A page that reads new text without this app: it holds the model itself."""
    model = caches.model(name)
    try:
        report.check_live([model])
    except InputError as error:
        st.caption(tr("No page that reads: {plain}.", plain=plain(str(error))))
        return
    st.caption(
        tr(
            "The page that reads has the picture above and the model in it: it reads what is typed into it, without a network,"
            " on a phone too."
        )
    )
    _download(tr("Page that reads (HTML)"), lambda: report.build_live([model], text), f"{name}-live.html", "text/html")


def _pictures(figure: go.Figure, on_paper: Callable[[], go.Figure], name: str) -> None:
    """The heatmaps to zoom into, and as files; for paper they are drawn anew, on white and at its width."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _download(tr("Interactive page (HTML)"), lambda: figure_file.to_html(figure), f"{name}.html", "text/html")
        if figure_file.can_draw():
            _download(tr("Picture (PDF)"), lambda: figure_file.to_image(on_paper(), "pdf"), f"{name}.pdf", "application/pdf")
        kind = st.segmented_control(tr("The camera saves"), ["png", "svg"], default="png", required=True, key="camera")
    camera = {**PLOT, "toImageButtonOptions": {"format": kind, "filename": name}}
    st.plotly_chart(figure, key="zoom", theme=None, config=camera)


def _download(label: str, made: Callable[[], str | bytes], name: str, kind: str) -> None:
    """A button whose file is made when it is pressed."""
    st.download_button(label, made, name, kind, on_click="ignore")


@caches.cached(4)
def _zoomable(model: str, text: str, layer: int, theme: palette.Theme) -> go.Figure:
    trace = caches.read(model, text)
    return gate_heatmaps(trace, layer, theme=theme, compact=trace.steps * trace.units > LARGE)


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
