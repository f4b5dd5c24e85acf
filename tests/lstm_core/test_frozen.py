"""Records that are pickled, copied and handed to another process: the same numbers, and again read-only."""

from __future__ import annotations

import copy
import dataclasses
import multiprocessing
import pickle
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import lstm_core as lc
from lstm_core import trace_file
from lstm_core.analysis.explain import explain
from lstm_core.analysis.gradients import gradients
from lstm_core.frozen import read_only

TEXT = "to be or not"
WAYS: dict[str, Callable[[Any], Any]] = {"copy": copy.copy, "deepcopy": copy.deepcopy} | {
    f"protocol {k}": lambda value, k=k: pickle.loads(pickle.dumps(value, k)) for k in range(2, 6)
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def same(one: Any, other: Any) -> None:
    """Fails where two values differ in type, in a number, or in what may be written to."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype and one.flags.writeable == other.flags.writeable
    elif isinstance(one, Mapping):
        assert list(one) == list(other)
        for name in one:
            same(one[name], other[name])
    elif dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            same(getattr(one, field.name), getattr(other, field.name))
    else:
        assert one == other


@pytest.fixture(scope="module")
def records(make_model: Callable[..., lc.CharModel]) -> dict[str, Any]:
    model = make_model("lstm", 4, 2)
    trace = lc.trace(model, TEXT, clamps=[lc.Clamp("forget", 0.5, layer=1, units=(2,), start=3)])
    free = lc.trace(model, TEXT)
    return {
        "Trace": trace, "State": trace.final, "Clamp": trace.clamps[0], "Cell": model.cell, "Signal": model.cell["hidden"],
        "Vocabulary": model.vocabulary, "Certificate": lc.certify(model, free), "ModelInfo": lc.models()[0],
        "Gradients": gradients(model, free), "Explanation": explain(model, free, 0, 3, 1),
    }  # fmt: skip


@each_way
def test_what_the_core_returns_comes_back_as_it_was(records: dict[str, Any], way: Callable[[Any], Any]) -> None:
    for name, record in records.items():
        assert type(record).__name__ == name
        same(record, way(record))


@each_way
def test_a_copied_trace_cannot_be_written_to_and_goes_on(
    make_model: Callable[..., lc.CharModel], way: Callable[[Any], Any]
) -> None:
    model = make_model("lstm", 4, 2)
    trace = lc.trace(model, TEXT)
    again = way(trace)
    for array in (again["forget"], again.initial["cell"], again.final["cell"], again.final.probs, again.probs, again.ids):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for mapping in (again.values, again.initial.values, again.final.values):
        assert isinstance(mapping, MappingProxyType)
    same(lc.trace(model, " that", again.final), lc.trace(model, " that", trace.final))


@each_way
def test_a_state_that_may_be_written_to_stays_so(way: Callable[[Any], Any]) -> None:
    state = lc.State({"hidden": np.zeros((1, 2), np.float32)}, np.ones(3, np.float32))
    same(state, way(state))
    way(state)["hidden"][...] = 1


def test_a_read_only_mapping_holds_the_arrays_themselves() -> None:
    arrays = {"a": np.zeros(2)}
    assert read_only(arrays)["a"] is arrays["a"]
    with pytest.raises(ValueError, match="read-only"):
        arrays["a"][0] = 1


def test_another_process_takes_a_trace_and_gives_it_back(records: dict[str, Any]) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        data = pool.apply(trace_file.to_npz, (records["Trace"],))
        same(pool.apply(copy.copy, (records["Trace"],)), records["Trace"])
    assert data == trace_file.to_npz(records["Trace"])


def test_a_notebook_completes_the_names_of_signals(records: dict[str, Any]) -> None:
    assert records["Trace"]._ipython_key_completions_() == [*records["Trace"].signals]
