"""Does a converted model read? Its loss on a text, against guessing, a table of n-grams, and other ways to take its weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import Literal

import numpy as np
import torch
from torch import nn

from lstm_core.errors import InputError
from lstm_core.formula import SOURCES
from lstm_core.model import CharModel
from lstm_core.ngrams import NgramLoss, ngram_loss
from lstm_core.numbers import percent
from lstm_core.text import Vocabulary
from lstm_core.training import held_out_loss
from lstm_core.words import N_, tr

SHORTEST = 200  # steps: with fewer, a table of n-grams has nothing to count
LONGEST = 20_000  # steps that are judged of a longer text
COMPARED, STREAMS = 1_000, 10  # steps by which other ways to take the weights are compared, side by side from zero states
LARGE, MORE_STREAMS = 4_000_000, 40  # weights from which a step takes long, so that more of them are made side by side
ORDERS = range(1, 6)
MARGIN = 0.1  # nats by which another way must be better: the right one was better than every other by 0.8 or more
NOTICEABLE = 0.03  # nats by which another forget bias must be better to be told of
MOST_ROWS = 4  # a cell's blocks of rows that are tried in every order: 24 of them
WINDOW = 2048
CONVENTIONS: dict[str, dict[tuple[str, ...], str]] = {
    "lstm": {("i", "f", "o", "g"): "char-rnn's", ("i", "o", "f", "g"): "ONNX's", ("i", "g", "f", "o"): N_("TensorFlow 1's")},
    "gru": {("z", "r", "n"): N_("Keras's and ONNX's")},
}

Verdict = Literal["reads", "unclear", "wrong"]

UNSEEN = N_(
    "What the loss alone does not show: two rare characters exchanged, or a forget bias that lacks the 1 that"
    " some programs add while they run. The shipped models lose 0.06 to 0.23 nats a character by that, and go on"
    " reading."
)


@dataclass(frozen=True)
class Other:
    """Another way to take the same weights. label: which. loss: nats a step, by the same short stretch as `Proof.plain`."""

    label: str
    loss: float


@dataclass(frozen=True)
class Proof:
    """How well a model predicts a text, and what that says of how it was read from its file.

    loss: nats a step, over the second half of the text, the first half read before it. ngrams: the same of tables of
    n-grams, orders 1 to 5, that were counted in the first half. uniform: of guessing evenly among all the model's symbols.
    steps: how many predictions were judged. unit: "character" or "byte". replaced: the share, 0 to 1, of characters that
    were read as something else than was typed. plain: the loss by a shorter stretch from zero states, by which `others`,
    other ways to take the weights, were compared; best first. hints: sentences on what would make a model that reads read a
    little better. verdict: "reads": better than the tables; "wrong": worse than guessing, or than the same weights taken in
    another way; "unclear": between. sentence: the verdict in words. unseen: what no loss can show.
    Source: cross entropy; Witten & Bell 1991.
    """

    loss: float
    ngrams: NgramLoss
    uniform: float
    steps: int
    unit: str
    replaced: float
    plain: float
    others: tuple[Other, ...]
    hints: tuple[str, ...]
    verdict: Verdict
    sentence: str
    unseen: str = UNSEEN


def proof(model: CharModel, text: str, compare: bool = True, progress: Callable[[float], object] = lambda share: None) -> Proof:
    """Judges by a text whether a model was read from its file as it was meant, and with the right vocabulary.

    model: any. text: 200 characters or more, best of the kind that the model was trained on; the first 20,000 count. Model
    and tables see the same: the first half to go by, the second to be judged on. compare: also try the weights in other
    ways: blocks of rows in every order, W_hh transposed, a GRU's update gate turned round, the forget bias 1 higher and lower.
    progress: called now and then with the share of the work that is done, 0 to 1.
    Raises InputError for a text that is shorter. Source: Witten & Bell 1991 for the tables; Jozefowicz et al. 2015 for the
    forget bias; PyTorch's, Keras's, ONNX's and char-rnn's orders of rows.
    """
    vocabulary = model.vocabulary
    unit = vocabulary.reads.removesuffix("s")
    text = text[:LONGEST]
    ids = vocabulary.ids(text)[:LONGEST]
    if len(ids) < SHORTEST:
        raise InputError(
            tr(
                "a proof needs {shortest} {unit}s or more; the text has {ids_count}",
                shortest=SHORTEST,
                unit=unit,
                ids_count=len(ids),
            )
        )
    half = len(ids) // 2
    loss = float(_surprises(model, ids)[half:].mean())
    symbols = "".join(vocabulary.characters[k] for k in ids)
    ngrams = ngram_loss(symbols[:half], symbols[half:], ORDERS)
    replaced = sum(vocabulary.replacement_for(c) != c for c in text) / len(text)
    stretch = vocabulary.text(ids[:COMPARED]) if vocabulary.reads == "characters" else text[:COMPARED]
    plain, others = math.nan, []
    if compare:
        plain = _short_loss(model, stretch)
        ways = list(_repackings(model))
        for done, (label, change) in enumerate(ways, 2):
            progress(done / (len(ways) + 2))
            others.append(Other(label, _short_loss(_changed(model, change), stretch)))
        others.sort(key=lambda o: o.loss)
    uniform = math.log(len(vocabulary))
    verdict = _verdict(loss, ngrams.best_loss, uniform, plain, others)
    hints = list(_hints(model, stretch, plain)) if compare and verdict == "reads" else []
    sentence = _sentence(verdict, loss, ngrams.best_loss, uniform, plain, others, replaced, unit)
    return Proof(
        loss, ngrams, uniform, len(ids) - half - 1, unit, replaced, plain, tuple(others), tuple(hints), verdict, sentence
    )


def rank(model: CharModel, vocabularies: Sequence[Vocabulary], text: str) -> tuple[tuple[int, float], ...]:
    """How well a text is read with each of several vocabularies: (place in the list, nats a step), the best first.

    vocabularies: of the model's own size. text: as in `proof`. Losses are a step's: one of bytes does not compare with one
    of characters. Raises InputError as `proof` does.
    """
    losses = []
    for vocabulary in vocabularies:
        read = copy.copy(model)
        read.vocabulary = vocabulary
        losses.append(proof(read, text, compare=False).loss)
    return tuple(sorted(enumerate(losses), key=lambda pair: pair[1]))


def _surprises(model: CharModel, ids: np.ndarray) -> np.ndarray:
    """float64 (time - 1,): nats of each step but the first, the state carried on."""
    column, states, found = torch.from_numpy(ids.copy())[:, None], None, []
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for start in range(0, len(ids) - 1, WINDOW):
            stop = min(start + WINDOW, len(ids) - 1)
            logits, states = model(column[start:stop], states)
            found.append(nn.functional.cross_entropy(logits[:, 0], column[start + 1 : stop + 1, 0], reduction="none"))
    model.train(was_training)
    return torch.cat(found).double().numpy()


def _short_loss(model: CharModel, text: str) -> float:
    streams = MORE_STREAMS if sum(p.numel() for p in model.parameters()) > LARGE else STREAMS
    return held_out_loss(model, text, min(streams, max(1, len(text) // 20)))


def _verdict(loss: float, table: float, uniform: float, plain: float, others: Sequence[Other]) -> Verdict:
    if _better(plain, table, others) is not None or not loss < uniform:
        return "wrong"
    return "reads" if loss < table else "unclear"


def _better(plain: float, table: float, others: Sequence[Other]) -> Other | None:
    """Another way that reads, and clearly better. On a text that no way reads, the best of bad ones says nothing."""
    return others[0] if others and others[0].loss < min(plain - MARGIN, table) else None


def _sentence(
    verdict: Verdict,
    loss: float,
    table: float,
    uniform: float,
    plain: float,
    others: Sequence[Other],
    replaced: float,
    unit: str,
) -> str:
    numbers = tr(
        "{loss:.2f} nats a {unit}, where a table of n-grams of the same text needs {table:.2f} and guessing {uniform:.2f}",
        loss=loss,
        unit=unit,
        table=table,
        uniform=uniform,
    )
    if verdict == "reads":
        return tr("This model reads: {numbers}.", numbers=numbers)
    if (better := _better(plain, table, others)) is not None:
        return tr(
            "This looks wrongly packed: with {better.label} the same weights need {better.loss:.2f} nats a {unit}"
            " instead of {plain:.2f}.",
            better=better,
            unit=unit,
            plain=plain,
        )
    many = tr(" It knows {percent} of the text’s characters.", percent=percent(1 - replaced, 0)) if replaced >= 0.02 else ""
    if verdict == "wrong":
        return tr(
            "This looks wrongly packed or paired with the wrong vocabulary: {numbers}. Only a text of quite"
            " another kind than it was trained on could explain that.{many}",
            numbers=numbers,
            many=many,
        )
    return tr(
        "This text does not tell: {numbers}. Either it is of another kind than the model was trained on, or the"
        " model learnt little, or something is wrongly packed: try a text that it should know.{many}",
        numbers=numbers,
        many=many,
    )


# Other ways to take the weights


def _repackings(model: CharModel) -> Iterator[tuple[str, Callable[[CharModel, int], None]]]:
    """Other ways to take the weights: what each is called, and what changes a layer of a copy to it."""
    rows = model.cell.rows
    conventions = CONVENTIONS.get(model.cell.name.partition("_")[0], {})
    for order in permutations(rows) if len(rows) <= MOST_ROWS else ():
        if order != rows:
            whose = tr(" ({conventions} order)", conventions=conventions[order]) if order in conventions else ""
            label = tr(
                "its rows taken as {order}{whose} instead of {rows}", order=", ".join(order), whose=whose, rows=", ".join(rows)
            )
            yield label, partial(_reorder, order=order)
    yield tr("W_hh transposed"), _transpose
    if "update" in model.cell.names and "z" in rows:
        yield tr("the update gate z turned round, to 1 − z"), _complement_update


def _changed(model: CharModel, change: Callable[[CharModel, int], None]) -> CharModel:
    other = copy.deepcopy(model)
    with torch.no_grad():
        for layer in range(other.layers):
            change(other, layer)
    return other


def _reorder(model: CharModel, layer: int, order: tuple[str, ...]) -> None:
    """Takes the blocks of rows for those that `order` names: where not all have rows, as without gates, nothing is changed."""
    for name, parameter in model.rnn.layer(layer).items():
        source = next((s for s in SOURCES if name.endswith(f"_{s}")), None)
        if source is not None and model.cell.rows_of(source) == model.cell.rows:
            blocks = dict(zip(order, parameter.clone().split(model.units)))
            parameter.copy_(torch.cat([blocks[row] for row in model.cell.rows]))


def _transpose(model: CharModel, layer: int) -> None:
    weight = model.rnn.layer(layer)["weight_hh"]
    weight.copy_(torch.cat([block.T for block in weight.clone().split(model.units)]))


def _complement_update(model: CharModel, layer: int) -> None:
    """1 - sigmoid(a) is sigmoid(-a)."""
    for blocks in model.rnn.blocks(layer).values():
        weight, bias = blocks.get("z", (None, None))
        if weight is not None:
            weight.neg_()
        if bias is not None:
            bias.neg_()


def _hints(model: CharModel, text: str, plain: float) -> Iterator[str]:
    """What a forget bias 1 higher or lower would do, where it would do good."""
    if not model.cell.forget_rows or not model.rnn.bias:
        return
    for more, sign, words in (
        (1.0, "+1", tr("lacks the 1 that some programs add to the forget bias while they run")),
        (-1.0, "−1", tr("was given 1 too much on the forget bias")),
    ):
        loss = _short_loss(_changed(model, lambda m, layer, more=more: _shift(m, layer, more)), text)  # type: ignore[misc]
        if loss < plain - NOTICEABLE:
            yield (
                tr(
                    "With {sign} on the forget bias it would need {plain:.2f} nats less: if this text is of the kind"
                    " it was trained on, it {words}.",
                    sign=sign,
                    plain=plain - loss,
                    words=words,
                )
            )


def _shift(model: CharModel, layer: int, more: float) -> None:
    blocks = model.rnn.blocks(layer)
    for row in model.cell.forget_rows:
        bias = blocks["ih"][row][1]
        if bias is not None:
            bias.add_(more)
