"""A stretch of a trace, and which of its characters' losses to follow back: what is looked at of a long text."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lstm_core.errors import InputError
from lstm_core.frozen import read_only
from lstm_core.trace import State, Trace
from lstm_core.words import tr

LONGEST = 1000  # steps that are followed back at most
MOST_TARGETS = 200  # losses


@dataclass(frozen=True)
class Window:
    """Steps start to stop of a text, and every stride-th of them, the last one among these.

    start, stop: counted from 0, stop left out. stride: 1 or more.
    """

    start: int
    stop: int
    stride: int

    @property
    def targets(self) -> np.ndarray:
        """int64 (target,), ascending: which steps, counted from `start`."""
        return np.arange(self.stop - self.start - 1, -1, -self.stride)[::-1]


def window(steps: int, step: int | None = None, longest: int = LONGEST, most: int = MOST_TARGETS) -> Window:
    """The whole text where it has up to `longest` steps; of a longer one such a stretch, with a step well inside.

    steps: of the text, 1 or more. step: counted from 0 (default: the first). most: targets at most, 1 or more. The stretch
    begins at a multiple of half its length, so that near steps share one. Raises InputError for a step that is not there.
    """
    step = step or 0
    if not 0 <= step < steps:
        raise InputError(tr("there is no step {step}; the text has steps 0 to {steps}", step=step, steps=steps - 1))
    length = min(steps, longest)
    half = max(1, longest // 2)
    start = min(max(0, round((step - half) / half) * half), steps - length)
    return Window(start, start + length, -(-length // most))


def part(trace: Trace, start: int, stop: int) -> Trace:
    """Steps start to stop of a trace as a trace of its own, which goes on from the state before it.

    start, stop: counted from 0, stop left out. Nothing is copied. Raises InputError for a stretch that the trace lacks.
    """
    if not 0 <= start < stop <= trace.steps:
        raise InputError(
            tr("there are no steps {start} to {stop}; the trace has {trace.steps} steps", start=start, stop=stop, trace=trace)
        )
    if (start, stop) == (0, trace.steps):
        return trace
    return replace(
        trace,
        chars=trace.chars[start:stop],
        read_as=trace.read_as[start:stop],
        ids=trace.ids[start:stop],
        values=read_only({name: trace[name][:, start:stop] for name in trace.signals}),
        initial=trace.initial if start == 0 else _state(trace, start - 1),
        final=_state(trace, stop - 1),
        probs=trace.probs[start:stop],
    )


def _state(trace: Trace, step: int) -> State:
    return State(read_only({name: trace[name][:, step] for name in trace.cell.states}), trace.probs[step])
