"""Every picture says, wherever it is taken, what it shows: model, text, layer, unit, convention and version."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

import lstm_core as lc
from lstm_core import figures
from lstm_core.analysis import gru_forms
from lstm_core.analysis.disagreement import disagreement
from lstm_core.analysis.effect import effect
from lstm_core.analysis.explain import explain
from lstm_core.analysis.gradients import gradients
from lstm_core.analysis.matrix import row
from lstm_core.analysis.reach import reach
from lstm_core.figures import lettering, paper
from lstm_core.figures.all_units import all_units
from lstm_core.figures.apart import apart
from lstm_core.figures.bars import kept_and_written
from lstm_core.figures.costs import loss_against_cost
from lstm_core.figures.disagreement import surprise_and_disagreement
from lstm_core.figures.effect import effect_lines, predictions
from lstm_core.figures.heatmaps import difference_heatmaps, gate_heatmaps
from lstm_core.figures.losses import loss_bars
from lstm_core.figures.pushes import pushes
from lstm_core.figures.reach import gradient_by_distance, gradient_lines, gradient_map
from lstm_core.figures.unit_lines import unit_lines
from lstm_core.figures.weight_row import weight_row

TEXT = "hello <b>world</b> & $x$"
LAYER, STEP, UNIT = 1, 6, 2


def read(cell: str = "lstm", *clamps: lc.Clamp) -> tuple[lc.CharModel, lc.Trace]:
    torch.manual_seed(0)
    model = lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, 6, 2, name=f"tiny <{cell}>")
    return model, lc.trace(model, TEXT, clamps=clamps)


def _explained() -> go.Figure:
    return kept_and_written(explain(*read(), LAYER, STEP, UNIT))


def _row() -> go.Figure:
    model, trace = read()
    return weight_row(row(model, trace, LAYER, STEP, UNIT, "forget"), "tiny <lstm>, layer 2, unit 2", of=trace)


def _all_units() -> go.Figure:
    trace = read()[1]
    return all_units(trace["cell"][LAYER, STEP], UNIT, "C", "tiny &lt;lstm&gt;, layer 2, all of its units.", of=trace)


def _apart() -> go.Figure:
    model, trace = read("gru_pytorch")
    return apart(gru_forms.read_as(model, trace, gru_forms.reset_moved), trace, LAYER)


def _effect(draw: Callable[..., go.Figure]) -> go.Figure:
    before, after = read()[1], read("lstm", lc.Clamp("forget", 0.5, LAYER, [UNIT]))[1]
    return draw(before, after, effect(before, after)) if draw is effect_lines else draw(before, after, STEP)


def _apart_models() -> go.Figure:
    traces = [read()[1], read("gru")[1]]
    return surprise_and_disagreement(traces, disagreement(traces))


def _pushes() -> go.Figure:
    model, trace = read()
    return pushes(reach(model, trace, LAYER, STEP, UNIT), trace)


def _gradients(draw: Callable[..., go.Figure], *more: int) -> go.Figure:
    found = gradients(*read())
    return draw(found if draw is gradient_map else [found], *more, layer=LAYER)


# Each builder's picture of such a trace, and which of the facts besides its version it has to tell.
TEXT_AND_CELL = ("model", "text", "convention")
PICTURES: dict[str, tuple[Callable[[], go.Figure], tuple[str, ...]]] = {
    "gate_heatmaps": (lambda: gate_heatmaps(read()[1], LAYER), (*TEXT_AND_CELL, "layer")),
    "difference_heatmaps": (lambda: difference_heatmaps(read()[1], read()[1], LAYER), (*TEXT_AND_CELL, "layer")),
    "unit_lines": (lambda: unit_lines(read()[1], LAYER, UNIT), (*TEXT_AND_CELL, "layer", "unit")),
    "kept_and_written": (_explained, (*TEXT_AND_CELL, "layer", "unit")),
    "weight_row": (_row, (*TEXT_AND_CELL, "layer", "unit")),
    "all_units": (_all_units, (*TEXT_AND_CELL, "layer")),
    "pushes": (_pushes, (*TEXT_AND_CELL, "layer", "unit")),
    "gradient_lines": (lambda: _gradients(gradient_lines, STEP), (*TEXT_AND_CELL, "layer")),
    "gradient_map": (lambda: _gradients(gradient_map), (*TEXT_AND_CELL, "layer")),
    "gradient_by_distance": (lambda: _gradients(gradient_by_distance), (*TEXT_AND_CELL, "layer")),
    "apart": (_apart, (*TEXT_AND_CELL, "layer")),
    "effect_lines": (lambda: _effect(effect_lines), (*TEXT_AND_CELL, "layer", "unit")),
    "predictions": (lambda: _effect(predictions), (*TEXT_AND_CELL, "layer", "unit")),
    "surprise_and_disagreement": (_apart_models, TEXT_AND_CELL),
    "loss_bars": (lambda: loss_bars([("this model", 1.5)], ["tiny <, on “hello”."]), ("model",)),
    "loss_against_cost": (lambda: loss_against_cost(["a"], [1000], [1.5]), ()),  # of models, whose names stand at their points
}
FILES = {path.stem: ast.parse(path.read_text("utf-8")) for path in sorted(Path(figures.__file__).parent.glob("[a-z]*.py"))}
TOLD = {
    "model": ("tiny <",),
    "text": ("hello <b>world</b> & $x$",),
    "layer": ("layer 2", "layer 1 of 2", "of layer 2"),
    "unit": ("unit 2", "Unit 2"),
    "convention": ("f near 1 keeps the cell state", "The reset has been moved"),
}


def builders() -> dict[str, list[str]]:
    """Every public function of the package that returns a figure, by file and name, and the types of its arguments."""
    found = {}
    for file, tree in FILES.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and ast.unparse(node.returns) == "go.Figure":
                found[f"{file}.{node.name}"] = [ast.unparse(argument.annotation) for argument in node.args.args]
    return found


def calls(tree: ast.Module, name: str) -> set[str]:
    """What a function of a file calls, by itself or through other functions of that file."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    seen, waiting = set(), [name]
    while waiting:
        own = functions.get(waiting.pop())
        new = {ast.unparse(n.func) for n in ast.walk(own) if isinstance(n, ast.Call)} - seen if own else set()
        seen |= new
        waiting += new
    return seen


