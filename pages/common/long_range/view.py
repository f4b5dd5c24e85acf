"""The linked picture of the page Long range: which characters mattered, and how far back each gradient reaches.

This side packs gradients for the browser; assets/reach/reach.js paints them. Of each loss only what came before it
travels, row after row: norms as 65,534 steps of their common logarithm's range, two digits; pushes as float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
import pyarrow as pa
import streamlit as st

from lstm_core.analysis import vanishing
from lstm_core.figures import palette
from lstm_core.figures.lettering import Glyph, glyph, plain_symbol
from pages.common import components

if TYPE_CHECKING:
    from lstm_core.analysis.gradients import Gradients
    from lstm_core.analysis.vanishing import Path
    from lstm_core.analysis.window import Window
    from lstm_core.trace import Trace

LEVELS = 65533  # 0 stands for a gradient of 0, and 65535 for one that knows no bounds
ENDLESS = 65535


@dataclass(frozen=True)
class Reader:
    """One model that read the text: its trace of the whole, and the gradients of a stretch of it."""

    trace: Trace
    found: Gradients


def reach_view(
    readers: Sequence[Reader],
    window: Window,
    *,
    key: str,
    layer: int = vanishing.TOP,
    step: int | None = None,
    on_pin: Callable[[], None] | None = None,
) -> int:
    """Draws what reached each prediction, and returns the step that is pinned, counted from 0 in the whole text.

    readers: of one text, gradients of `window`'s targets. layer: counted from 0; of a model with fewer the top one. step:
    the pin; it moves the picture only when it differs from the one given before. on_pin: called before the rerun that a
    new pin causes. Raises ValueError for readers of texts that differ.
    """
    if len({reader.trace.chars for reader in readers}) != 1:
        raise ValueError(f"one text for all: {', '.join(reader.trace.model for reader in readers)} read different ones")
    shown = _shown(key, window, step)
    sent = payload(readers, window, layer)
    components.mount(
        "reach",
        key=key,
        data=sent | {"view": {"step": shown.command, "serial": shown.serial}},
        on_pin_change=on_pin or _nothing,
    )
    return shown.step


def _nothing() -> None:
    """Streamlit keeps a component's state only where a callback is named."""


# What is shown: the browser's clicks and the page's wishes


@dataclass(frozen=True)
class _Shown:
    """The pinned step, and the one that the browser was last told, obeyed when its serial number is new there."""

    step: int
    command: int
    serial: int = 0
    given: int | None = None
    window: Window | None = None


def _shown(key: str, window: Window, given: int | None) -> _Shown:
    memory = f"{key}: shown"
    state = st.session_state.get(key)
    last: _Shown | None = st.session_state.get(memory)
    if last is None:
        first = _first_step(window) if given is None else given
        last = _Shown(nearest(window, first), nearest(window, first), 1, given, window)
    pinned = (state or {}).get("pin")
    step = last.step
    if isinstance(pinned, Mapping) and type(pinned.get("step")) is int and pinned.get("serial") == last.serial:
        step = nearest(window, pinned["step"])
    serial, command = last.serial, last.command
    asked = None if given is None else nearest(window, given)
    moved = asked is not None and given not in (last.given, last.step) and asked != step
    if moved or state is None or nearest(window, step) != step:
        step = asked if moved and asked is not None else nearest(window, step)
        command, serial = step, serial + 1
    now = st.session_state[memory] = _Shown(step, command, serial, given, window)
    return now


def nearest(window: Window, step: int) -> int:
    """The loss that is followed back nearest to a step, counted in the whole text."""
    targets = window.targets + window.start
    return int(targets[np.abs(targets - step).argmin()])


def _first_step(window: Window) -> int:
    """Where to look at first: two thirds into the stretch, with enough before it to look back at."""
    return window.start + (2 * (window.stop - window.start)) // 3


# What the browser is sent

_payloads: WeakKeyDictionary[Any, tuple[Any, dict[str, Any]]] = WeakKeyDictionary()


def payload(readers: Sequence[Reader], window: Window, layer: int) -> dict[str, Any]:
    """All that the browser paints from: JSON under "meta", flat columns in Arrow tables beside it.

    text: the glyph of each character of the stretch. loss0, ... of each reader: the glyph that is meant and its chance, a
    row a loss. norms0, ...: under "STATE" and "direct STATE" the norms of all losses, each one's from the stretch's first
    step to its own. pushes0, ...: likewise, what each character did to the loss, nats. fates0, ...: "vanished STATE" and
    "exploded STATE", steps of the stretch or -1.
    """
    wanted = (tuple(ref(reader.found) for reader in readers), window, layer)
    kept = _payloads.get(readers[0].found)
    if kept is None or kept[0] != wanted:
        kept = _payloads[readers[0].found] = (wanted, _packed(readers, window, layer))
    return kept[1]


