"""Numbers as text for a person. assets/shared/numbers.js has the same functions; tests/cases/numbers.json judges both.

Ties are rounded away from zero, as JavaScript's toFixed rounds them and as schools teach it; Python's own format rounds
them to even. A minus is U+2212. Nothing rounds to "-0", and what is not a number is an en dash.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

MINUS, NONE = "−", "–"
DECIMALS = 2  # of a result, where the numbers add up with no more
MOST_DECIMALS = 7  # of an operand: what float32 holds of a number about 1
LEAST, MOST = -3, 1e6  # a first digit below 10^LEAST, or a whole from MOST on, is written with its power of ten

_WHOLE = 2.0**53  # from here on every float is a whole number
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_HALF_UP = Context(prec=1000, rounding=ROUND_HALF_UP)


def rounded(value: float, decimals: int) -> float:
    """The float nearest to the value with so many decimals; ties away from zero."""
    value = float(value)
    if not math.isfinite(value) or abs(value) >= _WHOLE:
        return value
    return float(Decimal(value).quantize(Decimal(1).scaleb(-decimals), context=_HALF_UP))


def fixed(value: float, decimals: int) -> str:
    """So many decimals: "0.50", "−1.07". From 2^53 on, where a float has no decimals, six digits and a power of ten."""
    value = float(value)
    if not math.isfinite(value) or abs(value) >= _WHOLE:
        return short(value, 6)
    return _with_minus(f"{Decimal(value).quantize(Decimal(1).scaleb(-decimals), context=_HALF_UP):f}")


def written(value: float) -> str:
    """A value beside a picture: three decimals below 10, two below 100, one below 1000, then whole: "0.250", "10.00"."""
    value = float(value)
    if not math.isfinite(value):
        return NONE
    for limit, decimals in ((10, 3), (100, 2), (1000, 1)):
        if abs(rounded(value, decimals)) < limit:
            return fixed(value, decimals)
    return short(value, 4)


def short(value: float | None, digits: int = 2) -> str:
    """So many significant digits, or all of a whole number's: "0.012", "3.4", "1,235", "3.2·10⁻⁷", "∞".

    value: None, as NaN, where there is none.
    """
    value = math.nan if value is None else float(value)
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value == 0:
        return "0"
    exact = Decimal(value)
    leading = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), context=_HALF_UP)
    power = leading.adjusted()  # of what is shown: 9.96 in two digits is 10
    if power >= LEAST and abs(rounded(value, 0)) < MOST:
        text = fixed(value, max(0, digits - 1 - power))
        whole, point, decimals = text.partition(".")
        decimals = decimals.rstrip("0")
        return _grouped(whole) + (point + decimals if decimals else "")
    return f"{fixed(float(leading.scaleb(-power)), digits - 1)}·{_ten_to(power)}"


def signed(value: float, decimals: int = 3) -> str:
    """A change, with its sign where it is not zero as written: "+0.120", "−0.003", "0.000"."""
    text = fixed(value, decimals)
    return f"+{text}" if rounded(value, decimals) > 0 else text


def percent(share: float, decimals: int = 1) -> str:
    """Two digits of a share, or of what it lacks to the whole, with so many decimals at most: "7.1 %", "61 %", "98.2 %".

    Only 0 is "0 %" and only 1 is "100 %": between stand "under 0.1 %" and "over 99.9 %". Over a half, one decimal at most.
    A share below 0 or above 1 has whole percents.
    """
    share = float(share)
    if not math.isfinite(share):
        return NONE
    if not 0 < share < 1:
        return f"{fixed(100 * share, 0)} %"
    upper = share >= 0.5
    finest = min(decimals, 1) if upper else decimals
    small = 100 * (1 - share if upper else share)
    places = next((d for d in range(finest) if rounded(small, d + 1) >= float(f"1e{1 - d}")), finest)
    small = rounded(small, places)
    if small == 0:
        least = float(f"1e-{places}")
        return f"over {fixed(100 - least, places)} %" if upper else f"under {fixed(least, places)} %"
    return f"{fixed(100 - small if upper else small, places)} %"


def count(number: int) -> str:
    """A whole number with its thousands set apart: "1,235"."""
    return _grouped(_with_minus(str(number)))


def power(exponent: int) -> str:
    """A power of ten, as on the ticks of an axis: "0.001", "1", "1000", "10⁴", "10⁻⁷"."""
    return fixed(float(f"1e{exponent}"), max(0, -exponent)) if -3 <= exponent <= 3 else _ten_to(exponent)


# Numbers that add up


def adding_up(values: Sequence[float], total: float, decimals: int = DECIMALS) -> tuple[tuple[str, ...], str]:
    """Numbers and their sum, written with as few decimals as it takes for the written numbers to add up.

    total: the sum of values, up to float32's rounding. decimals: of the total, at least. Returns the summands and the
    total; adding the written summands and rounding gives the written total. Raises ValueError where none do.
    """

    def add(decimals: int) -> float:
        result = 0.0
        for value in values:  # not sum(), which corrects its rounding from Python 3.12 on
            result += rounded(value, decimals)
        return result

    digits, more = fitting(total, add, decimals)
    return tuple(fixed(v, more) for v in values), fixed(total, digits)


def fitting(result: float, evaluate: Callable[[int], float], decimals: int = DECIMALS) -> tuple[int, int]:
    """How many decimals of the result, and of its operands, it takes for the written operands to give the written result.

    evaluate: the result from operands of so many decimals. decimals: of the result, at least, where that is possible.
    Raises ValueError where no decimals do.
    """
    for digits, more in precisions(decimals):
        if agrees(evaluate(more), result, digits):
            return digits, more
    raise ValueError(f"no {MOST_DECIMALS + 2} decimals of the operands give {result!r}")


def agrees(found: float, value: float, decimals: int) -> bool:
    """Whether what was found rounds to the value as it is written with so many decimals."""
    # Slightly less than half a unit of the last digit, so that either way of rounding a tie agrees.
    return abs(found - rounded(value, decimals)) < 0.4999 * float(f"1e-{decimals}")


def precisions(decimals: int = DECIMALS) -> Iterator[tuple[int, int]]:
    """Few decimals of the result first, and for each, few decimals of the operands; one of the result in the end."""
    for digits in (*range(decimals, MOST_DECIMALS), *range(decimals - 1, -1, -1)):
        for more in range(max(digits, DECIMALS), max(MOST_DECIMALS, digits + 2) + 1):
            yield digits, more


def _ten_to(exponent: int) -> str:
    return f"10{str(exponent).translate(_RAISED)}"


def _with_minus(text: str) -> str:
    """A real minus for a hyphen, and none before a zero."""
    return text.replace("-", MINUS if any(digit in "123456789" for digit in text) else "")


def _grouped(whole: str) -> str:
    sign = MINUS if whole.startswith(MINUS) else ""
    return f"{sign}{int(whole.removeprefix(MINUS)):,}"