def test_every_picture_of_a_trace_is_looked_at() -> None:
    of_traces = {
        name.split(".")[1]
        for name, types in builders().items()
        if any(re.search("Trace|Explanation|Gradients", t) for t in types)
    }
    assert of_traces - set(PICTURES) == set(), "add an example to PICTURES, and the facts that its caption has to tell"


@pytest.mark.parametrize("builder", builders())
def test_every_picture_whatever_it_shows_has_the_caption_that_adds_the_version(builder: str) -> None:
    file, name = builder.split(".")
    assert "paper.write_above" in calls(FILES[file], name)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_says_what_it_shows(name: str) -> None:
    draw, facts = PICTURES[name]
    title = draw().layout.title
    raw = f"{title.text} {title.subtitle.text}".replace("<br>", " ")
    assert not any(tag in raw for tag in ("<b>w", "<lstm>", "$")), "what comes from a text or a file is escaped"
    said = html.unescape(raw)
    for fact in facts:
        assert any(words in said for words in TOLD[fact]), (fact, said)
    assert said.count(paper.version()) == 1


def test_what_a_caption_says_already_is_not_said_again() -> None:
    trace = read()[1]
    figure = go.Figure()
    sentences = [f"“{lettering.snippet(trace.text)}”", f"{paper.convention(trace)} {paper.version()}."]
    paper.write_above(figure, "A title", sentences, 2000, of=[trace, trace])
    assert figure.layout.title.subtitle.text.split("<br>") == sentences
    paper.write_above(figure, "A title", ["One sentence."], 2000)
    assert figure.layout.title.subtitle.text.split("<br>") == ["One sentence.", f"{paper.version()}."]


def test_a_long_text_is_told_by_its_beginning() -> None:
    model = read()[0]
    trace = lc.trace(model, "hello " * 200)
    caption = gate_heatmaps(trace).layout.title.subtitle.text.replace("<br>", " ")
    assert "1,200 characters" in caption and "…”" in caption and len(caption) < 600
    assert np.isfinite(trace.loss)
