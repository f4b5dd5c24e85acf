"""Models of torch's modules kept as safetensors.

Source: the safetensors format: eight bytes with the header's length, a JSON header, the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from reprlib import repr as shorten
from typing import Any

import numpy as np

from lstm_core.convert import torch_weights, vocabularies
from lstm_core.convert.draft import MOST_ARRAYS, ConvertError, Draft
from lstm_core.convert.torch_weights import Contents, Lazy
from lstm_core.words import tr

LARGEST_HEADER = 1 << 22
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1",
    "BOOL": "?",
}  # fmt: skip


def recognises(data: bytes, name: str) -> bool:
    """Whether the file begins as safetensors do: a length that fits, then a brace."""
    size = int.from_bytes(data[:8], "little")
    return 2 <= size <= len(data) - 8 and data[8:9] == b"{"


def read(data: bytes, name: str, aside: Mapping[str, bytes]) -> Draft:
    """The model in a safetensors file, its arrays named as torch's modules name them. Raises ConvertError."""
    header, start = _header(data, name)
    metadata = header.pop("__metadata__", {})
    if isinstance(metadata, dict) and "gatescope" in metadata:
        raise ConvertError(tr("{shorten} is a model of Gatescope's own, which needs no conversion", shorten=shorten(name)))
    contents = Contents()
    for array, described in header.items():
        contents.arrays[array] = _array(array, described, data, start)
    for alias, kept in metadata.items() if isinstance(metadata, dict) else ():
        if isinstance(kept, str) and kept in contents.arrays:  # of arrays that are shared, one is kept, the others named
            contents.arrays.setdefault(alias, contents.arrays[kept])
    contents.facts = _facts(metadata)
    return torch_weights.draft("safetensors", contents)


def _header(data: bytes, name: str) -> tuple[dict[str, Any], int]:
    size = int.from_bytes(data[:8], "little")
    if size > LARGEST_HEADER:
        raise ConvertError(
            tr(
                "the header of {shorten} has {size:,} bytes; at most {largest_header:,} are read",
                shorten=shorten(name),
                size=size,
                largest_header=LARGEST_HEADER,
            )
        )
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise ConvertError(tr("the header of {shorten} is no JSON object: the file is damaged", shorten=shorten(name)))
    if len(header) > MOST_ARRAYS:
        raise ConvertError(
            tr(
                "{shorten} holds {header_count:,} arrays; at most {most_arrays:,} are read",
                shorten=shorten(name),
                header_count=len(header),
                most_arrays=MOST_ARRAYS,
            )
        )
    return header, 8 + size


def _array(name: str, described: Any, data: bytes, start: int) -> Lazy:
    described = described if isinstance(described, dict) else {}
    shape, dtype, offsets = (described.get(key) for key in ("shape", "dtype", "data_offsets"))
    whole = [isinstance(part, list) and all(type(n) is int and 0 <= n < 1 << 48 for n in part) for part in (shape, offsets)]
    if not all(whole) or len(shape) > 8 or len(offsets) != 2:
        raise ConvertError(
            tr("the header describes {shorten} in a way that can't be read: the file is damaged", shorten=shorten(name))
        )
    begin, end = offsets

    def read_numbers() -> np.ndarray:
        kind = DTYPES.get(str(dtype))
        if kind is None:
            raise ConvertError(
                tr(
                    "{shorten} holds numbers of kind {shorten_2}, which can't be read",
                    shorten=shorten(name),
                    shorten_2=shorten(str(dtype)),
                )
            )
        if end - begin != prod(shape) * np.dtype(kind).itemsize or start + end > len(data):
            raise ConvertError(
                tr(
                    "{shorten} has not as many numbers as its shape {shape} says: the file is damaged",
                    shorten=shorten(name),
                    shape=shape,
                )
            )
        flat = np.frombuffer(data, kind, prod(shape), start + begin).reshape(shape)
        return torch_weights.from_bfloat16(flat) if dtype == "BF16" else flat

    return Lazy(tuple(shape), read_numbers)


def _facts(metadata: Any) -> dict[str, Any]:
    """The header's own words; those that are JSON, as what they hold."""
    facts: dict[str, Any] = {}
    for key, value in metadata.items() if isinstance(metadata, dict) else ():
        parsed = value
        if isinstance(value, str) and value[:1] in ("[", "{"):
            try:
                parsed = json.loads(value)
            except (ValueError, RecursionError):
                parsed = value
        facts.update(vocabularies.flattened(parsed, str(key)))
    return facts
