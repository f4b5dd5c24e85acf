"""Pickles as data: what Python would read of plain objects, notes of everything else."""

from __future__ import annotations

import collections
import decimal
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.convert import ConvertError
from lstm_core.convert.pickled import Inert, Name, Unpickler

LEAVES = (
    st.none() | st.booleans() | st.integers(-(1 << 60), 1 << 60) | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None), max_size=9) | st.binary(max_size=9)
)  # fmt: skip
KEYS = st.text(max_size=5) | st.integers(-(1 << 50), 1 << 50) | st.none() | st.booleans()
PLAIN = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=4)
)


@pytest.mark.parametrize("protocol", range(6))
@given(value=PLAIN)
def test_plain_data_is_read_as_python_reads_it(protocol: int, value: Any) -> None:
    pickled = pickle.dumps(value, protocol)
    reader = Unpickler(pickled + b"more")
    assert _comparable(reader.load()) == _comparable(value)
    assert reader.position == len(pickled)


def _comparable(value: Any) -> Any:
    """Equal for equal values of equal types; 1, 1.0 and True differ."""
    if isinstance(value, (list, tuple)):
        return type(value), [_comparable(inner) for inner in value]
    if isinstance(value, dict):
        return [(_comparable(key), _comparable(inner)) for key, inner in value.items()]
    return type(value), value


@pytest.mark.parametrize("protocol", range(6))
def test_containers_of_the_standard_library(protocol: int) -> None:
    shared = ["x"]
    value = {
        "ordered": collections.OrderedDict(b=1, a=2),
        "counter": collections.Counter("aab"),
        "default": collections.defaultdict(list, {"k": [1]}),
        "bytes": b"\x00\xff",
        "twice": [shared, shared],
    }
    read = Unpickler(pickle.dumps(value, protocol)).load()
    assert list(read["ordered"].items()) == [("b", 1), ("a", 2)]
    assert (read["counter"], read["default"], read["bytes"]) == ({"a": 2, "b": 1}, {"k": [1]}, b"\x00\xff")
    assert read["twice"][0] is read["twice"][1]


def test_sets_have_no_order() -> None:
    for protocol in (2, 4):
        read = Unpickler(pickle.dumps([{1, 2}, frozenset("a")], protocol)).load()
        assert [note.kind.name for note in read] == ["set", "frozenset"]


def test_a_call_is_a_note() -> None:
    note = Unpickler(pickle.dumps(decimal.Decimal("1.5"))).load()
    assert isinstance(note, Inert)
    assert (note.kind, note.args) == (Name("decimal", "Decimal"), ("1.5",))


class Thing:
    def __init__(self) -> None:
        self.name, self.parts = "thing", [1, 2]


@pytest.mark.parametrize("protocol", range(6))
def test_an_object_is_its_class_and_its_state(protocol: int) -> None:
    note = Unpickler(pickle.dumps(Thing(), protocol)).load()
    assert isinstance(note, Inert) and note.state == {"name": "thing", "parts": [1, 2]}


def test_python_2s_text_and_instances() -> None:
    pickled = b"(dp0\nS'chars'\np1\nS'ab\\n'\np2\nsS'net'\n(i__main__\nNet\np3\n(dS'n'\nI3\nsbs."
    read = Unpickler(pickled).load()
    assert read["chars"] == "ab\n"
    assert (read["net"].kind, read["net"].state) == (Name("__main__", "Net"), {"n": 3})


@pytest.mark.parametrize(
    "pickled, sentence",
    [
        (b"", "ends in its middle"),
        (b"\xfe", r"at byte 0 stands b'\\xfe', which means nothing"),
        (b".", "uses a value that it never made"),
        (b"t.", "closes what it never opened"),
        (b"h\x05.", "recalls number 5, which it never kept"),
        (b"N]a.", "appends to a NoneType"),
        (b"](K\x01u.", "puts keys into a list"),
        (b"}(K\x01u.", "a key without a value"),
        (b"Ix\n.", "is no whole number"),
        (b"Fx\n.", "is no number"),
        (b"S'x\n.", "a text has no end"),
        (b"\x80\x06.", "protocol 6; 0 to 5 are read"),
        (b"\x8a\xff" + bytes(255) + b".", "a whole number of 255 bytes"),
        (b"]]\x93.", "names a class by something that is no name"),
        (b"\x80\x02cos\nsystem\nNR.", "without a list of arguments"),
    ],
)
def test_what_is_no_pickle(pickled: bytes, sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence):
        Unpickler(pickled).load()
