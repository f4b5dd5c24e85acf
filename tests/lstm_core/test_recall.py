"""The recall task: what is drawn, what a cell learns of it, and that a run is the same whoever watches it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Generator
from dataclasses import replace

import pytest
import torch

import lstm_core as lc
from lstm_core import recall
from lstm_core.experiments import RECALL_CELLS
from lstm_core.recall import EXPERIMENTS, Progress, Protocol, Result, run, sequences

TINY = Protocol(
    gaps=(1, 3), keys=3, distractors=2, steps=30, batch=16, warmup=5, learning_rate=2e-2, tests=64, glances=16, looks=3
)


def finish(running: Generator[Progress, None, Result]) -> tuple[Result, list[Progress]]:
    """A run's result and everything that it reported."""
    reports = []
    while True:
        try:
            reports.append(next(running))
        except StopIteration as finished:
            return finished.value, reports


# what is drawn


def test_a_sequence_is_a_key_distractors_and_the_question() -> None:
    protocol = Protocol(keys=4, distractors=3)
    ids, keys = sequences(protocol, 5, 200, torch.Generator().manual_seed(0))
    assert protocol.vocabulary == "ABCDabc?"
    texts = ["".join(protocol.vocabulary[k] for k in column) for column in ids.T]
    assert all(t[0] in "ABCD" and set(t[1:-1]) <= set("abc") and t[-1] == "?" and len(t) == 7 for t in texts)
    assert [protocol.vocabulary[k] for k in keys] == [t[0] for t in texts]
    assert {t[0] for t in texts} == set("ABCD") and {c for t in texts for c in t[1:-1]} == set("abc")


@pytest.mark.parametrize("draw", ["even", "short"])
def test_gaps_are_drawn_as_the_protocol_says(draw: recall.Draw) -> None:
    protocol = Protocol(draw=draw, longest_gap=200)
    counts = Counter(protocol.gap(protocol.gaps, k / 100_000) for k in range(100_000))
    assert sorted(counts) == list(range(1, 201))
    below = sum(n for gap, n in counts.items() if gap <= 10) / 100_000
    assert below == pytest.approx(10 / 200 if draw == "even" else math.log(11) / math.log(201), abs=2e-3)
    mean = sum(gap * n for gap, n in counts.items()) / 100_000
    assert protocol.reading(protocol.gaps) == pytest.approx(protocol.steps * (mean + 2), rel=1e-2)


