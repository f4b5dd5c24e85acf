"""What the picture of a life is painted from: every number comes back from what is sent, and it is small enough to send."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

import lstm_core as lc
from lstm_core.analysis import growth
from lstm_core.browser.life import payload

TEXT = "the clouds are in “the” sky"
WORDS = {"name": "lstm", "prompt": "Once ", "judged": "held-out loss", "steps": 5618}


def column(table: pa.Table, name: str) -> np.ndarray:
    return table.column(name).to_numpy()


@pytest.mark.parametrize("name", ["lstm", "rnn", "gru"])
def test_every_value_comes_back_to_three_digits(name: str) -> None:
    stages = growth.stages(lc.life(name), TEXT)
    packed = payload(stages, **WORDS)
    meta = packed["meta"]
    assert [told["name"] for told in meta["signals"]] == list(stages[0].trace.signals)
    for k, stage in enumerate(stages):
        for told in meta["signals"]:
            sent = column(packed[f"values{k}"], told["name"]).astype(np.float64)
            values = told["low"] + sent / meta["levels"] * (told["high"] - told["low"]) if told["bounded"] else sent
            assert np.abs(values - stage.trace[told["name"]][0].reshape(-1)).max() < 2e-5
        surprise = column(packed[f"reader{k}"], "surprise")
        assert np.array_equal(surprise, stage.trace.surprise, equal_nan=True)


def test_units_stand_in_the_same_rows_and_colours_end_at_one_place_at_every_checkpoint() -> None:
    stages = growth.stages(lc.life("lstm"), TEXT)
    packed = payload(stages, **WORDS)
    assert sorted(column(packed["rows"], "grouped")) == list(range(packed["meta"]["units"]))
    cell = next(told for told in packed["meta"]["signals"] if told["name"] == "cell")
    assert cell["most"] == pytest.approx(max(float(np.abs(stage.trace["cell"]).max()) for stage in stages))
    assert cell["low"] == -cell["high"] and cell["high"] <= cell["most"] * 1.1


@pytest.mark.parametrize("life", lc.lives(), ids=lambda life: life.name)
def test_two_hundred_characters_of_a_whole_life_are_under_five_megabytes(life: lc.Life) -> None:
    packed = payload(growth.stages(life, ("the sky is blue and " * 10)[:200]), **WORDS)
    assert sum(table.nbytes for name, table in packed.items() if name != "meta") < 5_000_000


def test_one_character_has_no_loss_and_is_drawn_all_the_same() -> None:
    packed = payload(growth.stages(lc.life("rnn"), "a"), **WORDS)
    assert all(stage["here"] is None for stage in packed["meta"]["stages"])
    assert packed["meta"]["uniform"] == pytest.approx(math.log(len(lc.life("rnn").vocabulary)))


def test_stages_of_two_texts_or_cells_are_refused() -> None:
    stages = growth.stages(lc.life("rnn"), "ab")
    with pytest.raises(ValueError, match="2 kinds"):
        payload([*stages, replace(stages[0], trace=lc.trace(lc.life("rnn").model(0), "ba"))], **WORDS)
    with pytest.raises(ValueError, match="0 stages"):
        payload([], **WORDS)
    with pytest.raises(ValueError, match="no layer 1"):
        payload(stages, 1, **WORDS)
