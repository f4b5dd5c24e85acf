"""What every reader of a foreign file returns: a model but for its name and, often, its vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from lstm_core.errors import InputError
from lstm_core.formula import Cell
from lstm_core.model import CharModel, Recurrent
from lstm_core.model_file import LARGEST_SIZE
from lstm_core.text import Vocabulary
from lstm_core.words import tr

LARGEST_FILE = 64 << 20  # bytes: the largest file that is read, and all that a compressed one may unpack to
LARGEST_ARRAY = LARGEST_FILE // 4  # numbers in one array, and in all parameters together
MOST_ARRAYS = 4096  # arrays or entries in one file
DEEPEST = 64  # containers within containers
SYMBOLS_AT_MOST = 65_536  # the largest vocabulary; of characters, the largest in use have some thousands


class ConvertError(InputError):
    """A foreign file that can't be read, or that holds what is not supported: one sentence that names it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(legible(sentence))


def legible(words: str) -> str:
    """A file's words as any terminal or page takes them: what is not printable, such as control characters, signs that turn
    the direction of writing, and halves of surrogate pairs, stands there as Python writes it in a text (\\x1b, \\u202e).
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in words)


@dataclass(frozen=True, eq=False)
class Draft:
    """A foreign model as it was found in its file, to be shown before it is used.

    source: the format ("PyTorch state dict"). cell: its declaration, a registered one or a variant of one. units, layers:
    1 or more. parameters: float32 arrays under CharModel's own names (embedding.weight, rnn.weight_ih_l0, head.weight,
    ...), rows in the order of `cell.rows`. embedding: its width, None for one-hot input. size: how many symbols the head
    predicts. vocabulary: as the file gives it, None when it gives none. detected: (label, sentence) pairs: cell, layers,
    sizes, gate order, GRU form, biases, activations, input, head. ignored: a sentence for everything left out. Raises
    ConvertError when the sizes are beyond what a model here may have.
    """

    source: str
    cell: Cell
    units: int
    layers: int
    parameters: Mapping[str, np.ndarray] = field(repr=False)
    embedding: int | None
    size: int
    vocabulary: Vocabulary | None = None
    detected: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "detected", tuple((legible(label), legible(value)) for label, value in self.detected))
        object.__setattr__(self, "ignored", tuple(map(legible, self.ignored)))
        sizes = (("units", self.units), ("layers", self.layers), ("embedding", self.embedding), ("vocabulary", self.size))
        for what, size in sizes:
            largest = LARGEST_SIZE.get(what, SYMBOLS_AT_MOST)
            if size is not None and not 1 <= size <= largest:
                raise ConvertError(
                    tr(
                        "the file's model has {what} = {size:,}; it must be 1 to {largest:,}",
                        what=what,
                        size=size,
                        largest=largest,
                    )
                )
        wanted = {name: tuple(tensor.shape) for name, tensor in self._empty(_placeholder(self.size)).state_dict().items()}
        given = {name: np.shape(array) for name, array in self.parameters.items()}
        for name in sorted(wanted.keys() | given.keys()):
            if wanted.get(name) != given.get(name):
                raise ConvertError(
                    tr(
                        "{name} has shape {get}; a {self.cell.title} of {self.layers} layers x {self.units} units"
                        " over {self.size} symbols has {get_2}",
                        name=name,
                        get=given.get(name, tr("none: it is missing")),
                        self=self,
                        get_2=wanted.get(name, tr("no such weights")),
                    )
                )

    def model(self, vocabulary: Vocabulary | Sequence[str] | None = None, name: str = "converted") -> CharModel:
        """The model itself, in evaluation mode, its card naming the source.

        vocabulary: the characters in the order of their ids; None takes the file's own. name: what it is called. Raises
        ConvertError when the file has no vocabulary and none is given, or when it has another size than the head: the
        sentence names both counts.
        """
        known = self.vocabulary if vocabulary is None else vocabulary
        if known is None:
            raise ConvertError(
                tr("the file holds no vocabulary: name the {self.size} characters that its model predicts", self=self)
            )
        try:
            known = known if isinstance(known, Vocabulary) else Vocabulary(known)
        except InputError as error:
            raise ConvertError(str(error)) from error
        if len(known) != self.size:
            raise ConvertError(
                tr(
                    "the vocabulary has {known_count} characters, but the model predicts {self.size}",
                    known_count=len(known),
                    self=self,
                )
            )
        model = self._empty(known, name)
        weights = {key: torch.from_numpy(np.array(array, np.float32)) for key, array in self.parameters.items()}
        model.load_state_dict(weights, assign=True)
        model.card = self.card
        return model.eval()

    @property
    def card(self) -> dict[str, Any]:
        """What a converted model's card says: where it is from, what was detected, and what was ignored."""
        return {"source": self.source, "detected": dict(self.detected), "ignored": list(self.ignored)}

    def _empty(self, vocabulary: Vocabulary, name: str = "converted") -> CharModel:
        """The model without memory for its weights."""
        biases = any(key.startswith("rnn.bias") for key in self.parameters)
        head_bias = "head.bias" in self.parameters
        with torch.device("meta"):
            model = CharModel(vocabulary, self.cell, self.units, self.layers, None, 0.0, biases, head_bias, name)
            if self.embedding is not None:  # of given weights: to draw random ones here, torch imports a compiler
                size, width = len(vocabulary), self.embedding
                model.embedding = nn.Embedding(size, width, _weight=torch.empty(size, width))
                model.rnn = Recurrent(self.cell, width, self.units, self.layers, biases)
        return model


def _placeholder(size: int) -> Vocabulary:
    """So many characters, any: for the shapes alone."""
    return Vocabulary([chr(0x10000 + k) for k in range(size)])


def numbers(what: str, array: Any) -> np.ndarray:
    """One array of a foreign file as float32 of the same shape, contiguous, checked.

    what: its name, for the sentence. array: real numbers of any width (bool and complex are refused). Raises ConvertError
    for other kinds, more than `LARGEST_ARRAY` numbers, and values that are infinite, not a number, or too large for
    float32.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "fiu":
        raise ConvertError(tr("{what} holds {array.dtype}, not real numbers", what=what, array=array))
    if array.size > LARGEST_ARRAY:
        raise ConvertError(
            tr(
                "{what} has {array.size:,} numbers; at most {largest_array:,} are read",
                what=what,
                array=array,
                largest_array=LARGEST_ARRAY,
            )
        )
    with np.errstate(over="ignore", invalid="ignore"):
        converted = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(converted).all():
        raise ConvertError(tr("{what} holds numbers that are not finite", what=what))
    return converted
