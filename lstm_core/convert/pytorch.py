"""PyTorch's files: state dicts, training checkpoints and whole modules, as a zip (from 1.6 on) or in the older form.

Nothing is ever run: the pickle inside is read as data, and classes that it names are notes. Source: torch/serialization.py,
torch/_utils.py of PyTorch 0.4 to 2.13.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from reprlib import repr as shorten
from typing import Any, Literal

import numpy as np

from lstm_core.convert import torch_weights
from lstm_core.convert.draft import DEEPEST, LARGEST_ARRAY, LARGEST_FILE, MOST_ARRAYS, ConvertError, Draft
from lstm_core.convert.pickled import MOST_OPERATIONS, Inert, Name, Unpickler
from lstm_core.convert.torch_weights import Contents, Lazy
from lstm_core.words import N_, tr

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001
STORAGE_FILE = 1 << 14  # what a file within a file, of one storage, costs beside its bytes
STORAGE_OPERATIONS = 1000  # and how many operations its pickles may have
SAVE_AGAIN = N_("open it with the PyTorch it was made with, and save model.state_dict() anew with torch.save")
DTYPES = {
    "DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": "u2", "LongStorage": "i8",
    "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
REBUILT = re.compile(r"torch\._utils\._rebuild_\w*tensor\w*")  # what makes tensors of all kinds
MOST_VALUES = 200_000  # values of all kinds that are looked at in one file
ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, KeyError,
    IndexError, OverflowError,
)  # fmt: skip


def recognises(data: bytes, name: str) -> bool:
    """Whether this is a zip that holds a data.pkl, a pickle, or a tar of PyTorch 0.1."""
    if data[:2] == b"PK":
        try:
            return any(entry.endswith("data.pkl") for entry in zipfile.ZipFile(io.BytesIO(data)).namelist())
        except ZIP_ERRORS:
            return b"data.pkl" in data
    return _is_pickle(data) or _is_tar(data)


def _is_pickle(data: bytes) -> bool:
    """Protocol 2 and later begin with their number; 0 and 1, of which torch made none, with a bracket or a class."""
    return (len(data) > 1 and data[0] == 0x80 and 2 <= data[1] <= 5) or data[:2] in (b"(d", b"(l", b"}q", b"cc")


def _is_tar(data: bytes) -> bool:
    return data[257:262] == b"ustar"


def read(data: bytes, name: str, aside: Mapping[str, bytes]) -> Draft:
    """The model in a PyTorch file, its vocabulary where it has one. Raises ConvertError, one sentence."""
    if _is_tar(data):
        raise ConvertError(
            tr(
                "{shorten} is a tar archive, as PyTorch made before 0.2, which can't be read: {save_again}",
                shorten=shorten(name),
                save_again=SAVE_AGAIN,
            )
        )
    form = ""
    if data[:2] == b"PK":
        root = _from_zip(data, name)
    else:
        root, form = _from_pickles(data, name), tr(", in the form before 1.6")
    contents = _Collector().collected(root)
    kind = "module" if contents.kinds.get("") else "checkpoint" if contents.facts or contents.ignored else tr("state dict")
    return torch_weights.draft(tr("PyTorch {kind}{form}", kind=kind, form=form), contents)


# Tensors, as the pickle describes them


@dataclass(frozen=True, eq=False)
class Storage:
    """Numbers in a row: NumPy's letters for their kind, how many there are, and what fetches their bytes."""

    dtype: str
    bfloat16: bool
    count: int
    fetch: Callable[[], bytes] = field(repr=False)

    def numbers(self) -> np.ndarray:
        """All of them, (count,). Raises ConvertError when the file has fewer bytes than it says."""
        raw = self.fetch()
        if len(raw) != self.count * np.dtype(self.dtype).itemsize:
            raise ConvertError(
                tr(
                    "the file holds {raw_count:,} bytes of {self.count:,} numbers: it is damaged or not complete",
                    raw_count=len(raw),
                    self=self,
                )
            )
        flat = np.frombuffer(raw, self.dtype)
        return torch_weights.from_bfloat16(flat) if self.bfloat16 else flat


