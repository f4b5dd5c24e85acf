"""Answer a question about a cell with the numbers of one unit at one character."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lstm_core import numbering
from lstm_core.command_line import _common as common

if TYPE_CHECKING:
    from lstm_core.model import CharModel
    from lstm_core.trace import Trace

MOST_LISTED = 10


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
The questions:
  matrix  Is [h, x] one matrix or two? The product of the whole row, and of its parts.
  bias    What is b? Every gate's biases, and the gate without them.
  units   128 units in A, not one? Every unit's value of every signal.
  states  Do cell states affect each other? The gates that this unit's h moves most at the next character.
  z       Which way does a GRU's z point? The same weights with z turned, values swapped or only renamed.
  reset   Can one GRU be read as another? The same weights with the reset on the other side of the product.""",
        (
            'matrix family-lstm --text "the clouds are in the sky" --unit 3',
            'states war-and-peace-lstm --text "the clouds" --layer 2 --character 5',
            "reset family-gru-pytorch - < poem.txt",
        ),
    )
    command.add_argument("question", choices=QUESTIONS, metavar="QUESTION", help="One of the questions above.")
    common.add_model(command)
    common.add_text(command)
    whole = common.at_least(int, 1)
    command.add_argument("--layer", type=whole, default=1, metavar="N", help="The layer. The default is 1.")
    command.add_argument("--character", type=whole, metavar="N", help="Which of the text. The default is the last but one.")
    unit = common.at_least(int, 0)
    command.add_argument("--unit", type=unit, default=0, metavar="N", help="The unit, counted from 0. The default is 0.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Prints the answer, one fact a line, as plain numbers. Returns 0."""
    from lstm_core import checkpoint
    from lstm_core.tracing import trace

    model = checkpoint.load(arguments.model)
    read = trace(model, common.text(arguments))
    step = max(read.steps - 2, 0) if arguments.character is None else numbering.index("character", arguments.character)
    layer = numbering.index("layer", arguments.layer)
    read.check(layer, step, arguments.unit)
    place = _Place(model, read, layer, step, arguments.unit)
    typed = read.chars[step] or read.vocabulary.characters[read.ids[step]]
    where = f"layer {arguments.layer}, unit {place.unit}, character {numbering.character(step)}"
    print(f"{model.name}, {where}: {typed!r}")
    for line in QUESTIONS[arguments.question](place):
        print(line)
    return 0


@dataclass(frozen=True)
class _Place:
    model: CharModel
    trace: Trace
    layer: int
    step: int
    unit: int


def _matrix(at: _Place) -> Iterator[str]:
    from lstm_core.analysis import matrix

    for name in at.model.cell.weighed:
        row = matrix.row(at.model, at.trace, at.layer, at.step, at.unit, name)
        split = row.line.preactivation
        assert split is not None
        sizes = " + ".join(f"{piece.label} {len(piece.weights)}" for piece in row.pieces)
        shares = " + ".join(f"{piece.label} {piece.share:.6g}" for piece in row.pieces)
        whole = f"one product {row.together:.6g}" if row.joined else "no single product: a gate stands between"
        biases = sum(part.value for part in split.parts if part.label == "bias")
        sums = f"{whole}; its parts {shares}; biases {biases:.6g}; pre-activation {split.value:.6g}"
        yield f"{name}: W is {row.units} x {row.width} ({sizes}); {sums}"


def _bias(at: _Place) -> Iterator[str]:
    from lstm_core.analysis.biases import biases

    found = biases(at.model, at.trace, at.layer, at.step)
    if not found:
        yield "this model has no biases"
    for bias in found:
        parts = ", ".join(f"{name} {values[at.unit]:.6g}" for name, values in bias.parts.items())
        total = "no sum: a gate stands between" if bias.total is None else f"sum {bias.total[at.unit]:.6g}"
        yield f"{bias.name}: {parts}; {total}; value {bias.value[at.unit]:.6g}, without {bias.without[at.unit]:.6g}"


def _units(at: _Place) -> Iterator[str]:
    for name in at.trace.signals:
        values = at.trace[name][at.layer, at.step]
        yield f"{name}: {values[at.unit]:.6g}; higher in {(values > values[at.unit]).sum()} of {at.trace.units} units"
        yield "  " + " ".join(f"{value:.4g}" for value in values)


def _states(at: _Place) -> Iterator[str]:
    from lstm_core.analysis.reach import reach

    reached = reach(at.model, at.trace, at.layer, at.step, at.unit)
    yield "; ".join(f"{name} {value:.6g}" for name, value in reached.states.items())
    for push in reached.strongest(MOST_LISTED):
        moved = f"without {push.without:.6g}, with {push.value:.6g}, moved by {push.moved:.6g}"
        yield f"{push.name} of unit {push.unit}: weight {push.weight:.6g}, adds {push.push:.6g}; {moved}"


def _z(at: _Place) -> Iterator[str]:
    from lstm_core.analysis import gru_forms

    keeps = gru_forms.keeps_old(at.model.cell)
    yield f"z near 1 {'keeps the old' if keeps else 'lets the new in'}; z {at.trace['update'][at.layer, at.step, at.unit]:.6g}"
    yield from (
        _read_as(at, change, form) for change, form in (("swapped", gru_forms.z_swapped), ("renamed", gru_forms.z_renamed))
    )


def _reset(at: _Place) -> Iterator[str]:
    from lstm_core.analysis import gru_forms

    before = gru_forms.resets_before(at.model.cell)
    yield f"the reset stands {'before' if before else 'behind'} the product"
    yield _read_as(at, f"moved {'behind' if before else 'before'} it", gru_forms.reset_moved)


def _read_as(at: _Place, change: str, form: Callable[[Any], Any]) -> str:
    from lstm_core.analysis import gru_forms

    reading = gru_forms.read_as(at.model, at.trace, form)
    losses = f"loss {common.nats(reading.before)} before, {common.nats(reading.after)} after"
    return f"{change}: max |h - h of it| {reading.furthest:.2e}; {losses}"


QUESTIONS: dict[str, Callable[[_Place], Iterator[str]]] = {
    "matrix": _matrix, "bias": _bias, "units": _units, "states": _states, "z": _z, "reset": _reset,
}  # fmt: skip
