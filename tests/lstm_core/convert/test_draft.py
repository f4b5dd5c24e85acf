"""A draft holds together, or is refused in a sentence; formats are told by their content."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lstm_core import convert
from lstm_core.cells import cell
from lstm_core.convert import ConvertError, Draft
from lstm_core.convert.draft import LARGEST_ARRAY, LARGEST_FILE, MOST_ARRAYS, numbers

ROOT = Path(__file__).resolve().parents[3]
SHAPES = {"rnn.weight_ih_l0": (8, 3), "rnn.weight_hh_l0": (8, 2), "head.weight": (3, 2), "head.bias": (3,)}


def draft(shapes: dict[str, tuple[int, ...]] = SHAPES, **more) -> Draft:
    rng = np.random.default_rng(0)
    arrays = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    given = {"units": 2, "layers": 1, "embedding": None, "size": 3, **more}
    return Draft("a test", cell("lstm"), parameters=arrays, **given)


def test_a_draft_becomes_a_model_with_its_weights_and_a_card() -> None:
    made = draft(detected=(("cell", "LSTM"),), ignored=("a buffer",))
    model = made.model("abc", "mine")
    assert (model.name, model.training, model.rnn.bias, model.head.bias is not None) == ("mine", False, False, True)
    assert model.card == {"source": "a test", "detected": {"cell": "LSTM"}, "ignored": ["a buffer"]}
    for name, parameter in model.state_dict().items():
        np.testing.assert_array_equal(parameter.numpy(), made.parameters[name])


@pytest.mark.parametrize("vocabulary, sentence", [
    (None, "the file holds no vocabulary: name the 3 characters"),
    ("ab", "the vocabulary has 2 characters, but the model predicts 3"),
    ("aba", "a vocabulary holds each character once"),
])  # fmt: skip
def test_a_vocabulary_that_does_not_fit(vocabulary: str | None, sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence):
        draft().model(vocabulary)


@pytest.mark.parametrize("change, sentence", [
    ({"units": 9000}, "has units = 9,000; it must be 1 to 8,192"),
    ({"size": 70_000}, "has vocabulary = 70,000; it must be 1 to 65,536"),
    ({"layers": 2}, "rnn.weight_hh_l1 has shape none: it is missing"),
    ({"shapes": {**SHAPES, "head.weight": (2, 3)}}, r"head.weight has shape \(2, 3\); a LSTM of 1 layers x 2 units"),
    ({"shapes": {**SHAPES, "extra": (1,)}}, r"extra has shape \(1,\).* has no such weights"),
])  # fmt: skip
def test_a_draft_that_contradicts_itself(change: dict, sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence):
        draft(**change)


@pytest.mark.parametrize("array, sentence", [
    (np.array(["a"]), "w holds <U1, not real numbers"),
    (np.array([1j]), "not real numbers"),
    (np.array([True]), "not real numbers"),
    (np.array([np.inf]), "not finite"),
    (np.array([1e300]), "not finite"),
    (np.broadcast_to(np.float32(0), (LARGEST_ARRAY + 1,)), "numbers; at most"),
])  # fmt: skip
def test_what_are_no_weights(array: np.ndarray, sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence):
        numbers("w", array)


@pytest.mark.parametrize("dtype", ["f2", "f8", ">f4", "i8", "u1"])
def test_numbers_become_float32(dtype: str) -> None:
    converted = numbers("w", np.array([[1, 2], [3, 4]], dtype).T)
    assert converted.dtype == np.float32 and converted.flags.c_contiguous and converted.flags.owndata is not None
    np.testing.assert_array_equal(converted, [[1, 3], [2, 4]])


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", bytes(100)])
def test_other_formats_are_refused(data: bytes) -> None:
    with pytest.raises(ConvertError, match="'x.pt' is of no format that can be read|damaged"):
        convert.read(data, "x.pt")


def test_an_archive_of_very_many_members_is_refused_without_its_list_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for k in range(MOST_ARRAYS + 1):
            archive.writestr(f"{k}.npy", b"")
    monkeypatch.delattr(zipfile, "ZipFile")
    with pytest.raises(ConvertError, match="'x.npz' has 4,097 members; at most 4,096 are read"):
        convert.read(buffer.getvalue(), "x.npz")


def test_an_embedded_draft_is_made_without_a_compiler() -> None:
    shapes = {**SHAPES, "embedding.weight": (3, 3)}
    code = f"""import sys
from tests.lstm_core.convert.test_draft import draft
draft({shapes}, embedding=3).model("abc")
assert "torch._inductor" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_words_of_a_file_are_legible_wherever_they_are_shown() -> None:
    assert str(ConvertError("“\x1b[2J\ud800\u202e💥é” is damaged")) == r"“\x1b[2J\ud800\u202e💥é” is damaged"
    made = draft(detected=(("a\n", "b\0"),), ignored=("\ud800",))
    assert (made.detected, made.ignored) == (((r"a\n", r"b\x00"),), (r"\ud800",))


def test_files_that_are_too_large_are_refused() -> None:
    with pytest.raises(ConvertError, match="'x.pt' has 64 MB; at most 64 MB"):
        convert.read(bytes(LARGEST_FILE + 1), "x.pt")
    with pytest.raises(ConvertError, match="'vocab.json' has 64 MB"):
        convert.read(b"", "x.pt", {"vocab.json": bytes(LARGEST_FILE + 1)})
