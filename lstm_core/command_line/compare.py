"""Read one text with several models: their losses, and where they disagree most."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from lstm_core import checkpoint, model_file, numbering
from lstm_core.analysis import disagreement as apart
from lstm_core.analysis.costs import Cost, cost
from lstm_core.command_line import _common as common
from lstm_core.figures.lettering import glyph
from lstm_core.model import CharModel
from lstm_core.numbers import percent
from lstm_core.trace import Trace
from lstm_core.tracing import trace
from lstm_core.words import tr, tr_n

CONTEXT = 16  # characters shown before and after a disagreement


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
Disagreement is the Jensen-Shannon divergence of what the models expect after a character, in nats:
0 where all expect the same, at most the logarithm of their number. With --table, what each model
costs is printed instead, or as well: counted from its declaration and its weights, with the
held-out loss of its card.""",
        (
            'family-rnn family-lstm family-gru --text "the clouds are in the sky"',
            "war-and-peace-lstm shakespeare-lstm --text-file poem.txt --peaks 20",
            "--table                           (of all shipped models)",
        ),
    )
    command.add_argument("models", nargs="*", metavar="MODEL", help="Shipped models' names, or .safetensors files.")
    text = command.add_mutually_exclusive_group()
    text.add_argument("--text", type=common.typed, metavar="TEXT", help="The text itself.")
    text.add_argument("--text-file", metavar="FILE", help="A file that holds the text.")
    command.add_argument(
        "--peaks", type=common.at_least(int, 0), default=8, metavar="N", help="Disagreements to print. The default is 8."
    )
    command.add_argument("--table", action="store_true", help="Print what each model costs, and how well it predicts.")
    common.add_threads(command)
    command.set_defaults(stdin=None)


def run(arguments: Namespace) -> int:
    """Prints losses and disagreements, or the table, or both. Returns 0. Raises UsageError for too few models or no text."""
    with_text = arguments.text is not None or arguments.text_file is not None
    if not with_text and not arguments.table:
        raise common.UsageError(tr("a comparison needs --text or --text-file, or --table for what each model costs"))
    if with_text and len(arguments.models) < 2:
        given = tr_n("{n:,} model", "{n:,} models", len(arguments.models))
        raise common.UsageError(tr("a text is compared in two models or more; it was given {given}", given=given))
    names = arguments.models or [info.name for info in model_file.models()]
    models = [checkpoint.load(name) for name in names]
    if with_text:
        text = common.text(arguments)
        _print_comparison([trace(model, text) for model in models], arguments.peaks)
    if arguments.table:
        _print_table(models)
    return 0


def _print_comparison(traces: Sequence[Trace], most: int) -> None:
    between = apart.disagreement(traces, most)
    width = max(len(name) for name in between.models)
    for t in traces:
        replaced = sum(c != r for c, r in zip(t.chars, t.read_as))
        read = f", {tr_n('{n:,} character', '{n:,} characters', replaced)} read as others" if replaced else ""
        print(f"{t.model:{width}}  loss {common.nats(t.loss)}{read}")
    print(f"\nlargest disagreements, of at most {between.widest:.4f} nats")
    for step in between.peaks:
        print(f"{between.values[step]:.4f}  character {numbering.character(step):5}  {_context(traces[0].chars, step)}")
        for t in traces:
            best = int(t.probs[step].argmax())
            print(f"        {t.model:{width}}  expects {_shown(t.vocabulary.characters[best])} {percent(t.probs[step, best])}")


def _context(chars: Sequence[str], step: int) -> str:
    """The characters around a step, visible, the step's own in angle brackets."""
    before, after = chars[max(0, step - CONTEXT) : step], chars[step + 1 : step + 1 + CONTEXT]
    return f"{''.join(map(_shown, before))}⟨{_shown(chars[step])}⟩{''.join(map(_shown, after))}"


def _shown(character: str) -> str:
    return glyph(character)[0] if character else ""


def _print_table(models: Sequence[CharModel]) -> None:
    """One line a model; the first line says what stands where."""
    head = ("model", "cell", "layers x units", "equations", "parameters", "multiplications", "loss", "best n-grams")
    rows = [head, *(_row(model, cost(model)) for model in models)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    for row in rows:
        cells = [f"{row[k]:{widths[k]}}" if k < 3 else f"{row[k]:>{widths[k]}}" for k in range(len(head))]
        print("  ".join(cells).rstrip())
    print(
        "\nmultiplications: a character's, matrices and pointwise products; a one-hot input is looked up and counts nothing."
        "\nloss and n-grams: from the cards, nats a character on held-out text."
    )


def _row(model: CharModel, counted: Cost) -> tuple[str, ...]:
    card = model.card
    losses = (card.get("held_out_loss"), card.get("ngrams", {}).get("held_out_loss"))
    return (
        model.name,
        model.cell.title,
        f"{model.layers} x {model.units}",
        str(counted.equations),
        f"{counted.parameters:,}",
        f"{counted.multiplications:,}",
        *("-" if loss is None else f"{loss:.3f}" for loss in losses),
    )
