"""A checkpoint all the way in a real browser: uploaded, looked at, proved, used, and seen on Gates."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

import lstm_core as lc
from tests.browser.conftest import rest


def press(tab, name: str) -> None:
    tab.get_by_role("button", name=name, exact=True).click()
    tab.wait_for_timeout(300)
    rest(tab)


def upload(tab, label: str, name: str, data: bytes) -> None:
    place = tab.locator("[data-testid=stFileUploader]").filter(has_text=label)
    place.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})
    place.get_by_text(name).wait_for()
    rest(tab)


def test_a_checkpoint_from_the_file_to_the_gates(open_tab, checkpoint_that_reads: tuple[bytes, str], tmp_path: Path) -> None:
    data, text = checkpoint_that_reads
    tab = open_tab("/models")
    upload(tab, "Checkpoint", "noise.bin", b"\x80\x02 no model")
    tab.get_by_text("⚠").wait_for()
    tab.locator("[data-testid=stFileUploader]").filter(has_text="Checkpoint").get_by_role("button", name="Remove").click()
    rest(tab)
    upload(tab, "Checkpoint", "poet.pt", data)
    tab.get_by_text("1 × 64 units").wait_for()
    tab.locator(".drawing svg[data-cell=lstm]").wait_for()
    upload(tab, "A text that it was trained on", "poems.txt", text.encode())
    tab.locator("label").filter(has_text="The text's characters, sorted").first.click()
    rest(tab)
    press(tab, "See whether it reads")
    tab.get_by_text("This model reads").wait_for()
    tab.locator(".js-plotly-plot").nth(1).wait_for()
    press(tab, "Use it on all pages")
    tab.get_by_text("mine: poet is now among the models of every page").wait_for()
    with tab.expect_download() as told:
        tab.get_by_text("Download (.safetensors)").click()
    told.value.save_as(tmp_path / "poet.safetensors")
    assert lc.load(tmp_path / "poet.safetensors").name == "poet"
    press(tab, "Open on Gates")
    tab.get_by_text("✓ Certified").wait_for()
    assert "mine: poet" in tab.get_by_text("✓ Certified").inner_text()
    expect(tab.locator(".scope.gates canvas")).not_to_have_count(0)
    assert tab.evaluate("new URLSearchParams(location.search).get('model')") == "mine: poet"
    tab.get_by_role("link", name="Models").first.click()
    tab.get_by_role("button", name="Remove", exact=False).last.wait_for()
    tab.locator("button").filter(has_text="Remove").last.click()
    tab.get_by_text("mine: poet was removed").wait_for()


def test_another_tab_is_told_that_the_model_is_not_here(open_tab) -> None:
    tab = open_tab("/?model=mine%3A+poet&text=To+be")
    tab.get_by_text("which is not here: it stays in the session that brought it").wait_for()
    tab.get_by_text("✓ Certified").wait_for()


def test_a_phone_has_no_need_to_scroll_sideways(open_tab, checkpoint_that_reads: tuple[bytes, str]) -> None:
    tab = open_tab("/models", width=390, height=844, scheme="dark")
    upload(tab, "Checkpoint", "poet.pt", checkpoint_that_reads[0])
    tab.get_by_text("1 × 64 units").wait_for()
    wide = tab.locator("[data-testid=stMain]").evaluate("main => [main.scrollWidth, main.clientWidth]")
    assert wide[0] == wide[1]
