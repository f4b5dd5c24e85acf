"""What all tests share: one thread, a seed, and tiny models whose gates are wide awake."""

from __future__ import annotations

import os
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: two threads make small recurrences slower

import pytest
import torch
from hypothesis import HealthCheck, settings

from lstm_core.formula import Cell
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary

settings.register_profile(
    "gatescope",
    deadline=None,
    max_examples=60,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("gatescope")

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
