"""The page Training as a person uses it: the slider through a model's life, and a training that runs, stops and goes on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import pytest

import lstm_core as lc
from tests.browser.conftest import free_port, heard, rest, sent_from_now, serve, shown

CANVAS = "canvas[aria-label^='Heatmaps over']"
TEXT = "a quiet evening in July"
LEARNT = "the clouds are in the sky, and the sky is blue. " * 400


def link(**wanted: object) -> str:
    return "/training?" + urlencode({"text": TEXT, "life": "lstm", **wanted})


def picture(tab):
    return shown(tab, CANVAS)


def place(tab) -> dict[str, str]:
    return tab.locator(".life").evaluate("e => ({...e.dataset})")


def slide(tab, stage: int) -> None:
    """Drags the slider, as a person does: it reports each place that it passes."""
    tab.locator(".life .slider").evaluate(
        "(e, k) => { e.value = k; e.dispatchEvent(new Event('input', {bubbles: true})); }", stage
    )


def spoken(tab) -> str:
    where = place(tab)
    checkpoint, character = f"Checkpoint {int(where['stage']) + 1} of", f"character {int(where['step']) + 1} of"
    return heard(tab, ".life", checkpoint, character, f"Unit {where['unit']}:")


def test_scrubbing_sends_no_message_and_shows_what_each_checkpoint_s_trace_says(open_tab) -> None:
    tab = open_tab(link())
    sent = sent_from_now(tab)
    picture(tab).focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        tab.keyboard.press(key)
    tab.wait_for_timeout(500)
    sent.clear()
    life = lc.life("lstm")
    where = place(tab)
    step, unit = int(where["step"]), int(where["unit"])
    assert step == 3
    for stage in (0, 4, 9, len(life) - 1):
        slide(tab, stage)
        words = spoken(tab)
        trace = lc.trace(life.model(stage), TEXT)
        assert place(tab)["trained"] == str(life.steps[stage])
        for name in trace.signals:
            said = re.search(rf"{trace.cell[name].title} (−?[\d.]+)[,.]", words)
            assert said, (stage, name, words)
            # Three digits are shown, of numbers that are sent in 65,534 steps.
            assert float(said[1].rstrip(".").replace("−", "-")) == pytest.approx(trace[name][0, step, unit], abs=6e-4)
        assert f"surprise {trace.surprise[step]:.2f} nats" in words
        likeliest = trace.vocabulary.characters[int(trace.probs[step].argmax())]
        shown = {" ": "space", "\n": "line break"}.get(likeliest, f"“{likeliest}”")
        assert f"expects {shown} " in words
        assert f"loss {life.losses[stage]:.3f}" in words and f"{trace.loss:.3f} on this text" in words
        assert tab.locator(".life .written").inner_text().split() == life.samples[stage].replace("\n", "↵").split()
    tab.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_timeout(1500)
    assert int(place(tab)["stage"]) > 0
    tab.get_by_role("button", name="Pause").click()
    tab.locator(".life select[aria-label='Which signals']").select_option("forget")
    tab.wait_for_timeout(300)
    assert sent == []


def test_the_keyboard_and_the_curve_lead_through_the_life(open_tab) -> None:
    tab = open_tab(link())
    picture(tab).focus()
    last = int(place(tab)["stage"])
    tab.keyboard.press("PageUp")
    assert int(place(tab)["stage"]) == last - 1
    tab.keyboard.press("PageDown")
    assert int(place(tab)["stage"]) == last
    slider = tab.locator(".life .slider")
    slider.focus()
    tab.keyboard.press("Home")
    assert place(tab)["stage"] == "0" and "untrained" in (slider.get_attribute("aria-valuetext") or "")
    curve = tab.locator(".life .place")
    box = curve.bounding_box()
    curve.click(position={"x": box["width"] - 16, "y": 60})
    assert int(place(tab)["stage"]) == last
    curve.click(position={"x": 62, "y": 60})
    assert place(tab)["stage"] == "0"


def test_a_click_pins_a_place_and_the_link_opens_it(open_tab) -> None:
    tab = open_tab(link(life="gru"))
    slide(tab, 3)
    box = picture(tab).bounding_box()
    picture(tab).click(position={"x": 400, "y": box["height"] - 20})
    rest(tab)
    tab.wait_for_timeout(500)
    where = place(tab)
    pinned = f"3:{where['step']}:{where['unit']}"
    assert where["pinned"] == pinned
    assert parse_qs(urlparse(tab.url).query)["pin"] == [f"4:{int(where['step']) + 1}:{where['unit']}"]
    other = open_tab("/training?" + urlparse(tab.url).query)
    picture(other)
    assert place(other) == where


def test_rows_stay_in_their_places_while_the_life_goes_by(open_tab) -> None:
    tab = open_tab(link())
    slide(tab, 0)
    box = picture(tab).bounding_box()
    tab.mouse.move(box["x"] + 500, box["y"] + box["height"] - 20)
    tab.wait_for_timeout(100)
    unit = place(tab)["unit"]
    slide(tab, 8)
    tab.mouse.move(box["x"] + 501, box["y"] + box["height"] - 20)
    tab.wait_for_timeout(100)
    assert place(tab)["unit"] == unit


def test_pictures_can_be_taken_away_with_a_caption(open_tab, tmp_path: Path) -> None:
    tab = open_tab(link())
    slide(tab, 5)
    for label, ending in (("Save as SVG", "svg"), ("Save as PNG", "png")):
        with tab.expect_download() as download:
            tab.get_by_role("button", name=label).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.name == f"lstm-life-step-{lc.life('lstm').steps[5]}.{ending}"
        assert path.stat().st_size > 10_000
    words = next(tmp_path.glob("*.svg")).read_text("utf-8")
    for part in ("lstm: LSTM", "56 units", TEXT, f"{lc.life('lstm').steps[5]} of 5,618", "characters read", "Prince Andrew"):
        assert part in words, part


@pytest.mark.parametrize("width, scheme", [(390, "dark"), (1400, "light")])
def test_it_fits_a_phone_and_a_projector(open_tab, width: int, scheme: str) -> None:
    tab = open_tab(link(), width=width, height=844, scheme=scheme)
    picture(tab)
    wide = tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= width
    assert tab.locator(".life .caption").inner_text()


# a training from the page, on a server of its own, so that its threads can be counted


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    port = free_port()
    process = serve(port, tmp_path_factory.mktemp("training") / "log")
    yield f"http://127.0.0.1:{port}", process.pid
    process.terminate()
    process.wait(10)


def busy(pid: int) -> dict[int, float]:
    """Processor ticks of each thread of a process."""
    ticks = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        ticks[int(task.name)] = float(fields[11]) + float(fields[12])
    return ticks


def trainer(pid: int, before: set[int]) -> int:
    """The thread that did not live before and works hardest now."""
    first = busy(pid)
    time.sleep(1.5)
    second = busy(pid)
    return max((task for task in second if task in first and task not in before), key=lambda task: second[task] - first[task])


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_a_training_learns_is_stopped_goes_on_and_leaves_no_thread(open_tab, own_server) -> None:
    url, pid = own_server
    tab = open_tab("/training?section=here", url=url)
    before = set(busy(pid))
    tab.get_by_text("Paste", exact=True).click()
    area = tab.get_by_label("The text")
    area.fill(LEARNT)
    area.press("Control+Enter")
    tab.get_by_text("Train for").wait_for()
    rest(tab)
    tab.get_by_role("button", name="Train", exact=True).click()
    progress = tab.locator("[data-testid=stProgress]")
    progress.filter(has_text="left").wait_for(timeout=90_000)
    assert tab.get_by_role("button", name="Train", exact=True).is_disabled()
    thread = trainer(pid, before)
    slider = tab.locator(".life .slider")
    slider.wait_for(timeout=60_000)
    tab.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
    until(lambda: int(slider.get_attribute("max") or 0) >= 4)
    assert place(tab)["stage"] == slider.get_attribute("max")  # it stays with the newest
    tab.get_by_role("button", name="Stop", exact=True).click()
    tab.get_by_text("Stopped after").wait_for()
    until(lambda: thread not in busy(pid))
    rest(tab)
    slide(tab, 0)
    first = float(tab.locator(".life .loss").inner_text().split()[1])
    slide(tab, int(slider.get_attribute("max") or 0))
    last = float(tab.locator(".life .loss").inner_text().split()[1])
    assert last < first - 0.3
    tab.get_by_role("button", name="Keep it").click()
    tab.get_by_text("It is listed as “mine: lstm 1x64”").wait_for()
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download it").click()
    model = lc.load(download.value.path().rename(download.value.path().with_suffix(".safetensors")))
    assert model.units == 64 and model.card["corpus"] == "a pasted text"
    tab.get_by_role("button", name="Go on").click()
    tab.get_by_role("button", name="Stop", exact=True).wait_for()
    thread = trainer(pid, before)
    tab.goto("about:blank")  # the session ends: the thread does so a little later
    until(lambda: thread not in busy(pid), 60)
