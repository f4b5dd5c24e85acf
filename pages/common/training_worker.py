"""A training in a thread of its own: it reports, can be stopped and go on, and ends when nobody is there any more.

No Streamlit here: a page starts a `Training`, asks it how it is going, and draws what it is told.
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

import lstm_core as lc
from lstm_core.analysis.growth import Stage
from lstm_core.corpora import Corpus
from lstm_core.errors import DivergenceError, InputError
from lstm_core.life import checkpoints
from lstm_core.text import Vocabulary
from lstm_core.training import Progress, Recipe, fit, held_out_loss, steps_of

REPORTED = 0.2  # seconds of work between two looks at whether to stop
LIVE = 3.0  # seconds between two looks at how the sentence is read now
RARELY = 12  # times what such a look takes: it may cost a twelfth of the work
SLOW, MEASURED = 0.7, 2.5  # seconds that are left out, and in which the speed is measured, where minutes were asked for
LATE = 1.25  # times the minutes that were asked for: after so long it stops
ENDLESS = 1e6  # passes
WATCHED = 0.9  # share of the work that is training; the rest is judging it, and looking at the sentence
RECENT = 30.0  # seconds that the time left is foretold from
GONE = 20.0  # seconds without the person's session, after which the run stops: a reload of the page takes less
UNSEEN = 300.0  # seconds in which nobody looked, likewise
LONGEST = 15 * 60.0  # seconds of work that a run may take
JUDGED = 4_000  # characters, the first of the held-out part, that each checkpoint is judged by
STREAM = 500  # characters of one stream of them
PROMPT, WRITTEN, TEMPERATURE, SEED = 20, 100, 0.7, 1
MOST_POINTS = 600  # of a curve

State = Literal["waiting", "measuring", "running", "finishing", "stopped", "done", "failed"]
Watch = Callable[[int, lc.CharModel], None]
Run = Generator[Progress, None, lc.CharModel]
WORKING: tuple[State, ...] = ("waiting", "measuring", "running", "finishing")


class Hall:
    """Who trains on this server: `most` at once, the others in the order in which they came."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._here: list[object] = []

    def enter(self, one: object) -> None:
        """Stands in the line, at its end."""
        with self._lock:
            self._here.append(one)

    def leave(self, one: object) -> None:
        """Makes room for the next."""
        with self._lock:
            self._here.remove(one)

    def before(self, one: object) -> int:
        """How many have to leave before it is this one's turn: 0 when it may work."""
        with self._lock:
            return max(0, self._here.index(one) - self.most + 1)


@dataclass(frozen=True)
class Report:
    """How a training stands. said: why it stands still, one sentence, or "". step of steps; seconds: of work so far;
    seconds_left: what the speed of the last half minute foretells, NaN where nothing is known. trained, held_out: (step, nats a
    character). stages: how the sentence was read on the way, the last of them now. before: how many are in line before it."""

    state: State
    said: str
    step: int
    steps: int
    seconds: float
    seconds_left: float
    trained: tuple[tuple[int, float], ...]
    held_out: tuple[tuple[int, float], ...]
    stages: tuple[Stage, ...]
    before: int

    @property
    def works(self) -> bool:
        """Whether a thread is at work, or waits for its turn."""
        return self.state in WORKING


def _always() -> bool:
    return True


