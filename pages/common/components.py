"""Our components of the browser: each is the module assets/NAME/NAME.js, served with what it imports, and its style sheet."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from lstm_core.places import APP, ASSETS

PROJECT = "gatescope"


def mount(name: str, **arguments: Any) -> Any:
    """Shows the component of that name. Its root is <div class="scope NAME">.

    arguments: as a component of Streamlit takes them (key, data, default, height, on_..._change). Returns its state.
    """
    _serve(name)
    return _component(name)(**arguments)


@cache
def _component(name: str) -> Any:
    style = "\n".join((ASSETS / folder / f"{folder}.css").read_text("utf-8") for folder in ("shared", name))
    root = f"<div class='scope {name}'></div>"
    return st.components.v2.component(f"{PROJECT}.{name}", html=root, css=style, js=f"{name}/{name}.js")


def _serve(name: str) -> None:
    """Makes the server serve assets/ for a component: a module that imports others needs an address.

    Streamlit finds the assets of installed packages by itself, and has no public call for those of an app that is run from
    its folder. This is what it calls itself; it holds for the pinned version, and a test says so.
    """
    manager = get_bidi_component_manager()
    if manager.get_component_path(f"{PROJECT}.{name}") is None:
        manager.register_from_manifest(ComponentManifest(PROJECT, "0", [ComponentConfig(name, ASSETS.name)]), APP)
