"""Other people's models in, one file a format. A format is told by what a file holds, never by its name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from reprlib import repr as shorten
from typing import Protocol, cast

from lstm_core.convert import archives, vocabularies
from lstm_core.convert.draft import LARGEST_FILE, MOST_ARRAYS, ConvertError, Draft
from lstm_core.words import tr

__all__ = ["FORMATS", "ConvertError", "Draft", "Reader", "beside", "read", "read_path"]

LARGEST_LIST = 1 << 20  # bytes of a list of characters, or of a manifest, beside a model

# The readers in the order in which they are asked, each a module of this folder. Imported when a file arrives.
FORMATS = ("pytorch", "safetensors_file", "keras_file", "onnx_file", "raw_arrays")


class Reader(Protocol):
    """What a format's module offers."""

    def recognises(self, data: bytes, name: str) -> bool:
        """Whether these bytes are of this format, by their beginning and by what the archive lists."""

    def read(self, data: bytes, name: str, aside: Mapping[str, bytes]) -> Draft:
        """The model in these bytes. Raises ConvertError, one sentence, and nothing else."""


def read(data: bytes, name: str, aside: Mapping[str, bytes] | None = None) -> Draft:
    """What a foreign file holds: its model, and its vocabulary where it has one. Nothing in it is ever run.

    data: the file's bytes, at most 64 MB. name: the file's, for the sentences. aside: files given with it, by name, such
    as a list of characters. Raises ConvertError, one sentence, when no format fits, and for what is damaged, too large or
    not supported.
    """
    aside = {} if aside is None else aside
    for file, size in ((name, len(data)), *((n, len(d)) for n, d in aside.items())):
        if size > LARGEST_FILE:
            raise ConvertError(
                tr(
                    "{shorten} has {size} MB; at most {largest_file} MB are read",
                    shorten=shorten(file),
                    size=size >> 20,
                    largest_file=LARGEST_FILE >> 20,
                )
            )
    if (members := archives.entries(data)) > MOST_ARRAYS:
        raise ConvertError(
            tr(
                "{shorten} has {members:,} members; at most {most_arrays:,} are read",
                shorten=shorten(name),
                members=members,
                most_arrays=MOST_ARRAYS,
            )
        )
    for format_name in FORMATS:
        reader = cast(Reader, importlib.import_module(f"{__name__}.{format_name}"))
        if reader.recognises(data, name):
            return reader.read(data, name, aside)
    raise ConvertError(
        tr(
            "{shorten} is of no format that can be read: PyTorch, safetensors, Keras, ONNX, or arrays in an .npz file",
            shorten=shorten(name),
        )
    )


def read_path(path: str | Path) -> Draft:
    """What the foreign file at a path holds, and the lists and manifests `beside` it. Raises ConvertError, OSError."""
    path = Path(path)
    if path.is_file() and path.stat().st_size > LARGEST_FILE:
        raise ConvertError(
            tr(
                "{path.name} has {st_size} MB; at most {largest_file} MB are read",
                path=path,
                st_size=path.stat().st_size >> 20,
                largest_file=LARGEST_FILE >> 20,
            )
        )
    return read(path.read_bytes(), path.name, beside(path))


def beside(path: str | Path) -> dict[str, bytes]:
    """Lists of characters and manifests in a file's folder, by name: .json and .txt files that are called as it is, or as
    vocabularies usually are (vocab.json, chars.txt, char2int.json, ...), or manifest.json; each at most 1 MB.

    path: the model's file. Raises OSError when one can't be read.
    """
    path = Path(path)
    found = {}
    for file in sorted(path.resolve().parent.glob("*.*")):
        named = file.stem in (path.stem, path.name, "manifest") or vocabularies.USUAL_NAMES.fullmatch(file.stem)
        listed = named and file.suffix in (".json", ".txt") and file.is_file() and file != path.resolve()
        if listed and file.stat().st_size <= LARGEST_LIST:
            found[file.name] = file.read_bytes()
    return found
