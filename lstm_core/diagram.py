"""The cells' drawings, and the check that holds each drawing to its cell's declaration.

A cell is drawn in assets/cells/NAME.svg. The drawing names its parts in attributes:

    data-signal="forget"                a yellow box or pink circle that belongs to the signal
    data-from="hidden@-1 x"             on every line, a <path>: the vectors it comes from; "@-1" marks the state before
    data-to="forget input"              on every line: the signals it serves, or "out" where a state leaves the cell
    data-value="forget * cell@-1"       on any part: the vector it shows, carries or puts out, as `spelling` writes it

A line with several vectors or several targets counts as one arrow from each vector to each target. A <path class="tip">
is the head of the line written before it. Colours are CSS custom properties with fallbacks: --cell-body,
--cell-body-edge, --cell-layer, --cell-layer-edge, --cell-operation, --cell-operation-edge, --cell-reads, --cell-writes and
--cell-text; lines and labels take the text colour around the drawing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from lstm_core.formula import FUNCTIONS, Affine, Apply, Cell, Complement, Diagonal, Expression, Fixed, Product, Sum, Vector
from lstm_core.places import APP, ASSETS
from lstm_core.words import tr

FOLDER = ASSETS / "cells"
PREVIOUS = "@-1"
OUT = "out"
SVG = "{http://www.w3.org/2000/svg}"

Arrow = tuple[str, str]  # from a vector to the signal that reads it, or to OUT


def load(cell: Cell, folder: Path = FOLDER) -> str:
    """The cell's drawing, as SVG text, from `folder`/NAME.svg.

    The drawing of a variant is its cell's, with the names of its functions in the boxes.
    Raises FileNotFoundError, naming the cell and the file to draw, when there is none.
    Source: the visual language is that of Olah 2015, "Understanding LSTM Networks".
    """
    path = folder / f"{cell.name}.svg"
    if not path.is_file():
        shown = path.relative_to(APP) if path.is_relative_to(FOLDER) else path
        raise FileNotFoundError(tr("cell {cell.name!r} has no picture: draw {shown}", cell=cell, shown=shown))
    boxes = {FUNCTIONS[old].label: _boxed(FUNCTIONS[new].label) for old, new in cell.functions}
    svg = renamed(path.read_text(encoding="utf-8"), cell)
    return re.sub(r"(?<=>)[^<>]+(?=<)", lambda match: boxes.get(match[0], match[0]), svg)


def renamed(text: str, cell: Cell) -> str:
    """Spellings of a cell's equations, alone or within a text, with the functions that a variant of it applies instead."""
    names = dict(cell.functions)
    return re.sub(r"\b(\w+)\(", lambda match: f"{names.get(match[1], match[1])}(", text)


def _boxed(label: str) -> str:
    """A label as it fits a box that was drawn for tanh."""
    return label if len(label) <= len("tanh") else tr('<tspan font-size="0.75em">{label}</tspan>', label=label)


def spelling(expression: Expression) -> str:
    """An expression of a declaration in plain letters, as data-value names it in the drawings.

    Returns e.g. "forget * cell@-1", "tanh(cell)", "1 - update", "W_hn[hidden@-1]", "p_f * cell@-1".
    Raises TypeError for a node that the formula language does not have.
    """
    match expression:
        case Vector(name, below=True):
            return f"{name}@below"
        case Fixed(symbol):
            return symbol
        case Vector(name, previous):
            return name + PREVIOUS if previous else name
        case Diagonal(rows):
            return f"p_{rows}"
        case Affine(_, inputs, symbol):
            return (f"W_{symbol}" if symbol else "W") + _concatenation(inputs)
        case Apply(function, argument):
            return f"{function}({spelling(argument)})"
        case Sum(left, right):
            return f"{spelling(left)} + {spelling(right)}"
        case Product(left, right):
            return f"{_factor(left)} * {_factor(right)}"
        case Complement(argument):
            return f"1 - {_factor(argument)}"
    raise TypeError(f"not an expression of a formula: {expression!r}")


