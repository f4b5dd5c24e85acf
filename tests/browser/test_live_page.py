"""The page that reads by itself in a real browser, from the disk: it reads what is typed as `trace` does, without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import lstm_core as lc
from lstm_core import report
from lstm_core.figures.lettering import glyph
from lstm_core.places import ASSETS
from tests.browser.conftest import opened_from_disk
from tests.browser.test_report import CANVAS, cursor, spoken
from tests.lstm_core.browser.test_equations import decimals, holds, value_of

PASSAGE = next(p["text"] for p in json.loads((ASSETS / "passages.json").read_text("utf-8")) if p["title"] == "War and Peace")
UNCHECKED = "Read in this browser; not checked against torch."


@pytest.fixture
def open_live(open_report) -> Callable:
    """open_live(models, text, ...) -> the page's tab, when it has read its first text."""

    def open_one(models: list[lc.CharModel], text: str, layer: int | None = None, **how):
        tab = open_report(report.build_live(models, text, layer), **how)
        expect(tab.locator(".note")).not_to_be_empty()
        return tab

    return open_one


def field(tab):
    return tab.get_by_role("textbox", name="Text", exact=True)


def told(tab, trace: lc.Trace, step: int) -> None:
    """Holds what the page says at a step to the trace: the values at the cursor, the surprise, what is expected."""
    tab.wait_for_timeout(600)  # what is spoken waits until the cursor rests
    at, unit, layer = cursor(tab, "gates")
    assert at == step
    said = spoken(tab).replace("−", "-")
    for name in trace.signals:
        signal = trace.cell[name]
        found = re.search(rf"{signal.title} \S+ (-?\d+\.?\d*)", said)
        assert found, (name, said)
        assert float(found[1]) == pytest.approx(float(trace[name][layer, step, unit]), rel=1e-3, abs=6e-4)
    if step:
        nats = re.search(r"surprise (\d+\.\d+) nats", said)
        assert nats and float(nats[1]) == pytest.approx(float(trace.surprise[step]), abs=6e-3)
    likeliest = trace.vocabulary.characters[int(trace.probs[step].argmax())]
    first = tab.locator(".gates .readout .next").first
    assert first.inner_text() == glyph(likeliest)[0]


def test_the_first_text_is_compared_with_torch_and_what_is_typed_is_read_as_by_trace(open_live) -> None:
    model = lc.load("family-lstm")
    first = "the clouds are in the sky"
    tab = open_live([model], first)
    note = tab.locator(".note")
    within = re.match(r"✓ Within (\d\.\d)·10(⁻\S) of torch’s trace of this text .*, at 25 characters\.", note.inner_text())
    assert within, note.inner_text()
    field(tab).press("Control+End")
    for k, character in enumerate(", é is"):
        field(tab).press_sequentially(character)
        expect(note).to_have_text(UNCHECKED)
        expect(tab.locator(".gates")).to_have_attribute("data-step", str(len(first) + k))
    told(tab, lc.trace(model, f"{first}, é is"), 30)
    for _ in range(6):
        field(tab).press("Backspace")
    expect(note).to_contain_text("✓ Within")


def test_an_edit_in_the_middle_keeps_the_cursor_the_pin_and_the_caret(open_live) -> None:
    model = lc.load("family-gru")
    tab = open_live([model], "the clouds are in the sky")
    tab.locator(CANVAS).focus()
    tab.keyboard.press("Home")
    for _ in range(6):
        tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    field(tab).evaluate("(area) => { area.focus(); area.setSelectionRange(10, 10); }")
    tab.keyboard.type("XY")
    expect(tab.locator(".note")).to_have_text(UNCHECKED)
    told(tab, lc.trace(model, "the cloudsXY are in the sky"), 6)
    assert field(tab).evaluate("(area) => area.selectionStart") == 12


def test_clear_empties_the_field_keeps_the_picture_and_can_be_undone(open_live) -> None:
    tab = open_live([lc.load("family-rnn")], "hello")
    tab.get_by_role("button", name="Clear the text").click()
    expect(field(tab)).to_have_value("")
    expect(field(tab)).to_be_focused()
    expect(tab.locator(".note")).to_contain_text("The field is empty")
    expect(tab.locator("#gates")).to_have_class("stale")
    expect(tab.get_by_role("button", name="Clear the text")).to_be_disabled()
    tab.keyboard.press("Control+z")
    expect(field(tab)).to_have_value("hello")
    expect(tab.locator(".note")).to_contain_text("✓ Within")
    field(tab).fill("h" * 20_001)
    expect(tab.locator(".note")).to_have_text("The text has 20,001 characters; at most 20,000 can be read at once.")
    expect(tab.locator(".gates")).to_have_attribute("data-step", re.compile(r"[0-4]"))


