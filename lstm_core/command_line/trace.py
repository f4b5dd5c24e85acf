"""trace: every gate and state of a text, as a file."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from lstm_core import checkpoint
from lstm_core.certificate import certify
from lstm_core.command_line import _common as common
from lstm_core.export import to_npz
from lstm_core.trace import trace


def add(commands: Any) -> None:
    command = common.command(
        commands,
        "trace",
        "Read a text with a model, and write every gate and state at every character to an .npz file.",
        """\
The text has 1 to 20,000 characters. Printed are the loss, in nats per character, and the certificate:
how far what was written is from an independent computation of the same text.""",
        (
            'war-and-peace-lstm --text "the clouds are in the sky" -o clouds.npz',
            "python-lstm --text-file setup.py -o setup.npz",
            "family-gru - -o piped.npz < poem.txt",
        ),
    )
    common.add_model(command)
    common.add_text(command)
    command.add_argument("-o", "--output", required=True, metavar="OUT.npz", help="Where the arrays go.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Writes every signal to an .npz file, and prints loss and certificate. Returns 0, or 1 when the certificate fails."""
    model = checkpoint.load(arguments.model)
    traced = trace(model, common.text(arguments))
    Path(arguments.output).write_bytes(to_npz(traced))
    replaced = sum(typed != read for typed, read in zip(traced.chars, traced.read_as, strict=True))
    if replaced:
        common.remark(f"{common.counted(replaced, 'character')} unknown to {model.name} read as the nearest that it knows.")
    certificate = certify(model, traced)
    print(f"{arguments.output}: {', '.join(traced.signals)}; {traced.layers} x {traced.steps} x {traced.units} each")
    print(f"loss: {common.nats(traced.loss)}")
    print(
        f"certificate: {'holds' if certificate.holds else 'FAILS'} against {certificate.against}:"
        f" max |h - h of it| {certificate.h_error:.1e}, its loss {common.nats(certificate.loss_reference)},"
        f" every signal within {certificate.signal_error:.1e} of its equation"
    )
    return 0 if certificate.holds else 1
