"""What is arranged once for a server: seen in a process of its own, for it changes the process."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.benchmarks.bench_class import Client

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import gc, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (200, min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
from pages.common import detail, frame, process
from pages.common.gates import view
early = "torch" in sys.modules
loading = process.arrange()
loading.join()
held = gc.get_freeze_count()
again = process.arrange()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], early, "torch" in sys.modules, held > 100_000)
print(again is loading, gc.get_freeze_count() == held)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of descriptors to raise")
def test_torch_is_loaded_behind_the_first_page_and_kept_and_descriptors_are_allowed_once() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["1000", "False", "True", "True", "True", "True"]


FIRST_PAGE = f"""
import sys
from streamlit.testing.v1 import AppTest
from pages.common import process
process._load_and_keep = lambda: None
app = AppTest.from_file({str(ROOT / "app.py")!r}, default_timeout=60).run()
loaded = {{"torch", "pandas", "lstm_core.figures.bars"}} & {{*sys.modules}}
print(len(app.exception), "stage" in app.session_state, *loaded)
"""


def test_the_first_visitor_waits_for_nothing_that_is_not_shown() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_PAGE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["0", "True"]


APP = """
from pages.common import frame, process
process.RETURN = 5.0
frame.route()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen]]:
    """A server of its own, on which a closed tab may come back for five seconds. Its port and its process."""
    (tmp_path / "app.py").write_text(APP, "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", tmp_path / "app.py", "--server.port", str(port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        wait_until(lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield port, process
    finally:
        process.terminate()
        process.wait(60)  # it loads what it has begun to load
    assert "Traceback" not in (tmp_path / "log").read_text()


def answers(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).status == 200
    except OSError:
        return False


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it never became so")


async def visit(port: int, count: int, stay: float = 0.0) -> None:
    """So many tabs, opened one after the other and closed together."""
    tabs = [Client(port, "127.0.0.1") for _ in range(count)]
    for tab in tabs:
        await tab.connect()
        await tab.open()
    await asyncio.sleep(stay)
    assert not [error for tab in tabs for error in tab.errors]
    await asyncio.gather(*(tab.close() for tab in tabs))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="descriptors are counted in Linux's way")
def test_ten_closed_sessions_leave_no_descriptor_though_nobody_comes_after_them(
    server: tuple[int, subprocess.Popen],
) -> None:
    port, process = server

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{process.pid}/fd"))

    before = descriptors()
    asyncio.run(visit(port, 1, stay=2))
    wait_until(lambda: descriptors() <= before)
    asyncio.run(visit(port, 10))
    held = descriptors()
    assert held >= before + 20  # so they would have been seen
    wait_until(lambda: descriptors() <= before)
