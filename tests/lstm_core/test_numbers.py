from __future__ import annotations

import json
import math
import os
import random
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core import numbers

TESTS = Path(__file__).parents[1]
CASES = json.loads((TESTS / "cases" / "numbers.json").read_text(encoding="utf-8"))


def revived(value: Any) -> Any:
    """JSON has no NaN and no infinities: they are written as strings."""
    if isinstance(value, list):
        return [revived(v) for v in value]
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


def answer(name: str, given: list) -> Any:
    """What Python says, in the table's form: lists for tuples, null where no decimals add up."""
    try:
        found = getattr(numbers, name)(*revived(given))
    except ValueError:
        return None
    return [list(found[0]), found[1]] if name == "adding_up" else found


@pytest.mark.parametrize(("name", "given", "expected"), CASES, ids=lambda part: part if isinstance(part, str) else "")
def test_a_number_is_written_as_the_table_says(name: str, given: list, expected: Any) -> None:
    assert answer(name, given) == expected


def test_every_function_has_cases() -> None:
    public = {name for name, value in vars(numbers).items() if callable(value) and value.__module__ == numbers.__name__}
    public = {name for name in public if not name.startswith("_")}
    assert public - {name for name, *_ in CASES} == {"fitting", "agrees", "precisions"}  # adding_up goes through them


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=5), st.integers(0, 4))
def test_any_numbers_can_be_written_so_that_they_add_up(values: list[float], decimals: int) -> None:
    written, total = numbers.adding_up(values, sum(values), decimals)
    *summands, whole = (float(text.replace("−", "-")) for text in (*written, total))
    half = 0.5 * 10.0 ** -len(total.partition(".")[2])
    assert abs(sum(summands) - whole) <= half and abs(sum(values) - whole) <= half
    assert not any(text.startswith("−") and number == 0 for text, number in zip((*written, total), (*summands, whole)))


def test_numpy_numbers_are_written_as_pythons() -> None:
    assert numbers.written(np.float32(0.1)) == "0.100"
    assert numbers.percent(np.float32(0.9999)) == "over 99.9 %"
    assert numbers.count(np.int64(12345)) == "12,345"


def test_nothing_fits_with_what_was_asked_in_the_sentence() -> None:
    with pytest.raises(ValueError, match="no 9 decimals of the operands give 4"):
        numbers.adding_up([1, 2], 4)


def test_javascript_writes_two_thousand_random_numbers_the_same() -> None:
    node = shutil.which("node")
    if node is None:
        assert not os.environ.get("CI"), "node is missing: .ci/run installs it"
        pytest.skip("node is not installed")
    cases = list(_random_cases(random.Random(9)))
    given = json.dumps(cases, allow_nan=False)
    program = TESTS / "js" / "answers.js"
    ran = subprocess.run([node, program], input=given, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    different = [
        (case, python, javascript)
        for case, javascript in zip(cases, json.loads(ran.stdout, parse_int=float), strict=True)
        if (python := answer(*case)) != javascript
    ]
    assert len(cases) >= 2000 and not different, different[:5]


def _random_cases(chance: random.Random) -> Any:
    for _ in range(300):
        value = _number(chance)
        yield "rounded", [value, chance.randrange(10)]
        yield "fixed", [value, chance.randrange(10)]
        yield "written", [value]
        yield "short", [value, chance.randrange(1, 7)]
        yield "signed", [value, chance.randrange(7)]
        yield "percent", [_share(chance), chance.randrange(7)]
        yield "adding_up", _sum(chance)


def _number(chance: random.Random) -> float:
    """Of any size, as a float32 or a float64, near a threshold, or with a tie in a low decimal."""
    kind = chance.randrange(4)
    if kind == 0:
        value = chance.uniform(-1, 1) * 10.0 ** chance.randint(-12, 20)
    elif kind == 1:
        value = (
            chance.choice([-1, 1]) * 10.0 ** chance.randint(-4, 7) * (1 + chance.uniform(-1, 1) * 10.0 ** -chance.randint(2, 9))
        )
    elif kind == 2:
        value = chance.randint(-5000, 5000) / 2 ** chance.randint(0, 9)
    else:
        value = chance.gauss(0, 2)
    return struct.unpack("f", struct.pack("f", value))[0] if chance.random() < 0.5 else value


def _share(chance: random.Random) -> float:
    share = chance.choice([chance.random(), 10.0 ** chance.uniform(-9, 0), chance.randrange(2001) / 2000])
    return 1 - share if chance.random() < 0.5 else share


def _sum(chance: random.Random) -> list:
    values = [chance.gauss(0, 1) * 10.0 ** chance.randint(-3, 3) for _ in range(chance.randint(2, 6))]
    total = math.fsum(values)
    return [values, struct.unpack("f", struct.pack("f", total))[0], chance.randrange(4)]
