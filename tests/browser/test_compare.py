"""The page Compare as a person uses it: one cursor through several models, jumps, pins, two texts, pictures to take away."""

from __future__ import annotations

import random
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

from playwright.sync_api import expect

import lstm_core as lc
from lstm_core.analysis.disagreement import disagreement
from pages.common.compare import choice
from tests.browser.conftest import heard, rest, sent_from_now, shown

CANVAS = "canvas[aria-label^='Heatmaps over']"
TEXT = "a quiet evening in July"
MODELS = ("family-rnn", "family-lstm", "family-gru-pytorch")


def link(**wanted: object) -> str:
    return "/compare?" + urlencode({"models": ",".join(MODELS), "text": TEXT, **wanted})


def canvas(tab):
    return shown(tab, CANVAS)


def cursor(tab) -> dict[str, str]:
    return tab.locator(".gates[data-step]").evaluate("({dataset: {step, unit, layer, model}}) => ({step, unit, layer, model})")


def spoken(tab) -> str:
    """What a screen reader hears, once it is about the place where the cursor is."""
    canvas(tab)
    where = cursor(tab)
    return heard(tab, ".gates", f" {int(where['step']) + 1} of ", f"unit {where['unit']}:")


def pinned(tab) -> str:
    return parse_qs(urlparse(tab.url).query)["pin"][0]


def test_each_model_has_rows_of_its_own_under_one_cursor(open_tab) -> None:
    tab = open_tab(link())
    label = canvas(tab).get_attribute("aria-label")
    assert [label.index(f"{name} ·") for name in MODELS] == sorted(label.index(f"{name} ·") for name in MODELS)
    assert tab.locator(".gates .reader .name").all_inner_texts() == list(MODELS)
    expect(tab.get_by_text("Certified")).to_have_count(1)


def test_the_values_are_those_of_each_trace(open_tab) -> None:
    rng = random.Random(3)
    traces = {name: lc.trace(lc.load(name), TEXT) for name in MODELS}
    between, tab = disagreement(list(traces.values())), None
    for name in MODELS:
        step, unit = rng.randrange(1, len(TEXT)), rng.randrange(128)
        tab = open_tab(link(pin=f"{name}:1:{unit}:{step + 1}"), tab=tab)
        words = spoken(tab)
        assert cursor(tab) == {"step": str(step), "unit": str(unit), "layer": "0", "model": name}
        trace = traces[name]
        for signal in trace.signals:
            symbol = f"{trace[signal][0, step, unit]:.3f}".replace("-", "−")
            assert f"{trace.cell[signal].title} " in words and symbol in words, (signal, words)
        for other, its in traces.items():
            assert f"{other}: surprise {its.surprise[step]:.2f} nats" in words
        assert f"disagreement {between.values[step]:.3f} nats" in words


def test_the_cursor_moves_through_all_models_without_the_server(open_tab) -> None:
    tab = open_tab(link())
    sent = sent_from_now(tab)
    canvas(tab).focus()
    tab.wait_for_timeout(500)
    sent.clear()
    seen = []
    for _ in range(4):
        seen.append(cursor(tab)["model"])
        tab.keyboard.press("m")
    assert seen[:3] == list(MODELS) and seen[3] == seen[0]
    box = canvas(tab).bounding_box()
    for k in range(30):
        tab.mouse.move(box["x"] + 240 + 10 * k, box["y"] + box["height"] * (0.35 + 0.02 * k))
    tab.locator(".gates button[aria-label='Play']").click()
    tab.wait_for_timeout(500)
    tab.locator(".gates button[aria-label='Pause']").click()
    tab.wait_for_timeout(300)
    assert sent == []


