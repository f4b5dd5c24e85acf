"""The server for a school: two workers behind nginx with the configuration in .docker, under a name of its own."""

from __future__ import annotations

import getpass
import re
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import lstm_core as lc
from tests.browser.conftest import ROOT, Watch, free_port, rest, serve
from tests.browser.test_models import upload

CONFIGURATION = (ROOT / ".docker" / "nginx.conf").read_text("utf-8")
HOST = "gatescope.school.example"
LOG = "log_format worker '$upstream_addr $status $request_method $request_uri';\n"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, list[int], Path]]:
    """The proxy's port, the workers' ports, and the proxy's log: for each request the worker, the status and the path."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("school")
    secret = secrets.token_hex(32)
    settings = {"STREAMLIT_BROWSER_SERVER_ADDRESS": HOST, "STREAMLIT_SERVER_COOKIE_SECRET": secret}
    ports = [free_port(), free_port()]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        workers = [serve(port, folder / f"worker-{port}.log") for port in ports]
    proxy_port, log = free_port(), folder / "requests.log"
    site = CONFIGURATION.replace("listen 80;", f"listen 127.0.0.1:{proxy_port};")
    site = re.sub(r"server worker:8501;.*", "".join(f"server 127.0.0.1:{port};" for port in ports), site)
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"user {getpass.getuser()}; pid {folder}/pid; daemon off; error_log stderr;\nevents {{}}\n"
        f"http {{\n{paths}\n{LOG}access_log {log} worker;\n{site}}}\n"
    )
    with (folder / "nginx.log").open("w") as said:
        proxy = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-p", folder], stdout=said, stderr=said)
    for _ in range(100):
        try:
            ask(proxy_port)
            break
        except OSError:
            assert proxy.poll() is None, (folder / "nginx.log").read_text()
            time.sleep(0.1)
    yield proxy_port, ports, log
    for process in (proxy, *workers):
        process.terminate()
    for process in (proxy, *workers):
        process.wait(10)


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
def visit(launch, school: tuple[int, list[int], Path]) -> Iterator:
    """visit(path) -> a tab of a browser that takes the school's name for this computer's."""
    browser = launch(f"--host-resolver-rules=MAP {HOST} 127.0.0.1")
    url = f"http://{HOST}:{school[0]}"
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


def test_visitors_are_spread_over_the_workers_and_each_keeps_one(school: tuple[int, list[int], Path]) -> None:
    port, workers, log = school
    first, second = ([f"{turn}-{k}" for k in range(16)] for turn in ("first", "second"))
    cookies = [ask(port, mark=mark) for mark in first]
    assert [ask(port, cookie, mark) for cookie, mark in zip(cookies, second)] == cookies
    assert set(workers_of(log, first)) == {f"127.0.0.1:{worker}" for worker in workers}
    assert workers_of(log, second) == workers_of(log, first)
    assert re.fullmatch("gatescope_visitor=[0-9a-f]{32}", ask(port, "gatescope_visitor=<script>"))


def test_a_page_and_an_upload_go_through_the_proxy_to_one_worker(visit, school: tuple[int, list[int], Path]) -> None:
    log = school[2]
    before = len(requests(log))
    tab = visit("/models")
    model = next(info for info in lc.models() if info.name == "family-rnn")
    upload(tab, "Checkpoint", "theirs.safetensors", model.path.read_bytes())
    tab.locator(".drawing svg[data-cell=rnn]").wait_for()
    tab.goto(f"http://{HOST}:{school[0]}/inside")
    rest(tab)
    tab.locator(".scope.inside").wait_for()
    tab.context.close()
    time.sleep(0.5)  # nginx writes a websocket's line when it closes
    seen = requests(log)[before:]
    assert len({worker for worker, *_ in seen}) == 1
    assert [status for _, status, method, uri in seen if uri.startswith("/_stcore/upload_file") and method == "PUT"] == ["204"]
    assert {status for _, status, _, uri in seen if uri.startswith("/_stcore/stream")} == {"101"}


def test_an_upload_without_the_token_is_refused(school: tuple[int, list[int], Path]) -> None:
    url = f"http://127.0.0.1:{school[0]}/_stcore/upload_file/session/file"
    request = urllib.request.Request(
        url, data=b"--x--", method="PUT", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=30)
