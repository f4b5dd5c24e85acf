"""The readers' questions, on a page of their own: every question of every shipped model, and what its answer says."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from lstm_core import diagram
from pages.common.inside import questions
from tests.pages import conftest

PAGE = """
import streamlit as st
from pages.common import address, caches, frame, selection, sidebar
from pages.common.inside import questions

st.session_state[frame.FRAMED] = True
models, _ = caches.shipped()
query = address.start(models)
sidebar.draw(models)
chosen = selection.current()
trace = caches.read(chosen.model, chosen.text)
layer = max(chosen.layer, 0)
pin = {"step": min(chosen.step or 0, trace.steps - 1), "unit": chosen.unit or 0, "layer": layer}
st.session_state["returned"] = questions.panel(chosen, trace, pin, query)
address.write(st.session_state["returned"])
"""
# One of each cell, and one of two layers: what an answer holds depends on the cell.
MODELS = [info.name for info in lc.models() if info.name not in ("shakespeare-lstm", "python-lstm")]
GRUS = ("z", "reset")
TEXT = "the clouds are in the sky"


def run(**query: str) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=60)
    return conftest.run_once(page, **{"text": TEXT, "character": "21", "unit": "3", **query})


def said(app: AppTest) -> str:
    return conftest.words(app, "markdown", "caption", "text")


@pytest.mark.parametrize("question", questions.QUESTIONS)
@pytest.mark.parametrize("model", MODELS)
def test_every_question_is_answered_or_leads_to_a_model_that_can(model: str, question: str) -> None:
    app = run(model=model, question=question)
    assert app.session_state["returned"] == {"question": question}
    cell = lc.cell(next(info for info in lc.models() if info.name == model).config["cell"])
    if questions.QUESTIONS[question].fits(cell):
        assert f"{model.replace('-', chr(92) + '-')}, layer 1, unit 3, character 21".replace(", ", "\\, ") in said(app)
    else:
        assert "can’t answer that; these can:" in said(app)
        (first, *_) = app.button
        first.click().run()
        assert not app.exception
        assert app.session_state["selection"].model == first.label.removeprefix("Read this text with ")
        assert app.session_state["selection"].text == TEXT
        assert "can’t answer that" not in said(app)


def test_in_a_gru_s_candidate_the_reset_gate_is_said_to_scale_what_a_weight_gives() -> None:
    for model in ("family-gru", "family-gru-pytorch"):
        (table,) = (e.value for e in run(model=model, question="states").markdown if e.value.startswith("| moved most"))
        rows = [line for line in table.splitlines() if re.match(r"\| \$(?!h_)", line)]
        assert rows and all(("(× r)" in row) == (r"\tilde" in row) for row in rows)
    assert "(× r)" not in said(run(model="family-lstm", question="states"))


def test_full_peepholes_let_cell_states_reach_each_other_without_h() -> None:
    assert questions._without_h(lc.cell("peephole_full")).startswith("Yes")
    assert all(questions._without_h(lc.cell(name)).startswith("Not directly") for name in ("lstm", "peephole", "coupled"))


def test_the_first_question_is_open_and_none_may_be() -> None:
    app = run(model="family-lstm")
    assert app.session_state["returned"] == {"question": "matrix"}
    app.button_group(key=questions.KEY).set_value(None).run()
    assert app.session_state["returned"] == {} and not app.latex


def test_a_question_that_is_none_gets_a_sentence() -> None:
    app = run(model="family-lstm", question="**colour**")
    assert "⚠ The link asks for a question “**colour**”; there are matrix, bias" in said(app)


def test_the_two_groupings_add_up() -> None:
    app = run(model="family-lstm", question="matrix")
    one, two = app.latex[0].value.replace("−", "-").split(r"\\[0.4em]")
    whole, h, x = map(float, re.findall(r"\{\(?(-?\d+\.\d+)\)?\}_", one))
    assert h + x == pytest.approx(whole, abs=0.5 * 10.0 ** -len(str(whole).partition(".")[2]) + 1e-9)
    parts = [float(n) for n in re.findall(r"\{\(?(-?\d+\.\d+)\)?\}_", two)]
    total = float(re.search(r"= (-?\d+\.\d+)", two)[1])
    assert sum(parts) == pytest.approx(total, abs=0.0051) and parts[:2] == pytest.approx([h, x], abs=0.0051)


def test_pytorchs_candidate_has_two_matrices_and_two_biases() -> None:
    app = run(model="family-gru-pytorch", question="matrix")
    (picker,) = [g for g in app.button_group if g.key.startswith("question_signal")]
    picker.set_value("candidate").run()
    assert "Here it must be two" in said(app) and not app.exception
    assert "The candidate’s two can’t be added up" in said(run(model="family-gru-pytorch", question="bias"))


def test_both_senses_of_z_give_the_same_h() -> None:
    for model in ("family-gru", "family-gru-pytorch"):
        rows = run(model=model, question="z").latex[0].value.split(r"\\[0.4em]")
        results = [float(re.findall(r"= (-?\d+\.\d+)", row)[-1]) for row in rows]
        assert len(results) == 2 and results[0] == results[1]
        assert "0.00 " not in rows[0], "z has decimals enough to be seen"


def test_the_reset_on_the_other_side_does_not_read_as_well() -> None:
    text = said(run(model="family-gru-pytorch", question="reset"))
    before, after = map(float, re.search(r"loss (\S+) before, (\S+) after", text).groups())
    assert after > before + 1
    assert "guessing evenly, which costs 4.407" in text


def test_the_last_character_and_the_only_one() -> None:
    last = run(model="family-lstm", question="states", character=str(len(TEXT)))
    assert "this is the step before it" in said(last)
    assert "type a second one" in said(run(model="family-lstm", question="states", text="a", character="1"))
    for question in questions.QUESTIONS:
        run(model="family-gru-pytorch", question=question, text="a", character="1")


@pytest.mark.parametrize("text", ["<b>$x$</b>\n[a](b) `c`", "😀e\u0301", "\t\0x"])
@pytest.mark.parametrize("question", questions.QUESTIONS)
def test_any_text_and_any_pinned_character(question: str, text: str) -> None:
    """Every question with every text, at its first character or at its last."""
    character = 1 if (list(questions.QUESTIONS).index(question) + len(text)) % 2 else len(text)
    app = run(model="family-gru-pytorch", question=question, text=text, character=str(character))
    assert "<b>" not in "".join(c.value for c in app.caption)


def test_what_only_one_gru_has_stands_out() -> None:
    gru, pytorch = lc.cell("gru"), lc.cell("gru_pytorch")
    for cell, other, only in ((gru, pytorch, "reset * hidden@-1"), (pytorch, gru, "W_hn[hidden@-1]")):
        svg = questions.marked(cell, other)
        assert "\n" not in svg and diagram.check(cell, svg) == []
        lit = {e.get("data-value") for e in ElementTree.fromstring(svg).iter() if e.get("opacity") == "1"}
        assert only in lit
        assert not lit & diagram.values(other)
