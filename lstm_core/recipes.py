"""How each shipped model was trained: `python -m lstm_core train NAME --corpus FILE` makes it again."""

from __future__ import annotations

from dataclasses import dataclass

from lstm_core.training import Recipe


@dataclass(frozen=True)
class Shipped:
    """A shipped model: its recipe, the corpus it reads (None: this Python's standard library), one line on it."""

    recipe: Recipe
    corpus: str | None
    about: str


# One schedule for the whole family, so that the cells may be compared.
_FAMILY = {"units": 128, "layers": 1, "passes": 12, "learning_rate": 1e-2}
_WAR = "warandpeace.txt"

SHIPPED: dict[str, Shipped] = {
    "war-and-peace-lstm": Shipped(
        Recipe(units=256, layers=2, passes=24, learning_rate=8e-3, dropout=0.1),
        _WAR,
        "Tolstoy's War and Peace, in the Maudes' translation",
    ),
    "shakespeare-lstm": Shipped(
        Recipe(units=256, layers=2, passes=20, learning_rate=6e-3, dropout=0.4),
        "tinyshakespeare.txt",
        "a part of Shakespeare's plays (tinyshakespeare)",
    ),
    "python-lstm": Shipped(
        Recipe(units=256, layers=2, passes=5, learning_rate=8e-3, dropout=0.1),
        None,
        "Python source code: the standard library",
    ),
    "family-rnn": Shipped(Recipe(cell="rnn", **_FAMILY), _WAR, "one of six cells trained alike on War and Peace"),
    "family-lstm": Shipped(Recipe(cell="lstm", **_FAMILY), _WAR, "one of six cells trained alike on War and Peace"),
    "family-peephole": Shipped(Recipe(cell="peephole", **_FAMILY), _WAR, "one of six cells trained alike on War and Peace"),
    "family-coupled": Shipped(Recipe(cell="coupled", **_FAMILY), _WAR, "one of six cells trained alike on War and Peace"),
    "family-gru": Shipped(Recipe(cell="gru", **_FAMILY), _WAR, "one of six cells trained alike on War and Peace"),
    "family-gru-pytorch": Shipped(Recipe(cell="gru_pytorch", **_FAMILY), _WAR, "one of six cells trained alike on War and Peace"),
}  # fmt: skip
