"""Lives: what is kept on the way is what the model was then, and the shipped ones are what their cards say."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Generator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import safetensors.torch
import torch

import lstm_core as lc
from lstm_core import corpora, training
from lstm_core.corpora import sha256_of
from lstm_core.life import CELLS, LIVES, PROMPT, SHIPPED_LIVES, Life, checkpoints, held_out, judge, record
from lstm_core.training import Progress, Recipe, fit, held_out_loss

CLOUDS = corpora.from_text("the clouds are in the sky, and the sky is blue. Prince Andrew " * 60, "clouds")
SMALL = Recipe(units=12, streams=4, window=16, passes=2, warmup=5, validations=1, learning_rate=1e-2)
MODULE = sys.modules["lstm_core.life"]  # lstm_core.life is the function
SHIPPED = sorted(LIVES)


def finish(running: Generator[Progress, None, Life]) -> Life:
    while True:
        try:
            next(running)
        except StopIteration as finished:
            return finished.value


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return finish(record(CLOUDS, SMALL, tmp_path_factory.mktemp("lives") / "clouds.safetensors", (0, 10, 40, 105)))


# which steps


def test_checkpoints_are_spaced_by_their_logarithm() -> None:
    steps = checkpoints(5618)
    assert len(steps) == 12 and steps[:2] == (0, 5) and steps[-1] == 5618
    ratios = [b / a for a, b in pairwise(steps[1:])]
    assert all(ratio == pytest.approx(ratios[-1], rel=0.1) for ratio in ratios)
    fewer = checkpoints(5618, every=2)
    assert len(fewer) == 7 and set(fewer) < set(steps) and (fewer[0], fewer[-1]) == (0, 5618)


@pytest.mark.parametrize("steps", [1, 2, 5, 9, 30])
def test_a_short_training_has_fewer_checkpoints(steps: int) -> None:
    kept = checkpoints(steps)
    assert kept[0] == 0 and kept[-1] == steps and list(kept) == sorted(set(kept))


def test_a_life_has_a_beginning_a_middle_and_an_end() -> None:
    with pytest.raises(ValueError, match="3 checkpoints or more, not 2"):
        checkpoints(100, 2)


# what is kept


def test_the_checkpoints_are_the_training_s_own_weights(clouds: Life) -> None:
    """Rounded to half precision; the first are the untrained ones, the last those after the last step."""
    seen: dict[int, dict[str, torch.Tensor]] = {}

    def watch(step: int, model: lc.CharModel) -> None:
        seen[step] = {name: value.detach().clone() for name, value in model.state_dict().items()}

    for _ in fit(CLOUDS, SMALL, watch=watch):
        pass
    assert list(seen) == list(range(106))
    for k, step in enumerate(clouds.steps):
        for name, value in clouds.model(k).state_dict().items():
            assert torch.equal(value, seen[step][name].half().float())
    untrained = training.new_model(SMALL, clouds.vocabulary).state_dict()
    assert all(torch.equal(value.half().float(), clouds.model(0).state_dict()[name]) for name, value in untrained.items())


def test_watching_changes_nothing() -> None:
    def last(**more) -> dict[str, torch.Tensor]:
        run = fit(CLOUDS, replace(SMALL, dropout=0.3, layers=2, text_length=40), **more)
        while True:
            try:
                next(run)
            except StopIteration as finished:
                return finished.value.state_dict()

    def nosy(step: int, model: lc.CharModel) -> None:
        held_out_loss(model, "the sky is blue")
        torch.rand(7)

    plain, watched = last(), last(watch=nosy)
    assert all(torch.equal(plain[name], watched[name]) for name in plain)


def test_losses_and_samples_are_those_of_the_models(clouds: Life) -> None:
    for k in range(len(clouds)):
        model = clouds.model(k)
        assert judge(clouds, k, CLOUDS.held_out) == pytest.approx(clouds.losses[k], abs=6e-5)
        assert clouds.samples[k] == lc.sample(model, clouds.card["prompt"], **clouds.card["sample"])
        assert model.card["steps"] == clouds.steps[k] and model.card["held_out_loss"] == clouds.losses[k]
        assert model.card["characters_seen"] == clouds.characters[k] == clouds.steps[k] * 4 * 16
        assert not model.training and model.name == f"clouds after {clouds.steps[k]:,} steps"
        assert all(p.dtype == torch.float32 for p in model.parameters())
    assert clouds.losses[-1] < clouds.losses[1] < clouds.losses[0] < 1.1 * math.log(len(clouds.vocabulary))


def test_checkpoints_are_counted_from_both_ends(clouds: Life) -> None:
    assert len(clouds) == 4
    assert torch.equal(clouds.model(-1).head.weight, clouds.model(3).head.weight)
    for k in (4, -5):
        with pytest.raises(IndexError, match=f"clouds has checkpoints 0 to 3, not {k}"):
            clouds.model(k)


@pytest.mark.parametrize("at", [(), (0, 40, 10), (0, 5000)])
def test_steps_that_are_not_there_are_refused(at: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"rising steps up to 105; it was given a\.safetensors"):
        next(record(CLOUDS, SMALL, tmp_path / "a.safetensors", at))


def test_a_run_that_is_closed_leaves_no_file(tmp_path: Path) -> None:
    run = record(CLOUDS, SMALL, tmp_path / "a.safetensors", report_every=0)
    next(run)
    run.close()
    assert list(tmp_path.iterdir()) == []


# files


def test_lives_are_listed_and_found_by_name(clouds: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "SHIPPED_LIVES", clouds.path.parent)
    assert [one.name for one in lc.lives()] == ["clouds"]
    assert lc.life("clouds").losses == lc.life(clouds.path).losses == clouds.losses
    with pytest.raises(lc.CheckpointError, match="there is no life 'rain'; shipped are clouds"):
        lc.life("rain")


@pytest.mark.parametrize(
    "damage, sentence",
    [
        (lambda facts: facts.pop("losses"), "has no 'losses' of kind list"),
        (lambda facts: facts.update(format=9), "has format 9"),
        (lambda facts: facts["samples"].pop(), "holds weights of [4] checkpoints, and tells of 4"),
        (lambda facts: facts.update(vocabulary=["a", "a"]), "'a' is there 2 times"),
    ],
)
def test_damaged_lives_are_named(clouds: Life, damage, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with safetensors.safe_open(clouds.path, "pt") as opened:
        facts = json.loads(opened.metadata()["life"])
    damage(facts)
    tensors = safetensors.torch.load_file(clouds.path)
    safetensors.torch.save_file(tensors, tmp_path / "hurt.safetensors", {"life": json.dumps(facts)})
    monkeypatch.setattr(MODULE, "SHIPPED_LIVES", tmp_path)
    found: list[lc.CheckpointError] = []
    assert lc.lives(found) == () and sentence in str(found[0])
    with pytest.raises(lc.CheckpointError, match=r"hurt\.safetensors"):
        lc.lives()


def test_files_that_hold_no_life_are_named(clouds: Life, tmp_path: Path) -> None:
    lc.save(clouds.model(0), tmp_path / "model.safetensors")
    (tmp_path / "half.safetensors").write_bytes(clouds.path.read_bytes()[:1000])
    with pytest.raises(lc.CheckpointError, match="holds no life of a model"):
        lc.life(tmp_path / "model.safetensors")
    with pytest.raises(lc.CheckpointError, match="is not a whole safetensors file"):
        lc.life(tmp_path / "half.safetensors")


def test_weights_of_another_shape_are_named(clouds: Life, tmp_path: Path) -> None:
    with safetensors.safe_open(clouds.path, "pt") as opened:
        metadata = opened.metadata()
    tensors = safetensors.torch.load_file(clouds.path) | {"head.bias": torch.zeros(4, 3)}
    safetensors.torch.save_file(tensors, tmp_path / "hurt.safetensors", metadata)
    with pytest.raises(lc.CheckpointError, match=r"hurt\.safetensors can't be read"):
        lc.life(tmp_path / "hurt.safetensors").model(0)


# the shipped ones


def test_one_of_each_kind_is_shipped_and_they_are_small() -> None:
    assert [one.name for one in lc.lives()] == list(LIVES)
    assert [one.config["cell"] for one in lc.lives()] == [*CELLS, "lstm", "lstm"]
    assert sum(path.stat().st_size for path in SHIPPED_LIVES.iterdir()) < 6_000_000


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_life_is_as_its_recipe_says(name: str) -> None:
    one, (recipe, every) = lc.life(name), LIVES[name]
    assert {k: v for k, v in one.card["recipe"].items() if getattr(recipe, k, v) != v} == {}
    assert one.steps == checkpoints(one.card["training_steps"], every=every)
    assert one.steps[-1] == training.steps_of(recipe, one.card["train_characters"])
    assert all(math.isfinite(loss) for loss in one.losses)
    assert one.losses[0] == pytest.approx(math.log(len(one.vocabulary)), abs=0.3)
    assert one.losses[-1] < 1.9 < one.losses[0] - 2
    assert min(one.losses) == one.losses[-1]
    assert one.card["prompt"] == PROMPT and {len(sample) for sample in one.samples} == {one.card["sample"]["length"]}
    assert len(set(one.samples)) > len(one) / 2 and one.samples[0] != one.samples[-1]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_losses_of_a_shipped_life_can_be_made_again(name: str) -> None:
    one, text = lc.life(name), held_out()
    assert sha256_of(text) == one.card["judged_sha256"] and len(text) == one.card["judged_characters"]
    for k in (SHIPPED.index(name) % (len(one) - 1), len(one) - 1):  # of each life the last, and another than of the one before
        assert judge(one, k, text) == pytest.approx(one.losses[k], abs=2e-3)


def test_the_lives_were_led_alike() -> None:
    """Only the cell differs; the three LSTMs only by the bias of their forget gates."""
    cards = {one.name: one.card for one in lc.lives()}
    for name, card in cards.items():
        differ = {k for k, v in card["recipe"].items() if v != cards["lstm"]["recipe"][k]}
        assert differ <= ({"forget_bias"} if name.startswith("lstm-") else {"cell"})
        assert {card[k] == cards["lstm"][k] for k in ("sha256", "judged_sha256", "split", "loss_protocol")} == {True}
    for bias in (0, 2):
        before = lc.life(f"lstm-bias-{bias}").model(0)
        other = lc.life("lstm").model(0)
        assert torch.equal(before.head.weight, other.head.weight)
        for source in ("weight_ih_l0", "weight_hh_l0"):
            assert torch.equal(getattr(before.rnn, source), getattr(other.rnn, source))
        assert before.rnn.blocks(0)["ih"]["f"][1].eq(bias).all()
