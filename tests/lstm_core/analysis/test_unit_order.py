import numpy as np
import pytest

from lstm_core.analysis.unit_order import correlation, grouped_order, mean_order


def families(count: int, size: int, steps: int = 300, noise: float = 0.05, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Units in `count` families that move together, shuffled; and the family of each unit."""
    rng = np.random.default_rng(seed)
    leaders = rng.standard_normal((steps, count))
    family = rng.permutation(np.repeat(np.arange(count), size))
    return (leaders[:, family] + noise * rng.standard_normal((steps, count * size))).astype(np.float32), family


def test_mean_order_puts_the_highest_first_and_keeps_ties_by_number():
    values = np.array([[0, 3, 1, 3], [2, 3, 1, 3]], np.float32)
    assert mean_order(values).tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize(("count", "size"), [(4, 8), (7, 5), (16, 4)])
def test_units_that_move_together_stand_together(count, size):
    values, family = families(count, size)
    order = grouped_order([values])
    assert sorted(order) == list(range(count * size))
    assert np.count_nonzero(np.diff(family[order])) == count - 1


def test_opposed_units_are_kept_apart():
    rng = np.random.default_rng(1)
    wave = rng.standard_normal((200, 1))
    sign = np.where(np.arange(12) % 2, -1, 1)
    values = wave * sign + 0.1 * rng.standard_normal((200, 12))
    assert np.count_nonzero(np.diff(sign[grouped_order([values])])) == 1


def test_every_signal_counts():
    one, family = families(3, 4, seed=2)
    noise = np.random.default_rng(3).standard_normal(one.shape)
    order = grouped_order([noise, one, one])
    assert np.count_nonzero(np.diff(family[order])) == 2


def test_the_order_is_repeatable_and_its_neighbours_are_closer_than_in_any_shuffle():
    values = np.random.default_rng(4).standard_normal((100, 40)).cumsum(axis=0)
    order, close = grouped_order([values]), correlation([values])
    assert np.array_equal(order, grouped_order([values]))
    rng = np.random.default_rng(5)
    shuffled = max(close[p[:-1], p[1:]].mean() for p in (rng.permutation(40) for _ in range(200)))
    assert close[order[:-1], order[1:]].mean() > shuffled + 0.2


def test_units_that_never_move_come_last_by_number():
    values = np.random.default_rng(6).standard_normal((50, 8)).astype(np.float32)
    values[:, [1, 5]] = 0.3
    assert grouped_order([values])[-2:].tolist() == [1, 5]


@pytest.mark.parametrize("shape", [(1, 6), (40, 1), (40, 2), (2, 3)])
def test_small_traces_keep_every_unit(shape):
    values = np.random.default_rng(7).standard_normal(shape)
    assert sorted(grouped_order([values])) == list(range(shape[1]))


def test_one_step_keeps_the_index_order():
    assert grouped_order([np.ones((1, 5))]).tolist() == [0, 1, 2, 3, 4]


def test_correlation_agrees_with_numpy():
    values = np.random.default_rng(8).standard_normal((400, 6))
    assert np.allclose(correlation([values]), np.corrcoef(values.T), atol=1e-5)


def test_different_shapes_are_refused_by_name():
    with pytest.raises(ValueError, match=r"one shape.*\(3, 2\), \(3, 4\)"):
        grouped_order([np.zeros((3, 2)), np.zeros((3, 4))])
    with pytest.raises(ValueError, match="none"):
        grouped_order([])
