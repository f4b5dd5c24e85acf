"""Each claim of each lesson holds of the shipped models, a wrong one fails, and no number stands in the prose by itself."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_core as lc
from lstm_core import lessons as taught
from lstm_core.__main__ import main
from lstm_core.lessons import Lesson, LessonError, check, fill, lessons, measure

LESSONS = lessons()
MakeModel = Callable[..., lc.CharModel]
load = cache(lc.load)
every_lesson = pytest.mark.parametrize("lesson", [pytest.param(lesson, id=lesson.id) for lesson in LESSONS])


@cache
def measured(name: str) -> dict[str, float]:
    return measure(next(lesson for lesson in LESSONS if lesson.id == name), load)


@every_lesson
def test_what_a_lesson_claims_is_true_of_the_shipped_models(lesson: Lesson) -> None:
    assert check(lesson, measured(lesson.id)) == []


@every_lesson
def test_each_claim_could_fail(lesson: Lesson) -> None:
    opposite = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
    for claim in lesson.claims:
        left, relation, right = claim.split()
        turned = replace(lesson, claims=(f"{left} {opposite[relation]} {right}",))
        assert len(check(turned, measured(lesson.id))) == 1, claim


@every_lesson
def test_numbers_are_real_and_each_is_claimed_or_said(lesson: Lesson) -> None:
    assert all(map(math.isfinite, measured(lesson.id).values()))
    sides = {side for claim in lesson.claims for side in claim.split()}
    parts = {part for spec in lesson.numbers.values() for key in ("ratio", "greatest") for part in spec.get(key, ())}
    prose = {name for text in lesson.prose.values() for name, _ in taught.PLACEHOLDER.findall(text)}
    assert set(lesson.numbers) <= sides | parts | prose


@every_lesson
def test_every_number_in_the_prose_is_filled_in(lesson: Lesson) -> None:
    for text in lesson.prose.values():
        filled = fill(text, lesson, measured(lesson.id))
        assert "{" not in filled and "}" not in filled and "nan" not in filled


@every_lesson
def test_the_prose_parts_with_the_numbers(lesson: Lesson) -> None:
    """Other numbers make another answer: what is said comes from the run."""
    others = {name: value + 0.5 for name, value in measured(lesson.id).items()}
    assert fill(lesson.answer, lesson, others) != fill(lesson.answer, lesson, measured(lesson.id))


@every_lesson
def test_a_lesson_that_fails_says_so_plainly(lesson: Lesson) -> None:
    assert ("fails" in lesson.answer) == lesson.fails


def test_there_are_the_lessons_that_were_asked_for() -> None:
    texts = " ".join(lesson.text for lesson in LESSONS)
    assert len(LESSONS) >= 6 and any(lesson.fails for lesson in LESSONS)
    assert '"' in texts and "the clouds are in the sky" in texts and "I grew up in France" in texts and "\n" in texts
    assert len({lesson.right for lesson in LESSONS}) > 1, "the right answer is not always in the same place"


def test_other_weights_break_the_claims() -> None:
    """The claims are about what was learnt: a model of the same shape that learnt nothing fulfils none of the lessons."""
    import torch

    @cache
    def unlearnt(name: str) -> lc.CharModel:
        model = lc.load(name)
        torch.manual_seed(0)
        with torch.no_grad():
            for parameter in model.parameters():
                torch.nn.init.uniform_(parameter, -0.1, 0.1)
        return model

    for lesson in LESSONS:
        assert check(lesson, measure(lesson, unlearnt)), lesson.id


# What the measures are: each against its definition, on a small model of random weights.


TEXT = "ab cab\nba"


def lesson_of(**numbers: Any) -> Lesson:
    return replace(LESSONS[0], text=TEXT, model="tiny", layer=1, unit=3, signal="hidden", at="a", numbers=numbers, claims=())


@pytest.fixture
def tiny(make_model: MakeModel) -> lc.CharModel:
    return make_model("lstm", vocabulary="\n abc", layers=2)


def numbers_of(tiny: lc.CharModel, **numbers: Any) -> dict[str, float]:
    return measure(lesson_of(**numbers), lambda name: tiny)


def test_chances_are_those_of_the_trace(tiny: lc.CharModel) -> None:
    index, probs = tiny.vocabulary.index, lc.trace(tiny, "ab ca").probs
    numbers = numbers_of(
        tiny,
        word={"chance": "ca", "after": "ab "},
        a={"chance": "a", "after": "ab "},
        prefers={"prefers": "a", "to": "b", "after": "ab "},
        rank={"rank": "c", "after": "ab "},
    )
    after = probs[2]
    assert numbers["word"] == pytest.approx(after[index("c")] * probs[3][index("a")], rel=1e-5)
    assert numbers["a"] == pytest.approx(after[index("a")], rel=1e-5)
    assert numbers["prefers"] == pytest.approx(after[index("a")] / (after[index("a")] + after[index("b")]), rel=1e-5)
    assert numbers["rank"] == list(np.argsort(-after)).index(index("c")) + 1


def test_a_signal_is_taken_where_the_expression_matches(tiny: lc.CharModel) -> None:
    traced = lc.trace(tiny, TEXT)
    numbers = numbers_of(
        tiny,
        most={"take": "max", "at": "ab"},
        least={"take": "min", "at": "a(?=b\n)"},
        mean={"take": "mean", "at": "b", "signal": "forget", "layer": 2, "unit": 0},
        other={"take": "mean", "at": "c", "text": "c"},
    )
    assert numbers["most"] == traced["hidden"][0, [0, 1, 4, 5], 3].max()
    assert numbers["least"] == traced["hidden"][0, 4, 3]
    assert numbers["mean"] == pytest.approx(traced["forget"][1, [1, 5, 7], 0].mean(), rel=1e-6)
    assert numbers["other"] == lc.trace(tiny, "c")["hidden"][0, 0, 3]


def test_separation_counts_pairs(tiny: lc.CharModel) -> None:
    values = np.concatenate([lc.trace(tiny, text)["hidden"][0, :, 3] for text in (TEXT, "aac")])
    inside = np.array([c == "a" for c in TEXT + "aac"])
    pairs = [(a > b) + (a == b) / 2 for a in values[inside] for b in values[~inside]]
    numbers = numbers_of(tiny, share={"separates": "a", "texts": [TEXT, "aac"]})
    assert numbers["share"] == pytest.approx(np.mean(pairs))


def test_the_column_starts_anew_at_a_line_break(tiny: lc.CharModel) -> None:
    columns = [1, 2, 3, 4, 5, 6, 0, 1, 2]
    expected = np.corrcoef(columns, lc.trace(tiny, TEXT)["hidden"][0, :, 3])[0, 1]
    assert numbers_of(tiny, follows={"follows": "column"})["follows"] == pytest.approx(expected)


def test_distances_and_what_is_made_of_numbers(tiny: lc.CharModel) -> None:
    first, second = (lc.trace(tiny, text).final["hidden"] for text in ("a b", "c b"))
    numbers = numbers_of(
        tiny,
        apart={"apart": ["a", "c"], "then": " b"},
        same={"apart": ["a", "a"]},
        at_once={"apart": ["a", "c"]},
        ratio={"ratio": ["apart", "at_once"]},
        greatest={"greatest": ["apart", "at_once", "same"]},
    )
    length = np.sqrt(np.linalg.norm(first) * np.linalg.norm(second))
    assert numbers["apart"] == pytest.approx(np.linalg.norm(first - second) / length, rel=1e-6)
    assert numbers["same"] == 0
    assert numbers["ratio"] == numbers["apart"] / numbers["at_once"]
    assert numbers["greatest"] == max(numbers["apart"], numbers["at_once"])


@pytest.mark.parametrize(
    "number, sentence",
    [
        ({"chance": "x", "after": "a"}, "does not know 'x'"),
        ({"take": "mean", "at": "cc"}, "no character of .* matches 'cc'"),
        ({"take": "mean", "at": "a", "unit": 99}, "there is no unit 99 of layer 1"),
        ({"take": "mean", "at": "a", "layer": 3}, "there is no unit 3 of layer 3"),
        ({"take": "mean", "at": "a", "signal": "update"}, "has no signal 'update'"),
    ],
)
def test_what_can_not_be_measured_is_named(tiny: lc.CharModel, number: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        numbers_of(tiny, number=number)


# The file: what is misspelt is refused, and named.


def written(path: Path, **changes: Any) -> Path:
    data = json.loads(taught.FILE.read_text("utf-8"))[:1]
    data[0].update(changes)
    path.write_text(json.dumps(data), "utf-8")
    return path


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"answer": "It falls to 0.3."}, "its answer holds a digit of its own"),
        ({"choices": ["at 1", "at zero"]}, "its choice 1 holds a digit"),
        ({"answer": "It falls to {dropt}."}, "its answer names {dropt}, which is not measured"),
        ({"claims": ["dropt < 1"]}, "names 'dropt', which is not measured"),
        ({"claims": ["dropped is small"]}, "not of the form"),
        ({"claims": []}, "claims nothing"),
        ({"right": 3}, "two to four choices and one of them right"),
        ({"right": True}, "right must be int"),
        ({"choices": ["one"]}, "two to four choices"),
        ({"at": "xyz"}, "no character of its text matches"),
        ({"unit": "235"}, "unit must be int"),
        ({"titel": "A"}, "titel is missing, or unknown"),
        ({"numbers": {"a": {"chanse": "b"}}}, "the number 'a' is none of the measures chance, rank"),
        ({"numbers": {"a": {"chance": "b"}}}, "a measure 'chance' takes chance, after, model"),
        ({"numbers": {"a": {"chance": "b", "after": "a", "befor": "c"}}}, "a measure 'chance' takes"),
        ({"numbers": {"a": {"take": "median", "at": "b"}}}, "asks for what is none of mean, min, max"),
        ({"numbers": {"a": {"follows": "row"}}}, "asks for what is none of"),
        ({"numbers": {"a": {"ratio": ["b", "c"]}}}, "not all measured before it"),
    ],
)
def test_a_misspelt_lesson_is_refused(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LessonError, match=sentence):
        lessons(written(tmp_path / "lessons.json", **changes))


@pytest.mark.parametrize(
    "text, sentence", [("[", "is not JSON"), ("{}", "is no list"), ("[1]", "is no list"), ("[{}]", "missing")]
)
def test_a_file_that_holds_no_lessons_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "lessons.json"
    path.write_text(text)
    with pytest.raises(LessonError, match=sentence):
        lessons(path)


def test_a_lesson_is_there_once(tmp_path: Path) -> None:
    path = tmp_path / "lessons.json"
    path.write_text(json.dumps(2 * json.loads(taught.FILE.read_text("utf-8"))[:1]))
    with pytest.raises(LessonError, match="is there 2 times"):
        lessons(path)


@pytest.mark.parametrize(
    "form, value, shown",
    [
        (":%", 0.00086, "0.086 %"), (":%", 0.0712, "7.1 %"), (":%", 0.61, "61 %"), (":%", 0.982, "98.2 %"),
        (":%", 0.9999, "over 99.9 %"),
        (":%", 0.0, "0 %"), (":%", 1.0, "100 %"), ("", -1.066, "−1.07"), (":3", -0.00136, "−0.001"), ("", 1.5, "1.50"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_write_them(form: str, value: float, shown: str) -> None:
    assert fill(f"{{a{form}}}", LESSONS[0], {"a": value}).replace("\N{NO-BREAK SPACE}", " ") == shown


# The command line


def test_the_command_lists_shows_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lessons"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [lesson.id for lesson in LESSONS]
    assert main(["lessons", "far-gap"]) == 0
    assert fill("{french_france:%}", LESSONS[3], measured("far-gap")) in capsys.readouterr().out
    assert main(["lessons", "--check", "far-gap"]) == 0
    assert "far-gap: 8 claims, all hold" in capsys.readouterr().out
    assert main(["lessons", "no-such"]) == 2
    assert "there is no lesson 'no-such'; there are quotation" in capsys.readouterr().err


def test_the_command_fails_where_a_claim_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = written(tmp_path / "lessons.json", claims=["dropped > 0.9"])
    monkeypatch.setattr(taught.lessons, "__defaults__", (wrong,))
    assert main(["lessons", "--check"]) == 1
    assert "quotation: dropped > 0.9 does not hold: dropped = 0.2" in capsys.readouterr().out
