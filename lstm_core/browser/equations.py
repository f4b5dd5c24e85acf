"""A cell's equations as JSON: what assets/shared/equations writes and evaluates, whatever fills them with numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lstm_core import diagram
from lstm_core.figures.lettering import plain_symbol
from lstm_core.formula import (
    FUNCTIONS,
    SOURCES,
    Affine,
    Apply,
    Cell,
    Complement,
    Diagonal,
    Expression,
    Product,
    Sum,
    Vector,
    source_of,
    terms,
)

if TYPE_CHECKING:
    from lstm_core.model import CharModel
    from lstm_core.model_file import ModelFile


def described(model: CharModel | ModelFile) -> dict[str, Any]:
    """The equations of a model's cell, the same in each layer; no weight and no number of a trace is in it.

    signals: each with its symbol, its title, its equation as a tree, and the terms that this is the sum of, kept or written.
    rows: for each source of weights, whose rows stand in its matrix, in order. biases: which of bias_ih and bias_hh there
    are. functions: label, range and line of each that is applied.
    """
    cell, bias = model.cell, model.config["bias"]
    return {
        "signals": [_signal(cell, name) for name in cell.names],
        "rows": {source: list(cell.rows_of(source)) for source in SOURCES},
        "biases": [name for name in ("bias_ih", "bias_hh") if name in cell.parameter_shapes(1, 1, bias)],
        "functions": {name: _function(name) for name in cell.applied},
    }


def _signal(cell: Cell, name: str) -> dict[str, Any]:
    signal = cell[name]
    return {
        "name": name,
        "symbol": plain_symbol(signal.symbol),
        "title": signal.title,
        "bounded": all(map(math.isfinite, signal.range)),
        "tree": tree(signal.equation),
        "terms": [{"tree": tree(t), "kept": Vector(name, previous=True) in t.walk()} for t in terms(signal.equation)],
    }


def _function(name: str) -> dict[str, Any]:
    """A function as JSON; an end of its range is None where there is none."""
    function = FUNCTIONS[name]
    ends = [end if math.isfinite(end) else None for end in function.range]
    return {"label": function.label, "range": ends, "line": function.line}


def tree(node: Expression) -> dict[str, Any]:
    """An expression as JSON: what it is, how `diagram.spelling` writes it, and what it is made of.

    Raises TypeError for what the page has no letters for yet: a signal of the layer below, and a number that is not trained.
    """
    spelled = {"spelling": diagram.spelling(node)}
    match node:
        case Vector(name, previous, False):
            return {"kind": "vector", "name": name, "previous": previous} | spelled
        case Diagonal(rows):
            return {"kind": "diagonal", "rows": rows} | spelled
        case Affine(rows, inputs, symbol):
            read = {"inputs": [tree(v) for v in inputs], "sources": [source_of(v) for v in inputs]}
            return {"kind": "affine", "rows": rows, "symbol": symbol} | read | spelled
        case Apply(function, argument):
            return {"kind": "apply", "function": function, "argument": tree(argument)} | spelled
        case Sum(left, right):
            return {"kind": "sum", "left": tree(left), "right": tree(right)} | spelled
        case Product(left, right):
            return {"kind": "product", "left": tree(left), "right": tree(right)} | spelled
        case Complement(argument):
            return {"kind": "complement", "argument": tree(argument)} | spelled
    raise TypeError(f"not an expression of a formula: {node!r}")