def test_disagreements_can_be_jumped_to_by_key_and_by_button(open_tab) -> None:
    tab = open_tab(link(at="family-rnn:1:0:0", step=0))
    between = disagreement([lc.trace(lc.load(name), TEXT) for name in MODELS])
    places = sorted(between.peaks)
    canvas(tab).focus()
    tab.keyboard.press("Home")
    start = next(k for k, place in enumerate(places) if place > 0)
    tab.keyboard.press("d")
    assert int(cursor(tab)["step"]) == places[start]
    tab.locator(".gates button[aria-label='Next disagreement']").click()
    assert int(cursor(tab)["step"]) == places[start + 1]
    assert f"number {between.peaks.index(places[start + 1]) + 1} of this text" in spoken(tab)
    tab.locator(".gates button[aria-label='Disagreement before']").click()
    assert int(cursor(tab)["step"]) == places[start]


def test_a_click_pins_a_unit_of_one_model_and_the_link_keeps_it(open_tab) -> None:
    tab = open_tab(link())
    height = canvas(tab).bounding_box()["height"]
    canvas(tab).click(position={"x": 300, "y": height - 20})
    tab.wait_for_timeout(600)
    rest(tab)
    where = cursor(tab)
    assert where["model"] == MODELS[-1]
    assert pinned(tab) == f"{where['model']}:1:{where['unit']}:{int(where['step']) + 1}"
    other = open_tab("/compare?" + urlparse(tab.url).query)
    assert cursor(other) == where and pinned(other) == pinned(tab)


def test_two_texts_are_set_side_by_side_with_a_gap(open_tab) -> None:
    second = TEXT.replace("quiet", "very quiet")
    tab = open_tab(link(view="texts", model="family-lstm", text2=second, pin="family-lstm:1:5:5"))
    assert f"Heatmaps over {len(second)} characters" in canvas(tab).get_attribute("aria-label")
    assert "first text: no character here" in spoken(tab)
    canvas(tab).focus()
    for _ in range(3):
        tab.keyboard.press("ArrowRight")  # to the q of both
    a, b = (lc.trace(lc.load("family-lstm"), text) for text in (TEXT, second))
    difference = float(a["hidden"][0, TEXT.index("q"), 5] - b["hidden"][0, second.index("q"), 5])
    assert abs(difference) > 0.001
    assert f"Δh {difference:.3f}".replace("-", "−") in spoken(tab)


def test_pictures_and_numbers_can_be_taken_away(open_tab, tmp_path: Path) -> None:
    tab = open_tab(link())
    for label, ending in (("Save as SVG", "svg"), ("Save as PNG", "png")):
        with tab.expect_download() as waiting:
            tab.get_by_role("button", name=label).click()
        waiting.value.save_as(tmp_path / f"picture.{ending}")
    drawn = (tmp_path / "picture.svg").read_text("utf-8")
    for words in (*MODELS, "Jensen-Shannon", "C of all models ends at the same limits", "a quiet evening in July"):
        assert words in drawn
    assert (tmp_path / "picture.png").stat().st_size > 20_000
    tab.get_by_text("Zoom, download").click()
    rest(tab)
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Surprise and disagreement (CSV)").click()
    waiting.value.save_as(tmp_path / "numbers.csv")
    assert len((tmp_path / "numbers.csv").read_text("utf-8").splitlines()) == len(TEXT) + 1


def test_every_view_fits_every_window(open_tab) -> None:
    tab = None
    for width, height, scheme in ((1400, 1000, "light"), (390, 844, "dark")):
        tab = open_tab(link(), width, height, scheme, tab=tab)
        for view, words in choice.VIEWS.items():
            tab.get_by_role("radio", name=words).click()
            tab.wait_for_url(re.compile(rf"[?&]view={view}(&|$)"))
            rest(tab)
            wide = tab.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 2, view


def test_the_readout_keeps_its_height_on_a_phone(open_tab) -> None:
    tab = open_tab(link(text="a b\nc — “naïve” 😀 d"), 390, 844)
    canvas(tab).focus()
    tab.keyboard.press("Home")
    seen = set()
    for _ in range(18):
        tab.keyboard.press("ArrowRight")
        readout, table = (tab.locator(f".gates .{name}").bounding_box() for name in ("readout", "readers"))
        surprise = tab.locator(".gates .readout .surprise").bounding_box()
        seen.add((readout["height"], table["height"], surprise["y"] - readout["y"]))
    assert len(seen) == 1 and seen.pop()[0] == 54
