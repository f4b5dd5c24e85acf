"""The offline report in a real browser: opened from the disk, without a network, it draws, moves, pins and tells the truth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import lstm_core as lc
from lstm_core import report
from tests.browser.conftest import opened_from_disk

TEXT = "The sky was <b>blue</b>, שלום 😀 é\n and Anna smiled."
CANVAS = ".gates canvas.cursor"


def cursor(tab, name: str) -> tuple[int, int, int]:
    return tuple(int(tab.locator(f".{name}").get_attribute(f"data-{what}")) for what in ("step", "unit", "layer"))


def spoken(tab) -> str:
    return tab.locator(".gates [aria-live]").inner_text()


def test_it_draws_moves_and_tells_the_traces_numbers(open_report) -> None:
    model = lc.load("family-lstm")
    trace = lc.trace(model, TEXT)
    tab = open_report(report.build(model, trace, step=5, unit=17))
    assert cursor(tab, "gates") == cursor(tab, "inside") == (5, 17, 0)
    tab.locator(CANVAS).focus()
    for step in (6, 7, 8):
        tab.keyboard.press("ArrowRight")
        tab.wait_for_timeout(150)
        assert cursor(tab, "gates") == (step, 17, 0)
    tab.wait_for_timeout(700)  # what is spoken waits until the cursor rests
    for name in trace.signals:
        title = trace.cell[name].title
        told = re.search(rf"{title}[^−\d]*(−?\d+\.\d+)", spoken(tab))
        assert told, (title, spoken(tab))
        assert float(told[1].replace("−", "-")) == pytest.approx(float(trace[name][0, 8, 17]), abs=6e-4)
    expect(tab.locator(".inside svg")).not_to_have_count(0)
    assert tab.evaluate("() => document.querySelector('.equations math').getBoundingClientRect().height") > 15


def test_a_pin_in_the_heatmaps_moves_the_drawing_and_back(open_report) -> None:
    model = lc.load("family-gru")
    tab = open_report(report.build(model, lc.trace(model, TEXT), step=3, unit=9))
    tab.locator(CANVAS).focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_timeout(300)
    step, unit, layer = cursor(tab, "gates")
    assert (step, layer) == (4, 0) and unit != 9
    assert cursor(tab, "inside") == (step, unit, layer)


def test_a_pin_in_another_layer_leaves_the_drawing_alone(open_report) -> None:
    model = lc.load("shakespeare-lstm")
    tab = open_report(report.build(model, lc.trace(model, "To be, or not to be"), layer=1, step=3, unit=9))
    tab.locator(CANVAS).focus()
    tab.keyboard.press("m")
    tab.keyboard.press("Enter")
    tab.wait_for_timeout(300)
    assert cursor(tab, "gates")[2] == 0
    assert cursor(tab, "inside") == (3, 9, 1)


def test_it_fits_a_phone_and_follows_the_systems_colours(open_report) -> None:
    model = lc.load("family-gru")
    tab = open_report(report.build(model, lc.trace(model, TEXT)), "dark", 390)
    background = "() => getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(background) == "rgb(14, 17, 23)"
    assert tab.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 2
    picture = "() => document.querySelector('.gates canvas.picture').toDataURL()"
    before = tab.evaluate(picture)
    tab.emulate_media(color_scheme="light")
    tab.wait_for_timeout(300)
    assert tab.evaluate(background) == "rgb(255, 255, 255)"
    assert tab.evaluate(picture) != before, "the picture is painted anew"


def test_its_pictures_can_be_saved(open_report, tmp_path: Path) -> None:
    model = lc.load("family-rnn")
    tab = open_report(report.build(model, lc.trace(model, TEXT)))
    for name in ("gates", "inside"):
        for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
            with tab.expect_download() as waiting:
                tab.locator(f".{name}").get_by_role("button", name=kind).click()
            waiting.value.save_as(tmp_path / "picture")
            picture = (tmp_path / "picture").read_bytes()
            assert picture.startswith(start), (name, kind)
            assert kind == "PNG" or f"Gatescope {lc.__version__}" in picture.decode(), "its caption names the version"


def test_its_policy_forbids_every_request(browser, tmp_path: Path) -> None:
    model = lc.load("family-rnn")
    (tmp_path / "report.html").write_text(report.build(model, lc.trace(model, "hello")), "utf-8")
    tab, asked = opened_from_disk(browser, tmp_path / "report.html")
    outcome = tab.evaluate("() => fetch('http://127.0.0.1:9/').then(() => 'fetched', (e) => e.name)")
    injected = tab.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.injected = 1';"
        " document.body.append(s); return window.injected ?? 0; }"
    )
    tab.context.close()
    assert (outcome, injected) == ("TypeError", 0)
    assert [url for url in asked if not url.startswith("file:")] == []


def strange_readings() -> Iterator[tuple[lc.CharModel, lc.Trace]]:
    torch.manual_seed(0)
    of_bytes = lc.CharModel(lc.Vocabulary.of_bytes(), "gru_cho", 6, 2)
    yield of_bytes, lc.trace(of_bytes, "é😀\0 b")
    hard = lc.CharModel(
        lc.Vocabulary.of("helo"), lc.cell("lstm").with_functions({"sigmoid": "hard_sigmoid_keras2"}), 6, embedding=4
    )
    yield hard, lc.trace(hard, "h")
    held = lc.CharModel(lc.Vocabulary.of("helo"), "peephole_full", 6)
    yield held, lc.trace(held, "hello", clamps=[lc.Clamp("forget", 0.25, units=[1, 2], start=1)])


def test_bytes_one_character_other_functions_and_clamps(open_report) -> None:
    for model, trace in strange_readings():
        tab = open_report(report.build(model, trace))
        tab.locator(CANVAS).focus()
        tab.keyboard.press("Home")
        tab.wait_for_timeout(200)
        assert cursor(tab, "gates")[0] == 0
        expect(tab.locator(".inside svg")).not_to_have_count(0)
