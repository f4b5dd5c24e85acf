"""Models on disk: what is kept comes back; what is damaged, foreign or hostile gets one sentence and runs nothing."""

from __future__ import annotations

import json
import math
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core import model_file

make = Callable[..., lc.CharModel]
TEXT = "the clouds are in the sky"


@pytest.fixture(scope="module")
def whole(make_model: make) -> bytes:
    """The bytes of a small sound checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "whole.safetensors")
        lc.save(make_model("lstm", 3, vocabulary="abc "), path)
        return path.read_bytes()


def pieces(data: bytes) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """A checkpoint's own header and its tensors."""
    size = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["gatescope"]), safetensors.torch.load(data)


def packed(header: Any, tensors: dict[str, torch.Tensor]) -> bytes:
    text = header if isinstance(header, str) else json.dumps(header)
    return safetensors.torch.save(tensors, {"gatescope": text})


def raw(header: str | bytes, data: bytes = b"") -> bytes:
    """A safetensors file of any header, true or not."""
    encoded = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(encoded)) + encoded + data


def refused(tmp_path: Path, data: bytes, sentence: str = "") -> None:
    """Loading and listing both refuse these bytes with one short sentence."""
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    with pytest.raises(lc.CheckpointError, match=sentence) as caught:
        lc.load(path)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


# What is kept comes back.


@pytest.mark.parametrize("embedding, head_bias, bias", [(None, True, True), (5, False, True), (None, True, False)])
@pytest.mark.parametrize("cell", lc.cells())
def test_round_trip(make_model: make, tmp_path: Path, cell: str, embedding: int | None, head_bias: bool, bias: bool) -> None:
    model = make_model(cell, 6, 2, embedding=embedding, head_bias=head_bias, bias=bias, dropout=0.25, name="été \ud800")
    model.card = {"corpus": "clouds", "held_out_loss": 1.5, "history": [{"step": 1}]}
    path = tmp_path / "model.safetensors"
    lc.save(model, path)
    again = lc.load(path)
    assert (again.name, again.card, again.config, again.vocabulary) == (model.name, model.card, model.config, model.vocabulary)
    assert not again.training
    assert all(p.requires_grad and p.dtype == torch.float32 for p in again.parameters())
    assert (lc.trace(again, TEXT).probs == lc.trace(model, TEXT).probs).all()
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_any_vocabulary_comes_back(make_model: make, tmp_path: Path) -> None:
    vocabulary = lc.Vocabulary("\x00\ud800\n\"'\\👍é\u0301\u202e ", unknown="👍")
    lc.save(make_model("gru", vocabulary=vocabulary.characters), tmp_path / "model.safetensors")
    lc.save(lc.CharModel(vocabulary, "gru", 2), tmp_path / "model.safetensors")
    assert lc.load(tmp_path / "model.safetensors").vocabulary == vocabulary


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_other_float_formats_become_float32(whole: bytes, tmp_path: Path, dtype: torch.dtype) -> None:
    header, tensors = pieces(whole)
    path = tmp_path / "model.safetensors"
    path.write_bytes(packed(header, {k: v.to(dtype) for k, v in tensors.items()}))
    assert {p.dtype for p in lc.load(path).parameters()} == {torch.float32}