class Training:
    """One training of one model. All methods may be called from any thread; one thread at a time is at work.

    corpus, recipe, vocabulary, name: as for `training.fit`. sentence: what is read on the way. seconds: how long it shall
    work; the passes of the recipe follow from the speed that is measured then; None: as the recipe says. hall: in which it
    waits for its turn. alive: whether the person's session is still there.
    """

    def __init__(
        self,
        corpus: Corpus,
        recipe: Recipe,
        sentence: str,
        hall: Hall,
        *,
        name: str = "unnamed",
        vocabulary: Vocabulary | None = None,
        seconds: float | None = None,
        alive: Callable[[], bool] = _always,
    ) -> None:
        self.corpus, self.recipe, self.sentence, self.name = corpus, recipe, sentence, name
        self.vocabulary = vocabulary or Vocabulary.of(corpus.train + corpus.held_out)
        self._hall, self._wish, self._alive = hall, seconds, alive
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._state: State = "stopped"
        self._said = ""
        self._failure: Exception | None = None
        self._progress: Progress | None = None
        self._points: list[tuple[int, float]] = []
        self._held_out: list[tuple[int, float]] = []
        self._kept: list[Stage] = []
        self._now: Stage | None = None
        self._model: lc.CharModel | None = None
        self._result: lc.CharModel | None = None
        self._pace: deque[tuple[float, int]] = deque()
        self._looked = self._seen = self._live = time.monotonic()
        self._wanted: set[int] = set()
        self._costs = 0.0  # seconds that the last look at the sentence took
        self._until = math.inf  # seconds of work
        self._folder = tempfile.mkdtemp(prefix="gatescope-")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    # What a page asks

    def start(self) -> None:
        """Begins, or goes on from where it was stopped. Does nothing while it is at work, and once it is done."""
        with self._lock:
            if self._state != "stopped":
                return
            self._stop.clear()
            self._state, self._said = "waiting", ""
            self._looked = self._seen = time.monotonic()
            self._pace.clear()
            self._thread = threading.Thread(target=self._run, name=f"training {self.name}", daemon=True)
            self._hall.enter(self)
            self._thread.start()

    def stop(self, wait: float | None = None) -> bool:
        """Stops after the step at hand; the run is kept. wait: seconds to wait for that. Returns whether it stands still."""
        self._stop.set()
        thread = self._thread
        if thread is not None and wait is not None:
            thread.join(wait)
        return thread is None or not thread.is_alive()

    def look(self) -> Report:
        """How it stands; who looks keeps it going. Raises RuntimeError for a failure that is not the person's."""
        self._looked = time.monotonic()
        with self._lock:
            if self._failure is not None:
                raise RuntimeError("the training broke down") from self._failure
            at, steps = self._progress, steps_of(self.recipe, len(self.corpus.train))
            stages = (*self._kept, *([] if self._now is None else [self._now]))
            before = self._hall.before(self) if self._state == "waiting" else 0
            return Report(
                self._state, self._said, at.step if at else 0, steps, at.seconds if at else 0.0, self._seconds_left(),
                tuple(_thinned(self._points)), tuple(self._held_out), stages, before,
            )  # fmt: skip

    @property
    def model(self) -> lc.CharModel | None:
        """The model as it is when the work stands still: the best one once it is done; None before any step, and at work."""
        with self._lock:
            return None if self._state in WORKING else self._result

    def _seconds_left(self) -> float:
        at = self._progress
        if at is None or len(self._pace) < 2 or self._state != "running":
            return math.nan
        (began, first), (now, last) = self._pace[0], self._pace[-1]
        return (at.steps - at.step) * (now - began) / (last - first) if last > first else math.nan

    # The thread

    def _run(self) -> None:
        try:
            if self._wait() and self._measure():
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
            self._hall.leave(self)

    def _set(self, state: State, said: str = "") -> None:
        with self._lock:
            self._state, self._said = state, said

    def _reason(self) -> str | None:
        """Why to stop now: a sentence, "" when the person asked for it; None to go on."""
        now = time.monotonic()
        if self._stop.is_set():
            return ""
        if self._alive():
            self._seen = now
        if now - self._seen > GONE or now - self._looked > UNSEEN:
            return "It stopped because nobody was looking; it goes on from there."
        worked = 0.0 if self._progress is None else self._progress.seconds
        if worked > LONGEST:
            return f"It stopped after {LONGEST / 60:.0f} minutes of work, as long as a training may take here."
        if worked > self._until:
            self._until = math.inf
            return "Its time is over: the server was busier than while the speed was measured. It can go on from there."
        return None

    def _wait(self) -> bool:
        """Stands in line; returns whether it is this one's turn, and not stopped."""
        while self._hall.before(self):
            if self._stopped():
                return False
            time.sleep(REPORTED)
        return not self._stopped()

    def _stopped(self) -> bool:
        reason = self._reason()
        if reason is not None:
            self._set("stopped", reason)
        return reason is not None

    def _measure(self) -> bool:
        """Where time was asked for: how many passes that is. Returns False when it was stopped meanwhile."""
        if self._wish is None:
            return True
        self._set("measuring")
        speed = self._speed()
        if speed is None:
            return False
        passes = max(WATCHED * self._wish * speed, self.recipe.streams * self.recipe.window) / len(self.corpus.train)
        with self._lock:
            self.recipe = _fitting(replace(self.recipe, passes=passes), self.corpus)
            self._until, self._wish = LATE * self._wish, None
        return True

    def _speed(self) -> float | None:
        """Characters a second of a training that is thrown away, without its first moments, which are slow. None: stopped."""
        trial = self._fit(replace(self.recipe, passes=ENDLESS, validations=1))
        begun = next(trial)
        for report in trial:
            if self._stopped():
                trial.close()
                return None
            if begun.seconds < SLOW:
                begun = report
            elif report.seconds - begun.seconds > MEASURED:
                break
        trial.close()
        return (report.characters - begun.characters) / (report.seconds - begun.seconds)

    def _fit(self, recipe: Recipe, resume: Path | None = None, watch: Watch | None = None) -> Run:
        return fit(
            self.corpus, recipe, name=self.name, vocabulary=self.vocabulary, resume=resume, report_every=REPORTED,
            save_every=math.inf, watch=watch,
        )  # fmt: skip

    def _train(self) -> None:
        self._set("running")
        seen = {stage.step for stage in self._kept}
        self._wanted = set(checkpoints(steps_of(self.recipe, len(self.corpus.train)))) - seen
        run = self._fit(self.recipe, Path(self._folder) / "run.resume", self._watch)
        try:
            while True:
                report = next(run)
                self._note(report)
                if report.step == report.steps:
                    self._set("finishing")
                elif self._stopped_with_result(run):
                    return
                elif time.monotonic() - self._live > max(LIVE, RARELY * self._costs) and self._model is not None:
                    self._see(report.step, self._model, keep=False)
        except StopIteration as finished:
            with self._lock:
                self._result, self._state = finished.value, "done"

    def _stopped_with_result(self, run: Run) -> bool:
        """Stops if there is a reason to: the run goes into its file, a copy of the model is what can be kept."""
        reason = self._reason()
        if reason is None:
            return False
        run.close()
        model = self._copied()
        with self._lock:
            self._result, self._state, self._said = model, "stopped", reason
        return True

    def _note(self, report: Progress) -> None:
        with self._lock:
            self._progress = report
            self._points.append((report.step, report.loss))
            if report.held_out is not None:
                self._held_out.append((report.step, report.held_out))
            now = time.monotonic()
            self._pace.append((now, report.step))
            while now - self._pace[0][0] > RECENT:
                self._pace.popleft()

    def _watch(self, step: int, model: lc.CharModel) -> None:
        """What `fit` calls at each step."""
        self._model = model
        if step in self._wanted:
            self._wanted.remove(step)
            self._see(step, model, keep=True)

    def _see(self, step: int, model: lc.CharModel, keep: bool) -> None:
        """Looks at how the model does; of two looks at one step one is enough."""
        if self._kept and self._kept[-1].step == step:
            return
        began = time.monotonic()
        stage = self._stage(step, model)
        with self._lock:
            if keep:
                self._kept.append(stage)
            self._now = None if keep else stage
            self._live, self._costs = time.monotonic(), time.monotonic() - began

    def _stage(self, step: int, model: lc.CharModel) -> Stage:
        """How the model reads the sentence now, how it does on the held-out text, and what it writes."""
        judged = self.corpus.held_out[:JUDGED]
        loss = held_out_loss(model, judged, max(1, len(judged) // STREAM))
        if not math.isfinite(loss):
            raise DivergenceError(f"the held-out loss is {loss} at step {step}")
        written = lc.sample(model, self.prompt, WRITTEN, TEMPERATURE, SEED)
        return Stage(step, step * self.recipe.streams * self.recipe.window, loss, written, lc.trace(model, self.sentence))

    @property
    def prompt(self) -> str:
        """What the model writes on from: the beginning of the held-out text."""
        return self.corpus.held_out[:PROMPT]

    def _copied(self) -> lc.CharModel | None:
        """The model as it is now, with a card that says how far it came."""
        at = self._progress
        if self._model is None or at is None:
            return None
        model = copy.deepcopy(self._model).eval()
        judged = self.corpus.held_out
        streams = max(1, len(judged) // STREAM)
        model.card = {
            **self.corpus.facts,
            "recipe": asdict(self.recipe),
            "steps": at.step,
            "characters_seen": at.characters,
            "held_out_loss": round(held_out_loss(model, judged, streams), 4),
            "loss_protocol": f"nats per character on the held-out part, in {streams} streams of one length, each from a zero"
            f" state; stopped after step {at.step:,} of {at.steps:,}",
        }
        return model


def fitted(recipe: Recipe, corpus: Corpus) -> Recipe:
    """A recipe that suits a text of any length: fewer streams where it is short, and a warm-up within the run.

    Raises ValueError, one sentence, where the text is too short for one stream.
    """
    least = recipe.window + 2
    if len(corpus.train) < least:
        raise InputError(
            f"the text has {len(corpus.train):,} characters to train on; at least {least} are needed, ten thousand are a start"
        )
    streams = min(recipe.streams, max(1, len(corpus.train) // (2 * least)))
    return _fitting(replace(recipe, streams=streams), corpus)


def _fitting(recipe: Recipe, corpus: Corpus) -> Recipe:
    """The warm-up, and how often it is judged, within the steps that there are."""
    steps = steps_of(recipe, len(corpus.train))
    return replace(recipe, warmup=min(recipe.warmup, steps // 10), validations=max(1, min(recipe.validations, steps)))


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most so many points of a curve, each the mean of its neighbours."""
    by = -(-len(points) // MOST_POINTS)
    if by <= 1:
        return points
    groups = [points[k : k + by] for k in range(0, len(points), by)]
    return [(group[-1][0], sum(loss for _, loss in group) / len(group)) for group in groups]
