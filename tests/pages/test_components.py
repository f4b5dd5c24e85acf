"""Each component is served as one module: a call of Streamlit that is not public, and holds for the pinned version."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.places import ASSETS

VIEWS = ("gates", "inside", "life", "reach", "stage")


def page() -> None:
    import streamlit as st
    from streamlit.components.v2 import get_bidi_component_manager

    from pages.common import components

    name = st.session_state["name"]
    components.mount(name, data={"meta": {}, "view": {}}, key=name)
    found = get_bidi_component_manager().get(f"{components.PROJECT}.{name}")
    path = get_bidi_component_manager().get_component_path(found.name)
    st.json({"js": found.js_url, "css": found.css_content, "path": path, "inline": found.js_content})


@pytest.mark.parametrize("name", VIEWS)
def test_streamlit_serves_each_component_in_one_file(name: str) -> None:
    """Twice: each AppTest has a server of its own, as after a restart."""
    for _ in range(2):
        at = AppTest.from_function(page)
        at.session_state["name"] = name
        at.run()
        assert not at.exception
        found = json.loads(at.json[0].value)
        assert re.fullmatch(rf"{name}-[0-9a-f]{{16}}\.js", found["js"]) and found["inline"] is None
        code = (Path(found["path"]) / found["js"]).read_text("utf-8")
        assert "import {" not in code and f'const view = modules["{name}/{name}.js"].default;\n' in code
        assert code.endswith(
            "export default (given) => view({ ...given, data: unpack(given.data), address: import.meta.url });\n"
        )
        assert f".{name}" in found["css"] and ".scope" in found["css"]


def test_modules_import_files_that_are_there() -> None:
    found = [(path, name) for path in ASSETS.rglob("*.js") for name in re.findall(r'from "([^"]+)"', path.read_text("utf-8"))]
    assert len(found) > 10
    assert [f"{path.name}: {name}" for path, name in found if not (path.parent / name).is_file()] == []
    assert json.loads((ASSETS / "package.json").read_text("utf-8"))["type"] == "module"
