"""The process that opens an HDF5 file: bytes in, one line of JSON and float32 numbers out. Run by `hdf5.read` alone.

It imports nothing of this project, so that it starts in a fifth of a second, and limits its own memory and time first.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

MEMORY = 900 << 20  # bytes of address space: the largest file twice, and the libraries
LONGEST_TEXT = 1 << 22  # of one attribute, in characters


class Refused(Exception):
    """What is not read, though it may be a sound file: one sentence."""


def limit(seconds: int) -> None:
    """Holds this process to so much processor time, and to a fixed size, where the system can."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; there the parent's timeout remains
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere the address space of a fresh process is larger already
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class Reader:
    """Walks through a file once, counting what it meets. Its methods raise Refused for what exceeds the limits."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self.limits = limits
        self.objects = self.numbers = 0
        self.arrays: list[tuple[str, np.ndarray]] = []
        self.attributes: dict[str, dict[str, Any]] = {}
        self.ignored: list[str] = []

    def group(self, group: Any, path: str = "", depth: int = 0) -> None:
        """Takes in a group, its arrays and the groups in it."""
        import h5py

        if depth > self.limits["depth"]:
            raise Refused(f"groups lie more than {self.limits['depth']} deep")
        self.attached(group, path)
        for name in group:
            inner = f"{path}/{name}" if path else name
            self.count()
            if not path and name in self.limits["skip"]:
                self.ignored.append(f"“{name}”, which only training uses")
                continue
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Refused(f"“{inner}” is a link to somewhere else, which is not followed")
            found = group[name]
            if isinstance(found, h5py.Group):
                self.group(found, inner, depth + 1)
            elif isinstance(found, h5py.Dataset):
                self.array(found, inner)
            else:
                self.ignored.append(f"“{inner}”, which is no array")

    def count(self) -> None:
        """One object more."""
        self.objects += 1
        if self.objects > self.limits["objects"]:
            raise Refused(f"there are more than {self.limits['objects']:,} objects in it")

    def array(self, found: Any, path: str) -> None:
        """Takes in an array of numbers, all of it, once its size and its storage are known to be harmless."""
        if found.dtype.kind not in "fiu" or found.shape is None:
            self.ignored.append(f"“{path}”, which holds no numbers")
            return
        if found.is_virtual or found.external:
            raise Refused(f"the numbers of “{path}” lie in other files, which are not read")
        chunk = prod(found.chunks or (1,))
        self.numbers += found.size
        if max(self.numbers, chunk, found.size * found.dtype.itemsize // 8) > self.limits["numbers"]:
            raise Refused(f"with “{path}” it has more than {self.limits['numbers']:,} numbers")
        self.arrays.append((path, np.ascontiguousarray(found[()], "<f4")))
        self.attached(found, path)

    def attached(self, found: Any, path: str) -> None:
        """Takes in the attributes that are texts, numbers or lists of texts."""
        kept = {}
        for name in found.attrs:
            self.count()
            size = found.attrs.get_id(name)
            if prod(size.shape) * max(size.dtype.itemsize, 1) > LONGEST_TEXT:
                raise Refused(f"the attribute “{name}” of “{path}” is too large")
            value = plain(found.attrs[name])
            if value is not None:
                kept[name] = value
        if kept:
            self.attributes[path] = kept


def plain(value: Any) -> Any:
    """An attribute as JSON has it: a text, a number, a list of texts; None for anything else."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str) or type(value) in (int, float):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray) and value.dtype.kind in "SUO":
        return [plain(item) for item in value.ravel().tolist()]
    return None


def answer(data: bytes, limits: dict[str, Any]) -> Iterator[bytes]:
    """What a file holds: a line of JSON, then all numbers, one array after another; or as JSON why it is refused."""
    import h5py

    reader = Reader(limits)
    try:
        with h5py.File(io.BytesIO(data), "r") as file, np.errstate(all="ignore"):
            reader.group(file)
    except Refused as refused:
        yield json.dumps({"refused": str(refused)}).encode()
        return
    header = {
        "arrays": [(path, array.shape) for path, array in reader.arrays],
        "attributes": reader.attributes,
        "ignored": reader.ignored,
    }
    yield json.dumps(header).encode() + b"\n"
    for _, array in reader.arrays:
        yield array.tobytes()


def main() -> None:
    """Reads the file on the standard input; the limits are the only argument, as JSON."""
    limits = json.loads(sys.argv[1])
    limit(limits["seconds"])
    for part in answer(sys.stdin.buffer.read(), limits):
        sys.stdout.buffer.write(part)


if __name__ == "__main__":
    main()
