"""A class at once: people who open the app together, type, change models and change pages; what each of them waits for.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_class --people 30 --seconds 180 --workers 1

It starts the app on a free port, with more than one worker behind nginx as a school would. The people are light clients over
Streamlit's websocket. What is timed is the server's answer, to the end of its run: what a person sees of their own typing
comes from the browser's engine, before it. Printed are seconds, errors, texts that the server did not take, and of the
server: memory, processor time an act, and open descriptors, when all have left and when it has forgotten them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.common.components import TEXT
from tests.browser.school import HOST, school
from tests.serving import free_port, serve

WORDS = (
    "the", "clouds", "are", "in", "the", "sky", "and", "a", "man", "went", "to", "war", "with", "his", "horse", "for", "peace",
    "while", "she", "sang", "of", "love", "by", "night",
)  # fmt: skip
MODELS = ("war-and-peace-lstm", "family-lstm", "family-gru", "family-rnn", "family-gru-pytorch", "shakespeare-lstm")
PAGES = ("gates", "inside", "compare", "long_range", "training", "models")
READING = ("gates", "inside")  # pages where people type and change models, by their stages' keys
PAUSE = (2.0, 5.0)  # seconds between two acts of a person
PATIENCE = 180.0  # seconds that a person waits for an answer
WIDGET = re.compile(r"\$\$ID-[0-9a-f]+-(.+)")  # Streamlit's name of a widget that has a key
TICKS = os.sysconf("SC_CLK_TCK")
FORGOTTEN = 125.0  # seconds after which Streamlit drops a session whose tab was closed


class Client:
    """A browser's tab as far as the server can tell: it keeps the state of widgets, and paints nothing."""

    def __init__(self, port: int, host: str) -> None:
        self.port, self.host = port, host
        self.page = self.query = ""
        self.pages: dict[str, str] = {}
        self.widgets: dict[str, str] = {}  # of this page: key -> id
        self.fragments: dict[str, str] = {}
        self.states: dict[str, WidgetState] = {}
        self.stage: dict[str, Any] = {}  # what the server has told the stage of Gates
        self.errors: list[str] = []

    async def connect(self) -> None:
        visitor = f"{random.getrandbits(128):032x}"
        self.socket = await websockets.connect(
            f"ws://{self.host}:{self.port}/_stcore/stream",
            host="127.0.0.1",
            port=self.port,
            subprotocols=[websockets.Subprotocol("streamlit"), websockets.Subprotocol("PLACEHOLDER_AUTH_TOKEN")],
            origin=websockets.Origin(f"http://{self.host}:{self.port}"),
            additional_headers={"Cookie": f"gatescope_visitor={visitor}"},
            max_size=None,
            open_timeout=PATIENCE,
        )

    async def close(self) -> None:
        with suppress(Exception):
            await self.socket.close()

    async def open(self) -> float:
        """The first run. Seconds."""
        return await self._run("")

    async def turn_to(self, page: str) -> float:
        self.widgets, self.states, self.fragments, self.stage = {}, {}, {}, {}
        self.page = self.pages.get(page, self.page)
        return await self._run("")

    async def type(self, text: str) -> float:
        return await self._choose("text", text)

    async def choose_model(self, name: str) -> float:
        return await self._choose("model", name)

    async def _choose(self, what: str, value: str) -> float:
        """On Gates and Inside the stage reports what is chosen; on other pages it is a widget of the sidebar."""
        key = self.stage["kind"] if self.stage else what
        state = self.states[key] = WidgetState(id=self.widgets[key])
        if self.stage:
            state.json_value = json.dumps({"stage": self._report({what: value})})
        else:
            state.string_value = value
        return await self._run(self.query, self.fragments.get(key, ""))

    def _report(self, changed: dict[str, str]) -> dict[str, Any]:
        """What assets/stage/stage.js tells the server, with the pin where it is put at first sight: nowhere."""
        stage = self.stage
        chosen = {name: stage["chosen"][name] for name in ("model", "text", "layer")} | changed
        if "model" in changed:
            chosen["layer"] = 0
        return {"session": stage["session"], "serial": stage["serial"], "loaded": stage["model"]["version"], **chosen}

    async def _run(self, query: str, fragment: str = "") -> float:
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.page_script_hash, run.fragment_id = query, self.page, fragment
        run.widget_states.widgets.extend(self.states.values())
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(await asyncio.wait_for(self.socket.recv(), PATIENCE))
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                self.page = answer.new_session.page_script_hash
            elif kind == "delta":
                self._take(answer.delta)
            elif kind == "navigation":
                self.pages |= {page.url_pathname: page.page_script_hash for page in answer.navigation.app_pages}
            elif kind == "page_info_changed":
                self.query = answer.page_info_changed.query_string
            elif kind == "script_finished":
                return time.perf_counter() - start

    def _take(self, delta: Delta) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind is None:
            return
        part = getattr(element, kind)
        name = getattr(part, "id", "")
        found = WIDGET.match(name) if isinstance(name, str) else None
        if found:
            self.widgets[found[1]], self.fragments[found[1]] = name, delta.fragment_id
        if kind == "bidi_component" and found and found[1] in READING:
            data = part.mixed.json if part.WhichOneof("data") == "mixed" else part.json
            text = json.loads(data).get(TEXT) if data else None
            self.stage = json.loads(text).get("stage", {}) if text else self.stage
        elif kind == "exception":
            self.errors.append(f"{part.type}: {part.message[:200]}")

    def text(self) -> str:
        """The text in the page's address, as the server has written it."""
        return parse_qs(self.query).get("text", [""])[0]


