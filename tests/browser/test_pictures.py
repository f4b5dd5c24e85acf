"""Figures as pictures, which an installed Chromium draws."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
import torch

import lstm_core as lc
from lstm_core import figure_file
from lstm_core.figures.heatmaps import gate_heatmaps

pytestmark = pytest.mark.skipif(not figure_file.can_draw(), reason="no kaleido, or no Chromium")


def traced(text: str) -> lc.Trace:
    torch.manual_seed(0)
    return lc.trace(lc.CharModel(lc.Vocabulary.of("helo, wrd"), "lstm", 3, 1), text)


def test_pictures_are_drawn_with_what_was_typed_as_it_was_typed() -> None:
    figure = gate_heatmaps(traced("<b>$l$</b>"))
    svg = figure_file.to_image(figure, "svg").decode()
    ticks = re.findall(r'class="xtick".*?<text[^>]*>(.*?)</text>', svg)
    assert "".join(map(html.unescape, ticks)) == "<b>$l$</b>"
    assert figure_file.to_image(figure, "png", width=300, height=400, scale=1)[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_picture_for_paper(tmp_path: Path) -> None:
    figure_file.write(gate_heatmaps(traced("hello")), tmp_path / "gates.pdf")
    assert (tmp_path / "gates.pdf").read_bytes()[:5] == b"%PDF-"
