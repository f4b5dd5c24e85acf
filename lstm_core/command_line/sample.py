"""Let a model write."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from lstm_core import checkpoint, sampling
from lstm_core.command_line import _common as common


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        "The prompt is printed first, then what the model writes after it, one character at a time.",
        (
            'shakespeare-lstm --prompt "To be, or not to be" --length 300',
            "python-lstm --prompt 'def ' --temperature 0.5 --seed 7",
        ),
    )
    common.add_model(command)
    command.add_argument(
        "--prompt", type=common.typed, default="The ", help="The text that the model reads first. The default is 'The '."
    )
    command.add_argument(
        "--length", type=common.at_least(int, 0), default=400, metavar="N", help="Characters to write. The default is 400."
    )
    command.add_argument(
        "--temperature",
        type=common.at_least(float, 0),
        default=1.0,
        metavar="T",
        help="1, the default, draws from the model's own distribution; less is more certain; 0 takes the likeliest each time.",
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="N", help="The same seed writes the same text. The default is 0."
    )
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Prints the prompt and what the model writes after it. Returns 0."""
    model = checkpoint.load(arguments.model)
    written = sampling.sample(model, arguments.prompt, arguments.length, arguments.temperature, arguments.seed)
    print(arguments.prompt + written)
    return 0