@dataclass(frozen=True, eq=False)
class Tensor:
    """A view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """The numbers, of the same shape as in the file. Raises ConvertError when they do not lie in the storage."""
        size = prod(self.shape)
        if size > LARGEST_ARRAY:
            raise ConvertError(
                tr(
                    "an array of shape {self.shape} has {size:,} numbers; at most {largest_array:,} are read",
                    self=self,
                    size=size,
                    largest_array=LARGEST_ARRAY,
                )
            )
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides))
        if size and last >= self.storage.count:
            raise ConvertError(tr("an array of shape {self.shape} does not lie in its storage: the file is damaged", self=self))
        if not size:
            return np.zeros(self.shape, np.float32)
        numbers = self.storage.numbers()[self.offset :]
        steps = [step * numbers.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(numbers, self.shape, steps, writeable=False).copy()


class _TorchUnpickler(Unpickler):
    """Makes tensors of the calls that torch rebuilds them with; all else stays a note."""

    def __init__(self, data: bytes, position: int, fetch: Callable[[str, int], bytes], order: str = "<") -> None:
        super().__init__(data, position)
        self.fetch, self.order = fetch, order

    def call(self, kind: Name, args: tuple[Any, ...]) -> Any:
        """A tensor, what a parameter holds, or a note."""
        match str(kind), args:
            case (
                "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2",
                (Storage() as storage, offset, shape, strides, *_),
            ):
                return _tensor(storage, offset, shape, strides)
            case (
                "torch._utils._rebuild_parameter"
                | "torch._utils._rebuild_parameter_with_state"
                | "torch.nn.parameter.Parameter",
                (Tensor() as tensor, *_),
            ):
                return tensor
            case "torch._tensor._rebuild_from_type_v2", (Name() as rebuild, _, tuple() as inner, _):
                return self.call(rebuild, inner) if str(rebuild) != str(kind) else self.note(kind, args)
            case "torch.storage._load_from_bytes", (bytes() as inner,):
                self.spend(len(inner) + STORAGE_FILE)
                loaded = _legacy(inner, tr("a storage"), nested=True)
                return loaded if isinstance(loaded, Storage) else self.note(kind, args)
        return super().call(kind, args)

    def kept_elsewhere(self, identity: Any) -> Any:
        """A storage, by its key; a module's class, which torch 1.5 and older kept with its source; notes of anything else."""
        match identity:
            case ("module", Name() as kind, *_):
                return kind
            case ("storage", Name() as kind, str() as key, _, int() as count, *_):
                dtype = DTYPES.get(kind.name)
                if dtype is None or not 0 <= count <= LARGEST_FILE:
                    return super().kept_elsewhere(identity)
                bytes_each = np.dtype(dtype).itemsize
                return Storage(
                    self.order + dtype, kind.name == "BFloat16Storage", count, lambda: self.fetch(key, count * bytes_each)
                )
        return super().kept_elsewhere(identity)


def _tensor(storage: Storage, offset: Any, shape: Any, strides: Any) -> Tensor:
    shape = tuple(shape.args[0]) if isinstance(shape, Inert) and shape.args and isinstance(shape.args[0], tuple) else shape
    for sizes in (shape, strides):
        if not isinstance(sizes, tuple) or not all(type(n) is int and 0 <= n < 1 << 40 for n in sizes) or len(sizes) > 8:
            raise ConvertError(tr("an array has a shape that can't be read: the file is damaged"))
    if len(shape) != len(strides) or type(offset) is not int or not 0 <= offset < 1 << 40:
        raise ConvertError(tr("an array has a shape that can't be read: the file is damaged"))
    return Tensor(storage, offset, shape, strides)


# NumPy's arrays, which people keep beside the weights, or keep the weights in

NUMPY_KINDS = re.compile(r"[fiub][1248]|U\d{1,4}")


def _numpy_array(value: Inert) -> np.ndarray | None:
    """The array that NumPy would rebuild from a note, where it holds numbers or text; else None."""
    match value.kind.name, value.args, value.state:
        case "_reconstruct", _, (_, tuple() as shape, Inert() as dtype, bool() as fortran, bytes() as raw):
            order: Literal["C", "F"] = "F" if fortran else "C"
        case "_frombuffer", (bytes() as raw, Inert() as dtype, tuple() as shape, "C" | "F" as order), _:
            pass
        case "scalar", (Inert() as dtype, bytes() as raw), _:
            shape, order = (), "C"
        case _:
            return None
    kind = dtype.args[0] if dtype.args else None
    if not value.kind.module.startswith("numpy") or not isinstance(kind, str) or not NUMPY_KINDS.fullmatch(kind):
        return None
    big = isinstance(dtype.state, tuple) and len(dtype.state) > 1 and dtype.state[1] == ">"
    wanted = np.dtype((">" if big else "<") + kind)
    sizes = [n for n in shape if type(n) is int and 0 <= n <= LARGEST_ARRAY]
    if len(sizes) < len(shape) or len(sizes) > 8 or prod(sizes) * wanted.itemsize != len(raw) or not wanted.itemsize:
        raise ConvertError(tr("a NumPy array has not as many numbers as its shape says: the file is damaged"))
    return np.frombuffer(raw, wanted).reshape(sizes, order=order)


