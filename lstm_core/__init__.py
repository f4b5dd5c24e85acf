"""Gatescope's core: cells declared once, models that run them, traces that show every gate."""

from lstm_core.analysis.proof import Proof, proof
from lstm_core.cells import cell, cells
from lstm_core.certificate import Certificate, certify
from lstm_core.checkpoint import CheckpointError, ModelInfo, load, models, save
from lstm_core.clamp import Clamp
from lstm_core.convert.draft import ConvertError
from lstm_core.convert.opening import open_checkpoint
from lstm_core.convert.torch_module import from_torch
from lstm_core.formula import Cell, Signal
from lstm_core.life import Life, life, lives
from lstm_core.model import CharModel
from lstm_core.sampling import sample
from lstm_core.text import TextError, Vocabulary
from lstm_core.trace import State, Trace, trace
from lstm_core.training import Progress, Recipe, fit

__version__ = "0.2.0"

__all__ = [
    "Cell", "Certificate", "CharModel", "CheckpointError", "Clamp", "ConvertError", "Life", "ModelInfo", "Progress", "Proof",
    "Recipe", "Signal", "State", "TextError", "Trace", "Vocabulary", "cell", "cells", "certify", "fit", "from_torch", "life",
    "lives", "load", "models", "open_checkpoint", "proof", "sample", "save", "trace",
]  # fmt: skip