def test_an_input_method_is_read_while_it_composes_and_is_not_disturbed(open_live) -> None:
    model = lc.load("family-lstm")
    tab = open_live([model], "ab")
    field(tab).press("Control+End")
    keys = tab.context.new_cdp_session(tab)
    for composed in ("k", "か", "かn"):
        keys.send("Input.imeSetComposition", {"text": composed, "selectionStart": len(composed), "selectionEnd": len(composed)})
        expect(field(tab)).to_have_value(f"ab{composed}")
        expect(tab.locator(".gates")).to_have_attribute("data-step", str(1 + len(composed)))
    keys.send("Input.insertText", {"text": "漢"})
    expect(field(tab)).to_have_value("ab漢")
    expect(tab.locator(".gates")).to_have_attribute("data-step", "2")
    told(tab, lc.trace(model, "ab漢"), 2)


def test_a_long_text_is_read_in_slices_and_the_field_goes_on(open_live) -> None:
    model = lc.load("war-and-peace-lstm")
    tab = open_live([model], "Prince Andrew")
    text = PASSAGE[:1000]
    field(tab).fill(text)
    expect(tab.locator(".note")).to_have_text(UNCHECKED)
    longest = tab.evaluate(
        """async () => {
            const area = document.querySelector("textarea");
            area.setSelectionRange(3, 3);
            document.execCommand("insertText", false, "e");
            let [longest, before] = [0, performance.now()];
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            while (!document.querySelector(".note").textContent.startsWith("Read in")) {
                await new Promise((done) => setTimeout(done));
                longest = Math.max(longest, performance.now() - before);
                before = performance.now();
            }
            return longest;
        }"""
    )
    print(f"the longest wait of a keystroke while 1,000 characters are read: {longest:.0f} ms")
    trace = lc.trace(model, f"{text[:3]}e{text[3:]}")
    tab.locator(CANVAS).focus()
    tab.keyboard.press("End")
    told(tab, trace, 1000)


def test_several_models_in_one_page(open_live) -> None:
    models = [lc.load("family-lstm"), lc.load("family-gru-pytorch")]
    tab = open_live(models, "the clouds")
    field(tab).press("Control+End")
    field(tab).press_sequentially(" are")
    drawn(tab)
    tab.get_by_role("combobox", name="Model").select_option("family-gru-pytorch")
    expect(tab.locator(".gates")).to_have_attribute("data-model", "family-gru-pytorch")
    draws(tab, lc.trace(models[1], "the clouds are"))
    tab.locator(CANVAS).focus()
    tab.keyboard.press("End")
    told(tab, lc.trace(models[1], "the clouds are"), 13)
    assert field(tab).input_value() == "the clouds are"


def drawn(tab) -> dict[str, str]:
    """The equations below the drawing, when it shows what the heatmaps show: the signal's name -> its chain."""
    tab.locator(".inside").scroll_into_view_if_needed()
    step, _unit, _layer = cursor(tab, "gates")
    expect(tab.locator(".inside")).to_have_attribute("data-step", str(step))
    tab.wait_for_timeout(100)
    found = tab.locator(".inside > .rows .row").evaluate_all("r => r.map(e => [e.dataset.line, e.lastChild.textContent])")
    return {name: text.removeprefix("= ") for name, text in found}


def draws(tab, trace: lc.Trace) -> None:
    """Holds what is drawn and written of the unit at the cursor to the trace."""
    chains = drawn(tab)
    step, unit, layer = cursor(tab, "inside")
    assert list(chains) == list(trace.cell.names)
    for name, text in chains.items():
        holds(text)
        result = text.split(" = ")[-1]
        wanted = float(trace[name][layer, step, unit])
        assert abs(value_of(result) - wanted) <= 0.5001 * 10.0 ** -decimals(result) + 1e-4 * max(1, abs(wanted)), text
    assert tab.locator(f".inside .copy[data-step='{step}'] .glyph").text_content() == glyph(trace.chars[step])[0]


