"""A trace to and from a file: NPZ, zipped CSV and Parquet. What is written is read back to the same trace."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

import lstm_core
from lstm_core.cells import cell as find_cell
from lstm_core.clamp import Clamp
from lstm_core.errors import InputError
from lstm_core.formula import Cell, equation
from lstm_core.frozen import read_only
from lstm_core.text import Vocabulary
from lstm_core.trace import State, Trace
from lstm_core.words import tr

MOST_ROWS = 20_000_000  # of a table: about a gigabyte of CSV
CSV_COLUMNS = ("layer", "step", "character", "unit", "signal", "value")
PROBABILITY = "probability"
INITIAL = "initial_"  # before a state's name: its values before the first character
LARGEST = 2**31  # bytes that a file may hold once it is unpacked
# What NumPy, Arrow, JSON and ZIP raise over a file that was cut off or changed.
DAMAGE = (
    ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError,
    zipfile.BadZipFile, zlib.error, pa.ArrowException,
)  # fmt: skip
Numbers = Callable[[str, tuple[int, ...]], np.ndarray]  # (array's name, the shape it must have) -> float32

README = """\
Every gate and state of a recurrent network at every character of a text, written by Gatescope.

    with np.load("trace.npz", allow_pickle=False) as file:
        metadata = json.loads(str(file["metadata"]))
        text = "".join(map(chr, file["characters"]))
        forget = file["forget"]                          # for an LSTM; metadata["signals"] names them all

One array a signal, float32 (layer, time, unit), under the signal's name.
initial_NAME, final_NAME   float32 (layer, unit): the states before the first and after the last character
characters, read_as        uint32 (time,): code points of what was typed, and of what the model read in its place; 0 at
                           the further bytes of a character, where a model reads bytes: metadata tells them from "\\0"
ids                        int64 (time,): the same as numbers of the vocabulary
probabilities              float32 (time, vocab): the prediction made after each character
surprise                   float32 (time,): nats of each character under the prediction before it; NaN where none was
metadata                   JSON: model, cell, convention, equations, ranges, vocabulary, loss, what was held, version

lstm_core.Trace.load("trace.npz") gives the trace back.
"""

TABLE_README = """\
Every gate and state of a recurrent network at every character of a text, written by Gatescope: one number a row.

layer      from 0, the lowest; -1 for what stands above all layers, the predictions
step       from 0, one a character; -1 for the states before the first character
character  what was typed at that step; empty at step -1, and at the further bytes of a character that a model reads in bytes
unit       from 0; for signal "probability" the character's number in metadata["vocabulary"]
signal     a gate or state: metadata["signals"] names them all; or "probability", the prediction made after the character
value      float32, nine digits

