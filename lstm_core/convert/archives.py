"""Zip archives with limits: what they list, and single members, unpacked only as far as is allowed."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from reprlib import repr as shorten

from lstm_core.convert.draft import LARGEST_FILE, MOST_ARRAYS, ConvertError
from lstm_core.words import tr

# What Python's zipfile raises for archives that are damaged, encrypted or packed in a way it does not know.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, KeyError,
    IndexError, OverflowError,
)  # fmt: skip

ENTRY = b"PK\x01\x02"  # before each entry of an archive's list


def entries(data: bytes) -> int:
    """How many members a zip archive lists, told without reading the list, which takes seconds where it is long; 0 for
    anything else.
    """
    return data.count(ENTRY) if data.startswith(b"PK") else 0


def names(data: bytes) -> tuple[str, ...]:
    """What a zip archive lists; empty for anything else."""
    if not data.startswith(b"PK"):
        return ()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return tuple(archive.namelist())
    except DAMAGE:
        return ()


def members(data: bytes, name: str, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Some members of a zip archive, unpacked: at most 64 MB together.

    data: the archive. name: the file's, for the sentences. wanted: members, all of which must be there. Raises ConvertError
    for a damaged archive, a missing member, more than 4,096 members, and more than is allowed. Source: PKWARE's APPNOTE.
    """
    found, room = {}, LARGEST_FILE
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > MOST_ARRAYS:
                raise ConvertError(
                    tr(
                        "{shorten} has {infolist_count:,} members; at most {most_arrays:,} are read",
                        shorten=shorten(name),
                        infolist_count=len(archive.infolist()),
                        most_arrays=MOST_ARRAYS,
                    )
                )
            for member in wanted:
                with archive.open(member) as opened:
                    found[member] = opened.read(room + 1)
                room -= len(found[member])
                if room < 0:
                    raise ConvertError(
                        tr(
                            "{shorten} unpacks to more than {largest_file} MB, which is not read",
                            shorten=shorten(name),
                            largest_file=LARGEST_FILE >> 20,
                        )
                    )
    except ConvertError:
        raise
    except DAMAGE as error:
        raise ConvertError(
            tr("{shorten} is a damaged zip archive: {split}", shorten=shorten(name), split=" ".join(str(error).split())[:120])
        ) from error
    return found
