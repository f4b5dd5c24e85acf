"""Training: the loss falls, the state is carried on, an interruption costs nothing, and the best weights are kept."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Generator, Iterator
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

import lstm_core as lc
from lstm_core import corpora, training
from lstm_core.model import CharModel, States
from lstm_core.training import Progress, Recipe, fit, held_out_loss, held_out_losses, new_model

CLOUDS = corpora.from_text("the clouds are in the sky, and the sky is blue. " * 60, "clouds")
SMALL = Recipe(units=12, streams=4, window=16, passes=1, warmup=5, validations=4, learning_rate=1e-2)
Run = Generator[Progress, None, CharModel]


def finish(run: Run) -> tuple[CharModel, list[Progress]]:
    """A training's model and everything that it reported."""
    reports = []
    while True:
        try:
            reports.append(next(run))
        except StopIteration as finished:
            return finished.value, reports


def same_weights(a: CharModel, b: CharModel) -> bool:
    return all(torch.equal(value, b.state_dict()[name]) for name, value in a.state_dict().items())


# what is learnt


@pytest.mark.parametrize("cell", sorted(lc.cells()))
def test_the_loss_falls(cell: str) -> None:
    model, reports = finish(fit(CLOUDS, replace(SMALL, cell=cell, passes=2, learning_rate=0.03), report_every=0))
    assert reports[0].loss == pytest.approx(math.log(len(model.vocabulary)), abs=0.3)
    assert model.card["history"][-1]["train"] < 0.4 * reports[0].loss
    assert model.card["held_out_loss"] < 0.4 * reports[0].loss


def test_the_seed_decides_the_weights() -> None:
    first, again, other = (finish(fit(CLOUDS, replace(SMALL, dropout=0.2, seed=s)))[0] for s in (3, 3, 4))
    assert same_weights(first, again)
    assert not same_weights(first, other)


def test_the_best_weights_are_kept() -> None:
    letters = "".join(random.Random(5).choices("abcdefgh", k=1500))
    noise = corpora.from_text(letters, "noise that can be learnt by heart only")
    model, reports = finish(fit(noise, replace(SMALL, units=48, passes=15, validations=10, learning_rate=0.03), report_every=0))
    judged = {r.step: r.held_out for r in reports if r.held_out is not None}
    best = min(judged, key=lambda step: judged[step])
    assert best < reports[-1].step, "a run that does not get worse again shows nothing"
    assert model.card["kept_step"] == best
    assert model.card["held_out_loss"] == pytest.approx(judged[best], abs=1e-4) == held_out_loss(model, noise.held_out)
    assert reports[-1].best == judged[best] < judged[reports[-1].step] - 0.05


@pytest.mark.parametrize("cell", ["lstm", "coupled", "peephole", "peephole_full"])
@pytest.mark.parametrize("forget_bias", [1.0, 2.5])
def test_the_forget_gate_starts_open(cell: str, forget_bias: float) -> None:
    model = new_model(Recipe(cell=cell, units=8, layers=2, forget_bias=forget_bias), CLOUDS_VOCABULARY)
    for layer in range(2):
        blocks = model.rnn.blocks(layer)
        for rows in model.cell.forget_rows:
            biases = [blocks[source][rows][1] for source in ("ih", "hh")]
            total = sum(b for b in biases if b is not None)
            assert torch.equal(total, torch.full((8,), forget_bias))


CLOUDS_VOCABULARY = lc.Vocabulary.of(CLOUDS.train)


def test_gradients_are_clipped() -> None:
    norms = []

    def measure(optimiser: torch.optim.Optimizer, *_: Any) -> None:
        gradients = [p.grad for group in optimiser.param_groups for p in group["params"]]
        norms.append(torch.nn.utils.get_total_norm(gradients).item())

    hook = register_optimizer_step_pre_hook(measure)
    try:
        _, reports = finish(fit(CLOUDS, replace(SMALL, clip=0.01), report_every=0))
    finally:
        hook.remove()
    assert norms == pytest.approx([0.01] * len(reports), rel=1e-3)
    assert min(r.gradient_norm for r in reports) > 0.01, "what is reported is the norm before clipping"


def test_the_learning_rate_rises_and_falls() -> None:
    _, reports = finish(fit(CLOUDS, replace(SMALL, passes=3), report_every=0))
    rates = [r.learning_rate for r in reports]
    assert rates[0] == pytest.approx(SMALL.learning_rate / SMALL.warmup)
    assert max(rates) == pytest.approx(SMALL.learning_rate, rel=0.05)
    peak = rates.index(max(rates))
    assert rates[: peak + 1] == sorted(rates[: peak + 1]) and rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 0.01 * SMALL.learning_rate


