"""The lessons' panel in AppTest, on a page that has nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from lstm_core import lessons as taught
from lstm_core.lessons import Lesson
from pages.common.selection import Selection

LESSONS = taught.lessons()
FAR = next(lesson for lesson in LESSONS if lesson.id == "far-gap")


def page() -> None:
    from pages.common import address, caches, sidebar
    from pages.common.inside import lessons_panel

    models, _ = caches.shipped()
    query = address.start(models)
    sidebar.draw(models)
    address.write(lessons_panel.panel(models, query))


def run(**query: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return again(app)


def again(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.main.button if button.label == label).click()
    return again(app)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.main.button]


def address(app: AppTest) -> dict[str, str]:
    """The query of the page's address; a test's own parameters come as lists, those of the page as texts."""
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


def seen(app: AppTest) -> str:
    parts = [*app.main.markdown, *app.main.caption, *app.main.text]
    return "\n".join(part.value for part in parts)


def predict(app: AppTest, lesson: Lesson, choice: int) -> AppTest:
    app.radio(key=f"lesson_choice_{lesson.id}").set_value(choice)
    return press(again(app), "Reveal")


def shown(app: AppTest) -> Selection:
    return app.session_state["selection"]


def place(lesson: Lesson) -> Selection:
    return Selection(lesson.model, lesson.text, lesson.layer - 1, lesson.step, lesson.unit)


@pytest.fixture
def another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that the panel takes its lessons from, instead of the shipped ones."""
    file = tmp_path / "lessons.json"
    monkeypatch.setattr(taught.lessons, "__defaults__", (file,))
    streamlit.cache_resource.clear()
    yield file
    streamlit.cache_resource.clear()


def shipped_data() -> list[dict]:
    return json.loads(taught.FILE.read_text("utf-8"))


def test_no_lesson_is_open_at_first_and_all_are_in_the_list() -> None:
    app = run()
    box = app.selectbox(key="lesson_picker")
    assert box.value is None and len(box.options) == len(LESSONS)
    assert "lesson" not in app.query_params
    assert not app.main.radio and not labels(app)


@pytest.mark.parametrize("lesson", [pytest.param(lesson, id=lesson.id) for lesson in LESSONS])
def test_a_lesson_opens_on_its_own_text_and_asks_before_it_tells(lesson: Lesson) -> None:
    app = run()
    app.selectbox(key="lesson_picker").set_value(lesson.id)
    again(app)
    assert shown(app) == place(lesson)
    assert app.sidebar.selectbox(key="model").value == lesson.model
    assert app.sidebar.text_area(key="text").value == lesson.text
    assert address(app)["lesson"] == lesson.id
    numbers = taught.measure(lesson)
    look, question, answer, note = (
        taught.fill(text, lesson, numbers) for text in (lesson.look, lesson.question, lesson.answer, lesson.teacher)
    )
    assert look in seen(app) and question in seen(app)
    assert answer not in seen(app) and note not in seen(app)
    predict(app, lesson, lesson.right)
    assert answer in seen(app) and note in seen(app) and "{" not in seen(app)
    assert "That is what happens" in seen(app) and "⚠" not in seen(app)


def test_there_is_no_answer_without_a_prediction() -> None:
    app = run(lesson=FAR.id)
    reveal = next(button for button in app.main.button if button.label == "Reveal")
    assert reveal.disabled


def test_a_wrong_prediction_is_named_beside_what_happens() -> None:
    wrong = next(k for k in range(len(FAR.choices)) if k != FAR.right)
    app = predict(run(lesson=FAR.id), FAR, wrong)
    assert f"✗ You predicted: *{FAR.choices[wrong]}*" in seen(app)
    assert f"✓ What happens: *{FAR.choices[FAR.right]}*" in seen(app)
    assert "Here the model fails" in seen(app)
    press(app, "Hide the answer")
    assert "Here the model fails" not in seen(app) and app.main.radio


