"""What a person waits for on the page Long range, measured in a real browser on a real server.

    OMP_NUM_THREADS=1 python -m pytest tests/benchmarks/bench_long_range.py

Milliseconds from a committed text to its painted gradients, bytes sent for it, and milliseconds a cursor move, which
recolours the text and redraws the lines. Nothing passes or fails.
"""

from __future__ import annotations

import statistics
import time
from urllib.parse import urlencode

import pytest

from tests.browser.conftest import browser, first_tab, launch, open_tab, rest, server  # noqa: F401  fixtures

CANVAS = "canvas[aria-label^='Gradients over']"
PAINTED = f"""(wanted) => [...document.querySelectorAll('*')]
    .flatMap((e) => (e.shadowRoot ? [...e.shadowRoot.querySelectorAll("{CANVAS}")] : []))
    .some((c) => c.getAttribute('aria-label').includes(wanted))"""
MOVES = """(canvas) => {
    const took = [];
    const press = (key) => {
        const event = new KeyboardEvent('keydown', { key, bubbles: true, composed: true, cancelable: true });
        const start = performance.now();
        canvas.dispatchEvent(event);
        canvas.getRootNode().querySelector('canvas.head').getContext('2d').getImageData(0, 0, 1, 1);  // painted by now
        took.push(performance.now() - start);
    };
    press('End');
    for (let k = 0; k < 150; k++) press('ArrowLeft');
    return took.sort((a, b) => a - b);
}"""
SENTENCE = "It was a fine evening in July and nobody wished to go home before the music ended. "


@pytest.mark.parametrize(
    "models, characters",
    [
        ("war-and-peace-lstm", 200),
        ("family-rnn,family-lstm,family-gru-pytorch", 200),
        ("family-rnn,family-lstm,family-gru-pytorch", 1000),
    ],
)
def test_committed_text_to_painted(open_tab, report, models: str, characters: int) -> None:  # noqa: F811
    tab = open_tab("/long_range?" + urlencode({"models": models, "text": "a first text"}))
    received: list[int] = []
    tab.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(len(data))))
    tab.reload()
    tab.locator(CANVAS).first.wait_for(timeout=60_000)
    rest(tab)
    took, sent = [], []
    for k in range(5):
        text = (f"{k} " + SENTENCE * (characters // len(SENTENCE) + 1))[: characters - k]
        area = tab.get_by_role("textbox", name="Text", exact=True)
        area.fill(text)
        received.clear()
        started = time.perf_counter()
        area.press("Control+Enter")
        tab.wait_for_function(PAINTED, arg=f"over {characters - k} characters", polling=5)
        took.append(1000 * (time.perf_counter() - started))
        rest(tab)
        sent.append(sum(received))
    what = f"{models}, {characters} characters"
    report(f"{what}: committed text to painted gradients {statistics.median(took):.0f} ms, {max(sent) / 1e6:.2f} MB sent")
    received.clear()
    moves = tab.locator(CANVAS).first.evaluate(MOVES)
    middle = moves[len(moves) // 2]
    report(f"{what}: a cursor move takes {middle:.2f} ms (median), {moves[-1]:.2f} ms (most); {len(received)} messages")
