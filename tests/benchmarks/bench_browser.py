"""What a person waits for, measured in a real browser on a real server.

    OMP_NUM_THREADS=1 python -m pytest tests/benchmarks/bench_browser.py

Milliseconds from a text that is put into the field to its painted heatmaps, bytes sent for it, milliseconds a cursor move,
seconds from `streamlit run` to the first picture, and the server's memory with one and with ten sessions; and, on Gates and on
the page that reads by itself, milliseconds from a keystroke to its painted heatmaps. Nothing passes or fails.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

import lstm_core as lc
from lstm_core.report import build_live
from tests.browser.conftest import browser, first_tab, free_port, launch, open_tab, rest, serve, server  # noqa: F401  fixtures

CANVAS = "canvas[aria-label^='Heatmaps over']"
PAINTED = f"""(wanted) => [...document.querySelectorAll('*')]
    .flatMap((e) => (e.shadowRoot ? [...e.shadowRoot.querySelectorAll("{CANVAS}")] : []))
    .some((c) => c.getAttribute('aria-label').includes(wanted))"""
MOVES = """(canvas) => {
    const box = canvas.getBoundingClientRect(), took = [];
    for (let k = 0; k < 200; k++) {
        const place = { clientX: box.left + box.width * (0.3 + (0.6 * k) / 200), clientY: box.top + box.height / 2 };
        const event = new PointerEvent('pointermove', { ...place, bubbles: true, composed: true, pointerType: 'mouse' });
        const start = performance.now();
        canvas.dispatchEvent(event);
        took.push(performance.now() - start);
    }
    return took.sort((a, b) => a - b);
}"""
KEYSTROKES = """async (area, place) => {
    const note = area.getRootNode().querySelector('.note'), took = [];
    for (let k = 0; k < 30; k++) {
        await new Promise((done) => setTimeout(done, 50));
        const at = place === 'end' ? area.value.length : 5;
        area.setRangeText('e', at, at, 'end');
        const start = performance.now();
        area.dispatchEvent(new InputEvent('input', { bubbles: true }));
        await new Promise((done) => requestAnimationFrame(done)); // it is read and painted in this frame
        await new Promise((done) => setTimeout(done));
        const painted = performance.now() - start;
        while (note.textContent.startsWith('Reading')) await new Promise((done) => setTimeout(done));
        took.push([painted, performance.now() - start]);
    }
    return took;
}"""
SENTENCE = "It was a fine evening in July and nobody wished to go home before the music ended. "


def memory_mb(process_id: int) -> float:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.fixture
def own_server(tmp_path):
    port = free_port()
    started = time.perf_counter()
    process = serve(port, tmp_path / "log")
    yield process, f"http://127.0.0.1:{port}", started
    process.terminate()
    process.wait(30)


def test_first_picture_and_memory(own_server, browser, report) -> None:  # noqa: F811
    process, url, started = own_server
    contexts = []
    for _ in range(10):
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        tab = context.new_page()
        tab.goto(url)
        tab.wait_for_selector(CANVAS, timeout=60_000)
        contexts.append(context)
        if len(contexts) == 1:
            report(f"from `streamlit run` to the first picture: {time.perf_counter() - started:.1f} s")
            rest(tab)
            report(f"server memory with one session: {memory_mb(process.pid):.0f} MB")
    rest(tab)
    report(f"server memory with ten sessions: {memory_mb(process.pid):.0f} MB")
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    "model, characters", [("family-lstm", 200), ("war-and-peace-lstm", 1000), ("war-and-peace-lstm", 20_000)]
)
def test_text_to_painted(browser, own_server, report, model: str, characters: int) -> None:  # noqa: F811
    _, url, _ = own_server
    tab = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    received = []
    tab.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(len(data))))
    tab.goto(f"{url}/?model={model}")
    tab.wait_for_selector(CANVAS, timeout=60_000)
    rest(tab)
    took, sent = [], []
    for k in range(5):
        text = (f"{k} " + SENTENCE * (characters // len(SENTENCE) + 1))[: characters - k]
        area = tab.get_by_role("textbox", name="Text", exact=True)
        received.clear()
        started = time.perf_counter()
        area.fill(text)
        tab.wait_for_function(PAINTED, arg=f"over {characters - k} characters", polling=5)
        took.append(1000 * (time.perf_counter() - started))
        expect(tab.locator(".stage .note")).to_contain_text("✓ Within", timeout=180_000)
        sent.append(sum(received))
    what = f"{model}, {characters} characters"
    megabytes = statistics.median(sent) / 1e6
    report(f"{what}: a text to its painted heatmaps {statistics.median(took):.0f} ms, {megabytes:.2f} MB sent")
    received.clear()
    canvas = tab.locator(CANVAS).first
    moves = canvas.evaluate(MOVES)
    report(f"{what}: a cursor move takes {moves[100]:.2f} ms (median), {moves[-1]:.2f} ms (most); {len(received)} messages")


CASES = pytest.mark.parametrize("model, characters", [("family-lstm", 200), ("war-and-peace-lstm", 1000)])


def filled(tab, characters: int, done: str) -> None:
    """Puts so many characters into the field, and waits until what is said of them begins so."""
    tab.locator("textarea").first.fill((SENTENCE * (characters // len(SENTENCE) + 1))[:characters])
    expect(tab.locator(".note")).to_contain_text(done, timeout=60_000)


def report_keystrokes(tab, report, what: str) -> None:
    for place in ("end", "start"):
        took = tab.locator("textarea").first.evaluate(KEYSTROKES, place)
        painted, whole = (sorted(one[k] for one in took) for k in (0, 1))
        first = f"is painted in {statistics.median(painted):.0f} ms ({painted[-1]:.0f} at most)"
        report(f"{what}: a keystroke at the {place} {first}, all of the text in {statistics.median(whole):.0f} ms")


@CASES
def test_keystroke_to_painted_on_gates(browser, own_server, report, model: str, characters: int) -> None:  # noqa: F811
    _, url, _ = own_server
    tab = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    tab.goto(f"{url}/?model={model}")
    tab.wait_for_selector(CANVAS, timeout=60_000)
    filled(tab, characters, "✓ Within")
    report_keystrokes(tab, report, f"{model}, {characters} characters, Gates")


@CASES
def test_keystroke_to_painted_on_the_page_that_reads(browser, report, tmp_path, model: str, characters: int) -> None:  # noqa: F811
    (tmp_path / "page.html").write_text(build_live([lc.load(model)], "hello"), "utf-8")
    tab = browser.new_context(viewport={"width": 1400, "height": 1000}, offline=True).new_page()
    tab.goto((tmp_path / "page.html").as_uri())
    filled(tab, characters, "Read in")
    report_keystrokes(tab, report, f"{model}, {characters} characters, without a server")


def test_machine(report) -> None:
    name = subprocess.run(["grep", "-m1", "model name", "/proc/cpuinfo"], capture_output=True, text=True).stdout
    report(f"on {os.cpu_count()} cores, {name.partition(':')[2].strip() or 'an unnamed processor'}")
