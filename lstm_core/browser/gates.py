"""What the linked picture is painted from: readings of a text, packed for assets/gates/gates.js.

Numbers with a declared range travel as uint16 (a step of 1/65534 of the range), unbounded ones as float32: the browser
prints no digit that is not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
import pyarrow as pa

from lstm_core.analysis.unit_order import grouped_order, mean_order
from lstm_core.figures import palette
from lstm_core.figures.lettering import Glyph, glyph, plain_symbol
from lstm_core.figures.paper import version
from lstm_core.formula import Cell
from lstm_core.trace import Trace

WINDOW = 1000  # so many columns of heatmap travel at once; a longer text is sent as the person gets there
MOST_CELLS = 6_000_000  # of all heatmaps together: with many models the window gets shorter
SHORTEST_WINDOW = 240  # columns: more than a screen shows at first sight
LEVELS = 65534  # even, so that 0 lies exactly on a step of a symmetric range
LIKELIEST = 3
GAP = 65535  # in place of a character: this reader reads nothing in this column
FIRST_SCREEN = 40  # columns that are in view before a person scrolls
REST = glyph("")  # of a character that takes several steps, as where bytes are read, what stands at the later ones


@dataclass(frozen=True)
class Reader:
    """One reading of a text: what stands in the strips above the heatmaps.

    name: as people are told, a model's or which of two texts. places: int64 (columns,), the step that stands in each
    column, or -1 where this text has no character; None where each step is a column.
    """

    name: str
    trace: Trace
    places: np.ndarray | None = None

    @property
    def columns(self) -> int:
        """How many columns it takes, 1 or more."""
        return self.trace.steps if self.places is None else len(self.places)

    def spread(self, values: np.ndarray, nothing: float) -> np.ndarray:
        """values, (time, ...), spread over the columns, (column, ...); `nothing` where there is no step."""
        if self.places is None:
            return values
        out = np.full((len(self.places), *values.shape[1:]), nothing, values.dtype)
        here = self.places >= 0
        out[here] = values[self.places[here]]
        return out


@dataclass(frozen=True)
class Track:
    """The heatmaps of one layer: of a reader, or of that reader minus another, of the same model.

    reader, minus: places among the readers. layer: counted from 0.
    """

    reader: int
    layer: int
    minus: int | None = None


@dataclass(frozen=True)
class Between:
    """How far the readers are apart in each column: float32 (columns,), nats; the peaks, the largest first."""

    values: np.ndarray
    peaks: tuple[int, ...]

    @property
    def end(self) -> float:
        """Where its axis ends: at the largest value, rounded up."""
        return palette.rounded_up(float(self.values.max())) or 1.0


def check(readers: Sequence[Reader], tracks: Sequence[Track]) -> None:
    """Raises ValueError for readers of different lengths, for no track, and for a layer that is not there."""
    if len({reader.columns for reader in readers}) != 1 or not tracks:
        sizes = ", ".join(f"{reader.name} {reader.columns}" for reader in readers)
        raise ValueError(f"readers of equally many columns, and at least one track; given {sizes} and {len(tracks)} tracks")
    for track in tracks:
        trace = readers[track.reader].trace
        if not 0 <= track.layer < trace.layers:
            raise ValueError(f"{trace.model} has no layer {track.layer}; it has layers 0 to {trace.layers - 1}")


def window(readers: Sequence[Reader], tracks: Sequence[Track]) -> int:
    """How many columns of heatmap are sent at once, 1 or more."""
    cells = sum(readers[t.reader].trace.units * len(readers[t.reader].trace.signals) for t in tracks)
    return min(WINDOW, max(SHORTEST_WINDOW, MOST_CELLS // cells))


_payloads: WeakKeyDictionary[Any, tuple[Any, dict[str, Any]]] = WeakKeyDictionary()


def payload(
    readers: Sequence[Reader],
    tracks: Sequence[Track],
    start: int,
    between: Between | None = None,
    caption: str = "",
    file: str = "",
    whole: bool = False,
) -> dict[str, Any]:
    """All that the browser paints from: JSON under "meta", flat columns in Arrow tables beside it.

    reader0, ...: glyphs, predictions and surprise of the whole text. values0, ... of each track: one column for each
    heatmap, (columns x unit) flat, time first: uint16 on the signal's range, or float32 where it has none. before0, ...:
    the states of the step before the window, likewise. orders0, ...: which unit stands in each row. whole: send every
    column at once, for a page that can't ask for more.
    """
    identity = tuple((reader.name, ref(reader.trace), _bytes(reader.places)) for reader in readers)
    apart = between and (between.values.tobytes(), between.peaks)
    wanted = (identity, tuple(tracks), start, apart, caption, file, whole)
    kept = _payloads.get(readers[0].trace)
    if kept is None or kept[0] != wanted:
        kept = _payloads[readers[0].trace] = (wanted, _packed(readers, tracks, start, between, caption, file, whole))
    return kept[1]


def _bytes(places: np.ndarray | None) -> bytes | None:
    return None if places is None else places.tobytes()


def _packed(
    readers: Sequence[Reader],
    tracks: Sequence[Track],
    start: int,
    between: Between | None,
    caption: str,
    file: str,
    whole: bool,
) -> dict[str, Any]:
    columns = readers[0].columns
    stop = columns if whole else min(start + window(readers, tracks), columns)
    glyphs, tables = readings(readers)
    packed: dict[str, Any] = {f"reader{k}": table for k, table in enumerate(tables)}
    values = [_values(readers, track) for track in tracks]
    limits = _limits_of(readers, tracks, values)
    for k, (track, signals) in enumerate(zip(tracks, values)):
        ranges = {name: _range(readers, track, name) for name in signals}
        sent = {name: _numbers(v[start:stop], ranges[name]) for name, v in signals.items()}
        orders = {name: pa.array(order.astype(np.uint16)) for name, order in _orders(track, signals).items()}
        packed |= {f"values{k}": pa.table(sent), f"orders{k}": pa.table(orders)}
        packed[f"before{k}"] = pa.table(_before(readers, track, signals, ranges, start))
    packed["meta"] = {
        "readers": [described_reader(r.name, r.trace.model, r.trace.cell, r.trace.layers) for r in readers],
        "tracks": [_described(readers, track, signals, limits[k]) for k, (track, signals) in enumerate(zip(tracks, values))],
        "strips": _strips(readers),
        "steps": columns,
        "start": start,
        "columns": stop - start,
        "levels": LEVELS,
        "version": version(),
        "glyphs": glyphs,
        "rest": glyphs.index(REST) if REST in glyphs else -1,
        "step": "byte" if all(r.trace.vocabulary.reads == "bytes" for r in readers) else "character",
        "colours": colours(),
        "lines": palette.READER_COLOURS,
        "caption": caption,
        "file": file or f"{readers[0].trace.model}-gates",
    }
    if between is not None:
        packed["between"] = pa.table({"disagreement": np.ascontiguousarray(between.values, np.float32)})
        packed["meta"] |= {"widest": between.end, "peaks": list(between.peaks)}
    return packed


def _values(readers: Sequence[Reader], track: Track) -> dict[str, np.ndarray]:
    """Each signal of a track, float32 (columns, unit); a difference is 0 where one of the two has no character."""
    first = readers[track.reader]
    values = {name: first.spread(first.trace[name][track.layer], 0) for name in first.trace.signals}
    if track.minus is None:
        return values
    second = readers[track.minus]
    both = np.ones(first.columns, bool)
    for reader in (first, second):
        both &= reader.spread(np.ones(reader.trace.steps, bool), False)
    return {name: (v - second.spread(second.trace[name][track.layer], 0)) * both[:, None] for name, v in values.items()}


def _range(readers: Sequence[Reader], track: Track, name: str) -> tuple[float, float]:
    low, high = readers[track.reader].trace.cell[name].range
    return (low, high) if track.minus is None else (low - high, high - low)


def _before(
    readers: Sequence[Reader],
    track: Track,
    signals: Mapping[str, np.ndarray],
    ranges: Mapping[str, tuple[float, float]],
    start: int,
) -> dict[str, np.ndarray]:
    """The states of the step before the window; of a difference none."""
    trace = readers[track.reader].trace
    if track.minus is not None or readers[track.reader].places is not None:
        return {}
    return {
        name: _numbers(signals[name][start - 1] if start else trace.initial[name][track.layer], ranges[name])
        for name in trace.cell.states
    }


def _numbers(values: np.ndarray, declared: tuple[float, float]) -> np.ndarray:
    """Flat, as the browser wants them: uint16 steps of the declared range, or float32 where there is none."""
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    low, high = declared
    if not math.isfinite(high - low):
        return flat
    scaled = (flat - np.float32(low)) * np.float32(LEVELS / (high - low)) + np.float32(0.5)
    return np.clip(scaled, 0, LEVELS, out=scaled).astype(np.uint16)


def _limits_of(
    readers: Sequence[Reader], tracks: Sequence[Track], values: Sequence[Mapping[str, np.ndarray]]
) -> list[dict[str, tuple[float, float, float | None]]]:
    """Where each track's colours end: at the declared range, else where the data say; of several readers at one place."""
    found: list[dict[str, tuple[float, float, float | None]]] = []
    for track, signals in zip(tracks, values):
        ranges = {name: _range(readers, track, name) for name in signals}
        found.append({n: (*ranges[n], None) if _bounded(ranges[n]) else _limits(v) for n, v in signals.items()})
    if len(readers) > 1:
        free = {(k, n) for k, limits in enumerate(found) for n, (*_, most) in limits.items() if most is not None}
        widest = {name: max(found[k][name][1] for k, other in free if other == name) for _, name in free}
        for k, name in free:
            found[k][name] = (-widest[name], widest[name], found[k][name][2])
    return found


