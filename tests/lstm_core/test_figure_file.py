import csv
import html
import importlib.util
import io
import json
import re
import time

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core import figure_file, trace_file
from lstm_core.figures.heatmaps import gate_heatmaps

TEXTS = st.text(st.characters(), min_size=1, max_size=12)
NASTY = 'a,"b"\n\r\t\0%d%%😀<script>alert(1)</script>$x$'


def traced(text: str, cell: str = "lstm", units: int = 3, layers: int = 2) -> lc.Trace:
    torch.manual_seed(0)
    return lc.trace(lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, units, layers), text)


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


@pytest.mark.parametrize("cell", tuple(lc.cells()))
def test_an_npz_holds_the_whole_trace_without_pickles(cell):
    trace = traced("hello, world", cell)
    with np.load(io.BytesIO(trace_file.to_npz(trace)), allow_pickle=False) as file:
        for name in trace.signals:
            assert file[name].dtype == np.float32
            assert np.array_equal(file[name], trace[name])
        for name in trace.cell.states:
            assert np.array_equal(file[f"initial_{name}"], trace.initial[name])
            assert np.array_equal(file[f"final_{name}"], trace.final[name])
        assert np.array_equal(file["probabilities"], trace.probs)
        assert np.array_equal(file["surprise"], trace.surprise, equal_nan=True)
        assert np.array_equal(file["ids"], trace.ids)
        metadata = json.loads(str(file["metadata"]))
        readme = str(file["README"])
        assert set(file) == set(trace.signals) | {k for k in file if k.split("_")[0] in ("initial", "final")} | {
            "characters", "read_as", "ids", "probabilities", "surprise", "metadata", "README",
        }  # fmt: skip
        assert all(k in readme for k in ("characters", "read_as", "ids", "probabilities", "surprise", "metadata"))
    assert metadata["signals"] == list(trace.signals)
    assert metadata["model"] == "unnamed"
    assert metadata["vocabulary"] == list(trace.vocabulary.characters)
    assert metadata["loss_nats_per_character"] == pytest.approx(trace.loss)


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_any_text_survives_the_npz(text):
    with np.load(io.BytesIO(trace_file.to_npz(traced(text)))) as file:
        assert "".join(map(chr, file["characters"])) == text


