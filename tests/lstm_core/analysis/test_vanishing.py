"""Vanished and exploded, on norms that are known."""

from __future__ import annotations

import numpy as np
import pytest

import lstm_core as lc
from lstm_core.analysis import vanishing
from lstm_core.analysis.gradients import Gradients, gradients
from lstm_core.analysis.vanishing import EXPLODED, NOWHERE, VANISHED, Path, fate, left, path, share

N = np.nan


def made(rows: list[list[float]], targets: list[int], direct: list[list[float]] | None = None) -> Gradients:
    """A plain RNN's gradients with these norms; with a direct path, an LSTM's."""
    norms = np.array(rows, np.float32)[None]
    aims, steps = np.zeros(len(targets), int), norms.shape[2]
    states = {"hidden": norms} if direct is None else {"hidden": norms, "cell": norms}
    paths = {} if direct is None else {"cell": np.array(direct, np.float32)[None]}
    cell = lc.cell("rnn" if direct is None else "lstm")
    return Gradients("m", cell, tuple("abcdefgh"[:steps]), np.array(targets), aims, states, paths, norms[0])


def test_the_limits_are_those_that_the_pictures_name() -> None:
    assert (VANISHED, EXPLODED) == (1e-3, 10.0)


def test_a_share_is_of_the_value_at_the_losss_own_step() -> None:
    found = made([[8, 2, 4, N], [1, 0.5, 5, 10]], [2, 3])
    np.testing.assert_allclose(share(found, Path("hidden", 0)), [[2, 0.5, 1, N], [0.1, 0.05, 0.5, 1]])


def test_the_direct_path_is_a_share_of_the_same_value() -> None:
    found = made([[1, 2, 4]], [2], direct=[[0.5, 1, 4]])
    np.testing.assert_allclose(share(found, Path("cell", 0), direct=True), [[0.125, 0.25, 1]])
    with pytest.raises(ValueError, match="no gate of LSTM decides what is kept of 'hidden'"):
        share(found, Path("hidden", 0), direct=True)


def test_vanished_means_from_there_back_for_good() -> None:
    below, above = VANISHED * 0.99, VANISHED * 1.01
    shares = np.array(
        [
            [below, below, above, 1, N],  # gone from step 1 back
            [above, below, below, 1, N],  # not gone: something is left before
            [below, above, below, 1, N],  # a dip is no end
            [0, 0, 0, 0, 1],
        ]
    )
    assert fate(shares).vanished.tolist() == [1, NOWHERE, 0, 3]


def test_exactly_a_thousandth_is_left() -> None:
    assert fate(np.array([[VANISHED, 1.0]])).vanished.tolist() == [NOWHERE]
    assert fate(np.array([[np.nextafter(VANISHED, 0), 1.0]])).vanished.tolist() == [0]


def test_exploded_is_told_at_the_nearest_step_above_ten() -> None:
    shares = np.array([[11, 12, 3, 1, N], [10, 10, 10, 10, 1], [20, 1, N, N, N], [np.inf, 5, 1, N, N]])
    found = fate(shares)
    assert found.exploded.tolist() == [1, NOWHERE, 0, 0]
    assert found.most == np.inf


def test_a_loss_without_a_gradient_has_no_fate() -> None:
    found = made([[0, 0, 0]], [2])
    shares = share(found, Path("hidden", 0))
    assert np.isnan(shares).all()
    assert fate(shares).vanished.tolist() == fate(shares).exploded.tolist() == [NOWHERE]
    assert not left(shares).distances.size and left(shares).vanished_after is None


def test_what_is_left_by_distance_is_the_median_of_the_losses_that_reach_so_far() -> None:
    rows = [[0.5, 1, N, N], [0.25, 0.1, 1, N], [0.2, 0.3, 0.4, 1]]
    found = left(np.array(rows), least=1)
    assert found.distances.tolist() == [0, 1, 2, 3] and found.losses.tolist() == [3, 3, 2, 1]
    assert found.middle[:2].tolist() == [1, 0.4] and found.middle[3] == 0.2
    assert found.middle[2] in (0.25, 0.3)
    assert found.low.tolist() <= found.middle.tolist() <= found.high.tolist()
    assert left(np.array(rows), least=3).distances.tolist() == [0, 1]


@pytest.mark.parametrize(
    "middle, after",
    [([1, 0.1, 1e-4, 1e-5], 2), ([1, 1e-4, 0.1, 1e-5], 3), ([1, 1e-4, 1e-5, 0.1], None), ([1, 0.5], None), ([1e-9], 0)],
)
def test_vanished_after_is_where_the_median_stays_below(middle: list[float], after: int | None) -> None:
    values = np.array(middle)
    assert vanishing.Left(np.arange(len(middle)), values, values, values, values.astype(int)).vanished_after == after


def test_which_state_and_layer_is_meant(make_model) -> None:
    lstm, gru = (gradients(m, lc.trace(m, "abc")) for m in (make_model("lstm", layers=2), make_model("gru")))
    assert path(lstm) == Path("cell", 1) and path(gru) == Path("hidden", 0)
    assert path(lstm, 0, "hidden") == Path("hidden", 0)
    assert path(gru, 1) == Path("hidden", 0), "above the top is the top"
    with pytest.raises(ValueError, match=r"'cell' is no state of GRU .*; its states are hidden"):
        path(gru, state="cell")
    with pytest.raises(ValueError, match="there is no layer -2"):
        path(lstm, -2)


def test_a_plain_rnn_forgets_what_a_held_cell_state_keeps(make_model) -> None:
    """Weights that halve h at each step against a forget gate that is open: the two ends of the problem."""
    import torch

    rnn, lstm = make_model("rnn", units=4), make_model("lstm", units=4)
    with torch.no_grad():
        rnn.rnn.weight_hh_l0.copy_(0.5 * torch.eye(4))
        rnn.rnn.weight_ih_l0.zero_()
        for name in ("bias_ih_l0", "bias_hh_l0"):
            getattr(rnn.rnn, name).zero_()
        for parameter in (lstm.rnn.weight_hh_l0, lstm.rnn.weight_ih_l0):
            parameter.zero_()
        lstm.rnn.bias_hh_l0.zero_()
        lstm.rnn.bias_ih_l0.copy_(torch.tensor([0.0] * 4 + [20.0] * 4 + [0.0] * 8))
    text = "abcdefghijklmnopqrst"
    forgets, keeps = (share(g, path(g)) for g in (gradients(m, lc.trace(m, text)) for m in (rnn, lstm)))
    np.testing.assert_allclose(left(forgets, 1).middle, 0.5 ** np.arange(20), rtol=1e-3)
    assert left(forgets, 1).vanished_after == 10  # 2^-10 is below a thousandth
    np.testing.assert_allclose(left(keeps, 1).middle, 1, rtol=1e-3)
    assert fate(keeps).vanished.max() == NOWHERE
