"""A training in a thread of its own: it reports, can be stopped and resumed, and stops when its session is gone.

A page starts a `Training`, asks for its `report`, and draws it.
"""

from __future__ import annotations

import copy
import math
import shutil
import tempfile
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from lstm_core.analysis.growth import Stage
from lstm_core.corpora import Corpus
from lstm_core.errors import DivergenceError, InputError
from lstm_core.life import checkpoints
from lstm_core.model import CharModel
from lstm_core.sampling import sample
from lstm_core.text import Vocabulary
from lstm_core.tracing import trace
from lstm_core.training import Progress, Recipe, fit, held_out_loss, steps_of
from lstm_core.words import tr

REPORT_SECONDS = 0.2  # of work between two checks of whether to stop
STAGE_SECONDS = 3.0  # between two stages, how the sentence is read now, at least
STAGE_COST_RATIO = 12  # times what a stage takes until the next: stages may cost a twelfth of the work
WARM_UP_SECONDS = 0.7  # at the beginning, slower than the rest, left out of the measured speed
MEASURE_SECONDS = 2.5  # in which the speed is measured, where a time was asked for
OVERRUN = 1.25  # times the time that was asked for, after which it stops
UNLIMITED_PASSES = 1e6
TRAINING_SHARE = 0.9  # of the work that is training; the rest is evaluation and stages
SPEED_SECONDS = 30.0  # that the time left is estimated from
SESSION_TIMEOUT = 20.0  # seconds without the person's session, after which it stops: a reload of the page takes less
POLL_TIMEOUT = 300.0  # seconds in which nobody asked for a report, likewise
MAX_SECONDS = 15 * 60.0  # of work that a training may take
EVALUATED = 4_000  # characters, the first of the held-out part, that each stage is evaluated on
STREAM_LENGTH = 500  # characters of one stream of them
PROMPT_LENGTH, SAMPLE_LENGTH, TEMPERATURE, SEED = 20, 100, 0.7, 1
MAX_POINTS = 600  # of a curve

State = Literal["waiting", "measuring", "running", "finishing", "stopped", "done", "failed"]
Watch = Callable[[int, CharModel], None]
Run = Generator[Progress, None, CharModel]
WORKING: tuple[State, ...] = ("waiting", "measuring", "running", "finishing")


