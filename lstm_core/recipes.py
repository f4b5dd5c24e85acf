"""How each shipped model was trained: `python -m lstm_core train NAME --corpus FILE` makes it again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lstm_core.errors import InputError
from lstm_core.words import tr


@dataclass(frozen=True)
class Recipe:
    """What is trained and how. The defaults are what a small model needs: many small steps (see `streams`, `window`).

    cell: a registered cell's name. units, layers, embedding, bias: as in `CharModel`. seed: of the weights and the
    order of the windows. streams x window characters make one optimiser step: small models learn by the number of
    steps, more than by the number of characters. passes: how often the training text is read. learning_rate: Adam's,
    after `warmup` steps, decayed by a cosine to zero. clip: the gradient's largest norm. dropout: between layers and before the
    head. forget_bias: where the forget gate's bias starts (Jozefowicz et al. 2015: 1 or more). input_range: the
    weights on a one-hot input start uniformly within it, for one column alone is ever lit; None: 1/sqrt(units), as
    PyTorch does. weight_decay: decoupled from Adam's steps (Loshchilov & Hutter 2019); without it an LSTM's gates
    tend to saturate, and its C to grow past a thousand. text_length: after how many characters, on average, a
    stream's state starts anew from zero, as it does for each text that a person types; None: never. validations: how
    often the held-out part is judged, at even distances. Raises InputError for a value out of its range.
    The defaults were measured on War and Peace.
    """

    cell: str = "lstm"
    units: int = 128
    layers: int = 1
    embedding: int | None = None
    bias: bool = True
    passes: float = 10
    streams: int = 16
    window: int = 64
    learning_rate: float = 3e-3
    warmup: int = 200
    clip: float = 1.0
    dropout: float = 0.0
    forget_bias: float = 1.0
    input_range: float | None = 1.0
    weight_decay: float = 0.02
    text_length: float | None = 2048
    validations: int = 25
    seed: int = 1

    def __post_init__(self) -> None:
        counts = {"units": 1, "layers": 1, "embedding": 1, "streams": 1, "window": 1, "validations": 1, "warmup": 0, "seed": 0}
        for name, least in counts.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(tr("{name} must be {least} or more, not {value}", name=name, least=least, value=value))
        for name in ("passes", "learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(tr("{name} must be above 0, not {getattr}", name=name, getattr=getattr(self, name)))
        if not 0 <= self.dropout < 1:
            raise InputError(tr("dropout must be at least 0 and less than 1, not {self.dropout}", self=self))
        for name in ("input_range", "weight_decay"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise InputError(tr("{name} must be 0 or more, not {value}", name=name, value=value))
        if self.text_length is not None and self.text_length < self.window:
            raise InputError(tr("text_length must be {self.window} (one window) or more, not {self.text_length}", self=self))
        if not math.isfinite(self.forget_bias):
            raise InputError(tr("forget_bias must be a number, not {self.forget_bias}", self=self))


@dataclass(frozen=True)
class Shipped:
    """A shipped model: its recipe, the corpus it reads (None: this Python's standard library), one line on it."""

    recipe: Recipe
    corpus: str | None
    about: str


# One schedule for the whole family, so that the cells may be compared.
_FAMILY: dict[str, Any] = {"units": 128, "layers": 1, "passes": 10, "learning_rate": 1e-2}
_WAR = "warandpeace.txt"
_ALIKE = "one of six cells trained alike on War and Peace"

SHIPPED: dict[str, Shipped] = {
    "war-and-peace-lstm": Shipped(
        Recipe(units=256, layers=2, passes=11, learning_rate=1e-2, dropout=0.05),
        _WAR,
        "Tolstoy's War and Peace, in the Maudes' translation",
    ),
    "shakespeare-lstm": Shipped(
        Recipe(units=256, layers=2, passes=20, learning_rate=6e-3, dropout=0.4),
        "tinyshakespeare.txt",
        "a part of Shakespeare's plays (tinyshakespeare)",
    ),
    "python-lstm": Shipped(
        Recipe(units=256, layers=2, passes=5, learning_rate=8e-3, dropout=0.1, text_length=None),
        None,
        "Python source code: the standard library",
    ),
    "family-rnn": Shipped(Recipe(cell="rnn", **_FAMILY), _WAR, _ALIKE),
    "family-lstm": Shipped(Recipe(cell="lstm", **_FAMILY), _WAR, _ALIKE),
    "family-peephole": Shipped(Recipe(cell="peephole", **_FAMILY), _WAR, _ALIKE),
    "family-coupled": Shipped(Recipe(cell="coupled", **_FAMILY), _WAR, _ALIKE),
    "family-gru": Shipped(Recipe(cell="gru", **_FAMILY), _WAR, _ALIKE),
    "family-gru-pytorch": Shipped(Recipe(cell="gru_pytorch", **_FAMILY), _WAR, _ALIKE),
}
