"""Records whose mappings and arrays are read-only, in the record and in what is copied or unpickled from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T", np.ndarray, Mapping[str, np.ndarray])


def read_only(value: T) -> T:
    """The same array, or a view of the mapping with the same arrays, which can't be written to from now on."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
        return value
    return MappingProxyType({name: read_only(array) for name, array in value.items()})


class Frozen:
    """Base of frozen dataclasses of arrays: they pickle and copy, and what was read-only is read-only again in the copy.

    Python pickles no `MappingProxyType`, and NumPy forgets by pickling and copying that an array is read-only.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        locked = [name for name, value in values.items() if _is_read_only(value)]
        return _rebuilt, (type(self), {n: dict(v) if isinstance(v, MappingProxyType) else v for n, v in values.items()}, locked)


def _is_read_only(value: object) -> bool:
    return isinstance(value, MappingProxyType) or (isinstance(value, np.ndarray) and not value.flags.writeable)


def _rebuilt(kind: type, values: dict[str, Any], locked: list[str]) -> Any:
    return kind(**(values | {name: read_only(values[name]) for name in locked}))