# the state is carried on


def seen_by(model_class: type[CharModel], monkeypatch: pytest.MonkeyPatch) -> list[tuple[torch.Tensor, States, States]]:
    """(ids, states before, states after) of every piece of the training text, as the model gets them."""
    seen = []
    forward = model_class.forward

    def spy(self: CharModel, ids: torch.Tensor, states: States | None = None, fused: bool = True) -> Any:
        logits, after = forward(self, ids, states, fused)
        if self.training and states is not None:
            seen.append((ids.clone(), states, tuple(s.detach() for s in after)))
        return logits, after

    monkeypatch.setattr(model_class, "forward", spy)
    return seen


def test_streams_start_anew_as_often_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = seen_by(CharModel, monkeypatch)
    length = 4 * SMALL.window
    finish(fit(CLOUDS, replace(SMALL, passes=8, streams=32, text_length=length)))
    anew = [not column.any() for _, before, _ in seen[1:] for column in before[0][0]]
    assert np.mean(anew) == pytest.approx(SMALL.window / length, abs=0.08)
    assert not torch.equal(seen[1][1][0], seen[2][1][0])


@pytest.mark.parametrize("cell", ["lstm", "coupled"])
def test_the_state_is_carried_on_through_each_stream_and_into_the_next(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 800)))  # each once, so that a character says where it stands
    corpus = corpora.from_text(letters, "one of each")
    seen = seen_by(CharModel, monkeypatch)
    finish(fit(corpus, replace(SMALL, cell=cell, passes=3, text_length=None)))
    length, turns = len(corpus.train) // SMALL.streams, 0
    starts = np.arange(SMALL.streams) * length
    assert all(not s.any() for s in seen[0][1]), "the first piece begins from zeros"
    for (ids, _, after), (next_ids, before, _) in itertools.pairwise(seen):
        assert (np.diff(ids.numpy(), axis=0) == 1).all(), "a stream is read in order"
        assert (np.diff(ids.numpy(), axis=1) == length).all(), "the streams are equal parts of the text"
        if (next_ids[0] == ids[-1] + 1).all():
            assert all(torch.equal(a, b) for a, b in zip(after, before))
            continue
        turns += 1
        assert (ids[-1].numpy() >= starts + length - SMALL.window - 1).all(), "a pass ends at the streams' ends"
        assert (next_ids[0].numpy() < starts + SMALL.window).all(), "and the next begins at their starts"
        for a, b in zip(after, before):
            assert torch.equal(a[:, :-1], b[:, 1:]), "whoever reads on after the end of a stream has its state"
            assert torch.equal(a[:, -1], b[:, 0]), "and the text's end is followed by its start"
    assert turns == 2 or turns == 3


def test_the_gradient_stays_in_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = seen_by(CharModel, monkeypatch)
    finish(fit(CLOUDS, SMALL))
    assert len(seen) > 10
    assert not any(s.requires_grad for _, before, _ in seen for s in before)


# interruptions


def interrupted(run: Run, reports: int, kill: bool) -> None:
    """Takes so many reports and stops: closed as Ctrl-C does it, or killed between two steps."""
    for _ in range(reports):
        next(run)
    if kill:
        with pytest.raises(SystemError):
            run.throw(SystemError("killed"))
    run.close()
    torch.manual_seed(99)  # another process has other random numbers
    torch.rand(7)