The metadata, JSON, holds model, cell, convention, equations, ranges, vocabulary, the text, loss, what was held, version.
lstm_core.Trace.load gives the trace back from this file.
"""


class TraceFileError(InputError):
    """A file that is no trace, or not a whole one, in one sentence."""


def to_npz(trace: Trace, file: str | os.PathLike[str] | IO[bytes] | None = None) -> bytes:
    """A whole trace as an NPZ file; the text "README" in it explains the arrays.

    file: a path or an open binary file to write to as well (default: none). Returns the file's bytes: float32 and
    integer arrays, uncompressed, and JSON under "metadata"; `np.load(..., allow_pickle=False)` reads all of it.
    Raises OSError when the file can't be written. Source: NumPy's NPZ format.
    """
    arrays = {name: trace[name] for name in trace.signals}
    arrays |= {f"{INITIAL}{name}": trace.initial[name] for name in trace.cell.states}
    arrays |= {f"final_{name}": trace.final[name] for name in trace.cell.states}
    arrays |= {
        "characters": _code_points(trace.chars),
        "read_as": _code_points(trace.read_as),
        "ids": trace.ids,
        "probabilities": trace.probs,
        "surprise": trace.surprise,
        "metadata": np.array(json.dumps(_metadata(trace))),
        "README": np.array(README),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    data = buffer.getvalue()
    if isinstance(file, (str, os.PathLike)):
        with open(file, "wb") as opened:
            opened.write(data)
    elif file is not None:
        file.write(data)
    return data


def csv_rows(
    trace: Trace, layers: Sequence[int] | None = None, units: Sequence[int] | None = None, signals: Sequence[str] | None = None
) -> int:
    """How many rows `to_csv` would write under its header; about 33 bytes each. Arguments and errors as there."""
    return trace.steps * np.prod([len(chosen) for chosen in _chosen(trace, layers, units, signals)], dtype=int).item()


def to_csv(
    trace: Trace, layers: Sequence[int] | None = None, units: Sequence[int] | None = None, signals: Sequence[str] | None = None
) -> bytes:
    """Numbers of a trace in long form: one row a layer, step, unit and signal.

    layers, units: numbers from 0; signals: names (default: all of each). Returns UTF-8 with the header
    layer,step,character,unit,signal,value and "\\n" after each row; characters are always quoted, values keep float32's
    full precision (9 digits), half a surrogate pair becomes U+FFFD.
    Raises InputError for a layer, unit or signal that the trace lacks, and for more than 20 million rows.
    Source: RFC 4180.
    """
    chosen_layers, chosen_units, chosen_signals = _chosen(trace, layers, units, signals)
    rows = csv_rows(trace, layers, units, signals)
    if rows > MOST_ROWS:
        raise InputError(
            tr(
                "a CSV of {rows:,} rows is too large, at most {most_rows:,}: choose fewer layers, units or signals, or NPZ",
                rows=rows,
                most_rows=MOST_ROWS,
            )
        )
    # One format string writes all rows of a step at once: the only way that Python formats a million numbers a second.
    row_ends = [f",{unit},{name},%.9g\n" for unit in chosen_units for name in chosen_signals]
    chunks = [",".join(CSV_COLUMNS) + "\n"]
    for layer in chosen_layers:
        values = np.stack([trace[name][layer][:, list(chosen_units)] for name in chosen_signals], axis=-1)
        for step, numbers in enumerate(values.reshape(trace.steps, -1)):
            row_start = f"{layer},{step},{_quoted(trace.chars[step])}"
            chunks.append((row_start + row_start.join(row_ends)) % tuple(numbers.tolist()))
    return "".join(chunks).encode("utf-8")


def to_csv_zip(trace: Trace) -> bytes:
    """A whole trace as a ZIP file: trace.csv in long form, metadata.json, and README.txt, which explains the columns.

    Besides what `to_csv` writes, the table holds the states before the first character (step -1) and the predictions
    (layer -1). Returns the file's bytes; `Trace.load` reads it back.
    Raises InputError for more than 20 million rows. Source: RFC 4180.
    """
    table = _table(trace)
    lines = io.BytesIO()
    pyarrow.csv.write_csv(table.set_column(2, "character", table["character"].cast(pa.string())), lines)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("README.txt", TABLE_README)
        archive.writestr("metadata.json", json.dumps(_metadata(trace), indent=1))
        archive.writestr("trace.csv", lines.getvalue())
    return buffer.getvalue()


def to_parquet(trace: Trace) -> bytes:
    """A whole trace as a Parquet file: the same table as in `to_csv_zip`.

    "README" and "metadata" stand in the file's own key-value metadata. Returns the file's bytes; `Trace.load` reads it
    back. Raises InputError for more than 20 million rows. Source: Apache Parquet.
    """
    table = _table(trace)
    facts = {"README": TABLE_README, "metadata": json.dumps(_metadata(trace))}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata(facts), buffer, compression="zstd")
    return buffer.getvalue()


FORMATS: dict[str, Callable[[Trace], bytes]] = {".npz": to_npz, ".zip": to_csv_zip, ".parquet": to_parquet}


def check_ending(path: str | os.PathLike[str]) -> str:
    """The ending of a file's name, one of ".npz", ".zip" (CSV and what explains it) and ".parquet", in small letters.

    Raises InputError for another; the message names these.
    """
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        known = f"{', '.join([*FORMATS][:-1])} or {[*FORMATS][-1]}"
        raise InputError(
            tr(
                "a trace is written to a file that ends in {known}, not to {fspath!r}; .zip holds CSV",
                known=known,
                fspath=os.fspath(path),
            )
        )
    return ending


def write(trace: Trace, path: str | os.PathLike[str]) -> None:
    """A whole trace as a file, in the format that its name's ending says: see `check_ending`; `Trace.load` reads it back.

    Raises InputError for another ending and, but for NPZ, for more than 20 million rows; OSError when it can't be written.
    """
    data = FORMATS[check_ending(path)](trace)
    Path(path).write_bytes(data)


def table_rows(trace: Trace) -> int:
    """How many rows the table of a whole trace has, in `to_csv_zip` and `to_parquet`."""
    numbers = [trace[name].size for name in trace.signals] + [trace.initial[name].size for name in trace.cell.states]
    return sum(numbers) + trace.probs.size


def _table(trace: Trace) -> pa.Table:
    if (rows := table_rows(trace)) > MOST_ROWS:
        raise InputError(
            tr(
                "a table of {rows:,} rows is too large, at most {most_rows:,}: take NPZ, or a shorter text",
                rows=rows,
                most_rows=MOST_ROWS,
            )
        )
    names = [*trace.signals, PROBABILITY]
    blocks = [_rows(trace[name][layer], layer, 0, k) for k, name in enumerate(trace.signals) for layer in range(trace.layers)]
    for name in trace.cell.states:
        blocks += [_rows(trace.initial[name][layer][None], layer, -1, names.index(name)) for layer in range(trace.layers)]
    blocks.append(_rows(trace.probs, -1, 0, len(names) - 1))
    layer, step, unit, signal, value = (np.concatenate(columns) for columns in zip(*blocks, strict=True))
    characters = ["", *("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in trace.chars)]
    columns = {
        "layer": pa.array(layer),
        "step": pa.array(step),
        "character": pa.DictionaryArray.from_arrays(pa.array(step + 1), pa.array(characters)),
        "unit": pa.array(unit),
        "signal": pa.DictionaryArray.from_arrays(pa.array(signal), pa.array(names)),
        "value": pa.array(value),
    }
    return pa.table(columns)


def _rows(values: np.ndarray, layer: int, first: int, signal: int) -> tuple[np.ndarray, ...]:
    """(time, unit) as columns: layer, step, unit, signal, value; `first` is the first step's number."""
    steps, units = values.shape
    step, unit = np.divmod(np.arange(steps * units, dtype=np.int32), np.int32(units))
    size = values.size
    return np.full(size, layer, np.int16), step + np.int32(first), unit, np.full(size, signal, np.int8), values.reshape(-1)


