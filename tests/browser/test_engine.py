"""The engine in a real browser: a file from the disk, without a network and under a strict policy, against the trace."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.browser import engine
from lstm_core.browser.modules import linked
from lstm_core.places import ASSETS

POLICY = "default-src 'none'; script-src 'unsafe-inline'"  # no eval, no worker, no request
PASSAGES = {p["title"]: p["text"] for p in json.loads((ASSETS / "passages.json").read_text("utf-8"))}

MAIN = """
import { Model } from "./model.js";
import { Reading } from "./reading.js";

const given = JSON.parse(document.querySelector("#given").textContent);
const model = new Model(given.meta, Uint8Array.from(atob(given.weights), (byte) => byte.charCodeAt(0)));
const reading = new Reading(model);
reading.write(given.text);
const slices = [];
while (reading.done < reading.steps) {
  const start = performance.now();
  reading.read({ milliseconds: 8 });
  slices.push(performance.now() - start);
}
const layer = model.layers.length - 1;
const last = (name) => [...reading.at(layer, name, reading.done - 1)];
document.title = JSON.stringify({
  slices,
  hidden: Array.from(reading.signal(layer, "hidden")),
  probs: Array.from(reading.probs),
  last: Object.fromEntries(model.signals.map((name) => [name, last(name)])),
});
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The engine and what runs it, as one script."""
    folder = tmp_path_factory.mktemp("engine")
    for path in (ASSETS / "shared" / "engine").glob("*.js"):
        (folder / path.name).write_text(path.read_text("utf-8").replace('"../', '"./'), "utf-8")
    (folder / "words.js").write_text((ASSETS / "shared" / "words.js").read_text("utf-8"), "utf-8")
    (folder / "main.js").write_text(MAIN)
    return linked(folder / "main.js", folder)


@pytest.mark.parametrize("name", ["shakespeare-lstm", "family-gru-pytorch", "family-peephole"])
def test_a_thousand_characters_are_read_as_by_trace(browser, script: str, tmp_path: Path, name: str) -> None:
    model = lc.load(name)
    meta, weights = engine.payload(model)
    text = PASSAGES["Shakespeare" if "shakespeare" in name else "War and Peace"][:1000]
    given = json.dumps({"meta": meta, "weights": base64.b64encode(weights).decode(), "text": text}).replace("<", "\\u003c")
    page = tmp_path / "page.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<script id="given" type="application/json">{given}</script><script>{script}</script>',
        "utf-8",
    )
    said: list[str] = []
    context = browser.new_context(offline=True)
    try:
        tab = context.new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(page.as_uri())
        found = json.loads(tab.title())
    finally:
        context.close()
    assert not said
    t = lc.trace(model, text)
    np.testing.assert_allclose(found["hidden"], t["hidden"][-1].ravel(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(found["probs"], t.probs.ravel(), rtol=0, atol=1e-4)
    for signal, values in found["last"].items():
        np.testing.assert_allclose(values, t[signal][-1, -1], rtol=1e-4, atol=1e-4)
    slices = found["slices"]
    print(f"{name}: {sum(slices) / 1000:.3f} ms a character in {len(slices)} slices, the longest of {max(slices):.0f} ms")