def test_an_npz_is_written_to_a_path_and_to_a_file(tmp_path):
    trace, buffer = traced("hello"), io.BytesIO()
    data = trace_file.to_npz(trace, tmp_path / "trace.npz")
    trace_file.to_npz(trace, buffer)
    assert (tmp_path / "trace.npz").read_bytes() == buffer.getvalue() == data


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_any_text_survives_the_csv(text):
    trace = traced(text, layers=1)
    header, *rows = read(trace_file.to_csv(trace, units=[1], signals=["forget"]))
    assert header == list(trace_file.CSV_COLUMNS)
    expected = ["\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text]
    assert [row[2] for row in rows] == expected


def test_a_csv_keeps_every_number_in_full():
    trace = traced(NASTY)
    rows = read(trace_file.to_csv(trace))[1:]
    assert len(rows) == trace_file.csv_rows(trace) == 2 * len(NASTY) * 3 * 6
    for layer, step, character, unit, signal, value in rows:
        assert character == NASTY[int(step)]
        assert np.float32(value) == trace[signal][int(layer), int(step), int(unit)]


def test_a_csv_holds_what_was_chosen():
    trace = traced("hello")
    rows = read(trace_file.to_csv(trace, layers=[1], units=[2, 0], signals=["hidden", "cell"]))[1:]
    assert len(rows) == trace_file.csv_rows(trace, [1], [2, 0], ["hidden", "cell"]) == 5 * 2 * 2
    assert [(r[3], r[4]) for r in rows[:4]] == [("2", "hidden"), ("2", "cell"), ("0", "hidden"), ("0", "cell")]
    assert read(trace_file.to_csv(trace, layers=[])) == [list(trace_file.CSV_COLUMNS)]
    for chosen, message in (
        ({"layers": [2]}, "no layer 2"),
        ({"units": [-1]}, "no unit -1"),
        ({"signals": ["reset"]}, "no signal 'reset'"),
    ):
        with pytest.raises(ValueError, match=message):
            trace_file.to_csv(trace, **chosen)


def test_a_csv_that_is_too_large_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(trace_file, "MOST_ROWS", 100)
    with pytest.raises(ValueError, match=r"180 rows is too large, at most 100: choose fewer"):
        trace_file.to_csv(traced("hello"))


def test_a_million_rows_are_written_in_seconds():
    trace = traced("hello " * 170, units=256, layers=1)
    start = time.perf_counter()
    trace_file.to_csv(trace)
    seconds = time.perf_counter() - start
    print(f"{trace_file.csv_rows(trace):,} rows: {seconds:.2f} s")
    assert seconds < 5  # 0.5 s alone; the machine may be busy


def test_an_html_page_is_whole_and_fetches_nothing():
    page = figure_file.to_html(gate_heatmaps(traced(NASTY), theme="dark"))
    page.encode("utf-8")
    assert '<meta charset="utf-8"' in page
    assert "background:#0e1117" in page
    assert "<script>alert(1)" not in page
    assert not re.search(
        r"<(script|link|img|iframe)[^>]*\s(src|href)=", page.replace("</script>", "\n</script>").split("plotly.js v")[0]
    )
    assert "MathJax.js" not in page.split("plotly.js v")[0]
    assert len(page) < 6_000_000


def test_pictures_have_two_kinds():
    with pytest.raises(ValueError, match='"png", "svg" or "pdf", not \'gif\''):
        figure_file.to_image(go.Figure(), "gif")


def test_without_kaleido_one_sentence_says_what_to_do(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        RuntimeError, match=r"^A PNG needs the package kaleido: pip install kaleido, or save the figure as HTML\.$"
    ):
        figure_file.to_image(go.Figure())


def test_without_a_browser_one_sentence_says_what_to_do(monkeypatch):
    kaleido = pytest.importorskip("kaleido", reason="kaleido is optional")
    from kaleido.errors import ChromeNotFoundError

    def fails(*args, **kwargs):
        raise ChromeNotFoundError("none here")

    monkeypatch.setattr(kaleido, "calc_fig_sync", fails)
    with pytest.raises(RuntimeError, match=r"^An SVG needs an installed Chromium or Chrome"):
        figure_file.to_image(go.Figure(), "svg")


def test_pictures_are_drawn_with_what_was_typed_as_it_was_typed():
    pytest.importorskip("kaleido", reason="kaleido is optional")
    figure = gate_heatmaps(traced("<b>$l$</b>", layers=1))
    try:
        svg = figure_file.to_image(figure, "svg").decode()
    except RuntimeError as missing:
        pytest.skip(str(missing))
    ticks = re.findall(r'class="xtick".*?<text[^>]*>(.*?)</text>', svg)
    assert "".join(map(html.unescape, ticks)) == "<b>$l$</b>"
    assert figure_file.to_image(figure, "png", width=300, height=400, scale=1)[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("ending", [".npz", ".zip", ".parquet", ".NPZ"])
def test_a_files_name_says_its_format(ending, tmp_path):
    trace = traced("hello")
    trace.save(tmp_path / f"trace{ending}")
    assert (tmp_path / f"trace{ending}").read_bytes()[:4] == (b"PAR1" if ending == ".parquet" else b"PK\x03\x04")
    assert np.array_equal(lc.Trace.load(tmp_path / f"trace{ending}")["cell"], trace["cell"])


@pytest.mark.parametrize("name", ["trace.csv", "trace", ".npz"])
def test_another_ending_is_refused_before_anything_is_written(name, tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.npz, \.zip or \.parquet, not to .*; \.zip holds CSV"):
        traced("hello").save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_is_written_as_its_files_name_says(tmp_path):
    figure = gate_heatmaps(traced("hello", layers=1))
    figure_file.write(figure, tmp_path / "gates.html")
    assert "<html>" in (tmp_path / "gates.html").read_text("utf-8")[:100]
    with pytest.raises(ValueError, match=r"ends in \.html, \.png, \.svg or \.pdf, and .*gates\.gif' does not"):
        figure_file.write(figure, tmp_path / "gates.gif")


@pytest.mark.skipif(not figure_file.can_draw(), reason="no kaleido, or no Chromium")
def test_a_picture_for_paper(tmp_path):
    figure_file.write(gate_heatmaps(traced("hello", layers=1)), tmp_path / "gates.pdf")
    assert (tmp_path / "gates.pdf").read_bytes()[:5] == b"%PDF-"


def test_whether_pictures_can_be_drawn_is_known_beforehand(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert figure_file.can_draw.__wrapped__() is False
