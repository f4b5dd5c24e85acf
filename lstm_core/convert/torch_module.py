"""A trained torch module in: nn.LSTM, nn.GRU or nn.RNN, with its embedding and its head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from lstm_core.errors import InputError
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from lstm_core.words import N_, tr

CELLS: dict[type[nn.RNNBase], str] = {nn.LSTM: "lstm", nn.GRU: "gru_pytorch", nn.RNN: "rnn"}


def from_torch(
    module: nn.RNNBase,
    vocabulary: Vocabulary | Sequence[str],
    embedding: nn.Embedding | None = None,
    *,
    head: nn.Linear,
    name: str = N_("from torch"),
) -> CharModel:
    """Wraps a trained nn.LSTM, nn.GRU or nn.RNN as a CharModel; weights are copied, as float32.

    module: any layers, with or without bias. vocabulary: the characters in the order of their ids. embedding: None
    for one-hot input. head: from units to the vocabulary. name: what the model is called. Raises InputError, one
    sentence, when sizes do not fit, and for what is not supported: bidirectional, proj_size, a ReLU RNN, an embedding with
    max_norm.
    Source: torch.nn; rows i, f, g, o (LSTM), r, z, n (GRU).
    """
    cell = next((cell for kind, cell in CELLS.items() if isinstance(module, kind)), None)
    if cell is None:
        raise InputError(tr("from_torch takes nn.LSTM, nn.GRU or nn.RNN; it was given {name}", name=type(module).__name__))
    known = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(vocabulary)
    _check(module, len(known), embedding, head)
    model = CharModel(
        known, cell, module.hidden_size, module.num_layers, None if embedding is None else embedding.embedding_dim,
        float(module.dropout), module.bias, head.bias is not None, name,
    )  # fmt: skip
    with torch.no_grad():
        model.rnn.load_state_dict(module.state_dict())
        model.head.load_state_dict(head.state_dict())
        if embedding is not None and model.embedding is not None:
            model.embedding.load_state_dict(embedding.state_dict())
    return model.eval()


def _check(module: nn.RNNBase, vocab: int, embedding: nn.Embedding | None, head: nn.Linear) -> None:
    for what, given, kind in (("head", head, nn.Linear), ("embedding", embedding, nn.Embedding)):
        if not isinstance(given, kind) and not (what == "embedding" and given is None):
            raise InputError(
                tr(
                    "the {what} must be an nn.{name}; it is of type {name_2}",
                    what=what,
                    name=kind.__name__,
                    name_2=type(given).__name__,
                )
            )
    if module.bidirectional:
        raise InputError(tr("bidirectional modules are not supported: a text is read from its start to its end"))
    if module.proj_size:
        raise InputError(tr("proj_size = {module.proj_size} is not supported: h must have as many units as C", module=module))
    if isinstance(module, nn.RNN) and module.nonlinearity != "tanh":
        raise InputError(tr("nn.RNN with nonlinearity {module.nonlinearity!r} is not supported, only 'tanh'", module=module))
    if embedding is not None and embedding.max_norm is not None:
        raise InputError(
            tr(
                "an embedding with max_norm = {embedding.max_norm} is not supported: it changes as it is read",
                embedding=embedding,
            )
        )
    if embedding is not None and embedding.num_embeddings != vocab:
        raise InputError(
            tr(
                "the embedding has {embedding.num_embeddings} rows, the vocabulary {vocab} characters",
                embedding=embedding,
                vocab=vocab,
            )
        )
    width = vocab if embedding is None else embedding.embedding_dim
    what = tr("one-hot characters") if embedding is None else tr("the embedding")
    if module.input_size != width:
        raise InputError(
            tr(
                "the module reads {module.input_size} numbers a step, but {what} give {width}",
                module=module,
                what=what,
                width=width,
            )
        )
    if (head.in_features, head.out_features) != (module.hidden_size, vocab):
        raise InputError(
            tr(
                "the head maps {head.in_features} to {head.out_features}; it must map the {module.hidden_size} units"
                " to the {vocab} characters",
                head=head,
                module=module,
                vocab=vocab,
            )
        )
