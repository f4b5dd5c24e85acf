"""Models: an uploaded file becomes what was found in it, in memory; nothing of it is run, and nothing of it stays on disk."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import lstm_core as lc
from lstm_core import convert
from lstm_core.convert import Draft, vocabularies
from lstm_core.convert.draft import LARGEST_FILE, SYMBOLS_AT_MOST
from lstm_core.convert.vocabularies import Candidate
from lstm_core.formula import Cell
from lstm_core.words import tr
from pages.common import own_models

MOST_ASIDE = 8  # files given along
OURS = b'"gatescope"'  # stands at the beginning of the header of our own files
OWN_CHARACTERS = "the file's own"  # as the candidates call a vocabulary that the file names


@dataclass(frozen=True, eq=False)
class Found:
    """What an uploaded file holds, to be shown before it is used.

    file: its name. source: its format. cell: the declared one, or a variant. detected: (label, sentence) pairs. ignored: a
    sentence for each thing left out. aside: the files given along. digest: of all bytes. draft: what a foreign file holds;
    ours: the model in a file of our own. One of the two is there.
    """

    file: str
    source: str
    cell: Cell
    detected: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    aside: Mapping[str, bytes]
    digest: str
    draft: Draft | None = None
    ours: lc.CharModel | None = None

    @property
    def symbols(self) -> int:
        """How many characters, or bytes, the model predicts."""
        return len(self.ours.vocabulary) if self.ours is not None else self.draft.size if self.draft is not None else 0

    @property
    def weights(self) -> int:
        """How many numbers its model was trained to."""
        if self.draft is not None:
            return sum(array.size for array in self.draft.parameters.values())
        return sum(p.numel() for p in self.ours.parameters()) if self.ours is not None else 0

    @property
    def names_characters(self) -> bool:
        """Whether the vocabulary stands in the file itself."""
        return self.ours is not None or (self.draft is not None and self.draft.vocabulary is not None)

    def candidates(self, text: str | None) -> tuple[Candidate, ...]:
        """The vocabularies that fit; of our own files the one that is in it alone."""
        if self.ours is not None:
            return (Candidate(OWN_CHARACTERS, self.ours.vocabulary, tr("It stands in the file beside the weights.")),)
        return vocabularies.candidates(self.draft, text, self.aside) if self.draft is not None else ()

    def model(self, chosen: Candidate) -> lc.CharModel:
        """The model, its characters being those. Raises lc.ConvertError."""
        stem = Path(self.file).stem or "model"
        if self.ours is not None:
            model = copy.copy(self.ours)
            model.card = dict(self.ours.card)
            return model
        assert self.draft is not None
        model = self.draft.model(chosen.vocabulary, stem)
        model.card = {"source": self.source, "file": self.file, "vocabulary": chosen.label}
        return model


def read(data: bytes, file: str, aside: Mapping[str, bytes]) -> Found:
    """What a file holds. Raises lc.ConvertError or lc.CheckpointError, one sentence each."""
    digest = hashlib.sha256(b"\0".join([data, *aside.values()])).hexdigest()
    if len(aside) > MOST_ASIDE:
        raise lc.ConvertError(
            tr(
                "{aside_count} files were given along; at most {most_aside} are read",
                aside_count=len(aside),
                most_aside=MOST_ASIDE,
            )
        )
    for name, content in aside.items():
        if len(content) > convert.LARGEST_LIST:
            raise lc.ConvertError(
                tr(
                    "{name} has {content_count:,} bytes; a list or a manifest has at most 1 MB",
                    name=name,
                    content_count=len(content),
                )
            )
    if data[8:9] == b"{" and OURS in data[: 1 << 16]:
        return _read_ours(data, file, aside, digest)
    draft = convert.read(data, file, aside)
    return Found(file, draft.source, draft.cell, draft.detected, draft.ignored, aside, digest, draft)


def _read_ours(data: bytes, file: str, aside: Mapping[str, bytes], digest: str) -> Found:
    if len(data) > LARGEST_FILE:
        raise lc.ConvertError(
            tr(
                "{file} has {data_count} MB; at most {largest_file} MB are read",
                file=file,
                data_count=len(data) >> 20,
                largest_file=LARGEST_FILE >> 20,
            )
        )
    with TemporaryDirectory() as folder:
        stem = re.sub(r"[^\w.-]", "-", Path(file).stem)[:80] or "model"
        path = Path(folder) / f"{stem}.safetensors"
        path.write_bytes(data)
        model = lc.load(path)
    if len(model.vocabulary) > SYMBOLS_AT_MOST:
        raise lc.ConvertError(
            tr(
                "{file} knows {vocabulary_count:,} characters; at most {symbols_at_most:,} are read",
                file=file,
                vocabulary_count=len(model.vocabulary),
                symbols_at_most=SYMBOLS_AT_MOST,
            )
        )
    if model.vocabulary.reads == "characters" and any("\ud800" <= c <= "\udfff" for c in model.vocabulary.characters):
        raise lc.ConvertError(tr("“{file}” knows half of a surrogate pair as a character, which no text can hold", file=file))
    model.card = own_models.checked_card(model.card)
    detected = tuple(_described(model))
    return Found(file, tr("Gatescope's own safetensors"), model.cell, detected, (), aside, digest, None, model)


def _described(model: lc.CharModel) -> list[tuple[str, str]]:
    weights = sum(p.numel() for p in model.parameters())
    reads = "one-hot" if model.embedding is None else tr("embedding of {model.embedding.embedding_dim} numbers", model=model)
    biases = {0: tr("none, as this cell has none"), 1: tr("one a layer"), 2: tr("two a layer, b_ih and b_hh, which are added")}
    return [
        ("cell", f"{model.cell.title} ({model.cell.source})"),
        ("layers", tr("{model.layers} × {model.units} units", model=model)),
        (
            "sizes",
            tr("{vocabulary_count} symbols, {weights:,} weights", vocabulary_count=len(model.vocabulary), weights=weights),
        ),
        (tr("gate order"), tr("{rows} (Gatescope's own)", rows=", ".join(model.cell.rows))),
        ("biases", biases[model.cell.biases] if model.rnn.bias or not model.cell.biases else "none"),
        ("input", tr("{reads}, read as {model.vocabulary.reads}", reads=reads, model=model)),
        ("head", tr("linear, with a bias") if model.head.bias is not None else tr("linear, without a bias")),
    ]
