"""Vanishing and exploding: singular values of the recurrent weights, and gradient norms while a model is trained."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.corpora import Corpus
from lstm_core.errors import InputError
from lstm_core.model import CharModel
from lstm_core.recipes import Recipe
from lstm_core.text import Vocabulary
from lstm_core.training import new_model, windows
from lstm_core.words import tr


def recurrent(model: CharModel, layer: int = 0) -> dict[str, np.ndarray]:
    """The recurrent weights of one layer by their rows: "f" -> float64 (unit, unit), for a plain RNN "h" alone.

    Raises IndexError, naming the layers there are, for another layer.
    """
    if not 0 <= layer < model.layers:
        raise IndexError(f"{model.name} has layers 0 to {model.layers - 1}, not {layer}")
    return {rows: weight.detach().double().cpu().numpy() for rows, (weight, _) in model.rnn.blocks(layer)["hh"].items()}


def singular_values(model: CharModel, layer: int = 0) -> dict[str, np.ndarray]:
    """The singular values of each recurrent matrix of one layer: rows -> float64 (unit,), falling, 0 to inf.

    The largest is how much the matrix can lengthen a vector, and so a gradient, in one step; a plain RNN whose largest is
    below 1 must forget. Raises IndexError for a layer that is not there. Source: Pascanu et al. 2013, section 2.1.
    """
    return {rows: np.linalg.svd(weight, compute_uv=False) for rows, weight in recurrent(model, layer).items()}


def spectral_radius(weight: np.ndarray) -> float:
    """The largest absolute value of a square matrix's eigenvalues, 0 to inf. Raises ValueError for another shape."""
    if weight.ndim != 2 or weight.shape[0] != weight.shape[1]:
        raise ValueError(f"eigenvalues are a square matrix's; the shape is {weight.shape}")
    return float(np.abs(np.linalg.eigvals(weight)).max())


@dataclass(frozen=True)
class Protocol:
    """How the plain RNN is trained, with and without clipping.

    units: of its one layer. streams x window characters make one of `steps` steps of plain gradient descent, at a constant
    learning_rate. radii: the recurrent weights are drawn as always, then multiplied so that their spectral radius is this.
    clips: the gradient's largest norm; None: it is not clipped. seeds: of weights and windows. every: steps between two
    points. looks: the steps after which `reach` is measured.
    Raises InputError for a value out of its range. Source: Pascanu et al. 2013, where gradient descent is plain too.
    """

    units: int = 64
    streams: int = 16
    window: int = 64
    steps: int = 2000
    learning_rate: float = 1.0
    radii: tuple[float, ...] = (0.5, 1.0, 1.5, 2.5)
    clips: tuple[float | None, ...] = (None, 1.0)
    seeds: tuple[int, ...] = (1, 2, 3)
    every: int = 10
    looks: tuple[int, ...] = (0, 100, 500, 2000)

    def __post_init__(self) -> None:
        for name in ("units", "streams", "window", "steps", "every"):
            if getattr(self, name) < 1:
                raise InputError(tr("{name} must be 1 or more, not {getattr}", name=name, getattr=getattr(self, name)))
        for name, values in {"learning_rate": (self.learning_rate,), "radii": self.radii, "clips": self.clips}.items():
            if not all(value is None or 0 < value < math.inf for value in values):
                raise InputError(tr("{name} must be above 0, not {getattr}", name=name, getattr=getattr(self, name)))


@dataclass(frozen=True)
class Point:
    """The run after so many steps, 0 being before the first.

    loss: nats a character, mean since the last point. norm: the last gradient's, before clipping. largest: the largest
    norm since the last point. These three are nan before the first step. sigma: the recurrent weights' largest singular
    value. radius: the largest absolute value of their eigenvalues.
    """

    step: int
    loss: float
    norm: float
    largest: float
    sigma: float
    radius: float


@dataclass(frozen=True)
class Progress:
    """How far one run is: the last point, of so many steps, and the seconds of work."""

    point: Point
    steps: int
    seconds: float

    @property
    def seconds_left(self) -> float:
        """What the run still needs at its mean speed so far: seconds, 0 or more."""
        return self.seconds / max(self.point.step, 1) * (self.steps - self.point.step)


@dataclass(frozen=True)
class ClippingRun:
    """One training of the plain RNN.

    radius, clip, seed: what it was begun with. points: every so many steps. reach: step -> for each distance k = 0, 1, ...
    back from a window's last character, |d loss there / d h that many steps before|, mean over the streams. diverged: the
    step at which the loss was no finite number any more, where the run ends; None: it never was. seconds: of work.
    """

    radius: float
    clip: float | None
    seed: int
    points: tuple[Point, ...]
    reach: dict[int, tuple[float, ...]]
    diverged: int | None
    seconds: float


