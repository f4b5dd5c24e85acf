"""Collects the measured lines and prints them at the end of the run."""

import pytest

LINES: list[str] = []


@pytest.fixture
def report():
    return LINES.append


def pytest_terminal_summary(terminalreporter) -> None:
    if LINES:
        terminalreporter.section("measured")
        for line in LINES:
            terminalreporter.write_line(line)
