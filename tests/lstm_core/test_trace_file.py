"""What was taken away comes back as the same trace, from each format; what is no whole trace is named."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core import trace_file
from lstm_core.trace_file import TraceFileError

WRITERS = {"npz": trace_file.to_npz, "csv": trace_file.to_csv_zip, "parquet": trace_file.to_parquet}
NASTY = 'a,"b"\n\r\t\0%d%%😀<script>\ud800 $x$'


def made(cell: str | lc.Cell = "lstm", layers: int = 2) -> lc.CharModel:
    torch.manual_seed(0)
    return lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, 3, layers, name="tiny")


def same(a: lc.Trace, b: lc.Trace) -> None:
    assert (a.model, a.cell, a.vocabulary, a.chars, a.read_as, a.clamps) == (
        b.model, b.cell, b.vocabulary, b.chars, b.read_as, b.clamps,
    )  # fmt: skip
    assert a.vocabulary.unknown == b.vocabulary.unknown and a.vocabulary.reads == b.vocabulary.reads
    for name in a.signals:
        assert a[name].tobytes() == b[name].tobytes() and b[name].dtype == np.float32 and not b[name].flags.writeable
    for name in a.cell.states:
        assert a.initial[name].tobytes() == b.initial[name].tobytes()
        assert a.final[name].tobytes() == b.final[name].tobytes()
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_array_equal(a.probs, b.probs)
    np.testing.assert_array_equal(a.surprise, b.surprise)


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("cell", lc.cells())
def test_every_cell_comes_back(cell: str, write: Callable[[lc.Trace], bytes]) -> None:
    trace = lc.trace(made(cell), "hello, world")
    same(trace, lc.Trace.load(write(trace)))


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_what_was_held_replaced_or_begun_in_the_middle_comes_back(write: Callable[[lc.Trace], bytes]) -> None:
    model = made(lc.cell("lstm").with_functions({"sigmoid": "hard_sigmoid_keras2"}))
    first = lc.trace(model, "hello")
    trace = lc.trace(model, NASTY, state=first.final, clamps=[lc.Clamp("forget", 0.25, layer=1, units=[2, 0], start=3, stop=9)])
    back = lc.Trace.load(write(trace))
    same(trace, back)
    assert np.isfinite(back.surprise[0])
    same(lc.trace(model, "wo", state=trace.final), lc.trace(model, "wo", state=back.final))


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_model_of_bytes_comes_back(write: Callable[[lc.Trace], bytes]) -> None:
    torch.manual_seed(0)
    model = lc.CharModel(lc.Vocabulary.of_bytes(), "gru_pytorch", 3)
    trace = lc.trace(model, "é😀\0b")
    back = lc.Trace.load(write(trace))
    same(trace, back)
    assert back.text == "é😀\0b"


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=8), st.sampled_from(sorted(WRITERS)))
def test_any_text_comes_back(text: str, kind: str) -> None:
    trace = lc.trace(made(layers=1), text)
    same(trace, lc.Trace.load(WRITERS[kind](trace)))


def test_a_path_will_do(tmp_path) -> None:
    trace = lc.trace(made(), "hello")
    trace_file.to_npz(trace, tmp_path / "trace.npz")
    same(trace, lc.Trace.load(tmp_path / "trace.npz"))
    with pytest.raises(FileNotFoundError):
        lc.Trace.load(tmp_path / "none.npz")


def test_each_file_explains_its_columns() -> None:
    trace = lc.trace(made(), "hello")
    with zipfile.ZipFile(io.BytesIO(trace_file.to_csv_zip(trace))) as archive:
        readme = archive.read("README.txt").decode()
        header = archive.read("trace.csv").decode().splitlines()[0].replace('"', "")
        assert json.loads(archive.read("metadata.json"))["model"] == "tiny"
    assert header == ",".join(trace_file.CSV_COLUMNS)
    assert all(f"\n{column} " in readme for column in trace_file.CSV_COLUMNS)
    file = pyarrow.parquet.ParquetFile(io.BytesIO(trace_file.to_parquet(trace)))
    assert file.schema_arrow.metadata[b"README"].decode() == readme
    assert tuple(file.schema_arrow.names) == trace_file.CSV_COLUMNS
    assert file.metadata.num_rows == trace_file.table_rows(trace) == 2 * 5 * 3 * 6 + 2 * 2 * 3 + 5 * len(trace.vocabulary)


def test_the_order_of_the_rows_does_not_matter_but_that_all_are_there_does() -> None:
    trace = lc.trace(made(), "hello")
    table = pyarrow.parquet.read_table(io.BytesIO(trace_file.to_parquet(trace)))

    def written(rows: np.ndarray) -> bytes:
        buffer = io.BytesIO()
        pyarrow.parquet.write_table(table.take(pa.array(rows)), buffer)
        return buffer.getvalue()

    rows = np.random.default_rng(0).permutation(table.num_rows)
    same(trace, lc.Trace.load(written(rows)))
    with pytest.raises(TraceFileError, match="the table is not whole: 1 numbers of"):
        lc.Trace.load(written(rows[1:]))


def test_too_large_a_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_file, "MOST_ROWS", 10)
    with pytest.raises(ValueError, match=r"a table of 237 rows is too large, at most 10: take NPZ"):
        trace_file.to_parquet(lc.trace(made(), "hello"))


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_an_error_in_one_sentence_or_a_trace(write: Callable[[lc.Trace], bytes], data: st.DataObject) -> None:
    whole = write(lc.trace(made(layers=1), "hello"))
    if data.draw(st.booleans()):
        broken = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        place = data.draw(st.integers(0, len(whole) - 1))
        broken = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    with contextlib.suppress(TraceFileError):
        assert lc.Trace.load(broken).steps >= 1


@pytest.mark.parametrize("change", [{"steps": 6}, {"units": 0}, {"cell": "none"}, {"ids": [99] * 5}, {"vocabulary": []}])
def test_metadata_that_lie_are_refused(change: dict) -> None:
    trace = lc.trace(made(), "hello")
    with np.load(io.BytesIO(trace_file.to_npz(trace))) as file:
        arrays = dict(file)
    facts = json.loads(str(arrays["metadata"])) | change
    buffer = io.BytesIO()
    np.savez(buffer, **(arrays | {"metadata": np.array(json.dumps(facts))}))
    with pytest.raises(TraceFileError):
        lc.Trace.load(buffer.getvalue())


def test_what_is_no_archive_at_all_is_said() -> None:
    with pytest.raises(TraceFileError, match="neither NPZ, nor Parquet, nor a ZIP with trace.csv"):
        lc.Trace.load(b"hello")
