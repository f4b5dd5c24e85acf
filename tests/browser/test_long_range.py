"""The page Long range as a person uses it: point, pin, scrub, look at the dial, run it and stop it."""

from __future__ import annotations

import os
import re
import statistics
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

import lstm_core as lc
from lstm_core import experiments
from lstm_core.analysis import vanishing
from lstm_core.analysis.gradients import gradients
from tests.browser import conftest
from tests.browser.conftest import free_port, query, rest, sent_from_now, serve

CANVAS = "canvas[aria-label^='Gradients over']"
TEXT = "It was a fine evening in July, and nobody wished to go home before the music ended."
MODELS = ("family-rnn", "family-lstm", "family-gru-pytorch")


def link(**wanted: object) -> str:
    return "/long_range?" + urlencode({"text": TEXT, **wanted})


def cursor(tab) -> dict[str, str]:
    return tab.locator(".reach").evaluate("e => ({...e.dataset})")


def canvas(tab):
    return conftest.shown(tab, CANVAS)


def shares(step: int, back: int) -> list[float]:
    """What is left of each model's gradient so many characters back, by the API."""
    found = []
    for name in MODELS:
        model = lc.load(name)
        each = gradients(model, lc.trace(model, TEXT), [step])
        found.append(float(vanishing.share(each, vanishing.path(each))[0, step - back]))
    return found


def shown(tab) -> list[float]:
    """The same as the page shows them."""

    def number(words: str) -> float:
        mantissa, _, power = words.partition("·10")
        return float(mantissa) * 10 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)

    return [number(words) for words in cursor(tab)["left"].split(" ")]


def test_the_page_shows_the_gradients_of_the_api(open_tab) -> None:
    tab = open_tab(link(step=60))
    canvas(tab)
    assert cursor(tab)["step"] == "60" and cursor(tab)["back"] == "10"
    assert shown(tab) == pytest.approx(shares(60, 10), rel=0.06)


def test_moving_the_pin_moves_the_gradient(open_tab) -> None:
    tab = open_tab(link(step=30))
    box = canvas(tab).bounding_box()
    seen = []
    for right, line in ((200, 60), (330, 60), (420, 60)):
        tab.mouse.click(box["x"] + right, box["y"] + line)
        tab.wait_for_timeout(800)
        rest(tab)
        at = cursor(tab)
        assert int(query(tab)["character"]) - 1 == int(at["step"]) == int(at["pinned"])
        assert shown(tab) == pytest.approx(shares(int(at["step"]), int(at["back"])), rel=0.06)
        seen.append(at["left"])
    assert len(set(seen)) == 3


def test_a_pin_goes_along_to_another_page_and_back(open_tab) -> None:
    tab = open_tab(link(step=41))
    canvas(tab)
    tab.get_by_role("link", name="Gates").first.click()
    tab.locator(".gates").wait_for()
    rest(tab)
    assert query(tab)["character"] == "42"


def test_scrubbing_sends_nothing(open_tab) -> None:
    tab = open_tab(link(step=40))
    sent = sent_from_now(tab)
    canvas(tab).focus()
    tab.wait_for_timeout(500)
    sent.clear()
    for key, step, back in (
        ("ArrowRight", 41, 10), ("ArrowLeft", 40, 10), ("ArrowUp", 40, 11), ("ArrowDown", 40, 10),
        ("Shift+ArrowUp", 40, 20), ("Home", 0, 20), ("End", len(TEXT) - 1, 20),
    ):  # fmt: skip
        tab.keyboard.press(key)
        at = cursor(tab)
        assert at["step"] == str(step), key
        assert at["back"] == str(min(back, step)), key
    box = canvas(tab).bounding_box()
    steps = set()
    for k in range(60):
        tab.mouse.move(box["x"] + 20 + 8 * k, box["y"] + 60)
        steps.add(cursor(tab)["step"])
    assert len(steps) > 20
    tab.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.9 * box["height"])
    tab.wait_for_timeout(300)
    assert sent == []


