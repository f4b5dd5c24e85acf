"""Every equation of every cell, with its numbers, is drawn: nothing is lost on the way from LaTeX to MathML."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import torch

import lstm_core as lc
from lstm_core.analysis.explain import explain
from lstm_core.browser.mathml import mathml
from lstm_core.formula import FUNCTIONS

VARIANTS = [{}, *({"sigmoid": name} for name in FUNCTIONS if name.startswith("hard")), {"tanh": "relu"}, {"tanh": "linear"}]


def letters(latex: str) -> str:
    """What a reader sees of a formula: its letters, digits and signs, in the order of LaTeX."""
    for command, shown in (("sigma", "σ"), ("tanh", "tanh"), ("cdot", "⋅"), ("times", "×")):
        latex = latex.replace(f"\\{command}", shown)
    latex = re.sub(r"\\(left|right|operatorname|tfrac|underbrace|tilde|hat|bar|,)", "", latex)
    return re.sub(r"[{}_^\s]", "", latex).replace("*", "∗").replace("-", "−")


@pytest.mark.parametrize("cell", tuple(lc.cells()))
@pytest.mark.parametrize("functions", VARIANTS, ids=str)
def test_every_equation_with_its_numbers(cell: str, functions: dict[str, str]) -> None:
    torch.manual_seed(0)
    used = {node.function for node in lc.cell(cell).nodes if hasattr(node, "function")}
    model = lc.CharModel(
        lc.Vocabulary.of("helo, wrd"), lc.cell(cell).with_functions(functions) if set(functions) <= used else cell, 5
    )
    for line in explain(model, lc.trace(model, "hello, world"), 0, 5, 3).lines:
        for latex in (line.equation, line.numbers, *([line.preactivation.latex] if line.preactivation else [])):
            root = ElementTree.fromstring(mathml(latex))
            shown = "".join(root.itertext())
            assert re.sub("[~^¯⏟]", "", shown) == letters(latex), latex


def test_parts_hang_where_they_belong() -> None:
    assert mathml("f_{t}") == '<math display="block"><msub><mi>f</mi><mi>t</mi></msub></math>'
    assert "<msubsup><mi>b</mi><mi>f</mi><mi>hh</mi></msubsup>" in mathml("b_{f}^{hh}")
    assert "<msub><mi>h</mi><mrow><mi>t</mi><mo>−</mo><mn>1</mn></mrow></msub>" in mathml("h_{t-1}")
    assert "<munder><munder><mn>0.42</mn><mo>⏟</mo></munder><mi>b</mi></munder>" in mathml(r"\underbrace{0.42}_{b}")
    assert mathml("a", "b").count("<mtr>") == 2


def test_a_minus_stands_close_to_its_number_but_not_between_two() -> None:
    sign = '<mo form="prefix" lspace="0" rspace="0">−</mo>'
    for latex in ("-1", "= -1", r"\sigma\left(-1\right)", "2 + (-1)"):
        assert f"{sign}<mn>1</mn>" in mathml(latex), latex
    assert sign not in mathml("2 - 1") and "<mo>−</mo>" in mathml("2 - 1")


@pytest.mark.parametrize(
    "latex, message", [(r"\href{x}", r"\\\\href"), ("{a", "lacks its }"), (r"\tilde", "ends in the middle"), ("<b>", "'<' is")]
)
def test_what_no_cell_is_written_with_is_refused(latex: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mathml(latex)
