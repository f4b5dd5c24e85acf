"""Where the app's files lie: beside `lstm_core` in a checkout, inside it where the package is installed."""

from __future__ import annotations

from pathlib import Path

_CORE = Path(__file__).resolve().parent

APP = _CORE / "app" if (_CORE / "app").is_dir() else _CORE.parent  # holds app.py, pages/, assets/ and .streamlit/
ASSETS = APP / "assets"
