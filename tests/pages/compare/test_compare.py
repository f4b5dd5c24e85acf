"""The page Compare in AppTest: its three views, good and bad links, never an exception box."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from lstm_core.analysis.costs import cost
from lstm_core.analysis.disagreement import disagreement
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from pages.common import links
from pages.common.compare import choice as compare_choice
from pages.common.compare import family
from pages.common.compare.choice import FIELDS, STATE, TOP, Comparison
from pages.common.compare.models import not_comparable
from pages.common.compare.texts import proposed
from pages.common.selection import ALL_LAYERS
from tests.pages import conftest

ROOT = Path(__file__).resolve().parents[3]
TEXT = "a quiet evening"
FAMILY = ("family-rnn", "family-lstm", "family-gru-pytorch")


def run(entry: str = "pages/compare.py", **query: str) -> AppTest:
    return conftest.run(entry, **query)


def said(app: AppTest) -> str:
    return conftest.words(app, "text", "caption", "markdown")


def chosen(app: AppTest) -> Comparison:
    return app.session_state[compare_choice.STATE.key]


def test_three_of_the_family_stand_side_by_side_at_once() -> None:
    app = run(text=TEXT)
    assert chosen(app).models == FAMILY
    losses, peaks = (element.value for element in app.dataframe)
    traces = [lc.trace(lc.load(name), TEXT) for name in FAMILY]
    assert list(losses["here"]) == pytest.approx([trace.loss for trace in traces])
    between = disagreement(traces, 8)
    assert list(peaks["character"]) == [step + 1 for step in between.peaks]
    assert list(peaks["nats"]) == pytest.approx([float(between.values[step]) for step in between.peaks])
    assert "Certified" in said(app)


def test_from_app_py_it_is_one_of_the_pages() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    assert "Certified" in said(app)


def test_models_are_chosen_and_one_alone_is_not_enough() -> None:
    app = run(text=TEXT)
    choice = app.multiselect(key="compare: models")
    choice.set_value(["family-gru", "war-and-peace-lstm"]).run()
    assert not app.exception
    assert chosen(app).models == ("family-gru", "war-and-peace-lstm") and chosen(app).layers == (TOP, TOP)
    app.selectbox(key="compare: layer of war-and-peace-lstm").set_value(ALL_LAYERS).run()
    assert not app.exception
    assert chosen(app).layers_of("war-and-peace-lstm", 2) == (0, 1)
    choice.set_value(["family-gru"]).run()
    assert "needs 2 models or more" in said(app)
    assert chosen(app).models == ("family-gru", "war-and-peace-lstm")


def test_what_a_model_does_not_know_is_read_as_something_else_and_said() -> None:
    app = run(text="naïve “x” 😀")
    for name in FAMILY:
        assert f"{name} does not know every character here" in said(app)


@pytest.mark.parametrize("view", compare_choice.VIEWS)
def test_any_text_is_read_in_every_view(view: str) -> None:
    """The shortest in all of them; of the others each in one: how a text is written is the same code everywhere."""
    others = ["a\0b", "שלום", "\t\n", "😀", "<b>bold</b>", "$x$ **b**"]
    for text in ("x", *others[list(compare_choice.VIEWS).index(view) :: len(compare_choice.VIEWS)]):
        run(text=text, view=view)


def test_a_long_text_is_compared_as_far_as_memory_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.common.compare import models as compare_models

    monkeypatch.setattr(compare_models, "MOST_NUMBERS", 100_000)
    app = run(text="It was a long road. " * 10, models="family-lstm,family-gru")
    most = 100_000 // (128 * 10)
    assert f"read {most} of the 200 characters" in said(app)


def test_a_link_opens_exactly_its_view() -> None:
    wanted = {
        "view": "models", "models": "family-gru,war-and-peace-lstm,family-rnn", "layers": "top,1,top",
        "pin": "war-and-peace-lstm:1:200:5", "text": TEXT, "model": "family-lstm", "layer": "1", "character": "5",
    }  # fmt: skip
    app = run(**wanted)
    assert chosen(app) == Comparison(
        ("family-gru", "war-and-peace-lstm", "family-rnn"), (TOP, 0, TOP), "models", None, ("war-and-peace-lstm", 0, 200, 4)
    )
    assert {name: app.query_params[name] for name in wanted} == wanted


def test_two_texts_that_differ_by_a_word() -> None:
    app = run(view="texts", model="family-lstm", text="the clouds are in the sky")
    assert app.text_area(key="compare: second text").value == "the crowds are in the sky"
    app.text_area(key="compare: second text").set_value("the dark clouds are in the sky").run()
    assert not app.exception
    a, b = (lc.trace(lc.load("family-lstm"), t) for t in ("the clouds are in the sky", "the dark clouds are in the sky"))
    assert f"first text: {a.loss:.3f}" in said(app) and f"second text: {b.loss:.3f}" in said(app)
    assert app.query_params["text2"] == "the dark clouds are in the sky"


def test_the_numbers_of_two_texts_add_up() -> None:
    app = run(view="texts", model="family-lstm", text=TEXT, text2="a quick evening", at="family-lstm:1:9:8")
    table = app.dataframe[0].value
    assert list(table["difference"]) == pytest.approx(list(table["first text"] - table["second text"]), abs=2e-4)
    trace = lc.trace(lc.load("family-lstm"), TEXT)
    assert list(table["first text"]) == pytest.approx([trace[name][0, 8, 9] for name in trace.signals], abs=1e-4)


def test_a_second_text_that_can_t_be_read_is_named_and_the_last_one_stays() -> None:
    app = run(view="texts", text=TEXT, text2="a quick evening")
    app.text_area(key="compare: second text").set_value("").run()
    assert "no text to read" in said(app)
    assert chosen(app).text2 == "a quick evening"
    app.button[0].click().run()
    assert chosen(app).text2 == TEXT and "no text to read" not in said(app)


def test_texts_too_different_to_be_set_side_by_side_get_a_sentence() -> None:
    app = run(view="texts", model="family-rnn", text="a" * 2100, text2="b" * 2100)
    assert "The texts differ over 2,100 characters" in said(app)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"models": "no-such,family-rnn"}, "“no-such”"),
        ({"models": "family-rnn"}, "needs 2 to 6 models"),
        ({"models": ""}, "needs 2 to 6 models"),
        ({"view": "cells"}, "there are models, texts, family"),
        ({"layers": "7,1,1"}, "layer “7”; family-rnn has one layer"),
        ({"pin": "family-rnn:x"}, "model:layer:unit:character"),
        ({"pin": "family-rnn:0:1:1"}, "“0” is not available; available: layers from 1 up"),
        ({"view": "texts", "text2": ""}, "no text to read"),
    ],
)
def test_a_bad_link_gets_a_sentence_and_a_picture(query: dict[str, str], sentence: str) -> None:
    app = run(text=TEXT, **query)
    assert sentence in said(app)
    assert "Certified" in said(app)


def test_a_pin_from_outside_is_brought_inside() -> None:
    app = run(text=TEXT, pin="family-lstm:9:9999:9999")
    assert chosen(app).pin == ("family-lstm", 0, 127, len(TEXT) - 1)


def test_a_unit_pinned_on_another_page_is_pinned_here_where_its_model_is_among_those_compared() -> None:
    assert chosen(run(text=TEXT, model="family-lstm", unit="17", character="4")).pin == ("family-lstm", 0, 17, 3)
    other = chosen(run(text=TEXT, model="war-and-peace-lstm", layer="2", unit="17", character="4")).pin
    assert other is not None and other[0] == FAMILY[0] and other[3] == 3


def test_the_query_and_the_comparison_are_inverse() -> None:
    models = {info.name: info for info in lc.models()}
    default = compare_choice.first(models)
    for comparison in (
        default,
        Comparison(("family-gru", "python-lstm"), (TOP, ALL_LAYERS), "family"),
        Comparison(("shakespeare-lstm", "python-lstm"), (0, TOP), "models", None, ("python-lstm", 1, 3, 4)),
    ):
        assert STATE.from_query(links.write(FIELDS, comparison), models, default) == (comparison, [])


def test_the_table_says_what_the_analysis_and_the_cards_say() -> None:
    app = run(view="family", models="war-and-peace-lstm,family-rnn")
    table = app.dataframe[0].value.set_index("model")
    infos = {info.name: info for info in lc.models()}
    assert set(table.index) == {name for name in infos if name.startswith("family-")} | {"war-and-peace-lstm"}
    for name, row in table.iterrows():
        counted = cost(lc.load(name))
        assert (row["equations"], row["parameters"]) == (counted.equations, counted.parameters)
        assert row["multiplications"] == counted.multiplications
        assert row["loss"] == infos[name].card["held_out_loss"]
    assert "Not measured" not in said(app)


def test_milliseconds_are_measured_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "RUNS", 1)
    monkeypatch.setattr(family, "MEASURED_STEPS", 20)
    app = run(view="family", text=TEXT)
    assert app.dataframe[0].value["ms a character"].isna().all()
    app.button(key="compare_measure").click().run()
    assert not app.exception
    assert (app.dataframe[0].value["ms a character"] > 0).all()


def test_what_is_said_beside_the_studies_is_read_off_the_losses() -> None:
    losses = {"rnn": 1.5, "lstm": 1.36, "peephole": 1.36, "coupled": 1.4, "gru": 1.25, "gru_pytorch": None}
    here = " ".join(mine for _, mine in family.findings(losses, 1.0))
    assert "Lowest loss: GRU (the essay's), 1.250. Highest: RNN, 1.500." in here
    assert "Coupled gates 1.400, separate ones 1.360: 0.040 nats higher." in here
    assert "Without peepholes 1.360, with them 1.360: the same." in here
    assert "The essay's GRU 1.250, the LSTM 1.360: 0.110 nats lower. One of the two models is not here." in here
    assert "started at 1, by its card" in here


def test_a_model_of_bytes_and_one_of_characters_share_no_axis() -> None:
    readers = [
        CharModel(Vocabulary.of_bytes(), "rnn", 4, name="bytes"),
        CharModel(Vocabulary.of("né"), "rnn", 4, name="letters"),
    ]
    assert "bytes takes 3 steps for this text and letters 2" in not_comparable([lc.trace(model, "né") for model in readers])
    assert not_comparable([lc.trace(model, "nn") for model in readers]) == ""


@pytest.mark.parametrize(
    ("text", "second"),
    [("the clouds are in the sky", "the crowds are in the sky"), ("one two three", "one three"), ("x", "xx"), ("a b", "a bb")],
)
def test_a_second_text_to_begin_with(text: str, second: str) -> None:
    assert proposed(text) == second


def own(app: AppTest, cell: str, vocabulary: Vocabulary) -> str:
    """Gives the session a small model of its own; the name that it is listed by."""
    model = CharModel(vocabulary, cell, 6, 2, name="tried")

    def page() -> None:
        import streamlit as st

        from pages.common import own_models

        st.session_state["listed"] = own_models.add(st.session_state["to add"], "a test")

    adding = AppTest.from_function(page, default_timeout=30)
    adding.session_state["to add"] = model
    adding.run()
    assert not adding.exception
    app.session_state["own models"] = adding.session_state["own models"]
    return adding.session_state["listed"]


def test_an_address_holds_no_half_of_a_surrogate_pair() -> None:
    first = Comparison(("a", "b"), (0, 0), "texts", text2="so")
    assert links.write(FIELDS, first)["text2"] == "so"
    assert "text2" not in links.write(FIELDS, replace(first, text2="so \ud83d"))


def test_a_model_of_the_session_s_own_is_compared_and_let_go() -> None:
    app = run(text=TEXT)
    name = own(app, "peephole", Vocabulary.of(TEXT))
    app.run()
    app.multiselect(key="compare: models").set_value(["family-lstm", name]).run()
    assert not app.exception
    assert chosen(app).models == ("family-lstm", name)
    assert list(app.dataframe[0].value["model"]) == ["family-lstm", name]
    app.session_state["own models"].models.clear()
    app.session_state["own models"].results.clear()
    app.run()
    assert not app.exception
    assert chosen(app).models == ("family-lstm", "family-rnn")


def test_a_model_of_bytes_gets_a_sentence_where_it_takes_other_steps() -> None:
    app = run(text="naïve")
    name = own(app, "gru", Vocabulary.of_bytes())
    app.run()
    app.multiselect(key="compare: models").set_value(["family-lstm", name]).run()
    assert not app.exception
    assert "one of them reads bytes" in said(app)
