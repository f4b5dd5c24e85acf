"""Each page in AppTest: from app.py and by itself, with good and bad input, never an exception box."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from lstm_core.errors import InputError
from pages.common import address, detail, stage
from pages.common.selection import ALL_LAYERS, Selection, Sizes, World, from_query
from tests.pages import conftest

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = ("app.py", "pages/gates.py")


def run(entry: str = "app.py", **query: str) -> AppTest:
    return conftest.run(entry, **query)


def said(app: AppTest) -> str:
    return " ".join(element.value for element in app.text)


@pytest.mark.parametrize("entry", ENTRIES)
def test_something_true_is_on_the_page_at_once(entry: str) -> None:
    app = run(entry)
    assert app.session_state["selection"].text
    assert any("Certified" in c.value for c in app.caption)


def _broken(error: Exception) -> Callable[..., None]:
    def broken(*given: object) -> None:
        raise error

    return broken


@pytest.mark.parametrize("error", [ValueError("operands could not be broadcast together"), TypeError("NoneType")])
def test_a_bug_gets_the_error_box_and_a_line_to_report(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "certificate_line", _broken(error))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert len(app.exception) == 1
    line = f"Gatescope {lc.__version__}, page Gates, {type(error).__name__}. The traceback stands in the server's log"
    assert line in said(app)
    assert str(error) not in said(app)


def test_an_error_of_the_persons_gets_a_sentence_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "certificate_line", _broken(InputError("there is no layer 7; the layers are 1 and 2")))
    app = run()
    assert "⚠ There is no layer 7; the layers are 1 and 2." in said(app)
    assert "report it" not in said(app)


def _a_page_with_a_broken_part() -> None:
    from pages.common import frame

    def part() -> None:
        raise KeyError("none")

    with frame._errors_shown("Training"):
        frame.fragment("Training", part)()


def test_a_bug_in_a_fragment_gets_one_line_to_report() -> None:
    app = AppTest.from_function(_a_page_with_a_broken_part).run()
    assert len(app.exception) == 1
    (line,) = [text.value for text in app.text]
    assert f"Gatescope {lc.__version__}, page Training, KeyError." in line


def test_every_shipped_model_opens() -> None:
    app = run()
    for info in lc.models():
        conftest.report(app, model=info.name)
        assert not app.exception
        assert app.session_state["selection"].model == info.name
        assert any("Certified" in c.value for c in app.caption)


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""}, {"text": "a" * 20_001}, {"text": None}, {"model": "no-such"}, {"model": []}, {"layer": 7}, {"layer": "0"},
        {"layer": True}, {"session": "another"}, {"serial": 99},
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_is_not_followed(wrong: dict[str, object]) -> None:
    app = run()
    before = app.session_state["selection"]
    conftest.report(app, **{"text": "another", "unit": 7} | wrong)
    assert not app.exception
    now = app.session_state["selection"]
    assert (now.model, now.text) == (before.model, before.text)
    assert any("Certified" in c.value for c in app.caption)


@pytest.mark.parametrize("wrong", [{"step": 4}, {"step": -1}, {"unit": 999}, {"unit": "3"}, {"pinnedLayer": 2}, {"step": None}])
def test_a_report_of_a_place_that_is_not_there_pins_nothing(wrong: dict[str, object]) -> None:
    app = conftest.report(run(), **{"text": "four", "step": 3, "unit": 5, "pinnedLayer": 1} | wrong)
    chosen = app.session_state["selection"]
    assert (chosen.text, chosen.step, chosen.unit) == ("four", None, None)


def test_a_page_on_another_text_or_model_tells_its_browser() -> None:
    app = run("app.py", model="family-lstm", text="To be")
    first = app.session_state["stage"]
    assert (first.serial, first.origin) == (1, "link")
    conftest.report(app, text="To be, or not", step=2, unit=3)
    assert app.session_state["stage"].serial == 1, "what the browser says does not come back to it"
    app.query_params.clear()
    app.switch_page("pages/inside.py").run()
    conftest.report(app, "inside", text="typed on Inside")
    assert app.session_state["stage"].serial == 1, "both pages have the same field"
    app.query_params.clear()
    app.switch_page("pages/compare.py").run()
    app.sidebar.text_area(key="text").set_value("typed elsewhere").run()
    app.query_params.clear()
    app.switch_page("pages/gates.py").run()
    told = app.session_state["stage"]
    assert (told.serial, told.origin, told.shown.text) == (2, "session", "typed elsewhere")
    assert app.session_state["selection"].text == "typed elsewhere"


def test_an_old_report_does_not_undo_what_a_button_chose() -> None:
    app = conftest.report(run("app.py", model="family-lstm", text="To be"), text="typed")
    app.session_state["selection"] = Selection("family-gru", "chosen by a lesson", 0, 3, 5, 0)
    app.run()
    assert app.session_state["selection"].text == "chosen by a lesson"
    told = app.session_state["stage"]
    assert (told.serial, told.shown.model) == (2, "family-gru")
    conftest.say(app, text="typed", serial=1)
    app.run()
    assert app.session_state["selection"].text == "chosen by a lesson", "and a late one neither"


def test_too_large_a_model_is_read_by_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "MOST_WEIGHTS", 1000)
    app = run(model="family-lstm", text="To be")
    assert app.sidebar.text_area(key="text").value == "To be"
    app.sidebar.text_area(key="text").set_value("not to be").run()
    assert app.session_state["selection"].text == "not to be"


TEXTS = (
    "😀👩‍👩‍👧",
    "e\u0301\u0300",
    "שלום עולם",
    "a\0b",
    "\t\n\r\n",
    "x",
    "<b>bold</b><script>alert(1)</script>",
    "**b** [a](http://x) `c`",
    r"$\frac{1}{0}$ \(x\)",
    ":red[x] :material/home:",
)


def test_any_text_is_read() -> None:
    """Of one session, from Gates to Inside and back."""
    app = run()
    for text in TEXTS:
        conftest.report(app, text=text)
        assert not app.exception, text
        assert app.session_state["selection"].text == text
        app.query_params.clear()
        app.switch_page("pages/inside.py").run()
        assert not app.exception, text
        assert app.session_state["stage"].shown.text == text
        app.query_params.clear()
        app.switch_page("pages/gates.py").run()


@pytest.mark.parametrize(
    "query, sentence",
    [
        ({"model": "../../etc/passwd"}, "which is not here"),
        ({"model": "no-such"}, "which is not here"),
        ({"layer": "7"}, "layers 1 to"),
        ({"unit": "minus"}, "units 0 to"),
        ({"character": "-3"}, "characters 1 to"),
        ({"text": ""}, "no text to read"),
        ({"unit": "12345678"}, "units 0 to"),
        ({"text": "abc", "character": "4"}, "the text has characters 1 to 3"),
        ({"text": "abc", "character": "0"}, "the text has characters 1 to 3"),
        ({"text": "abc", "step": "3"}, "the text has steps 0 to 2"),
        ({"model": "family-rnn", "layer": "all"}, "one layer"),
        ({"text": "b" * 20_001}, "20,001 characters"),
    ],
)
def test_a_bad_link_gets_a_sentence_and_a_picture(query: dict[str, str], sentence: str) -> None:
    app = run(**query)
    assert sentence in said(app)
    assert any("Certified" in c.value for c in app.caption)


@pytest.fixture
def folder_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that the app takes its models from, instead of the shipped ones."""
    monkeypatch.setattr(lc.model_file, "SHIPPED_MODELS", tmp_path)
    streamlit.cache_resource.clear()
    yield tmp_path
    streamlit.cache_resource.clear()


