"""A trained torch module in: the same numbers come out, and what can't be wrapped is refused with a sentence."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import lstm_core as lc

ALPHABET = " abcdefghijklmnopqrstuvwxyz"
TEXT = "the clouds are in the sky"
KINDS = {"lstm": nn.LSTM, "gru_pytorch": nn.GRU, "rnn": nn.RNN}


@pytest.mark.parametrize("head_bias", [True, False])
@pytest.mark.parametrize("embedding", [None, 5])
@pytest.mark.parametrize("layers, bias, batch_first", [(1, True, False), (3, False, True)])
@pytest.mark.parametrize("cell", KINDS)
def test_predictions_are_the_modules_own(
    cell: str, layers: int, bias: bool, batch_first: bool, embedding: int | None, head_bias: bool
) -> None:
    torch.manual_seed(0)
    module = KINDS[cell](embedding or 27, 9, layers, bias=bias, batch_first=batch_first)
    table, head = embedding and nn.Embedding(27, embedding), nn.Linear(9, 27, bias=head_bias)
    model = lc.from_torch(module, ALPHABET, table, head=head, name="mine")
    assert (model.cell.name, model.units, model.layers, model.name, model.training) == (cell, 9, layers, "mine", False)
    ids = torch.from_numpy(model.vocabulary.ids(TEXT))
    with torch.inference_mode():
        vectors = table(ids) if table else nn.functional.one_hot(ids, 27).float()
        wanted = head(module(vectors)[0]).softmax(-1)
    torch.testing.assert_close(torch.from_numpy(lc.trace(model, TEXT).probs.copy()), wanted, rtol=0, atol=1e-5)


def test_weights_are_copied() -> None:
    module, head = nn.LSTM(27, 4), nn.Linear(4, 27)
    model = lc.from_torch(module, ALPHABET, head=head)
    before = lc.trace(model, TEXT).probs
    with torch.no_grad():
        module.weight_hh_l0.zero_()
        head.weight.zero_()
    assert (lc.trace(model, TEXT).probs == before).all()


def test_a_double_module_becomes_float32() -> None:
    model = lc.from_torch(nn.GRU(27, 4).double(), ALPHABET, head=nn.Linear(4, 27).double())
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_a_wrapped_module_can_be_kept(tmp_path) -> None:
    model = lc.from_torch(nn.GRU(27, 4, 2, bias=False), lc.Vocabulary(ALPHABET, "x"), head=nn.Linear(4, 27, bias=False))
    lc.save(model, tmp_path / "mine.safetensors")
    again = lc.load(tmp_path / "mine.safetensors")
    assert (lc.trace(again, TEXT).probs == lc.trace(model, TEXT).probs).all()
    assert again.vocabulary == model.vocabulary


HEAD = nn.Linear(4, 27)


@pytest.mark.parametrize(
    "module, vocabulary, embedding, head, sentence",
    [
        (nn.LSTM(27, 4, bidirectional=True), ALPHABET, None, HEAD, "bidirectional modules are not supported"),
        (nn.LSTM(27, 8, proj_size=4), ALPHABET, None, HEAD, "proj_size = 4 is not supported"),
        (nn.RNN(27, 4, nonlinearity="relu"), ALPHABET, None, HEAD, "nonlinearity 'relu' is not supported, only 'tanh'"),
        (nn.Linear(27, 4), ALPHABET, None, HEAD, "takes nn.LSTM, nn.GRU or nn.RNN; it was given Linear"),
        (nn.LSTM(26, 4), ALPHABET, None, HEAD, "reads 26 numbers a step, but one-hot characters give 27"),
        (nn.LSTM(5, 4), ALPHABET, nn.Embedding(27, 6), HEAD, "reads 5 numbers a step, but the embedding give"),
        (nn.LSTM(5, 4), ALPHABET, nn.Embedding(26, 5), HEAD, "embedding has 26 rows, the vocabulary 27 characters"),
        (nn.LSTM(5, 4), ALPHABET, nn.Embedding(27, 5, max_norm=1), HEAD, "max_norm = 1"),
        (nn.LSTM(5, 4), ALPHABET, nn.Linear(27, 5), HEAD, r"embedding must be an nn.Embedding; it is of type Linear"),
        (nn.LSTM(27, 4), ALPHABET, None, nn.Sequential(HEAD), r"head must be an nn.Linear; it is of type Sequential"),
        (nn.LSTM(27, 4), ALPHABET, None, nn.Linear(5, 27), "head maps 5 to 27; it must map the 4 units to the 27 characters"),
        (nn.LSTM(27, 4), ALPHABET, None, nn.Linear(4, 26), "head maps 4 to 26"),
        (nn.LSTM(27, 4), ["a", "b", "<unk>"], None, HEAD, "'<unk>' is not: give it a character of its own"),
    ],
)
def test_what_is_refused(module, vocabulary, embedding, head, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        lc.from_torch(module, vocabulary, embedding, head=head)
