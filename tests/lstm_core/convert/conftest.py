"""What the tests of the converters share: files that are damaged, and HDF5 read without a process a file."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st

from lstm_core.convert import hdf5, hdf5_process


@pytest.fixture
def hdf5_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound files are read by the same code in this process: one of their own takes half a second to start.

    What the process itself is for, limits, crashes and damaged files, is tested with it.
    """

    def run(command: list[str], input: bytes, **_: object) -> SimpleNamespace:
        assert command[-2] == str(hdf5.CHILD)
        answer = b"".join(hdf5_process.answer(input, json.loads(command[-1])))
        return SimpleNamespace(returncode=0, stdout=answer, stderr=b"")

    monkeypatch.setattr(hdf5, "subprocess", SimpleNamespace(run=run, TimeoutExpired=subprocess.TimeoutExpired))


@st.composite
def damaged(draw: st.DrawFn, *whole: bytes) -> bytes:
    """One of these files, cut short or with up to 20 bits turned."""
    file = bytearray(draw(st.sampled_from(whole)))
    if draw(st.booleans()):
        return bytes(file[: draw(st.integers(0, len(file)))])
    for _ in range(draw(st.integers(1, 20))):
        file[draw(st.integers(0, len(file) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(file)
