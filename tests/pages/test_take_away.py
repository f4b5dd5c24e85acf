"""What can be taken away from the Gates page: which buttons there are, and which sentence stands in for one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lstm_core import figure_file, report
from pages.common import detail
from pages.common.gates import take_away

ROOT = Path(__file__).resolve().parents[2]


def opened(text: str, model: str = "family-rnn") -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "gates.py"), default_timeout=60)
    app.query_params["model"], app.query_params["text"] = model, text
    app.session_state["take_away"] = True
    app.run()
    assert not app.exception, app.exception
    return app


def labels(app: AppTest) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]


def said(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_every_number_every_picture_and_the_report() -> None:
    app = opened("hello")
    pictures = ["Interactive page (HTML)", *(["Picture (PDF)"] if figure_file.can_draw() else [])]
    report = ["Offline report (HTML)", "Page that reads (HTML)"]
    assert labels(app) == ["Numbers (NPZ)", "Numbers (CSV)", "Numbers (Parquet)", *report, *pictures]
    assert "lc.Trace.load" in said(app)


def test_without_a_chromium_there_is_no_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_file, "can_draw", lambda: False)
    assert "Picture (PDF)" not in labels(opened("hello"))


def test_a_long_text_gets_sentences_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_away, "MOST_ROWS", 1000)
    monkeypatch.setattr(detail, "MOST_DRAWN", 1000)
    monkeypatch.setattr(report, "LARGEST", 200_000)
    app = opened("hello " * 50)
    assert labels(app) == ["Numbers (NPZ)"]
    for sentence in (
        "No page that reads: a page with the weights of",
        "As CSV or Parquet, one number a row, this would be 63,128 rows, more than 1,000: take the NPZ",
        "No offline report: a report of 300 characters read by",
        "Zoomable heatmaps of so long a text are too much for a browser",
    ):
        assert sentence in said(app).replace("\\", ""), sentence
