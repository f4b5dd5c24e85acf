"""Gatescope's core: cells declared once, models that run them, traces that show every gate.

The public names, and the modules, are loaded when they are first used: what needs no torch loads none.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and editors; _HOMES says the same at run time, and a test compares them
    from lstm_core import notebook as notebook
    from lstm_core import trace_file as trace_file
    from lstm_core.analysis.proof import Proof, proof
    from lstm_core.cells import cell, cells
    from lstm_core.certificate import Certificate, certify
    from lstm_core.checkpoint import load, save
    from lstm_core.clamp import Clamp
    from lstm_core.convert.draft import ConvertError
    from lstm_core.convert.opening import open_checkpoint
    from lstm_core.convert.torch_module import from_torch
    from lstm_core.formula import Cell, Signal
    from lstm_core.life import Life, life, lives
    from lstm_core.model import CharModel
    from lstm_core.model_file import CheckpointError, ModelInfo, models
    from lstm_core.recipes import Recipe
    from lstm_core.sampling import sample
    from lstm_core.text import TextError, Vocabulary
    from lstm_core.trace import State, Trace
    from lstm_core.tracing import trace
    from lstm_core.training import Progress, fit

__version__ = "0.2.0"

__all__ = [
    "Cell", "Certificate", "CharModel", "CheckpointError", "Clamp", "ConvertError", "Life", "ModelInfo", "Progress", "Proof",
    "Recipe", "Signal", "State", "TextError", "Trace", "Vocabulary", "cell", "cells", "certify", "fit", "from_torch", "life",
    "lives", "load", "models", "open_checkpoint", "proof", "sample", "save", "trace",
]  # fmt: skip

_NAMES = {
    "analysis.proof": ("Proof", "proof"),
    "cells": ("cell", "cells"),
    "certificate": ("Certificate", "certify"),
    "checkpoint": ("load", "save"),
    "clamp": ("Clamp",),
    "convert.draft": ("ConvertError",),
    "convert.opening": ("open_checkpoint",),
    "convert.torch_module": ("from_torch",),
    "formula": ("Cell", "Signal"),
    "life": ("Life", "life", "lives"),
    "model": ("CharModel",),
    "model_file": ("CheckpointError", "ModelInfo", "models"),
    "recipes": ("Recipe",),
    "sampling": ("sample",),
    "text": ("TextError", "Vocabulary"),
    "trace": ("State", "Trace"),
    "tracing": ("trace",),
    "training": ("Progress", "fit"),
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}


if not TYPE_CHECKING:  # type checkers would take any name for one that is there

    def __getattr__(name: str) -> Any:
        """A public name, or a module of the package, loaded when it is first asked for (PEP 562)."""
        if name in _HOMES:
            value = globals()[name] = getattr(import_module(_HOMES[name]), name)
            return value
        if not name.startswith("_"):
            try:
                return import_module(f"{__name__}.{name}")
            except ModuleNotFoundError as error:
                if error.name != f"{__name__}.{name}":
                    raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps `trace`, `life` and `cells` what they are, functions: Python would set the modules of these names over them."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