def reach(model: CharModel, ids: Tensor, state: Tensor) -> tuple[float, ...]:
    """How far back the loss at the last character is felt: |d loss / d h_{T-k}| for k = 0, 1, ..., mean over the streams.

    model: a plain RNN or a GRU, whose only state is h. ids: int64 (time + 1, streams), read from `state`, float32 (layer,
    streams, unit); the last is what the loss is about. Returns `time` norms, from near to far, 0 to inf; of every layer's
    h together. Raises InputError for a cell with another state. Source: back-propagation through time, Pascanu et al. 2013.
    """
    if model.cell.states != ("hidden",):
        raise InputError(
            tr(
                "reach is about h alone; {model.cell.title} has the states {states}",
                model=model,
                states=", ".join(model.cell.states),
            )
        )
    h = state.detach().requires_grad_()
    states: list[Tensor] = []
    for x in model.read(ids[:-1]).unbind(0):
        _, (h,) = model.rnn(x[None], (h,))
        states.append(h)
    losses = nn.functional.cross_entropy(model.head(h[-1]), ids[-1], reduction="sum")
    gradients = torch.autograd.grad(losses, states)
    return tuple(g.transpose(0, 1).flatten(1).norm(dim=1).mean().item() for g in reversed(gradients))


def clipping_run(
    corpus: Corpus,
    radius: float,
    clip: float | None,
    seed: int = 1,
    protocol: Protocol | None = None,
    report_every: float = 1.0,
) -> Generator[Progress, None, ClippingRun]:
    """Trains a plain RNN on `corpus` by plain gradient descent; yields `Progress`, the generator's value is the run.

    radius: the spectral radius of the recurrent weights to begin with. clip: the gradient's largest norm, or None. seed: of
    weights and windows. protocol: everything else. report_every: seconds. A loss that is not finite ends the run, and is no
    error. Raises InputError when the text is shorter than one step. Source: Pascanu et al. 2013, algorithm 1.
    """
    protocol = protocol or Protocol()
    recipe = Recipe(cell="rnn", units=protocol.units, seed=seed)
    vocabulary = Vocabulary.of(corpus.train + corpus.held_out)
    ids = vocabulary.ids(corpus.train)
    if len(ids) < protocol.streams * (protocol.window + 2):
        raise InputError(
            tr(
                "the training text has {ids_count:,} characters; one step reads {streams:,}",
                ids_count=len(ids),
                streams=protocol.streams * protocol.window,
            )
        )
    model = new_model(recipe, vocabulary)
    weight = model.rnn.get_parameter("weight_hh_l0")
    with torch.no_grad():
        weight.mul_(radius / spectral_radius(recurrent(model)["h"]))
    optimiser = torch.optim.SGD(model.parameters(), lr=protocol.learning_rate)
    pieces = windows(ids, protocol.streams, protocol.window, seed)
    (state,) = model.rnn.zero_states(protocol.streams)
    points, found = [_point(model, 0, [], [])], dict[int, tuple[float, ...]]()
    losses: list[float] = []
    norms: list[float] = []
    seconds, since = 0.0, time.perf_counter()
    diverged = None
    for step in range(protocol.steps + 1):
        piece, turned = next(pieces)
        if turned:  # the end of one stream is the start of the next: hand each state on
            state = state.roll(1, dims=1)
        if step in protocol.looks:
            found[step] = reach(model, piece, state)
        if step == protocol.steps:
            break
        logits, (after,) = model(piece[:-1], (state,))
        state = after.detach()
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), piece[1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), math.inf if clip is None else clip)
        losses.append(loss.item())
        norms.append(norm.item())
        if not math.isfinite(losses[-1] + norms[-1]):
            diverged = step + 1
            break
        optimiser.step()
        if (step + 1) % protocol.every == 0:
            points.append(_point(model, step + 1, losses, norms))
            losses, norms = [], []
            now = time.perf_counter()
            if now - since >= report_every:
                seconds += now - since
                yield Progress(points[-1], protocol.steps, seconds)
                since = time.perf_counter()
    seconds += time.perf_counter() - since
    return ClippingRun(radius, clip, seed, tuple(points), found, diverged, seconds)


def _point(model: CharModel, step: int, losses: list[float], norms: list[float]) -> Point:
    weight = recurrent(model)["h"]
    sigma = float(np.linalg.norm(weight, 2))
    if not losses:
        return Point(step, math.nan, math.nan, math.nan, sigma, spectral_radius(weight))
    return Point(step, sum(losses) / len(losses), norms[-1], max(norms), sigma, spectral_radius(weight))
