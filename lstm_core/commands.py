"""What each command of the command line does. Results are printed to stdout, progress and remarks to stderr."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import FrameType
from typing import Any

import safetensors
import torch
from tqdm import tqdm

from lstm_core import checkpoint, corpora, recipes, sampling, training
from lstm_core.analysis import ngrams as tables
from lstm_core.certificate import certify
from lstm_core.corpora import Corpus
from lstm_core.model import CharModel
from lstm_core.recipes import Recipe
from lstm_core.trace import trace as trace_text


class UsageError(ValueError):
    """Options that do not go together, in one sentence."""


def set_threads(arguments: Namespace) -> None:
    """Two threads make small recurrences slower, so it is one unless --threads says otherwise."""
    torch.set_num_threads(getattr(arguments, "threads", 1))


def _remark(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _bar(total: int, done: int = 0) -> tqdm[Any]:
    """A progress bar over characters, shown on a terminal alone."""
    shape = "{percentage:3.0f} % |{bar}| {n_fmt} of {total_fmt} characters, {rate_fmt}, {remaining} left{postfix}"
    return tqdm(
        total=total,
        initial=done,
        unit=" characters",
        unit_scale=True,
        bar_format=shape,
        leave=False,
        disable=not sys.stderr.isatty(),
    )


# train


@dataclass
class _CtrlC:
    """Whether Ctrl-C was pressed. The first is noted, so that a run stops between two steps; the second stops it at once."""

    pressed: bool = False

    def press(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True


@contextmanager
def _noting_ctrl_c() -> Iterator[_CtrlC]:
    noted = _CtrlC()
    before = signal.signal(signal.SIGINT, noted.press)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def train(arguments: Namespace) -> int:
    """Trains a model and writes it; goes on from an interrupted run. Returns 0, or 130 after Ctrl-C."""
    recipe, name = _recipe(arguments), _name(arguments)
    output = _output(arguments, name)
    resume = None if arguments.no_resume else output.with_suffix(".resume")
    corpus = _training_corpus(arguments)
    size = f"{recipe.layers} x {recipe.units} units"
    _remark(f"Training {name} ({recipe.cell}, {size}) on {corpus.name}, {_counted(len(corpus.train), 'character')}.")
    if resume is not None:
        _remark(f"{'Going on from' if resume.exists() else 'Interrupted, it goes on from'} {resume}.")
    run = training.fit(corpus, recipe, name=name, resume=resume)
    try:
        model = _watch(run)
    except KeyboardInterrupt:
        _remark("\nStopped. " + ("Nothing was kept." if resume is None else _how_to_go_on(resume)))
        return 130
    checkpoint.save(model, output)
    if resume is not None:
        resume.unlink(missing_ok=True)
    print(
        f"{output}: held-out loss {model.card['held_out_loss']:.4f} nats per character, step {model.card['kept_step']:,} kept"
    )
    return 0


def _how_to_go_on(resume: Path) -> str:
    if resume.exists():
        return f"The run is kept in {resume}; the same command goes on from there."
    return "It had not begun; the same command begins anew."


def _watch(run: Generator[training.Progress, None, CharModel]) -> CharModel:
    """Runs a training to its end, and shows how it goes. Raises KeyboardInterrupt, the run kept, after Ctrl-C."""
    bar, held_out = None, math.nan
    with _noting_ctrl_c() as ctrl_c:
        try:
            while not ctrl_c.pressed:
                now = next(run)
                if bar is None:
                    per_step = now.characters // now.step
                    bar = _bar(now.steps * per_step, now.characters)
                if now.held_out is not None:
                    held_out = now.held_out
                    tqdm.write(_line(now), file=sys.stderr)
                bar.set_postfix_str(f"loss {now.loss:.3f}, held-out {held_out:.3f}", refresh=False)
                bar.update(now.characters - bar.n)
            run.close()
            raise KeyboardInterrupt
        except StopIteration as finished:
            return finished.value
        finally:
            if bar is not None:
                bar.close()


def _line(now: training.Progress) -> str:
    minutes, seconds = divmod(round(now.seconds_left), 60)
    return (
        f"step {now.step:,} of {now.steps:,}: loss {now.loss:.4f}, held-out {now.held_out:.4f},"
        f" {now.characters_per_second:,.0f} characters/s, {minutes}:{seconds:02} left"
    )


def _recipe(arguments: Namespace) -> Recipe:
    given = {f.name: getattr(arguments, f.name) for f in fields(Recipe) if f.name in arguments}
    base = recipes.SHIPPED[arguments.recipe].recipe if arguments.recipe else Recipe()
    try:
        return replace(base, **given)
    except ValueError as error:
        raise UsageError(str(error).replace("_", " ")) from error


def _name(arguments: Namespace) -> str:
    recipe = _recipe(arguments)
    name = arguments.name or arguments.recipe or f"{recipe.cell}-{recipe.layers}x{recipe.units}"
    if Path(name).name != name:
        raise UsageError(f"--name is the model's name, not a path, and {name!r} is one: use --output for the file")
    return name


def _output(arguments: Namespace, name: str) -> Path:
    """Where the model goes; refused now rather than after hours of training."""
    output = Path(arguments.output or f"{name}.safetensors")
    if output.suffix != ".safetensors":
        raise UsageError(f"--output must end in .safetensors, and {output} does not")
    if not output.parent.is_dir():
        raise NotADirectoryError(f"there is no folder {output.parent} to write {output.name} to")
    if not os.access(output.parent, os.W_OK):
        raise PermissionError(f"the folder {output.parent.resolve()} can't be written to")
    if output.exists() and not arguments.overwrite:
        raise FileExistsError(f"{output} exists already; name another with --output, or replace it with --overwrite")
    return output


def _training_corpus(arguments: Namespace) -> Corpus:
    wanted = recipes.SHIPPED[arguments.recipe].corpus if arguments.recipe else None
    if arguments.corpus is None and wanted is not None:
        raise UsageError(f"{arguments.recipe} is trained on {wanted}: say with --corpus where that file is")
    return _corpus(arguments.corpus)


def _corpus(path: str | None) -> Corpus:
    return corpora.standard_library() if path is None else corpora.from_file(path)


# evaluate


def evaluate(arguments: Namespace) -> int:
    """Prints the held-out loss of one model, or of all shipped ones. Returns 0, or 1 when a text is missing."""
    if arguments.all:
        return _evaluate_all(arguments)
    if arguments.model is None:
        raise UsageError("say which model to judge, or --all")
    model = checkpoint.load(arguments.model)
    path = arguments.corpus or _corpus_path(model, arguments.corpora)
    if path is None and not _reads_standard_library(model):
        raise UsageError(f"{model.name} was trained on {_corpus_name(model)}: say with --corpus where that file is")
    _judge(model, _corpus(path), arguments.streams)
    return 0


def _evaluate_all(arguments: Namespace) -> int:
    if arguments.model is not None or arguments.corpus is not None:
        raise UsageError("--all judges every shipped model on its own text: give it neither MODEL nor --corpus, but --corpora")
    missing = 0
    for info in checkpoint.models():
        model = checkpoint.load(info.path)
        path = _corpus_path(model, arguments.corpora)
        if _reads_standard_library(model) or (path is not None and Path(path).is_file()):
            _judge(model, _corpus(path), arguments.streams)
        else:
            missing += 1
            where = "give its folder with --corpora" if path is None else f"there is no file {path}"
            _remark(f"{model.name} is left out: it was trained on {_corpus_name(model)}, and {where}.")
    return 1 if missing else 0


def _corpus_name(model: CharModel) -> str:
    return model.card.get("corpus", "a text that its card does not name")


def _reads_standard_library(model: CharModel) -> bool:
    return _corpus_name(model).endswith("standard library")


def _corpus_path(model: CharModel, folder: str | None) -> str | None:
    """Where a folder of texts has this model's; None for the standard library, and without a folder."""
    if folder is None or _reads_standard_library(model):
        return None
    return str(Path(folder) / Path(_corpus_name(model)).name)


