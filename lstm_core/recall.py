"""The recall task: a key at the start, distractors, and the key asked for at the end. The gap between them is a dial."""

from __future__ import annotations

import math
import string
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from lstm_core.errors import DivergenceError, InputError
from lstm_core.model import CharModel
from lstm_core.words import tr

LETTERS = len(string.ascii_uppercase)
TEST_SEED = 1_000_000  # added to a run's seed: looks and tests are drawn apart from what it is trained on
Draw = Literal["alone", "even", "short"]


@dataclass(frozen=True)
class Protocol:
    """What all cells are trained and tested on alike, whatever their kind, size and seed.

    draw: which gaps are trained on. "alone": one model for each of `gaps`, which never sees another gap. "even": one model
    for all; each batch's gap is drawn from 1 to longest_gap, all alike. "short": likewise, but the logarithm of the gap is
    uniform, so that as many batches lie between 1 and 10 as between 20 and 200. gaps: those that are tested; a gap is the
    number of distractors between the key and the question. longest_gap: 1 or more. keys, distractors: how many characters
    of each kind there are, 2 to 26 and 1 to 26: A, B, C, ... and a, b, c, ... steps: of the optimiser, for each model, on
    `batch` sequences each. learning_rate: Adam's, after `warmup` steps, decayed by a cosine to zero. clip: the gradient's
    largest norm. forget_bias, input_range: as in `Recipe`. tests: sequences at each gap at the end; glances: sequences
    at each gap on the way, `looks` times at even distances.
    Raises InputError for a value out of its range. Source: made after Hochreiter & Schmidhuber 1997, experiment 2, and
    Bengio et al. 1994, the latch; both are about a symbol that is to be kept over a gap.
    """

    draw: Draw = "alone"
    gaps: tuple[int, ...] = (1, 2, 5, 10, 15, 20, 30, 50, 100, 200)
    longest_gap: int = 200
    keys: int = 8
    distractors: int = 8
    steps: int = 1500
    batch: int = 64
    learning_rate: float = 3e-3
    warmup: int = 100
    clip: float = 1.0
    forget_bias: float = 1.0
    input_range: float = 1.0
    tests: int = 1000
    glances: int = 100
    looks: int = 4

    def __post_init__(self) -> None:
        if self.draw not in get_args(Draw):
            raise InputError(
                tr("draw must be one of {get_args}, not {self.draw!r}", get_args=", ".join(get_args(Draw)), self=self)
            )
        most = {"keys": LETTERS, "distractors": LETTERS}
        least = {"keys": 2, "warmup": 0}
        for name in ("longest_gap", "keys", "distractors", "steps", "batch", "warmup", "tests", "glances", "looks"):
            low, high = least.get(name, 1), most.get(name, math.inf)
            if not low <= getattr(self, name) <= high:
                bounds = f"{low} or more" if high == math.inf else f"{low} to {high}"
                raise InputError(
                    tr("{name} must be {bounds}, not {getattr}", name=name, bounds=bounds, getattr=getattr(self, name))
                )
        for name in ("learning_rate", "clip", "input_range"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(tr("{name} must be above 0, not {getattr}", name=name, getattr=getattr(self, name)))
        if not self.gaps or min(self.gaps) < 1 or sorted(set(self.gaps)) != list(self.gaps):
            raise InputError(
                tr("gaps must rise from 1 or more, each once; they are {value}", value=", ".join(map(str, self.gaps)) or "none")
            )

    @property
    def vocabulary(self) -> str:
        """The keys, the distractors and the question mark, in the order of their ids."""
        return string.ascii_uppercase[: self.keys] + string.ascii_lowercase[: self.distractors] + "?"

    @property
    def chance(self) -> float:
        """The accuracy of guessing among the keys: 1 / keys."""
        return 1 / self.keys

    @property
    def stages(self) -> tuple[tuple[int, ...], ...]:
        """The gaps that each model is tested at: one model a gap, or one for all."""
        return tuple((gap,) for gap in self.gaps) if self.draw == "alone" else (self.gaps,)

    def gap(self, tested: tuple[int, ...], number: float) -> int:
        """The gap of one batch for the model that is tested at these gaps, from a number that is uniform in [0, 1)."""
        if self.draw == "alone":
            return tested[0]
        if self.draw == "even":
            return 1 + int(number * self.longest_gap)
        return min(self.longest_gap, int(math.exp(number * math.log(self.longest_gap + 1))))

    def reading(self, tested: tuple[int, ...]) -> float:
        """How many characters of each sequence that model reads in training, all steps together, on average."""
        evenly = [self.gap(tested, (k + 0.5) / 1000) for k in range(1000)]
        return self.steps * (sum(evenly) / len(evenly) + 2)


# What assets/experiments/recall.json holds, by name; and a small one that takes two cells with 16 units some seconds.
ALL_GAPS = (1, 2, 5, 10, 15, 20, 30, 50, 70, 100, 150, 200)
EXPERIMENTS: Mapping[Draw, Protocol] = {
    "alone": Protocol(),
    "even": Protocol(draw="even", gaps=ALL_GAPS, steps=2500, looks=10),
    "short": Protocol(draw="short", gaps=ALL_GAPS, steps=2500, looks=10),
}
QUICK = Protocol(gaps=(1, 2, 5, 10, 20, 30, 40), longest_gap=40, steps=600, learning_rate=1e-2, tests=500)


@dataclass(frozen=True)
class Progress:
    """How far one cell's run is.

    cell, units, seed: which run. step of steps: of the optimiser, over all its models. gaps: those that the present model
    is tested at. loss: nats at the question, averaged over the steps since the last report. gradient_norm: the last one,
    before clipping. accuracy: gap -> share of right answers, 0 to 1, when last looked at; only gaps that have been.
    done: share of the work, 0 to 1. seconds: of work.
    """

    cell: str
    units: int
    seed: int
    step: int
    steps: int
    gaps: tuple[int, ...]
    loss: float
    gradient_norm: float
    accuracy: Mapping[int, float]
    done: float
    seconds: float

    @property
    def seconds_left(self) -> float:
        """What the run still needs at its speed so far, a long gap taking longer than a short one: seconds, 0 or more."""
        return self.seconds * (1 / self.done - 1)


@dataclass(frozen=True)
class Evaluation:
    """A model evaluated on its way.

    step: of its own training. loss: nats at the question, mean of the steps since the evaluation before. accuracy: gap ->
    share of right answers, 0 to 1.
    """

    step: int
    loss: float
    accuracy: Mapping[int, float]


@dataclass(frozen=True)
class Result:
    """One cell, trained and tested.

    draw: the protocol's. cell, units, seed: which run. accuracy: gap -> share of right answers on fresh sequences, 0 to
    1. history: every evaluation on the way, model after model. parameters: how many weights each model has. seconds: of work.
    models: the trained ones, in the order of `Protocol.stages`, which read text such as "Cabfhe?"; none when the result
    was read from a file.
    """

    draw: Draw
    cell: str
    units: int
    seed: int
    accuracy: Mapping[int, float]
    history: tuple[Evaluation, ...]
    parameters: int
    seconds: float
    models: tuple[CharModel, ...] = ()


def sequences(protocol: Protocol, gap: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draws `count` sequences: a key, `gap` distractors, the question.

    Returns their ids, int64 (gap + 2, count), and the keys' ids, int64 (count,). generator: torch's, seeded.
    """
    keys = torch.randint(protocol.keys, (1, count), generator=generator)
    between = protocol.keys + torch.randint(protocol.distractors, (gap, count), generator=generator)
    question = torch.full((1, count), protocol.keys + protocol.distractors)
    return torch.cat([keys, between, question]), keys[0]


def new_model(cell: str, units: int, seed: int, protocol: Protocol) -> CharModel:
    """An untrained model of one layer, one-hot. The seed decides the weights. Raises InputError for an unknown cell."""
    torch.manual_seed(seed)
    model = CharModel(protocol.vocabulary, cell, units, name=f"recall-{cell}")
    model.rnn.reset_parameters(protocol.forget_bias, protocol.input_range)
    return model


def answers(model: CharModel, ids: Tensor) -> Tensor:
    """What the model expects after the last of `ids`, int64 (time, count): logits (count, vocab)."""
    hidden, _ = model.rnn(model.read(ids))
    return model.head(hidden[-1])


def accuracy(model: CharModel, protocol: Protocol, gaps: tuple[int, ...], count: int, seed: int) -> dict[int, float]:
    """The share of right answers at each gap, 0 to 1, on `count` sequences each; the seed decides which."""
    generator = torch.Generator().manual_seed(seed)
    right = {}
    with torch.no_grad():
        for gap in gaps:
            ids, keys = sequences(protocol, gap, count, generator)
            right[gap] = (answers(model, ids).argmax(-1) == keys).double().mean().item()
    return right


def run(
    cell: str, units: int = 32, seed: int = 1, protocol: Protocol = EXPERIMENTS["alone"], report_every: float = 1.0
) -> Generator[Progress, None, Result]:
    """Trains one cell on the recall task and tests it; yields `Progress`, the generator's value is the `Result`.

    cell: a registered cell's name. units: of its one layer. seed: decides the first weights, and the sequences, which are
    the same for every cell. protocol: everything else. report_every: seconds; it yields that often, and after each evaluation.
    Who leaves the generator be interrupts the run, and who closes it stops it; neither changes what it would have become.
    Raises InputError for an unknown cell or fewer than 1 unit, DivergenceError when the loss is no finite number.
    Source: Adam: Kingma & Ba 2015; clipping: Pascanu et al. 2013; the task: see `Protocol`.
    """
    found: dict[int, float] = {}
    history: list[Evaluation] = []
    models: list[CharModel] = []
    work, total = 0.0, sum(map(protocol.reading, protocol.stages))
    seconds, since = 0.0, time.perf_counter()
    for number, tested in enumerate(protocol.stages):
        model = new_model(cell, units, seed, protocol)
        losses: list[float] = []
        unreported = 0
        for step, (loss, norm) in enumerate(_training(model, protocol, tested, seed), start=1):
            losses.append(loss)
            unreported += 1
            looking = step * protocol.looks // protocol.steps > (step - 1) * protocol.looks // protocol.steps
            if looking:
                right = accuracy(model, protocol, tested, protocol.glances, TEST_SEED + seed)
                found |= right
                history.append(Evaluation(step, sum(losses) / len(losses), right))
            now = time.perf_counter()
            if looking or now - since >= report_every:
                seconds += now - since
                done = (work + protocol.reading(tested) * step / protocol.steps) / total
                steps = protocol.steps * len(protocol.stages)
                mean = sum(losses[-unreported:]) / unreported
                now_at = number * protocol.steps + step
                yield Progress(cell, units, seed, now_at, steps, tested, mean, norm, dict(found), done, seconds)
                since, unreported = time.perf_counter(), 0
            if looking:
                losses.clear()
        found |= accuracy(model, protocol, tested, protocol.tests, 2 * TEST_SEED + seed)
        models.append(model.eval())
        work += protocol.reading(tested)
    seconds += time.perf_counter() - since
    parameters = sum(p.numel() for p in models[0].parameters())
    return Result(protocol.draw, cell, units, seed, found, tuple(history), parameters, seconds, tuple(models))


def _training(model: CharModel, protocol: Protocol, tested: tuple[int, ...], seed: int) -> Iterator[tuple[float, float]]:
    """Steps of the optimiser, one at a time: (loss, the gradient's norm before clipping)."""
    optimiser = torch.optim.Adam(model.parameters(), fused=True)
    generator = torch.Generator().manual_seed(seed)
    for step in range(1, protocol.steps + 1):
        gap = protocol.gap(tested, torch.rand((), generator=generator).item())
        ids, keys = sequences(protocol, gap, protocol.batch, generator)
        warm = min(1.0, step / max(1, protocol.warmup))
        for group in optimiser.param_groups:
            group["lr"] = protocol.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / protocol.steps))
        loss = nn.functional.cross_entropy(answers(model, ids), keys)
        if not math.isfinite(loss.item()):
            what = f"the loss of {model.cell.name} is {loss.item()} at step {step}"
            raise DivergenceError(tr("{what}: try a smaller learning rate", what=what))
        optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), protocol.clip)
        optimiser.step()
        yield loss.item(), norm.item()