def test_the_map_moves_both_ends(open_tab) -> None:
    tab = open_tab(link(step=40), height=1700)  # the maps are in view
    box = canvas(tab).bounding_box()
    seen = set()
    for down in range(4):
        tab.mouse.move(box["x"] + 90, box["y"] + box["height"] - 70 - 25 * down)
        seen.add((cursor(tab)["step"], cursor(tab)["back"]))
    assert len(seen) == 4


def test_the_readout_is_spoken(open_tab) -> None:
    tab = open_tab(link(step=60))
    canvas(tab).focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_timeout(500)
    spoken = tab.locator(".reach [aria-live=polite]").inner_text()
    assert f"after character 62 of {len(TEXT)}" in spoken and "10 characters back" in spoken
    assert all(name in spoken for name in MODELS) and "no direct path" in spoken


def test_play_moves_and_stops(open_tab) -> None:
    tab = open_tab(link(step=5))
    canvas(tab)
    tab.locator(".reach button[aria-label='Play']").click()
    tab.wait_for_timeout(900)
    tab.locator(".reach button[aria-label='Pause']").click()
    stopped = int(cursor(tab)["step"])
    assert stopped > 5
    tab.wait_for_timeout(400)
    assert int(cursor(tab)["step"]) == stopped


def test_the_picture_can_be_taken_away_with_its_caption(open_tab, tmp_path: Path) -> None:
    tab = open_tab(link(step=60))
    canvas(tab)
    for kind, least in (("PNG", 30_000), ("SVG", 30_000)):
        with tab.expect_download() as waiting:
            tab.locator(".reach").get_by_role("button", name=f"Save as {kind}").click()
        path = tmp_path / f"reach.{kind.lower()}"
        waiting.value.save_as(path)
        assert path.stat().st_size > least, kind
    svg = (tmp_path / "reach.svg").read_text("utf-8")
    words = re.sub(r"<[^>]+>", " ", svg)
    for said in ("vanished from here back", "below 1/1000", "Dotted", "family-lstm", f"after character 61 of {len(TEXT)}"):
        assert said in words, said


def test_sizes_and_small_pushes_can_be_shown(open_tab) -> None:
    tab = open_tab(link(step=60))
    canvas(tab)
    before = cursor(tab)["left"]
    tab.get_by_role("button", name="Show sizes").or_(tab.get_by_text("Show sizes")).first.click()
    assert cursor(tab)["left"] != before
    tab.get_by_text("Show shares").click()
    assert cursor(tab)["left"] == before
    tab.locator(".reach select[aria-label='Gradient through']").select_option("hidden")
    rnn, lstm, gru = cursor(tab)["left"].split(" ")
    assert [rnn, gru] == [before.split(" ")[0], before.split(" ")[2]] and lstm != before.split(" ")[1]


def test_a_thousand_characters_show_every_fifth_loss(open_tab) -> None:
    text = (TEXT + " ") * 15
    tab = open_tab(link(text=text, step=1100))
    canvas(tab)
    assert "every 5th character’s loss" in tab.locator("[data-testid=stMain]").inner_text()
    start, stop = map(int, re.search(r"followed back: (\d+) to ([\d,]+)", tab.inner_text("body").replace(",", "")).groups())
    assert stop - start == 999 and start < 1100 < stop
    at = int(cursor(tab)["step"])
    canvas(tab).focus()
    tab.keyboard.press("ArrowRight")
    assert int(cursor(tab)["step"]) == at + 5


@pytest.mark.parametrize("section", ["gradient", "memory", "dial", "clipping"])
def test_every_size_and_theme_fits_its_window(open_tab, section: str) -> None:
    tab = None
    for width, height, scheme in ((1400, 1000, "light"), (390, 844, "dark")):
        tab = open_tab(link(section=section, step=40), width, height, scheme, tab=tab)
        tab.wait_for_timeout(300)
        assert tab.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 2


