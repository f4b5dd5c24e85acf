"""Texts that Markdown shows as they are."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """A text that Markdown shows as it is: a file's words are no instructions."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
