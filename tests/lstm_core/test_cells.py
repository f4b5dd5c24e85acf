"""The conventions that are easy to get wrong, each a test; and a seventh cell, which takes one Python file and one SVG."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import lstm_core as lc
from lstm_core import corpora, diagram

make = Callable[..., lc.CharModel]
TEXT = "the clouds are in the sky"
SIZE = 8
REGISTRY = sys.modules["lstm_core.cells"]  # the package: lstm_core.cells is its function of that name


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def by_hand(model: lc.CharModel, t: lc.Trace) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """The first layer's parameters, the one-hot x of every step, h of the step before, and what the trace shows."""
    parameters = {n: p.detach().double().numpy() for n, p in model.rnn.layer(0).items()}
    one_hot = np.eye(len(model.vocabulary))[t.ids]
    return parameters, one_hot, t.before("hidden")[0].astype(float), {n: t[n][0].astype(float) for n in t.signals}


def close(shown: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(shown, wanted, rtol=0, atol=1e-5)


def test_rows_of_the_lstm_stand_as_i_f_g_o(make_model: make) -> None:
    model = make_model("lstm", SIZE)
    p, x, h, shown = by_hand(model, lc.trace(model, TEXT))
    rows = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    i, f, g, o = np.split(rows, 4, axis=1)
    close(shown["input"], sigmoid(i))
    close(shown["forget"], sigmoid(f))
    close(shown["candidate"], np.tanh(g))
    close(shown["output"], sigmoid(o))


def test_rows_of_pytorchs_gru_stand_as_r_z_n_and_reset_comes_after_the_product(make_model: make) -> None:
    model = make_model("gru_pytorch", SIZE)
    p, x, h, shown = by_hand(model, lc.trace(model, TEXT))
    (r_x, z_x, n_x), (r_h, z_h, n_h) = (
        np.split(v @ p[f"weight_{s}"].T + p[f"bias_{s}"], 3, axis=1) for v, s in ((x, "ih"), (h, "hh"))
    )
    close(shown["reset"], sigmoid(r_x + r_h))
    close(shown["update"], sigmoid(z_x + z_h))
    close(shown["candidate"], np.tanh(n_x + shown["reset"] * n_h))


def test_the_essays_gru_resets_before_the_product_and_has_no_biases(make_model: make) -> None:
    model = make_model("gru", SIZE)
    p, x, h, shown = by_hand(model, lc.trace(model, TEXT))
    assert set(p) == {"weight_ih", "weight_hh"}
    (r_x, z_x, n_x), (r_h, z_h, _) = (np.split(v @ p[f"weight_{s}"].T, 3, axis=1) for v, s in ((x, "ih"), (h, "hh")))
    close(shown["reset"], sigmoid(r_x + r_h))
    close(shown["update"], sigmoid(z_x + z_h))
    close(shown["candidate"], np.tanh(n_x + (shown["reset"] * h) @ p["weight_hh"][2 * SIZE :].T))


def test_the_papers_gru_resets_before_the_product_and_has_one_bias(make_model: make) -> None:
    model = make_model("gru_cho", SIZE)
    p, x, h, shown = by_hand(model, lc.trace(model, TEXT))
    assert set(p) == {"weight_ih", "weight_hh", "bias_ih"}
    (r_x, z_x, n_x), (r_h, z_h, _) = np.split(x @ p["weight_ih"].T + p["bias_ih"], 3, 1), np.split(h @ p["weight_hh"].T, 3, 1)
    close(shown["reset"], sigmoid(r_x + r_h))
    close(shown["update"], sigmoid(z_x + z_h))
    close(shown["candidate"], np.tanh(n_x + (shown["reset"] * h) @ p["weight_hh"][2 * SIZE :].T))


def test_z_lets_the_new_in_for_the_essay_and_keeps_the_old_for_the_others(make_model: make) -> None:
    for name, new_in in (("gru", True), ("gru_cho", False), ("gru_pytorch", False)):
        model = make_model(name, SIZE)
        _, _, h, shown = by_hand(model, lc.trace(model, TEXT))
        kept, written = (1 - shown["update"], shown["update"]) if new_in else (shown["update"], 1 - shown["update"])
        close(shown["hidden"], kept * h + written * shown["candidate"])


@pytest.mark.parametrize("name, new", [("gru", True), ("gru_cho", False), ("gru_pytorch", False)])
def test_a_wide_open_update_gate(make_model: make, name: str, new: bool) -> None:
    """z = 1 throughout: the essay's GRU is its candidate, PyTorch's and the paper's stay where they were."""
    model = make_model(name, SIZE)
    with torch.no_grad():
        for source in ("ih", "hh"):
            model.rnn.blocks(0)[source]["z"][0].fill_(100 if source == "ih" else 0)
    start = lc.State({"hidden": np.full((1, SIZE), 0.5, np.float32)})
    t = lc.trace(model, TEXT, start)
    assert (t["update"] == 1).all()
    close(t["hidden"], t["candidate"] if new else np.full_like(t["hidden"], 0.5))


@pytest.mark.parametrize("name", ["peephole", "peephole_full"])
def test_peepholes_look_at_the_old_c_but_the_output_gate_at_the_new(make_model: make, name: str) -> None:
    model = make_model(name, SIZE)
    t = lc.trace(model, TEXT)
    p, x, h, shown = by_hand(model, t)
    i, f, g, o = np.split(x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T, 4, axis=1)
    old, new = t.before("cell")[0].astype(float), shown["cell"]
    if name == "peephole":
        p_i, p_f, p_o = np.split(p["weight_peephole"], 3)
        looks = old * p_i, old * p_f, new * p_o
    else:
        w_i, w_f, w_o = np.split(p["weight_ch"], 3)
        looks = old @ w_i.T, old @ w_f.T, new @ w_o.T
    close(shown["input"], sigmoid(i + looks[0]))
    close(shown["forget"], sigmoid(f + looks[1]))
    close(shown["output"], sigmoid(o + looks[2]))
    close(shown["candidate"], np.tanh(g))


def test_the_coupled_input_gate_is_shown_though_it_has_no_weights(make_model: make) -> None:
    model = make_model("coupled", SIZE)
    t = lc.trace(model, TEXT)
    p, _, _, shown = by_hand(model, t)
    assert p["weight_hh"].shape == (3 * SIZE, SIZE)
    assert "input" in t.signals
    np.testing.assert_array_equal(t["input"], 1 - t["forget"])
    close(shown["cell"], shown["forget"] * t.before("cell")[0] + (1 - shown["forget"]) * shown["candidate"])


def test_biases_two_for_pytorch_one_for_the_essay_none_for_its_gru() -> None:
    biases = {name: cell.biases for name, cell in lc.cells().items()}
    assert biases == {
        "coupled": 1,
        "gru": 0,
        "gru_cho": 1,
        "gru_pytorch": 2,
        "lstm": 2,
        "peephole": 1,
        "peephole_full": 1,
        "rnn": 2,
    }
    for name, cell in lc.cells().items():
        assert sum("bias" in n for n in cell.parameter_shapes(5, 4)) == biases[name]
        assert not any("bias" in n for n in cell.parameter_shapes(5, 4, bias=False))


@pytest.mark.parametrize("module, name", [(nn.RNN, "rnn"), (nn.LSTM, "lstm"), (nn.GRU, "gru_pytorch")])
def test_parameters_carry_pytorchs_names_and_shapes(module: type[nn.RNNBase], name: str) -> None:
    theirs = {n: tuple(p.shape) for n, p in module(5, 4, 2).named_parameters()}
    ours = {n: tuple(p.shape) for n, p in lc.CharModel("abcde", name, 4, 2).rnn.named_parameters()}
    assert list(ours.items()) == list(theirs.items())


def test_the_registry_names_what_there_is() -> None:
    assert list(lc.cells()) == ["coupled", "gru", "gru_cho", "gru_pytorch", "lstm", "peephole", "peephole_full", "rnn"]
    assert lc.cell("lstm") is lc.cells()["lstm"]
    with pytest.raises(ValueError, match="there is no cell 'mgu'; there are coupled, gru"):
        lc.cell("mgu")


MINIMAL_GATED_UNIT = '''
"""The minimal gated unit: one gate forgets, resets and updates."""

from lstm_core.formula import Cell, Signal, affine, h_prev, sigmoid, signal, tanh, x

f, n = map(signal, ("forget", "candidate"))

MGU = Cell(
    name="mgu",
    title="minimal gated unit",
    source="Zhou et al. 2016",
    rows=("f", "n"),
    signals=(
        Signal("forget", "f", "forget gate", sigmoid(affine("f", h_prev, x)), (0, 1)),
        Signal("candidate", r"\\tilde{h}", "candidate", tanh(affine("n", f * h_prev, x)), (-1, 1)),
        Signal("hidden", "h", "hidden state", (1 - f) * h_prev + f * n, (-1, 1)),
    ),
)
'''
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200">
  <path d="M0 20 H300" data-from="hidden@-1" data-to="forget candidate hidden"/>
  <path d="M20 200 V100" data-from="x" data-to="forget candidate"/>
  <path d="M60 80 H200" data-from="forget" data-to="candidate hidden"/>
  <path d="M120 80 V20" data-from="candidate" data-to="hidden"/>
  <path d="M200 20 H300" data-from="hidden" data-to="out"/>
  <rect data-signal="forget" data-value="forget"/>
  <circle data-signal="candidate" data-value="forget * hidden@-1"/>
  <rect data-signal="candidate" data-value="candidate"/>
  <circle data-signal="hidden" data-value="1 - forget"/>
  <circle data-signal="hidden" data-value="(1 - forget) * hidden@-1"/>
  <circle data-signal="hidden" data-value="forget * candidate"/>
  <circle data-signal="hidden" data-value="hidden"/>
</svg>"""


@pytest.fixture
def seventh(tmp_path: Path) -> Iterator[lc.Cell]:
    """The registry with one more file in it, and one more picture; put back as it was afterwards."""
    (tmp_path / "mgu.py").write_text(MINIMAL_GATED_UNIT)
    (tmp_path / "mgu.svg").write_text(PICTURE)
    REGISTRY.__path__.append(str(tmp_path))
    lc.cells.cache_clear()
    yield lc.cell("mgu")
    REGISTRY.__path__.remove(str(tmp_path))
    del sys.modules["lstm_core.cells.mgu"], REGISTRY.mgu
    lc.cells.cache_clear()
    assert "mgu" not in lc.cells()


def test_a_seventh_cell_takes_one_file_and_one_picture(seventh: lc.Cell, make_model: make, tmp_path: Path) -> None:
    assert "mgu" in lc.cells()
    model = make_model("mgu", SIZE, 2)
    t = lc.trace(model, TEXT)
    p, x, h, shown = by_hand(model, t)
    close(shown["forget"], sigmoid(x @ p["weight_ih"][:SIZE].T + p["bias_ih"][:SIZE] + h @ p["weight_hh"][:SIZE].T))
    gated = (shown["forget"] * h) @ p["weight_hh"][SIZE:].T
    close(shown["candidate"], np.tanh(x @ p["weight_ih"][SIZE:].T + p["bias_ih"][SIZE:] + gated))
    close(shown["hidden"], (1 - shown["forget"]) * h + shown["forget"] * shown["candidate"])
    assert lc.certify(model, t).holds
    assert len(lc.sample(model, "the ", 5)) == 5
    lc.save(model, tmp_path / "mgu.safetensors")
    again = lc.load(tmp_path / "mgu.safetensors")
    np.testing.assert_array_equal(lc.trace(again, TEXT).probs, t.probs)


def test_a_seventh_cell_learns(seventh: lc.Cell) -> None:
    recipe = lc.Recipe(cell="mgu", units=SIZE, streams=4, window=16, passes=4, warmup=5, validations=3, learning_rate=0.02)
    training = lc.fit(corpora.from_text("the clouds are in the sky. " * 60, "clouds"), recipe, report_every=0)
    held_out = [report.held_out for report in training if report.held_out is not None]
    assert held_out[-1] < held_out[0]


def test_a_seventh_cells_picture_is_held_to_its_declaration(seventh: lc.Cell, tmp_path: Path) -> None:
    assert diagram.check(seventh, diagram.load(seventh, tmp_path)) == []
    assert diagram.check(seventh, PICTURE.replace('data-to="candidate hidden"', 'data-to="hidden"')) != []


def test_two_cells_of_one_name_are_refused(seventh: lc.Cell, tmp_path: Path) -> None:
    (tmp_path / "mgu_again.py").write_text(MINIMAL_GATED_UNIT)
    lc.cells.cache_clear()
    with pytest.raises(ValueError, match="two cells are called 'mgu'; the second is in lstm_core.cells.mgu_again"):
        lc.cells()
    (tmp_path / "mgu_again.py").unlink()
    del sys.modules["lstm_core.cells.mgu_again"], REGISTRY.mgu_again
