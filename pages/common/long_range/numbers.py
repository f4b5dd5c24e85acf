"""Numbers of very different sizes, as people write them."""

from __future__ import annotations

import math

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LEAST, MOST = 1e-3, 1e6  # beyond them powers of ten


def short(value: float | None) -> str:
    """Two digits: 0.012, 3.4, 1,235, 3.2·10⁻⁷; an en dash where there is no number. value: 0 or more."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    if value == 0 or LEAST <= value < MOST:
        return f"{value:.2g}" if value < 99.5 else f"{value:,.0f}"
    mantissa, power = f"{value:.1e}".split("e")
    return f"{mantissa}·10{str(int(power)).translate(RAISED)}"
