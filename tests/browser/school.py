"""A server for a school: several workers behind nginx, with the configuration in .docker."""

from __future__ import annotations

import getpass
import re
import secrets
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.serving import ROOT, free_port, serve

CONFIGURATION = (ROOT / ".docker" / "nginx.conf").read_text("utf-8")
HOST = "gatescope.school.example"
LOG = "log_format worker '$upstream_addr $status $request_method $request_uri';\n"


@dataclass(frozen=True)
class School:
    """port: of the proxy. log: the proxy's, for each request the worker, the status and the path."""

    port: int
    worker_ports: list[int]
    workers: list[subprocess.Popen]
    log: Path


@contextmanager
def school(folder: Path, count: int) -> Iterator[School]:
    """A proxy before so many workers, with its files in a folder; all are ended with the context."""
    ports = [free_port() for _ in range(count)]
    settings = {"STREAMLIT_BROWSER_SERVER_ADDRESS": HOST, "STREAMLIT_SERVER_COOKIE_SECRET": secrets.token_hex(32)}
    workers = [serve(port, folder / f"worker-{port}.log", **settings) for port in ports]
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
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{proxy_port}/", timeout=30).close()
                break
            except OSError:
                if proxy.poll() is not None:
                    raise RuntimeError(f"nginx did not start: {(folder / 'nginx.log').read_text()}") from None
                time.sleep(0.1)
        yield School(proxy_port, ports, workers, log)
    finally:
        for process in (proxy, *workers):
            process.terminate()
        for process in (proxy, *workers):
            process.wait(30)