class TrainingQueue:
    """A queue with a limit: `limit` trainings at once in this process, the others in the order in which they joined."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._jobs: list[object] = []

    def join(self, job: object) -> None:
        """Puts a job at the end of the queue."""
        with self._lock:
            self._jobs.append(job)

    def leave(self, job: object) -> None:
        """Takes a job out of the queue, done or not."""
        with self._lock:
            self._jobs.remove(job)

    def ahead_of(self, job: object) -> int:
        """How many jobs have to leave before this one may run: 0 when it may."""
        with self._lock:
            return max(0, self._jobs.index(job) - self.limit + 1)


@dataclass(frozen=True)
class Report:
    """How a training stands.

    message: why it stopped or failed, one sentence, or "". step: of `steps`. seconds: of work so far. seconds_left: estimated
    from the speed of the last half minute, NaN where there is none. train_losses, held_out_losses: (step, nats a character).
    stages: how the model read the sentence on the way, the last of them now. ahead: how many are before it in the queue.
    """

    state: State
    message: str
    step: int
    steps: int
    seconds: float
    seconds_left: float
    train_losses: tuple[tuple[int, float], ...]
    held_out_losses: tuple[tuple[int, float], ...]
    stages: tuple[Stage, ...]
    ahead: int

    @property
    def works(self) -> bool:
        """Whether a thread is at work, or waits for its turn."""
        return self.state in WORKING


def _always() -> bool:
    return True


class Training:
    """One training of one model. All methods may be called from any thread; one thread at a time is at work.

    corpus, recipe, vocabulary, name: as for `training.fit`. sentence: what the model reads on the way. seconds: of work
    that are wanted, from which and the measured speed the recipe's passes follow; None: as the recipe says. queue: in which
    it waits. alive: whether the person's session is still connected.
    """

    def __init__(
        self,
        corpus: Corpus,
        recipe: Recipe,
        sentence: str,
        queue: TrainingQueue,
        *,
        name: str = "unnamed",
        vocabulary: Vocabulary | None = None,
        seconds: float | None = None,
        alive: Callable[[], bool] = _always,
    ) -> None:
        self.corpus, self.recipe, self.sentence, self.name = corpus, recipe, sentence, name
        self.vocabulary = vocabulary or Vocabulary.of(corpus.train + corpus.held_out)
        self._queue, self._requested_seconds, self._alive = queue, seconds, alive
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._state: State = "stopped"
        self._message = ""
        self._failure: Exception | None = None
        self._progress: Progress | None = None
        self._train_losses: list[tuple[int, float]] = []
        self._held_out_losses: list[tuple[int, float]] = []
        self._stages: list[Stage] = []
        self._current_stage: Stage | None = None
        self._model: CharModel | None = None
        self._result: CharModel | None = None
        self._speed_samples: deque[tuple[float, int]] = deque()
        self._last_poll = self._last_active = self._last_stage = time.monotonic()
        self._stage_steps: set[int] = set()
        self._stage_seconds = 0.0  # that the last stage took
        self._time_limit = math.inf  # seconds of work
        self._folder = tempfile.mkdtemp(prefix="gatescope-")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    # What a page calls

    def start(self) -> None:
        """Begins, or goes on from where it was stopped. Does nothing while it is at work, and once it is done."""
        with self._lock:
            if self._state != "stopped":
                return
            self._stop.clear()
            self._state, self._message = "waiting", ""
            self._last_poll = self._last_active = time.monotonic()
            self._speed_samples.clear()
            self._thread = threading.Thread(target=self._run, name=f"training {self.name}", daemon=True)
            self._queue.join(self)
            self._thread.start()

    def stop(self, wait: float | None = None) -> bool:
        """Stops after the step at hand; the run is kept. wait: seconds to wait for that. Returns whether it stands still."""
        self._stop.set()
        thread = self._thread
        if thread is not None and wait is not None:
            thread.join(wait)
        return thread is None or not thread.is_alive()

    def report(self) -> Report:
        """How it stands; a training that nobody asks stops. Raises RuntimeError for a bug in its thread."""
        self._last_poll = time.monotonic()
        with self._lock:
            if self._failure is not None:
                raise RuntimeError("the training broke down") from self._failure
            at, steps = self._progress, steps_of(self.recipe, len(self.corpus.train))
            stages = (*self._stages, *([] if self._current_stage is None else [self._current_stage]))
            ahead = self._queue.ahead_of(self) if self._state == "waiting" else 0
            return Report(
                self._state, self._message, at.step if at else 0, steps, at.seconds if at else 0.0, self._seconds_left(),
                tuple(_thinned(self._train_losses)), tuple(self._held_out_losses), stages, ahead,
            )  # fmt: skip

    @property
    def model(self) -> CharModel | None:
        """The model as it is when the work stands still: the best one once it is done; None before any step, and at work."""
        with self._lock:
            return None if self._state in WORKING else self._result

    def _seconds_left(self) -> float:
        at = self._progress
        if at is None or len(self._speed_samples) < 2 or self._state != "running":
            return math.nan
        (began, first), (now, last) = self._speed_samples[0], self._speed_samples[-1]
        return (at.steps - at.step) * (now - began) / (last - first) if last > first else math.nan

    # The thread

    def _run(self) -> None:
        try:
            if self._wait() and self._set_passes():
                self._train()
        except DivergenceError:
            step = self._progress.step if self._progress else 0
            self._set(
                "failed", f"The loss was no number any more after step {step:,}: try another cell, fewer units or one layer."
            )
        except InputError as error:
            self._set("failed", error.sentence)
        except Exception as error:
            with self._lock:
                self._failure, self._state = error, "failed"
        finally:
            self._queue.leave(self)

    def _set(self, state: State, message: str = "") -> None:
        with self._lock:
            self._state, self._message = state, message

    def _stop_reason(self) -> str | None:
        """Why to stop now: a sentence, "" when the person asked for it; None to go on."""
        now = time.monotonic()
        if self._stop.is_set():
            return ""
        if self._alive():
            self._last_active = now
        if now - self._last_active > SESSION_TIMEOUT or now - self._last_poll > POLL_TIMEOUT:
            return "It stopped because nobody was looking; it goes on from there."
        worked = 0.0 if self._progress is None else self._progress.seconds
        if worked > MAX_SECONDS:
            return f"It stopped after {MAX_SECONDS / 60:.0f} minutes of work, as long as a training may take here."
        if worked > self._time_limit:
            self._time_limit = math.inf
            return "Its time is over: the server was busier than while the speed was measured. It can go on from there."
        return None

    def _wait(self) -> bool:
        """Waits in the queue; returns whether it is this one's turn, and not stopped."""
        while self._queue.ahead_of(self):
            if self._stopped():
                return False
            time.sleep(REPORT_SECONDS)
        return not self._stopped()

    def _stopped(self) -> bool:
        reason = self._stop_reason()
        if reason is not None:
            self._set("stopped", reason)
        return reason is not None

    def _set_passes(self) -> bool:
        """Where time was asked for: how many passes that is. Returns False when it was stopped meanwhile."""
        if self._requested_seconds is None:
            return True
        self._set("measuring")
        speed = self._measure_speed()
        if speed is None:
            return False
        one_step = self.recipe.streams * self.recipe.window
        passes = max(TRAINING_SHARE * self._requested_seconds * speed, one_step) / len(self.corpus.train)
        with self._lock:
            self.recipe = _bounded_schedule(replace(self.recipe, passes=passes), self.corpus)
            self._time_limit, self._requested_seconds = OVERRUN * self._requested_seconds, None
        return True

    def _measure_speed(self) -> float | None:
        """Characters a second of a training that is thrown away, without its first moments, which are slow. None: stopped."""
        trial = self._fit(replace(self.recipe, passes=UNLIMITED_PASSES, validations=1))
        begun = next(trial)
        for report in trial:
            if self._stopped():
                trial.close()
                return None
            if begun.seconds < WARM_UP_SECONDS:
                begun = report
            elif report.seconds - begun.seconds > MEASURE_SECONDS:
                break
        trial.close()
        return (report.characters - begun.characters) / (report.seconds - begun.seconds)

    def _fit(self, recipe: Recipe, resume: Path | None = None, watch: Watch | None = None) -> Run:
        return fit(
            self.corpus, recipe, name=self.name, vocabulary=self.vocabulary, resume=resume, report_every=REPORT_SECONDS,
            save_every=math.inf, watch=watch,
        )  # fmt: skip

    def _train(self) -> None:
        self._set("running")
        recorded = {stage.step for stage in self._stages}
        self._stage_steps = set(checkpoints(steps_of(self.recipe, len(self.corpus.train)))) - recorded
        run = self._fit(self.recipe, Path(self._folder) / "run.resume", self._watch)
        try:
            while True:
                report = next(run)
                self._record(report)
                if report.step == report.steps:
                    self._set("finishing")
                elif self._stopped_with_result(run):
                    return
                elif self._model is not None and self._stage_is_due():
                    self._record_stage(report.step, self._model, keep=False)
        except StopIteration as finished:
            with self._lock:
                self._result, self._state = finished.value, "done"

    def _stage_is_due(self) -> bool:
        return time.monotonic() - self._last_stage > max(STAGE_SECONDS, STAGE_COST_RATIO * self._stage_seconds)

    def _stopped_with_result(self, run: Run) -> bool:
        """Stops if there is a reason to: the run goes into its file, a copy of the model is what can be kept."""
        reason = self._stop_reason()
        if reason is None:
            return False
        run.close()
        model = self._snapshot()
        with self._lock:
            self._result, self._state, self._message = model, "stopped", reason
        return True

    def _record(self, report: Progress) -> None:
        with self._lock:
            self._progress = report
            self._train_losses.append((report.step, report.loss))
            if report.held_out is not None:
                self._held_out_losses.append((report.step, report.held_out))
            now = time.monotonic()
            self._speed_samples.append((now, report.step))
            while now - self._speed_samples[0][0] > SPEED_SECONDS:
                self._speed_samples.popleft()

    def _watch(self, step: int, model: CharModel) -> None:
        """What `fit` calls at each step."""
        self._model = model
        if step in self._stage_steps:
            self._stage_steps.remove(step)
            self._record_stage(step, model, keep=True)

    def _record_stage(self, step: int, model: CharModel, keep: bool) -> None:
        """Evaluates the model and reads the sentence with it, once a step."""
        if self._stages and self._stages[-1].step == step:
            return
        began = time.monotonic()
        stage = self._stage(step, model)
        with self._lock:
            if keep:
                self._stages.append(stage)
            self._current_stage = None if keep else stage
            self._last_stage, self._stage_seconds = time.monotonic(), time.monotonic() - began

    def _stage(self, step: int, model: CharModel) -> Stage:
        """How the model reads the sentence now, how it does on the held-out text, and what it writes."""
        held_out = self.corpus.held_out[:EVALUATED]
        loss = held_out_loss(model, held_out, max(1, len(held_out) // STREAM_LENGTH))
        if not math.isfinite(loss):
            raise DivergenceError(tr("the held-out loss is {loss} at step {step}", loss=loss, step=step))
        written = sample(model, self.prompt, SAMPLE_LENGTH, TEMPERATURE, SEED)
        return Stage(step, step * self.recipe.streams * self.recipe.window, loss, written, trace(model, self.sentence))

    @property
    def prompt(self) -> str:
        """What the model writes on from: the beginning of the held-out text."""
        return self.corpus.held_out[:PROMPT_LENGTH]

    def _snapshot(self) -> CharModel | None:
        """The model as it is now, with a card that says how far it came."""
        at = self._progress
        if self._model is None or at is None:
            return None
        model = copy.deepcopy(self._model).eval()
        held_out = self.corpus.held_out
        streams = max(1, len(held_out) // STREAM_LENGTH)
        model.card = {
            **self.corpus.facts,
            "recipe": asdict(self.recipe),
            "steps": at.step,
            "characters_seen": at.characters,
            "held_out_loss": round(held_out_loss(model, held_out, streams), 4),
            "loss_protocol": f"nats per character on the held-out part, in {streams} streams of one length, each from a zero"
            f" state; stopped after step {at.step:,} of {at.steps:,}",
        }
        return model


def suited_recipe(recipe: Recipe, corpus: Corpus) -> Recipe:
    """A recipe that suits a text of any length: fewer streams where it is short, and a warm-up within the run.

    Raises InputError where the text is too short for one stream.
    """
    least = recipe.window + 2
    if len(corpus.train) < least:
        raise InputError(
            tr(
                "the text has {train_count:,} characters to train on; at least {least} are needed, ten thousand are a start",
                train_count=len(corpus.train),
                least=least,
            )
        )
    streams = min(recipe.streams, max(1, len(corpus.train) // (2 * least)))
    return _bounded_schedule(replace(recipe, streams=streams), corpus)


def _bounded_schedule(recipe: Recipe, corpus: Corpus) -> Recipe:
    """The warm-up, and the number of validations, within the steps that there are."""
    steps = steps_of(recipe, len(corpus.train))
    return replace(recipe, warmup=min(recipe.warmup, steps // 10), validations=max(1, min(recipe.validations, steps)))


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most so many points of a curve, each the mean of its neighbours."""
    by = -(-len(points) // MAX_POINTS)
    if by <= 1:
        return points
    groups = [points[k : k + by] for k in range(0, len(points), by)]
    return [(group[-1][0], sum(loss for _, loss in group) / len(group)) for group in groups]
