import re
from math import exp, tanh

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core import formula as fm
from lstm_core.analysis.explain import Explanation, Split, explain
from tests.examples import examples

CELLS = tuple(lc.cells())
TEXT = "the clouds are in the sky"


def random_model(
    cell: str | lc.Cell, seed: int = 0, units: int = 7, layers: int = 2, scale: float = 1.0, embedding: int | None = None
) -> lc.CharModel:
    torch.manual_seed(seed)
    model = lc.CharModel(lc.Vocabulary.of(TEXT), cell, units, layers, embedding).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    return model


def evaluated(latex: str) -> float:
    """What a calculator makes of the written numbers."""
    for written, python in ((r"\sigma", "sigmoid"), (r"\tanh", "tanh"), (r"\left(", "("), (r"\right)", ")"), (r"\times", "*")):
        latex = latex.replace(written, python)
    return eval(latex, {"sigmoid": lambda z: 1 / (1 + exp(-z)), "tanh": tanh, "__builtins__": {}})


def assert_writes(value: float, written: str) -> None:
    """A number, rounded as the written one is, is the written one."""
    decimals = len(written.partition(".")[2])
    assert abs(value - float(written)) <= 0.5 * 10.0**-decimals, (value, written)


def assert_adds_up(split: Split) -> None:
    assert_writes(sum(float(part.written) for part in split.parts), split.total)
    assert_writes(split.value, split.total)
    for part in split.parts:
        assert_writes(part.value, part.written)
    assert sum(part.value for part in split.parts) == pytest.approx(split.value, abs=2e-6 * (1 + abs(split.value)))


def assert_explains(explanation: Explanation, trace: lc.Trace) -> None:
    layer, step, unit = explanation.layer, explanation.step, explanation.unit
    assert [line.name for line in explanation.lines] == list(trace.cell.names)
    for line in explanation.lines:
        _, left, right = line.numbers.split("= ")
        assert_writes(evaluated(left), right)
        assert right == line.shown
        assert_writes(float(trace[line.name][layer, step, unit]), right)
        assert "-0.00 " not in line.numbers + " "
        for split in (line.preactivation, line.terms):
            if split:
                assert_adds_up(split)


@settings(max_examples=examples(60), deadline=None)
@given(
    cell=st.sampled_from(CELLS),
    seed=st.integers(0, 2**16),
    scale=st.sampled_from([0.0, 0.1, 1.0, 4.0, 20.0]),
    step=st.integers(0, len(TEXT) - 1),
    unit=st.integers(0, 6),
    layer=st.integers(0, 1),
    decimals=st.integers(1, 4),
)
def test_what_is_written_adds_up_to_what_is_shown(cell, seed, scale, step, unit, layer, decimals):
    model = random_model(cell, seed, scale=scale)
    trace = lc.trace(model, TEXT)
    assert_explains(explain(model, trace, layer, step, unit, decimals), trace)


@pytest.mark.parametrize("name", [info.name for info in lc.models()])
def test_shipped_models_add_up_at_every_step(name):
    model = lc.load(name)
    trace = lc.trace(model, "I grew up in France... I speak fluent French.\n\t é")
    for step in range(trace.steps):
        assert_explains(explain(model, trace, model.layers - 1, step, (17 * step) % model.units), trace)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("embedding", [None, 5])
