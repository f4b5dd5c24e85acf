"""Frames while a cursor is moved through several models at once, in a real browser on a real server.

    OMP_NUM_THREADS=1 python -m pytest tests/benchmarks/bench_compare.py

Milliseconds a cursor move takes, and between two frames while pointing (60 a second are 16.7) and while arrow keys scroll
through a thousand characters; messages sent to the server meanwhile. Nothing passes or fails but for these messages.
"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.browser.conftest import browser, launch, rest, server  # noqa: F401  fixtures

CANVAS = "canvas[aria-label^='Heatmaps over']"
TEXT = ("It was a fine evening in July and nobody wished to go home before the music ended. " * 12)[:980]
FRAMES = """async (canvas, keys) => {
    const box = canvas.getBoundingClientRect(), took = [], frames = [];
    const more = { bubbles: true, composed: true };
    let last = performance.now();
    for (let k = 0; k < 240; k++) {
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - last);
        last = now;
        const [across, down] = [0.25 + (0.7 * k) / 240, 0.3 + (k % 60) / 120];
        const place = { clientX: box.left + box.width * across, clientY: box.top + box.height * down };
        canvas.dispatchEvent(keys ? new KeyboardEvent('keydown', { key: 'ArrowRight', ...more })
                                  : new PointerEvent('pointermove', { ...place, pointerType: 'mouse', ...more }));
        took.push(performance.now() - now);
    }
    const middle = (values) => values.sort((a, b) => a - b)[120];
    return [middle(took), middle(frames)];
}"""
SETS = {
    "three models of 128 units": ("family-rnn,family-lstm,family-gru-pytorch", "top"),
    "two models of 2 x 256 units": ("war-and-peace-lstm,shakespeare-lstm", "all,all"),
    "six models of 128 units": ("family-rnn,family-lstm,family-peephole,family-coupled,family-gru,family-gru-pytorch", "top"),
}


@pytest.mark.parametrize("name", SETS)
def test_frames(browser, server, report, name: str) -> None:  # noqa: F811
    models, layers = SETS[name]
    tab = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    sent: list[str] = []
    tab.on("websocket", lambda ws: ws.on("framesent", lambda data: sent.append(data)))
    tab.goto(f"{server}/compare?{urlencode({'models': models, 'layers': layers, 'text': TEXT, 'step': 5})}")
    rest(tab)
    canvas = tab.locator(CANVAS).first
    canvas.wait_for(state="visible")
    tab.wait_for_timeout(2000)
    sent.clear()
    for what, keys in (("pointing", False), ("scrolling by keys", True)):
        move, frame = canvas.evaluate(FRAMES, keys)
        report(f"{name}, {what}: a move takes {move:.1f} ms, a frame {frame:.1f} ms (medians)")
    assert sent == []
    tab.context.close()
