"""A text through a model's life: each stage is the trace of that checkpoint, and the means are what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.analysis import growth, memory
from lstm_core.analysis.growth import Stage

TEXT = "the clouds are in the sky"


def test_every_stage_is_the_trace_of_its_checkpoint() -> None:
    life = lc.life("gru")
    found = growth.stages(life, TEXT)
    assert [stage.step for stage in found] == list(life.steps)
    for k in (0, 4, len(life) - 1):
        trace = lc.trace(life.model(k), TEXT)
        assert np.array_equal(found[k].trace["update"], trace["update"]) and np.array_equal(found[k].trace.probs, trace.probs)
        assert (found[k].characters, found[k].loss, found[k].written) == (life.characters[k], life.losses[k], life.samples[k])


def test_a_text_that_can_t_be_read_is_refused() -> None:
    with pytest.raises(lc.TextError, match="no text"):
        growth.stages(lc.life("rnn"), "")


def test_what_is_kept_is_the_mean_forget_gate_and_the_half_life_that_half_of_the_units_exceed() -> None:
    read = lc.trace(lc.life("lstm").model(-1), TEXT)
    assert growth.mean_keep(read) == pytest.approx(float(read["forget"].mean()), rel=1e-6)
    lives = memory.half_life(read)
    assert (lives > growth.median_half_life(read)).sum() == lives.size // 2
    assert growth.keeps(read)


def test_a_plain_rnn_has_no_gate_that_keeps() -> None:
    read = lc.trace(lc.life("rnn").model(0), TEXT)
    assert not growth.keeps(read)
    with pytest.raises(ValueError, match="RNN"):
        growth.mean_keep(read)
    with pytest.raises(ValueError, match="RNN"):
        growth.median_half_life(read)


def test_only_steps_that_all_lives_have_are_shared(make_model: Callable[..., lc.CharModel]) -> None:
    stage = Stage(0, 0, 1.0, "", lc.trace(make_model(), "ab"))

    def of(*steps: int) -> list[Stage]:
        return [replace(stage, step=step) for step in steps]

    assert growth.shared_steps([of(0, 5, 20, 80), of(0, 20, 40, 80)]) == (0, 20, 80)
    assert growth.shared_steps([]) == ()