def values(cell: Cell) -> set[str]:
    """All that a drawing of the cell may show: vectors, concatenations and terms of the equations, as `spelling` writes them.

    A term that is a signal's whole equation goes by the signal's name.
    """
    terms = {spelling(node) for s in cell.signals for node in s.equation.walk() if node is not s.equation}
    return terms | {_concatenation(a.inputs) for a in cell.affines} | set(cell.names)


def operations(cell: Cell) -> dict[str, str]:
    """The boxes and circles that a full drawing has: what each puts out -> the signal it belongs to.

    One for each signal, and one for each product, squashing function and 1 - gate on the way to it; sums on the way and
    the affine maps inside a layer need no box of their own.
    """
    found = {s.name: s.name for s in cell.signals}
    for s in cell.signals:
        inner = (node for node in s.equation.walk() if node is not s.equation)
        found |= {spelling(node): s.name for node in inner if isinstance(node, Product | Apply | Complement)}
    return found


def arrows(cell: Cell) -> set[Arrow]:
    """The arrows that a drawing must have: each vector to each signal that reads it, and each state to "out".

    Returns pairs such as ("cell@-1", "forget") and ("hidden", "out").
    """
    read = {(spelling(vector), name) for name in cell.names for vector in cell.reads(name)}
    return read | {(state, OUT) for state in cell.states}


def check(cell: Cell, svg: str) -> list[str]:
    """What a drawing lacks or has too much, against the cell's declaration; an empty list when they agree.

    svg: the drawing's text, as `load` returns it. Returns sentences, signals first, then lines, then values.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        return [tr("{cell.name}: the picture is not well-formed XML: {error}", cell=cell, error=error)]
    if root.tag != f"{SVG}svg":
        return [
            tr(
                "{cell.name}: the picture is not SVG: its root is <{root.tag}>, not <svg> in the SVG namespace",
                cell=cell,
                root=root,
            )
        ]
    found = [*_wrong_signals(cell, root), *_wrong_lines(cell, root), *_wrong_values(cell, root)]
    return [f"{cell.name}: {sentence}" for sentence in found]


def lines(root: Element) -> tuple[Element, ...]:
    """The paths of a parsed drawing that carry vectors: all but the arrowheads and what stands in <defs>."""
    aside = {path for defs in root.iter(f"{SVG}defs") for path in defs.iter()}
    return tuple(p for p in root.iter(f"{SVG}path") if p not in aside and p.get("class") != "tip")


def _concatenation(inputs: tuple[Expression, ...]) -> str:
    return f"[{', '.join(map(spelling, inputs))}]"


def _factor(expression: Expression) -> str:
    text = spelling(expression)
    return f"({text})" if isinstance(expression, Sum | Complement) else text


def _wrong_signals(cell: Cell, root: Element) -> Iterator[str]:
    drawn = {e.get("data-signal", "") for e in root.iter() if "data-signal" in e.attrib}
    for name in cell.names:
        if name not in drawn:
            yield tr('the signal {name!r} is not drawn: no part has data-signal="{name}"', name=name)
    for name in sorted(drawn - set(cell.names)):
        yield tr(
            'a part has data-signal="{name}", which the cell does not declare; it declares {names}',
            name=name,
            names=", ".join(cell.names),
        )


def _wrong_lines(cell: Cell, root: Element) -> Iterator[str]:
    drawn: set[Arrow] = set()
    for path in lines(root):
        ends = [path.get(key, "").split() for key in ("data-from", "data-to")]
        if not all(ends):
            yield tr('the line d="{get}" does not say data-from and data-to', get=path.get("d"))
        drawn |= {(start, end) for start in ends[0] for end in ends[1]}
    declared = arrows(cell)
    for start, end in sorted(declared - drawn):
        yield tr("no line from {start!r} to {end!r}", start=start, end=end)
    for start, end in sorted(drawn - declared):
        yield tr("a line from {start!r} to {end!r}, which the cell does not declare", start=start, end=end)


def _wrong_values(cell: Cell, root: Element) -> Iterator[str]:
    drawn = {e.get("data-value", "") for e in root.iter() if "data-value" in e.attrib}
    for value in sorted(drawn - values(cell)):
        yield tr('a part has data-value="{value}", which stands in no equation of the cell', value=value)
