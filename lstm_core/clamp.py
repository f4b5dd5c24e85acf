"""Clamps: a gate or a state is held at a chosen value, and all that reads it is computed truly from there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import index

import numpy as np

from lstm_core import numbering
from lstm_core.errors import InputError
from lstm_core.formula import Cell
from lstm_core.numbers import short
from lstm_core.words import tr

Held = tuple[list[np.ndarray], list[np.ndarray]]  # of one signal, an entry a step: values (unit,), and which units are held


@dataclass(frozen=True)
class Clamp:
    """One signal of some units of one layer, held at one value: written over what was computed, before anything reads it.

    signal: any that the cell declares: a gate, the candidate, or a state; the next step reads a held state as it is held.
    value: within the signal's declared range, 0 to 1 for a gate. layer: counted from 0. units: numbers counted from 0,
    kept in order and each once; None holds all. start, stop: the first step that is held and the first that is not any
    more (None: held to the end), counted from the first character of the trace, also of one that goes on from a state.
    Where two clamps meet, the later one in the list holds.
    Raises InputError for a value that is no finite number, a negative layer, unit or start, no units, and a stop that is
    not after the start. Source: an intervention, do(f = 0), as in Pearl 2009, Causality.
    """

    signal: str
    value: float
    layer: int = 0
    units: tuple[int, ...] | None = None
    start: int = 0
    stop: int | None = None

    def __init__(
        self,
        signal: str,
        value: float,
        layer: int = 0,
        units: Sequence[int] | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> None:
        if not math.isfinite(value):
            raise InputError(tr("{signal!r} is held at a finite number, not at {value}", signal=signal, value=value))
        if units is not None:
            units = tuple(sorted({index(unit) for unit in units}))
            if not units:
                raise InputError(
                    tr("a clamp on {signal!r} holds at least one unit; it was given none: None holds all", signal=signal)
                )
        for what, number in (("layer", layer), ("unit", units[0] if units else 0), ("start", start)):
            if number < 0:
                raise InputError(
                    tr(
                        "the {what} of a clamp on {signal!r} is counted from 0; {number} is below that",
                        what=what,
                        signal=signal,
                        number=number,
                    )
                )
        if stop is not None and stop <= start:
            raise InputError(
                tr(
                    "a clamp on {signal!r} must stop after its start, {start}, and {stop} is not: None never stops",
                    signal=signal,
                    start=start,
                    stop=stop,
                )
            )
        given = {"signal": signal, "value": float(value), "layer": layer, "units": units, "start": start, "stop": stop}
        for name, each in given.items():
            object.__setattr__(self, name, each)

    def covers(self, step: int) -> bool:
        """Whether a step, counted from 0, is held."""
        return self.start <= step and (self.stop is None or step < self.stop)


def check(clamps: Sequence[Clamp], cell: Cell, layers: int, units: int, steps: int) -> None:
    """Holds clamps against the sizes of what is to be traced.

    Raises InputError, naming what there is, for a signal, value, layer, unit or first step that is not there.
    """
    for clamp in clamps:
        if clamp.signal not in cell.names:
            raise InputError(
                tr(
                    "{cell.title} has no signal {clamp.signal!r} to hold; it has {order}",
                    cell=cell,
                    clamp=clamp,
                    order=", ".join(cell.order),
                )
            )
        signal = cell[clamp.signal]
        low, high = signal.range
        if not low <= clamp.value <= high:
            raise InputError(
                tr(
                    "the {signal.title} runs from {low:g} to {high:g}; it can't be held at {clamp.value:g}",
                    signal=signal,
                    low=low,
                    high=high,
                    clamp=clamp,
                )
            )
        largest = clamp.units[-1] if clamp.units else 0
        for what, number, count in (("layer", clamp.layer, layers), ("unit", largest, units), ("step", clamp.start, steps)):
            if number >= count:
                raise InputError(
                    tr(
                        "the clamp on {clamp.signal!r} names {what} {number}; there are {what}s 0 to {count}, counted from 0",
                        clamp=clamp,
                        what=what,
                        number=number,
                        count=count - 1,
                    )
                )


def held_steps(clamps: Sequence[Clamp], layer: int, units: int, steps: int) -> dict[str, Held]:
    """What is held in one layer at each step, by signal: values, float32 (unit,), and which units, bool (unit,).

    Steps between which nothing changes share their arrays. Signals of which nothing is held are left out.
    """
    here = [clamp for clamp in clamps if clamp.layer == layer]
    return {name: _held([c for c in here if c.signal == name], units, steps) for name in dict.fromkeys(c.signal for c in here)}


def _held(clamps: Sequence[Clamp], units: int, steps: int) -> Held:
    ends = {min(end, steps) for c in clamps for end in (c.start, steps if c.stop is None else c.stop)}
    values: list[np.ndarray] = []
    masks: list[np.ndarray] = []
    for begin, end in pairwise(sorted({0, steps} | ends)):
        value, mask = np.zeros(units, np.float32), np.zeros(units, bool)
        for clamp in clamps:
            if clamp.covers(begin):
                chosen = slice(None) if clamp.units is None else list(clamp.units)
                value[chosen], mask[chosen] = clamp.value, True
        values += [value] * (end - begin)
        masks += [mask] * (end - begin)
    return values, masks


def held_arrays(clamps: Sequence[Clamp], layer: int, units: int, steps: int) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
    """The same as `held_steps`, as arrays over all steps: float32 and bool, (time, unit) each."""
    return {name: (np.stack(v), np.stack(m)) for name, (v, m) in held_steps(clamps, layer, units, steps).items()}


# How a clamp is spoken of and typed


def described(clamp: Clamp, cell: Cell, layers: int, units: int) -> str:
    """A clamp in words: "the forget gate of unit 17 of layer 2 at 0 from character 12 on", counted from 1 but for units.

    layers, units: how many the model has.
    """
    title = cell[clamp.signal].title if clamp.signal in cell.names else clamp.signal
    where = f" of layer {numbering.layer(clamp.layer)}" if layers > 1 else ""
    return f"the {title} of {units_in_words(clamp.units, units)}{where} at {number(clamp.value)} {span_in_words(clamp)}"


def units_in_words(units: Sequence[int] | None, count: int) -> str:
    """Which units, of so many: "all 128 units", "unit 17", "units 3 and 7-9", "the 40 units 3, 7-9, ..."."""
    if units is None or len(units) == count:
        return f"all {count} units" if count > 1 else "the one unit"
    if len(units) == 1:
        return f"unit {units[0]}"
    written = units_as_typed(units)
    ranges = written.split(", ")
    return f"units {written}" if len(ranges) <= 6 else f"the {len(units)} units {', '.join(ranges[:5])}, …"


def span_in_words(clamp: Clamp) -> str:
    """From when to when: "throughout", "from character 12 on", "at character 12 alone", "from character 12 to 20"."""
    if clamp.stop is None:
        return f"from character {numbering.character(clamp.start)} on" if clamp.start else "throughout"
    if clamp.stop == clamp.start + 1:
        return f"at character {numbering.character(clamp.start)} alone"
    return f"from character {numbering.character(clamp.start)} to {numbering.character(clamp.stop - 1)}"


def number(value: float) -> str:
    """A number as people write it, with a real minus: "0", "0.25", "−1"."""
    return short(value, 6)


def units_as_typed(units: Sequence[int]) -> str:
    """Unit numbers as a person types them: 3, 7, 8, 9 become "3, 7-9"."""
    runs: list[list[int]] = []
    for unit in units:
        if runs and unit == runs[-1][-1] + 1:
            runs[-1][1:] = [unit]
        else:
            runs.append([unit])
    return ", ".join("-".join(map(str, run)) for run in runs)


def typed_units(text: str, count: int) -> tuple[int, ...]:
    """Unit numbers out of a text such as "3, 7-9", counted from 0: (3, 7, 8, 9).

    count: how many units there are. Raises InputError, one sentence, for what is no such list and for units beyond them.
    """
    chosen: set[int] = set()
    for part in text.replace("–", "-").replace(";", ",").split(","):
        ends = [end.strip() for end in part.split("-")]
        if len(ends) > 2 or not all(end.isascii() and end.isdigit() and len(end) < 10 for end in ends):
            raise InputError(
                tr("units are typed as in “3, 7-9”, and “{strip}” is no number and no range", strip=part.strip()[:40])
            )
        first, last = int(ends[0]), int(ends[-1])
        if first > last:
            raise InputError(
                tr(
                    "a range of units begins with the smaller number: “{last}-{first}”, not “{first}-{last}”",
                    last=last,
                    first=first,
                )
            )
        if last >= count:
            raise InputError(tr("there is no unit {last}; there are units 0 to {count}", last=last, count=count - 1))
        chosen.update(range(first, last + 1))
    return tuple(sorted(chosen))
