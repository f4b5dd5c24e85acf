"""What the page Training shows: which section, whose life, which place in it; as one value, and as a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from lstm_core.numbering import Counted
from lstm_core.words import N_
from pages.common.links import Field, Number, OneOf, Parts
from pages.common.training.view import Place
from pages.common.view_state import Sections, ViewState

SECTIONS = {"life": N_("A model’s life"), "bias": N_("Forget-gate bias"), "here": N_("Train here")}
FIRST = "lstm"


@dataclass(frozen=True)
class Choice:
    """section: one of SECTIONS. life: a shipped life's name. place: the pin in it, or None."""

    section: str = "life"
    life: str = FIRST
    place: Place | None = None


def _place(**counted: Counted) -> Parts:
    return Parts({name: Number(what) for name, what in counted.items()}, made=Place, taken=astuple)


def _shows_life(choice: Choice) -> bool:
    return choice.section == "life"


FIELDS = (
    Field("section", OneOf(), SECTIONS, N_("The link asks for a section “{asked}”; there are {known}.")),
    Field(
        "life",
        OneOf(),
        lambda now, lives: lives,
        N_("The link asks for the life “{asked}”; there are {known}."),
        when=_shows_life,
    ),
    Field(
        "pin",
        _place(checkpoint="checkpoint", character="character", unit="unit"),
        None,
        N_("The link pins “{asked}”; {known}."),
        attribute="place",
        when=_shows_life,
    ),
    Field(
        "at",
        _place(checkpoint="step", character="step", unit="unit"),
        None,
        N_("The link, an older one, pins “{asked}”; {known}."),
        attribute="place",
        replaced_by="pin",
    ),
)


def first(lives: Sequence[str]) -> Choice:
    """What a newcomer sees: the life of an LSTM, or the first that is there."""
    return Choice(life=FIRST if FIRST in lives or not lives else lives[0])


STATE = ViewState[Choice](
    "training",
    FIELDS,
    Sections("section", SECTIONS, N_("What to look at")),
    first,
    asked=lambda choice: replace(choice, place=None),
)
