"""What the drawing is made alive with, filled in JavaScript from the engine's reading, against what Python sends of a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

import lstm_core as lc
from lstm_core.browser import engine, inside, live
from lstm_core.browser.stored import columns
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from tests.lstm_core.browser.test_engine import PASSAGES, answers_of
from tests.lstm_core.browser.test_live import edits

TEXT = "the clouds are in the sky"


def answers(folder: Path, cases: list[Any]) -> Any:
    return answers_of("drawing_runner.js", folder, cases)


def case(folder: Path, model: CharModel, texts: list[str], layer: int) -> dict[str, Any]:
    meta, weights = engine.payload(model)
    (folder / f"{model.name}.bin").write_bytes(weights)
    trace = lc.trace(model, texts[-1])
    sent = inside.payload(trace, model, layer, 0, whole=True)
    tables = {name: columns(table) for name, table in sent.items() if isinstance(table, pa.Table)}
    return {
        "meta": meta,
        "weights": f"{model.name}.bin",
        "described": live.described(trace.model, trace, trace=trace),
        "drawing": inside.described(model, layer),
        "sent": {"meta": sent["meta"], "tables": tables},
        "texts": texts,
    }


def compare(found: dict[str, Any], tolerance: float, whose: str = "") -> None:
    assert found["different"] == [], whose
    largest = max(found["differences"].items(), key=lambda item: item[1])
    assert largest[1] <= tolerance, (whose, largest)
    ours, theirs = found["limits"]
    assert ours.keys() == theirs.keys()
    for spelling, (low, high, most) in ours.items():
        if low is None:
            assert theirs[spelling] == [None, None, None], "vectors put end to end have no limits of their own"
            continue
        assert most == pytest.approx(theirs[spelling][2], rel=10 * tolerance, abs=10 * tolerance)
        assert low == pytest.approx(theirs[spelling][0], rel=0.1), "one step of two digits, where rounding up tips over"
        assert high == pytest.approx(theirs[spelling][1], rel=0.1)


def test_shipped_models(tmp_path: Path) -> None:
    models = [lc.load(info.name) for info in lc.models()]
    cases = [case(tmp_path, model, edits(TEXT), layer) for model in models for layer in range(model.layers)]
    for each, found in zip(cases, answers(tmp_path, cases), strict=True):
        compare(found, 1e-5, each["meta"]["name"])


def test_limits_of_a_long_text_are_from_steps_spread_over_it(tmp_path: Path) -> None:
    model = lc.load("family-peephole")
    text = PASSAGES["War and Peace"][:700]
    [found] = answers(tmp_path, [case(tmp_path, model, [text[:500], text], 0)])
    compare(found, 1e-4)
    free = [spelling for spelling, (low, *_) in found["limits"][0].items() if low not in (None, 0, -1)]
    assert "p_f * cell@-1" in free and "cell" in free


def test_every_cell(make_model: Callable[..., CharModel], tmp_path: Path) -> None:
    models = [make_model(cell, 9, 2, embedding=3, name=cell) for cell in lc.cells()]
    cases = [case(tmp_path, model, edits(TEXT), layer) for model in models for layer in range(2)]
    for each, found in zip(cases, answers(tmp_path, cases), strict=True):
        compare(found, 1e-5, each["meta"]["name"])


def test_bytes_and_few_characters(tmp_path: Path) -> None:
    torch.manual_seed(0)
    for vocabulary in (Vocabulary.of_bytes(), Vocabulary("ab")):
        model = CharModel(vocabulary, "gru", 8, 1, name="strange").eval()
        [found] = answers(tmp_path, [case(tmp_path, model, ["né “日” 👍", "ab é👍"], 0)])
        compare(found, 1e-5)
