"""How long the core takes for what a person waits for: gradients, n-grams, grouped units, a table of a million rows.

    OMP_NUM_THREADS=1 python -m pytest tests/benchmarks/bench_core.py

The best of three runs each, in milliseconds. Nothing passes or fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import lstm_core as lc
from lstm_core import ngrams, trace_file
from lstm_core.analysis.gradients import gradients
from lstm_core.analysis.unit_order import grouped_order

TEXT = Path(ngrams.__file__).read_text("utf-8") * 30
Report = Callable[[str], None]


def best(run: Callable[[], object]) -> float:
    took = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        took.append(1000 * (time.perf_counter() - start))
    return min(took)


def traced(units: int, characters: int) -> tuple[lc.CharModel, lc.Trace]:
    torch.manual_seed(0)
    model = lc.CharModel(sorted(set(TEXT)), "lstm", units=units)
    return model, lc.trace(model, TEXT[:characters])


def test_gradients(report: Report) -> None:
    model, trace = traced(256, 200)
    report(f"gradients of 256 units over 200 characters: {best(lambda: gradients(model, trace)):.0f} ms")


def test_ngrams(report: Report) -> None:
    took = best(lambda: ngrams.ngram_loss(TEXT[:90_000], TEXT[90_000:100_000]))
    report(f"n-grams of 100,000 characters: {took:.0f} ms")


def test_grouped_units(report: Report) -> None:
    signals = [np.random.default_rng(k).standard_normal((1000, 512)).astype(np.float32) for k in range(6)]
    report(f"512 units of 6 signals grouped over 1,000 steps: {best(lambda: grouped_order(signals)):.0f} ms")


def test_a_table(report: Report) -> None:
    _, trace = traced(256, 1020)
    took = best(lambda: trace_file.to_csv(trace))
    report(f"{trace_file.csv_rows(trace):,} rows of CSV: {took:.0f} ms")
