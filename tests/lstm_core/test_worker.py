"""The worker: it starts, reports, stops when it is asked to, goes on where it was, waits its turn, and leaves no thread."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import lstm_core as lc
from lstm_core import corpora, worker
from lstm_core.corpora import Corpus
from lstm_core.training import Recipe, fit, held_out_loss
from lstm_core.worker import Report, Training, TrainingQueue, suited_recipe

TEXT = "the clouds are in the sky, and the sky is blue. " * 120
CORPUS = corpora.from_text(TEXT, "clouds")
LONG = Recipe(units=16, passes=2000, learning_rate=1e-2, validations=3)
SHORT = replace(LONG, passes=8, learning_rate=3e-2)

Make = Callable[..., Training]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Trainings that are stopped when the test ends."""
    monkeypatch.setattr(worker, "STAGE_SECONDS", 0.2)
    made: list[Training] = []

    def one(recipe: Recipe = SHORT, corpus: Corpus = CORPUS, queue: TrainingQueue | None = None, **more) -> Training:
        sentence = more.pop("sentence", "the sky")
        made.append(Training(corpus, suited_recipe(recipe, corpus), sentence, queue or TrainingQueue(1), name="mine", **more))
        return made[-1]

    yield one
    for training in made:
        assert training.stop(wait=20)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("training")]


def until(training: Training, right: Callable[[Report], bool], seconds: float = 60) -> Report:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        report = training.report()
        if right(report):
            return report
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {training.report()}")


def test_it_trains_to_the_end_and_its_model_is_better_than_at_the_beginning(make: Make) -> None:
    training = make()
    assert training.report().state == "stopped" and training.model is None
    training.start()
    assert training.report().works
    report = until(training, lambda r: r.state == "done")
    assert report.step == report.steps and not report.message
    assert report.train_losses[-1][1] < report.train_losses[0][1] - 0.5
    assert [stage.step for stage in report.stages] == sorted({stage.step for stage in report.stages})
    assert report.stages[0].step == 0 and report.stages[-1].step == report.steps
    assert report.stages[-1].loss < report.stages[0].loss - 1
    model = training.model
    assert model is not None and model.card["held_out_loss"] == pytest.approx(held_out_loss(model, CORPUS.held_out), abs=1e-3)
    assert lc.trace(model, "the sky").text == "the sky"
    training.start()  # nothing is left to do
    assert training.report().state == "done"


