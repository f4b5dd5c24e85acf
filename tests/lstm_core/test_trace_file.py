"""What was taken away comes back as the same trace, from each format; what is no whole trace is named."""

from __future__ import annotations

import contextlib
import csv
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
from tests.examples import examples

TEXTS = st.text(st.characters(), min_size=1, max_size=12)
WRITERS = {"npz": trace_file.to_npz, "csv": trace_file.to_csv_zip, "parquet": trace_file.to_parquet}
NASTY = 'a,"b"\n\r\t\0%d%%😀<script>\ud800 $x$'


def made(cell: str | lc.Cell = "lstm", layers: int = 2) -> lc.CharModel:
    torch.manual_seed(0)
    return lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, 3, layers, name="tiny")


def traced(text: str, cell: str = "lstm", units: int = 3, layers: int = 2) -> lc.Trace:
    torch.manual_seed(0)
    return lc.trace(lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, units, layers), text)


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


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
    arrays = [b.ids, b.probs, b.initial.probs, b.final.probs, *b.initial.values.values(), *b.final.values.values()]
    assert not any(array.flags.writeable for array in arrays if array is not None)
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


@settings(max_examples=examples(30), deadline=None)
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
@settings(max_examples=examples(60), deadline=None)
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


@pytest.mark.parametrize("cell", tuple(lc.cells()))
def test_an_npz_holds_the_whole_trace_without_pickles(cell):
    trace = traced("hello, world", cell)
    with np.load(io.BytesIO(trace_file.to_npz(trace)), allow_pickle=False) as file:
        for name in trace.signals:
            assert file[name].dtype == np.float32
            assert np.array_equal(file[name], trace[name])
        for name in trace.cell.states:
            assert np.array_equal(file[f"initial_{name}"], trace.initial[name])
            assert np.array_equal(file[f"final_{name}"], trace.final[name])
        assert np.array_equal(file["probabilities"], trace.probs)
        assert np.array_equal(file["surprise"], trace.surprise, equal_nan=True)
        assert np.array_equal(file["ids"], trace.ids)
        metadata = json.loads(str(file["metadata"]))
        readme = str(file["README"])
        assert set(file) == set(trace.signals) | {k for k in file if k.split("_")[0] in ("initial", "final")} | {
            "characters", "read_as", "ids", "probabilities", "surprise", "metadata", "README",
        }  # fmt: skip
        assert all(k in readme for k in ("characters", "read_as", "ids", "probabilities", "surprise", "metadata"))
    assert metadata["signals"] == list(trace.signals)
    assert metadata["model"] == "unnamed"
    assert metadata["vocabulary"] == list(trace.vocabulary.characters)
    assert metadata["loss_nats_per_character"] == pytest.approx(trace.loss)


@settings(max_examples=examples(50), deadline=None)
@given(TEXTS)
def test_any_text_survives_the_npz(text):
    with np.load(io.BytesIO(trace_file.to_npz(traced(text)))) as file:
        assert "".join(map(chr, file["characters"])) == text


def test_an_npz_is_written_to_a_path_and_to_a_file(tmp_path):
    trace, buffer = traced("hello"), io.BytesIO()
    data = trace_file.to_npz(trace, tmp_path / "trace.npz")
    trace_file.to_npz(trace, buffer)
    assert (tmp_path / "trace.npz").read_bytes() == buffer.getvalue() == data


@settings(max_examples=examples(50), deadline=None)
@given(TEXTS)
def test_any_text_survives_the_csv(text):
    trace = traced(text, layers=1)
    header, *rows = read(trace_file.to_csv(trace, units=[1], signals=["forget"]))
    assert header == list(trace_file.CSV_COLUMNS)
    expected = ["\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text]
    assert [row[2] for row in rows] == expected


def test_a_csv_keeps_every_number_in_full():
    text = NASTY.replace("\ud800", "")
    trace = traced(text)
    rows = read(trace_file.to_csv(trace))[1:]
    assert len(rows) == trace_file.csv_rows(trace) == 2 * len(text) * 3 * 6
    for layer, step, character, unit, signal, value in rows:
        assert character == text[int(step)]
        assert np.float32(value) == trace[signal][int(layer), int(step), int(unit)]


def test_a_csv_holds_what_was_chosen():
    trace = traced("hello")
    rows = read(trace_file.to_csv(trace, layers=[1], units=[2, 0], signals=["hidden", "cell"]))[1:]
    assert len(rows) == trace_file.csv_rows(trace, [1], [2, 0], ["hidden", "cell"]) == 5 * 2 * 2
    assert [(r[3], r[4]) for r in rows[:4]] == [("2", "hidden"), ("2", "cell"), ("0", "hidden"), ("0", "cell")]
    assert read(trace_file.to_csv(trace, layers=[])) == [list(trace_file.CSV_COLUMNS)]
    for chosen, message in (
        ({"layers": [2]}, "no layer 2"),
        ({"units": [-1]}, "no unit -1"),
        ({"signals": ["reset"]}, "no signal 'reset'"),
    ):
        with pytest.raises(ValueError, match=message):
            trace_file.to_csv(trace, **chosen)


def test_a_csv_that_is_too_large_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(trace_file, "MOST_ROWS", 100)
    with pytest.raises(ValueError, match=r"180 rows is too large, at most 100: choose fewer"):
        trace_file.to_csv(traced("hello"))


@pytest.mark.parametrize("ending", [".npz", ".zip", ".parquet", ".NPZ"])
def test_a_files_name_says_its_format(ending, tmp_path):
    trace = traced("hello")
    trace.save(tmp_path / f"trace{ending}")
    assert (tmp_path / f"trace{ending}").read_bytes()[:4] == (b"PAR1" if ending == ".parquet" else b"PK\x03\x04")
    assert np.array_equal(lc.Trace.load(tmp_path / f"trace{ending}")["cell"], trace["cell"])


@pytest.mark.parametrize("name", ["trace.csv", "trace", ".npz"])
def test_another_ending_is_refused_before_anything_is_written(name, tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.npz, \.zip or \.parquet, not to .*; \.zip holds CSV"):
        traced("hello").save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
