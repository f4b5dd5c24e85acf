"""The one palette and the one set of scales. A colour means the same on every page.

Gates run from the page's own background (0: let nothing through) to full ink (1: let everything through).
Everything that can be negative is diverging about the background (0), blue below, orange above. Both are
interpolated in OKLab (Ottosson 2020), so equal steps look equal; blue and orange stay apart for colour-blind eyes.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

import numpy as np

from lstm_core.formula import Signal

Theme = Literal["light", "dark"]
Scale = Literal["gate", "diverging"]

BACKGROUND = {"light": "#ffffff", "dark": "#0e1117"}
INK = {"light": "#1b1f24", "dark": "#f2f4f8"}
NEGATIVE = {"light": "#0b4f9e", "dark": "#6db8ff"}
POSITIVE = {"light": "#a63d00", "dark": "#ffa45c"}

# One line colour a signal, told apart by lightness as well as by hue (after Okabe & Ito 2008).
SIGNAL_COLOURS = {
    "cell": "#b8860b",
    "forget": "#0072b2",
    "input": "#009e73",
    "candidate": "#cc79a7",
    "output": "#d55e00",
    "hidden": "#7a7f87",
    "update": "#0072b2",
    "reset": "#009e73",
}

# One line colour a model, where several are set side by side: dash and marker tell them apart as well (after Tol 2021).
READER_COLOURS = {
    "light": ("#0077bb", "#bb3311", "#117733", "#882288", "#8a6d00", "#44475a"),
    "dark": ("#66bbf0", "#ff9a7a", "#63cf8b", "#e193e1", "#e3c14b", "#b8bfd0"),
}

COVERED = 0.98  # the share of an unbounded signal's values that its colours tell apart
SAMPLE = 200_000  # values looked at to find where that share ends

_STOPS: dict[tuple[Scale, Theme], tuple[str, ...]] = {
    ("gate", "light"): (BACKGROUND["light"], "#8fb8c9", "#2f6f8f", "#0b2233"),
    ("gate", "dark"): (BACKGROUND["dark"], "#2b5f7c", "#82b9cf", "#f4fbff"),
    ("diverging", "light"): (NEGATIVE["light"], "#86b3e0", BACKGROUND["light"], "#eaa679", POSITIVE["light"]),
    ("diverging", "dark"): (NEGATIVE["dark"], "#2f5f90", BACKGROUND["dark"], "#94501c", POSITIVE["dark"]),
}

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _oklab(colour: str) -> np.ndarray:
    srgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return _TO_LAB @ np.cbrt(_TO_LMS @ linear)


def _srgb(lab: np.ndarray) -> np.ndarray:
    linear = (np.linalg.solve(_TO_LAB, lab.T) ** 3).T @ np.linalg.inv(_TO_LMS).T
    linear = linear.clip(0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (srgb * 255).round().astype(np.uint8)


def scale_of(signal: Signal) -> Scale:
    """Which scale a signal is drawn on: "gate" for a range of 0 to 1, else "diverging"."""
    return "gate" if signal.is_gate else "diverging"


def colour_limit(values: np.ndarray) -> tuple[float, float]:
    """Where the colours of an unbounded signal end, the same above and below 0, and its largest absolute value.

    values: (time, unit). One unit that runs away must not bleach all others: where the largest value is far beyond the
    usual ones, the limit covers 98 % of the values. Rounded up to two digits; 1 where all are 0.
    """
    size = np.abs(values)
    most = float(size.max())
    usual = float(np.quantile(size[:: max(1, size.size // SAMPLE)], COVERED))  # of some steps, and of every unit
    return rounded_up(usual if most > 1.5 * usual else most) or 1.0, most


def rounded_up(value: float) -> float:
    """A limit for an axis or a scale, 0 or more, to two digits: 3.21 becomes 3.3."""
    if value <= 0:
        return 0.0
    digits = 1 - math.floor(math.log10(value))
    return round(math.ceil(value * 10**digits - 1e-9) / 10**digits, max(digits, 0))


@cache
def lut(scale: Scale, theme: Theme = "light") -> np.ndarray:
    """The colours of a scale, lowest value first: uint8 (256, 3), red, green, blue, read-only.

    scale: "gate" (0 to 1) or "diverging" (-limit to limit). Raises KeyError for another scale or theme.
    """
    stops = np.array([_oklab(c) for c in _STOPS[scale, theme]])
    # Evenly spaced in perceived distance, not in stop number: equal steps of a value look equal.
    places = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(stops, axis=0), axis=1))])
    if scale == "diverging":  # zero stays in the middle
        zero = places[len(places) // 2]
        places = np.where(places <= zero, places / zero, 1 + (places - zero) / (places[-1] - zero))
    at = np.linspace(0, places[-1], 256)
    table = _srgb(np.stack([np.interp(at, places, stops[:, k]) for k in range(3)], axis=1))
    table.flags.writeable = False
    return table


def plotly_scale(scale: Scale, theme: Theme = "light") -> list[tuple[float, str]]:
    """The same colours as a Plotly colorscale: 33 (position 0 to 1, "rgb(r,g,b)") pairs."""
    table = lut(scale, theme)
    return [(k / 32, "rgb({},{},{})".format(*table[round(k * 255 / 32)])) for k in range(33)]