def test_a_loaded_model_does_not_hang_on_its_file(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(whole)
    model = lc.load(path)
    before = lc.trace(model, "abc").probs
    path.write_bytes(bytes(len(whole)))
    assert (lc.trace(model, "abc").probs == before).all()


@pytest.mark.parametrize("length", [0x380, 0x480, 0x580])
def test_a_header_as_long_as_a_pickles_first_bytes_is_no_pickle(make_model: make, tmp_path: Path, length: int) -> None:
    """A safetensors file begins with the length of its header: some lengths spell the start of a pickle."""
    model, path = make_model("rnn", 2, vocabulary="ab", name=""), tmp_path / "model.safetensors"
    lc.save(model, path)
    model.name = "x" * (length - int.from_bytes(path.read_bytes()[:8], "little"))
    lc.save(model, path)
    assert int.from_bytes(path.read_bytes()[:8], "little") == length
    assert lc.load(path).name == model.name


def test_a_save_that_fails_leaves_the_old_file(make_model: make, tmp_path: Path) -> None:
    path, model = tmp_path / "model.safetensors", make_model("rnn")
    lc.save(model, path)
    before = path.read_bytes()
    model.card = {"not JSON": object()}
    with pytest.raises(TypeError):
        lc.save(model, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


# What is shipped.


@pytest.mark.parametrize("info", lc.models(), ids=lambda info: info.name)
def test_shipped_models_load_under_the_names_that_are_listed(info: lc.ModelInfo) -> None:
    model = lc.load(info.name)
    assert model.name == info.name == info.path.stem
    assert (model.config, model.card, len(model.vocabulary)) == (info.config, info.card, info.vocabulary)
    assert {"corpus", "sha256", "split", "steps", "held_out_loss", "versions"} <= set(info.card)


@pytest.mark.parametrize(
    "name", ["nobody", "", ".", "..", "../../assets/models/family-lstm", "/etc/passwd", "a\0b", "n" * 5000, "x.pt", "👍"]
)
def test_a_name_that_is_not_shipped_gets_a_sentence_with_those_that_are(name: str) -> None:
    with pytest.raises(lc.CheckpointError, match="there is no model .*; shipped are .*, or give a .safetensors file"):
        lc.load(name)


@pytest.mark.parametrize("name", ["none.safetensors", "a\0b.safetensors", "n" * 5000 + ".safetensors", "👍.safetensors"])
def test_a_path_that_is_not_there_gets_a_sentence(name: str) -> None:
    with pytest.raises(lc.CheckpointError):
        lc.load(name)


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(lc.CheckpointError, match="folder.safetensors"):
        lc.load(tmp_path / "folder.safetensors")


# Damage.


def test_every_truncation_is_refused(whole: bytes, tmp_path: Path) -> None:
    for length in {*range(64), *range(64, len(whole), 37), len(whole) - 1}:
        refused(tmp_path, whole[:length], "is not a whole safetensors file")


def test_more_than_the_whole_is_refused(whole: bytes, tmp_path: Path) -> None:
    refused(tmp_path, whole + b"\0", "is not a whole safetensors file")


def survives(data: bytes) -> None:
    """Either a model of finite weights comes out, or one sentence: never anything else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bits.safetensors")
        path.write_bytes(data)
        try:
            model = lc.load(path)
        except lc.CheckpointError:
            return
        assert all(torch.isfinite(p).all() for p in model.parameters())
        assert np.isfinite(lc.trace(model, "abc").probs).all()


@given(st.data())
def test_flipped_bits_never_crash(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for bit in data.draw(st.lists(st.integers(0, 8 * len(whole) - 1), min_size=1, max_size=8)):
        damaged[bit // 8] ^= 1 << bit % 8
    survives(bytes(damaged))


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_never_crash(data: bytes, framed: bool) -> None:
    survives(raw(data) if framed else data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_any_header_never_crashes(whole: bytes, data: st.DataObject) -> None:
    header, tensors = pieces(whole)
    place = data.draw(st.sampled_from([header, header["config"]]))
    key = data.draw(st.sampled_from(sorted(place)))
    place[key] = data.draw(JSON)
    survives(packed(header, tensors))


# What the header says.


def changed(whole: bytes, **changes: Any) -> bytes:
    header, tensors = pieces(whole)
    for key, value in changes.items():
        (header["config"] if key in header["config"] else header)[key] = value
    return packed(header, tensors)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"cell": "lstn"}, "there is no cell 'lstn'; there are .*lstm"),
        ({"cell": "x" * 10_000}, "there is no cell"),
        ({"cell": 5}, "gives 'cell' as 5"),
        ({"format": 2}, "has format 2; this version reads format 1"),
        ({"format": "1"}, "has no 'format' of kind int"),
        ({"name": None}, "has no 'name' of kind str"),
        ({"card": []}, "has no 'card' of kind dict"),
        ({"units": 4}, r"'head.weight' has shape \[4, 3\], it must be \[4, 4\]"),
        ({"units": 0}, "claims units = 0; it must be 1 to 8192"),
        ({"units": -3}, "claims units = -3"),
        ({"units": True}, "gives 'units' as True"),
        ({"units": 10**4000}, "claims units = 1000"),
        ({"layers": 2}, "lacks the weights 'rnn.bias_hh_l1'"),
        ({"embedding": 3}, "lacks the weights 'embedding.weight'"),
        ({"bias": False}, "holds weights 'rnn.bias_hh_l0', which a LSTM of its sizes does not have"),
        ({"dropout": 1}, "claims dropout = 1; it must be at least 0 and less than 1"),
        ({"dropout": math.nan}, "claims dropout = nan"),
        ({"vocabulary": []}, "a vocabulary needs at least one character"),
        ({"vocabulary": list("ab ")}, r"'head.bias' has shape \[4\], it must be \[3\]"),
        ({"vocabulary": list("abca")}, "'a' is there 2 times"),
        ({"vocabulary": ["a", "b", "cd", " "]}, "'cd' is not: give it a character of its own"),
        ({"vocabulary": ["a", "b", 3, " "]}, "3 is not: give it a character of its own"),
        ({"vocabulary": "abc "}, "has no 'vocabulary' of kind list"),
        ({"unknown": "z"}, "the unknown character 'z' is not in the vocabulary"),
    ],
)
def test_headers_that_claim_what_is_not_so(whole: bytes, tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    refused(tmp_path, changed(whole, **changes), sentence)


@pytest.mark.parametrize(
    "header, sentence",
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000 + "]" * 100_000, "is not JSON"),
        ('{"format": ' + "9" * 5000 + "}", "is not JSON"),
        ("[]", "has no 'format' of kind int"),
        ("null", "has no 'format' of kind int"),
        ("{}", "has no 'format' of kind int"),
    ],
)
def test_a_header_that_is_not_ours(whole: bytes, tmp_path: Path, header: str, sentence: str) -> None:
    refused(tmp_path, packed(header, pieces(whole)[1]), sentence)


# What the weights are.


def with_weights(whole: bytes, change: Callable[[dict[str, torch.Tensor]], object]) -> bytes:
    header, tensors = pieces(whole)
    change(tensors)
    return packed(header, tensors)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["head.weight", "rnn.weight_hh_l0", "rnn.bias_ih_l0"])
def test_weights_that_are_not_finite(whole: bytes, tmp_path: Path, name: str, value: float) -> None:
    data = with_weights(whole, lambda tensors: tensors[name].view(-1)[1:2].fill_(value))
    refused(tmp_path, data, f"{name!r} holds values that are not finite numbers")


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda t: t.pop("head.bias"), "lacks the weights 'head.bias'"),
        (lambda t: t.update(extra=torch.zeros(2)), "holds weights 'extra', which a LSTM of its sizes does not have"),
        (lambda t: t.update({"head.bias": torch.zeros(5)}), r"'head.bias' has shape \[5\], it must be \[4\]"),
        (lambda t: t.update({"head.bias": torch.zeros(4, dtype=torch.int64)}), "'head.bias' holds I64; it must hold F32"),
        (lambda t: t.update({"head.bias": torch.zeros(4).to(torch.float8_e4m3fn)}), "'head.bias' holds F8_E4M3; it must"),
        (lambda t: t.update({"head.bias": torch.full((4,), 1e300, dtype=torch.float64)}), "not finite numbers"),
        (lambda t: t.update({"rnn.weight_ih_l0": t["rnn.weight_ih_l0"].T.contiguous()}), r"has shape \[4, 12\]"),
    ],
)
def test_weights_that_do_not_fit(whole: bytes, tmp_path: Path, change: Callable, sentence: str) -> None:
    refused(tmp_path, with_weights(whole, change), sentence)


# Other people's files, and hostile ones.


class Hostile:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_never_run(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "mark"
    refused(tmp_path, pickle.dumps(Hostile(mark), protocol), "pickle" if protocol > 1 else "not a whole safetensors file")
    assert not mark.exists()
    pickle.loads(pickle.dumps(Hostile(mark), protocol))
    assert mark.exists()  # so it would have been seen


@pytest.mark.parametrize("zipped", [True, False])
def test_a_torch_checkpoint_is_refused_and_never_run(tmp_path: Path, zipped: bool) -> None:
    mark, path = tmp_path / "mark", tmp_path / "model.pt"
    torch.save({"weights": torch.zeros(2), "trap": Hostile(mark)}, path, _use_new_zipfile_serialization=zipped)
    refused(tmp_path, path.read_bytes(), "is a pickle or a zip archive, not safetensors; it is not opened")
    assert not mark.exists()


def test_a_zip_is_refused(tmp_path: Path, whole: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("model.safetensors", whole)
    refused(tmp_path, (tmp_path / "model.zip").read_bytes(), "is a pickle or a zip archive")


def test_somebody_elses_safetensors_is_refused(tmp_path: Path) -> None:
    tensors = {"weight": torch.zeros(3)}
    refused(tmp_path, safetensors.torch.save(tensors), "not one of Gatescope's: it has no 'gatescope' header")
    refused(tmp_path, safetensors.torch.save(tensors, {"format": "pt"}), "not one of Gatescope's")


HUGE = """
import resource, sys
from pathlib import Path
import lstm_core as lc

lc.load(sys.argv[1])  # a sound one first: whatever loads on first use is there before memory is limited
size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 29), size + (1 << 29)))
for path in sys.argv[2:]:
    try:
        lc.load(path)
    except lc.CheckpointError as error:
        print(error)
    else:
        print("loaded")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited and measured in Linux's way")
