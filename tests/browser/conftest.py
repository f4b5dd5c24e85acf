"""A real browser on a real server: each test fails on what the console, the page or the network should not say."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Error, expect, sync_playwright

from tests.serving import free_port, serve

# The first has no window around a page, and opens one in a third of the time.
INSTALLED = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A deep link probes these two beside the page first; their 404 is by design.
EXPECTED = re.compile(r"_stcore/(health|host-config)")

WAIT = 60_000  # milliseconds: a busy machine is no fault of the page
expect.set_options(timeout=WAIT)  # a statement about the page is tried again until it holds


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    process = serve(port, tmp_path_factory.mktemp("server") / "log")
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="session")
def launch() -> Iterator:
    """launch(*arguments) -> an installed Chromium or Chrome, else Playwright's own, with these arguments as well.

    Without either a test fails in CI, and is skipped elsewhere. All share one Playwright: a process can't have two.
    """
    path = next((found for name in INSTALLED if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:

        def one(*arguments: str):
            try:
                return playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])
            except Error as error:
                reason = f"no Chromium or Chrome to be had: {str(error).splitlines()[0]}"
                if os.environ.get("CI"):
                    pytest.fail(reason)
                pytest.skip(reason)

        yield one


@pytest.fixture(scope="session")
def browser(launch) -> Iterator:
    browser = launch()
    yield browser
    browser.close()


class Watch:
    """What a tab said that it should not have said."""

    def __init__(self, tab, url: str) -> None:
        self.said: list[str] = []
        tab.on("console", self._console)
        tab.on("pageerror", lambda e: self.said.append(f"page error: {e}"))
        tab.on(
            "request",
            lambda r: (
                None
                if r.url.startswith((url, url.replace("http", "ws"), "data:", "blob:"))
                else self.said.append(f"left the machine: {r.url[:200]}")
            ),
        )

    def _console(self, message) -> None:
        if message.type == "error" and not EXPECTED.search(message.text + str(message.location)):
            self.said.append(f"console: {message.text[:300]}")


def fitted(tab, width: int, height: int, scheme: str) -> None:
    tab.set_viewport_size({"width": width, "height": height})
    tab.emulate_media(color_scheme=scheme)


class Tab:
    """The tab that one test after the other begins with: a new one takes twice the time, for it compiles all scripts anew."""

    def __init__(self, browser, server: str) -> None:
        self.browser, self.server = browser, server
        self.page = None
        self.listeners: list[tuple] = []

    def cleared(self, width: int, height: int, scheme: str):
        """The tab as a person's who was never here, but for its history."""
        if self.page is None:
            context = self.browser.new_context()
            context.set_default_timeout(WAIT)
            self.page = context.new_page()
        else:
            self.page.goto(f"{self.server}/_stcore/health")  # of the same origin, and the process stays
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
            self.page.context.clear_cookies()
        fitted(self.page, width, height, scheme)
        on = self.page.on

        def noted(event: str, listener: Callable) -> None:
            self.listeners.append((event, listener))
            on(event, listener)

        self.page.on = noted
        return self.page

    def let_go(self, keep: bool) -> None:
        """After a test: what it listened to is heard no more, other tabs that it opened are closed."""
        if self.page is None:
            return
        if not keep:
            self.page.context.close()
            self.page = None
        else:
            for event, listener in self.listeners:
                self.page.remove_listener(event, listener)
            del self.page.on
            for other in self.page.context.pages:
                if other != self.page:
                    other.close()
        self.listeners.clear()


@pytest.fixture(scope="session")
def first_tab(browser, server) -> Tab:
    return Tab(browser, server)


@pytest.fixture
def open_tab(browser, server, first_tab: Tab, request: pytest.FixtureRequest) -> Iterator:
    """open_tab(path, width, height, scheme) -> a tab at rest. At the end nothing bad may have been said in any.

    The first of a test is that of the test before, as if its person had never been here; the others are other people's.
    new: another one all the same, for a test to which the tab's history matters. tab: one that stands open, whose person goes
    on to this address.
    """
    contexts, watches, failed, used = [], [], request.session.testsfailed, False

    def open_one(
        path: str = "/",
        width: int = 1400,
        height: int = 1000,
        scheme: str = "light",
        url: str = server,
        new: bool = False,
        tab=None,
    ):
        nonlocal used
        if tab is not None:
            fitted(tab, width, height, scheme)
            tab.goto(url + path)
            rest(tab)
            return tab
        if used or new or url != server:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            context.set_default_timeout(WAIT)
            tab = context.new_page()
        else:
            used = True
            tab = first_tab.cleared(width, height, scheme)
        contexts.append(tab.context)
        watches.append(Watch(tab, url))
        tab.goto(url + path)
        rest(tab)
        return tab

    yield open_one
    boxes = [b for c in contexts for t in c.pages for b in t.locator("[data-testid=stException]").all_inner_texts()]
    said = [s for w in watches for s in w.said]
    for context in contexts:
        if first_tab.page is None or context != first_tab.page.context:
            context.close()
    if used:
        first_tab.let_go(keep=request.session.testsfailed == failed and not boxes and not said)
    assert not boxes, boxes
    assert not said, said


@pytest.fixture
def open_report(browser, tmp_path: Path) -> Iterator[Callable]:
    """open_report(page, scheme, width) -> a tab without a network. At the end none may have asked or complained."""
    contexts, said = [], []

    def open_one(page: str, scheme: str = "light", width: int = 1400):
        path = tmp_path / f"report-{len(contexts)}.html"
        path.write_text(page, "utf-8")
        context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme, offline=True)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda m: said.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda e: said.append(f"page error: {e}"))
        tab.on("dialog", lambda d: (said.append(d.message), d.dismiss()))
        address = path.as_uri()
        tab.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else said.append(r.url[:200]))
        tab.goto(address)
        tab.wait_for_selector(".gates canvas.cursor")
        tab.wait_for_timeout(300)
        return tab

    yield open_one
    for context in contexts:
        context.close()
    assert said == []


def rest(tab) -> None:
    """Waits until the script has run and the picture is painted. Before its first run a page says that it does not run, too."""
    tab.locator("[data-testid=stMain] [data-testid=stElementContainer]").first.wait_for(state="attached", timeout=WAIT)
    tab.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=WAIT)
    tab.wait_for_timeout(700)  # a view is a module, which the browser loads by itself
    for view in tab.locator(".scope").all():
        view.locator("*").first.wait_for(state="attached", timeout=WAIT)


def shown(tab, selector: str):
    """The first of these elements, once it can be seen."""
    found = tab.locator(selector).first
    found.wait_for(state="visible", timeout=WAIT)
    return found


def query(tab) -> dict[str, str]:
    """The parameters of the page's address."""
    return {name: values[0] for name, values in parse_qs(urlparse(tab.url).query).items()}


def heard(tab, view: str, *words: str) -> str:
    """What a screen reader hears in a view, once it says all of these words."""
    live = tab.locator(f"{view} [aria-live=polite]")
    for each in words:
        live.filter(has_text=each).wait_for(state="attached", timeout=WAIT)
    return live.inner_text()


def sent_from_now(tab) -> list[str]:
    """Loads the page again; the list takes in every message that it sends to the server. Clear it when the page stands."""
    sent: list[str] = []
    tab.on("websocket", lambda ws: ws.on("framesent", lambda data: sent.append(data)))
    tab.reload()
    rest(tab)
    return sent


def opened_from_disk(browser, path: Path) -> tuple:
    """A tab with a file from the disk in it, and the list of the addresses that it asks for."""
    tab = browser.new_context().new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(path.as_uri())
    return tab, asked
