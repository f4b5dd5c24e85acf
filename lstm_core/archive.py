"""Traces read back from what was taken away: NPZ, zipped CSV and Parquet, to the same trace."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from lstm_core.cells import cell as find_cell
from lstm_core.clamp import Clamp
from lstm_core.export import PROBABILITY
from lstm_core.formula import Cell
from lstm_core.text import Vocabulary
from lstm_core.trace import State, Trace

INITIAL = "initial_"  # before a state's name: its values before the first character
LARGEST = 2**31  # bytes that a file may hold once it is unpacked
# What NumPy, Arrow, JSON and ZIP raise over a file that was cut off or changed.
DAMAGE = (
    ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError,
    zipfile.BadZipFile, zlib.error, pa.ArrowException,
)  # fmt: skip
Numbers = Callable[[str, tuple[int, ...]], np.ndarray]  # (array's name, the shape it must have) -> float32


class ArchiveError(ValueError):
    """A file that is no trace, or not a whole one, in one sentence."""


def read(source: str | os.PathLike[str] | bytes) -> Trace:
    """A trace from an NPZ, Parquet or zipped CSV file, as `export` writes them; what it is shows in its first bytes.

    source: a path, or the file's bytes. Returns the trace that was written, every float32 the same.
    Raises OSError for a file that can't be opened, ArchiveError for one that holds no whole trace.
    Source: the formats that `export` names.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    try:
        if data[:4] == b"PAR1":
            return _from_parquet(data)
        if data[:4] == b"PK\x03\x04":
            return _from_zip(data)
    except ArchiveError:
        raise
    except DAMAGE as error:
        raise ArchiveError(f"the file is no whole trace: {error}") from error
    raise ArchiveError("the file is neither NPZ, nor Parquet, nor a ZIP with trace.csv: write it with lstm_core.export")


def _from_zip(data: bytes) -> Trace:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST:
            raise ArchiveError(f"unpacked the file would take {size:,} bytes; at most {LARGEST:,} are read")
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
                raise ArchiveError(f"{name!r} is {array.dtype} {array.shape}; the metadata ask for float32 {shape}")
            return array

        return _assembled(facts, numbers)


def _from_parquet(data: bytes) -> Trace:
    file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
    size = sum(file.metadata.row_group(k).total_byte_size for k in range(file.metadata.num_row_groups))
    if size > LARGEST:
        raise ArchiveError(f"unpacked the file would take {size:,} bytes; at most {LARGEST:,} are read")
    facts = (file.schema_arrow.metadata or {}).get(b"metadata")
    if facts is None:
        raise ArchiveError("the Parquet file has no metadata of a trace")
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
                raise ArchiveError(f"a row of {own!r} stands at a {axis} outside the {size} that the metadata name")
        filled, array = np.zeros(shape, bool), np.empty(shape, np.float32)
        array[place], filled[place] = columns["value"][rows], True
        if not filled.all():
            raise ArchiveError(f"the table is not whole: {np.count_nonzero(~filled):,} numbers of {own!r} are missing")
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
        raise ArchiveError(f"the metadata name {steps} steps, {len(chars)} characters and {ids.size} ids that do not agree")
    values = {name: numbers(name, (layers, steps, units)) for name in cell.names}
    probs = numbers(PROBABILITY, (steps, len(vocabulary)))
    initial = {name: numbers(f"{INITIAL}{name}", (layers, units)) for name in cell.states}
    expected = None if facts["initial_probabilities"] is None else np.array(facts["initial_probabilities"], np.float32)
    final = {name: values[name][:, -1].copy() for name in cell.states}
    for array in (*values.values(), probs, ids, *initial.values(), *final.values()):
        array.flags.writeable = False
    clamps = tuple(Clamp(**clamp) for clamp in facts["clamps"])
    states = State(MappingProxyType(initial), expected), State(MappingProxyType(final), probs[-1])
    return Trace(facts["model"], cell, vocabulary, chars, read_as, ids, MappingProxyType(values), *states, probs, clamps)


def _cell(facts: Mapping[str, Any]) -> Cell:
    return find_cell(facts["cell"]).with_functions(facts["functions"])


def _count(facts: Mapping[str, Any], name: str) -> int:
    value = facts[name]
    if not isinstance(value, int) or value < 1:
        raise ArchiveError(f"the metadata name {value!r} {name}; it must be 1 or more")
    return value
