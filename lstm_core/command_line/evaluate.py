"""Compute a model's held-out loss again, and print its card's beside it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from lstm_core import checkpoint, model_file, training
from lstm_core.command_line import _common as common
from lstm_core.corpora import Corpus
from lstm_core.model import CharModel
from lstm_core.words import tr, tr_n


def add(commands: Any) -> None:
    command = common.command(
        commands,
        __name__,
        __doc__,
        """\
The loss is in nats per character, on the last 10 % of the text (of the Python standard library: the
last tenth of its files), the model's state carried on from the first character to the last.
It is said when the text is not the one that the model was trained on, by its SHA-256.""",
        (
            "family-lstm --corpus warandpeace.txt",
            "python-lstm                       (on the Python standard library's own source)",
            "--all --corpora texts             (each model on the file that its card names, in the folder texts)",
        ),
    )
    common.add_model(command, nargs="?")
    command.add_argument(
        "--corpus", metavar="FILE", help="The text. It may be left out for a model of the Python standard library's source."
    )
    command.add_argument("--all", action="store_true", help="Judge all shipped models instead of one.")
    command.add_argument("--corpora", metavar="FOLDER", help="Where the texts lie, each under the name that the cards give.")
    command.add_argument(
        "--streams",
        type=common.at_least(int, 1),
        default=1,
        metavar="N",
        help="Cut the held-out part into so many pieces that are read side by side, each from a zero state: faster,"
        " and a little worse. The default is 1, as in the cards.",
    )
    common.add_threads(command)


def run(arguments: Namespace) -> int:
    """Prints the held-out loss of one model, or of all shipped ones. Returns 0, or 1 when a text is missing."""
    if arguments.all:
        return _evaluate_all(arguments)
    if arguments.model is None:
        raise common.UsageError(tr("say which model to judge, or --all"))
    model = checkpoint.load(arguments.model)
    path = arguments.corpus or _corpus_path(model, arguments.corpora)
    if path is None and not _reads_standard_library(model):
        raise common.UsageError(
            tr(
                "{model.name} was trained on {corpus_name}: say with --corpus where that file is",
                model=model,
                corpus_name=common.corpus_name(model),
            )
        )
    _evaluate(model, common.corpus(path), arguments.streams)
    return 0


def _evaluate_all(arguments: Namespace) -> int:
    if arguments.model is not None or arguments.corpus is not None:
        raise common.UsageError(
            tr("--all judges every shipped model on its own text: give it neither MODEL nor --corpus, but --corpora")
        )
    missing = 0
    for info in model_file.models():
        model = checkpoint.load(info.path)
        path = _corpus_path(model, arguments.corpora)
        if _reads_standard_library(model) or (path is not None and Path(path).is_file()):
            _evaluate(model, common.corpus(path), arguments.streams)
        else:
            missing += 1
            where = "give its folder with --corpora" if path is None else f"there is no file {path}"
            common.remark(f"{model.name} is left out: it was trained on {common.corpus_name(model)}, and {where}.")
    return 1 if missing else 0


def _reads_standard_library(model: CharModel) -> bool:
    return common.corpus_name(model).endswith("standard library")


def _corpus_path(model: CharModel, folder: str | None) -> str | None:
    """Where a folder of texts has this model's; None for the standard library, and without a folder."""
    if folder is None or _reads_standard_library(model):
        return None
    return str(Path(folder) / Path(common.corpus_name(model)).name)


def _evaluate(model: CharModel, corpus: Corpus, streams: int) -> None:
    _compare_corpora(model, corpus)
    with common.bar(len(corpus.held_out)) as bar:
        for judged, loss in training.held_out_losses(model, corpus.held_out, streams):
            bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            bar.update(judged - bar.n)
    on_card = model.card.get("held_out_loss")
    card = "no loss" if on_card is None else f"{on_card:.4f}"
    read = tr_n("{n:,} character", "{n:,} characters", len(corpus.held_out))
    print(
        f"{model.name}: {loss:.4f} nats per character on the last {read}"
        f" of {corpus.name} ({tr_n('{n:,} stream', '{n:,} streams', streams)}); its card says {card}",
        flush=True,
    )


def _compare_corpora(model: CharModel, corpus: Corpus) -> None:
    """Says so when the text is not the card's."""
    on_card = model.card.get("sha256")
    if on_card is None:
        common.remark(f"The card of {model.name} does not say which text it was trained on, so this one may be another.")
    elif on_card != corpus.sha256:
        common.remark(
            f"{corpus.name} is not the text that {model.name} was trained on ({common.corpus_name(model)}): its SHA-256 begins"
            f" {corpus.sha256[:16]}, the card's {on_card[:16]}, so the two losses do not compare."
        )