def test_a_link_that_names_the_lesson_alone_opens_it_whole() -> None:
    app = run(lesson=FAR.id)
    assert shown(app) == place(FAR)
    assert address(app) == {"lesson": FAR.id, **place(FAR).query()}
    assert app.sidebar.text_area(key="text").value == FAR.text


def test_a_link_with_a_text_of_its_own_keeps_it() -> None:
    app = run(lesson=FAR.id, **Selection("family-lstm", "another text", 0, 3, 17).query())
    assert shown(app).text == "another text" and shown(app).model == "family-lstm"
    assert "You are exploring" in seen(app)


def test_a_link_to_no_lesson_gets_a_sentence() -> None:
    app = run(lesson="<b>no such</b>")
    assert "“<b>no such</b>”, which is not here" in " ".join(text.value for text in app.main.text)
    assert app.selectbox(key="lesson_picker").value is None


def test_going_back_closes_the_lesson_that_was_opened_since() -> None:
    app = run()
    before = address(app)
    app.selectbox(key="lesson_picker").set_value(FAR.id)
    again(app)
    del app.query_params["lesson"]
    for name, value in before.items():
        app.query_params[name] = value
    again(app)
    assert app.selectbox(key="lesson_picker").value is None
    assert shown(app).text == before["text"]


def test_next_and_previous_lead_through_all_lessons() -> None:
    app = run(lesson=LESSONS[0].id)
    assert next(b for b in app.main.button if b.label == "← Previous").disabled
    for lesson in LESSONS[1:]:
        press(app, "Next →")
        assert shown(app) == place(lesson)
        assert app.selectbox(key="lesson_picker").value == lesson.id
    assert next(b for b in app.main.button if b.label == "Next →").disabled
    press(app, "← Previous")
    assert shown(app) == place(LESSONS[-2])


def test_a_lesson_that_is_closed_leaves_one_on_its_text() -> None:
    app = press(run(lesson=FAR.id), "Close")
    assert app.selectbox(key="lesson_picker").value is None
    assert "lesson" not in app.query_params
    assert shown(app) == place(FAR)


def test_who_explores_another_text_is_told_and_led_back() -> None:
    app = run(lesson=FAR.id)
    assert "You are exploring" not in seen(app)
    app.sidebar.text_area(key="text").set_value("I grew up in Germany... I speak fluent German.")
    again(app)
    assert "You are exploring" in seen(app) and FAR.model in seen(app)
    press(app, "Back to the lesson")
    assert shown(app) == place(FAR)
    assert app.sidebar.text_area(key="text").value == FAR.text
    assert "You are exploring" not in seen(app)


def test_another_model_is_noticed_too() -> None:
    app = run(lesson=FAR.id)
    app.sidebar.selectbox(key="model").set_value("family-rnn")
    again(app)
    assert "another model reads" in seen(app)


def test_the_pin_can_be_set_again() -> None:
    app = run(lesson=FAR.id)
    app.session_state["selection"] = Selection(FAR.model, FAR.text, 1, 0, 3)
    press(again(app), f"↪ Show unit {FAR.unit} of layer {FAR.layer} at character {FAR.step + 1}")
    assert shown(app) == place(FAR)


def test_a_claim_that_does_not_hold_is_not_kept_secret(another_file: Path) -> None:
    data = [each for each in shipped_data() if each["id"] == FAR.id]
    data[0]["claims"] = ["french_ratio > 100"]
    another_file.write_text(json.dumps(data), "utf-8")
    app = predict(run(lesson=FAR.id), FAR, 0)
    assert "⚠ Written for another version of this model: far-gap: french_ratio > 100 does not hold" in seen(app)


def test_a_damaged_file_of_lessons_gets_a_sentence(another_file: Path) -> None:
    another_file.write_text("[", "utf-8")
    assert "⚠ The lessons can't be shown: lessons.json is not JSON" in seen(run())


def test_a_lesson_whose_model_is_not_there_is_left_out(another_file: Path) -> None:
    data = shipped_data()[:2]
    data[0]["model"] = "no-such-model"
    another_file.write_text(json.dumps(data), "utf-8")
    assert len(run().selectbox(key="lesson_picker").options) == 1
