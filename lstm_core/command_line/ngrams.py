"""Compute what tables of n-grams need for the held-out part of a text."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from lstm_core import ngrams as tables
from lstm_core.command_line import _common as common


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
Interpolated Witten-Bell n-grams, counted in the part to train on, in nats per character. A model
with a higher loss has learnt less than such a table.""",
        ("--corpus warandpeace.txt --orders 8", "                          (on the Python standard library's own source)"),
    )
    command.add_argument("--corpus", metavar="FILE", help="The text. Without it, the Python standard library's own source.")
    command.add_argument(
        "--orders", type=common.at_least(int, 1), default=10, metavar="N", help="Orders 1 to N are computed. The default is 10."
    )


def run(arguments: Namespace) -> int:
    """Prints the loss of each order of n-grams, and the best. Returns 0."""
    corpus = common.corpus(arguments.corpus)
    losses: list[float] = []
    for loss in tables.losses_by_order(corpus.train, corpus.held_out):
        losses.append(loss)
        print(f"order {len(losses):2}: {loss:.4f} nats per character", flush=True)
        if len(losses) == arguments.orders:
            break
    print(f"best on {corpus.name}: order {losses.index(min(losses)) + 1}, {min(losses):.4f} nats per character")
    return 0
