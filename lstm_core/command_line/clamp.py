"""Hold a gate at a value while a model reads, and see what becomes of its predictions."""

from __future__ import annotations

import math
from argparse import Namespace
from pathlib import Path
from typing import Any

from lstm_core import checkpoint, numbering
from lstm_core.analysis.effect import Effect, effect
from lstm_core.certificate import certify
from lstm_core.clamp import Clamp, described, typed_units
from lstm_core.command_line import _common as common
from lstm_core.errors import InputError
from lstm_core.figures.lettering import glyph
from lstm_core.model import CharModel
from lstm_core.trace import Trace
from lstm_core.trace_file import check_ending
from lstm_core.tracing import trace
from lstm_core.words import tr, tr_n


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
The text is read twice, as it is and with the clamp: the gate is overwritten at each step, and all that reads
it is computed from there. Printed are both losses, in nats per character, the characters that became more
unlikely or likelier by most, the character after which the predictions part, and the certificate of the
clamped run. Layers and characters are counted from 1 and units from 0, as on the pages.""",
        (
            'war-and-peace-lstm --text "the clouds are in the sky" --signal forget --value 0 --layer 2',
            "family-gru --text-file poem.txt --signal update --value 1 --units 3,7-9 --from 10 --to 20",
            'family-lstm --text "To be" --signal output --value 0.5 -o be.npz    (and be-clamped.npz)',
        ),
    )
    common.add_model(command)
    common.add_text(command)
    command.add_argument("--signal", required=True, metavar="NAME", help="What is held: forget, input, output, update, ...")
    command.add_argument("--value", required=True, type=float, metavar="X", help="The value it is held at; of a gate 0 to 1.")
    command.add_argument("--layer", type=common.at_least(int, 1), default=1, metavar="N", help="The layer. The default is 1.")
    command.add_argument("--units", metavar="LIST", help="Which units, such as 3,7-9. The default is all of them.")
    command.add_argument(
        "--from",
        dest="start",
        type=common.at_least(int, 1),
        default=1,
        metavar="N",
        help="The first character. The default is 1.",
    )
    command.add_argument(
        "--to", dest="stop", type=common.at_least(int, 1), metavar="N", help="The last character. The default is the text's."
    )
    command.add_argument(
        "--most", type=common.at_least(int, 0), default=8, metavar="N", help="Characters to list. The default is 8."
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="Where every gate and state goes: .npz, .zip or .parquet. Those of the clamped run go beside it: be-clamped.npz.",
    )
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Prints what a clamp changes, and writes both runs if asked to. Returns 0, or 1 when the certificate fails."""
    outputs = _outputs(arguments)  # before the reading, which may take a while
    model, text = checkpoint.load(arguments.model), common.text(arguments)
    clamp = _clamp(model, arguments)
    before = trace(model, text)
    if clamp.start >= before.steps:
        raise common.UsageError(
            tr(
                "--from {arguments.start} is beyond the text, which has {before.steps} characters",
                arguments=arguments,
                before=before,
            )
        )
    after = trace(model, text, clamps=[clamp])
    certificate = certify(model, after)
    print(f"held: {described(clamp, model.cell, model.layers, model.units)}")
    _print(before, after, effect(before, after), arguments.most)
    print(
        f"certificate: {'holds' if certificate.holds else 'FAILS'} against {certificate.against}:"
        f" max |h - h of it| {certificate.h_error:.1e}, its loss {common.nats(certificate.loss_reference)}"
    )
    for output, traced in zip(outputs, (before, after)):
        traced.save(output)
        print(f"{output}: {', '.join(traced.signals)}; {traced.layers} x {traced.steps} x {traced.units} each")
    return 0 if certificate.holds else 1


def _clamp(model: CharModel, arguments: Namespace) -> Clamp:
    """The clamp that was asked for, refused in the words of the command line."""
    if arguments.layer > model.layers:
        raise common.UsageError(
            tr(
                "--layer {arguments.layer} is not there: {model.name} has {counted}",
                arguments=arguments,
                model=model,
                counted=tr_n("{n:,} layer", "{n:,} layers", model.layers),
            )
        )
    if arguments.stop is not None and arguments.stop < arguments.start:
        raise common.UsageError(tr("--to {arguments.stop} comes before --from {arguments.start}", arguments=arguments))
    try:
        units = None if arguments.units is None else typed_units(arguments.units, model.units)
        return Clamp(
            arguments.signal,
            arguments.value,
            numbering.index("layer", arguments.layer),
            units,
            numbering.index("character", arguments.start),
            arguments.stop,
        )
    except InputError as error:
        raise common.UsageError(str(error)) from error


def _outputs(arguments: Namespace) -> list[Path]:
    if arguments.output is None:
        return []
    check_ending(arguments.output)
    first = Path(arguments.output)
    return [first, first.with_name(f"{first.stem}-clamped{first.suffix}")]


def _print(before: Trace, after: Trace, found: Effect, most: int) -> None:
    print(f"loss: {common.nats(before.loss)}")
    print(
        f"loss with the clamp: {common.nats(after.loss)}"
        + ("" if math.isnan(found.loss) else f", a change of {found.loss:+.4f}")
    )
    if found.first is None:
        print("No prediction changes.")
        return
    print(f"The predictions part after character {found.first + 1}, {_shown(before, found.first)}.")
    rows = [("character", "", "surprise", "clamped", "change")]
    for step in found.most_changed(most):
        a, b = float(before.surprise[step]), float(after.surprise[step])
        rows.append((str(numbering.character(step)), _shown(before, step), f"{a:.3f}", f"{b:.3f}", f"{b - a:+.3f}"))
    if len(rows) > 1:
        print("It changes most what was expected at (surprise in nats):")
        for line in common.table(rows, right=(0, 2, 3, 4)):
            print(f"  {line}")


def _shown(traced: Trace, step: int) -> str:
    """A character as it can be printed: a line break as ↵."""
    return f"“{glyph(traced.chars[step] or traced.vocabulary.characters[traced.ids[step]])[0]}”"
