import json
import unicodedata

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from lstm_core.figures import palette
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from pages.common import gates_view

TEXT = "It was in July, 1805.\n"


def traced(cell: str = "lstm", units: int = 12, layers: int = 2, text: str = TEXT, scale: float = 1.0) -> lc.Trace:
    torch.manual_seed(0)
    model = CharModel(Vocabulary.of(TEXT), cell, units, layers, name="tiny")
    with torch.no_grad():
        for parameter in model.rnn.parameters():
            parameter *= scale
    return lc.trace(model, text)


def numbers(packed: dict, column: str, low: float = 0, high: float = 1) -> np.ndarray:
    """A column of the payload as the browser reads it."""
    values = packed["values"][column].to_numpy()
    if values.dtype == np.uint16:
        return low + values.astype(np.float64) / packed["meta"]["levels"] * (high - low)
    return values


@pytest.mark.parametrize("cell", lc.cells())
def test_every_number_arrives_to_the_third_decimal(cell):
    trace = traced(cell, scale=4)
    packed = gates_view.payload(trace, (0, 1), 0)
    for name in trace.signals:
        low, high = trace.cell[name].range
        for layer in (0, 1):
            sent = numbers(packed, f"{name}/{layer}", low, high).reshape(trace.steps, trace.units)
            assert np.abs(sent - trace[name][layer]).max() < 2e-5