def test_it_stops_at_the_next_report_and_goes_on_where_it_was(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, reports_after = threading.Event(), []

    def counted(*given, **more):
        run = fit(*given, **more)
        try:
            while True:
                try:
                    report = next(run)
                except StopIteration as end:
                    return end.value
                if asked.is_set():
                    reports_after.append(report.step)
                yield report
        finally:
            run.close()

    monkeypatch.setattr(worker, "fit", counted)
    training = make(LONG)
    training.start()
    until(training, lambda r: r.step > 5)
    asked.set()
    assert training.stop(wait=60)
    assert len(reports_after) <= 2  # the one at hand, and one between the two lines above
    asked.clear()
    stopped = training.report()
    assert stopped.state == "stopped" and 5 < stopped.step < stopped.steps and math.isnan(stopped.seconds_left)
    time.sleep(0.3)
    assert training.report() == stopped
    model = training.model
    assert model is not None and model.card["steps"] == stopped.step
    streams = max(1, len(CORPUS.held_out) // worker.STREAM_LENGTH)
    assert model.card["held_out_loss"] == pytest.approx(held_out_loss(model, CORPUS.held_out, streams), abs=1e-3)
    training.start()
    assert training.model is None
    later = until(training, lambda r: r.step > stopped.step)
    assert later.train_losses[: len(stopped.train_losses)] == stopped.train_losses
    assert later.train_losses[len(stopped.train_losses)][0] > stopped.step
    assert [stage.step for stage in later.stages] == sorted({stage.step for stage in later.stages})


def test_after_an_interruption_it_ends_where_it_would_have_ended(make: Make) -> None:
    recipe = replace(SHORT, passes=4, text_length=None)
    whole, parted = make(recipe), make(recipe)
    whole.start()
    until(whole, lambda r: r.state == "done")
    parted.start()
    until(parted, lambda r: r.step > 2)
    parted.stop(wait=20)
    assert parted.report().state == "stopped"
    parted.start()
    until(parted, lambda r: r.state == "done")
    assert whole.model is not None and parted.model is not None
    a, b = (lc.trace(model, "the sky is blue") for model in (whole.model, parted.model))
    assert a.loss == pytest.approx(b.loss, abs=1e-5)


def test_the_time_left_is_the_steps_left_at_the_speed_of_late(make: Make) -> None:
    training = make(LONG)
    training.start()
    report = until(training, lambda r: not math.isnan(r.seconds_left) and r.step > 50)
    training.stop(wait=60)
    (began, first), (now, last) = training._speed_samples[0], training._speed_samples[-1]
    assert last >= report.step > first
    a_step = report.seconds_left / (report.steps - report.step)
    assert a_step == pytest.approx((now - began) / (last - first), rel=1)


def test_minutes_become_passes_by_the_speed_that_is_measured(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WARM_UP_SECONDS", 0.1)
    monkeypatch.setattr(worker, "MEASURE_SECONDS", 0.2)
    training = make(replace(LONG, passes=1), seconds=1.5)
    training.start()
    assert until(training, lambda r: r.state == "measuring").works
    report = until(training, lambda r: r.state in ("done", "stopped"))
    assert training.recipe.passes > 1
    assert report.seconds < 2 * worker.OVERRUN * 1.5 and (report.state == "done" or "Its time is over" in report.message)


def test_who_comes_later_waits_and_begins_by_itself(make: Make) -> None:
    queue = TrainingQueue(1)
    first, second, third = (make(LONG, queue=queue) for _ in range(3))
    first.start()
    until(first, lambda r: r.step > 0)
    second.start()
    third.start()
    assert (second.report().state, second.report().ahead, third.report().ahead) == ("waiting", 1, 2)
    time.sleep(0.5)
    assert second.report().state == "waiting" and second.report().step == 0
    assert second.stop(wait=20)
    assert third.report().ahead == 1
    first.stop(wait=20)
    until(third, lambda r: r.step > 0)
    assert second.report().state == "stopped" and second.model is None


def test_it_stops_when_the_session_is_gone_and_when_nobody_looks(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SESSION_TIMEOUT", 0.3)
    here = [True]
    training = make(LONG, alive=lambda: here[0])
    training.start()
    until(training, lambda r: r.step > 0)
    here[0] = False
    report = until(training, lambda r: r.state == "stopped", 20)
    assert "nobody was looking" in report.message
    here[0] = True
    monkeypatch.setattr(worker, "POLL_TIMEOUT", 0.3)
    training.start()
    assert training._thread is not None
    training._thread.join(60)  # no report is asked for meanwhile
    assert training.report().state == "stopped"


def test_it_stops_at_the_longest_that_is_allowed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MAX_SECONDS", 0.5)
    training = make(LONG)
    training.start()
    assert "as long as a training may take" in until(training, lambda r: r.state == "stopped").message


def test_a_loss_that_is_no_number_is_one_sentence(make: Make) -> None:
    training = make(replace(LONG, learning_rate=1e30, clip=1e30))
    training.start()
    report = until(training, lambda r: r.state == "failed")
    assert report.message.startswith("The loss was no number any more after step") and report.message.count(".") == 1
    assert training.model is None


def test_a_failure_of_our_own_is_not_swallowed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(worker, "fit", broken)
    training = make()
    training.start()
    with pytest.raises(RuntimeError, match="broke down") as caught:
        until(training, lambda r: r.state == "failed")
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_short_text_has_fewer_streams_and_one_too_short_is_refused() -> None:
    short = suited_recipe(LONG, replace(CORPUS, train=TEXT[:450]))
    assert 1 <= short.streams < LONG.streams and short.streams * (short.window + 2) <= 450
    assert suited_recipe(LONG, replace(CORPUS, train=TEXT[:66])).streams == 1
    with pytest.raises(ValueError, match="20 characters to train on; at least 66 are needed"):
        suited_recipe(LONG, replace(CORPUS, train=TEXT[:20]))


def test_its_file_goes_when_it_goes(make: Make) -> None:
    training = Training(CORPUS, suited_recipe(SHORT, CORPUS), "the sky", TrainingQueue(1))
    folder = Path(training._folder)
    assert folder.is_dir()
    del training
    assert not folder.exists()


def test_a_curve_of_many_points_is_thinned_to_their_means() -> None:
    points = [(step, float(step % 2)) for step in range(1, 2001)]
    thin = worker._thinned(points)
    assert len(thin) <= worker.MAX_POINTS and thin[-1][0] == 2000
    assert sum(loss for _, loss in thin) / len(thin) == pytest.approx(0.5)
    assert worker._thinned(points[:10]) == points[:10]
