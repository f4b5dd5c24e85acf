"""How well does a table of n-grams predict a text? What a trained model must beat to have learnt more than a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from lstm_core.errors import InputError
from lstm_core.text import Vocabulary
from lstm_core.words import tr


@dataclass(frozen=True)
class NgramLoss:
    """Nats a character that n-grams need for a held-out text: one loss an order.

    orders: ascending; order n predicts a character from the n - 1 before it. losses: in the same sequence, 0 to inf.
    vocabulary: how many different characters the two texts hold together.
    """

    orders: tuple[int, ...]
    losses: tuple[float, ...]
    vocabulary: int

    def __getitem__(self, order: int) -> float:
        """The loss of one order, nats a character. Raises KeyError when it was not asked for; it lists those that were."""
        if order not in self.orders:
            raise KeyError(f"order {order} was not measured; the orders here are {', '.join(map(str, self.orders))}")
        return self.losses[self.orders.index(order)]

    @property
    def best_order(self) -> int:
        """The order with the lowest loss; the lowest such order when several share it."""
        return self.orders[self.losses.index(self.best_loss)]

    @property
    def best_loss(self) -> float:
        """The lowest loss of all orders measured, nats a character."""
        return min(self.losses)

    @property
    def uniform_loss(self) -> float:
        """What guessing needs that knows the vocabulary alone: its logarithm, nats a character."""
        return math.log(self.vocabulary)


def ngram_loss(train: str, held_out: str, orders: Iterable[int] = range(1, 11)) -> NgramLoss:
    """Nats a character of `held_out` under interpolated Witten-Bell n-grams counted in `train`, order by order.

    train: 1 character or more. held_out: 2 or more; the mean is over all but the first, as in `held_out_loss`, and it
    starts without context. orders: 1 or more each; order n predicts a character from the n - 1 before it. The
    vocabulary is all characters of both texts. Raises InputError when a text is too short or an order is below 1.
    Source: Witten & Bell 1991, method C; interpolated as in Chen & Goodman 1998, section 2.4.
    """
    wanted = sorted(set(orders))
    if not wanted or wanted[0] < 1:
        raise InputError(tr("orders are whole numbers from 1 up, at least one of them; {wanted} was given", wanted=wanted))
    measured = dict(zip(range(1, wanted[-1] + 1), losses_by_order(train, held_out), strict=False))
    return NgramLoss(tuple(wanted), tuple(measured[n] for n in wanted), len(set(train + held_out)))


def losses_by_order(train: str, held_out: str) -> Iterator[float]:
    """The losses of `ngram_loss`, one at a time for as long as they are asked for: order 1, order 2, and so on.

    For progress, or to stop once the minimum is passed. Nats a character; raises as `ngram_loss` does.
    """
    if not train or len(held_out) < 2:
        given = f"they have {len(train)} and {len(held_out)}"
        raise InputError(
            tr("n-grams need a text to count of 1 character or more and one to judge by of 2 or more; {given}", given=given)
        )
    for probabilities in _probabilities_by_order(train, held_out):
        yield -float(np.log(probabilities[1:]).mean())


def _probabilities_by_order(train: str, held_out: str) -> Iterator[np.ndarray]:
    """float64 (len(held_out),) an order: p_n(c|h) = (count(hc) + T(h) p_{n-1}(c|h')) / (count(h) + T(h)) of each character.

    T(h): how many different characters follow h in `train`. p_0: uniform. A context never seen leaves p_{n-1} as it is.

    A context is known by its rank among the n-grams of the order below, so a key of one rank and one character
    stays small at any order, and one sort an order ranks the n-grams of both texts.
    """
    vocabulary = Vocabulary.of(train + held_out)
    size, seen, judged = len(vocabulary), vocabulary.ids(train), vocabulary.ids(held_out)
    p = np.full(len(judged), 1 / size)
    seen_context, judged_context, contexts = np.zeros_like(seen), np.zeros_like(judged), 1
    for length in count():
        seen_keys = seen_context * size + seen[length:]
        judged_keys = judged_context * size + judged[length:]
        keys, ranks = np.unique(np.concatenate([seen_keys, judged_keys]), return_inverse=True)
        seen_grams, judged_grams = np.split(ranks, [len(seen_keys)])
        counts = np.bincount(seen_grams, minlength=len(keys))
        followed = np.bincount(seen_context, minlength=contexts)[judged_context]
        followers = np.bincount(keys[counts > 0] // size, minlength=contexts)[judged_context]
        mixed = counts[judged_grams] + followers * p[length:]
        np.divide(mixed, followed + followers, out=p[length:], where=followed > 0)
        yield p
        seen_context, judged_context, contexts = seen_grams[:-1], judged_grams[:-1], len(keys)
