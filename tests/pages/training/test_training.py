"""The page Training in AppTest: its three sections, good and bad links, never an exception box; and what it says."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from lstm_core.analysis import growth, memory
from lstm_core.analysis.growth import Stage
from lstm_core.worker import Report
from pages.common import links, own_models
from pages.common.training import bias as training_bias
from pages.common.training import choice, here
from pages.common.training import life as training_life
from pages.common.training.choice import FIELDS, STATE, Choice
from pages.common.training.view import NEWEST, Place, _Shown
from tests.pages import conftest

ROOT = Path(__file__).resolve().parents[3]
TEXT = "a quiet evening"
LEARNT = "the clouds are in the sky, and the sky is blue. " * 60
LIVES = ("lstm", "gru")


def run(entry: str = "pages/training.py", **query: str) -> AppTest:
    return conftest.run(entry, **query)


def said(app: AppTest) -> str:
    return conftest.words(app, "text", "caption", "markdown", "info")


def look(app: AppTest) -> Choice:
    return app.session_state[choice.STATE.key]


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    yield
    for _ in range(100):
        if not [thread for thread in threading.enumerate() if thread.name.startswith("training")]:
            return
        time.sleep(0.1)
    raise AssertionError("a training goes on")


# a model's life


def test_a_life_is_shown_at_once_with_what_happened_in_it() -> None:
    app = run(text=TEXT)
    life = lc.life("lstm")
    assert look(app) == Choice("life", "lstm", None)
    assert f"{life.losses[0]:.2f} nats a character untrained" in said(app)
    stages = growth.stages(life, TEXT)
    assert f"{stages[-1].trace.loss:.2f} trained" in said(app)
    assert f"{growth.mean_keep(stages[-1].trace):.2f} trained" in said(app)


def test_from_app_py_it_is_one_of_the_pages() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.switch_page("pages/training.py").run()
    assert not app.exception and "after 5,618 steps" in said(app)


@pytest.mark.parametrize("name", [life.name for life in lc.lives()])
def test_every_life_can_be_chosen(name: str) -> None:
    app = run(text=TEXT, life=name)
    assert look(app).life == name
    assert ("half-life" in said(app)) == growth.keeps(lc.trace(lc.life(name).model(0), "ab"))


def test_a_long_text_is_cut_and_that_is_said() -> None:
    app = run(text="the sky " * 40)
    assert "The first 200 of the text’s 320 characters go through every checkpoint." in said(app)


def test_a_pin_comes_from_the_link_and_becomes_a_model_of_one_s_own() -> None:
    app = run(text=TEXT, life="gru", pin="4:5:5")
    assert look(app).place == Place(3, 4, 5)
    app.button(key="life: use").click().run()
    assert not app.exception
    step = lc.life("gru").steps[3]
    (name,) = app.session_state[own_models.KEY].models
    assert f"It is listed as “{name}”" in said(app) and f"{step} steps" in name


def test_a_click_in_the_picture_is_remembered_in_the_address() -> None:
    app = run(text=TEXT)
    shown: _Shown = app.session_state["life: shown"]
    app.session_state["life"] = {"pin": {"stage": 2, "step": 3, "unit": 4, "serial": shown.serial}}
    app.run()
    assert not app.exception and look(app).place == Place(2, 3, 4)
    assert app.query_params["pin"] == "3:4:4"
    app.session_state["life"] = {"pin": {"stage": 1, "step": 1, "unit": 1, "serial": shown.serial - 1}}
    app.run()
    assert look(app).place == Place(2, 3, 4)


def test_the_numbers_are_those_of_the_traces() -> None:
    stages = growth.stages(lc.life("rnn"), "ab,\n")
    lines = training_life.to_csv(stages).splitlines()
    assert lines[0].startswith("step,characters_read,held_out_loss,place,character")
    assert len([line for line in lines if line.startswith("5618,")]) == 4
    assert f"0,0,{stages[0].loss:.6g},2,b,b,{stages[0].trace.surprise[1]:.6g}" in lines


def test_a_bad_link_is_told_and_good_parts_of_it_hold() -> None:
    good = Choice("life", "gru", Place(1, 2, 3))
    assert links.write(FIELDS, good) == {"section": "life", "life": "gru", "pin": "2:3:3"}
    for asked in ({"pin": "2:3:3"}, {"at": "1:2:3"}, {"pin": "2:3:3", "at": "7:7:7"}):
        assert STATE.from_query({"section": "life", "life": "gru", **asked}, LIVES, Choice()) == (good, [])
    for bad in ({"section": "x"}, {"life": "x"}, *({"pin": pin} for pin in ("x", "1:2", "1:-2:3", "0:1:1", "1:2:" + "9" * 20))):
        found, sentences = STATE.from_query(bad, LIVES, Choice(place=Place(0, 0, 0)))
        assert found == Choice() and len(sentences) == 1
    app = run(text=TEXT, section="nonsense", life="<b>")
    assert "“nonsense”" in said(app) and "“<b>”" in said(app)
    assert not run(text=TEXT, pin="99:999:999").exception


def test_where_no_life_is_shipped_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_life, "shipped", lambda: ({}, ()))
    assert "No life of a model is shipped" in said(run(text=TEXT))
    assert "nothing to compare" in said(run(text=TEXT, section="bias"))


# the forget gate's bias


def test_the_biases_are_compared_in_words_that_are_the_data_s() -> None:
    app = run(text=TEXT, section="bias")
    lives = training_bias.by_bias({life.name: life for life in lc.lives()})
    assert list(lives) == [0.0, 1.0, 2.0]
    best = min(lives, key=lambda bias: lives[bias].losses[-1])
    assert f"At the end: bias {best:g} {lives[best].losses[-1]:.3f}" in said(app)
    holds = "it holds" if best >= 1 else "it does not hold"
    assert f"characters: {holds}" in said(app)


def test_the_words_follow_the_numbers() -> None:
    found = {bias: of(name) for bias, name in ((0.0, "lstm-bias-0"), (2.0, "lstm-bias-2"))}
    turned = {2.0 - bias: stages for bias, stages in found.items()}
    assert training_bias._advice(found) != training_bias._advice(turned)
    assert training_bias._advice({0.0: found[0.0]}) == ""
    half = training_bias._half_lives(found)
    median = float(sorted(memory.half_life(found[0.0][-1].trace).ravel())[0])
    assert median < growth.median_half_life(found[0.0][-1].trace)
    assert f"bias 0 {growth.median_half_life(found[0.0][-1].trace):.2g} characters" in half


def of(name: str) -> tuple[Stage, ...]:
    return growth.stages(lc.life(name), "the clouds are in the sky")


# train one here


def begin(app: AppTest, **chosen: object) -> AppTest:
    app.segmented_control(key="training here: text").set_value("paste").run()
    app.selectbox(key="training here: budget").set_value("passes").run()
    app.number_input(key="training here: passes").set_value(chosen.pop("passes", 40))
    app.text_area(key="training here: pasted").set_value(str(chosen.pop("text", LEARNT)))
    app.select_slider(key="training here: units").set_value(16)
    for name, value in chosen.items():
        app.selectbox(key=f"training here: {name}").set_value(value)
    app.button(key="training here: train").click().run()
    assert not app.exception, app.exception
    return app


def test_it_trains_and_what_it_learnt_is_kept(no_thread_is_left: None) -> None:
    app = begin(run(text=TEXT, section="here"), cell="gru_pytorch", passes=10)
    training = app.session_state[here.KEY].training
    assert training.recipe.cell == "gru_pytorch" and training.recipe.units == 16
    while training.report().works:  # the page is drawn again at the end alone
        time.sleep(0.1)
    app.run()
    assert "Done after" in said(app) and not app.exception
    app.button(key="training here: keep").click().run()
    assert not app.exception
    (name,) = app.session_state[own_models.KEY].models
    assert name.startswith(own_models.PREFIX) and f"It is listed as “{name}”" in said(app)
    losses = training.report().train_losses
    assert losses[-1][1] < losses[0][1]
    app.button(key="training here: away").click().run()
    assert app.session_state[here.KEY].training is None


def wait_for_step(app: AppTest, step: int) -> None:
    """Until a training has made so many steps, while it works."""
    training = app.session_state[here.KEY].training
    while training.report().step < step:
        assert training.report().works
        time.sleep(0.05)


def test_it_is_stopped_and_goes_on_and_one_at_a_time_is_trained(no_thread_is_left: None) -> None:
    app = begin(run(text=TEXT, section="here"), passes=200, text=LEARNT * 20)
    assert app.button(key="training here: train").disabled
    wait_for_step(app, 1)
    app.button(key="training here: stop").click().run()
    app.run()
    assert "Stopped after" in said(app) and not app.button(key="training here: train").disabled
    stopped = app.session_state[here.KEY].training.report().step
    app.button(key="training here: go on").click().run()
    wait_for_step(app, stopped + 1)
    app.button(key="training here: stop").click().run()


@pytest.mark.parametrize(
    "text, words", [("", "has 0 characters"), ("too short", "has 9 characters"), ("a" * 99, "at least 100 are needed")]
)
def test_a_text_that_is_too_short_is_one_sentence(text: str, words: str) -> None:
    app = begin(run(section="here"), text=text)
    assert "⚠ The corpus" in said(app) and words in said(app)
    assert app.session_state[here.KEY].training is None


def test_an_upload_that_is_not_there_is_one_sentence() -> None:
    app = run(section="here")
    app.segmented_control(key="training here: text").set_value("upload").run()
    app.button(key="training here: train").click().run()
    assert "⚠ There is no file yet" in said(app)


def test_long_texts_and_many_characters_are_limited() -> None:
    corpus = here.corpus_of("ab" * here.MOST_TEXT, "long")
    assert len(corpus.train) == 0.9 * here.MOST_TEXT and len(corpus.held_out) == here.MOST_HELD_OUT
    assert "900,000 characters to train" in corpus.split
    many = "".join(chr(0x4E00 + k) for k in range(3000)) + "the sky " * 100
    vocabulary = here.known(here.corpus_of(many, "many"))
    assert len(vocabulary) == here.MOST_KNOWN and all(c in vocabulary for c in "the sky")


def test_the_verdict_says_when_it_learns_by_heart() -> None:
    report = Report("running", "", 30, 100, 1.0, 2.0, ((10, 3.0), (30, 1.0)), ((10, 2.0), (20, 1.8), (30, 2.2)), (), 0)
    told = here.verdict(report, 4.0)
    assert "**1.000**" in told and "it was 1.800 after step 20" in told and "by heart" in told
    assert "by heart" not in here.verdict(replace(report, held_out_losses=((10, 2.0), (20, 1.8))), 4.0)
    assert here._left(math.nan) == "how long it takes is not known yet"
    assert here._left(125) == "about 2 min 5 s left"
    assert NEWEST < 0
