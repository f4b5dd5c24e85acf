"""What the tests of the pages share: a page that runs in AppTest, and the words on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


def run(entry: str, **query: str) -> AppTest:
    """A page, or app.py, run once with a link's parameters. An exception box fails the test."""
    return run_once(AppTest.from_file(str(ROOT / entry), default_timeout=60), **query)


def run_once(app: AppTest, **query: str) -> AppTest:
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def report(app: AppTest, kind: str = "gates", **changes: object) -> AppTest:
    """The page Gates or Inside, run again after its browser has reported what stands in its field and what is chosen there."""
    say(app, kind, **changes)
    return app.run()


def say(app: AppTest, kind: str = "gates", **changes: object) -> None:
    """What the browser reports to the page Gates or Inside, for its next run."""
    known, chosen = app.session_state["stage"], app.session_state["selection"]
    shown = {"model": chosen.model, "text": chosen.text, "layer": chosen.layer, "step": 0, "unit": 0, "pinnedLayer": 0}
    app.session_state[kind] = {"stage": {"session": known.session, "serial": known.serial, **shown, **changes}}


def words(app: AppTest, *kinds: str) -> str:
    """The texts of all elements of these kinds: text, caption, markdown, info, ..."""
    return " ".join(element.value for kind in kinds for element in getattr(app, kind))


@pytest.fixture(scope="session", autouse=True)
def quick_runs() -> Iterator[None]:
    """What AppTest does anew for each run is done once: the search of all installed packages for components, and a collection
    of all garbage, which takes longer the more modules are loaded."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        config.set_option("runner.postScriptGC", False)
        yield
    config.set_option("runner.postScriptGC", True)
