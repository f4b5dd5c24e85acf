import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.figures import lettering


@given(st.characters())
def test_no_character_is_interpreted_invisible_or_half_a_pair(character):
    for label in (lettering.tick(character), lettering.spoken(character), lettering.snippet(character)):
        assert label.strip() or character == " "  # inside a text, a space is plain enough
        assert not set(label) & set("$<>\n\r\t\0")
        label.encode("utf-8")
        json.dumps(label)


@pytest.mark.parametrize(
    "character, label",
    [("a", "a"), (" ", "␣"), ("\n", "↵"), ("\t", "⇥"), ("\0", "␀"), ("<", "&lt;"), ("&", "&amp;"), ("$", "&#36;"),
     ("\u200b", "▯"), ("\ud800", "▯"), ("\u0301", "◌\u0301"), ("ש", "\u2068ש\u2069")],
)  # fmt: skip
def test_a_tick_is_one_visible_glyph(character, label):
    assert lettering.tick(character) == label


def test_a_hover_label_names_what_can_not_be_seen():
    assert lettering.spoken(" ") == "␣ space"
    assert lettering.spoken("\u200b") == "U+200B zero width space"
    assert lettering.spoken("$") == "&#36;"


def test_a_snippet_is_shortened_by_characters_and_escaped_afterwards():
    assert lettering.snippet("a<b>\n$x$", 60) == "a&lt;b&gt;↵&#36;x&#36;"
    assert lettering.snippet("&" * 5, 3) == "&amp;&amp;&amp;…"


@pytest.mark.parametrize(
    "latex, plain",
    [(r"f_{t} \times C_{t-1}", "fₜ × Cₜ₋₁"), (r"i_{t} \times \tilde{C}_{t}", "iₜ × C\u0303ₜ"),
     (r"(1 - z_{t}) \times h_{t-1}", "(1 - zₜ) × hₜ₋₁"), (r"W\,x_t", "W xₜ"), ("b^{hh}", "b<sup>hh</sup>")],
)  # fmt: skip
def test_formulas_are_written_for_plotly(latex, plain):
    assert lettering.plain_formula(latex) == plain