def test_alone_means_a_model_for_each_gap() -> None:
    protocol = Protocol(gaps=(2, 9))
    assert protocol.stages == ((2,), (9,))
    assert {protocol.gap((9,), number) for number in (0.0, 0.5, 0.999)} == {9}
    assert replace(protocol, draw="even").stages == ((2, 9),)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"draw": "odd"}, "draw must be one of alone, even, short, not 'odd'"),
        ({"keys": 1}, "keys must be 2 to 26, not 1"),
        ({"distractors": 27}, "distractors must be 1 to 26, not 27"),
        ({"steps": 0}, "steps must be 1 or more, not 0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0, not 0.0"),
        ({"clip": math.inf}, "clip must be above 0, not inf"),
        ({"gaps": (5, 2)}, "gaps must rise from 1 or more, each once; they are 5, 2"),
        ({"gaps": ()}, "they are none"),
    ],
)
def test_a_protocol_refuses_what_can_not_be(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Protocol(**change)


# what is learnt


@pytest.mark.parametrize("cell", RECALL_CELLS)
def test_every_cell_learns_a_short_gap(cell: str) -> None:
    protocol = replace(TINY, gaps=(2,), steps=150)
    result, _ = finish(run(cell, 12, 1, protocol))
    assert result.accuracy[2] > 0.9
    assert result.history[-1].loss < 0.5 * result.history[0].loss
    assert result.parameters == sum(p.numel() for p in result.models[0].parameters())


def test_the_accuracy_is_that_of_the_models() -> None:
    """Each model, asked in letters by the public tracer, gives the answers that were counted."""
    result, _ = finish(run("lstm", 12, 1, TINY))
    assert [model.vocabulary.characters for model in result.models] == [tuple("ABCab?")] * 2
    ids, keys = sequences(TINY, 3, 40, torch.Generator().manual_seed(5))
    right = []
    for column, key in zip(ids.T, keys):
        trace = lc.trace(result.models[1], "".join("ABCab?"[k] for k in column))
        right.append(int(trace.probs[-1].argmax()) == int(key))
    expected = recall.answers(result.models[1], ids).argmax(-1) == keys
    assert right == expected.tolist()
    assert recall.accuracy(result.models[1], TINY, (3,), 40, 5) == {3: pytest.approx(sum(right) / 40)}


def test_untrained_models_guess() -> None:
    protocol = Protocol(keys=8)
    right = [recall.accuracy(recall.new_model("lstm", 16, seed, protocol), protocol, (5,), 500, seed)[5] for seed in range(4)]
    assert sum(right) / 4 < 2 * protocol.chance


# how it runs


def test_a_run_is_the_same_whoever_watches() -> None:
    often, reports = finish(run("gru", 8, 3, TINY, report_every=0))
    seldom, few = finish(run("gru", 8, 3, TINY, report_every=1e9))
    assert often.accuracy == seldom.accuracy and often.history == seldom.history
    assert len(reports) == 60 and len(few) == 6
    other, _ = finish(run("gru", 8, 4, TINY, report_every=1e9))
    assert other.history != seldom.history


def test_all_cells_read_the_same_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    read: dict[str, list[torch.Tensor]] = {}
    answers = recall.answers

    def noted(model: lc.CharModel, ids: torch.Tensor) -> torch.Tensor:
        read.setdefault(model.cell.name, []).append(ids)
        return answers(model, ids)

    monkeypatch.setattr(recall, "answers", noted)
    for cell in ("rnn", "lstm", "coupled"):
        finish(run(cell, 4, 1, replace(TINY, draw="even", longest_gap=6, steps=5)))
    assert len({len(batches) for batches in read.values()}) == 1
    assert all(torch.equal(a, b) and torch.equal(a, c) for a, b, c in zip(*read.values()))


def test_reports_count_up_to_the_whole() -> None:
    _, reports = finish(run("rnn", 8, 1, TINY, report_every=0))
    assert [r.step for r in reports] == list(range(1, 61)) and {r.steps for r in reports} == {60}
    assert [r.gaps for r in reports] == [(1,)] * 30 + [(3,)] * 30
    done = [r.done for r in reports]
    assert done == sorted(done) and done[-1] == pytest.approx(1) and done[29] == pytest.approx(3 / 8)
    assert reports[-1].seconds_left == pytest.approx(0, abs=1e-9)
    assert all(r.seconds_left >= 0 and r.gradient_norm > 0 for r in reports)
    assert set(reports[40].accuracy) == {1, 3} and set(reports[15].accuracy) == {1} and not reports[0].accuracy


def test_a_run_can_be_left_and_closed() -> None:
    running = run("rnn", 8, 1, TINY, report_every=0)
    next(running)
    running.close()
    with pytest.raises(StopIteration):
        next(running)


def test_an_unknown_cell_is_named() -> None:
    with pytest.raises(ValueError, match="there is no cell 'elman'"):
        next(run("elman"))


def test_a_loss_that_is_no_number_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        recall, "answers", lambda model, ids: model.head.weight.new_full((ids.shape[1], 6), math.nan).requires_grad_()
    )
    with pytest.raises(FloatingPointError, match="the loss of rnn is nan at step 1: try a smaller learning rate"):
        finish(run("rnn", 8, 1, TINY))


def test_the_experiments_differ_only_in_what_their_names_say() -> None:
    alone, even, short = (EXPERIMENTS[draw] for draw in ("alone", "even", "short"))
    assert replace(short, draw="even") == even
    assert replace(even, draw="alone", gaps=alone.gaps, steps=alone.steps, looks=alone.looks) == alone
    assert (min(even.gaps), max(even.gaps), even.longest_gap) == (min(alone.gaps), max(alone.gaps), 200) == (1, 200, 200)
