"""HDF5 in a process of its own: what is taken in, what is refused, and what a crash or a hang of its library comes to."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from lstm_core.convert import ConvertError, hdf5

Fill = Callable[[h5py.File], object]


def file(fill: Fill) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as opened:
        fill(opened)
    return buffer.getvalue()


def test_arrays_and_attributes_come_through_in_order() -> None:
    first, second = np.arange(6, dtype="f8").reshape(2, 3), np.array([[7, 8]], dtype=">i2")

    def fill(opened: h5py.File) -> None:
        opened.attrs["text"], opened.attrs["bytes"], opened.attrs["number"] = "été", b"abc", np.int64(3)
        opened.create_group("b").create_dataset("x:0", data=first, compression="gzip", shuffle=True)
        opened["b"].attrs["names"] = [b"x:0", b"y:0"]
        opened.create_dataset("a", data=second)
        opened.create_dataset("empty", shape=(0, 3), dtype="f4")
        opened.create_dataset("word", data="text")
        opened.create_group("optimizer_weights").create_dataset("z", data=first)

    contents = hdf5.read(file(fill), "model.h5", skip=("optimizer_weights",))
    assert list(contents.arrays) == ["a", "b/x:0", "empty"]
    np.testing.assert_array_equal(contents.arrays["b/x:0"], first.astype("f4"))
    np.testing.assert_array_equal(contents.arrays["a"], [[7, 8]])
    assert contents.arrays["empty"].shape == (0, 3)
    assert contents.attributes == {"": {"text": "été", "bytes": "abc", "number": 3}, "b": {"names": ["x:0", "y:0"]}}
    assert contents.ignored == ("“optimizer_weights”, which only training uses", "“word”, which holds no numbers")


def deep(opened: h5py.File) -> None:
    group = opened
    for _ in range(100):
        group = group.create_group("g")


def circle(opened: h5py.File) -> None:
    group = opened.create_group("g")
    group["again"] = group


def many(opened: h5py.File) -> None:
    for k in range(5000):
        opened.create_group(str(k))


def virtual(opened: h5py.File) -> None:
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3,))
    opened.create_virtual_dataset("v", layout)


def link(target: object) -> Fill:
    return lambda opened: opened.__setitem__("link", target)


@pytest.mark.parametrize(
    "fill, sentence",
    [
        (link(h5py.SoftLink("/somewhere")), "“link” is a link to somewhere else"),
        (link(h5py.ExternalLink("/etc/passwd", "/")), "“link” is a link to somewhere else"),
        (virtual, "lie in other files"),
        (lambda f: f.create_dataset("e", (3,), "f4", external=[("/etc/passwd", 0, 12)]), "lie in other files"),
        (deep, "more than 64 deep"),
        (circle, "more than 64 deep"),
        (many, "more than 4,096 objects"),
        (lambda f: f.create_dataset("x", (1 << 40,), "f4", chunks=(1 << 10,)), "more than 16,777,216 numbers"),
        (
            lambda f: f.create_dataset("x", (5, 5), "f4", maxshape=(None, None), chunks=(1 << 13, 1 << 13)),
            "more than 16,777,216",
        ),
        (
            lambda f: [f.create_dataset(n, (9 << 20,), "f4", chunks=(1 << 20,), compression="gzip") for n in "ab"],
            "“b” it has more",
        ),
    ],
)
@pytest.mark.usefixtures("hdf5_in_this_process")
def test_what_is_not_read_is_named(fill: Fill, sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence) as caught:
        hdf5.read(file(fill), "model.h5")
    assert "\n" not in str(caught.value)


def test_a_refusal_comes_out_of_the_process_as_it_is() -> None:
    with pytest.raises(ConvertError, match="^'model.h5': “link” is a link to somewhere else, which is not followed$"):
        hdf5.read(file(link(h5py.SoftLink("/somewhere"))), "model.h5")


@pytest.mark.parametrize("data", [b"", hdf5.SIGNATURE, hdf5.SIGNATURE + bytes(5000)])
def test_what_is_no_hdf5_is_said_to_be_damaged(data: bytes) -> None:
    with pytest.raises(ConvertError, match="'model.h5' is damaged: HDF5 can't read it .OSError"):
        hdf5.read(data, "model.h5")


@pytest.mark.parametrize(
    "program, sentence",
    [
        ("import os; os.abort()", "is damaged: HDF5 can't read it"),
        ("import time; time.sleep(60)", r"could not be read in 1\.0 seconds"),
        ("raise MemoryError('too much')", r"MemoryError: too much"),
    ],
)
def test_a_library_that_crashes_or_hangs_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, sentence: str
) -> None:
    child = tmp_path / "child.py"
    child.write_text(program)
    monkeypatch.setattr(hdf5, "CHILD", child)
    monkeypatch.setattr(hdf5, "LONGEST", 0.5)
    with pytest.raises(ConvertError, match=sentence):
        hdf5.read(file(lambda opened: None), "model.h5")


def test_the_process_limits_its_own_memory_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its library asks for beyond that is refused by the system; what runs on is stopped by it."""
    pytest.importorskip("resource")
    source = hdf5.CHILD.read_text().partition('if __name__ == "__main__"')[0]
    child = tmp_path / "child.py"
    monkeypatch.setattr(hdf5, "CHILD", child)
    monkeypatch.setattr(hdf5, "LONGEST", 300)  # so that a busy machine does not stop it first
    child.write_text(source + "limit(1)\nwhile True: pass\n")
    with pytest.raises(ConvertError, match="is damaged"):
        hdf5.read(b"", "model.h5")
    child.write_text(source + "limit(5)\nnp.ones(2 << 30, np.uint8)\n")
    with pytest.raises(ConvertError, match=r"_ArrayMemoryError|is damaged"):
        hdf5.read(b"", "model.h5")