def _judge(model: CharModel, corpus: Corpus, streams: int) -> None:
    _compare_corpora(model, corpus)
    with _bar(len(corpus.held_out)) as bar:
        for judged, loss in training.held_out_losses(model, corpus.held_out, streams):
            bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            bar.update(judged - bar.n)
    carded = model.card.get("held_out_loss")
    card = "no loss" if carded is None else f"{carded:.4f}"
    print(
        f"{model.name}: {loss:.4f} nats per character on the last {_counted(len(corpus.held_out), 'character')}"
        f" of {corpus.name} ({_counted(streams, 'stream')}); its card says {card}",
        flush=True,
    )


def _compare_corpora(model: CharModel, corpus: Corpus) -> None:
    """Says so when the text is not the card's."""
    carded = model.card.get("sha256")
    if carded is None:
        _remark(f"The card of {model.name} does not say which text it was trained on, so this one may be another.")
    elif carded != corpus.sha256:
        _remark(
            f"{corpus.name} is not the text that {model.name} was trained on ({_corpus_name(model)}): its SHA-256 begins"
            f" {corpus.sha256[:16]}, the card's {carded[:16]}, so the two losses do not compare."
        )


# sample and trace


def sample(arguments: Namespace) -> int:
    """Prints the prompt and what the model writes after it. Returns 0."""
    model = checkpoint.load(arguments.model)
    written = sampling.sample(model, arguments.prompt, arguments.length, arguments.temperature, arguments.seed)
    print(arguments.prompt + written)
    return 0


