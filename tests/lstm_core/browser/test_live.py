"""What the view paints from, made in JavaScript of the engine's reading, against what Python makes of a trace."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core.analysis.first_look import first_look
from lstm_core.browser import engine, gates, live
from lstm_core.figures import lettering, palette
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from tests.lstm_core.browser.test_engine import ROOT, answers_of

TOLERANCE = 1e-4  # of whole texts: as tests/lstm_core/browser/test_engine.py holds the engine
STEPS = 1 + math.ceil(TOLERANCE * gates.LEVELS / 2)  # levels of a range of 2, and one of rounding
PASSAGE = json.loads((ROOT / "assets" / "passages.json").read_text("utf-8"))[0]["text"]
TEXTS = ("the clouds are in the sky", "t", "Ünïcode “é” 😀\u200b, \0\tשלום\n and the rest of it " * 3, PASSAGE[:300])


def answers(folder: Path, **asked: Any) -> Any:
    return answers_of("live_runner.js", folder, asked)


def case(folder: Path, model: CharModel, texts: list[str], layers: list[int] | None = None) -> dict[str, Any]:
    meta, weights = engine.payload(model)
    file = f"{meta['version']}.bin"
    (folder / file).write_bytes(weights)
    trace = lc.trace(model, texts[-1])
    described = live.described(trace.model, trace, layers, trace)
    return {"meta": meta, "weights": file, "described": described, "texts": texts}


def compare(found: dict[str, Any], trace: lc.Trace, layers: list[int] | None = None) -> None:
    """Holds what JavaScript made to the payload of a trace."""
    layers = list(range(trace.layers)) if layers is None else layers
    wanted = gates.payload([gates.Reader(trace.model, trace)], [gates.Track(0, layer) for layer in layers], 0, whole=True)
    meta = wanted["meta"]
    same = ["readers", "strips", "steps", "start", "columns", "levels", "version", "step", "colours", "lines", "file"]
    plain = json.loads(json.dumps({key: meta[key] for key in same}))
    assert {key: found["meta"][key] for key in same} == plain and not found["meta"]["isReading"]
    assert (found["between"], found["peaks"]) == (None, [])
    compare_reader(found, wanted, trace)
    heats = iter(found["heats"])
    for place, (track, told) in enumerate(zip(found["tracks"], meta["tracks"], strict=True)):
        hidden = np.ptp(trace["hidden"][layers[place], : gates.FIRST_SCREEN], axis=0)
        assert hidden[track["liveliest"]] == pytest.approx(hidden.max(), abs=TOLERANCE)
        compare_first_look(found["first"][place], trace, layers[place])
        assert {k: track[k] for k in ("readers", "difference", "layer", "units")} == {
            k: told[k] for k in ("readers", "difference", "layer", "units")
        }
        values, before = wanted[f"values{place}"], wanted[f"before{place}"]
        for name, signal, told_signal in zip(values.column_names, track["signals"], told["signals"], strict=True):
            heat = next(heats)
            assert {**signal, "limits": 0} == {**json.loads(json.dumps(told_signal)), "limits": 0}
            assert signal["limits"] == [heat["low"], heat["high"], heat["most"]]
            compare_heat(heat, values[name].to_numpy(), told_signal)
            if name in before.column_names:
                np.testing.assert_array_equal(heat["before"], before[name].to_numpy())
            else:
                assert heat["before"] is None
        compare_orders(track["orders"], wanted[f"orders{place}"], trace, layers[place])


def compare_first_look(found: dict[str, int], trace: lc.Trace, layer: int) -> None:
    step, unit = first_look(trace, layer)
    seen = trace["hidden"][layer, : gates.FIRST_SCREEN]
    assert np.ptp(seen[:, found["unit"]]) == pytest.approx(np.ptp(seen[:, unit]), abs=TOLERANCE)
    if found["unit"] == unit:
        moved = np.abs(np.diff(seen[:, unit], prepend=0))
        assert moved[found["step"]] == pytest.approx(moved[step], abs=TOLERANCE)


def compare_reader(found: dict[str, Any], wanted: dict[str, Any], trace: lc.Trace) -> None:
    [reader], table = found["readers"], wanted["reader0"]
    known, told = found["meta"]["glyphs"], [list(glyph) for glyph in wanted["meta"]["glyphs"]]
    assert (found["meta"]["rest"] >= 0) == (wanted["meta"]["rest"] >= 0)
    best = min(gates.LIKELIEST, trace.probs.shape[1])
    assert reader["ranks"] == list(range(best)) and reader["place"] == 0
    for name in ("typed", "read"):
        assert [known[k] for k in reader[name]] == [told[k] for k in table[name].to_pylist()]
    surprise = np.array(reader["surprise"], float)  # None is NaN
    np.testing.assert_allclose(surprise, trace.surprise, rtol=TOLERANCE, atol=TOLERANCE)
    for rank in range(best):
        chances = table[f"chance{rank}"].to_numpy().astype(int)
        assert np.abs(np.array(reader[f"chance{rank}"]) - chances).max() <= 1 + math.ceil(TOLERANCE * 65535)
        ours = [known[k] for k in reader[f"next{rank}"]]
        theirs = [told[k] for k in table[f"next{rank}"].to_pylist()]
        for step, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            if one != other:  # a tie, as far as float32 can tell
                near = np.sort(trace.probs[step])[::-1][: best + 1]
                assert np.abs(np.diff(near)).min() < TOLERANCE, (step, one, other)


def compare_heat(heat: dict[str, Any], values: np.ndarray, signal: dict[str, Any]) -> None:
    numbers = np.array(heat["numbers"])
    if signal["bounded"]:
        assert np.abs(numbers - values.astype(int)).max() <= STEPS
        assert (heat["low"], heat["high"], heat["most"]) == signal["limits"]
        return
    np.testing.assert_allclose(numbers, values, rtol=TOLERANCE, atol=TOLERANCE)
    _low, high, most = signal["limits"]
    assert heat["most"] == pytest.approx(most, rel=TOLERANCE, abs=TOLERANCE)
    assert heat["low"] == -heat["high"]
    assert heat["high"] == pytest.approx(high, rel=0.1), "one step of two digits, where rounding up tips over"
    assert heat["high"] == high or abs(high / heat["high"] - 1) > 1e-3


def compare_orders(orders: dict[str, list[int]], wanted: Any, trace: lc.Trace, layer: int) -> None:
    assert set(orders) == set(wanted.column_names)
    assert orders["grouped"] == wanted["grouped"].to_pylist()
    for name in trace.signals:
        means = trace[name][layer].mean(axis=0, dtype=np.float64)
        assert sorted(orders[name]) == list(range(trace.units))
        size = max(1.0, float(np.abs(means).max()))
        np.testing.assert_allclose(means[orders[name]], means[wanted[name].to_pylist()], rtol=0, atol=TOLERANCE * size)


def edits(text: str) -> list[str]:
    """Ways to a text: typed on, changed in the middle, cut, and begun anew."""
    middle = len(text) // 2
    return [text[:middle], text, f"{text[:middle]} X {text[middle:]}", text[: middle + 1], text[::-1], text]


@pytest.mark.parametrize("name", ["shakespeare-lstm", "family-gru-pytorch", "family-peephole", "family-rnn"])
def test_shipped_models_over_texts(tmp_path: Path, name: str) -> None:
    model = lc.load(name)
    found = answers(tmp_path, cases=[case(tmp_path, model, edits(text)) for text in TEXTS])["cases"]
    for one, text in zip(found, TEXTS, strict=True):
        compare(one, lc.trace(model, text))


def test_every_cell(make_model: Callable[..., CharModel], tmp_path: Path) -> None:
    pairs = [(make_model(cell, 9, 2, embedding=3), text) for cell in lc.cells() for text in TEXTS]
    found = answers(tmp_path, cases=[case(tmp_path, model, edits(text)) for model, text in pairs])["cases"]
    for one, (model, text) in zip(found, pairs, strict=True):
        compare(one, lc.trace(model, text))


def test_one_layer_alone_bytes_and_few_characters(make_model: Callable[..., CharModel], tmp_path: Path) -> None:
    model = make_model("lstm", 9, 2)
    [found] = answers(tmp_path, cases=[case(tmp_path, model, ["the sky"], [1])])["cases"]
    compare(found, lc.trace(model, "the sky"), [1])
    torch.manual_seed(0)
    for vocabulary in (Vocabulary.of_bytes(), Vocabulary("ab")):
        model = CharModel(vocabulary, "gru", 8, 1, name="strange").eval()
        [found] = answers(tmp_path, cases=[case(tmp_path, model, ["né “日” 👍", "ab é👍"])])["cases"]
        compare(found, lc.trace(model, "ab é👍"))


def value_lists() -> Iterator[tuple[np.ndarray, int]]:
    chance = np.random.default_rng(0)
    for steps, units in ((1, 1), (1, 7), (40, 16), (3, 2), (900, 256)):
        for spread in (1e-3, 1.0, 37.0):
            values = chance.normal(0, spread, (steps, units)).astype(np.float32)
            yield values, units
            yield values * np.where(np.arange(units) == 0, 50, 1).astype(np.float32), units
    yield np.zeros((4, 3), np.float32), 3
    yield np.full((4, 3), 0.1, np.float32), 3
    yield np.full((4, 3), 100.0, np.float32), 3


def test_limits_of_colours_are_pythons(tmp_path: Path) -> None:
    rules = {"covered": palette.COVERED, "sample": palette.SAMPLE}
    given = list(value_lists())
    asked = [{"values": values.ravel().tolist(), "units": units, "rules": rules} for values, units in given]
    asked += [{"values": given[-5][0].ravel().tolist(), "units": given[-5][1], "rules": rules | {"sample": 10_000}}]
    found = answers(tmp_path, limits=asked)["limits"]
    for (values, _), one in zip(given, found):
        assert (one["limit"], one["most"]) == palette.colour_limit(values)
    stride = given[-5][0].size // 10_000
    sampled = float(np.quantile(np.abs(given[-5][0][::stride]), palette.COVERED))
    assert found[-1]["limit"] in (palette.rounded_up(sampled), palette.rounded_up(float(np.abs(given[-5][0]).max())))


def test_glyphs_are_pythons(tmp_path: Path) -> None:
    """Of every character up to U+FFFF that both know; of those whose names are not sent the code alone is spoken."""
    known = [chr(c) for c in (*range(0xD800), *range(0xE000, 0x10000), 0x1F600) if unicodedata.category(chr(c)) != "Cn"]
    halves = [chr(c) for c in (0xD83D, 0xDC41, 0xDC80, 0xDCFF, 0xDE00)]
    characters = ["", *known, *halves]
    table = lettering.tables("日😀")
    found = answers(tmp_path, glyphs={"characters": characters, "table": table})["glyphs"]
    for character, (shown, spoken, kind) in zip(characters, found, strict=True):
        wanted = lettering.glyph(character)
        assert (shown, kind) == (wanted[0], wanted[2]), ascii(character)
        named = spoken == wanted[1] or (character not in table["names"] and wanted[1].startswith(spoken))
        assert named, (ascii(character), spoken, wanted)
    assert {"é", "日", "😀", "—", "€"} <= set(table["names"])


def test_a_trace_is_judged_at_steps_spread_over_the_text(make_model: Callable[..., CharModel]) -> None:
    trace = lc.trace(make_model("lstm", 5, 2), "the clouds are in the sky")
    each = 2 * 5 * len(trace.signals) + trace.probs.shape[1]
    assert live.judge(trace, 10**9)[0] == list(range(25))
    assert live.judge(trace, 0)[0] == [24]
    steps, values = live.judge(trace, 4 * each)
    assert len(steps) == 4 and steps[0] == 0 and steps[-1] == 24
    np.testing.assert_array_equal(values["cell"], trace["cell"][:, steps])
    np.testing.assert_array_equal(values["probs"], trace.probs[steps])


def test_a_layer_that_is_not_there_is_refused(make_model: Callable[..., CharModel]) -> None:
    with pytest.raises(ValueError, match="there is no layer"):
        live.described("tiny", make_model("lstm", 5), [1])
