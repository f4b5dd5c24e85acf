"""One unit's equations, written in JavaScript from the engine's reading, against those from what Python sends of a trace."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import lstm_core as lc
from lstm_core.browser import engine, equations, inside
from lstm_core.browser.stored import columns
from lstm_core.clamp import Clamp
from lstm_core.formula import FUNCTIONS
from lstm_core.model import CharModel
from tests.lstm_core.browser.test_engine import PASSAGES, answers_of

WHOLE_TEXT = 1e-4  # as tests/lstm_core/browser/test_engine.py holds the engine over whole texts
LOOKS = [{"weights": w, "biases": b} for w, b in product(("one", "two"), ("within", "one", "two"))]
NUMBER = r"−?\d+(?:\.\d+)?"
NAMES = {FUNCTIONS[name].label: name for name in FUNCTIONS}


def answers(folder: Path, cases: list[Any]) -> Any:
    return answers_of("equations_runner.js", folder, cases)


def case(folder: Path, model: CharModel, text: str, layer: int, clamps: list[Clamp] | None = None) -> dict[str, Any]:
    """A case of the runner: at steps and units by chance, each with another look."""
    meta, weights = engine.payload(model)
    file = f"{model.name}.bin"
    (folder / file).write_bytes(weights)
    trace = lc.trace(model, text, clamps=clamps or [])
    sent = inside.payload(trace, model, layer, 0, whole=True)
    tables = {name: columns(table) for name, table in sent.items() if isinstance(table, pa.Table)}
    chance = random.Random(f"{model.name} {layer}")
    places = [(chance.randrange(trace.steps), chance.randrange(trace.units), look) for look in LOOKS for _ in range(3)]
    return {
        "meta": meta,
        "weights": file,
        "equations": equations.described(model),
        "layer": layer,
        "drawn": {"meta": sent["meta"], "tables": tables},
        "text": text,
        "clamps": [asdict(clamp) for clamp in clamps or ()],
        "places": places,
    }


def value_of(text: str) -> float:
    """What an expression of numbers gives, as it is written."""
    text = text.replace("−", "-").replace("×", "*")
    for label in sorted(NAMES, key=len, reverse=True):
        text = text.replace(f"{label}(", f"{NAMES[label]}(")
    assert re.fullmatch(r"[-+*().\d ]*", re.sub("|".join(NAMES.values()), "", text)), text
    return eval(text, {"__builtins__": {}}, {"sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh})


def decimals(number: str) -> int:
    return len(number.partition(".")[2])


def without_function(text: str) -> str:
    """The argument, where all of an expression is one function's."""
    for label in NAMES:
        if text.startswith(f"{label}(") and text.endswith(")"):
            return text[len(label) + 1 : -1]
    return text


def holds(text: str) -> None:
    """Holds every = of a chain to what is written: whoever works out one side, rounded as the other, gets the other."""
    *expressions, result = text.split(" = ")
    assert expressions and re.fullmatch(NUMBER, result), text
    assert all(abs(value_of(each) - value_of(result)) <= 0.5001 * 10.0 ** -decimals(result) for each in expressions), text
    for left, right in pairwise(map(without_function, expressions)):
        if re.fullmatch(NUMBER, right):
            assert abs(value_of(left) - value_of(right)) <= 0.5001 * 10.0 ** -decimals(right), text


def alike(one: str, other: str) -> None:
    """Holds two chains to each other: the same expressions, their numbers within rounding and what float32 drifts."""
    assert re.sub(NUMBER, "#", one) == re.sub(NUMBER, "#", other), (one, other)
    for a, b in zip(re.findall(NUMBER, one), re.findall(NUMBER, other), strict=True):
        size = max(1.0, abs(value_of(a)))
        assert abs(value_of(a) - value_of(b)) <= 10.0 ** -min(decimals(a), decimals(b)) + WHOLE_TEXT * size, (one, other)


def compare(found: list[Any], model: CharModel) -> list[bool]:
    """Holds both ways of one case to each other; returns, for each chain, whether the texts are the very same."""
    same = []
    for from_trace, from_reading in found:
        assert list(from_reading["chains"]) == list(model.cell.names)
        assert list(from_trace["bars"]) == list(from_reading["bars"])
        for name, chain in from_trace["chains"].items():
            other = from_reading["chains"][name]
            holds(chain["text"])
            holds(other["text"])
            alike(chain["text"], other["text"])
            assert other["value"] == pytest.approx(chain["value"], rel=WHOLE_TEXT, abs=WHOLE_TEXT)
            same.append(chain["text"] == other["text"])
        for name, bars in from_reading["bars"].items():
            *parts, total = bars
            assert abs(sum(map(value_of, parts)) - value_of(total)) <= 0.5001 * 10.0 ** -decimals(total), bars
            for one, two in zip(bars, from_trace["bars"][name], strict=True):
                alike(one, two)
    return same


def test_shipped_models(tmp_path: Path) -> None:
    models = [lc.load(info.name) for info in lc.models()]
    drawn = [(model, layer) for model in models for layer in range(model.layers)]
    cases = [case(tmp_path, model, PASSAGES["War and Peace"][:300], layer) for model, layer in drawn]
    for found, (model, layer) in zip(answers(tmp_path, cases), drawn, strict=True):
        same = compare(found, model)
        assert np.mean(same) > 0.8, f"{model.name}, {layer}: the same numbers, but for some last digits"


def test_every_cell(make_model: Callable[..., CharModel], tmp_path: Path) -> None:
    models = [make_model(cell, 9, 2, embedding=3, name=cell) for cell in lc.cells()]
    drawn = [(model, layer) for model in models for layer in range(2)]
    cases = [case(tmp_path, model, "the sky is in the clouds", layer) for model, layer in drawn]
    for found, (model, _) in zip(answers(tmp_path, cases), drawn, strict=True):
        compare(found, model)


def test_what_is_held_says_so(make_model: Callable[..., CharModel], tmp_path: Path) -> None:
    model = make_model("lstm", 6, 1)
    held = [Clamp("forget", 0.25, start=0)]
    [found] = answers(tmp_path, [case(tmp_path, model, "the sky", 0, held)])
    for ways in found:
        for chains in ways:
            assert re.match(r"0\.250, held; by itself it would be 0\.\d+$", chains["chains"]["forget"]["text"])


def test_what_is_described_is_json_and_what_the_drawing_gets(make_model: Callable[..., CharModel]) -> None:
    model = make_model("peephole_full", 5, 2)
    described = equations.described(model)
    assert json.loads(json.dumps(described))["rows"]["ch"]
    trace = lc.trace(model, "the")
    for layer in range(2):
        meta = inside.payload(trace, model, layer, 0)["meta"]
        assert {name: meta[name] for name in described} == described