@pytest.mark.parametrize(
    ("cell", "layers", "embedding"),
    [("lstm", 2, None), ("coupled", 2, None), ("gru_pytorch", 1, 5)],
    ids=["LSTM", "declared", "GRU"],
)
def test_an_interruption_changes_no_weight(cell: str, layers: int, embedding: int | None, tmp_path: Path) -> None:
    recipe = replace(SMALL, cell=cell, layers=layers, embedding=embedding, dropout=0.3, passes=2)
    short = corpora.from_text(CLOUDS.train[:1200], "short")
    whole, reports = finish(fit(short, recipe, report_every=0))
    for kill in (False, True):
        path = tmp_path / f"run-{kill}.resume"
        for more in (7, 1, len(reports) // 2):  # within the first pass, at once again, in the second pass
            interrupted(fit(short, recipe, resume=path, report_every=0, save_every=0), more, kill)
        rest, last = finish(fit(short, recipe, resume=path, report_every=0, save_every=0))
        assert last[0].step > len(reports) // 2, "the run went on, it did not begin anew"
        assert last[-1].step == reports[-1].step
        assert same_weights(whole, rest), kill
        for key in ("held_out_loss", "kept_step", "steps", "characters_seen"):
            assert rest.card[key] == whole.card[key]
        assert [h["held_out"] for h in rest.card["history"]] == [h["held_out"] for h in whole.card["history"]]


def test_a_closed_run_goes_on_at_the_next_step(tmp_path: Path) -> None:
    path = tmp_path / "run.resume"
    interrupted(fit(CLOUDS, SMALL, resume=path, report_every=0), 9, kill=False)
    again = next(fit(CLOUDS, SMALL, resume=path, report_every=0))
    assert again.step == 10
    assert again.characters == 10 * SMALL.streams * SMALL.window


def test_a_finished_run_gives_its_model_again(tmp_path: Path) -> None:
    path = tmp_path / "run.resume"
    first, _ = finish(fit(CLOUDS, SMALL, resume=path))
    second, reports = finish(fit(CLOUDS, SMALL, resume=path))
    assert reports == []
    assert same_weights(first, second) and first.card == second.card


def saved_step(path: Path) -> int:
    with safetensors.safe_open(path, "pt") as file:
        return json.loads(file.metadata()["run"])["step"]


def test_less_than_a_minute_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(0, 10_000_000, 4))  # a step takes 4 seconds
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: float(next(seconds))))
    path = tmp_path / "run.resume"
    lost = []
    for report in fit(CLOUDS, replace(SMALL, validations=1), resume=path):
        kept = saved_step(path) if path.exists() else 0
        lost.append(4 * (report.step - kept))
    assert len(lost) == 40
    assert 0 < max(lost) < 60


def test_the_time_of_earlier_sittings_counts(tmp_path: Path) -> None:
    path = tmp_path / "run.resume"
    run = fit(CLOUDS, SMALL, resume=path, report_every=0)
    before = [next(run) for _ in range(5)][-1]
    run.close()
    after = next(fit(CLOUDS, SMALL, resume=path, report_every=0))
    assert after.seconds > before.seconds
    assert after.seconds_left == pytest.approx(after.seconds / after.step * (after.steps - after.step))


# what is reported


def test_the_held_out_part_is_judged_as_often_as_asked() -> None:
    for validations in (1, 4, 7):
        model, reports = finish(fit(CLOUDS, replace(SMALL, validations=validations), report_every=math.inf))
        assert len(reports) == validations == len(model.card["history"])
        assert all(r.held_out is not None for r in reports)
        assert reports[-1].step == reports[-1].steps == 40
        distances = np.diff([0, *(r.step for r in reports)])
        assert distances.max() - distances.min() <= 1


def test_more_validations_than_steps_judge_each_step() -> None:
    _, reports = finish(fit(CLOUDS, replace(SMALL, validations=1000), report_every=math.inf))
    assert [r.step for r in reports] == list(range(1, 41))


def test_the_card_says_what_was_done() -> None:
    model, reports = finish(fit(CLOUDS, SMALL, name="clouds-lstm"))
    card = model.card
    assert model.name == "clouds-lstm" and not model.training
    assert card["corpus"] == "clouds" and card["sha256"] == CLOUDS.sha256 and card["split"] == CLOUDS.split
    assert Recipe(**card["recipe"]) == SMALL
    assert card["steps"] == reports[-1].steps == 40
    assert card["characters_seen"] == 40 * SMALL.streams * SMALL.window
    assert card["versions"]["torch"] == torch.__version__
    assert json.loads(json.dumps(card)) == card


def test_a_given_vocabulary_is_used() -> None:
    vocabulary = lc.Vocabulary("abcdefghijklmnopqrstuvwxyz .,!")
    model, _ = finish(fit(CLOUDS, SMALL, vocabulary=vocabulary))
    assert model.vocabulary is vocabulary


# errors


def test_a_text_shorter_than_a_step_is_refused() -> None:
    short = corpora.from_text("ab" * 50, "short")
    with pytest.raises(ValueError, match=r"has 90 characters; 16 streams of windows of 64 need at least 1,056"):
        next(fit(short))
    least = corpora.from_text("ab" * 40 * 3, "enough")
    assert len(least.train) == 216
    finish(fit(least, replace(SMALL, streams=12)))
    with pytest.raises(ValueError, match="need at least 234"):
        next(fit(least, replace(SMALL, streams=13)))


