"""Our components of the browser: each is assets/NAME/NAME.js and NAME.css, after what all share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def declared(name: str) -> Any:
    """The component of that name, to be called once a run. Its root is <div class="scope NAME">."""
    css, js = (_read("shared", kind) + "\n" + _read(name, kind) for kind in ("css", "js"))
    return st.components.v2.component(f"gatescope_{name}", html=f"<div class='scope {name}'></div>", css=css, js=js)


def _read(name: str, kind: str) -> str:
    return (ASSETS / name / f"{name}.{kind}").read_text("utf-8")
