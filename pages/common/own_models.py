"""The models that a session has brought or trained itself, and what was computed with them: its own, and gone with it."""

from __future__ import annotations

import copy
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import streamlit as st

import lstm_core as lc
from lstm_core.errors import InputError
from lstm_core.words import tr

KEY = "own models"
PREFIX = "mine: "  # before the names that a person gives: no shipped model's begins so
LONGEST_NAME = 40
MOST_MODELS = 8
MOST_WEIGHTS = 64 << 20  # numbers in all of them together: 256 MB
MOST_RESULTS = 48
MOST_BYTES = 256 << 20  # of kept results together
MOST_OF_TRACE = 128 << 20  # bytes of one trace
LOSSES = ("loss", "ngrams", "uniform")
# What a card may say of a model's training; its kinds are checked where the file is read.
TRAINING = ("corpus", "sha256", "split", "loss_protocol", "held_out_loss", "steps", "characters_seen", "ngrams", "recipe")


class OwnModelError(InputError):
    """A model that a session can't keep: one sentence."""


@dataclass(frozen=True, eq=False)
class Own:
    """A model of the session's own. kind: where it is from, in a few words. info: as models are listed."""

    model: lc.CharModel
    kind: str
    info: lc.ModelInfo


@dataclass
class _Session:
    models: dict[str, Own] = field(default_factory=dict)
    results: OrderedDict[Hashable, tuple[Any, int]] = field(default_factory=OrderedDict)


def _session() -> _Session:
    if KEY not in st.session_state:
        st.session_state[KEY] = _Session()
    return st.session_state[KEY]


# The models


def all_own() -> Mapping[str, Own]:
    """The session's models by their listed names, in the order in which they came."""
    return _session().models


def infos() -> dict[str, lc.ModelInfo]:
    """The session's models as pages list them."""
    return {name: own.info for name, own in _session().models.items()}


def get(name: str) -> lc.CharModel | None:
    """The session's model of that listed name, or None."""
    own = _session().models.get(name) if name.startswith(PREFIX) else None
    return None if own is None else own.model


def add(model: lc.CharModel, kind: str) -> str:
    """Puts a model on the lists of all pages of this session, and returns the name that it is listed by.

    model: is not changed; its name, tidied, follows the prefix, with a number where that is taken. kind: where it is from,
    in a few words. Raises OwnModelError when there are too many, or too large ones.
    """
    session = _session()
    if len(session.models) >= MOST_MODELS:
        raise OwnModelError(
            tr("{most_models} models of your own are kept at most: remove one of them first.", most_models=MOST_MODELS)
        )
    weights = [sum(p.numel() for p in m.parameters()) for m in (model, *(own.model for own in session.models.values()))]
    if sum(weights) > MOST_WEIGHTS:
        raise OwnModelError(
            tr(
                "This model has {weights:,} weights and your others {weights_2:,}; {most_weights:,} are kept at most:"
                " remove one of them first.",
                weights=weights[0],
                weights_2=sum(weights[1:]),
                most_weights=MOST_WEIGHTS,
            )
        )
    name = _free(model.name, session.models)
    session.models[name] = _listed(model, name, kind)
    return name


def rename(name: str, wanted: str) -> str:
    """Gives a model of this session another name, in its old place; returns the name that it is listed by now."""
    session = _session()
    others = [other for other in session.models if other != name]
    new = _free(wanted, others)
    session.models = {
        new if other == name else other: _listed(own.model, new, own.kind) if other == name else own
        for other, own in session.models.items()
    }
    session.results.clear()
    return new


def remove(name: str) -> None:
    """Lets go of a model of this session, and of all that was computed with any."""
    session = _session()
    session.models.pop(name, None)
    session.results.clear()


def as_file(model: lc.CharModel) -> bytes:
    """A model as a .safetensors file of ours, which goes by its plain name. Needs no session: browsers ask for it later."""
    named = copy.copy(model)
    named.name = plain_name(model.name)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        lc.save(named, path)
        return path.read_bytes()


def plain_name(name: str) -> str:
    """A model's name as its owner gave it."""
    return name.removeprefix(PREFIX)


def tidied(wanted: str) -> str:
    """A name that lists, links and Markdown take as it is: letters, digits, dots and single blanks, the rest as "-"."""
    tidy = re.sub(r"[^\w. -]|_", "-", wanted.removeprefix(PREFIX))
    return " ".join(re.sub(r"-+", "-", tidy).split())[:LONGEST_NAME].strip(" -.") or "model"


def _free(wanted: str, taken: Sequence[str] | Mapping[str, Own]) -> str:
    name, number = PREFIX + tidied(wanted), 2
    while name in taken:
        name, number = f"{PREFIX}{tidied(wanted)} {number}", number + 1
    return name


def _listed(model: lc.CharModel, name: str, kind: str) -> Own:
    renamed = copy.copy(model)  # the same weights under another name
    renamed.name = name
    path = Path(f"{plain_name(name)}.safetensors")
    return Own(renamed, kind, lc.ModelInfo(name, path, renamed.config, renamed.card, len(renamed.vocabulary)))


def checked_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """Of a file's card what pages show, where it is of the kind that they can show; the rest is left out."""
    proof = card.get("proof")
    whole = isinstance(proof, dict) and isinstance(proof.get("text"), str) and all(map(_is_number, map(proof.get, LOSSES)))
    good = {key: card[key] for key in TRAINING if key in card}
    good |= {key: card[key] for key in ("source", "file", "vocabulary") if isinstance(card.get(key), str)}
    return good | ({"proof": {key: proof[key] for key in ("text", *LOSSES)}} if whole and proof else {})


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def longest(model: lc.CharModel) -> int:
    """How many steps of a text may be traced at once: all of one trace's numbers stay within a limit."""
    signals = model.layers * model.units * len(model.cell.signals)
    return max(1, MOST_OF_TRACE // (4 * (signals + len(model.vocabulary))))


# What is computed with them


def concerns(arguments: Sequence[Any]) -> bool:
    """Whether a model of a session's own is named among some arguments, or in a tuple of them."""
    names = (name for a in arguments for name in (a if isinstance(a, tuple) else (a,)))
    return any(isinstance(name, str) and name.startswith(PREFIX) for name in names)


def result(compute: Callable[..., Any], arguments: tuple[Hashable, ...], most: int) -> Any:
    """What a function returns, computed once in this session; the oldest results go where there are too many.

    most: results of this function that are kept.
    """
    results = _session().results
    function = (compute.__module__, compute.__qualname__)
    key = (function, arguments)
    if key not in results:
        value = compute(*arguments)
        results[key] = (value, size_of(value))
        _shrink(results, [k for k in results if k[0] == function][:-most])  # type: ignore[index]
    results.move_to_end(key)
    return results[key][0]


def _shrink(results: OrderedDict[Hashable, tuple[Any, int]], surplus: Sequence[Hashable]) -> None:
    for key in surplus:
        del results[key]
    while len(results) > 1 and (len(results) > MOST_RESULTS or sum(size for _, size in results.values()) > MOST_BYTES):
        results.popitem(last=False)


def size_of(value: Any) -> int:
    """Bytes of the arrays in a result: of a trace, a tuple, a table or a frozen value made of such."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if is_dataclass(value) and not isinstance(value, type):
        return sum(size_of(getattr(value, part.name)) for part in fields(value))
    if isinstance(value, Mapping):
        return sum(map(size_of, value.values()))
    return sum(map(size_of, value)) if isinstance(value, (tuple, list)) else 0
