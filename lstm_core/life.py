"""A model's life: checkpoints on the way from random to trained, in one file, each with its loss and a line that it wrote."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from lstm_core.checkpoint import write
from lstm_core.corpora import Corpus, sha256_of
from lstm_core.errors import InputError
from lstm_core.experiments import versions
from lstm_core.model import CharModel
from lstm_core.model_file import CheckpointError, listed
from lstm_core.places import ASSETS
from lstm_core.recipes import Recipe
from lstm_core.sampling import sample
from lstm_core.text import Vocabulary
from lstm_core.training import Progress, fit, held_out_loss, new_model, steps_of
from lstm_core.words import tr

SHIPPED_LIVES = ASSETS / "lives"
HELD_OUT = "held-out.txt"  # beside the lives: the text that all of them are judged by
FORMAT = 1
JUDGED = 20_000  # characters, the first of the held-out part
STREAMS = 20
PROMPT, LENGTH, TEMPERATURE, SEED = "Prince Andrew ", 120, 0.7, 1
FIRST, COUNT = 5, 12  # the first step after the untrained model that is kept, and how many checkpoints a life has
FACTS: Mapping[str, type] = {
    "format": int, "name": str, "config": dict, "vocabulary": list, "card": dict,
    "steps": list, "characters": list, "losses": list, "samples": list,
}  # fmt: skip

CELLS = ("rnn", "lstm", "peephole", "coupled", "gru", "gru_pytorch", "gru_cho")
_ALL = Recipe(units=56, layers=1, passes=2, learning_rate=1e-2, validations=1)
# By name: the recipe, and `every` of `checkpoints`. The forget gate's bias starts at 1 but in the last two.
LIVES: Mapping[str, tuple[Recipe, int]] = {
    **{cell: (replace(_ALL, cell=cell), 1) for cell in CELLS},
    "lstm-bias-0": (replace(_ALL, forget_bias=0.0), 2),
    "lstm-bias-2": (replace(_ALL, forget_bias=2.0), 2),
}


@dataclass(frozen=True, eq=False)
class Life:
    """One model on its way from random to trained; `model(k)` is what it was at its k-th checkpoint.

    name: what `life` takes. path: the file. config: cell, units, layers, ... vocabulary: the characters it knows. card:
    corpus, recipe, protocol, versions. steps: of the optimiser at each checkpoint, 0 first. characters: read until then.
    losses: nats a character on the slice that the card names. samples: what it wrote after card["prompt"].
    Raises IndexError for a checkpoint that is not there, CheckpointError when the file has changed for the worse.
    Source: assets/lives, made by `python -m lstm_core life`.
    """

    name: str
    path: Path
    config: Mapping[str, Any]
    vocabulary: Vocabulary
    card: Mapping[str, Any]
    steps: tuple[int, ...]
    characters: tuple[int, ...]
    losses: tuple[float, ...]
    samples: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.steps)

    def model(self, k: int) -> CharModel:
        """The model at checkpoint k, 0 to len - 1, negative from the end: float32, in evaluation mode, a new one each time.

        Raises IndexError for another k, CheckpointError when the file is damaged.
        """
        if not -len(self) <= k < len(self):
            raise IndexError(f"{self.name} has checkpoints 0 to {len(self) - 1}, not {k}")
        model = CharModel(self.vocabulary, name=f"{self.name} after {self.steps[k]:,} steps", **self.config)
        try:
            with safetensors.safe_open(self.path, "pt") as opened:
                tensors = {key: opened.get_slice(key)[k % len(self)].float() for key in opened.keys()}  # noqa: SIM118
            model.load_state_dict(tensors)
        except (OSError, RuntimeError, safetensors.SafetensorError) as error:
            raise CheckpointError(tr("{self.path.name} can't be read: {error}", self=self, error=error)) from error
        then = {"steps": self.steps[k], "characters_seen": self.characters[k], "held_out_loss": self.losses[k]}
        model.card = {**self.card, **then}
        return model.eval()


def lives(damaged: list[CheckpointError] | None = None) -> tuple[Life, ...]:
    """The shipped lives: one of each kind of cell, then the LSTM with other forget-gate biases. Reads headers alone.

    damaged: a list that takes the errors of files that can't be read, which are then left out.
    Returns a tuple of `Life`. Raises CheckpointError when a file is damaged and no list is given.
    Source: assets/lives; each card names the corpus and the recipe.
    """
    return listed(SHIPPED_LIVES, _read, list(LIVES), damaged)


def life(name: str | Path) -> Life:
    """A shipped life by its name, or another by its path.

    name: as `lives` lists it ("lstm", "lstm-bias-0"), or a path that ends in .safetensors. Raises CheckpointError, one
    sentence, when there is none such, or when the file is damaged or holds no life. Source: the safetensors format.
    """
    path = Path(name)
    if path.suffix != ".safetensors":
        shipped = {p.stem: p for p in sorted(SHIPPED_LIVES.glob("*.safetensors"))}
        if str(name) not in shipped:
            raise CheckpointError(
                tr("there is no life {name!r}; shipped are {value}", name=str(name)[:60], value=", ".join(shipped) or "none")
            )
        path = shipped[str(name)]
    return _read(path)


def _read(path: Path) -> Life:
    try:
        with safetensors.safe_open(path, "pt") as opened:
            facts = json.loads((opened.metadata() or {})["life"])
            sizes = {opened.get_slice(key).get_shape()[0] for key in opened.keys()}  # noqa: SIM118
    except KeyError as error:
        raise CheckpointError(tr("{path.name} holds no life of a model: it has no 'life' header", path=path)) from error
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise CheckpointError(tr("{path.name} is not a whole safetensors file: {error}", path=path, error=error)) from error
    for key, kind in FACTS.items():
        if not isinstance(facts, dict) or not isinstance(facts.get(key), kind):
            raise CheckpointError(
                tr("the header of {path.name} has no {key!r} of kind {name}", path=path, key=key, name=kind.__name__)
            )
    if facts["format"] != FORMAT:
        raise CheckpointError(
            tr(
                "{path.name} has format {format}; this version reads format {format_2}",
                path=path,
                format=facts["format"],
                format_2=FORMAT,
            )
        )
    rows = {key: tuple(facts[key]) for key in ("steps", "characters", "losses", "samples")}
    if {len(row) for row in rows.values()} != sizes:
        raise CheckpointError(
            tr(
                "{path.name} holds weights of {sorted} checkpoints, and tells of {steps_count}",
                path=path,
                sorted=sorted(sizes),
                steps_count=len(rows["steps"]),
            )
        )
    try:
        vocabulary = Vocabulary(facts["vocabulary"])
    except InputError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    return Life(facts["name"], path, facts["config"], vocabulary, facts["card"], **rows)


def checkpoints(steps: int, count: int = COUNT, every: int = 1) -> tuple[int, ...]:
    """After which of `steps` steps a model is kept: 0, then from 5 to the last, each so many times the one before.

    count: how many, 3 or more; fewer when there are not so many steps. every: 2 leaves out every other one but the first
    and the last. Raises InputError for fewer than 3.
    """
    if count < 3:
        raise InputError(tr("a life has 3 checkpoints or more, not {count}", count=count))
    first = min(FIRST, steps)
    kept = sorted({round(first * (steps / first) ** (k / (count - 2))) for k in range(count - 1)})
    return (0, *kept[::-every][::-1])


def record(
    corpus: Corpus, recipe: Recipe, path: str | Path, at: Sequence[int] | None = None, report_every: float = 1.0
) -> Generator[Progress, None, Life]:
    """Trains a model and writes its life to `path`; yields the training's `Progress`, the generator's value is the `Life`.

    corpus: the text, in two parts. recipe: what is trained and how. path: ends in .safetensors; the file's stem is the
    life's name; it appears whole, at the end. at: the steps after which the model is kept; None: `checkpoints`.
    report_every: seconds. Each checkpoint is rounded to half precision, and so judged and sampled.
    Raises as `fit` does, and InputError for steps that the training doesn't have.
    """
    path = Path(path)
    slice_, steps = corpus.held_out[:JUDGED], steps_of(recipe, len(corpus.train))
    wanted = checkpoints(steps) if at is None else tuple(at)
    if path.suffix != ".safetensors" or not wanted or sorted(set(wanted)) != list(wanted) or wanted[-1] > steps:
        given = f"{path.name}, {', '.join(map(str, wanted)) or 'no steps'}"
        raise InputError(
            tr(
                "a life needs a .safetensors file and rising steps up to {steps:,}; it was given {given}",
                steps=steps,
                given=given,
            )
        )
    kept: list[dict[str, Tensor]] = []
    losses: list[float] = []
    samples: list[str] = []

    def watch(step: int, model: CharModel) -> None:
        if step in wanted:
            kept.append({key: value.detach().to("cpu", torch.float16) for key, value in model.state_dict().items()})
            rounded = CharModel(model.vocabulary, **model.config)
            rounded.load_state_dict(kept[-1])
            losses.append(held_out_loss(rounded, slice_, STREAMS))
            samples.append(sample(rounded, PROMPT, LENGTH, TEMPERATURE, SEED))

    run = fit(corpus, recipe, name=path.stem, report_every=report_every, watch=watch)
    for progress in run:
        yield progress
        if progress.step == progress.steps:
            break  # what `fit` does after the last step makes a card, which a life does not need
    run.close()
    vocabulary = Vocabulary.of(corpus.train + corpus.held_out)
    per_step = recipe.streams * recipe.window
    facts = {
        "format": FORMAT,
        "name": path.stem,
        "config": new_model(recipe, vocabulary).config,
        "vocabulary": list(vocabulary.characters),
        "card": _card(corpus, recipe, slice_, steps, progress.seconds),
        "steps": list(wanted),
        "characters": [step * per_step for step in wanted],
        "losses": [round(loss, 4) for loss in losses],
        "samples": samples,
    }
    tensors = {key: torch.stack([weights[key] for weights in kept]) for key in kept[0]}
    write(path, tensors, {"life": json.dumps(facts)})
    return _read(path)


def _card(corpus: Corpus, recipe: Recipe, judged: str, steps: int, seconds: float) -> dict[str, Any]:
    return {
        **corpus.facts,
        "recipe": asdict(recipe),
        "training_steps": steps,
        "judged_characters": len(judged),
        "judged_sha256": sha256_of(judged),
        "judged_streams": STREAMS,
        "loss_protocol": f"nats per character on the first {len(judged):,} characters of the held-out part, in {STREAMS}"
        " streams of one length, each from a zero state; of the weights as they are kept, rounded to half precision",
        "prompt": PROMPT,
        "sample": {"length": LENGTH, "temperature": TEMPERATURE, "seed": SEED},
        "command": "python -m lstm_core life --corpus FILE",
        "seconds": round(seconds),
        "versions": versions(),
    }


def judge(one: Life, k: int, text: str) -> float:
    """The loss of checkpoint k on `text` by the protocol of its card: nats a character; the shipped text is `held_out()`.

    Raises IndexError for a checkpoint that is not there, InputError when the text is too short for the streams.
    """
    return held_out_loss(one.model(k), text, one.card["judged_streams"])


def held_out() -> str:
    """The text that the shipped lives are judged by: the start of the held-out part of their corpus. Raises OSError."""
    return (SHIPPED_LIVES / HELD_OUT).read_text(encoding="utf-8")
