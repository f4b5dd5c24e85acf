"""Read a text with a model, and write every gate and state at every character to a file."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from lstm_core import checkpoint
from lstm_core.certificate import certify
from lstm_core.command_line import _common as common
from lstm_core.trace_file import check_ending
from lstm_core.tracing import trace
from lstm_core.words import tr_n


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
The text has 1 to 20,000 characters. The file's name says its format: .npz for NumPy, .zip for CSV and what
explains its columns, .parquet. The last two hold one number a row, at most 20 million; each comes back by
lstm_core.Trace.load, and by the command show. Printed are the loss, in nats per character, and the
certificate: how far what was written is from an independent computation of the same text.""",
        (
            'war-and-peace-lstm --text "the clouds are in the sky" -o clouds.npz',
            "python-lstm --text-file setup.py -o setup.parquet",
            "family-gru - -o piped.npz < poem.txt",
        ),
    )
    common.add_model(command)
    common.add_text(command)
    command.add_argument("-o", "--output", required=True, metavar="FILE", help="Where it goes: .npz, .zip or .parquet.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Writes every signal to a file, and prints loss and certificate. Returns 0, or 1 when the certificate fails."""
    check_ending(arguments.output)  # before the reading, which may take a while
    model = checkpoint.load(arguments.model)
    traced = trace(model, common.text(arguments))
    traced.save(arguments.output)
    replaced = sum(typed != read for typed, read in zip(traced.chars, traced.read_as, strict=True))
    if replaced:
        unknown = tr_n("{n:,} character unknown", "{n:,} characters unknown", replaced)
        common.remark(f"{unknown} to {model.name} read as the nearest that it knows.")
    certificate = certify(model, traced)
    print(f"{arguments.output}: {', '.join(traced.signals)}; {traced.layers} x {traced.steps} x {traced.units} each")
    print(f"loss: {common.nats(traced.loss)}")
    print(
        f"certificate: {'holds' if certificate.holds else 'FAILS'} against {certificate.against}:"
        f" max |h - h of it| {certificate.h_error:.1e}, its loss {common.nats(certificate.loss_reference)},"
        f" every signal within {certificate.signal_error:.1e} of its equation"
    )
    return 0 if certificate.holds else 1
