"""Follow the losses of a text back: the size of their gradients by the states before."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_core import numbering
from lstm_core.command_line import _common as common
from lstm_core.words import tr, tr_n

if TYPE_CHECKING:
    from lstm_core.analysis.gradients import Gradients
    from lstm_core.analysis.window import Window
    from lstm_core.trace import Trace

DISTANCES = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500)


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
The loss after a character is the surprise of the next one; after the last, of the likeliest. With --at it
is one loss, and each line tells a distance, the character there, |d loss / d state| for each state of the
cell, the same along the direct path alone (the state multiplied by what its gate keeps, and nothing else),
and what the character did to the loss (its gradient times the input, nats; below 0 it made what came likelier).
Without --at it is the median over all losses, as shares of their value at their own step. Of a long text
1,000 characters are followed back, and of these at most 200 losses. Characters and layers count from 1.""",
        (
            'family-lstm --text "the clouds are in the sky"',
            'war-and-peace-lstm --text "the clouds are in the sky" --at 20 --layer 1',
            "family-rnn --text-file poem.txt -o poem-gradients.npz",
        ),
    )
    common.add_model(command)
    common.add_text(command)
    whole = common.at_least(int, 1)
    command.add_argument("--at", type=whole, metavar="T", help="The loss after this character alone.")
    command.add_argument("--layer", type=whole, metavar="N", help="The layer. The default is the top one.")
    command.add_argument("-o", "--output", metavar="OUT.npz", help="Where all norms of all layers go.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Prints the norms by distance, and writes all of them if asked to. Returns 0."""
    from lstm_core import checkpoint
    from lstm_core.analysis.gradient_file import to_npz
    from lstm_core.tracing import trace

    model = checkpoint.load(arguments.model)
    if arguments.layer is not None and arguments.layer > model.layers:
        has = tr_n("{n:,} layer", "{n:,} layers", model.layers)
        raise common.UsageError(
            tr("--layer {arguments.layer} is not there: {model.name} has {has}", arguments=arguments, model=model, has=has)
        )
    read = trace(model, common.text(arguments))
    if arguments.at is not None and arguments.at > read.steps:
        has = tr_n("{n:,} character", "{n:,} characters", read.steps)
        raise common.UsageError(tr("--at {arguments.at} is beyond the text, which has {has}", arguments=arguments, has=has))
    stretch, found = _followed(model, read, arguments.at)
    layer = (arguments.layer or model.layers) - 1
    print(_head(found, stretch, read, layer, arguments.at))
    rows = _of_all(found, layer) if arguments.at is None else _of_one(found, read, stretch, layer)
    table = list(rows)
    for line in common.table(table, right=range(len(table[0]))):
        print(line)
    if arguments.output is not None:
        Path(arguments.output).write_bytes(to_npz(found, read.vocabulary.characters, stretch.start))
        print(f"{arguments.output}: {', '.join(found.norms)}; {model.layers} x {len(found.targets)} x {len(found.chars)} each")
    return 0


def _followed(model: Any, read: Trace, at: int | None) -> tuple[Window, Gradients]:
    """The gradients of all losses of a stretch, or of the one that was asked for."""
    from lstm_core.analysis.gradients import gradients
    from lstm_core.analysis.window import part, window

    stretch = window(read.steps, None if at is None else at - 1)
    targets = stretch.targets.tolist() if at is None else [at - 1 - stretch.start]
    # One character more: the loss after the stretch's last one is about it.
    return stretch, gradients(model, part(read, stretch.start, min(stretch.stop + 1, read.steps)), targets)


def _head(found: Gradients, stretch: Window, read: Trace, layer: int, at: int | None) -> str:
    where = f"{found.model}, layer {numbering.layer(layer)}"
    cut = (
        f", characters {numbering.character(stretch.start)} to {stretch.stop}"
        if stretch.stop - stretch.start < read.steps
        else ""
    )
    if at is None:
        every = f", one in {stretch.stride} characters" if stretch.stride > 1 else ""
        count = len(found.targets)
        return f"{where}{cut}: median over {count:,} {'loss' if count == 1 else 'losses'}{every}"
    aim = read.vocabulary.characters[found.aims[0]]
    meant = "the likeliest" if at == read.steps else "which came next"
    return f"{where}{cut}: the loss after character {at}, {read.chars[at - 1]!r}, for {aim!r}, {meant}"


def _columns(found: Gradients) -> list[tuple[str, str, bool]]:
    """The columns of the norms: a title, a state, and whether the norm is the direct path's."""
    columns = []
    for state in found.norms:
        columns.append((state, state, False))
        if state in found.direct:
            columns.append((f"{state}, direct", state, True))
    return columns


def _of_one(found: Gradients, read: Trace, stretch: Window, layer: int) -> Iterator[tuple[str, ...]]:
    columns, target = _columns(found), int(found.targets[0])
    yield ("back", "character", *(title for title, _, _ in columns), "push")
    for step in range(target, -1, -1):
        norms = ((found.direct if direct else found.norms)[state][layer, 0, step] for _, state, direct in columns)
        push = f"{found.characters[0, step]:+.3e}"
        yield (str(target - step), repr(read.chars[stretch.start + step]), *(f"{norm:.3e}" for norm in norms), push)


def _of_all(found: Gradients, layer: int) -> Iterator[tuple[str, ...]]:
    from lstm_core.analysis import vanishing

    columns = _columns(found)
    medians, gone = [], ["vanished"]
    for _, state, direct in columns:
        left = vanishing.left(vanishing.share(found, vanishing.path(found, layer, state), direct))
        medians.append(left.middle)
        after = left.vanished_after
        gone.append("" if direct else "not here" if after is None else f"{after} back")
    yield ("back", *(title for title, _, _ in columns))
    for distance in DISTANCES:
        if distance < len(medians[0]):
            yield (str(distance), *(f"{middle[distance]:.3e}" for middle in medians))
    yield tuple(gone)