def test_the_drawing_is_alive_with_what_is_typed(open_live) -> None:
    model = lc.load("family-gru-pytorch")
    text = "the clouds are in the sky"
    tab = open_live([model], text)
    before = drawn(tab)
    draws(tab, lc.trace(model, text))
    for more in (" a", " az"):
        field(tab).fill(f"{text}{more}")
        expect(tab.locator(".gates")).to_have_attribute("data-step", str(len(text) + len(more) - 1))
        draws(tab, lc.trace(model, f"{text}{more}"))
    assert drawn(tab) != before
    strip = "() => document.querySelector('.inside .copy:not(.aside):not([hidden]) canvas').toDataURL()"
    picture = tab.evaluate(strip)
    field(tab).fill(f"{text} aq")
    draws(tab, lc.trace(model, f"{text} aq"))
    assert tab.evaluate(strip) != picture, "its lines are coloured anew"


def test_the_drawing_and_the_heatmaps_share_a_cursor(open_live) -> None:
    model = lc.load("shakespeare-lstm")
    tab = open_live([model], "To be, or not to be")
    trace = lc.trace(model, "To be, or not to be")
    draws(tab, trace)
    tab.locator(CANVAS).focus()
    tab.keyboard.press("End")
    for _ in range(3):
        tab.keyboard.press("ArrowLeft")
        tab.keyboard.press("ArrowUp")
    draws(tab, trace)
    assert cursor(tab, "inside") == cursor(tab, "gates")
    tab.get_by_role("combobox", name="Layer that is drawn").select_option("layer 2")
    expect(tab.locator(".inside")).to_have_attribute("data-layer", "1")
    draws(tab, trace)
    tab.locator(".inside .tape").focus()
    tab.keyboard.press("Home")
    tab.keyboard.press("Enter")
    expect(tab.locator(".gates")).to_have_attribute("data-step", "0")
    assert cursor(tab, "gates") == cursor(tab, "inside")
    tab.locator(CANVAS).focus()
    tab.keyboard.press("m")
    tab.keyboard.press("Enter")
    expect(tab.locator(".inside")).to_have_attribute("data-layer", "0")
    draws(tab, trace)


def strange_models() -> Iterator[tuple[lc.CharModel, str]]:
    torch.manual_seed(0)
    yield lc.CharModel(lc.Vocabulary.of_bytes(), "gru_cho", 6, 2, name="bytes"), "é😀 b"
    hard = lc.cell("lstm").with_functions({"sigmoid": "hard_sigmoid_keras2"})
    yield lc.CharModel(lc.Vocabulary.of("helo"), hard, 6, embedding=4, name="hard"), "h"
    yield lc.CharModel(lc.Vocabulary.of("helo"), "peephole_full", 6, name="full"), "hello"


def test_bytes_one_character_other_functions_and_one_layer(open_live) -> None:
    for model, text in strange_models():
        tab = open_live([model.eval()], text, model.layers - 1)
        expect(tab.locator(".note")).to_contain_text("✓ Within")
        field(tab).press("Control+End")
        field(tab).press_sequentially("o")
        trace = lc.trace(model, f"{text}o")
        told(tab, trace, trace.steps - 1)
        tab.locator(".inside").scroll_into_view_if_needed()
        expect(tab.locator(".inside")).to_have_attribute("data-step", str(trace.steps - 1))


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1280)])
def test_it_fits_a_phone_and_a_window(open_live, scheme: str, width: int) -> None:
    tab = open_live([lc.load("family-gru")], "the clouds are in the sky", scheme=scheme, width=width)
    assert tab.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 2
    box = field(tab).bounding_box()
    assert box["y"] < 120 and box["width"] > 0.7 * width - 80
    assert float(field(tab).evaluate("(area) => parseFloat(getComputedStyle(area).fontSize)")) >= 16, "a phone would zoom in"
    before = tab.evaluate("() => document.querySelector('.gates').getBoundingClientRect().top")
    field(tab).press("Control+End")
    field(tab).press_sequentially("!")
    expect(tab.locator(".note")).to_have_text(UNCHECKED)
    assert tab.evaluate("() => document.querySelector('.gates').getBoundingClientRect().top") == before, "nothing jumps"


def test_its_policy_forbids_every_request(browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(report.build_live([lc.load("family-rnn")], "hello"), "utf-8")
    tab, asked = opened_from_disk(browser, tmp_path / "page.html")
    outcome = tab.evaluate("() => fetch('http://127.0.0.1:9/').then(() => 'fetched', (e) => e.name)")
    field(tab).press_sequentially("more")
    expect(tab.locator(".note")).to_have_text(UNCHECKED)
    tab.context.close()
    assert outcome == "TypeError"
    assert [url for url in asked if not url.startswith("file:")] == []