# The two kinds of files


def _from_zip(data: bytes, name: str) -> Any:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = {info.filename: info for info in archive.infolist()}
    except ZIP_ERRORS as error:
        raise ConvertError(
            tr("{shorten} is not a whole zip archive: it is damaged or not complete", shorten=shorten(name))
        ) from error
    total = sum(info.file_size for info in entries.values())
    if len(archive.infolist()) > MOST_ARRAYS or total > LARGEST_FILE:
        raise ConvertError(
            tr(
                "{shorten} unpacks to {infolist_count:,} entries of {total:,} MB; at most {most_arrays:,} of"
                " {largest_file} MB are read",
                shorten=shorten(name),
                infolist_count=len(archive.infolist()),
                total=total >> 20,
                most_arrays=MOST_ARRAYS,
                largest_file=LARGEST_FILE >> 20,
            )
        )
    pickles = [entry for entry in entries if entry == "data.pkl" or entry.endswith("/data.pkl")]
    if not pickles:
        raise ConvertError(tr("{shorten} is a zip archive without the data.pkl that PyTorch writes", shorten=shorten(name)))
    top = pickles[0].removesuffix("data.pkl")
    if any(entry.startswith((f"{top}code/", f"{top}constants.pkl")) for entry in entries):
        raise ConvertError(
            tr(
                "{shorten} is a TorchScript program, which would have to be run to be read: save the module's"
                " state_dict() with torch.save instead",
                shorten=shorten(name),
            )
        )

    def member(entry: str, most: int) -> bytes:
        info = entries.get(entry)
        if info is None:
            raise ConvertError(
                tr(
                    "{shorten} lacks {shorten_2}: it is damaged or not complete",
                    shorten=shorten(name),
                    shorten_2=shorten(entry),
                )
            )
        if info.file_size > most or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ConvertError(
                tr(
                    "{shorten} in {shorten_2} is not of the size or kind that PyTorch writes",
                    shorten=shorten(entry),
                    shorten_2=shorten(name),
                )
            )
        try:
            with archive.open(info) as opened:
                return opened.read(most + 1)
        except ZIP_ERRORS as error:
            raise ConvertError(
                tr(
                    "{shorten} in {shorten_2} can't be unpacked: the file is damaged",
                    shorten=shorten(entry),
                    shorten_2=shorten(name),
                )
            ) from error

    order = ">" if f"{top}byteorder" in entries and member(f"{top}byteorder", 16) == b"big" else "<"
    fetch = lambda key, size: member(f"{top}data/{key}", size)  # noqa: E731
    return _TorchUnpickler(member(pickles[0], LARGEST_FILE), 0, fetch, order).load()


def _from_pickles(data: bytes, name: str) -> Any:
    """The older form of torch.save, or a plain pickle."""
    if LEGACY_MAGIC.to_bytes(10, "little") in data[:64]:
        return _legacy(data, name)

    def none(key: str, size: int) -> bytes:
        raise ConvertError(
            tr(
                "{shorten} is a pickle that keeps its numbers elsewhere: {save_again}",
                shorten=shorten(name),
                save_again=SAVE_AGAIN,
            )
        )

    return _TorchUnpickler(data, 0, none).load()


