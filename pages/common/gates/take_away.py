"""What can be taken away from the page Gates: figures of Plotly, numbers, reports. Imported when it is opened."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

import lstm_core as lc
from lstm_core import figure_file, numbering, report, trace_file
from lstm_core.analysis.explain import explain
from lstm_core.analysis.first_look import first_look
from lstm_core.errors import InputError
from lstm_core.figures import palette
from lstm_core.figures.bars import kept_and_written
from lstm_core.figures.heatmaps import gate_heatmaps
from lstm_core.figures.unit_lines import unit_lines
from lstm_core.words import tr
from pages.common import caches, detail
from pages.common.markdown import plain
from pages.common.selection import Selection, current

MOST_ROWS = 4_000_000  # of a table: more is no use to a spreadsheet, nor to a browser
PAPER = 1000  # pixels that a picture for paper is laid out for


def draw(chosen: Selection) -> None:
    """Figures of all units and of the chosen one, and the numbers, each made when it is asked for."""
    trace, layer = caches.read(chosen.model, chosen.text), chosen.one_layer
    step, unit = (first if own is None else own for own, first in zip((chosen.step, chosen.unit), first_look(trace, layer)))
    _numbers(chosen.model, trace)
    _report(chosen.model, trace, layer)
    _live_page(chosen.model, chosen.text)
    if trace.steps * trace.units * len(trace.signals) > detail.MOST_DRAWN:
        st.caption(tr("Zoomable heatmaps of so long a text are too much for a browser: take a shorter one."))
        return
    figure = _zoomable(chosen.model, chosen.text, layer, detail.theme())
    _pictures(figure, lambda: gate_heatmaps(trace, layer, width=PAPER), f"{chosen.model}-layer-{numbering.layer(layer)}")
    explained = explain(caches.model(chosen.model), trace, layer, step, unit)
    st.plotly_chart(unit_lines(trace, layer, unit, step, detail.theme()), config=detail.PLOT, key="lines", theme=None)
    st.plotly_chart(kept_and_written(explained, detail.theme()), config=detail.PLOT, key="bars", theme=None)


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
    camera = {**detail.PLOT, "toImageButtonOptions": {"format": kind, "filename": name}}
    st.plotly_chart(figure, key="zoom", theme=None, config=camera)


def _download(label: str, made: Callable[[], str | bytes], name: str, kind: str) -> None:
    """A button whose file is made when it is pressed."""
    st.download_button(label, made, name, kind, on_click="ignore")


@caches.cached(4)
def _zoomable(model: str, text: str, layer: int, theme: palette.Theme) -> go.Figure:
    trace = caches.read(model, text)
    return gate_heatmaps(trace, layer, theme=theme, compact=trace.steps * trace.units > detail.LARGE)
