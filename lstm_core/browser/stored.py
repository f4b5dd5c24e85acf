"""Numbers that stand in a page as base64; assets/shared/stored.js and tables.js read them."""

from __future__ import annotations

import base64

import numpy as np
import pyarrow as pa


def column(name: str, array: np.ndarray) -> dict[str, str]:
    """An array of any shape, flat, under a name. array: uint16 or float32."""
    return {"name": name, "kind": array.dtype.name, "base64": base64.b64encode(array.tobytes()).decode("ascii")}


def columns(table: pa.Table) -> list[dict[str, str]]:
    """The columns of an Arrow table."""
    return [column(name, np.ascontiguousarray(table[name].to_numpy())) for name in table.column_names]