def _legacy(data: bytes, name: str, nested: bool = False) -> Any:
    """torch.save before 1.6: a number, a version, the machine, the object, the storages' keys, then each storage."""
    places: dict[str, int] = {}
    most = STORAGE_OPERATIONS if nested else MOST_OPERATIONS

    def reader_at(position: int) -> Unpickler:
        reader = Unpickler(data, position)
        reader.operations = most
        return reader

    reader = reader_at(0)
    if reader.load() != LEGACY_MAGIC:
        raise ConvertError(tr("{shorten} is not of the form that PyTorch wrote before 1.6", shorten=shorten(name)))
    version = reader_at(reader.position)
    if version.load() != LEGACY_VERSION:
        raise ConvertError(
            tr("{shorten} was made by a PyTorch too old to be read: {save_again}", shorten=shorten(name), save_again=SAVE_AGAIN)
        )
    machine = reader_at(version.position)
    described = machine.load()
    little = not isinstance(described, dict) or described.get("little_endian", True)

    def fetch(key: str, size: int) -> bytes:
        if key not in places:
            raise ConvertError(
                tr(
                    "{shorten} lacks the numbers called {shorten_2}: it is damaged or not complete",
                    shorten=shorten(name),
                    shorten_2=shorten(key),
                )
            )
        return data[places[key] : places[key] + size]

    class Recording(_TorchUnpickler):
        """Notes how many bytes each storage has, in order to find them in what follows."""

        sizes: dict[str, int]

        def kept_elsewhere(self, identity: Any) -> Any:
            if isinstance(identity, tuple) and len(identity) > 5 and identity[5] is not None:
                raise ConvertError(
                    tr(
                        "{shorten} holds views of storages in a form that can't be read: {save_again}",
                        shorten=shorten(name),
                        save_again=SAVE_AGAIN,
                    )
                )
            storage = super().kept_elsewhere(identity)
            if isinstance(storage, Storage):
                self.sizes[identity[2]] = storage.count * np.dtype(storage.dtype).itemsize
            return storage

        def call(self, kind: Name, args: tuple[Any, ...]) -> Any:
            if nested and str(kind) == "torch.storage._load_from_bytes":
                raise ConvertError(tr("{shorten} holds files within files within files", shorten=shorten(name)))
            return super().call(kind, args)

    objects = Recording(data, machine.position, fetch, "<" if little else ">")
    objects.sizes, objects.operations = {}, most
    root = objects.load()
    keys = reader_at(objects.position)
    listed = keys.load()
    position = keys.position
    if not isinstance(listed, list) or len(listed) > MOST_ARRAYS * 4:
        raise ConvertError(tr("{shorten} does not list its arrays: it is damaged", shorten=shorten(name)))
    for key in listed:
        size = objects.sizes.get(key) if isinstance(key, str) else None
        if size is None:
            raise ConvertError(
                tr(
                    "{shorten} lists numbers of a kind that can't be read: {save_again}",
                    shorten=shorten(name),
                    save_again=SAVE_AGAIN,
                )
            )
        places[key] = position + 8
        position += 8 + size
    if position > len(data):
        raise ConvertError(tr("{shorten} ends before its numbers do: it is damaged or not complete", shorten=shorten(name)))
    return root


# From nested objects to named arrays


def _word(key: Any) -> str:
    """A key as part of a dotted name; of a very long one, the beginning."""
    beginning = key[: torch_weights.LONGEST_NAME + 1] if isinstance(key, (str, bytes)) else key
    return str(beginning)


def _single(value: Any) -> Any:
    """A NumPy number as Python's own; anything else as it is."""
    array = _numpy_array(value) if isinstance(value, Inert) and value.kind.name == "scalar" else None
    return value if array is None else _plain(array)


def _plain(array: np.ndarray) -> Any:
    """NumPy's text and single values as Python's own. Raises ConvertError for what is no text."""
    try:
        return array.tolist()
    except ValueError:  # numbers that are no code points
        raise ConvertError(tr("a NumPy array of text is damaged")) from None