def _bounded(declared: tuple[float, float]) -> bool:
    return all(map(math.isfinite, declared))


def _limits(values: np.ndarray) -> tuple[float, float, float]:
    """Where the colours of an unbounded signal end, symmetric about 0, and its largest absolute value."""
    limit, most = palette.colour_limit(values)
    return -limit, limit, most


def described_reader(name: str, model: str, cell: Cell, layers: int) -> dict[str, Any]:
    """Whose reading it is, as JSON. name: as people are told; model: the model's own name."""
    return {"name": name, "model": model, "cell": cell.title, "note": cell.note, "layers": layers}


def _described(
    readers: Sequence[Reader],
    track: Track,
    signals: Mapping[str, np.ndarray],
    limits: Mapping[str, tuple[float, float, float | None]],
) -> dict[str, Any]:
    trace = readers[track.reader].trace
    return {
        "readers": [track.reader] if track.minus is None else [track.reader, track.minus],
        "difference": "" if track.minus is None else f"{readers[track.reader].name} − {readers[track.minus].name}",
        "layer": track.layer,
        "units": trace.units,
        "liveliest": int(np.ptp(signals["hidden"][:FIRST_SCREEN], axis=0).argmax()),
        "signals": [_signal(trace.cell, name, track.minus is not None, limits[name]) for name in signals],
    }


