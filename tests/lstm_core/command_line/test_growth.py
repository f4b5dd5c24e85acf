"""The command growth: one text at every checkpoint, as the API gives it."""

from __future__ import annotations

import math

import pytest

import lstm_core as lc
from lstm_core.__main__ import main
from lstm_core.analysis import growth

TEXT = "the clouds"
Capture = pytest.CaptureFixture[str]


def test_each_checkpoint_has_a_line_with_what_the_api_gives(capsys: Capture) -> None:
    assert main(["growth", "lstm", "rnn", "--text", TEXT]) == 0
    lines = capsys.readouterr().out.splitlines()
    life = lc.life("lstm")
    for line, stage in zip(lines[2:], growth.stages(life, TEXT)):
        step, characters, loss, here, keeps, lives = line.split()
        assert (step, characters) == (f"{stage.step:,}", f"{stage.characters:,}")
        assert float(loss) == pytest.approx(stage.loss, abs=1e-4) and float(here) == pytest.approx(stage.trace.loss, abs=1e-4)
        assert float(keeps) == pytest.approx(growth.mean_keep(stage.trace), abs=1e-4)
        assert float(lives) == pytest.approx(growth.median_half_life(stage.trace), abs=0.01)
    assert lines[2 + len(life)].startswith("rnn:") and "keeps" not in lines[3 + len(life)]


def test_the_surprise_of_each_character(capsys: Capture) -> None:
    assert main(["growth", "gru", "--text", TEXT, "--characters"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    found = growth.stages(lc.life("gru"), TEXT)
    assert len(lines) == len(TEXT)
    for place, line in enumerate(lines):
        words = line.split()[-len(found) :]
        expected = [stage.trace.surprise[place] for stage in found]
        assert ["–" if math.isnan(nats) else f"{nats:.4f}" for nats in expected] == words


def test_an_unknown_life_is_one_sentence(capsys: Capture) -> None:
    assert main(["growth", "nobody", "--text", TEXT]) != 0
    assert "there is no life 'nobody'" in capsys.readouterr().err