def test_a_unit_that_holds_opens_on_the_gates_page(open_tab) -> None:
    tab = open_tab(link(section="memory", models="war-and-peace-lstm"))
    first = tab.locator("[data-testid=stPageLink-NavLink]").filter(has_text="unit ").first
    unit = re.search(r"unit (\d+)", first.inner_text())[1]
    first.click()
    tab.get_by_text(f"Unit {unit} of layer 2").wait_for(timeout=30_000)
    assert query(tab)["unit"] == unit and query(tab)["model"] == "war-and-peace-lstm"


def test_a_click_on_a_dot_opens_its_unit(open_tab) -> None:
    tab = open_tab(link(section="memory", models="family-lstm"))
    longest = tab.locator(".js-plotly-plot .point").first
    longest.wait_for()
    unit = tab.locator(".js-plotly-plot").first.evaluate("p => p.data[0].customdata[0][1]")
    box = longest.bounding_box()
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.get_by_text(re.compile(rf"^Unit {unit} of layer 1")).wait_for(timeout=30_000)
    assert query(tab)["unit"] == str(unit) and query(tab)["model"] == "family-lstm"


def test_the_dials_curves_are_there_and_ordered_as_the_data_says(open_tab) -> None:
    results = experiments.recall_results()
    tab = open_tab(link(section="dial"))
    plot = tab.locator(".js-plotly-plot").first
    plot.wait_for()
    rest(tab)
    drawn = plot.evaluate("p => p.data.map(d => [d.name, Array.from(d.x), Array.from(d.y)])")
    draw = next(name for name in ("alone", "even", "short") if name in results.protocols)
    cells = list(dict.fromkeys(r.cell for r in results.results if r.draw == draw))
    assert [name for name, _, _ in drawn] == [lc.cell(cell).title for cell in cells]
    for cell, (_, gaps, means) in zip(cells, drawn, strict=True):
        runs = [r.accuracy for r in results.of(draw, cell)]
        assert gaps == sorted(runs[0])
        assert means == pytest.approx([statistics.mean(run[gap] for run in runs) for gap in gaps])


def threads(process_id: int) -> int:
    return int(Path(f"/proc/{process_id}/status").read_text().split("Threads:")[1].split()[0])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="threads are counted in /proc")
def test_a_small_run_grows_can_be_stopped_and_leaves_no_thread(browser, tmp_path: Path) -> None:
    port = free_port()
    process = serve(port, tmp_path / "log")
    try:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(conftest.WAIT)
        tab = context.new_page()
        tab.goto(f"http://127.0.0.1:{port}{link(section='dial')}")
        rest(tab)
        tab.wait_for_timeout(1000)
        before = threads(process.pid)
        tab.get_by_role("button", name="Run", exact=True).click()
        tab.locator("[data-testid=stProgress]").wait_for()
        growing = tab.locator(".js-plotly-plot").last
        tab.wait_for_function("() => [...document.querySelectorAll('.js-plotly-plot')].at(-1).data?.length > 0", timeout=60_000)
        assert growing.evaluate("p => p.data[0].y.length") >= 1
        tab.get_by_role("button", name="Stop", exact=True).click()
        tab.get_by_text(re.compile(r"Stopped at (under )?\d+ %")).wait_for()
        rest(tab)
        assert threads(process.pid) <= before
        tab.get_by_role("button", name="Go on").click()
        tab.locator("[data-testid=stProgress]").wait_for()
        context.close()  # the person leaves in the middle of it
        until = time.monotonic() + 15
        while idle_share(process.pid) > 0.2 and time.monotonic() < until:
            pass
        assert idle_share(process.pid) < 0.2, "nobody is there, and the run goes on"
    finally:
        process.terminate()
        process.wait(10)


def idle_share(process_id: int, seconds: float = 1.0) -> float:
    """The share of one processor that the server takes."""

    def ticks() -> int:
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    first = ticks()
    time.sleep(seconds)
    return (ticks() - first) / os.sysconf("SC_CLK_TCK") / seconds
