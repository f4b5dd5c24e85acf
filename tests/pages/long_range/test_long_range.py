"""The page Long range: its sections in AppTest, what it packs for the browser, and the words that it makes from data."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from lstm_core import experiments, recall
from lstm_core.analysis import vanishing
from lstm_core.analysis.gradients import gradients
from lstm_core.analysis.memory import half_life
from lstm_core.analysis.spectrum import ClippingRun, Point
from lstm_core.analysis.window import Window, window
from lstm_core.recall import Protocol, Result
from pages.common import links
from pages.common.long_range import clipping, dial, gradient, rerun
from pages.common.long_range import view as long_range_view
from pages.common.long_range.choice import FIELDS, STATE, Choice
from pages.common.long_range.rerun import Run
from pages.common.long_range.view import Reader, payload
from pages.common.long_range.work import STOPPED, Work
from tests.pages import conftest

ROOT = Path(__file__).resolve().parents[3]
TEXT = "the clouds are in the sky"
TINY = Protocol(gaps=(1, 2), longest_gap=2, steps=6, warmup=1, tests=20, glances=10, looks=2)


def run(**query: str) -> AppTest:
    return conftest.run("pages/long_range.py", **{"text": TEXT, **query})


def words(app: AppTest) -> str:
    return conftest.words(app, "text", "caption", "markdown")


# The sections


def test_it_opens_on_the_gradient_of_three_cells() -> None:
    app = run()
    assert "How far back" in words(app) or "how far back" in words(app)
    assert "family-rnn" in words(app).replace("\\", "") and "Nothing explodes here" in words(app)
    assert app.query_params["section"] == "gradient"
    assert app.query_params["models"] == "family-rnn,family-lstm,family-gru-pytorch"


@pytest.mark.parametrize("section", ["gradient", "memory", "dial", "clipping"])
def test_every_section_opens_from_a_link(section: str) -> None:
    app = run(section=section, models="family-gru,family-rnn")
    assert app.query_params["section"] == section
    assert app.session_state["long range"].models == ("family-gru", "family-rnn")


@pytest.mark.parametrize(
    "query, sentence",
    [
        ({"section": "longest"}, "a section “longest”; there are gradient, memory, dial, clipping"),
        ({"models": "nobody"}, "The link names “nobody”: not among the models here"),
        ({"models": ",".join(m.name for m in lc.models()[:5])}, "names 5 models; the first 4 are shown"),
        ({"models": "war-and-peace-lstm", "of_layer": "3"}, "layer “3”; the deepest of these models has layers 1 to 2"),
        ({"of_layer": "x"}, "layer “x”"),
    ],
)
def test_a_bad_link_gets_a_sentence_and_a_picture(query: dict[str, str], sentence: str) -> None:
    app = run(**query)
    assert sentence in words(app)
    assert "Over all of these losses" in [s.value for s in app.subheader]


@pytest.mark.parametrize(
    "models, text",
    [("family-rnn,family-lstm", text) for text in ("a", "ab", "😀 שלום\0", "<b>$x$</b>")] + [("family-lstm", "x" * 1000)],
)
def test_any_text_is_followed_back(models: str, text: str) -> None:
    app = run(models=models, text=text)
    assert "Over all of these losses" in [s.value for s in app.subheader]


def test_a_long_text_says_which_part_and_which_losses() -> None:
    app = run(models="family-rnn", text="to be or not " * 100, step="1200")
    assert "Of the 1,300 characters, 1,000 around the pin are followed back: 301 to 1,300." in words(app)
    assert "every 5th character’s loss" in words(app)


def test_the_pin_of_other_pages_stays_where_it_was() -> None:
    app = run(models="family-rnn", text="a quick walk to the old mill " * 20, step="100")  # every third loss
    assert app.session_state["selection"].step == 100


def test_a_plain_rnn_has_no_half_life_and_that_is_one_sentence() -> None:
    app = run(section="memory", models="family-rnn")
    assert "family-rnn has no such gate" in words(app)
    assert not app.get("plotly_chart")


def test_units_that_hold_for_hundreds_of_steps_have_links_of_their_own() -> None:
    app = run(section="memory", models="war-and-peace-lstm")
    lives = half_life(lc.trace(lc.load("war-and-peace-lstm"), TEXT))
    long = int((lives >= 100).sum())
    assert long > 0
    links = app.get("page_link")
    assert len(links) == long
    layer, unit = np.argwhere(lives == lives.max())[0]
    assert f"unit {unit}: " in links[0].proto.label
    assert f"unit={unit}" in links[0].proto.query_string and f"layer={layer + 1}" in links[0].proto.query_string


# What the browser is sent


def reader(make_model, cell: str, text: str, stretch: Window, layers: int = 1) -> Reader:
    model = make_model(cell, layers=layers, name=cell)
    trace = lc.trace(model, text)
    return Reader(trace, gradients(model, trace, stretch.targets.tolist()))


def decoded(levels: np.ndarray, meta: dict) -> np.ndarray:
    """As assets/reach/data.js reads them."""
    return 10 ** (meta["low"] + (levels.astype(float) - 1) * (meta["high"] - meta["low"]) / (meta["levels"] - 1))


def test_every_norm_reaches_the_browser_to_two_digits(make_model) -> None:
    stretch = window(len(TEXT))
    readers = [reader(make_model, cell, TEXT, stretch, 2) for cell in ("lstm", "rnn")]
    sent = payload(readers, stretch, vanishing.TOP)
    meta = sent["meta"]
    for k, each in enumerate(readers):
        table = sent[f"norms{k}"]
        assert set(table.column_names) == ({"hidden", "cell", "direct cell"} if k == 0 else {"hidden"})
        for name in table.column_names:
            source = each.found.direct if name.startswith("direct ") else each.found.norms
            rows = source[name.removeprefix("direct ")][1]
            wanted = np.concatenate([row[: t + 1] for row, t in zip(rows, each.found.targets)])
            np.testing.assert_allclose(decoded(table[name].to_numpy(), meta), wanted, rtol=5e-3)
        pushes = np.concatenate([row[: t + 1] for row, t in zip(each.found.characters, each.found.targets)])
        np.testing.assert_array_equal(sent[f"pushes{k}"]["pushes"].to_numpy(), -pushes)


def test_nothing_and_endless_have_levels_of_their_own() -> None:
    levels = long_range_view._logarithms(np.array([0, 1e-3, 10, np.inf], np.float32), -3, 1)
    assert levels.tolist() == [0, 1, 65533, 65535]
    assert long_range_view._ends([np.array([0.0, np.inf])]) == (0.0, 1.0)


def test_fates_are_those_of_the_analysis(make_model) -> None:
    stretch = window(60)
    each = reader(make_model, "rnn", (TEXT * 3)[:60], stretch)
    sent = payload([each], stretch, vanishing.TOP)
    fate = vanishing.fate(vanishing.share(each.found, vanishing.path(each.found)))
    assert sent["fates0"]["vanished hidden"].to_pylist() == fate.vanished.tolist()
    assert sent["fates0"]["exploded hidden"].to_pylist() == fate.exploded.tolist()


def test_what_is_packed_is_kept_until_something_else_is_asked_for(make_model) -> None:
    stretch = window(len(TEXT))
    readers = [reader(make_model, "lstm", TEXT, stretch, 2)]
    first = payload(readers, stretch, vanishing.TOP)
    assert payload(readers, stretch, vanishing.TOP) is first
    assert payload(readers, stretch, 0) is not first


def test_a_thousand_characters_are_sent_in_few_bytes(make_model) -> None:
    stretch = window(1000)
    sent = payload([reader(make_model, "lstm", (TEXT * 40)[:1000], stretch)], stretch, vanishing.TOP)
    assert len(sent["meta"]["targets"]) == 200
    assert sum(table.nbytes for name, table in sent.items() if name != "meta") < 1_500_000


# The work


def test_two_sessions_carry_one_computation_on() -> None:
    stretch = window(len(TEXT))
    one = Work("family-lstm", TEXT, stretch)
    one.advance(0)
    assert one.result is None
    shares = []
    while one.result is None:
        one.advance(0.001)
        shares.append(one.share)
    assert shares == sorted(shares) and shares[-1] == 1.0
    model = lc.load("family-lstm")
    np.testing.assert_array_equal(one.result.norms["cell"], gradients(model, lc.trace(model, TEXT)).norms["cell"])


def test_the_last_loss_of_a_stretch_is_about_the_character_that_came_next() -> None:
    text = "to be or not " * 100
    stretch = window(len(text), 600)
    assert stretch.stop < len(text)
    one = Work("family-rnn", text, stretch)
    while one.result is None:
        one.advance(1)
    assert lc.load("family-rnn").vocabulary.characters[one.result.aims[-1]] == text[stretch.stop]


# Words made from data


def result(cell: str, accuracy: dict[int, float], seed: int = 1, draw: recall.Draw = "alone") -> Result:
    return Result(draw, cell, 8, seed, accuracy, (), 100, 1.0)


PROTOCOL = Protocol(gaps=(1, 10, 100))


def test_the_table_of_means_shows_100_percent_for_1_alone_and_is_sorted_by_the_means() -> None:
    found = dial.table([result("rnn", {1: 0.996, 10: 0.9997}), result("lstm", {1: 1.0})])
    shown = found.to_html()
    assert [f"{words}</td>" in shown for words in ("99.6 %", "over 99.9 %", "100 %", "–")] == [True] * 4
    assert shown.count("100 %") == 1
    assert found.data["1"].tolist() == [0.996, 1.0] and math.isnan(found.data["10"][1])


def test_how_far_each_cell_reaches_is_read_off_the_results() -> None:
    results = [result("rnn", {1: 1.0, 10: 0.3, 100: 0.95}), result("lstm", {1: 1.0, 10: 0.9, 100: 0.1})]
    said = " ".join(dial.findings(results, PROTOCOL))
    assert "LSTM up to 10, RNN up to 1 (tested up to 100)" in said, "a break ends it, whatever comes behind"
    assert "every gated cell reaches further than the plain RNN’s 1" in said
    assert "no better than guessing: LSTM" in said


def test_where_the_essay_does_not_hold_that_is_said() -> None:
    alike = [result(cell, {1: 1.0, 10: 1.0, 100: 0.5}) for cell in ("rnn", "lstm")]
    assert "this task does not show it" in " ".join(dial.findings(alike, PROTOCOL))
    mixed = [*alike, result("gru", {1: 1.0, 10: 1.0, 100: 1.0})]
    said = " ".join(dial.findings(mixed, PROTOCOL))
    assert "it holds for GRU (the essay's), which reach further than the plain RNN’s 10, and not for LSTM" in said
    assert "better than guessing, and not reliable: RNN 50 %, LSTM 50 %" in said


def test_where_the_seed_decides_that_is_said() -> None:
    runs = [result("gru", {1: 1.0, 10: share, 100: 0.1}, seed) for seed, share in enumerate((1.0, 0.2, 1.0))]
    assert any("GRU (the essay's) at 10" in sentence for sentence in dial.findings(runs, PROTOCOL))
    steady = [result("gru", {1: 1.0, 10: 0.9, 100: 0.1}, seed) for seed in (1, 2)]
    assert not any("seed" in sentence for sentence in dial.findings(steady, PROTOCOL))


def test_other_ways_of_training_are_not_left_out() -> None:
    results = (
        result("rnn", {1: 0.1}), result("lstm", {1: 1.0}),
        result("rnn", {1: 1.0, 10: 1.0}, draw="short"), result("lstm", {1: 1.0, 10: 1.0}, draw="short"),
    )  # fmt: skip
    found = experiments.RecallResults({"alone": PROTOCOL, "short": PROTOCOL}, 8, results, {}, "make")
    (said,) = dial.elsewhere(found, "alone")
    assert "the plain RNN recalls up to 10, the gated cells up to 10; so here the plain RNN can do it too" in said
    (said,) = dial.elsewhere(found, "short")
    assert "the plain RNN recalls over no gap, the gated cells up to 1" in said


def clipped(
    clip: float | None, seed: int, loss: float, largest: float, sigma: float, diverged: int | None = None
) -> ClippingRun:
    points = (Point(0, math.nan, math.nan, math.nan, 1.5, 1.5), Point(10, loss, 1.0, largest, sigma, sigma))
    return ClippingRun(1.5, clip, seed, points, {}, diverged, 1.0)


def test_what_clipping_does_is_read_off_the_runs() -> None:
    runs = {
        None: [clipped(None, 1, 5.0, 1000, 90.0), clipped(None, 2, 2.0, 4, 3.0, diverged=14)],
        1.0: [clipped(1.0, 1, 2.5, 4, 1.6), clipped(1.0, 2, 2.4, 0.5, 1.7)],
    }
    said = " ".join(clipping.findings(runs, 4.0))
    assert "Not clipped: the last loss is 5.00 nats a character, not all below the 4.00" in said
    assert "1 of 2 runs broke down, after 14 steps" in said
    assert "Clipped at 1: the last loss is 2.40 to 2.50 nats a character, all below the 4.00" in said
    assert "at 50 % of the points it was above 1, and shortened" in said
    assert "not clipped from 1.5 to 3–90; clipped at 1 from 1.5 to 1.6–1.7" in said
    assert "With clipping every one of the 2 seeds ends lower" in said


def test_where_clipping_does_not_help_that_is_said() -> None:
    runs = {None: [clipped(None, 1, 2.0, 2, 1.6)], 1.0: [clipped(1.0, 1, 2.1, 2, 1.6)]}
    assert "none of the 1 seeds ends lower" in " ".join(clipping.findings(runs, 4.0))
    alike = {None: [clipped(None, 1, 2.0, 2, 1.6)], 1.0: [clipped(1.0, 1, 1.99, 2, 1.6)]}
    assert "Clipping makes no difference to the end here" in " ".join(clipping.findings(alike, 4.0))


def test_a_table_of_what_is_left_says_what_the_analysis_says(make_model) -> None:
    text = (TEXT * 5)[:110]
    found = [reader(make_model, cell, text, window(110)).found for cell in ("rnn", "lstm")]
    _, _, rnn, lstm = gradient.table(found, vanishing.TOP).splitlines()
    left = vanishing.left(vanishing.share(found[0], vanishing.path(found[0])))
    assert rnn.startswith("| rnn, through h |") and "no direct path" in rnn and lstm.startswith("| lstm, through C |")
    cells = [cell.strip() for cell in rnn.split("|")]
    assert float(cells[2]) == pytest.approx(left.middle[1], rel=0.1)


# A link


def test_a_look_comes_back_from_its_own_query() -> None:
    models = {info.name: info for info in lc.models()}
    choice = Choice(("war-and-peace-lstm", "family-gru"), "memory", 0)
    assert STATE.from_query(links.write(FIELDS, choice), models, Choice(("family-rnn",))) == (choice, [])


# The results that ship, and their absence


def test_without_its_file_a_section_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def none(*_: object) -> None:
        raise FileNotFoundError(tmp_path / "none.json")

    monkeypatch.setattr(experiments, "recall_results", none)
    monkeypatch.setattr(experiments, "clipping_results", none)
    assert "holds no recall.json" in words(run(section="dial"))
    assert "holds no clipping.json" in words(run(section="clipping"))


def test_a_file_that_is_none_gets_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("{}")
    real = experiments.recall_results
    monkeypatch.setattr(experiments, "recall_results", lambda: real(tmp_path / "odd.json"))
    assert "can't be read: odd.json holds no results of the experiment 'recall'" in words(run(section="dial"))


# The dial, run again


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(recall, "QUICK", TINY)
    yield
    streamlit.cache_resource.clear()


@pytest.mark.usefixtures("tiny")
def test_a_run_goes_to_its_end_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    app = run(section="dial")
    app.button[0].click().run()
    assert not app.exception
    assert "Done: RNN, LSTM, 16 units, seed 1." in words(app)
    done: Run = app.session_state[rerun.KEY]
    assert set(done.accuracies) == {"rnn", "lstm"} and all(set(found) == {1, 2} for found in done.accuracies.values())
    assert set(threading.enumerate()) <= before


@pytest.mark.usefixtures("tiny")
def test_a_stopped_run_waits_and_goes_on_to_the_same_end() -> None:
    app = run(section="dial")
    half = Run(("rnn",), 8, 3)
    half.advance()
    half.stopped = True
    app.session_state[rerun.KEY] = half
    app.run()
    assert f"Stopped at {100 * half.done:.0f} %." in words(app) and 0 < half.done < 1
    app.button(key="long range: go on").click().run()
    assert "Done: RNN, 8 units, seed 3." in words(app)
    whole = Run(("rnn",), 8, 3)
    while not whole.finished:
        whole.advance()
    assert whole.accuracies == half.accuracies


@pytest.mark.usefixtures("tiny")
def test_a_run_that_is_thrown_away_is_gone() -> None:
    app = run(section="dial")
    app.session_state[rerun.KEY] = Run(("rnn",), 8, 3, stopped=True)
    app.run()
    app.button(key="long range: away").click().run()
    assert rerun.KEY not in app.session_state


@pytest.mark.usefixtures("tiny")
def test_no_cell_gets_a_sentence() -> None:
    app = run(section="dial")
    app.multiselect(key="long range: cells").set_value([])
    app.button[0].click().run()
    assert "Choose a cell to train" in words(app)


def test_the_share_that_is_done_rises_over_all_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "QUICK", TINY)
    one, shares = Run(("rnn", "gru"), 4, 1), []
    while not one.finished:
        one.advance()
        shares.append(one.done)
        assert one.progress_text()
    assert shares == sorted(shares) and shares[-1] == 1.0 and 0 < shares[0] < 0.5


def test_following_back_can_be_stopped_and_goes_on() -> None:
    text = "nobody has read this text before, and nobody is in a hurry"
    app = AppTest.from_file(str(ROOT / "pages" / "long_range.py"), default_timeout=60)
    app.query_params["text"], app.query_params["models"] = text, "family-lstm"
    app.session_state[STOPPED] = (("family-lstm",), text, window(len(text)))
    app.run()
    assert not app.exception
    assert "Stopped at 0 %." in words(app) and "Over all of these losses" not in [s.value for s in app.subheader]
    app.button[0].click().run()
    assert "Over all of these losses" in [s.value for s in app.subheader]


def test_a_model_that_has_gone_is_no_longer_looked_at() -> None:
    app = run()
    app.session_state["long range"] = Choice(("mine: gone", "family-gru"))
    app.run()
    assert not app.exception
    assert app.session_state["long range"].models == ("family-gru",)