def test_damaged_models_are_named_and_the_others_work(folder_of_models: Path) -> None:
    shutil.copy(ROOT / "assets/models/family-rnn.safetensors", folder_of_models)
    whole = (ROOT / "assets/models/family-lstm.safetensors").read_bytes()
    (folder_of_models / "truncated.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder_of_models / "pickle.safetensors").write_bytes(pickle.dumps({"weights": [1.0]}))
    broken = lc.load(ROOT / "assets/models/family-gru.safetensors")
    next(broken.parameters()).data[0] = float("nan")
    lc.save(broken, folder_of_models / "broken.safetensors")
    app = run()
    assert app.session_state["selection"].model == "family-rnn"
    for name in ("truncated", "pickle", "broken"):
        assert f"{name}.safetensors" in said(app)
    assert any("Certified" in c.value for c in app.caption)


def test_a_file_that_is_damaged_while_the_app_runs_gets_a_sentence_and_the_others_work(folder_of_models: Path) -> None:
    for name in ("family-rnn", "family-lstm"):
        shutil.copy(ROOT / f"assets/models/{name}.safetensors", folder_of_models)
    app = run(model="family-rnn")
    damaged = folder_of_models / "family-lstm.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    conftest.report(app, model="family-lstm")
    assert not app.exception
    assert "amily-lstm.safetensors can't be read" in said(app) and not any("Certified" in c.value for c in app.caption)
    app.run()
    assert not app.exception
    assert "family-lstm.safetensors" in said(app)
    assert app.session_state["selection"].model == "family-rnn"
    assert any("Certified" in c.value for c in app.caption)


def test_only_the_model_that_is_shown_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    streamlit.cache_resource.clear()
    loaded: list[str] = []
    load = lc.load
    monkeypatch.setattr(lc, "load", lambda name: (loaded.append(name), load(name))[1])
    app = run(model="family-gru")
    assert loaded == ["family-gru"]
    app.switch_page("pages/models.py").run()
    assert not app.exception and loaded == ["family-gru"]


def test_a_models_card_is_checked_and_not_interpreted(folder_of_models: Path) -> None:
    odd = lc.load(ROOT / "assets/models/family-rnn.safetensors")
    hostile = "![p](http://example.org/p.png) $x$ **b** :red[r] <b>"
    odd.card = {"corpus": hostile, "split": hostile, "held_out_loss": 1.5}
    lc.save(odd, folder_of_models / "hostile.safetensors")
    odd.card = {"held_out_loss": "abc"}
    lc.save(odd, folder_of_models / "odd.safetensors")
    app = run()
    assert "the card of odd.safetensors gives 'held_out_loss' as 'abc'" in said(app)
    card = next(m.value for m in app.sidebar.markdown if "Trained on" in m.value)
    assert r"\!\[p\]\(http\:\/\/example\.org\/p\.png\) \$x\$ \*\*b\*\* \:red\[r\] \<b\>" in card


def test_no_model_at_all_gets_a_sentence(folder_of_models: Path) -> None:
    app = run()
    assert "There is no model to read with" in said(app)


def test_going_back_shows_the_view_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "MESSAGE_DELAY", 0.0)
    app = run(**Selection("family-lstm", "before", 0, 3, 17).query())
    conftest.report(app, text="after")
    assert app.session_state["selection"].text == "after"
    for name, value in Selection("family-lstm", "before", 0, 3, 17).query().items():
        app.query_params[name] = value
    app.run()
    assert app.session_state["selection"] == Selection("family-lstm", "before", 0, 3, 17)
    assert app.session_state["stage"].shown.text == "before"