@dataclass
class Seen:
    """seconds: of each act, by its kind."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def acts(self) -> int:
        return sum(map(len, self.seconds.values()))

    def lines(self) -> Iterator[str]:
        for kind, values in ((kind, sorted(seconds)) for kind, seconds in self.seconds.items() if seconds):
            late = values[int(0.95 * (len(values) - 1))]
            yield (
                f"  {kind:<14} n={len(values):<4} median {statistics.median(values):6.2f}  p95 {late:6.2f}"
                f"  worst {values[-1]:6.2f}"
            )
        yield f"  {len(self.errors)} errors, {len(self.lost)} lost texts"
        yield from (f"  ! {sentence}" for sentence in (*self.errors[:5], *self.lost[:5]))


async def person(port: int, host: str, seed: int, end: float, seen: Seen) -> None:
    """Opens the app, and acts every few seconds until the end, a time of the monotonic clock."""
    chance, client, page = random.Random(seed), Client(port, host), "gates"
    try:
        await client.connect()
        seen.seconds["open together"].append(await client.open())
        while time.monotonic() < end:
            await asyncio.sleep(chance.uniform(*PAUSE))
            dice = chance.random()
            if page in READING and dice < 0.6:
                text = " ".join(chance.choice(WORDS) for _ in range(chance.randrange(4, 12)))
                seen.seconds[f"type, {page}"].append(await client.type(text))
                if client.text() != text:
                    seen.lost.append(f"on {page}, sent {text!r}, the address has {client.text()!r}")
            elif page in READING and dice < 0.75:
                seen.seconds["model"].append(await client.choose_model(chance.choice(MODELS)))
            else:
                page = chance.choice(PAGES)
                seen.seconds["page"].append(await client.turn_to(page))
            seen.errors += client.errors
            client.errors = []
    except Exception as error:
        seen.errors.append(f"{type(error).__name__}: {error}")
    finally:
        await client.close()


async def alone(port: int, host: str) -> float:
    client = Client(port, host)
    await client.connect()
    seconds = await client.open()
    await client.close()
    return seconds


class Servers:
    """What Linux tells of the app's processes, with all that these have started."""

    def __init__(self, roots: list[int]) -> None:
        self.roots = roots

    def _processes(self) -> list[int]:
        found, new = [], list(self.roots)
        while new:
            found += new
            new = [child for process in new for child in self._children(process)]
        return found

    def _children(self, process: int) -> Iterator[int]:
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(FileNotFoundError):  # threads end at any time
                yield from map(int, (thread / "children").read_text().split())

    def _status(self, name: str) -> int:
        texts = [Path(f"/proc/{p}/status").read_text() for p in self._processes()]
        return sum(int(found[1]) for text in texts if (found := re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)))

    def processor(self) -> float:
        """Seconds of processor time since they began, of these and of all that have ended."""
        fields = [Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split() for p in self._processes()]
        return sum(int(value) for each in fields for value in each[11:15]) / TICKS

    def descriptors(self) -> int:
        return sum(len(os.listdir(f"/proc/{p}/fd")) for p in self.roots)

    def line(self) -> str:
        memory, peak = (self._status(name) // 1024 for name in ("VmRSS", "VmHWM"))
        return f"{memory} MB now, {peak} MB at most, {self.descriptors()} descriptors, {self._status('Threads')} threads"


@contextmanager
def app(workers: int, folder: Path) -> Iterator[tuple[int, str, list[int]]]:
    """The port to visit, the name to visit it by, and the app's processes."""
    if workers > 1:
        with school(folder, workers) as running:
            yield running.port, HOST, [process.pid for process in running.workers]
        return
    port = free_port()
    process = serve(port, folder / "log")
    try:
        yield port, "127.0.0.1", [process.pid]
    finally:
        process.terminate()
        process.wait(30)


def machine() -> str:
    """The processor, how many cores may be used, and how busy they are with other work."""
    information = Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*:\s*(.+)", information)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    cores = len(os.sched_getaffinity(0))
    return f"{name[1] if name else platform.machine()}, {cores} cores, load {load}, Python {platform.python_version()}"


async def measure(port: int, host: str, servers: Servers, people: int, seconds: float, left: float) -> None:
    print(f"first alone, after start: {await alone(port, host):.2f} s", flush=True)
    await asyncio.sleep(5)  # what is loaded behind the first page
    print(f"second alone: {await alone(port, host):.2f} s; {servers.line()}", flush=True)
    seen, before = Seen(), servers.processor()
    start = time.monotonic()
    await asyncio.gather(*(person(port, host, seed, start + seconds, seen) for seed in range(people)))
    used = servers.processor() - before
    took = time.monotonic() - start
    print(f"{people} people for {took:.0f} s, {seen.acts} acts:")
    print("\n".join(seen.lines()))
    print(f"  server: {used / max(seen.acts, 1):.3f} s of processor an act, {used / took:.2f} cores; {servers.line()}")
    await asyncio.sleep(3)
    print(f"all have left: {servers.line()}", flush=True)
    if left:
        await asyncio.sleep(left)
        print(f"{left:.0f} s later: {servers.line()}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--workers", type=int, default=1, help="processes of the app; more than one need nginx")
    parser.add_argument("--left", type=float, default=FORGOTTEN, help="seconds to wait after all have left")
    chosen = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder, app(chosen.workers, Path(folder)) as (port, host, processes):
        asyncio.run(measure(port, host, Servers(processes), chosen.people, chosen.seconds, chosen.left))
    print(machine())


if __name__ == "__main__":
    main()
