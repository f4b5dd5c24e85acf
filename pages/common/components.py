"""Our components of the browser: each is the module assets/NAME/NAME.js with all that it imports, and its style sheet."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template
from threading import Lock
from typing import Any

import pyarrow as pa
import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from lstm_core.browser.modules import linked
from lstm_core.places import ASSETS

PROJECT = "gatescope"
SERVED = "served"  # the folder in a temporary one that Streamlit serves
TEXT = "json"  # in the data that a component is sent: all of it but its tables
# The same data stays the same object, by which views know whether anything is new.
ENTRY = """
const view = modules["$module"].default;
const unpacked = new WeakMap();
const unpack = (data) => {
  const { $text: text, ...tables } = data;
  if (!unpacked.has(data)) unpacked.set(data, { ...JSON.parse(text), ...tables });
  return unpacked.get(data);
};
export default (given) => view({ ...given, data: unpack(given.data), address: import.meta.url });
"""
_LOCK = Lock()  # sessions that open together make each file once


# The style sheets of components that hold others; the rest have the shared one and their own.
STYLES = {"stage": ("shared", "gates", "inside", "stage")}


def mount(name: str, *, data: Mapping[str, Any], **arguments: Any) -> Any:
    """Shows the component of that name. Its root is <div class="scope NAME">.

    data: tables of Arrow, and what JSON can hold. arguments: as a component of Streamlit takes them (key, default, height,
    on_..._change). Returns its state.
    """
    with _LOCK:
        _serve(name)
        component = _component(name)
    # As text: Streamlit imports pandas to see whether a dictionary is a table, and the first visitor would wait for it.
    tables = {name: value for name, value in data.items() if isinstance(value, pa.Table)}
    text = json.dumps({name: value for name, value in data.items() if name not in tables})
    return component(data=tables | {TEXT: text}, **arguments)


@cache
def _component(name: str) -> Any:
    style = "\n".join((ASSETS / folder / f"{folder}.css").read_text("utf-8") for folder in STYLES.get(name, ("shared", name)))
    root = f"<div class='scope {name}'></div>"
    return st.components.v2.component(f"{PROJECT}.{name}", html=root, css=style, js=_script(name))


@cache
def _script(name: str) -> str:
    """The name of the file in which a view and its modules are served as one module.

    A view has over twenty modules. Asked for one after the other from a server that is still running the page's script,
    they delay the first picture: by 0.4 s on Gates. The name holds the content's hash: no browser keeps an old one.
    The view is given its data in one piece, and its own address, as `address`: the files of `serve_file` stand beside it.
    """
    code = linked(ASSETS / name / f"{name}.js", ASSETS)
    code += Template(ENTRY).substitute(module=f"{name}/{name}.js", text=TEXT)
    file = f"{name}-{hashlib.sha256(code.encode()).hexdigest()[:16]}.js"
    (_folder() / SERVED / file).write_text(code, "utf-8")
    return file


def serve_file(name: str, content: bytes) -> str:
    """Serves a file to anybody who knows its name; returns its address, relative to that of a component's script.

    name: of letters, digits, "-" and ".", new for new content, for browsers may keep it. Nothing of a session's own may
    be served so.
    """
    path = _folder() / SERVED / name
    if not path.exists():
        partial = path.with_suffix(f".{threading.get_ident()}")
        partial.write_bytes(content)
        partial.replace(path)  # whole or not at all
    return f"./{name}"


@cache
def _folder() -> Path:
    """A folder of this process's own, which goes with it: an installed package may not be written to."""
    folder = Path(tempfile.mkdtemp(prefix="gatescope-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / SERVED).mkdir()
    return folder


def _serve(name: str) -> None:
    """Makes the server serve a component's script: inline it would be sent again at every rerun.

    Streamlit finds the files of installed components by itself, and has no public call for those of an app that is run from
    its folder. This is what it calls itself; it holds for the pinned version, and a test says so.
    """
    _script(name)  # Streamlit looks for it when the component is made
    manager = get_bidi_component_manager()
    if manager.get_component_path(f"{PROJECT}.{name}") is None:
        manager.register_from_manifest(ComponentManifest(PROJECT, "0", [ComponentConfig(name, SERVED)]), _folder())
