"""Singular values against known matrices, the reach of a gradient against its formula, and what clipping does."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core import corpora
from lstm_core.analysis import spectrum
from lstm_core.analysis.spectrum import ClippingRun, Progress, Protocol, clipping_run, reach, singular_values, spectral_radius

CLOUDS = corpora.from_text("the clouds are in the sky, and the sky is blue. " * 60, "clouds")
TINY = Protocol(units=10, streams=4, window=12, steps=40, every=4, looks=(0, 20, 40), seeds=(1,))


def finish(running) -> tuple[ClippingRun, list[Progress]]:
    reports = []
    while True:
        try:
            reports.append(next(running))
        except StopIteration as finished:
            return finished.value, reports


def test_singular_values_of_a_known_matrix(make_model) -> None:
    model = make_model("rnn", 6)
    turned, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    with torch.no_grad():
        model.rnn.weight_hh_l0.copy_(torch.from_numpy(turned * np.array([1, 2, 3, 4, 5, 6.0])))
    assert singular_values(model)["h"] == pytest.approx([6, 5, 4, 3, 2, 1], rel=1e-5)


@pytest.mark.parametrize("cell, rows", [("lstm", "ifgo"), ("gru", "rzn"), ("coupled", "fgo")])
def test_each_gate_has_its_matrix(make_model, cell: str, rows: str) -> None:
    model = make_model(cell, 7, 2)
    for layer in range(2):
        found = singular_values(model, layer)
        assert set(found) == set(rows)
        stacked = model.rnn.get_parameter(f"weight_hh_l{layer}").detach().numpy()
        for number, name in enumerate(model.cell.rows_of("hh")):
            assert found[name][0] == pytest.approx(np.linalg.norm(stacked[7 * number : 7 * number + 7], 2), rel=1e-5)
            assert spectral_radius(spectrum.recurrent(model, layer)[name]) <= found[name][0] * (1 + 1e-9)
    with pytest.raises(IndexError, match="has layers 0 to 1, not 2"):
        singular_values(model, 2)


def test_spectral_radius() -> None:
    turn = 0.7 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    assert spectral_radius(turn) == pytest.approx(0.7)
    assert spectral_radius(np.array([[0.5, 100.0], [0.0, 0.25]])) == pytest.approx(0.5)
    with pytest.raises(ValueError, match=r"the shape is \(2, 3\)"):
        spectral_radius(np.zeros((2, 3)))


def test_reach_is_the_product_of_the_jacobians(make_model) -> None:
    """For one plain layer: diag(1 - h^2) W, step after step, by hand in float64."""
    model = make_model("rnn", 5).double()
    ids = torch.randint(0, len(model.vocabulary), (9, 3), generator=torch.Generator().manual_seed(1))
    start = model.rnn.zero_states(3)[0] + 0.3
    found = reach(model, ids, start)
    w, v, head = (p.detach().numpy() for p in (model.rnn.weight_hh_l0, model.rnn.weight_ih_l0, model.head.weight))
    bias = (model.rnn.bias_ih_l0 + model.rnn.bias_hh_l0).detach().numpy()
    norms = np.zeros((8, 3))
    for stream in range(3):
        h, states = np.full(5, 0.3), []
        for k in ids[:-1, stream]:
            h = np.tanh(w @ h + v[:, k] + bias)
            states.append(h)
        logits = head @ h + model.head.bias.detach().numpy()
        p = np.exp(logits - logits.max())
        p /= p.sum()
        p[ids[-1, stream]] -= 1
        gradient = head.T @ p
        for back in range(8):
            norms[back, stream] = np.linalg.norm(gradient)
            gradient = w.T @ ((1 - states[7 - back] ** 2) * gradient)
    assert found == pytest.approx(norms.mean(axis=1), rel=1e-9)


def test_reach_is_of_h_alone(make_model) -> None:
    model = make_model("lstm", 5)
    with pytest.raises(ValueError, match="reach is about h alone; LSTM has the states hidden, cell"):
        reach(model, torch.zeros(3, 1, dtype=torch.int64), model.rnn.zero_states(1)[0])
    assert len(reach(make_model("gru", 5, 2), torch.zeros(4, 1, dtype=torch.int64), torch.zeros(2, 1, 5))) == 3


def test_small_weights_forget_and_large_ones_explode() -> None:
    runs = {
        radius: finish(clipping_run(CLOUDS, radius, 1.0, 1, replace(TINY, steps=1, looks=(0,))))[0]
        for radius in (0.3, 1.0, 6.0)
    }
    far = {radius: run.reach[0][-1] / run.reach[0][0] for radius, run in runs.items()}
    assert far[0.3] < 1e-4 < far[1.0] < far[6.0]
    for radius, run in runs.items():
        assert run.points[0].radius == pytest.approx(radius, rel=1e-5) and run.points[0].sigma >= radius


def test_clipping_bounds_the_step_and_not_what_is_noted() -> None:
    """With plain gradient descent no step can be longer than the rate times the clip; without, it can."""
    protocol = replace(TINY, every=1, steps=12)
    for clip in (0.05, None):
        run, _ = finish(clipping_run(CLOUDS, 3.0, clip, 1, protocol))
        moved = [abs(b.sigma - a.sigma) for a, b in zip(run.points, run.points[1:])]  # no more than the step's length
        assert max(p.norm for p in run.points[1:]) > 0.5
        assert (max(moved) <= 0.05 * protocol.learning_rate * (1 + 1e-4)) == (clip is not None)


def test_a_run_s_points_and_reports() -> None:
    run, reports = finish(clipping_run(CLOUDS, 1.0, 1.0, 1, TINY, report_every=0))
    assert [p.step for p in run.points] == list(range(0, 41, 4))
    assert math.isnan(run.points[0].loss) and all(math.isfinite(p.loss) and p.largest >= p.norm for p in run.points[1:])
    assert run.points[-1].loss < run.points[1].loss < math.log(30)
    assert sorted(run.reach) == [0, 20, 40] and {len(norms) for norms in run.reach.values()} == {12}
    assert [r.point for r in reports] == list(run.points[1:]) and reports[-1].seconds_left == 0
    again, _ = finish(clipping_run(CLOUDS, 1.0, 1.0, 1, TINY, report_every=1e9))
    assert [p.loss for p in again.points[1:]] == [p.loss for p in run.points[1:]] and run.diverged is None


def test_a_loss_that_is_no_number_ends_the_run_and_is_recorded() -> None:
    run, _ = finish(clipping_run(CLOUDS, 1.0, None, 1, replace(TINY, learning_rate=1e38)))
    assert run.diverged is not None and run.diverged <= 8
    assert run.points[-1].step < run.diverged and 40 not in run.reach


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"steps": 0}, "steps must be 1"),
        ({"radii": (1.0, -1.0)}, "radii must be above 0"),
        ({"clips": (0.0,)}, "clips must be"),
    ],
)
def test_a_protocol_refuses_what_can_not_be(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Protocol(**change)


def test_a_text_must_fill_a_step() -> None:
    with pytest.raises(ValueError, match="one step reads 1,024"):
        next(clipping_run(corpora.from_text("ab" * 400, "short"), 1.0, None))


def test_the_shipped_cells_have_recurrent_weights() -> None:
    for name in lc.cells():
        model = lc.CharModel("abc", name, 4)
        assert all(values.shape == (4,) and (np.diff(values) <= 0).all() for values in singular_values(model).values())
