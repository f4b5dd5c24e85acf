"""A site of two models, opened from the disk: its links work, its pages read, and no request leaves."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

import lstm_core as lc
from lstm_core import site
from tests.browser.conftest import opened_from_disk
from tests.browser.test_live_page import UNCHECKED, field, told

NAMES = ("family-rnn", "family-gru")


def test_its_links_work_and_its_pages_read(browser, tmp_path: Path) -> None:
    models = [lc.load(name) for name in NAMES]
    for file, page in site.pages(models):
        (tmp_path / file).write_text(page, "utf-8")
    tab, asked = opened_from_disk(browser, tmp_path / "index.html")
    wrong: list[str] = []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    for name, model in zip(NAMES, models):
        tab.get_by_role("link", name=name).click()
        expect(tab.locator(".note")).to_contain_text("✓ Within")
        field(tab).fill("the sky")
        expect(tab.locator(".note")).to_have_text(UNCHECKED)
        tab.locator(".gates canvas.cursor").focus()
        tab.keyboard.press("End")
        told(tab, lc.trace(model, "the sky"), 6)
        tab.get_by_role("link", name="All models").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Trained networks that read what you type")
    tab.context.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith("file:")] == []
    assert {Path(url).name for url in asked if url.startswith("file:")} == {"index.html", *map(site.file_of, NAMES)}
