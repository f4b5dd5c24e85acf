"""The server for a school: two workers behind nginx with the configuration in .docker, under a name of its own."""

from __future__ import annotations

import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import lstm_core as lc
from tests.browser.conftest import Watch, rest
from tests.browser.school import HOST, School, school
from tests.browser.test_models import upload


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    with school(tmp_path_factory.mktemp("school"), 2) as running:
        yield running


def ask(port: int, cookie: str | None = None, mark: str = "") -> str:
    """Asks the proxy for the app's page. mark: to find the request in the log by. Returns the cookie that it sets."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/?{mark}", headers={"Cookie": cookie} if cookie else {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        (told,) = [c for c in answer.headers.get_all("Set-Cookie") if c.startswith("gatescope_visitor=")]
    return told.split(";")[0]


def workers_of(log: Path, marks: list[str]) -> list[str]:
    """The workers that answered these requests; a line is written a moment after its answer."""
    for _ in range(100):
        found = {uri.removeprefix("/?"): worker for worker, _, _, uri in requests(log)}
        if found.keys() >= set(marks):
            break
        time.sleep(0.05)
    return [found[mark] for mark in marks]


def requests(log: Path) -> list[list[str]]:
    return [line.split(" ", 3) for line in log.read_text("utf-8").splitlines()]


@pytest.fixture
def visit(launch, two_workers: School) -> Iterator:
    """visit(path) -> a tab of a browser that takes the school's name for this computer's."""
    browser = launch(f"--host-resolver-rules=MAP {HOST} 127.0.0.1")
    url = f"http://{HOST}:{two_workers.port}"
    watches: list[Watch] = []

    def one(path: str):
        tab = browser.new_context().new_page()
        watches.append(Watch(tab, url))
        tab.goto(url + path)
        rest(tab)
        return tab

    yield one
    browser.close()
    assert not [said for watch in watches for said in watch.said]


def test_visitors_are_spread_over_the_workers_and_each_keeps_one(two_workers: School) -> None:
    port, workers, log = two_workers.port, two_workers.worker_ports, two_workers.log
    first, second = ([f"{turn}-{k}" for k in range(16)] for turn in ("first", "second"))
    cookies = [ask(port, mark=mark) for mark in first]
    assert [ask(port, cookie, mark) for cookie, mark in zip(cookies, second)] == cookies
    assert set(workers_of(log, first)) == {f"127.0.0.1:{worker}" for worker in workers}
    assert workers_of(log, second) == workers_of(log, first)
    assert re.fullmatch("gatescope_visitor=[0-9a-f]{32}", ask(port, "gatescope_visitor=<script>"))


def test_a_page_and_an_upload_go_through_the_proxy_to_one_worker(visit, two_workers: School) -> None:
    log = two_workers.log
    before = len(requests(log))
    tab = visit("/models")
    model = next(info for info in lc.models() if info.name == "family-rnn")
    upload(tab, "Checkpoint", "theirs.safetensors", model.path.read_bytes())
    tab.locator(".drawing svg[data-cell=rnn]").wait_for()
    tab.goto(f"http://{HOST}:{two_workers.port}/inside")
    rest(tab)
    tab.locator(".scope.inside").wait_for()
    tab.context.close()
    time.sleep(0.5)  # nginx writes a websocket's line when it closes
    seen = requests(log)[before:]
    assert len({worker for worker, *_ in seen}) == 1
    assert [status for _, status, method, uri in seen if uri.startswith("/_stcore/upload_file") and method == "PUT"] == ["204"]
    assert {status for _, status, _, uri in seen if uri.startswith("/_stcore/stream")} == {"101"}


def test_an_upload_without_the_token_is_refused(two_workers: School) -> None:
    url = f"http://127.0.0.1:{two_workers.port}/_stcore/upload_file/session/file"
    request = urllib.request.Request(
        url, data=b"--x--", method="PUT", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=30)