@pytest.mark.parametrize("other", ["recipe", "corpus", "vocabulary"])
def test_another_run_is_not_gone_on_with(other: str, tmp_path: Path) -> None:
    path = tmp_path / "run.resume"
    interrupted(fit(CLOUDS, SMALL, resume=path, report_every=0), 2, kill=False)
    before = path.read_bytes()
    recipe = replace(SMALL, units=13) if other == "recipe" else SMALL
    corpus = corpora.from_text(CLOUDS.train + "!", "clouds") if other == "corpus" else CLOUDS
    vocabulary = lc.Vocabulary(sorted(CLOUDS_VOCABULARY.characters, reverse=True)) if other == "vocabulary" else None
    with pytest.raises(ValueError, match=r"run\.resume holds another run .* remove it to begin anew"):
        next(fit(corpus, recipe, vocabulary=vocabulary, resume=path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["empty", "truncated", "foreign", "text"])
def test_a_damaged_run_gets_a_sentence(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "run.resume"
    interrupted(fit(CLOUDS, SMALL, resume=path, report_every=0), 2, kill=False)
    if damage == "foreign":
        safetensors.torch.save_file({"x": torch.zeros(3)}, path)
    else:
        path.write_bytes({"empty": b"", "truncated": path.read_bytes()[:-100], "text": b"hello " * 50}[damage])
    with pytest.raises(ValueError, match=r"run\.resume is no run that could go on .*; remove it to begin anew"):
        next(fit(CLOUDS, SMALL, resume=path))


def test_a_run_that_can_not_be_kept_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"no-folder.* can't be written"):
        finish(fit(CLOUDS, SMALL, resume=tmp_path / "no-folder" / "run.resume"))


def test_a_loss_that_is_no_number_stops_the_run() -> None:
    with pytest.raises(FloatingPointError, match=r"the loss is (nan|inf) at step \d+: try a smaller learning rate"):
        finish(fit(CLOUDS, replace(SMALL, learning_rate=1e38, warmup=0), report_every=0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", 0), ("layers", 0), ("embedding", 0), ("streams", 0), ("window", -1), ("validations", 0), ("warmup", -1),
        ("seed", -1), ("passes", 0), ("passes", math.nan), ("learning_rate", 0), ("learning_rate", math.inf), ("clip", -1),
        ("dropout", 1), ("dropout", -0.1), ("dropout", math.nan), ("forget_bias", math.nan),
        ("input_range", -1), ("weight_decay", -0.1), ("text_length", 1),
    ],
)  # fmt: skip
def test_a_recipe_names_what_it_can_not_do(name: str, value: float) -> None:
    assert name in {f.name for f in fields(Recipe)}
    with pytest.raises(ValueError, match=rf"^{name} must be .*not {value}$"):
        Recipe(**{name: value})


def test_an_unknown_cell_is_named() -> None:
    with pytest.raises(ValueError, match="there is no cell 'lstn'; there are"):
        next(fit(CLOUDS, replace(SMALL, cell="lstn")))


# the held-out loss


@pytest.fixture(scope="module")
def model() -> Iterator[CharModel]:
    return finish(fit(CLOUDS, replace(SMALL, passes=2, dropout=0.2, layers=2)))[0]


def test_the_held_out_loss_is_that_of_a_trace(model: CharModel) -> None:
    text = CLOUDS.held_out
    assert held_out_loss(model, text) == pytest.approx(lc.trace(model, text).loss, abs=1e-5)


def test_the_held_out_loss_does_not_depend_on_its_windows(model: CharModel) -> None:
    losses = [held_out_loss(model, CLOUDS.held_out, window=w) for w in (1, 7, 10_000)]
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-6)


def test_streams_are_read_each_from_zero(model: CharModel) -> None:
    text = CLOUDS.held_out[:200]
    halves = [held_out_loss(model, text[:100]), held_out_loss(model, text[100:])]
    assert held_out_loss(model, text, streams=2) == pytest.approx(sum(halves) / 2, abs=1e-6)


def test_the_held_out_loss_is_worked_out_step_by_step(model: CharModel) -> None:
    text = CLOUDS.held_out[:101]
    judged, losses = zip(*held_out_losses(model, text, window=30))
    assert judged == (30, 60, 90, 100)
    assert losses[0] == pytest.approx(held_out_loss(model, text[:31]), abs=1e-6)
    assert losses[-1] == held_out_loss(model, text, window=30)


def test_a_model_in_training_is_judged_without_dropout(model: CharModel) -> None:
    calm = held_out_loss(model, CLOUDS.held_out)
    model.train()
    try:
        assert held_out_loss(model, CLOUDS.held_out) == calm
        assert model.training
    finally:
        model.eval()


@pytest.mark.parametrize(("text", "streams"), [("", 1), ("a", 1), ("abc", 2), ("abc", 0), ("abc", -1)])
def test_a_loss_needs_two_characters_a_stream(model: CharModel, text: str, streams: int) -> None:
    with pytest.raises(ValueError, match=rf"at least 2 characters a stream; the text has {len(text)} for {streams}"):
        held_out_loss(model, text, streams)