def _packed(readers: Sequence[Reader], window: Window, layer: int) -> dict[str, Any]:
    columns = window.stop - window.start
    below = np.arange(columns) <= readers[0].found.targets[:, None]  # what has been read when the loss is taken
    characters: dict[str, int] = {}
    chars = readers[0].trace.chars[window.start : window.stop]
    typed = [characters.setdefault(c, len(characters)) for c in chars]
    packed: dict[str, Any] = {"text": pa.table({"typed": np.array(typed, np.uint16)})}
    low, high = _ends([norms for reader in readers for norms in _norms(reader, layer).values()])
    described, pushed = [], []
    for k, reader in enumerate(readers):
        pushes = -reader.found.characters[:, :columns][below]
        pushed.append(pushes)
        norms = {name: _logarithms(values[:, :columns][below], low, high) for name, values in _norms(reader, layer).items()}
        fates, largest = _fates(reader, layer)
        packed |= {f"norms{k}": pa.table(norms), f"pushes{k}": pa.table({"pushes": np.ascontiguousarray(pushes, np.float32)})}
        packed |= {f"fates{k}": pa.table(fates), f"loss{k}": pa.table(_losses(reader, window, characters))}
        described.append(_described(reader, layer, largest))
    packed["meta"] = {
        "readers": described,
        "start": window.start,
        "columns": columns,
        "stride": window.stride,
        "steps": readers[0].trace.steps,
        "targets": readers[0].found.targets.tolist(),
        "low": low,
        "high": high,
        "levels": LEVELS,
        "vanished": vanishing.VANISHED,
        "exploded": vanishing.EXPLODED,
        "most": max((float(np.abs(pushes).max()) for pushes in pushed), default=0.0),
        "glyphs": [_glyph(c) for c in characters],
        "colours": {scale: _lut(scale) for scale in ("gate", "diverging")},
        "lines": palette.READER_COLOURS,
        "file": "-".join(reader.trace.model for reader in readers) + "-reach",
    }
    return packed


def _lut(scale: palette.Scale) -> dict[str, str]:
    themes: tuple[palette.Theme, ...] = ("light", "dark")
    return {theme: palette.lut(scale, theme).tobytes().hex() for theme in themes}


def _glyph(character: str) -> Glyph:
    return glyph(character)


def _places(reader: Reader, layer: int) -> dict[str, Path]:
    """Each state of the cell, at the layer that is drawn."""
    return {state: vanishing.path(reader.found, layer, state) for state in reader.found.norms}


def _norms(reader: Reader, layer: int) -> dict[str, np.ndarray]:
    """What is drawn as lines: under each state's name its gradient's norms, and those along its direct path."""
    found: dict[str, np.ndarray] = {}
    for state, place in _places(reader, layer).items():
        found[state] = reader.found.norms[state][place.layer]
        if state in reader.found.direct:
            found[f"direct {state}"] = reader.found.direct[state][place.layer]
    return found


def _ends(norms: Sequence[np.ndarray]) -> tuple[float, float]:
    """The common logarithms of the least and the largest norm that is neither nothing nor endless."""
    sizes = [values[np.isfinite(values) & (values > 0)] for values in norms]
    smallest = min((float(s.min()) for s in sizes if s.size), default=1.0)
    largest = max((float(s.max()) for s in sizes if s.size), default=1.0)
    low, high = math.log10(smallest), math.log10(largest)
    return low, max(high, low + 1)


def _logarithms(norms: np.ndarray, low: float, high: float) -> np.ndarray:
    """uint16: 1 to 65534 from `low` to `high`."""
    with np.errstate(divide="ignore"):
        levels = 1.5 + (np.log10(norms) - low) * ((LEVELS - 1) / (high - low))
    levels = np.where(norms > 0, levels, 0)
    return np.where(np.isfinite(norms), levels, ENDLESS).astype(np.uint16)


def _fates(reader: Reader, layer: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Where each loss's gradient vanishes and explodes, by state; and the largest share, by state."""
    steps: dict[str, np.ndarray] = {}
    most: dict[str, float] = {}
    for state, place in _places(reader, layer).items():
        fate = vanishing.fate(vanishing.share(reader.found, place))
        steps[f"vanished {state}"] = fate.vanished.astype(np.int32)
        steps[f"exploded {state}"] = fate.exploded.astype(np.int32)
        most[state] = fate.most
    return steps, most


def _losses(reader: Reader, window: Window, characters: dict[str, int]) -> dict[str, np.ndarray]:
    """Which character each loss is about, as a place among the glyphs, and the chance it was given."""
    known, at = reader.trace.vocabulary.characters, reader.found.targets + window.start
    aims = [characters.setdefault(known[aim], len(characters)) for aim in reader.found.aims]
    return {"aim": np.array(aims, np.uint16), "chance": reader.trace.probs[at, reader.found.aims].astype(np.float32)}


def _described(reader: Reader, layer: int, most: Mapping[str, float]) -> dict[str, Any]:
    cell, places = reader.trace.cell, _places(reader, layer)
    memory = vanishing.path(reader.found, layer)
    return {
        "name": reader.trace.model,
        "cell": cell.title,
        "units": reader.trace.units,
        "layers": reader.trace.layers,
        "layer": memory.layer,
        "memory": memory.state,
        "states": {
            state: {
                "symbol": plain_symbol(cell[state].symbol),
                "direct": state in reader.found.direct,
                "most": most[state] if math.isfinite(most[state]) else None,
            }
            for state in places
        },
    }
