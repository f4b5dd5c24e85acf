"""Any checkpoint, of this project or a foreign one, opened as a model in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lstm_core import checkpoint, convert
from lstm_core.convert import vocabularies
from lstm_core.convert.draft import ConvertError, Draft
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from lstm_core.words import tr


def open_checkpoint(path: str | Path, vocabulary: Vocabulary | Sequence[str] | None = None) -> CharModel:
    """A trained character model from a file of PyTorch, safetensors, Keras, ONNX or TensorFlow, or of our own.

    path: the file; what it is, its content tells. vocabulary: the characters in the order of their ids
    (`Vocabulary.of_bytes()` for bytes); None takes the file's own, or a list beside it, .json or .txt, of the right size.
    Returns the model in evaluation mode, float32, on the CPU; its card says what was detected and what was left out. Nothing
    in the file is ever run. Whether it reads, `proof` tells. Raises convert.ConvertError, one sentence, for what can't be
    read, is not supported, or has no vocabulary (the sentence names those that would fit); CheckpointError for a damaged
    file of ours; OSError.
    """
    path = Path(path)
    if is_ours(path):
        return checkpoint.load(path)
    draft = convert.read_path(path)
    return draft.model(vocabulary if vocabulary is not None else own_or_beside(draft, convert.beside(path)), path.stem)


def is_ours(path: Path) -> bool:
    """Whether a file is one that `save` wrote, by the beginning of its header. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(1 << 16)
    return path.suffix == ".safetensors" and b'"gatescope"' in start


def own_or_beside(draft: Draft, aside: Mapping[str, bytes]) -> Vocabulary:
    """A draft's own vocabulary, else the list that lies beside its file. Raises ConvertError where there is neither."""
    if draft.vocabulary is not None:
        return draft.vocabulary
    offered = vocabularies.candidates(draft, aside=aside)
    listed = next((c for c in offered if c.label in aside), None)
    if listed is not None:
        return listed.vocabulary
    fitting = " or ".join(c.label for c in offered)
    raise ConvertError(
        tr(
            "the file does not say which {draft.size} characters its model knows, nor does a list beside it: name them",
            draft=draft,
        )
        + (tr(" ({fitting} would fit)", fitting=fitting) if fitting else "")
    )
