"""Figures as files: HTML pages that need nothing else, and pictures drawn by a browser where there is one."""

from __future__ import annotations

import importlib.util
import re

import plotly.graph_objects as go
import pytest
import torch

import lstm_core as lc
from lstm_core import figure_file
from lstm_core.figures.heatmaps import gate_heatmaps

NASTY = 'a,"b"\n\r\t\0%d%%😀<script>alert(1)</script>$x$'


def traced(text: str, cell: str = "lstm", units: int = 3, layers: int = 2) -> lc.Trace:
    torch.manual_seed(0)
    return lc.trace(lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, units, layers), text)


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


def test_a_figure_is_written_as_its_files_name_says(tmp_path):
    figure = gate_heatmaps(traced("hello", layers=1))
    figure_file.write(figure, tmp_path / "gates.html")
    assert "<html>" in (tmp_path / "gates.html").read_text("utf-8")[:100]
    with pytest.raises(ValueError, match=r"ends in \.html, \.png, \.svg or \.pdf, and .*gates\.gif' does not"):
        figure_file.write(figure, tmp_path / "gates.gif")


def test_whether_pictures_can_be_drawn_is_known_beforehand(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert figure_file.can_draw.__wrapped__() is False
