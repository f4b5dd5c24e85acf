"""HDF5 files, read in a process of their own: HDF5's C library can crash, and hang, on a damaged file.

Of 1,500 files with a few flipped bits, one made it crash and one made it run on without end (h5py 3.16, HDF5 2.0).
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shorten
from typing import Any

import numpy as np

from lstm_core.convert.draft import DEEPEST, LARGEST_ARRAY, MOST_ARRAYS, ConvertError
from lstm_core.words import tr

SIGNATURE = b"\x89HDF\r\n\x1a\n"
CHILD = Path(__file__).with_name("hdf5_process.py")
LONGEST = 20  # seconds; an honest file of the largest size takes one


@dataclass(frozen=True, eq=False)
class Contents:
    """What an HDF5 file holds, in the order of its groups.

    arrays: float32 by path ("model_weights/lstm_1/kernel:0"). attributes: by the path of what they are attached to ("" for
    the file itself): texts, numbers, and lists of texts. ignored: sentences on what was left out. Source: HDF5.
    """

    arrays: dict[str, np.ndarray]
    attributes: dict[str, dict[str, Any]]
    ignored: tuple[str, ...]


def read(data: bytes, name: str, skip: tuple[str, ...] = ()) -> Contents:
    """Everything in an HDF5 file but what is `skip`ped.

    data: the file's bytes. name: the file's, for the sentences. skip: names of groups at the top that are not opened. Raises
    ConvertError for a damaged file, for links out of it and within it, for virtual and external arrays, and for too many,
    too large or too deep ones. Source: HDF5.
    """
    limits = {"skip": skip, "numbers": LARGEST_ARRAY, "objects": MOST_ARRAYS, "depth": DEEPEST, "seconds": LONGEST}
    # -P: the process's own folder is not searched for modules
    command = [sys.executable, "-P", str(CHILD), json.dumps(limits)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=2 * LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise ConvertError(
            tr("{shorten} is damaged: it could not be read in {longest} seconds", shorten=shorten(name), longest=2 * LONGEST)
        ) from None
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise ConvertError(
            tr(
                "{shorten} is damaged: HDF5 can't read it ({value})",
                shorten=shorten(name),
                value=last[:200] or tr("its library stopped"),
            )
        )
    header, _, numbers = done.stdout.partition(b"\n")
    found = json.loads(header)
    if "refused" in found:
        raise ConvertError(f"{shorten(name)}: {found['refused']}")
    arrays, start = {}, 0
    for path, shape in found["arrays"]:
        array = np.frombuffer(numbers, "<f4", int(np.prod(shape, dtype=np.int64)), start).reshape(shape)
        arrays[path] = array
        start += array.nbytes
    return Contents(arrays, found["attributes"], tuple(found["ignored"]))
