"""Cells with other squashing functions: everything that is read off a declaration follows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core import diagram, formula, stepping
from lstm_core.analysis.explain import explain
from lstm_core.analysis.gradients import gradients
from lstm_core.formula import FUNCTIONS, UNBOUNDED, Apply, equation
from lstm_core.model import TORCH_FUNCTIONS
from lstm_core.stepping import NUMPY_FUNCTIONS

make = Callable[..., lc.CharModel]
TEXT = "the clouds are in the sky"
HARD = ("hard_sigmoid_keras2", "hard_sigmoid_keras3")
VARIANTS = [
    pytest.param(cell.name, {old: new}, id=f"{cell.name}, {new} for {old}")
    for cell in lc.cells().values()
    for old, replacements in {"sigmoid": HARD, "tanh": ("relu", "linear")}.items()
    for new in replacements
    if any(isinstance(node, Apply) and node.function == old for node in cell.nodes)
]
every_variant = pytest.mark.parametrize("cell, functions", VARIANTS)


@given(st.floats(-20, 20))
def test_each_kind_of_array_has_every_function_within_its_range(z: float) -> None:
    assert NUMPY_FUNCTIONS.keys() == TORCH_FUNCTIONS.keys() == FUNCTIONS.keys()
    for name, function in FUNCTIONS.items():
        assert name.isidentifier() and "#1" in function.latex
        value = float(NUMPY_FUNCTIONS[name](z))
        assert float(TORCH_FUNCTIONS[name](torch.tensor(z, dtype=torch.float64))) == pytest.approx(value, abs=1e-12)
        assert function.range[0] <= value <= function.range[1]


@pytest.mark.parametrize(
    "z, keras2, keras3", [(-3, 0, 0), (-2.75, 0, 0.25 / 6), (0, 0.5, 0.5), (1, 0.7, 4 / 6), (2.5, 1, 5.5 / 6)]
)
def test_the_hard_sigmoid_means_one_thing_up_to_keras_2_and_another_since(z: float, keras2: float, keras3: float) -> None:
    assert [float(NUMPY_FUNCTIONS[name](z)) for name in HARD] == pytest.approx([keras2, keras3])


@every_variant
def test_a_variant_runs_is_certified_kept_and_drawn(
    make_model: make, tmp_path: Path, cell: str, functions: dict[str, str]
) -> None:
    model = make_model(cell, 7, 2, spread=1.0, functions=functions)
    plain = make_model(cell, 7, 2, spread=1.0)
    t = lc.trace(model, TEXT)
    assert np.abs(t["hidden"] - lc.trace(plain, TEXT)["hidden"]).max() > 1e-3
    certificate = lc.certify(model, t)
    assert certificate.holds, certificate
    assert "float64" in certificate.against
    for s in model.cell.signals:
        assert s.range[0] <= t[s.name].min() and t[s.name].max() <= s.range[1]

    lc.save(model, tmp_path / "variant.safetensors")
    again = lc.load(tmp_path / "variant.safetensors")
    assert again.cell == model.cell and again.config == model.config
    assert (lc.trace(again, TEXT).probs == t.probs).all()
    assert diagram.check(model.cell, diagram.load(model.cell)) == []


@every_variant
def test_its_gradients_go_through_its_own_functions(make_model: make, cell: str, functions: dict[str, str]) -> None:
    model = make_model(cell, 3, spread=1.0, functions=functions).double()
    ids = torch.from_numpy(model.vocabulary.ids("the sky"))[:, None]
    weight = model.rnn.weight_hh_l0

    def loss(changed: torch.Tensor) -> torch.Tensor:
        logits, _ = torch.func.functional_call(model, {"rnn.weight_hh_l0": changed}, (ids,))
        return torch.nn.functional.cross_entropy(logits[:-1, 0], ids[1:, 0])

    # fast_mode: along one direction by chance, which a wrong gradient passes by accident alone
    assert torch.autograd.gradcheck(loss, weight.detach().requires_grad_(), eps=1e-7, atol=1e-5, fast_mode=True)


@every_variant
def test_how_far_a_loss_reaches_back_follows_its_functions(make_model: make, cell: str, functions: dict[str, str]) -> None:
    """The gradient of the last loss, along h after the fourth character, against differences in float64."""
    model = make_model(cell, 4, spread=1.0, functions=functions)
    t = lc.trace(model, "the sky")
    found = gradients(model, t, targets=[5])
    parameters = {n: p.detach().double().numpy() for n, p in model.rnn.layer(0).items()}
    head, bias = (p.detach().double().numpy() for p in model.head.parameters())
    states = {name: t[name][0, 3].astype(np.float64) for name in model.cell.states}

    def loss(hidden: np.ndarray) -> float:
        after = stepping.reference(model.cell.program, parameters, np.eye(27)[t.ids[4:6]], states | {"hidden": hidden})
        logits = head @ after["hidden"][-1] + bias
        return float(np.log(np.exp(logits).sum()) - logits[t.ids[6]])

    nudges = 1e-6 * np.eye(4)
    slopes = [(loss(states["hidden"] + nudge) - loss(states["hidden"] - nudge)) / 2e-6 for nudge in nudges]
    assert found.norms["hidden"][0, 0, 3] == pytest.approx(np.linalg.norm(slopes), rel=1e-3, abs=1e-7)


def written(latex: str) -> float:
    """What a calculator makes of the written numbers."""
    for tex, python in (
        (r"\operatorname{clip}_{[0,1]}", "clip"), (r"\operatorname{relu}", "relu"), (r"\tfrac{1}{6}", "1/6*"),
        ("0.2(", "0.2*("), (r"\tanh", "tanh"), (r"\sigma", "sigmoid"), (r"\times", "*"),
    ):  # fmt: skip
        latex = latex.replace(r"\left", "").replace(r"\right", "").replace(tex, python)
    known = {
        "clip": lambda z: min(max(z, 0), 1),
        "relu": lambda z: max(z, 0),
        "tanh": np.tanh,
        "sigmoid": NUMPY_FUNCTIONS["sigmoid"],
    }
    return float(eval(latex, {**known, "__builtins__": {}}))


@every_variant
def test_its_equations_add_up_with_the_numbers_substituted(make_model: make, cell: str, functions: dict[str, str]) -> None:
    model = make_model(cell, 5, 2, spread=1.0, functions=functions)
    t = lc.trace(model, TEXT)
    for step in (0, 3, 20):
        for line in explain(model, t, 1, step, 2).lines:
            _, left, right = line.numbers.split("= ")
            decimals = len(right.partition(".")[2])
            assert written(left) == pytest.approx(float(right), abs=0.5001 * 10.0**-decimals)


def test_latex_says_which_function_it_is() -> None:
    keras2, keras3 = (lc.cell("lstm").with_functions({"sigmoid": name}) for name in HARD)
    inner = r"\left(W_{f} \cdot [h_{t-1}, x_t] + b_{f}\right) + 0.5\right)"
    assert equation(keras2, "forget") == rf"f_{{t}} = \operatorname{{clip}}_{{[0,1]}}\left(0.2{inner}"
    assert equation(keras3, "forget") == rf"f_{{t}} = \operatorname{{clip}}_{{[0,1]}}\left(\tfrac{{1}}{{6}}{inner}"
    assert keras2.title == "LSTM with hard sigmoid clip(0.2x + 0.5)"


def test_ranges_follow() -> None:
    lstm, gru = lc.cell("lstm"), lc.cell("gru")
    hard = lstm.with_functions({"sigmoid": HARD[0]})
    assert [s.range for s in hard.signals] == [s.range for s in lstm.signals]
    assert all(hard[name].is_gate for name in ("forget", "input", "output"))
    relu = lstm.with_functions({"tanh": "relu"})
    assert (relu["candidate"].range, relu["hidden"].range, relu["forget"].range) == ((0, np.inf), UNBOUNDED, (0, 1))
    assert gru.with_functions({"tanh": "linear"})["hidden"].range == UNBOUNDED
    assert lc.cell("coupled").with_functions({"sigmoid": "relu"})["input"].range == UNBOUNDED
    assert relu["output"].lead == ("= C", "relu", "×")


def test_a_variant_is_its_cell_where_nothing_changes() -> None:
    lstm = lc.cell("lstm")
    assert lstm.with_functions({}) is lstm.with_functions({"tanh": "tanh"}) is lstm
    variant = lstm.with_functions({"sigmoid": HARD[0], "tanh": "tanh"})
    assert (variant.functions, variant.kernel, variant.name) == ((("sigmoid", HARD[0]),), None, "lstm")
    assert variant.parameter_shapes(5, 4) == lstm.parameter_shapes(5, 4)


@pytest.mark.parametrize(
    "cell, functions, sentence",
    [
        ("lstm", {"relu": "tanh"}, "LSTM applies sigmoid and tanh; there is no 'relu' to replace"),
        ("rnn", {"sigmoid": "relu"}, "RNN applies tanh; there is no 'sigmoid' to replace"),
        ("lstm", {"sigmoid": "swish"}, "there is no function 'swish'; there are sigmoid, tanh, hard_sigmoid_keras2"),
    ],
)
def test_what_is_not_there_is_named(cell: str, functions: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        lc.CharModel("ab", cell, 2, functions=functions)


def test_a_variant_of_a_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="is a variant already"):
        lc.cell("lstm").with_functions({"sigmoid": HARD[0]}).with_functions({"tanh": "relu"})


def test_a_declaration_with_an_unknown_function_is_refused() -> None:
    swish = Apply("swish", formula.affine("h", formula.h_prev, formula.x))
    with pytest.raises(ValueError, match="'hidden' applies 'swish', not one of sigmoid, tanh"):
        lc.Cell("made-up", "made up", "nobody", ("h",), (lc.Signal("hidden", "h", "h", swish, (-1, 1)),))


@pytest.mark.parametrize(
    "functions", ["relu", ["sigmoid"], {"sigmoid": 1}, {"sigmoid": ["relu"]}, {"sigmoid": "swish"}, {"": "relu"}, None]
)
def test_a_file_with_other_functions_is_refused(make_model: make, tmp_path: Path, functions: object) -> None:
    path = tmp_path / "variant.safetensors"
    lc.save(make_model("lstm", 3, functions={"sigmoid": HARD[0]}), path)
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    outer = json.loads(data[8 : 8 + size])
    inner = json.loads(outer["__metadata__"]["gatescope"])
    inner["config"]["functions"] = functions
    outer["__metadata__"]["gatescope"] = json.dumps(inner)
    header = json.dumps(outer).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data[8 + size :])
    with pytest.raises(lc.CheckpointError, match=r"variant.safetensors"):
        lc.load(path)


def test_a_variant_learns_and_writes() -> None:
    torch.manual_seed(0)
    model = lc.CharModel(lc.Vocabulary.of(TEXT), "gru_cho", 8, functions={"sigmoid": HARD[1]})
    ids = torch.from_numpy(model.vocabulary.ids(TEXT * 4))[:, None]
    adam, losses = torch.optim.Adam(model.parameters(), 0.02), []
    for _ in range(40):
        logits, _ = model(ids[:-1])
        loss = torch.nn.functional.cross_entropy(logits[:, 0], ids[1:, 0])
        losses.append(loss.item())
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert losses[-1] < 0.7 * losses[0]
    assert len(lc.sample(model.eval(), "the ", 5)) == 5