def test_what_could_not_be_read_is_not_lost() -> None:
    app = run("pages/compare.py", view="texts")
    app.sidebar.text_area(key="text").set_value("a" * 20_001).run()
    app.sidebar.selectbox(key="model").set_value("family-rnn").run()
    assert len(app.sidebar.text_area(key="text").value) == 20_001
    assert "20,001 characters" in said(app)
    app.sidebar.text_area(key="text").set_value("").run()
    assert not app.exception
    assert "no text to read" in said(app)
    assert any("Certified" in c.value for c in app.caption)


def test_a_link_opens_exactly_its_view() -> None:
    chosen = Selection("family-lstm", "a link & <its> text", 0, 3, 17)
    app = run(**chosen.query())
    assert app.session_state["selection"].query() == {**chosen.query()}


LOOK = {"zoom": "6", "order": "forget", "rows": "large", "squash": "on"}


@pytest.mark.parametrize("page, picture", [("gates", "gates"), ("compare", "compared models")])
def test_a_link_keeps_the_look_and_so_does_a_visit_to_another_page(page: str, picture: str) -> None:
    app = run(f"pages/{page}.py", model="family-lstm", text="To be", **LOOK)
    assert {name: app.query_params[name] for name in LOOK} == LOOK
    app.session_state[picture] = {"look": {"pooling": "farthest", "serial": 1}}
    app.run()
    assert app.query_params["pooling"] == "farthest" and not LOOK.keys() & app.query_params.keys()


def test_the_look_is_there_again_when_one_comes_back() -> None:
    app = run(model="family-lstm", text="To be", **LOOK)
    app.query_params.clear()
    app.switch_page("pages/inside.py").run()
    assert not LOOK.keys() & app.query_params.keys()
    app.query_params.clear()
    app.switch_page("pages/gates.py").run()
    assert not app.exception
    assert {name: app.query_params[name] for name in LOOK} == LOOK


@pytest.mark.parametrize("wrong", [("<b>", "1e999", "-1", "\0", "9" * 5000), ("²", "forget'", "²", "-1", "<b>")])
@pytest.mark.parametrize("page", ["gates", "compare"])
def test_a_look_that_is_not_there_is_left_out_of_the_address(page: str, wrong: tuple[str, ...]) -> None:
    """Of any text at all tests/pages/test_links.py says so, without a page."""
    app = run(f"pages/{page}.py", model="family-lstm", text="To be", **dict(zip([*LOOK, "pooling"], wrong)))
    assert not {*LOOK, "pooling"} & app.query_params.keys()
    assert any("Certified" in c.value for c in app.caption)


def test_selection_and_query_are_inverse() -> None:
    default = Selection("a", "text")
    world = World({"a": Sizes(1, 9), "b": Sizes(2, 9)})
    for chosen in (default, Selection("b", "xyxyxy", 1, 5, 7), Selection("b", "x\nyxyx", ALL_LAYERS, 5, 7, 1)):
        assert from_query(chosen.query(), world, default) == (chosen, [])


def test_a_link_made_before_characters_counted_from_1_opens_the_same_view() -> None:
    world, default = World({"a": Sizes(1, 9)}), Selection("a", "text")
    assert from_query({"step": "3", "unit": "0"}, world, default) == (Selection("a", "text", 0, 3, 0), [])
    assert from_query({"character": "4", "unit": "0"}, world, default) == (Selection("a", "text", 0, 3, 0), [])


def test_a_message_that_still_carries_the_old_address_is_no_link() -> None:
    app = run(**Selection("family-lstm", "before", 0, 3, 17).query())
    conftest.report(app, text="after")
    for name, value in Selection("family-lstm", "before", 0, 3, 17).query().items():
        app.query_params[name] = value
    app.run()
    assert app.session_state["selection"].text == "after"
