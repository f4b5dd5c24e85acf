"""Gradients to take away, as an NPZ file."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import numpy as np

import lstm_core
from lstm_core.analysis.gradients import Gradients
from lstm_core.analysis.vanishing import EXPLODED, VANISHED

README = """\
How far back the losses of a recurrent network reach, written by Gatescope.

    with np.load("gradients.npz", allow_pickle=False) as file:
        metadata = json.loads(str(file["metadata"]))
        norms = file["norms_hidden"]                     # metadata["states"] names them all

targets        int64 (target,): the steps t whose losses are meant, counted from metadata["start"] in the text
aims           int64 (target,): the character that each loss is the surprise of, as its number in metadata["vocabulary"]
norms_NAME     float32 (layer, target, step): the Euclidean norm of d loss at t / d NAME at s; NaN where s is after t
direct_NAME    the same along the direct path alone, NAME multiplied by what its gate keeps at each step
characters     float32 (target, step): the loss's gradient times the input at s, nats; below 0 it made the aim likelier
chars          uint32 (step,): code points of the stretch, 0 where a character goes on over several steps
metadata       JSON: model, cell, states, vocabulary, start, the limits of vanished and exploded, version
"""


def to_npz(found: Gradients, vocabulary: Sequence[str], start: int = 0) -> bytes:
    """Gradients as an uncompressed NPZ file, `np.load(..., allow_pickle=False)` reads all of it; "README" explains it.

    vocabulary: the model's characters, one code point each. start: the number of the first step in the text that they are a
    stretch of. Source: NumPy's NPZ format.
    """
    metadata = {
        "model": found.model,
        "cell": found.cell.name,
        "states": list(found.norms),
        "direct": list(found.direct),
        "vocabulary": list(vocabulary),
        "start": start,
        "vanished": VANISHED,
        "exploded": EXPLODED,
        "version": lstm_core.__version__,
    }
    arrays = {f"norms_{name}": norms for name, norms in found.norms.items()}
    arrays |= {f"direct_{name}": norms for name, norms in found.direct.items()}
    arrays |= {
        "targets": found.targets,
        "aims": found.aims,
        "characters": found.characters,
        "chars": np.array([ord(c) if c else 0 for c in found.chars], np.uint32),
        "README": np.array(README),
        "metadata": np.array(json.dumps(metadata)),
    }
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()
