"""Texts that are proposed to a newcomer: assets/texts.json."""

from __future__ import annotations

import json
from functools import cache

from lstm_core.places import ASSETS


@cache
def texts() -> list[dict[str, str]]:
    """All of them: title and text, and the model that one is meant for, if it is for one."""
    found: list[dict[str, str]] = json.loads((ASSETS / "texts.json").read_text("utf-8"))
    return found


def text_for(model: str) -> str:
    """The text a newcomer sees first: one the model can be expected to read well."""
    return next((t["text"] for t in texts() if t.get("model") == model), texts()[0]["text"])