def _code_points(characters: Sequence[str]) -> np.ndarray:
    return np.array([ord(c or "\0") for c in characters], np.uint32)


def _metadata(trace: Trace) -> dict:
    cell = trace.cell
    return {
        "program": f"Gatescope {lstm_core.__version__}",
        "model": trace.model,
        "cell": cell.name,
        "functions": dict(cell.functions),
        "title": cell.title,
        "convention": cell.note,
        "source": cell.source,
        "layers": trace.layers,
        "units": trace.units,
        "steps": trace.steps,
        "signals": list(trace.signals),
        "equations": {name: equation(cell, name) for name in trace.signals},
        "ranges": {name: [v if np.isfinite(v) else None for v in cell[name].range] for name in trace.signals},
        "vocabulary": list(trace.vocabulary.characters),
        "unknown": trace.vocabulary.unknown,
        "reads": trace.vocabulary.reads,
        "characters": list(trace.chars),
        "read_as": list(trace.read_as),
        "ids": trace.ids.tolist(),
        "loss_nats_per_character": trace.loss if np.isfinite(trace.loss) else None,
        "initial_probabilities": None if trace.initial.probs is None else trace.initial.probs.astype(float).tolist(),
        "clamps": [asdict(clamp) for clamp in trace.clamps],
    }