def test_zero_and_the_ends_of_a_range_are_exact():
    ends = np.array([-1, 0, 1], np.float32)
    assert gates_view._numbers(ends, (-1, 1)).tolist() == [0, gates_view.LEVELS // 2, gates_view.LEVELS]
    assert gates_view._numbers(np.array([0, 1 + 1e-6], np.float32), (0, 1)).tolist() == [0, gates_view.LEVELS]


def test_an_unbounded_state_is_sent_as_it_is_with_limits_that_hold_it():
    trace = traced(scale=5)
    packed = gates_view.payload(trace, (1,), 0)
    assert np.array_equal(packed["values"]["cell/1"].to_numpy(), trace["cell"][1].ravel())
    described = next(s for s in packed["meta"]["signals"] if s["name"] == "cell")
    low, high, most = described["limits"][0]
    assert not described["bounded"]
    assert low == -high
    assert most == np.abs(trace["cell"][1]).max()
    assert high >= np.quantile(np.abs(trace["cell"][1]), palette.COVERED) * 0.999


def test_one_runaway_unit_does_not_blanch_the_others():
    values = np.random.default_rng(0).uniform(-1, 1, (500, 400)).astype(np.float32)
    values[-1, 7] = -680
    low, high, most = gates_view._limits(values)
    assert low == -high and 0.95 < high <= 1
    assert most == 680


def test_a_state_that_stays_at_zero_still_has_limits():
    assert gates_view._limits(np.zeros((3, 2), np.float32)) == (-1.0, 1.0, 0.0)


@pytest.mark.parametrize(("value", "rounded"), [(3.21, 3.3), (3.3, 3.3), (680.2, 690), (0.0234, 0.024), (1.0, 1.0), (0, 0)])
def test_limits_are_rounded_up_to_two_digits(value, rounded):
    assert palette.rounded_up(value) == pytest.approx(rounded)


def test_the_state_before_the_window_is_the_initial_one_or_the_last_not_sent(monkeypatch):
    monkeypatch.setattr(gates_view, "WINDOW", 5)
    trace = traced()
    assert np.array_equal(gates_view.payload(trace, (0,), 0)["before"]["cell/0"], trace.initial["cell"][0])
    later = gates_view.payload(trace, (0,), 4)
    assert np.array_equal(later["before"]["cell/0"], trace["cell"][0, 3])
    assert later["meta"]["columns"] == 5
    assert later["meta"]["steps"] == trace.steps
    assert np.array_equal(later["values"]["cell/0"].to_numpy().reshape(5, -1), trace["cell"][0, 4:9])
    assert len(later["steps"]) == trace.steps


def test_predictions_are_the_likeliest_three_in_order():
    trace = traced()
    packed = gates_view.payload(trace, (0,), 0)
    shown = [g[0] for g in packed["meta"]["glyphs"]]
    for step in (0, 7, trace.steps - 1):
        best = np.argsort(-trace.probs[step], kind="stable")[:3]
        for rank, k in enumerate(best):
            assert shown[packed["steps"][f"next{rank}"][step].as_py()] == gates_view.glyph(trace.vocabulary.characters[k])[0]
            assert packed["steps"][f"chance{rank}"][step].as_py() / 65535 == pytest.approx(trace.probs[step, k], abs=1e-5)


def test_a_vocabulary_of_two_has_two_predictions():
    torch.manual_seed(0)
    packed = gates_view.payload(lc.trace(CharModel(Vocabulary.of("ab"), "rnn", 3), "abba"), (0,), 0)
    assert {"next1"} <= set(packed["steps"].column_names)
    assert "next2" not in packed["steps"].column_names


def test_characters_that_were_read_as_others_are_told_apart():
    trace = traced(text="Jüly\t😀\ud800")
    packed = gates_view.payload(trace, (0,), 0)
    glyphs = packed["meta"]["glyphs"]
    typed, read = ([glyphs[k.as_py()][0] for k in packed["steps"][name]] for name in ("typed", "read"))
    assert typed == ["J", "ü", "l", "y", "⇥", "😀", "D800"]
    assert read == ["J", "u", "l", "y", "␣", "␣", "␣"]
    json.dumps(packed["meta"]).encode("utf-8")


@given(st.characters())
def test_no_glyph_is_invisible_or_reorders_its_neighbours(character):
    shown, spoken, kind = gates_view.glyph(character)
    assert shown.encode("utf-8")
    assert spoken
    assert kind in ("plain", "quiet", "boxed")
    assert all(unicodedata.category(c)[0] not in "CZ" for c in shown)
    if shown == character:
        assert not unicodedata.category(character).startswith("M")


@pytest.mark.parametrize(
    ("character", "shown", "kind"),
    [
        (" ", "␣", "quiet"), ("\n", "↵", "quiet"), ("\0", "␀", "quiet"), ("\x7f", "␡", "quiet"), ("\u0301", "◌\u0301", "plain"),
        ("\u200b", "ZWSP", "boxed"), ("\u202e", "RLO", "boxed"), ("\ufe0f", "VS16", "boxed"), ("\x85", "85", "boxed"),
        ("\ue000", "E000", "boxed"), ("<", "<", "plain"), ("א", "א", "plain"),
    ],
)  # fmt: skip
def test_glyphs_that_people_meet(character, shown, kind):
    assert gates_view.glyph(character)[::2] == (shown, kind)


@pytest.mark.parametrize(
    ("latex", "plain"), [(r"\tilde{C}", "C\u0303"), (r"\tilde h", "h\u0303"), ("f", "f"), (r"\hat{y}", "y\u0302")]
)
def test_symbols_without_latex(latex, plain):
    assert gates_view.plain_symbol(latex) == plain


def test_orders_hold_every_unit_and_the_mean_falls_from_row_to_row():
    trace = traced()
    orders = gates_view.payload(trace, (0, 1), 0)["orders"]
    assert set(orders.column_names) == {f"{name}/{layer}" for name in ("grouped", *trace.signals) for layer in (0, 1)}
    for column in orders.columns:
        assert sorted(column.to_pylist()) == list(range(trace.units))
    means = trace["forget"][1].mean(axis=0)[orders["forget/1"].to_numpy()]
    assert np.all(np.diff(means) <= 1e-7)


def test_colours_are_the_palette_s():
    colours = gates_view.payload(traced(), (0,), 0)["meta"]["colours"]
    assert bytes.fromhex(colours["gate"]["dark"]) == palette.lut("gate", "dark").tobytes()


def test_the_operations_take_up_the_state_of_the_step_before():
    recalled = {
        cell: {s: gates_view._recalled(lc.cells()[cell], s) for s in lc.cells()[cell].names} for cell in ("lstm", "gru", "rnn")
    }
    assert {s for s, state in recalled["lstm"].items() if state} == {"forget"}
    assert recalled["lstm"]["forget"] == "cell"
    assert {s for s, state in recalled["gru"].items() if state} == {"candidate"}
    assert recalled["gru"]["candidate"] == "hidden"
    assert not any(recalled["rnn"].values())


def test_the_payload_of_a_trace_is_packed_once():
    trace = traced()
    assert gates_view.payload(trace, (0,), 0) is gates_view.payload(trace, (0,), 0)
    assert gates_view.payload(trace, (1,), 0) is not gates_view.payload(trace, (0,), 0)


def test_a_thousand_characters_of_a_large_model_stay_small():
    units, columns = 512, 1000
    values = np.random.default_rng(0).uniform(0, 1, (columns, units)).astype(np.float32)
    assert gates_view._numbers(values, (0, 1)).nbytes == 2 * units * columns


# The pin, between browser and page


def page(pin, steps, shown):
    import streamlit as st
    import torch

    import lstm_core as lc
    from lstm_core.model import CharModel
    from lstm_core.text import Vocabulary
    from pages.common.gates_view import gates_view

    torch.manual_seed(0)
    trace = lc.trace(CharModel(Vocabulary.of("abc"), "lstm", 6, 2), ("abc" * steps)[:steps])
    if shown:
        view = gates_view(trace, (0, 1), key="gates", pin=pin)
        st.session_state["seen"] = (view.pin, view.start)


def opened(pin=None, steps=20) -> AppTest:
    return AppTest.from_function(page, kwargs={"pin": pin, "steps": steps, "shown": True}, default_timeout=30).run()


def again(at: AppTest, **changes):
    """Runs the page once more, with other arguments; what it then showed: (pin, first column)."""
    at.kwargs = at.kwargs | changes
    at.run()
    assert not at.exception
    return at.session_state["seen"]


def at_pin(step: int, unit: int, layer: int = 0) -> dict[str, int]:
    return {"step": step, "unit": unit, "layer": layer}


def click(at: AppTest, pin: dict[str, int], serial: int) -> None:
    at.session_state["gates"] = {"pin": pin | {"serial": serial}}


def test_nothing_is_pinned_until_somebody_pins():
    at = opened()
    assert not at.exception
    assert at.session_state["seen"] == (None, 0)


def test_a_click_holds_while_the_page_goes_on_giving_its_old_pin():
    at = opened(at_pin(3, 2))
    assert at.session_state["seen"] == (at_pin(3, 2), 0)
    click(at, at_pin(7, 5, 1), serial=1)
    assert again(at) == (at_pin(7, 5, 1), 0)
    assert again(at, pin=at_pin(7, 5, 1)) == (at_pin(7, 5, 1), 0)
    assert again(at) == (at_pin(7, 5, 1), 0)


def test_a_new_pin_of_the_page_is_not_undone_by_an_old_click():
    at = opened(at_pin(3, 2))
    click(at, at_pin(7, 5), serial=1)
    again(at)
    assert again(at, pin=at_pin(9, 1))[0] == at_pin(9, 1)
    click(at, at_pin(7, 5), serial=1)
    assert again(at)[0] == at_pin(9, 1)
    click(at, at_pin(8, 0), serial=2)
    assert again(at)[0] == at_pin(8, 0)


def test_a_pin_stays_inside_a_text_that_got_shorter():
    at = opened(at_pin(15, 2))
    assert again(at, steps=4)[0] == at_pin(3, 2)


def test_pins_from_outside_the_trace_are_brought_inside():
    assert opened(at_pin(900, 77, 9)).session_state["seen"][0] == at_pin(19, 5, 0)
    assert opened(at_pin(-4, -1, -1)).session_state["seen"][0] == at_pin(0, 0, 0)


def test_a_pin_survives_a_visit_to_another_page():
    at = opened()
    click(at, at_pin(6, 4), serial=0)
    again(at)
    again(at, shown=False)
    assert again(at, shown=True)[0] == at_pin(6, 4)


@pytest.mark.parametrize(
    "nonsense",
    [{"pin": "x"}, {"pin": {"step": "1"}}, {"pin": {"step": True, "unit": 0, "layer": 0}}, {"start": {"first": None}}],
)
def test_a_malformed_message_changes_nothing(nonsense):
    at = opened(at_pin(3, 2))
    at.session_state["gates"] = nonsense
    assert again(at) == (at_pin(3, 2), 0)


def test_a_long_text_is_sent_as_the_window_asked_for():
    at = opened(steps=2600)
    assert at.session_state["seen"] == (None, 0)
    at.session_state["gates"] = {"start": {"first": 1200, "serial": 0}}
    assert again(at) == (None, 1200)
    at.session_state["gates"] = {"start": {"first": 99_999, "serial": 0}}
    assert again(at) == (None, 1600)


def test_a_pin_far_away_brings_its_window():
    assert opened(at_pin(2000, 1), steps=2600).session_state["seen"] == (at_pin(2000, 1), 1500)


def test_layers_that_are_not_there_are_named():
    with pytest.raises(ValueError, match="layers 0 to 1"):
        gates_view.gates_view(traced(), (0, 2), key="x")
