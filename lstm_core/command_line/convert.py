"""Turn a checkpoint of PyTorch, Keras, ONNX or TensorFlow into a model of ours, and see whether it reads."""

from __future__ import annotations

import hashlib
import string
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_core import checkpoint, convert, corpora
from lstm_core.analysis.proof import Proof, proof
from lstm_core.command_line import _common as common
from lstm_core.convert import Draft, vocabularies
from lstm_core.convert.opening import own_or_beside
from lstm_core.errors import InputError
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from lstm_core.words import tr


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
FILE is told by its content: PyTorch state dicts, training checkpoints and whole modules (nothing in
them is ever run), safetensors, Keras 1 to 3, ONNX, or arrays in an .npz file. Printed are what was
detected and what was left out, then the proof: the loss on a text against guessing and against
tables of n-grams of the same text. A model that looks wrongly packed is written with --anyway alone.""",
        (
            "shakespeare.pt --vocabulary printable --text-file hamlet.txt -o shakespeare.safetensors",
            "poems.h5 --vocabulary text:poems.txt -o poems.safetensors",
            "model.onnx --vocabulary chars.json -o model.safetensors",
        ),
    )
    command.add_argument("file", metavar="FILE", help="The checkpoint.")
    command.add_argument(
        "--vocabulary",
        metavar="WHICH",
        help="The characters in the order of their ids: a .json or .txt list, printable (Python's string.printable), bytes,"
        " or text:FILE for the sorted characters of a text. The default is what the file, or a list beside it, says.",
    )
    command.add_argument(
        "--text-file", metavar="FILE", help="A text for the proof, best of the kind that the model was trained on."
    )
    command.add_argument("-o", "--output", required=True, metavar="OUT.safetensors", help="Where the model goes.")
    command.add_argument("--name", help="What the model is called. The default is the output file's name.")
    command.add_argument("--overwrite", action="store_true", help="Replace the output file if there is one already.")
    command.add_argument("--anyway", action="store_true", help="Write the model even if the proof says that it looks wrong.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Prints what was found, judges the model and writes it. Returns 0, or 1 when it looks wrong and was not written."""
    path, output = Path(arguments.file), Path(arguments.output)
    _check(output, arguments.overwrite)
    draft = convert.read_path(path)
    _tell(draft)
    vocabulary, words = _vocabulary(arguments.vocabulary, draft, convert.beside(path))
    print(f"vocabulary: {words}")
    model = draft.model(vocabulary, arguments.name or output.stem)
    model.card |= {"file": path.name, "file_sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "vocabulary": words}
    result = _proof(model, arguments)
    if result is not None and result.verdict == "wrong" and not arguments.anyway:
        common.remark(f"{output} was not written: look at the vocabulary and the text, or say --anyway.")
        return 1
    checkpoint.save(model, output)
    print(f"{output}: written")
    return 0


def _check(output: Path, overwrite: bool) -> None:
    if output.suffix != ".safetensors":
        raise common.UsageError(tr("--output must end in .safetensors, and {output} does not", output=output))
    if output.exists() and not overwrite:
        raise InputError(
            tr("{output} exists already; name another with --output, or replace it with --overwrite", output=output)
        )


def _tell(draft: Draft) -> None:
    print(f"source: {draft.source}")
    for label, sentence in draft.detected:
        print(f"{label}: {sentence}")
    for sentence in draft.ignored:
        print(f"ignored: {sentence}")


def _vocabulary(wanted: str | None, draft: Draft, aside: Mapping[str, bytes]) -> tuple[Vocabulary, str]:
    """The vocabulary that was asked for, or that the file names; and where it is from."""
    if wanted is None:
        own = own_or_beside(draft, aside)
        return own, "the file's own" if draft.vocabulary is not None else "the list beside the file"
    if wanted == "printable":
        return Vocabulary(string.printable), "Python's string.printable"
    if wanted == "bytes":
        return Vocabulary.of_bytes(), "bytes"
    if wanted.startswith("text:"):
        text = corpora.decode(Path(wanted.removeprefix("text:")).read_bytes())
        return Vocabulary.of(text), f"the characters of {Path(wanted.removeprefix('text:')).name}, sorted"
    path = Path(wanted)
    if path.suffix not in (".json", ".txt"):
        raise common.UsageError(
            tr("--vocabulary is printable, bytes, text:FILE, or a .json or .txt file, not {wanted}", wanted=wanted)
        )
    return vocabularies.from_file(path.read_bytes(), path.name, draft.size), path.name


def _proof(model: CharModel, arguments: Namespace) -> Proof | None:
    wanted = arguments.vocabulary or ""
    file = arguments.text_file or (wanted.removeprefix("text:") if wanted.startswith("text:") else None)
    if file is None:
        common.remark("Whether the model reads was not tried: name a text with --text-file.")
        return None
    result = proof(model, corpora.decode(Path(file).read_bytes()))
    print(f"proof: {result.sentence}")
    for hint in result.hints:
        print(f"hint: {hint}")
    model.card["proof"] = {
        "text": Path(file).name, "loss": round(result.loss, 4), "ngrams": round(result.ngrams.best_loss, 4),
        "uniform": round(result.uniform, 4), "verdict": result.verdict,
    }  # fmt: skip
    return result
