"""Prints each measured line when it is measured, so that a run that is cut off has shown what it did."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="bench_trace: all sizes, which takes many minutes")


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """report(line) prints past pytest's capture."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", end="", flush=True)

    return line
