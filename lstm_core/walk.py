"""The walk through a cell's drawing: steps that light one part of it after another. Data, one file a cell.

A walk is assets/walks/NAME.json: {"cell": NAME, "steps": [...]}, each step with the fields of `Step`. A light names parts
of the drawing assets/cells/NAME.svg: "forget" is every part with that data-value; "[hidden@-1, x] -> forget" is each of
these that has "forget" among its data-to or as its data-signal, and their label, which has neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from lstm_core import diagram
from lstm_core.formula import FUNCTIONS, Cell, terms
from lstm_core.places import ASSETS
from lstm_core.words import tr

FOLDER = ASSETS / "walks"
TOWARDS = " -> "


@dataclass(frozen=True)
class Step:
    """One station of a walk.

    title, text: what is said, plain text. attempt: one thing to try on the text in front of one.
    lights: the parts of the drawing that are lit, the rest being dimmed. equations: the signals whose equations are shown.
    bars: True where what was kept and what was written stand beside the drawing as two bars.
    Source: the order of the steps follows Olah 2015; the words are our own.
    """

    title: str
    text: str
    attempt: str
    lights: tuple[str, ...]
    equations: tuple[str, ...]
    bars: bool = False


def walk(cell: Cell, folder: Path = FOLDER) -> tuple[Step, ...]:
    """The steps of a cell's walk, in order, from `folder`/NAME.json; empty when the cell has none.

    The walk of a variant is its cell's; where a step speaks of a function, it says which one stands there.
    Raises ValueError, naming the file and what is wrong, for a file that is no walk of this cell.
    """
    path = folder / f"{cell.name}.json"
    if not path.is_file():
        return ()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(found, dict) or found.get("cell") != cell.name or not isinstance(found.get("steps"), list):
        raise ValueError(f'{path.name} is no walk of {cell.name}: it needs "cell": "{cell.name}" and a list of "steps"')
    steps = (_step(path.name, number, given) for number, given in enumerate(found["steps"], 1))
    return tuple(_of_variant(step, cell) for step in steps)


def check(cell: Cell, steps: Sequence[Step], svg: str) -> list[str]:
    """What is wrong with a walk, against the cell's drawing and its declaration; an empty list when they agree.

    svg: the drawing's text, as `diagram.load` returns it. Returns sentences: lights that are no part of the drawing, signals
    that are not declared, bars where no state is a sum, then what the walk never lights, shows or weighs.
    Raises xml.etree.ElementTree.ParseError for text that is not SVG.
    """
    parts = [e for e in ElementTree.fromstring(svg).iter() if "data-value" in e.attrib]
    faults = [sentence for step in steps for sentence in _wrong_in(cell, step, parts)]
    return faults + list(_left_out(cell, steps, parts))


def lit(light: str, part: Element) -> bool:
    """True when a light names this part of a drawing, an element with data-value."""
    value, towards, target = light.partition(TOWARDS)
    if part.get("data-value") != value:
        return False
    return not towards or target in _ends(part) or not _ends(part)


def _step(file: str, number: int, given: Any) -> Step:
    """A step from the file, its fields and their types checked: a misspelt one would go unseen."""
    wanted = {f.name for f in fields(Step)}
    if not isinstance(given, dict) or set(given) != wanted:
        has = ", ".join(sorted(given)) if isinstance(given, dict) else repr(given)
        raise ValueError(f"{file}, step {number}: a step has {', '.join(sorted(wanted))}; this one has {has}")
    for name in ("title", "text", "attempt"):
        if not isinstance(given[name], str) or not given[name].strip():
            raise ValueError(f"{file}, step {number}: {name} is a sentence, not {given[name]!r}")
    for name in ("lights", "equations"):
        if not isinstance(given[name], list) or not given[name] or not all(isinstance(v, str) for v in given[name]):
            raise ValueError(f"{file}, step {number}: {name} is a list of names, not {given[name]!r}")
    if not isinstance(given["bars"], bool):
        raise ValueError(f"{file}, step {number}: bars is true or false, not {given['bars']!r}")
    lights, equations = tuple(given["lights"]), tuple(given["equations"])
    return Step(given["title"], given["text"], given["attempt"], lights, equations, given["bars"])


def _of_variant(step: Step, cell: Cell) -> Step:
    """A step with the functions that a variant of the cell applies."""
    labels = [(FUNCTIONS[old].label, FUNCTIONS[new].label) for old, new in cell.functions]
    swapped = [tr("{new} in place of {old}", new=new, old=old) for old, new in labels if old in step.text]
    note = tr(" This model applies {swapped}.", swapped=" and ".join(swapped)) if swapped else ""
    return replace(step, text=step.text + note, lights=tuple(diagram.renamed(light, cell) for light in step.lights))


def _ends(part: Element) -> set[str]:
    """The signals that a part serves or belongs to; a label has none."""
    return {*part.get("data-to", "").split(), *part.get("data-signal", "").split()}


def _sums(cell: Cell) -> set[str]:
    """The states that are a sum of what was kept and what was written."""
    return {name for name in cell.states if len(terms(cell[name].equation)) > 1}


def _wrong_in(cell: Cell, step: Step, parts: Sequence[Element]) -> Iterator[str]:
    where = f"{cell.name}, “{step.title}”"
    for light in step.lights:
        if not any(lit(light, part) for part in parts if TOWARDS not in light or _ends(part)):
            yield tr("{where}: the light {light!r} is no part of the drawing", where=where, light=light)
    for name in step.equations:
        if name not in cell.names:
            yield tr(
                "{where}: the equation {name!r} is not declared; {cell.title} has {names}",
                where=where,
                name=name,
                cell=cell,
                names=", ".join(cell.names),
            )
    if step.bars and not _sums(cell) & set(step.equations):
        yield tr(
            "{where}: bars, but none of {equations} is a state made of two terms",
            where=where,
            equations=", ".join(step.equations),
        )


def _left_out(cell: Cell, steps: Sequence[Step], parts: Sequence[Element]) -> Iterator[str]:
    lights = [light for step in steps for light in step.lights]
    for part in parts:
        if not any(lit(light, part) for light in lights):
            end = part.get("data-to") or part.get("data-signal") or "label"
            yield tr("{cell.name}: no step lights {get!r} ({end})", cell=cell, get=part.get("data-value"), end=end)
    for name in cell.names:
        if not any(name in step.equations for step in steps):
            yield tr("{cell.name}: no step shows the equation of {name!r}", cell=cell, name=name)
    for name in sorted(_sums(cell)):
        if not any(step.bars and name in step.equations for step in steps):
            yield tr("{cell.name}: no step shows as bars what {name!r} is made of", cell=cell, name=name)