def test_claims_of_hugeness_take_no_memory(whole: bytes, tmp_path: Path) -> None:
    """Each file is loaded with half a gigabyte to spare; the sizes they claim would take from 1 to 10,000."""
    tensors = pieces(whole)[1]
    characters = [chr(0x4E00 + k) for k in range(20_000)]
    large_tensor = '{"a": {"dtype": "F32", "shape": [1000000, 1000000], "data_offsets": [0, 4000000000000]}}'
    hostile = {
        "units": changed(whole, units=8192, layers=32),
        "embedding": changed(whole, embedding=65536, vocabulary=characters, unknown=characters[0]),
        "vocabulary": changed(whole, vocabulary=characters * 10),
        "tensor": raw(large_tensor),
        "overflow": raw(large_tensor.replace("1000000,", str(2**63) + ",")),
        "header": struct.pack("<Q", 1 << 62) + whole[8:],
        "nested": raw("[" * 10_000_000),
        "spaces": raw(" " * (model_file.LARGEST_HEADER + 8)),
        "bomb": packed("[" * 5_000_000, tensors),
    }
    for name, data in hostile.items():
        (tmp_path / f"{name}.safetensors").write_bytes(data)
    with (tmp_path / "sparse.safetensors").open("wb") as file:
        file.truncate(1 << 40)
    paths = sorted(tmp_path.iterdir())
    sound = tmp_path / "sound.safetensors"
    sound.write_bytes(whole)
    command = [sys.executable, "-c", HUGE, sound, *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == len(paths)
    assert [line for line in said if "safetensors" not in line] == []
