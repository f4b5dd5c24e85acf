"""The Gates page's one linked component: text strip, predictions and every heatmap under one cursor.

This side packs a Trace for the browser; assets/gates/gates.js paints it. Numbers with a declared range travel as
uint16 (a step of 1/65534 of the range), unbounded ones as float32: the browser prints no digit that is not there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeGuard
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import streamlit as st

from lstm_core.analysis.unit_order import grouped_order, mean_order
from lstm_core.figures import palette
from lstm_core.figures.lettering import Glyph, glyph, plain_symbol
from pages.common import components

if TYPE_CHECKING:
    from lstm_core.formula import Cell
    from lstm_core.trace import Trace

WINDOW = 1000  # so many columns of heatmap travel at once; a longer text is sent as the person gets there
LEVELS = 65534  # even, so that 0 lies exactly on a step of a symmetric range
LIKELIEST = 3

Order = Literal["index", "mean", "grouped"]
Pin = Mapping[str, int]

_COMPONENT = components.declared("gates")


@dataclass(frozen=True)
class GatesView:
    """What the picture shows: the pinned {"step", "unit", "layer"} (or None), and the first column of the window sent."""

    pin: dict[str, int] | None
    start: int


def gates_view(
    trace: Trace,
    layers: Sequence[int],
    *,
    key: str,
    pin: Pin | None = None,
    start: int = 0,
    order: Order = "index",
    on_pin: Callable[[], None] | None = None,
) -> GatesView:
    """Draws the linked picture of some layers of a trace, and returns what is pinned in it.

    layers: which, counted from 0, from top to bottom. pin: {"step", "unit", "layer"}; it moves the picture only when
    it differs from the pin given before, so a page may go on giving an old one while the person clicks. start: the
    first column of the window, and order: of the units, both at first sight; then the person decides. on_pin: called
    before the rerun that a new pin causes. Raises ValueError for a layer that the trace lacks.
    """
    if not layers or not all(0 <= layer < trace.layers for layer in layers):
        raise ValueError(f"layers to draw: {tuple(layers)}; the trace has layers 0 to {trace.layers - 1}")
    shown = _shown(key, trace, tuple(layers), pin, start)
    _COMPONENT(
        key=key,
        data=payload(trace, tuple(layers), shown.start)
        | {"view": {"pin": shown.command, "serial": shown.serial, "order": order}},
        on_pin_change=on_pin or _nothing,
        on_start_change=_nothing,
    )
    return GatesView(shown.pin, shown.start)


def _nothing() -> None:
    """Streamlit keeps a component's state only where a callback is named."""


# What is shown: the browser's clicks and the page's wishes


@dataclass(frozen=True)
class _Shown:
    """What one picture shows, remembered between reruns.

    command: the pin the browser was last told to show, obeyed when its serial number is new there. The browser's
    own clicks come back with that number, so that an old click never undoes a newer command.
    given: the pin that the page gave last.
    """

    pin: dict[str, int] | None = None
    start: int = 0
    command: dict[str, int] | None = None
    serial: int = 0
    given: dict[str, int] | None = None


def _shown(key: str, trace: Trace, layers: tuple[int, ...], given: Pin | None, start: int) -> _Shown:
    memory = f"{key}: shown"
    state = st.session_state.get(key)
    last = st.session_state.get(memory, _Shown(start=start))
    now = _after_clicks(last, state or {})
    pin, wish = _clamped(now.pin, trace, layers), _clamped(given, trace, layers)
    changed = given is not None and dict(given) not in (last.given, last.pin) and wish != pin
    come_back = state is None and pin is not None  # the browser starts afresh when its page is opened again
    if changed or come_back:
        pin = wish if changed else pin
        now = replace(now, command=pin, serial=now.serial + 1, start=_around(pin["step"], now.start))  # type: ignore[index]
    now = replace(now, pin=pin, start=_fitting(now.start, trace.steps), given=now.given if given is None else dict(given))
    st.session_state[memory] = now
    return now


def _after_clicks(last: _Shown, state: Mapping[str, Any]) -> _Shown:
    """The memory brought up to date with what the browser reports, where that is well formed and not outdated."""
    clicked, window = state.get("pin"), state.get("start")
    if _well_formed(clicked, ("step", "unit", "layer")) and clicked.get("serial", last.serial) == last.serial:
        last = replace(last, pin={k: clicked[k] for k in ("step", "unit", "layer")})
    if _well_formed(window, ("first",)) and window.get("serial", last.serial) == last.serial:
        last = replace(last, start=window["first"])
    return last


def _well_formed(value: Any, names: Iterable[str]) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and all(type(value.get(name)) is int for name in names)


def _clamped(pin: Pin | None, trace: Trace, layers: tuple[int, ...]) -> dict[str, int] | None:
    if pin is None:
        return None
    layer = pin["layer"] if pin["layer"] in layers else layers[0]
    return {
        "step": min(max(pin["step"], 0), trace.steps - 1),
        "unit": min(max(pin["unit"], 0), trace.units - 1),
        "layer": layer,
    }


def _around(step: int, start: int) -> int:
    return start if start <= step < start + WINDOW else step - WINDOW // 2


def _fitting(start: int, steps: int) -> int:
    return max(0, min(start, steps - WINDOW))


# What the browser is sent


_payloads: WeakKeyDictionary[Any, tuple[tuple[tuple[int, ...], int], dict[str, Any]]] = WeakKeyDictionary()


