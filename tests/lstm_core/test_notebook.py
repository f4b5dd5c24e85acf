"""What a notebook shows of a trace: its facts and true colours, small whatever the text, and nothing in it is interpreted."""

from __future__ import annotations

import base64
import re
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core import notebook
from lstm_core.figures import palette
from tests.examples import examples


def traced(text: str, cell: str = "lstm", units: int = 5, layers: int = 2) -> lc.Trace:
    torch.manual_seed(0)
    return lc.trace(lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, units, layers, name="tiny <b>"), text)


def pictures(page: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Every PNG in a page: (height, width) of numbers of colours, and the 256 colours."""
    found = []
    for data in re.findall(r'src="data:image/png;base64,([^"]*)"', page):
        chunks, raw = {}, base64.b64decode(data)[8:]
        while raw:
            (size,) = struct.unpack(">I", raw[:4])
            body = raw[4 : 8 + size]
            assert struct.unpack(">I", raw[8 + size : 12 + size])[0] == zlib.crc32(body)
            chunks[body[:4]], raw = body[4:], raw[12 + size :]
        width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
        lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
        assert not lines[:, 0].any()
        found.append((lines[:, 1:], np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(256, 3)))
    return found


@pytest.mark.parametrize("cell", tuple(lc.cells()))
def test_each_signal_is_a_picture_of_its_numbers(cell: str) -> None:
    trace = traced("hello, world", cell)
    page = trace._repr_html_()
    assert "12 steps, 2 layers of 5 units" in page and f"loss {trace.loss:.3f} nats a character" in page
    shown = pictures(page)
    assert len(shown) == len(trace.signals)
    for name, (numbers, colours) in zip(trace.signals, shown):
        signal = trace.cell[name]
        assert np.array_equal(colours, palette.lut(palette.scale_of(signal)))
        low, high = signal.range
        if np.isfinite(high - low):
            back = numbers.T / 255 * (high - low) + low
            assert np.abs(back - trace[name][-1]).max() <= (high - low) / 255
        assert f"<br><small>colours: {'0 to 1' if signal.is_gate else '−'}" in page


def test_a_long_text_is_cut_and_the_card_says_so() -> None:
    short, long = (len(traced("hello, world " * times, units=200)._repr_html_()) for times in (10, 300))
    assert long < 100_000 and long < 1.1 * short
    page = traced("hello, world " * 300, units=200)._repr_html_()
    assert "3,900 steps" in page and "the 64 units whose h moves most, the first 120 steps" in page
    assert pictures(page)[0][0].shape == (64, 120)
    trace = traced("hello, world", units=5)
    assert "whose h moves most" not in trace._repr_html_()


def test_one_character_has_no_loss_and_what_was_held_is_said() -> None:
    assert "loss" not in traced("h")._repr_html_()
    model = lc.CharModel(lc.Vocabulary.of("helo"), "lstm", 3)
    held = lc.trace(model, "hello", clamps=[lc.Clamp("forget", 0.5, units=[1])])
    assert "Held: the forget gate of unit 1 at 0.5" in notebook.as_html(held)


def test_bytes_are_counted_as_bytes() -> None:
    model = lc.CharModel(lc.Vocabulary.of_bytes(), "gru", 3)
    assert "nats a byte" in notebook.as_html(lc.trace(model, "é😀"))


@settings(max_examples=examples(40))
@given(st.text(min_size=1, max_size=20))
def test_any_text_is_shown_and_none_is_interpreted(text: str) -> None:
    page = traced(f"<script>&$x$\"'{text}")._repr_html_()
    page.encode("utf-8")
    assert "<script" not in page and "<b>Trace of tiny &lt;b&gt;</b>" in page
    assert len(re.findall(r"<(\w+)", page)) == len(re.findall(r"<(\w+)", traced("hello")._repr_html_()))