def trace(arguments: Namespace) -> int:
    """Writes every signal to an .npz file, and prints loss and certificate. Returns 0, or 1 when the certificate fails."""
    from lstm_core.export import to_npz

    model = checkpoint.load(arguments.model)
    traced = trace_text(model, _text(arguments))
    Path(arguments.output).write_bytes(to_npz(traced))
    replaced = sum(typed != read for typed, read in zip(traced.chars, traced.read_as, strict=True))
    if replaced:
        _remark(f"{_counted(replaced, 'character')} unknown to {model.name} read as the nearest that it knows.")
    certificate = certify(model, traced)
    print(f"{arguments.output}: {', '.join(traced.signals)}; {traced.layers} x {traced.steps} x {traced.units} each")
    print(f"loss: {_nats(traced.loss)}")
    print(
        f"certificate: {'holds' if certificate.holds else 'FAILS'} against {certificate.against}:"
        f" max |h - h of it| {certificate.h_error:.1e}, its loss {_nats(certificate.loss_reference)},"
        f" every signal within {certificate.signal_error:.1e} of its equation"
    )
    return 0 if certificate.holds else 1


def _text(arguments: Namespace) -> str:
    if arguments.stdin:
        return corpora.decode(sys.stdin.buffer.read())
    if arguments.text_file is not None:
        return corpora.decode(Path(arguments.text_file).read_bytes())
    return arguments.text


def _nats(loss: float) -> str:
    return "none, for one character alone" if math.isnan(loss) else f"{loss:.4f} nats per character"


# models and ngrams


def models(arguments: Namespace) -> int:
    """Prints the shipped models, as a table or as JSON. Returns 0."""
    shipped = checkpoint.models()
    if arguments.json:
        print(json.dumps([_facts(info) for info in shipped], ensure_ascii=False, indent=2))
        return 0
    if not shipped:
        _remark("No models are shipped with this copy.")
    rows = [("name", "cell", "layers x units", "parameters", "corpus", "held-out loss", "steps")]
    for facts in map(_facts, shipped):
        config, card = facts["config"], facts["card"]
        size, loss = f"{config['layers']} x {config['units']}", card.get("held_out_loss", math.nan)
        row = facts["name"], config["cell"], size, f"{facts['parameters']:,}", card.get("corpus", "unknown")
        rows.append((*row, f"{loss:.4f}", f"{card.get('steps', 0):,}"))
    for line in _table(rows, right=(3, 5, 6)):
        print(line)
    return 0


def _facts(info: checkpoint.ModelInfo) -> dict[str, Any]:
    """What is known of a shipped model; the parameters are counted in the file's header."""
    with safetensors.safe_open(info.path, "pt") as file:
        names = file.keys()
        parameters = sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    return {
        "name": info.name,
        "file": info.path.name,
        "parameters": parameters,
        "vocabulary": info.vocabulary,
        "config": dict(info.config),
        "card": dict(info.card),
    }


def _table(rows: Sequence[Sequence[str]], right: Sequence[int]) -> Iterator[str]:
    """Lines of columns two spaces apart; the columns of `right` stand flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (c.rjust(w) if k in right else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True)))
        yield "  ".join(cells).rstrip()


def ngrams(arguments: Namespace) -> int:
    """Prints the loss of each order of n-grams, and the best. Returns 0."""
    corpus = _corpus(arguments.corpus)
    losses: list[float] = []
    for loss in tables.losses_by_order(corpus.train, corpus.held_out):
        losses.append(loss)
        print(f"order {len(losses):2}: {loss:.4f} nats per character", flush=True)
        if len(losses) == arguments.orders:
            break
    print(f"best on {corpus.name}: order {losses.index(min(losses)) + 1}, {min(losses):.4f} nats per character")
    return 0
