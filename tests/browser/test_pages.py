"""From page to page in a real browser: Back and Forward."""

from __future__ import annotations

from urllib.parse import urlparse

from tests.browser.conftest import rest


def test_one_press_of_back_is_one_page_and_forward_too(open_tab) -> None:
    tab = open_tab("/", new=True)
    tab.wait_for_url("**/?model=*")
    begun = tab.evaluate("history.length")
    for name, path in (("Long range", "/long_range"), ("Inside", "/inside"), ("Models", "/models")):
        tab.get_by_role("link", name=name, exact=False).first.click()
        tab.wait_for_url(f"**{path}*")
        rest(tab)
    assert tab.evaluate("history.length") == begun + 3
    back, forward = tab.go_back, tab.go_forward
    for press, path in ((back, "/inside"), (back, "/long_range"), (back, "/"), (forward, "/long_range")):
        press()
        rest(tab)
        assert urlparse(tab.url).path == path