def _signal(cell: Cell, name: str, difference: bool, limits: tuple[float, float, float | None]) -> dict[str, Any]:
    signal = cell[name]
    return {
        "name": name,
        "symbol": ("Δ" if difference else "") + plain_symbol(signal.symbol),
        "title": signal.title,
        "lead": [] if difference else list(signal.lead),
        "recalls": "" if difference else _state_before(cell, name),
        "scale": "diverging" if difference else palette.scale_of(signal),
        "bounded": limits[2] is None,
        "limits": limits,
    }


def undecided_signal(cell: Cell, name: str) -> dict[str, Any]:
    """A signal as it is drawn, as JSON; where it has no range, its limits are None until its values are known."""
    low, high = cell[name].range
    bounded = _bounded((low, high))
    return _signal(cell, name, False, (low, high, None)) | {
        "bounded": bounded,
        "limits": [low, high, None] if bounded else None,
    }


def _state_before(cell: Cell, name: str) -> str:
    """The state whose value of the step before stands at the head of this signal's operations, or none."""
    top, *below = cell.order
    if below and top in cell.states:
        return top if name == below[0] else ""
    primed = [s for s in below if any("′" in operation for operation in cell[s].lead)]
    return "hidden" if primed[:1] == [name] else ""


def _orders(track: Track, signals: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Which unit stands in each row: grouped, and by the mean of each signal (of a difference, of its size)."""
    by_size = {name: v if track.minus is None else np.abs(v) for name, v in signals.items()}
    return {"grouped": grouped_order(list(signals.values()))} | {name: mean_order(v) for name, v in by_size.items()}


def colours() -> dict[str, dict[str, str]]:
    """Each scale's 256 colours in each theme, as hexadecimal digits."""
    return {
        scale: {theme: palette.lut(scale, theme).tobytes().hex() for theme in ("light", "dark")}
        for scale in ("gate", "diverging")
    }


def _strips(readers: Sequence[Reader]) -> list[list[int]]:
    """Which readers read the same characters in the same columns: each such group has one strip of text."""
    groups: dict[Any, list[int]] = {}
    for k, reader in enumerate(readers):
        groups.setdefault((reader.trace.chars, _bytes(reader.places)), []).append(k)
    return list(groups.values())


def readings(readers: Sequence[Reader]) -> tuple[list[Glyph], list[pa.Table]]:
    """The glyphs of all characters in play, and per reader and column: indices into them, probabilities in 1/65535, nats."""
    likeliest = [_likeliest(reader.trace) for reader in readers]
    characters: dict[str, int] = {}
    for reader, best in zip(readers, likeliest):
        known = reader.trace.vocabulary.characters
        for character in (*reader.trace.chars, *reader.trace.read_as, *(known[k] for k in np.unique(best))):
            characters.setdefault(character, len(characters))
    return [glyph(c) for c in characters], [_reading(r, best, characters) for r, best in zip(readers, likeliest)]


def _likeliest(trace: Trace) -> np.ndarray:
    """The characters expected most after each, the likeliest first: int64 (time, at most 3)."""
    count = min(LIKELIEST, trace.probs.shape[1])
    best = np.argpartition(trace.probs, -count, axis=1)[:, -count:]
    return np.take_along_axis(best, np.argsort(-np.take_along_axis(trace.probs, best, 1), axis=1, kind="stable"), 1)


def _reading(reader: Reader, best: np.ndarray, place: Mapping[str, int]) -> pa.Table:
    trace = reader.trace
    of_vocabulary = np.array([place.get(c, 0) for c in trace.vocabulary.characters], np.uint16)
    chances = np.take_along_axis(trace.probs, best, 1)
    columns = {
        "typed": reader.spread(np.fromiter((place[c] for c in trace.chars), np.uint16, trace.steps), GAP),
        "read": reader.spread(np.fromiter((place[c] for c in trace.read_as), np.uint16, trace.steps), GAP),
        "surprise": reader.spread(np.ascontiguousarray(trace.surprise, np.float32), math.nan),
    }
    for rank in range(best.shape[1]):
        columns[f"next{rank}"] = reader.spread(of_vocabulary[best[:, rank]], GAP)
        columns[f"chance{rank}"] = reader.spread(_levels(chances[:, rank]), 0)
    return pa.table(columns)


def _levels(shares: np.ndarray) -> np.ndarray:
    """Shares as uint16, in 1/65535. What is neither 0 nor 1 is not sent as either: it would be written as 0 % or 100 %."""
    levels = np.clip(shares * 65535 + 0.5, 1, 65534)
    return np.where(shares <= 0, 0, np.where(shares >= 1, 65535, levels)).astype(np.uint16)