def _chosen(
    trace: Trace, layers: Sequence[int] | None, units: Sequence[int] | None, signals: Sequence[str] | None
) -> tuple[Sequence[int], Sequence[int], Sequence[str]]:
    for layer in layers or ():
        trace.check(layer=layer)
    for unit in units or ():
        trace.check(unit=unit)
    for name in () if signals is None else signals:
        trace[name]  # raises, naming the signals there are
    return (
        range(trace.layers) if layers is None else layers,
        range(trace.units) if units is None else units,
        trace.signals if signals is None else signals,
    )


def _quoted(character: str) -> str:
    """A character as a quoted CSV field, ready to stand in a format string."""
    if "\ud800" <= character <= "\udfff":
        character = "\ufffd"
    return '"' + character.replace('"', '""').replace("%", "%%") + '"'


def read(source: str | os.PathLike[str] | bytes) -> Trace:
    """A trace from an NPZ, Parquet or zipped CSV file, as `write` writes them; what it is shows in its first bytes.

    source: a path, or the file's bytes. Returns the trace that was written, every float32 the same.
    Raises OSError for a file that can't be opened, TraceFileError for one that holds no whole trace.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    try:
        if data[:4] == b"PAR1":
            return _from_parquet(data)
        if data[:4] == b"PK\x03\x04":
            return _from_zip(data)
    except TraceFileError:
        raise
    except DAMAGE as error:
        raise TraceFileError(tr("the file is no whole trace: {error}", error=error)) from error
    raise TraceFileError(tr("the file is neither NPZ, nor Parquet, nor a ZIP with trace.csv: save it with Trace.save"))


def _from_zip(data: bytes) -> Trace:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST:
            raise TraceFileError(
                tr("unpacked the file would take {size:,} bytes; at most {largest:,} are read", size=size, largest=LARGEST)
            )
        if "trace.csv" not in archive.namelist():
            return _from_npz(data)
        facts = json.loads(archive.read("metadata.json"))
        convert = pyarrow.csv.ConvertOptions(
            column_types={"layer": pa.int16(), "step": pa.int32(), "unit": pa.int32(), "value": pa.float32()},
            include_columns=["layer", "step", "unit", "signal", "value"],
        )
        lines = io.BytesIO(archive.read("trace.csv"))
        parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
        return _from_table(pyarrow.csv.read_csv(lines, parse_options=parse, convert_options=convert), facts)


def _from_npz(data: bytes) -> Trace:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        facts = json.loads(str(file["metadata"]))

        def numbers(name: str, shape: tuple[int, ...]) -> np.ndarray:
            array = file["probabilities" if name == PROBABILITY else name]
            if array.shape != shape or array.dtype != np.float32:
                raise TraceFileError(
                    tr(
                        "{name!r} is {array.dtype} {array.shape}; the metadata ask for float32 {shape}",
                        name=name,
                        array=array,
                        shape=shape,
                    )
                )
            return array

        return _assembled(facts, numbers)


def _from_parquet(data: bytes) -> Trace:
    file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
    size = sum(file.metadata.row_group(k).total_byte_size for k in range(file.metadata.num_row_groups))
    if size > LARGEST:
        raise TraceFileError(
            tr("unpacked the file would take {size:,} bytes; at most {largest:,} are read", size=size, largest=LARGEST)
        )
    facts = (file.schema_arrow.metadata or {}).get(b"metadata")
    if facts is None:
        raise TraceFileError(tr("the Parquet file has no metadata of a trace"))
    return _from_table(file.read(["layer", "step", "unit", "signal", "value"]), json.loads(facts))


def _from_table(table: pa.Table, facts: Mapping[str, Any]) -> Trace:
    """The long form put back in its place, whatever the order of its rows."""
    columns = {name: table[name].to_numpy() for name in ("layer", "step", "unit", "value")}
    encoded = table["signal"].combine_chunks().cast(pa.string()).dictionary_encode()
    signal, names = np.asarray(encoded.indices), encoded.dictionary.to_pylist()

    def numbers(name: str, shape: tuple[int, ...]) -> np.ndarray:
        first = name.startswith(INITIAL)
        own, axes = _axes(name)
        rows = (signal == names.index(own)) & ((columns["step"] < 0) == first)
        place = tuple(columns[axis][rows] for axis in axes)
        for axis, index, size in zip(axes, place, shape, strict=True):
            if index.size and not 0 <= index.min() <= index.max() < size:
                raise TraceFileError(
                    tr(
                        "a row of {own!r} stands at a {axis} outside the {size} that the metadata name",
                        own=own,
                        axis=axis,
                        size=size,
                    )
                )
        filled, array = np.zeros(shape, bool), np.empty(shape, np.float32)
        array[place], filled[place] = columns["value"][rows], True
        if not filled.all():
            raise TraceFileError(
                tr(
                    "the table is not whole: {count_nonzero:,} numbers of {own!r} are missing",
                    count_nonzero=np.count_nonzero(~filled),
                    own=own,
                )
            )
        return array

    return _assembled(facts, numbers)


def _axes(name: str) -> tuple[str, tuple[str, ...]]:
    """The signal that an array belongs to, and the columns that say where in the array a row stands."""
    if name == PROBABILITY:
        return name, ("step", "unit")
    if name.startswith(INITIAL):
        return name.removeprefix(INITIAL), ("layer", "unit")
    return name, ("layer", "step", "unit")


def _assembled(facts: Mapping[str, Any], numbers: Numbers) -> Trace:
    cell = _cell(facts)
    vocabulary = Vocabulary(facts["vocabulary"], facts["unknown"], facts["reads"])
    chars, read_as, ids = tuple(facts["characters"]), tuple(facts["read_as"]), np.array(facts["ids"], np.int64)
    layers, units, steps = (_count(facts, name) for name in ("layers", "units", "steps"))
    if not len(chars) == len(read_as) == ids.size == steps or ids.min() < 0 or ids.max() >= len(vocabulary):
        raise TraceFileError(
            tr(
                "the metadata name {steps} steps, {chars_count} characters and {ids.size} ids that do not agree",
                steps=steps,
                chars_count=len(chars),
                ids=ids,
            )
        )
    values = {name: numbers(name, (layers, steps, units)) for name in cell.names}
    probs = numbers(PROBABILITY, (steps, len(vocabulary)))
    initial = {name: numbers(f"{INITIAL}{name}", (layers, units)) for name in cell.states}
    expected = facts["initial_probabilities"]
    if expected is not None:
        expected = read_only(np.array(expected, np.float32))
    final = {name: values[name][:, -1].copy() for name in cell.states}
    clamps = tuple(Clamp(**clamp) for clamp in facts["clamps"])
    states = State(read_only(initial), expected), State(read_only(final), read_only(probs)[-1])
    return Trace(facts["model"], cell, vocabulary, chars, read_as, read_only(ids), read_only(values), *states, probs, clamps)


def _cell(facts: Mapping[str, Any]) -> Cell:
    return find_cell(facts["cell"]).with_functions(facts["functions"])


def _count(facts: Mapping[str, Any], name: str) -> int:
    value = facts[name]
    if not isinstance(value, int) or value < 1:
        raise TraceFileError(tr("the metadata name {value!r} {name}; it must be 1 or more", value=value, name=name))
    return value
