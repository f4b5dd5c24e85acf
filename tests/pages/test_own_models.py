"""A session's own models: how they are named, how many there may be, and what is kept of what was computed with them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch

import lstm_core as lc
from pages.common import address, caches, own_models
from pages.common.own_models import PREFIX, OwnModelError
from pages.common.selection import Selection

PAGES = Path(__file__).resolve().parents[2] / "pages"


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> dict:
    """A session of its own, without a browser."""
    state: dict = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def test_a_model_is_added_under_a_tidy_name_and_not_changed(make_model: Callable[..., lc.CharModel]) -> None:
    model = make_model(name="my_model: **1**")
    name = own_models.add(model, "trained here")
    assert name == "mine: my-model- -1" and model.name == "my_model: **1**"
    assert caches.model(name).name == name
    assert caches.model(name).head.weight is model.head.weight, "the weights are not copied"
    assert caches.models()[0][name].config == model.config
    assert own_models.all_own()[name].kind == "trained here"
    assert own_models.add(model, "again") == f"{name} 2"
    assert caches.read(name, "abc").model == name
    assert caches.certificate(name, "abc").holds


@pytest.mark.parametrize(
    "wish, tidy",
    [
        ("", "model"),
        ("../../etc/passwd", "etc-passwd"),
        ("mine: mine: a", "mine- a"),
        ("a,b:c|d`e", "a-b-c-d-e"),
        ("Ünïcode 日本", "Ünïcode 日本"),
        ("x" * 100, "x" * 40),
        ("\u202eabc\n\n d", "abc- d"),
    ],
)
def test_names_are_tidied(wish: str, tidy: str) -> None:
    assert own_models.tidied(wish) == tidy


def test_too_many_and_too_large_are_refused(make_model: Callable[..., lc.CharModel], monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(name="m")
    for _ in range(own_models.MOST_MODELS):
        own_models.add(model, "t")
    with pytest.raises(OwnModelError, match="8 models of your own are kept at most"):
        own_models.add(model, "t")
    own_models.remove("mine: m")
    monkeypatch.setattr(own_models, "MOST_WEIGHTS", 3000)
    with pytest.raises(OwnModelError, match="3,000 are kept at most"):
        own_models.add(model, "t")


def test_results_are_computed_once_and_forgotten_with_the_model(make_model: Callable[..., lc.CharModel]) -> None:
    name = own_models.add(make_model(name="m"), "t")
    first = caches.read(name, "abc")
    assert caches.read(name, "abc") is first
    own_models.remove(name)
    own_models.add(make_model("gru", name="m"), "t")
    assert caches.read(name, "abc").cell.name == "gru"
    renamed = own_models.rename(name, "other")
    assert caches.read(renamed, "abc").model == renamed == "mine: other"
    with pytest.raises(lc.CheckpointError, match="there is no model 'mine: m'"):
        caches.model(name)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def compute(name: str, number: int) -> np.ndarray:
        calls.append(number)
        return np.zeros(100, np.float64)

    kept = caches.cached(3)(compute)
    for number in range(5):
        kept("mine: m", number)
    results = own_models._session().results
    assert [key[1][1] for key in results] == [2, 3, 4], "three of this function, the newest"
    kept("mine: m", 2)
    assert calls == [0, 1, 2, 3, 4]
    monkeypatch.setattr(own_models, "MOST_BYTES", 1700)
    kept("mine: m", 7)
    assert [key[1][1] for key in results] == [2, 7], "two of 800 bytes, the last used"


def test_shared_results_are_shared_and_own_ones_are_not(session: dict) -> None:
    calls: list[str] = []

    def compute(name: str) -> int:
        calls.append(name)
        return len(calls)

    kept = caches.cached(8)(compute)
    assert kept("family-rnn") == kept("family-rnn") == 1
    assert kept(PREFIX + "m") == 2
    session.clear()
    assert kept("family-rnn") == 1
    assert kept(PREFIX + "m") == 3, "another session computes with its own model"
    assert kept.__wrapped__ is compute


def test_the_size_of_a_trace_is_that_of_its_arrays(make_model: Callable[..., lc.CharModel]) -> None:
    trace = lc.trace(make_model(), "abcd")
    arrays = [trace.ids, trace.probs, *trace.values.values(), *trace.initial.values.values()]
    arrays += [*trace.final.values.values(), trace.final.probs]
    assert own_models.size_of((trace, 3)) == sum(a.nbytes for a in arrays)


def test_a_large_model_reads_as_much_as_there_is_room_for(
    make_model: Callable[..., lc.CharModel], monkeypatch: pytest.MonkeyPatch, session: dict
) -> None:
    name = own_models.add(make_model(name="large"), "t")
    assert caches.longest(name) == 20_000 == caches.longest("family-rnn")
    monkeypatch.setattr(own_models, "MOST_OF_TRACE", 4 * (16 * 6 + 27) * 50)
    assert caches.longest(name) == 50
    caches.check(name, "a" * 50)
    with pytest.raises(lc.TextError, match="1 × 16 units, .* at most 50 steps can be read at once, and the text has 51"):
        caches.check(name, "a" * 51)
    session["selection"] = Selection(name, "ab" * 40, step=60)
    address._cut_to_fit()
    assert session["selection"] == Selection(name, "ab" * 25)
    assert "Its first 50 characters are shown." in session[address.WARNINGS][0]


def test_a_text_of_many_bytes_is_cut_to_what_can_be_read(session: dict) -> None:
    name = own_models.add(lc.CharModel(lc.Vocabulary.of_bytes(), "gru", 4, name="bytes").eval(), "t")
    assert caches.steps(name, "né") == 3 and caches.steps(name, "") == 0
    session["selection"] = Selection(name, "日" * 10_000)
    address._cut_to_fit()
    assert session["selection"].text == "日" * 5_000
    address._cut_to_fit()
    assert len(session[address.WARNINGS]) == 1, "what fits is left alone"


def test_no_page_shares_what_is_computed_with_a_named_model() -> None:
    """st.cache_resource is shared by all sessions, by name: what asks for a model or a trace goes through caches.cached."""
    asking = set()
    for path in sorted(PAGES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and any("st.cache_" in ast.unparse(each) for each in node.decorator_list):
                used = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
                asking |= {f"{path.stem}.{node.name}"} if used & {"model", "read", "certificate", "open_checkpoint"} else set()
    assert asking == {"caches._files", "lessons_panel._measured"}, "and these are about files and lessons of shipped models"


def test_a_model_that_overflows_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """On every page, for all of them read by `caches.read`."""
    model = lc.CharModel("abc", lc.cell("rnn").with_functions({"tanh": "linear"}), units=4, name="wild")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(50.0)
    name = own_models.add(model, "by hand")
    said: list[str] = []
    monkeypatch.setattr(st, "text", said.append)

    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    monkeypatch.setattr(st, "stop", stop)
    assert np.isfinite(caches.read(name, "ab")["hidden"]).all() and not said
    with pytest.raises(Stopped), np.errstate(all="ignore"):
        caches.read(name, "abc" * 30)
    assert said == [f"⚠ The numbers of {name} grow beyond all bounds on this text: take a shorter one, or another model."]
