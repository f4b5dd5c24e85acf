"""The clamp's panel: what is chosen is what is held, said, drawn, and put into the address."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from pages.common import caches, links
from pages.common.inside import clamp_panel
from pages.common.inside.clamp_panel import FIELDS, _Linked

TEXT = "the clouds are in the sky"
MODELS = ("family-lstm", "war-and-peace-lstm", "family-rnn", "family-gru")


def page() -> None:
    """A page that holds the panel alone; what it is given stands in the session, what it returns too."""
    import streamlit as st

    from pages.common import caches
    from pages.common.inside.clamp_panel import panel
    from pages.common.selection import Selection

    given = st.session_state["given"]
    chosen = Selection(given["model"], given["text"])
    st.session_state["address"] = panel(chosen, caches.read(chosen.model, chosen.text), given["pin"], given.pop("asked", None))


def opened(model: str = "family-lstm", text: str = TEXT, asked: str | None = None, **pin: int) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["given"] = {"model": model, "text": text, "pin": {"step": 5, "unit": 17, "layer": 0, **pin}}
    if asked is not None:
        app.session_state["given"]["asked"] = {"hold": asked, "model": model}
    return ran(app)


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def change(app: AppTest, **values: Any) -> AppTest:
    """As a person who sets these widgets one after another."""
    for name, value in values.items():
        app.session_state[f"clamp_{name}"] = value
        ran(app)
    return app


def statement(app: AppTest) -> str:
    return app.markdown[0].value.replace("\\", "")


def said(app: AppTest) -> str:
    return " ".join(element.value for element in app.text)


def losses(*clamps: lc.Clamp, model: str = "family-lstm", text: str = TEXT) -> str:
    loaded = lc.load(model)
    return f"{lc.trace(loaded, text).loss:.3f} → {lc.trace(loaded, text, clamps=clamps).loss:.3f}"


@pytest.mark.parametrize(
    "before, after, written",
    [
        (1.16249, 1.16253, ("1.16249", "1.16253", "+0.00004")),
        (1.1624, 1.1636, ("1.1624", "1.1636", "+0.0012")),
        (2.0, 1.5, ("2.000", "1.500", "−0.500")),
        (1.25, 1.25 + 1e-9, ("1.250", "1.250", "0.000")),
    ],
)
def test_two_losses_and_their_difference_add_up_as_written(before: float, after: float, written: tuple[str, ...]) -> None:
    assert clamp_panel._adding_up(before, after) == written


def test_the_pinned_unit_is_held_from_the_pinned_character_at_first() -> None:
    app = opened()
    assert statement(app).startswith("**Held at 0 from character 6 on, the forget gate of unit 17:** loss")
    assert losses(lc.Clamp("forget", 0, 0, [17], 5)) in statement(app)
    assert "The first prediction to change is the one after character 6 “l”." in statement(app)
    assert app.session_state["address"] == {"hold": "forget~0~1~17~6"}
    assert any("The clamped run is certified" in c.value and "same clamps" in c.value for c in app.caption)


def test_every_choice_is_heeded() -> None:
    app = opened("war-and-peace-lstm")
    change(app, signal="output", units="these", typed_units="3, 7-9", layer=1, start="other", typed_start=3)
    app.slider[0].set_value(0.25)
    ran(app)
    assert "Held at 0.25 from character 3 on, the output gate of units 3, 7-9 of layer 2" in statement(app)
    assert losses(lc.Clamp("output", 0.25, 1, [3, 7, 8, 9], 2), model="war-and-peace-lstm") in statement(app)
    assert any("That is 3 “e”" in c.value for c in app.caption)
    change(app, units="all", start="first")
    assert "Held at 0.25 throughout, the output gate of all 256 units of layer 2" in statement(app)
    assert app.session_state["address"] == {"hold": "output~0.25~2~all~1"}


def test_the_pin_is_followed() -> None:
    app = opened("war-and-peace-lstm")
    app.session_state["given"]["pin"] = {"step": 9, "unit": 200, "layer": 1}
    ran(app)
    assert "Held at 0 from character 10 on, the forget gate of unit 200 of layer 2" in statement(app)


@pytest.mark.parametrize("model", MODELS)
def test_each_signal_of_each_cell_can_be_chosen(model: str) -> None:
    app, cell = opened(model), lc.load(model).cell
    assert cell[app.selectbox[0].value].is_gate or not any(s.is_gate for s in cell.signals)
    assert len(app.selectbox[0].options) == len(cell.names)
    for name in cell.names:
        app.selectbox[0].set_value(name)
        assert f"the {cell[name].title} of unit 17" in statement(ran(app))


def test_another_model_keeps_what_it_can_have() -> None:
    app = opened("war-and-peace-lstm")
    change(app, signal="output", units="these", typed_units="200", layer=1)
    app.session_state["given"] |= {"model": "family-gru"}
    ran(app)
    assert "There is no unit 200; there are units 0 to 127." in said(app)
    change(app, units="pinned")
    assert "the update gate of unit 17:" in statement(app)


def test_units_that_are_none_get_a_sentence_and_the_picture_stays() -> None:
    app = opened()
    before = statement(app)
    app.session_state["clamp_units"] = "these"
    for typed in ("", "x", "9-7", "128", "1-2-3"):
        change(app, typed_units=typed)
        assert "⚠" in said(app) and said(app).endswith("What is shown is of the last clamp."), typed
        assert statement(app) == before


def test_a_value_that_a_signal_can_not_have_can_not_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lc.CharModel(lc.Vocabulary.of(TEXT), lc.cell("rnn").with_functions({"tanh": "relu"}), 4, name="tiny ReLU")
    monkeypatch.setattr(caches, "model", lambda name: model)
    monkeypatch.setattr(caches, "read", lambda name, text: lc.trace(model, text))
    app = opened(model.name, unit=0)
    assert app.number_input[0].label == "at" and app.number_input[0].min == 0 and app.number_input[0].max is None


def test_several_are_held_together_and_let_go_again() -> None:
    app = opened()
    next(b for b in app.button if b.key == "clamp_keep").click()
    ran(app)
    assert app.session_state["address"] == {"hold": "forget~0~1~17~6"}, "one clamp twice is one clamp"
    change(app, signal="input", units="all")
    both = (lc.Clamp("forget", 0, 0, [17], 5), lc.Clamp("input", 0, 0, None, 5))
    assert app.session_state["address"] == {"hold": "forget~0~1~17~6_input~0~1~all~6"}
    assert losses(*both) in statement(app)
    assert "the forget gate of unit 17 at 0 from character 6 on; the input gate of all 128 units" in statement(app)
    next(b for b in app.button if b.key == "clamp_let_go_0").click()
    assert losses(both[1]) in statement(ran(app))


@pytest.mark.parametrize(
    "asked, words",
    [
        ("forget~0~2~3.7-9~12", "Held at 0 from character 12 on, the forget gate of units 3, 7-9 of layer 2"),
        ("output~0.5~1~all~1", "Held at 0.5 throughout, the output gate of all 256 units of layer 1"),
        ("candidate~-0.5~2~17~6", "Held at −0.5 from character 6 on, the candidate of unit 17 of layer 2"),
        ("cell~-12.5~1~0~6", "Held at −12.5 from character 6 on, the cell state of unit 0 of layer 1"),
        (
            "forget~1~1~all~1_input~0~1~all~1",
            "Held: the forget gate of all 256 units of layer 1 at 1 throughout; the input gate",
        ),
    ],
)
def test_a_link_opens_exactly_its_clamps(asked: str, words: str) -> None:
    app = opened("war-and-peace-lstm", asked=asked)
    assert words in statement(app)
    assert app.session_state["address"] == {"hold": asked}
    assert ran(app).session_state["address"] == {"hold": asked}, "and they stay"


def test_a_link_made_before_characters_counted_from_1_opens_the_same_clamp() -> None:
    t = lc.trace(lc.load("family-lstm"), TEXT)
    found, _ = links.read(FIELDS, {"clamp": "forget~0~1~17~5"}, _Linked(), t)
    assert found.clamps == (lc.Clamp("forget", 0, 0, [17], 5),)


@pytest.mark.parametrize(
    "asked, sentence",
    [
        ("forget", "it is written signal~value~layer~units~character"),
        ("forget~0~1~all~-3", "“-3” is not available; available: characters 1 to 25"),
        ("forget~x~1~all~1", "“x” is not available; available: numbers"),
        ("forget~nan~1~all~1", "“nan” is not available; available: numbers"),
        ("forget~2~1~all~1", "the forget gate runs from 0 to 1; it can't be held at 2"),
        ("update~0~1~all~1", "LSTM has no signal 'update' to hold"),
        ("forget~0~0~all~1", "“0” is not available; available: one layer"),
        ("forget~0~2~all~1", "“2” is not available; available: one layer"),
        ("forget~0~1~9999~1", "“9999” is not available; available: units 0 to 127"),
        ("forget~0~1~all~0", "“0” is not available; available: characters 1 to 25"),
        ("forget~0~1~all~26", "“26” is not available; available: characters 1 to 25"),
        ("<b>~0~1~all~1", "no signal '<b>' to hold"),
    ],
)
def test_a_bad_link_gets_a_sentence(asked: str, sentence: str) -> None:
    found, (said,) = links.read(FIELDS, {"hold": asked}, _Linked(), lc.trace(lc.load("family-lstm"), TEXT))
    assert not found.clamps and sentence in said and said.startswith("The link asks for a clamp")


def test_after_a_bad_link_there_is_a_picture() -> None:
    app = opened(asked="<b>~0~1~all~1")
    assert "The link asks for a clamp" in said(app) and "no signal '<b>' to hold" in said(app)
    assert "Held at 0 from character 6 on, the forget gate of unit 17" in statement(app)


def test_address_and_clamp_are_inverse() -> None:
    t = lc.trace(lc.load("war-and-peace-lstm"), TEXT)
    for clamp in (
        lc.Clamp("forget", 1 / 3, 1, [3, 7, 8, 9], 11),
        lc.Clamp("hidden", -1e-7),
        lc.Clamp("cell", 12345.678, 0, [0]),
    ):
        query = links.write(FIELDS, _Linked((clamp,)))
        found, sentences = links.read(FIELDS, query, _Linked(), t)
        (back,) = found.clamps
        assert not sentences
        assert back.value == pytest.approx(clamp.value, rel=1e-8)
        assert (back.signal, back.layer, back.units, back.start) == (clamp.signal, clamp.layer, clamp.units, clamp.start)


def test_what_changes_inside_is_drawn_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    real = clamp_panel.difference_heatmaps
    monkeypatch.setattr(clamp_panel, "difference_heatmaps", lambda *a, **more: drawn.append(a) or real(*a, **more))
    clamp_panel._difference.clear()
    app = opened("war-and-peace-lstm")
    assert not drawn
    app.toggle[0].set_value(True)
    ran(app)
    (clamped, free, layer) = drawn[0]
    assert layer == 0 and not free.clamps and clamped.clamps == (lc.Clamp("forget", 0, 0, [17], 5),)
    change(app, inside_layer_0=1)
    assert drawn[1][2] == 1


def test_one_character_and_a_text_that_a_browser_could_misread() -> None:
    assert "one character has no loss" in statement(opened(text="x", step=0))
    odd = opened(text="<b>$x$ **b** :red[r]</b>\n", step=2)
    assert "character 3 “\\>”" in odd.markdown[0].value


def test_the_numbers_of_the_clamped_run_can_be_taken_away() -> None:
    app = opened()
    assert re.search(r"clamped", str(app.get("download_button")[0].proto))


def test_a_clamp_that_changes_nothing_says_so() -> None:
    t = lc.trace(lc.load("family-lstm"), TEXT)
    value = float(np.float32(t["output"][0, -1, 17]))
    app = opened(asked=f"output~{value:.9g}~1~17~25")
    assert "No prediction changes" in statement(app)


def test_the_certificate_of_a_long_text_is_asked_for() -> None:
    app = opened("family-rnn", "the clouds " * 100)
    assert not any("certified" in c.value for c in app.caption)
    next(b for b in app.button if b.key == "clamp_certify").click()
    assert any("The clamped run is certified" in c.value for c in ran(app).caption)
