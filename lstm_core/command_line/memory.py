"""Tell each unit's half-life on a text: after how many steps its gate alone would halve its state."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from lstm_core.command_line import _common as common
from lstm_core.words import tr_n

LONG = 100  # steps: such units are named


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
ln 1/2 / mean ln f over the text, writes ignored; for a GRU what multiplies h in f's place. A life longer
than the text is an estimate. A plain RNN has no such gate. Printed are each layer's quantiles and the
units that hold longest. Layers count from 1 and units from 0.""",
        (
            'war-and-peace-lstm --text "the clouds are in the sky"',
            "family-gru --text-file poem.txt --most 20 -o half-lives.csv",
        ),
    )
    common.add_model(command)
    common.add_text(command)
    command.add_argument(
        "--most", type=common.at_least(int, 0), default=10, metavar="N", help="Units to name in each layer. The default is 10."
    )
    command.add_argument("-o", "--output", metavar="OUT.csv", help="Where every unit's half-life goes.")
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Prints quantiles and the longest half-lives, and writes all of them if asked to. Returns 0."""
    import numpy as np

    from lstm_core import checkpoint
    from lstm_core.analysis.memory import half_life
    from lstm_core.tracing import trace

    model = checkpoint.load(arguments.model)
    read = trace(model, common.text(arguments))
    lives = half_life(read)
    print(f"{model.name}, {tr_n('{n:,} character', '{n:,} characters', read.steps)}: half-lives in steps")
    rows: list[tuple[str, ...]] = [("layer", "shortest", "25 %", "median", "75 %", "longest", f"{LONG} or more")]
    for layer, values in enumerate(lives, 1):
        quantiles = (f"{q:.3g}" for q in np.quantile(values, (0, 0.25, 0.5, 0.75, 1), method="nearest"))
        rows.append((str(layer), *quantiles, f"{int((values >= LONG).sum())} of {len(values)}"))
    for line in common.table(rows, right=range(7)):
        print(line)
    for layer, values in enumerate(lives, 1):
        longest = np.argsort(-values, kind="stable")[: arguments.most]
        if longest.size:
            print(f"layer {layer}: " + ", ".join(f"unit {unit} {values[unit]:.3g}" for unit in longest))
    if arguments.output is not None:
        lines = [f"{layer},{unit},{life:.9g}" for layer, row in enumerate(lives, 1) for unit, life in enumerate(row)]
        Path(arguments.output).write_text("\n".join(["layer,unit,half_life", *lines]) + "\n", encoding="utf-8")
        print(f"{arguments.output}: {lives.size} half-lives")
    return 0