@dataclass(eq=False)
class _Collector:
    """Goes through what a pickle held, each container once, and notes arrays, modules' classes and other values."""

    contents: Contents = field(default_factory=Contents)
    seen: set[int] = field(default_factory=set)
    values: int = 0

    def collected(self, root: Any) -> Contents:
        """What was found. Raises ConvertError when it is nested too deeply or too much."""
        self.visit(root, (), 0)
        return self.contents

    def visit(self, value: Any, path: tuple[str, ...], depth: int, arrays: bool = True) -> None:
        """One value and all below it. arrays: whether tensors here are the model's, and not a module's own notes."""
        self.values += 1
        if self.values > MOST_VALUES or depth > DEEPEST:
            raise ConvertError(
                tr(
                    "the file is nested too deeply or too widely: {deepest} levels and {most_values:,} values are looked at",
                    deepest=DEEPEST,
                    most_values=MOST_VALUES,
                )
            )
        if isinstance(value, Tensor):
            if arrays:
                self.array(value, path)
            return
        if isinstance(value, (dict, list, tuple, Inert)):
            if id(value) in self.seen:
                return
            self.seen.add(id(value))
        if isinstance(value, Inert):
            self.inert(value, path, depth, arrays)
        elif isinstance(value, dict):
            self.table(value, path, depth, arrays)
        elif isinstance(value, (list, tuple)):
            self.sequence(value, path, depth, arrays)
        elif isinstance(value, (str, int, float, bool)):
            self.fact(path, value)

    def array(self, value: Tensor, path: tuple[str, ...]) -> None:
        if len(self.contents.arrays) >= MOST_ARRAYS:
            raise ConvertError(tr("the file holds more than {most_arrays:,} arrays", most_arrays=MOST_ARRAYS))
        self.contents.arrays[".".join(path)] = Lazy(value.shape, value.array)

    def fact(self, path: tuple[str, ...], value: Any) -> None:
        if path and len(self.contents.facts) < MOST_ARRAYS and sum(map(len, path)) <= torch_weights.LONGEST_NAME:
            self.contents.facts[".".join(path)] = value

    def table(self, value: dict[Any, Any], path: tuple[str, ...], depth: int, arrays: bool) -> None:
        if "param_groups" in value and "state" in value:
            self.contents.ignored.append(tr("the optimiser's state"))
            return
        self.fact(path, {key: _single(inner) for key, inner in value.items()})
        if len(value) > MOST_ARRAYS and not any(isinstance(v, (Tensor, dict, Inert)) for v in value.values()):
            return
        for key, inner in value.items():
            self.visit(inner, (*path, _word(key)), depth + 1, arrays)

    def sequence(self, value: list[Any] | tuple[Any, ...], path: tuple[str, ...], depth: int, arrays: bool) -> None:
        self.fact(path, value)
        if any(isinstance(inner, (Tensor, dict, list, tuple, Inert)) for inner in value):
            for k, inner in enumerate(value):
                self.visit(inner, (*path, str(k)), depth + 1, arrays)

    def inert(self, value: Inert, path: tuple[str, ...], depth: int, arrays: bool) -> None:
        """A module by its own lists; any other object by all that was put into it."""
        kind = value.kind
        if kind.module.startswith("torch.optim"):
            self.contents.ignored.append(tr("the optimiser's state"))
            return
        if str(kind) in ("builtins.set", "builtins.frozenset", "__builtin__.set", "__builtin__.frozenset"):
            members = value.items or (value.args[0] if value.args and isinstance(value.args[0], (list, tuple)) else [])
            self.fact(path, frozenset(m for m in members if isinstance(m, str)))
            return
        if REBUILT.fullmatch(str(kind)):
            if arrays and len(self.contents.unreadable) < MOST_ARRAYS:
                self.contents.unreadable.append(".".join(path))
            return
        array = _numpy_array(value)
        if array is not None:
            self.numpy(array, path, depth, arrays)
            return
        state = value.state
        if isinstance(state, tuple) and len(state) == 2:  # __dict__ and __slots__
            state = {**(state[0] if isinstance(state[0], dict) else {}), **(state[1] if isinstance(state[1], dict) else {})}
        if isinstance(state, dict) and isinstance(state.get("_parameters"), dict) and isinstance(state.get("_modules"), dict):
            self.module(kind, state, path, depth)
            return
        for part in (value.args, state, value.items, value.entries):
            if part:
                self.visit(part, path, depth + 1, arrays)

    def numpy(self, array: np.ndarray, path: tuple[str, ...], depth: int, arrays: bool) -> None:
        """Numbers are an array of the model's; text, or a single value, is a fact."""
        if array.dtype.kind == "U" or array.ndim == 0:
            self.visit(_plain(array), path, depth + 1, arrays)
        elif arrays and len(self.contents.arrays) < MOST_ARRAYS:
            self.contents.arrays[".".join(path)] = Lazy(array.shape, lambda: array)

    def module(self, kind: Name, state: dict[Any, Any], path: tuple[str, ...], depth: int) -> None:
        self.contents.kinds[".".join(path)] = kind.name
        inside = {"_parameters", "_modules", "_buffers"}
        for name in ("_parameters", "_modules", "_buffers"):
            part = state.get(name)
            for key, inner in part.items() if isinstance(part, dict) else ():
                self.visit(inner, (*path, _word(key)), depth + 1)
        for key, inner in state.items():
            if key not in inside and not str(key).endswith(("_hooks", "_hooks_with_kwargs", "_hooks_always_called")):
                self.visit(inner, (*path, _word(key)), depth + 1, arrays=False)
