"""Training a character model: truncated back-propagation on carried state. Yields progress; knows no UI."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from lstm_core.checkpoint import write
from lstm_core.corpora import Corpus
from lstm_core.errors import DivergenceError, InputError
from lstm_core.model import CharModel, States
from lstm_core.ngrams import ngram_loss
from lstm_core.recipes import Recipe
from lstm_core.text import Vocabulary
from lstm_core.words import tr

__all__ = ["Progress", "Recipe", "fit", "held_out_loss", "held_out_losses", "new_model", "steps_of", "windows"]

DEFAULT_RECIPE = Recipe()
Watch = Callable[[int, CharModel], None]  # (step, model)


@dataclass(frozen=True)
class Progress:
    """One report of a training run. Losses are nats a character.

    step of steps; characters: seen so far; loss: of the training text, averaged since the last report; held_out:
    loss on the held-out part when this report carries one, else None; best: the lowest held-out loss so far;
    learning_rate: of the last step; gradient_norm: the last one, before clipping; seconds: of work, over all
    resumptions; characters_per_second; seconds_left: what the speed so far predicts.
    """

    step: int
    steps: int
    characters: int
    loss: float
    held_out: float | None
    best: float
    learning_rate: float
    gradient_norm: float
    seconds: float
    characters_per_second: float

    @property
    def seconds_left(self) -> float:
        """What the run still needs at its mean speed so far: seconds, 0 or more."""
        return self.seconds / max(self.step, 1) * (self.steps - self.step)


@dataclass
class _Run:
    """Everything that must survive an interruption."""

    model: CharModel
    optimiser: torch.optim.AdamW
    states: States
    best_weights: dict[str, Tensor]
    step: int = 0
    best: float = math.inf
    best_step: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def held_out_losses(model: CharModel, text: str, streams: int = 1, window: int = 2048) -> Iterator[tuple[int, float]]:
    """The loss of `held_out_loss` as it is worked out: (characters judged so far, their mean loss), every `window` steps.

    The last one is the loss. Nats a character; raises as `held_out_loss` does.
    """
    ids = model.vocabulary.ids(text)
    length = len(ids) // streams if streams > 0 else 0
    if length < 2:
        raise InputError(
            tr(
                "a loss needs at least 2 characters a stream; the text has {ids_count} for {streams}",
                ids_count=len(ids),
                streams=streams,
            )
        )
    columns = torch.from_numpy(ids[: length * streams].reshape(streams, length).T.copy()).to(model.head.weight.device)
    total, states = 0.0, None
    for start in range(0, length - 1, window):
        stop = min(start + window, length - 1)
        was_training = model.training
        model.eval()
        with torch.no_grad():
            logits, states = model(columns[start:stop], states)
        model.train(was_training)
        targets = columns[start + 1 : stop + 1]
        total += nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum").item()
        yield stop * streams, total / (stop * streams)


def held_out_loss(model: CharModel, text: str, streams: int = 1, window: int = 2048) -> float:
    """Nats a character that `model` needs for `text`, its state carried on from the first character to the last.

    text: 2 characters or more. streams: cut the text into so many equal parts that are read side by side, each
    from a zero state (1, the default, is the protocol of the cards). Returns the mean over all characters but the
    first of each stream. Raises InputError when the text has fewer than 2 characters a stream.
    Source: cross entropy, as reported by Karpathy et al. 2015.
    """
    *_, (_, loss) = held_out_losses(model, text, streams, window)
    return loss


def windows(ids: np.ndarray, streams: int, window: int, seed: int) -> Iterator[tuple[Tensor, bool]]:
    """Endless (window + 1, streams) pieces of the text, and whether a pass ended before this one.

    Each pass begins at another offset, so that windows do not cut the text at the same places twice.
    """
    length = len(ids) // streams
    columns = np.ascontiguousarray(ids[: length * streams].reshape(streams, length).T)
    offsets = np.random.default_rng(seed)
    while True:
        start = int(offsets.integers(0, min(window, max(1, length - window))))
        turned = True
        while start + window < length:
            yield torch.from_numpy(columns[start : start + window + 1]), turned
            turned = False
            start += window


def steps_of(recipe: Recipe, characters: int) -> int:
    """How many steps of the optimiser a training text of so many characters takes: 1 or more."""
    return max(1, round(recipe.passes * characters / (recipe.streams * recipe.window)))


def _rate(recipe: Recipe, step: int, steps: int) -> float:
    """Linear warm-up, then a cosine to zero."""
    warm = min(1.0, (step + 1) / max(1, recipe.warmup))
    return recipe.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / steps))


def new_model(recipe: Recipe, vocabulary: Vocabulary, name: str = "unnamed") -> CharModel:
    """An untrained model as `recipe` asks for. The seed decides the weights."""
    torch.manual_seed(recipe.seed)
    model = CharModel(
        vocabulary, recipe.cell, recipe.units, recipe.layers, recipe.embedding, recipe.dropout, recipe.bias, name=name
    )
    model.rnn.reset_parameters(recipe.forget_bias, None if recipe.embedding else recipe.input_range)
    return model


def fit(
    corpus: Corpus,
    recipe: Recipe = DEFAULT_RECIPE,
    *,
    name: str = "unnamed",
    vocabulary: Vocabulary | None = None,
    resume: str | Path | None = None,
    report_every: float = 1.0,
    save_every: float = 30.0,
    device: str = "cpu",
    watch: Watch | None = None,
) -> Generator[Progress, None, CharModel]:
    """Trains a model and yields `Progress` about every `report_every` seconds; the generator's value is the model.

    Truncated back-propagation through `recipe.window` steps, the state carried on over `recipe.streams` streams
    (and from the end of one stream to the start of the next), Adam, gradient clipping, cosine decay. The weights
    with the lowest held-out loss are kept. corpus: the text, in two parts. name: what the model will be called.
    vocabulary: the characters it knows; None: all of the corpus. device: torch's name of where to train; the model comes
    back on the CPU. resume: a file in which the run is kept every `save_every` seconds, after
    every validation and when the generator is closed, and from which it goes on (on the CPU to exactly the weights that
    it would have had without the interruption); who gets the model removes it, once the model is safe. watch: called with
    the step and the model, before the first step (0) and after every step, to read the model and not to change it.
    Raises InputError when the training text is shorter than one step, or when `resume` is damaged or holds another
    run; DivergenceError when the loss is no longer a finite number; OSError when the run can't be kept in `resume`.
    Source: Adam: Kingma & Ba 2015; clipping: Pascanu et al. 2013; forget bias: Jozefowicz et al. 2015.
    """
    identity: dict[str, Any] = {"recipe": asdict(recipe), **corpus.facts}
    if vocabulary is not None:
        identity["vocabulary"] = vocabulary.characters
    vocabulary = vocabulary or Vocabulary.of(corpus.train + corpus.held_out)
    if len(corpus.train) < recipe.streams * (recipe.window + 2):
        raise InputError(
            tr(
                "the training text has {train_count:,} characters; {recipe.streams} streams of windows of"
                " {recipe.window} need at least {streams:,}",
                train_count=len(corpus.train),
                recipe=recipe,
                streams=recipe.streams * (recipe.window + 2),
            )
        )
    run = _start(recipe, vocabulary, name, device)
    path = None if resume is None else Path(resume)
    if path is not None and path.exists():
        _load(run, path, identity)
    yield from _train(run, corpus, recipe, path, identity, report_every, save_every, device, watch)
    run.model.load_state_dict(run.best_weights)
    run.model.eval().cpu()
    run.model.card = _card(run, corpus, recipe)
    return run.model


def _start(recipe: Recipe, vocabulary: Vocabulary, name: str, device: str) -> _Run:
    model = new_model(recipe, vocabulary, name).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    weights = {k: v.detach().clone() for k, v in model.state_dict().items()}
    return _Run(model, optimiser, model.rnn.zero_states(recipe.streams), weights)


def _train(
    run: _Run,
    corpus: Corpus,
    recipe: Recipe,
    path: Path | None,
    identity: dict[str, Any],
    report_every: float,
    save_every: float,
    device: str,
    watch: Watch | None,
) -> Iterator[Progress]:
    ids = run.model.vocabulary.ids(corpus.train)
    steps, per_step = steps_of(recipe, len(ids)), recipe.streams * recipe.window
    pieces = windows(ids, recipe.streams, recipe.window, recipe.seed)
    for _ in range(run.step):
        next(pieces)
    run.model.train()
    losses: list[Tensor] = []  # of every step since the last validation
    unreported = 0
    started, before = time.perf_counter(), run.seconds
    reported = saved = started
    first_step = run.step
    if watch is not None and run.step == 0:
        _show(run, watch)
    while run.step < steps:
        piece, turned = next(pieces)
        if turned:  # the end of one stream is the start of the next: hand each state on
            run.states = tuple(s.roll(1, dims=1) for s in run.states)
        run.states = _begin_anew(run.states, recipe)
        rate = _rate(recipe, run.step, steps)
        loss, norm = _step(run, piece.to(device), recipe, rate)
        losses.append(loss)
        unreported += 1
        run.step += 1
        if watch is not None:
            _show(run, watch)
        now = time.perf_counter()
        run.seconds = before + now - started
        due = _is_due(run.step, steps, recipe.validations)
        if due or now - reported >= report_every:
            train_loss = torch.stack(losses[-unreported:]).mean().item()
            if not math.isfinite(train_loss):
                raise DivergenceError(
                    tr(
                        "the loss is {train_loss} at step {run.step}: try a smaller learning rate",
                        train_loss=train_loss,
                        run=run,
                    )
                )
            held_out = _validate(run, corpus, losses) if due else None
            reported, unreported = now, 0
            speed = (run.step - first_step) * per_step / (now - started)
            report = Progress(
                run.step, steps, run.step * per_step, train_loss, held_out, run.best, rate, norm.item(), run.seconds, speed
            )
            try:
                yield report
            except GeneratorExit:
                if path is not None:
                    _save(run, path, identity)
                raise
        if path is not None and (due or now - saved >= save_every):
            saved = now
            _save(run, path, identity)


def _show(run: _Run, watch: Watch) -> None:
    """Whoever watches may draw random numbers: those of the training stay what they would have been."""
    with torch.random.fork_rng(devices=[]):
        watch(run.step, run.model)


def _is_due(step: int, steps: int, validations: int) -> bool:
    """Whether the held-out part is judged after this step: so many times, at even distances, at last after the last step."""
    return step * validations // steps > (step - 1) * validations // steps


def _begin_anew(states: States, recipe: Recipe) -> States:
    """Sets some streams back to the zero state, by chance: see `Recipe.text_length`."""
    if recipe.text_length is None:
        return states
    goes_on = torch.rand(recipe.streams) >= recipe.window / recipe.text_length
    return tuple(s * goes_on.to(s)[:, None] for s in states)


def _step(run: _Run, piece: Tensor, recipe: Recipe, rate: float) -> tuple[Tensor, Tensor]:
    """One optimiser step on a (window + 1, streams) piece. Returns the loss and the gradient's norm before clipping."""
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    logits, states = run.model(piece[:-1], run.states)
    run.states = tuple(s.detach() for s in states)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), piece[1:].flatten())
    run.optimiser.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(run.model.parameters(), recipe.clip)
    run.optimiser.step()
    return loss.detach(), norm


