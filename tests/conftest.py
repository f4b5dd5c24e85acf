"""What all tests share: one thread, a seed, and tiny models whose gates are wide awake."""

from __future__ import annotations

import gc
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: two threads make small recurrences slower

import pytest
import torch

from lstm_core.formula import Cell
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from tests.examples import register

register(derandomize="CI" in os.environ)


def pytest_collection_finish() -> None:
    """What collecting has loaded stays: no later collection of garbage need look through it again."""
    gc.collect()
    gc.freeze()


ALPHABET = " abcdefghijklmnopqrstuvwxyz"
MakeModel = Callable[..., CharModel]


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    """A seeded model in evaluation mode; `spread` widens its weights, so that gates open and close."""

    def make(
        cell: str | Cell = "lstm", units: int = 16, layers: int = 1, spread: float = 2.0, seed: int = 0, **more
    ) -> CharModel:
        torch.manual_seed(seed)
        model = CharModel(Vocabulary(more.pop("vocabulary", ALPHABET)), cell, units, layers, **more)
        with torch.no_grad():
            for parameter in model.rnn.parameters():
                parameter.mul_(spread)
        return model.eval()

    return make


@pytest.fixture(scope="session")
def checkpoint_that_reads() -> tuple[bytes, str]:
    """A PyTorch state dict that was trained for seconds on a text, without its characters; and the text."""
    passages = json.loads((Path(__file__).resolve().parents[1] / "assets" / "passages.json").read_text("utf-8"))
    text: str = passages[0]["text"][:4000]
    characters = sorted(set(text))
    ids = torch.tensor([characters.index(c) for c in text])
    torch.manual_seed(0)
    embedding, head = torch.nn.Embedding(len(characters), 24), torch.nn.Linear(64, len(characters))
    net = torch.nn.ModuleDict({"embedding": embedding, "lstm": torch.nn.LSTM(24, 64, batch_first=True), "head": head})
    optimiser = torch.optim.Adam(net.parameters(), 2e-2)
    for _ in range(80):
        read = ids[torch.randint(len(ids) - 33, (16, 1)) + torch.arange(33)]
        hidden, _ = net["lstm"](embedding(read[:, :-1]))
        loss = torch.nn.functional.cross_entropy(head(hidden).flatten(0, 1), read[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    return file.getvalue(), text