def payload(trace: Trace, layers: tuple[int, ...], start: int) -> dict[str, Any]:
    """All that the browser paints from: JSON under "meta", flat columns in Arrow tables beside it.

    values: one column "signal/layer" for each heatmap, (columns x unit) flat, time first: uint16 on the signal's range,
    or float32 where it has none. before: the states of the step before the window, likewise. steps: glyphs,
    predictions and surprise of the whole text. orders: which unit stands in each row.
    """
    wanted = (layers, start)
    kept = _payloads.get(trace)
    if kept is None or kept[0] != wanted:
        kept = _payloads[trace] = (wanted, _packed(trace, layers, start))
    return kept[1]


def _packed(trace: Trace, layers: tuple[int, ...], start: int) -> dict[str, Any]:
    stop = min(start + WINDOW, trace.steps)
    signals = [_described(trace, name, layers) for name in trace.signals]
    glyphs, steps = _steps(trace)
    values, before = {}, {}
    for name in trace.signals:
        for layer in layers:
            column = trace[name][layer]
            values[f"{name}/{layer}"] = _numbers(column[start:stop], trace.cell[name].range)
            if name in trace.cell.states:
                previous = column[start - 1] if start else trace.initial[name][layer]
                before[f"{name}/{layer}"] = _numbers(previous, trace.cell[name].range)
    meta = {
        "model": trace.model,
        "cell": trace.cell.title,
        "note": trace.cell.note,
        "layers": list(layers),
        "allLayers": trace.layers,
        "units": trace.units,
        "steps": trace.steps,
        "start": start,
        "columns": stop - start,
        "levels": LEVELS,
        "signals": signals,
        "glyphs": glyphs,
        "colours": _colours(),
    }
    orders = {name: pa.array(order.astype(np.uint16)) for name, order in _orders(trace, layers).items()}
    return {"meta": meta, "values": pa.table(values), "before": pa.table(before), "steps": steps, "orders": pa.table(orders)}


def _numbers(values: np.ndarray, declared: tuple[float, float]) -> np.ndarray:
    """Flat, as the browser wants them: uint16 steps of the declared range, or float32 where there is none."""
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    low, high = declared
    if not math.isfinite(high - low):
        return flat
    scaled = (flat - np.float32(low)) * np.float32(LEVELS / (high - low)) + np.float32(0.5)
    return np.clip(scaled, 0, LEVELS, out=scaled).astype(np.uint16)


def _described(trace: Trace, name: str, layers: tuple[int, ...]) -> dict[str, Any]:
    signal = trace.cell[name]
    bounded = all(math.isfinite(end) for end in signal.range)
    limits = [(*signal.range, None) if bounded else _limits(trace[name][layer]) for layer in layers]
    return {
        "name": name,
        "symbol": plain_symbol(signal.symbol),
        "title": signal.title,
        "lead": list(signal.lead),
        "recalls": _recalled(trace.cell, name),
        "scale": palette.scale_of(signal),
        "bounded": bounded,
        "limits": limits,
    }


def _limits(values: np.ndarray) -> tuple[float, float, float]:
    """Where the colours of an unbounded signal end, symmetric about 0, and its largest absolute value."""
    limit, most = palette.colour_limit(values)
    return -limit, limit, most


def _recalled(cell: Cell, name: str) -> str:
    """The state whose value of the step before stands at the head of this signal's operations, or none."""
    top, *below = cell.order
    if below and top in cell.states:
        return top if name == below[0] else ""
    primed = [s for s in below if any("′" in operation for operation in cell[s].lead)]
    return "hidden" if primed[:1] == [name] else ""


def _orders(trace: Trace, layers: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Which unit stands in each row, by "order/layer": grouped, and by the mean of each signal."""
    orders = {}
    for layer in layers:
        signals = {name: trace[name][layer] for name in trace.signals}
        orders[f"grouped/{layer}"] = grouped_order(list(signals.values()))
        orders |= {f"{name}/{layer}": mean_order(values) for name, values in signals.items()}
    return orders


def _colours() -> dict[str, dict[str, str]]:
    """Each scale's 256 colours in each theme, as hexadecimal digits."""
    return {
        scale: {theme: palette.lut(scale, theme).tobytes().hex() for theme in ("light", "dark")}
        for scale in ("gate", "diverging")
    }


def _steps(trace: Trace) -> tuple[list[Glyph], pa.Table]:
    """The glyphs of all characters in play, and per step: indices into them, probabilities in 1/65535, nats."""
    likeliest = min(LIKELIEST, trace.probs.shape[1])
    best = np.argpartition(trace.probs, -likeliest, axis=1)[:, -likeliest:]
    best = np.take_along_axis(best, np.argsort(-np.take_along_axis(trace.probs, best, 1), axis=1, kind="stable"), 1)
    chances = np.take_along_axis(trace.probs, best, 1)
    known = trace.vocabulary.characters
    characters = tuple(dict.fromkeys((*trace.chars, *trace.read_as, *(known[k] for k in np.unique(best)))))
    place = {c: k for k, c in enumerate(characters)}
    of_vocabulary = np.array([place.get(c, 0) for c in known], np.uint16)
    columns = {
        "typed": np.fromiter((place[c] for c in trace.chars), np.uint16, trace.steps),
        "read": np.fromiter((place[c] for c in trace.read_as), np.uint16, trace.steps),
        "surprise": np.ascontiguousarray(trace.surprise, np.float32),
    }
    for rank in range(likeliest):
        columns[f"next{rank}"] = of_vocabulary[best[:, rank]]
        columns[f"chance{rank}"] = (chances[:, rank] * 65535 + 0.5).astype(np.uint16)
    return [glyph(c) for c in characters], pa.table(columns)