def _validate(run: _Run, corpus: Corpus, losses: list[Tensor]) -> float:
    """Judges the run, remembers its weights when they are the best so far, and empties the list of training losses."""
    streams = max(1, min(32, len(corpus.held_out) // 1000))
    loss = held_out_loss(run.model, corpus.held_out, streams)
    if loss < run.best:
        run.best, run.best_step = loss, run.step
        run.best_weights = {k: v.detach().clone() for k, v in run.model.state_dict().items()}
    train = torch.stack(losses).mean().item()
    run.history.append({"step": run.step, "train": round(train, 4), "held_out": round(loss, 4)})
    losses.clear()
    return loss


def _card(run: _Run, corpus: Corpus, recipe: Recipe) -> dict[str, Any]:
    table = ngram_loss(corpus.train, corpus.held_out)
    return {
        **corpus.facts,
        "recipe": asdict(recipe),
        "steps": run.step,
        "characters_seen": run.step * recipe.streams * recipe.window,
        "kept_step": run.best_step,
        "held_out_loss": round(held_out_loss(run.model, corpus.held_out), 4),
        "loss_protocol": "nats per character on the held-out part, one stream, state carried on from its first character;"
        " the same part chose the step that was kept",
        "ngrams": {"order": table.best_order, "held_out_loss": round(table.best_loss, 4)},
        "history": run.history,
        "seconds": round(run.seconds),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    }


_COUNTERS = ("step", "best", "best_step", "seconds", "history")


def _save(run: _Run, path: Path, identity: dict[str, Any]) -> None:
    """Keeps the run in one safetensors file; written beside and renamed, so that no half file is left."""
    tensors = {f"weights.{k}": v for k, v in run.model.state_dict().items()}
    tensors |= {f"best.{k}": v for k, v in run.best_weights.items()}
    tensors |= {f"state.{k}": v for k, v in enumerate(run.states)}
    for k, values in run.optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{k}.{name}": value for name, value in values.items()}
    tensors["random"] = torch.get_rng_state()
    facts = {"identity": identity, **{name: getattr(run, name) for name in _COUNTERS}}
    write(path, {k: v.contiguous().cpu() for k, v in tensors.items()}, {"run": json.dumps(facts)})


def _load(run: _Run, path: Path, identity: dict[str, Any]) -> None:
    try:
        with safetensors.safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})["run"])
        tensors = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise InputError(
            tr("{path} is no run that could go on ({error}); remove it to begin anew", path=path, error=error)
        ) from error
    if facts["identity"] != json.loads(json.dumps(identity)):
        raise InputError(tr("{path} holds another run (other settings or another corpus); remove it to begin anew", path=path))
    for name in _COUNTERS:
        setattr(run, name, facts[name])

    def part(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    run.model.load_state_dict(part("weights."))
    run.best_weights = part("best.")
    run.states = tuple(v.to(run.states[0].device) for _, v in sorted(part("state.").items()))
    kept: dict[int, dict[str, Tensor]] = {}
    for key, value in part("adam.").items():
        index, _, name = key.partition(".")
        kept.setdefault(int(index), {})[name] = value
    run.optimiser.load_state_dict({"state": kept, "param_groups": run.optimiser.state_dict()["param_groups"]})
    torch.set_rng_state(tensors["random"])
