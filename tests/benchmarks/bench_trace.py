"""How long a trace takes, as a ratio to the bare forward of torch's own module, measured side by side in one run.

    OMP_NUM_THREADS=1 python -m pytest tests/benchmarks/bench_trace.py [--full]

Each ratio is trace() with all signals and predictions over nn.LSTM / nn.GRU / nn.RNN alone, on the same model and
text; the two are run in turn and the medians compared. Cells that torch has no kernel for are set against nn.LSTM.
Three sizes a cell take about a minute; --full measures all 24. Nothing here passes or fails.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
import torch
from torch import nn

import lstm_core as lc

VOCABULARY = [chr(33 + k) for k in range(82)]
KERNELS = {"lstm": nn.LSTM, "gru_pytorch": nn.GRU, "rnn": nn.RNN}
CELLS = ("lstm", "gru_pytorch", "rnn", "coupled", "peephole", "peephole_full", "gru")
SIZES = [(64, 1_000, 1), (128, 1_000, 1), (256, 1_000, 2)]
ALL_SIZES = [(u, c, n) for n in (1, 2) for u in (64, 128, 256, 512) for c in (100, 1_000, 10_000)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("units, characters, layers", ALL_SIZES if metafunc.config.getoption("full") else SIZES)


def milliseconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - start)


def side_by_side(one: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float]:
    """The medians of both, run in turn, in milliseconds."""
    one(), other()
    pairs = [(milliseconds(one), milliseconds(other)) for _ in range(rounds)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


@pytest.mark.parametrize("cell", CELLS)
def test_trace_against_the_bare_forward(report, cell: str, units: int, characters: int, layers: int) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = lc.CharModel(VOCABULARY, cell, units, layers).eval()
    text = "".join(VOCABULARY[k] for k in torch.randint(82, (characters,)))
    one_hot = nn.functional.one_hot(torch.from_numpy(model.vocabulary.encode(text).ids.copy()), 82).float()[:, None]
    bare = KERNELS.get(cell, nn.LSTM)(82, units, layers)

    def forward() -> None:
        with torch.inference_mode():
            bare(one_hot)

    work = units * units * characters * layers
    rounds = max(3, min(31, int(2e9 / work)))
    forward_ms, trace_ms = side_by_side(forward, lambda: lc.trace(model, text), rounds)
    against = type(bare).__name__
    size = f"{cell:14} {layers} x {units:3} {characters:6} characters"
    report(f"{size}: trace {trace_ms:8.2f} ms, nn.{against:4} {forward_ms:8.2f} ms, ratio {trace_ms / forward_ms:5.2f}")