def test_the_equations_with_float64_weights_give_the_trace(cell, embedding):
    model = random_model(cell, embedding=embedding)
    trace = lc.trace(model, TEXT)
    for layer in range(trace.layers):
        for step in (0, 1, trace.steps - 1):
            for line in explain(model, trace, layer, step, 3).lines:
                if line.preactivation and isinstance(trace.cell[line.name].equation, fm.Apply):
                    squash = np.tanh if trace.cell[line.name].equation.function == "tanh" else lambda z: 1 / (1 + np.exp(-z))
                    total = sum(part.value for part in line.preactivation.parts)
                    assert squash(total) == pytest.approx(trace[line.name][layer, step, 3], abs=1e-5)
                if line.terms:
                    total = sum(part.value for part in line.terms.parts)
                    assert total == pytest.approx(trace[line.name][layer, step, 3], abs=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_text_goes_on_from_its_state(cell):
    model = random_model(cell)
    first = lc.trace(model, TEXT)
    later = lc.trace(model, TEXT, state=first.final)
    assert_explains(explain(model, later, 0, 0, 2), later)


def test_the_lstm_reads_as_the_essay_writes_it():
    model = random_model("lstm", layers=1)
    line = explain(model, lc.trace(model, TEXT), 0, 9, 2)["cell"]
    assert line.equation == r"C_{t} = f_{t} * C_{t-1} + i_{t} * \tilde{C}_{t}"
    assert re.fullmatch(r"= (\S+) \\times (\S+) \+ (\S+) \\times (\S+) = (\S+)", line.numbers)
    assert [(p.label, p.latex) for p in line.terms.parts] == [
        ("kept", r"f_{t} \times C_{t-1}"),
        ("written", r"i_{t} \times \tilde{C}_{t}"),
    ]


def test_preactivations_tell_where_they_came_from():
    def origins(cell: str, signal: str) -> list[tuple[str, str]]:
        model = random_model(cell, layers=1)
        return [(p.label, p.latex) for p in explain(model, lc.trace(model, TEXT), 0, 4, 1)[signal].preactivation.parts]

    assert origins("lstm", "forget") == [
        ("h", r"W_{f}\,h_{t-1}"), ("x", r"W_{f}\,x_t"), ("bias", "b_{f}^{hh}"), ("bias", "b_{f}^{ih}"),
    ]  # fmt: skip
    assert origins("gru", "candidate") == [("h", r"W\,(r_{t} * h_{t-1})"), ("x", r"W\,x_t")]
    assert origins("gru_pytorch", "candidate") == [
        ("x", r"W_{in}\,x_t"), ("bias", "b_{in}"), ("h", r"r_{t} * W_{hn}\,h_{t-1}"), ("bias", "r_{t} * b_{hn}"),
    ]  # fmt: skip
    assert origins("peephole", "output")[-1] == ("C", "p_{o} * C_{t}")
    assert origins("peephole_full", "forget")[0] == ("C", r"W_{f}\,C_{t-1}")


@pytest.mark.parametrize("cell, kept", [("gru", r"(1 - z_{t}) \times h_{t-1}"), ("gru_pytorch", r"z_{t} \times h_{t-1}")])
def test_both_grus_keep_what_their_own_convention_keeps(cell, kept):
    model = random_model(cell)
    parts = explain(model, lc.trace(model, TEXT), 1, 3, 0).remembering.terms.parts
    assert [p.label for p in parts] == ["kept", "written"]
    assert parts[0].latex == kept


def test_a_cell_that_adds_nothing_remembers_by_its_weights_alone():
    model = random_model("rnn")
    assert explain(model, lc.trace(model, TEXT), 0, 3, 0).remembering is None


def test_a_cell_that_nobody_has_declared_before_is_explained():
    f, g = map(fm.signal, ("forget", "candidate"))
    gated = (1 - fm.h_prev) * fm.affine("f", fm.x) + fm.diagonal("f") * fm.C_prev
    cell = lc.Cell(
        "leaky", "leaky cell", "none", ("f", "g"),
        (
            lc.Signal("forget", "f", "forget gate", fm.sigmoid(gated), (0, 1)),
            lc.Signal("candidate", "g", "candidate", fm.tanh(fm.affine("g", fm.h_prev, fm.x)), (-1, 1)),
            lc.Signal("cell", "C", "cell state", f * fm.C_prev + (1 - f) * g, (-1, 1)),
            lc.Signal("hidden", "h", "hidden state", fm.tanh(fm.signal("cell")), (-1, 1)),
        ),
    )  # fmt: skip
    model = random_model(cell)
    trace = lc.trace(model, TEXT)
    for step in range(trace.steps):
        assert_explains(explain(model, trace, 1, step, 2), trace)


def test_the_coupled_gate_is_written_without_needless_parentheses():
    model = random_model("coupled")
    line = explain(model, lc.trace(model, TEXT), 0, 3, 0)["input"]
    assert line.equation == "i_{t} = 1 - f_{t}"
    assert re.fullmatch(r"= 1 - 0\.\d+ = 0\.\d+", line.numbers)


def test_wrong_places_and_wrong_models_are_refused_in_a_sentence():
    model = random_model("lstm")
    trace = lc.trace(model, TEXT)
    for place, message in (
        ((2, 0, 0), "no layer 2.*0 to 1"),
        ((0, 25, 0), "no step 25.*0 to 24"),
        ((0, 0, -1), "no unit -1.*0 to 6"),
    ):
        with pytest.raises(ValueError, match=message):
            explain(model, trace, *place)
    with pytest.raises(ValueError, match="is of 2 x 7 LSTM, but unnamed is 2 x 8 LSTM"):
        explain(random_model("lstm", units=8), trace, 0, 0, 0)
    with pytest.raises(ValueError, match="it is a trace of another model"):
        explain(random_model("lstm", seed=1), trace, 0, 0, 0)
    with pytest.raises(ValueError, match="no signal 'reset'; it has forget"):
        explain(model, trace, 0, 0, 0)["reset"]
