"""Links, of every page: any query gives a value and sentences alone, and what is written reads back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lstm_core as lc
from pages.common import links, selection
from pages.common.compare import choice as compare
from pages.common.gates import view as gates
from pages.common.inside import clamp_panel, lessons_panel, questions
from pages.common.inside import view as inside
from pages.common.links import Field, Number, OneOf
from pages.common.long_range import choice as long_range
from pages.common.selection import ALL_LAYERS, Selection, Sizes, World
from pages.common.training import choice as training
from pages.common.training.view import Place

TEXT = "the clouds are in the sky"
MODELS = {info.name: info for info in lc.models()}
NAMES = ("family-lstm", "war-and-peace-lstm", "family-gru")
WORLD = World({name: Sizes(info.config["layers"], info.config["units"]) for name, info in MODELS.items()})
LIVES = ("lstm", "gru")
TRACE = lc.trace(lc.load("war-and-peace-lstm"), TEXT)
PAGES: dict[str, tuple[tuple[Field, ...], Any, Any]] = {  # page -> fields, a value to start from, what there is
    "selection": (selection.FIELDS, Selection("family-lstm", TEXT), WORLD),
    "compare": (compare.FIELDS, compare.first(MODELS), MODELS),
    "long range": (long_range.FIELDS, long_range.first(MODELS), MODELS),
    "training": (training.FIELDS, training.first(LIVES), LIVES),
    "clamps": (clamp_panel.FIELDS, clamp_panel._Linked(), TRACE),
    "lessons": (lessons_panel.FIELDS, lessons_panel.Opened(""), ("one", "two")),
    "questions": (questions.FIELDS, questions._Linked(), questions.QUESTIONS),
}
ASKED = st.text(max_size=30) | st.from_regex(r"[a-z-]{0,20}([:~,_.-]?[0-9]{0,20}){0,6}", fullmatch=True) | st.just("9" * 6000)


@pytest.fixture(autouse=True)
def _any_second_text_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a session there is no model that would read it."""
    monkeypatch.setattr(compare, "unreadable", lambda text: "")


@pytest.mark.parametrize("page", PAGES)
@given(st.data())
def test_any_query_gives_what_is_there_and_sentences(page: str, data: st.DataObject) -> None:
    fields, start, world = PAGES[page]
    query = data.draw(st.dictionaries(st.sampled_from([each.name for each in fields]), ASKED))
    if not links.fits_address(query.get("text", "")):
        del query["text"]  # it is not written
    found, sentences = links.read(fields, query, start, world)
    assert all(sentence.endswith(".") for sentence in sentences) and len(sentences) <= links.MOST_SENTENCES * len(fields)
    written = links.write(fields, found)
    assert links.read(fields, written, start, world)[1] == [], "what is written asks for what is there"
    again, _ = links.read(fields, written, start, world)
    assert links.write(fields, again) == written


@pytest.mark.parametrize(
    "page, value, query",
    [
        ("selection", Selection("war-and-peace-lstm", "ab", 1, 1, 7), {"layer": "2", "character": "2", "unit": "7"}),
        ("selection", Selection("war-and-peace-lstm", "ab", ALL_LAYERS, 0, 0, 1), {"layer": "all", "pinned_layer": "2"}),
        ("compare", compare.Comparison(NAMES, (-1, 0, -1), pin=(NAMES[0], 0, 235, 4)), {"pin": "family-lstm:1:235:5"}),
        ("long range", long_range.Choice(NAMES, "memory", 0), {"of_layer": "1", "section": "memory"}),
        ("training", training.Choice("life", "gru", Place(0, 4, 235)), {"pin": "1:5:235"}),
        (
            "clamps",
            clamp_panel._Linked((lc.Clamp("forget", 0.5, 1, (3, 7, 8), 4), lc.Clamp("cell", -2.5))),
            {"hold": "forget~0.5~2~3.7-8~5_cell~-2.5~1~all~1"},
        ),
    ],
)
def test_a_value_is_written_as_people_count_and_reads_back(page: str, value: Any, query: dict[str, str]) -> None:
    fields, start, world = PAGES[page]
    written = links.write(fields, value)
    assert {name: written.get(name) for name in query} == query
    assert links.read(fields, written, start, world) == (value, [])


@pytest.mark.parametrize("fields", [gates.OPTIONS, inside.OPTIONS], ids=["gates", "inside"])
@given(st.data())
def test_of_a_pictures_options_what_is_there_is_taken_as_it_is(fields: tuple[Field, ...], data: st.DataObject) -> None:
    query = data.draw(st.dictionaries(st.sampled_from([each.name for each in fields]), ASKED | st.none() | st.integers()))
    taken = links.accepted(fields, query)
    assert taken.items() <= query.items() and links.accepted(fields, taken) == taken


def test_a_sentence_names_what_was_asked_and_what_there_is() -> None:
    start = Selection("family-lstm", "abc")
    asked = {"character": "4", "unit": "128", "layer": "x" * 99, "pinned_layer": "0"}
    _, sentences = links.read(selection.FIELDS, asked, start, WORLD)
    assert sentences == [
        f"The link asks for layer “{'x' * links.LONGEST_QUOTE}”; family-lstm has one layer.",
        "The link asks for character “4”; the text has characters 1 to 3.",
        "The link asks for unit “128”; family-lstm has units 0 to 127.",
        "The link asks for layer “0”; family-lstm has one layer.",
    ]


def test_a_row_without_a_sentence_says_nothing() -> None:
    fields = (Field("life", OneOf(), ("a", "b")), Field("section", OneOf(), ("x", "y")))
    assert links.read(fields, {"life": "c", "section": "y"}, training.Choice("x", "a")) == (training.Choice("y", "a"), [])


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", " 1", "1\n", "²", "٣", "1e3", "9" * 19, "0x1"])
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    assert links.whole_number(text) is None
    value, (refused,) = Number("layer").read(text, None)
    assert value is None and refused.known == "layers from 1 up"


def test_no_page_reads_numbers_out_of_links_itself() -> None:
    pages = Path(links.__file__).parents[1]
    others = [path for path in pages.rglob("*.py") if path.name != "links.py"]
    assert len(others) > 30
    assert [path.name for path in others if re.search(r"isdigit|isdecimal|isnumeric", path.read_text("utf-8"))] == []
