from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from lstm_core import diagram
from lstm_core.cells import cells
from lstm_core.formula import Affine, Cell, Diagonal, Expression, Signal, Vector, affine, h_prev, sigmoid, signal, tanh, x

LSTM = cells()["lstm"]
every_cell = pytest.mark.parametrize("cell", [pytest.param(cell, id=name) for name, cell in cells().items()])

Point = tuple[float, float]


def changed(cell: Cell, old: str, new: str) -> list[str]:
    """What the check says of the cell's own picture after one change."""
    svg = diagram.load(cell)
    assert old in svg
    return diagram.check(cell, svg.replace(old, new))


# The declaration: the same signals, the same arrows.


@every_cell
def test_the_picture_agrees_with_the_declaration(cell: Cell) -> None:
    assert diagram.check(cell, diagram.load(cell)) == []


def test_functions_that_take_each_others_place_are_not_mixed_up() -> None:
    turned = LSTM.with_functions({"sigmoid": "tanh", "tanh": "relu"})
    svg = diagram.load(turned)
    assert diagram.check(turned, svg) == []
    assert (svg.count(">tanh<"), svg.count("relu</tspan>") + svg.count(">relu<"), svg.count(">σ<")) == (3, 2, 0)


@every_cell
def test_every_operation_is_drawn_once(cell: Cell) -> None:
    drawn = [(part.value, part.signal) for part in Picture(cell).parts]
    assert len(drawn) == len(set(drawn))
    assert diagram.operations(cell).items() <= set(drawn)


@every_cell
def test_any_line_left_out_of_any_picture_is_missed(cell: Cell) -> None:
    for start, end in diagram.arrows(cell):
        root = ElementTree.fromstring(diagram.load(cell))
        for line in diagram.lines(root):
            if start in line.attrib["data-from"].split():
                kept = [target for target in line.attrib["data-to"].split() if target != end]
                line.set("data-to", " ".join(kept) or "elsewhere")
        assert f"{cell.name}: no line from {start!r} to {end!r}" in diagram.check(cell, ElementTree.tostring(root, "unicode"))


def test_a_missing_signal_is_named() -> None:
    assert changed(LSTM, 'data-signal="output"', "") == [
        "lstm: the signal 'output' is not drawn: no part has data-signal=\"output\""
    ]


def test_an_undeclared_signal_is_named() -> None:
    assert changed(LSTM, '<g class="layers"', '<g data-signal="attention" class="layers"') == [
        'lstm: a part has data-signal="attention", which the cell does not declare; '
        "it declares forget, input, candidate, cell, output, hidden"
    ]


def test_an_undeclared_arrow_is_named() -> None:
    assert changed(LSTM, "</svg>", '<path data-from="cell@-1 x" data-to="output" d="M0 0 H9" /></svg>') == [
        "lstm: a line from 'cell@-1' to 'output', which the cell does not declare"
    ]


def test_a_line_without_ends_is_named() -> None:
    assert changed(LSTM, "</svg>", '<path data-from="x" d="M0 0 H9" /></svg>') == [
        'lstm: the line d="M0 0 H9" does not say data-from and data-to'
    ]


def test_a_value_that_no_equation_has_is_named() -> None:
    assert changed(LSTM, 'data-value="tanh(cell)"', 'data-value="tanh(output)"') == [
        'lstm: a part has data-value="tanh(output)", which stands in no equation of the cell'
    ]


def test_the_two_gru_pictures_are_not_exchangeable() -> None:
    essay, pytorch = cells()["gru"], cells()["gru_pytorch"]
    assert diagram.check(essay, diagram.load(pytorch)) and diagram.check(pytorch, diagram.load(essay))


@pytest.mark.parametrize("text", ["", "not XML", "<svg></svg>", '<svg xmlns="http://www.w3.org/2000/svg">'])
def test_what_is_not_svg_is_one_sentence(text: str) -> None:
    (sentence,) = diagram.check(LSTM, text)
    assert sentence.startswith("lstm: the picture is not ")


# A new cell: one declaration, one picture.

UGRNN = Cell(
    name="ugrnn",
    title="update-gate RNN",
    source="Collins, Sohl-Dickstein & Sussillo 2017",
    rows=("z", "c"),
    signals=(
        Signal("update", "z", "update gate", sigmoid(affine("z", h_prev, x)), (0, 1)),
        Signal("candidate", "c", "candidate", tanh(affine("c", h_prev, x)), (-1, 1)),
        Signal(
            "hidden", "h", "hidden state", signal("update") * h_prev + (1 - signal("update")) * signal("candidate"), (-1, 1)
        ),
    ),
)
UGRNN_PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 90">
  <defs><path id="not-a-line" d="M0 0 H9" /></defs>
  <path data-from="hidden@-1 x" data-to="update candidate" d="M0 9 H9" />
  <path data-from="hidden@-1 update candidate" data-to="hidden" d="M0 9 H9" />
  <path data-from="hidden" data-to="out" d="M0 9 H9" />
  <rect data-signal="update" /><rect data-signal="candidate" />
  <circle data-signal="hidden" data-value="(1 - update) * candidate" />
</svg>"""


def test_a_new_cell_takes_one_picture(tmp_path: Path) -> None:
    (tmp_path / "ugrnn.svg").write_text(UGRNN_PICTURE)
    assert diagram.check(UGRNN, diagram.load(UGRNN, tmp_path)) == []


def test_a_cell_without_a_picture_fails_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape("cell 'ugrnn' has no picture: draw assets/cells/ugrnn.svg")):
        diagram.load(UGRNN)
    with pytest.raises(FileNotFoundError, match=re.escape(f"draw {tmp_path / 'ugrnn.svg'}")):
        diagram.load(UGRNN, tmp_path)


# The file: it can stand alone, in light and dark, and be inlined.


@every_cell
def test_the_file_stands_alone(cell: Cell) -> None:
    root = ElementTree.fromstring(diagram.load(cell))
    assert re.fullmatch(r"0 0 \d+ \d+", root.attrib["viewBox"])
    for element in ("title", "desc", "metadata"):
        assert (root.findtext(f"{diagram.SVG}{element}") or "").strip(), f"no <{element}>"
    assert "Olah" in (root.findtext(f"{diagram.SVG}metadata") or "")
    tags = {element.tag.removeprefix(diagram.SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "metadata", "g", "rect", "circle", "ellipse", "path", "text", "tspan"}
    # without ids and style sheets, copies of one picture on a page can't disturb each other
    assert not {name for element in root.iter() for name in element.attrib} & {"id", "href", "style"}


@every_cell
def test_colours_can_be_set_from_outside(cell: Cell) -> None:
    for element in ElementTree.fromstring(diagram.load(cell)).iter():
        for colour in (element.get("fill"), element.get("stroke")):
            assert colour in (None, "none", "currentColor") or re.fullmatch(r"var\(--cell-[a-z-]+, #[0-9a-f]+\)", colour)


# The geometry: the lines go where their names say. Boxes and circles are told what reaches them by the lines that end there.


@dataclass(frozen=True)
class Line:
    """A drawn line: what it says, and the strokes it consists of (more than one where it passes under another)."""

    value: str
    start_names: frozenset[str]
    targets: frozenset[str]
    strokes: tuple[tuple[Point, ...], ...]

    @property
    def start(self) -> Point:
        return self.strokes[0][0]

    @property
    def end(self) -> Point:
        return self.strokes[-1][-1]

    def passes(self, point: Point) -> bool:
        """True when the point lies on the line, its start not counted."""
        near = min(_distance(point, a, b) for stroke in self.strokes for a, b in pairwise(stroke))
        return near < 0.5 < math.dist(point, self.start)


@dataclass(frozen=True)
class Part:
    """A box or circle, by its value, its signal and the half-axes of its frame."""

    value: str
    signal: str
    centre: Point
    half: Point

    def touches(self, point: Point, margin: float = 6) -> bool:
        """True within `margin` of the frame: a line with a head stops at the head's middle."""
        return all(abs(p - c) <= h + margin for p, c, h in zip(point, self.centre, self.half, strict=True))


class Picture:
    """A cell's drawing as boxes and lines that know their neighbours."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.root = ElementTree.fromstring(diagram.load(cell))
        self.width, self.height = map(float, self.root.attrib["viewBox"].split()[2:])

    @cached_property
    def parts(self) -> list[Part]:
        return [_part(e) for e in self.root.iter() if "data-signal" in e.attrib]

    @cached_property
    def ends(self) -> list[Part]:
        """The circles x_t, below, and h_t, above."""
        groups = [e for e in self.root.iter() if e.get("class") in ("reads", "writes")]
        return [_part(e) for e in groups]

    @cached_property
    def lines(self) -> list[Line]:
        return [_line(e) for e in diagram.lines(self.root)]

    def part_at(self, point: Point) -> Part | None:
        found = [part for part in self.parts if part.touches(point)]
        assert len(found) <= 1
        return found[0] if found else None

    def enters(self, line: Line) -> bool:
        """True for a line that comes from outside the cell: from its left edge, or from the circle x_t."""
        return line.start[0] == 10 or any(end.value == "x" and end.touches(line.start) for end in self.ends)

    def leaves(self, line: Line) -> bool:
        at_edge = abs(line.end[0] - self.width + 10) <= 6
        return at_edge or any(end.value == "hidden" and end.touches(line.end) for end in self.ends)

    def before(self, line: Line) -> list[Line]:
        """The lines that this one is a copy or a concatenation of."""
        return [other for other in self.lines if other is not line and other.passes(line.start)]

    def after(self, line: Line) -> list[Line]:
        return [other for other in self.lines if other is not line and line.passes(other.start)]


def _distance(point: Point, a: Point, b: Point) -> float:
    length = math.dist(a, b)
    along = 0.0 if length == 0 else ((point[0] - a[0]) * (b[0] - a[0]) + (point[1] - a[1]) * (b[1] - a[1])) / length**2
    along = min(1.0, max(0.0, along))
    return math.dist(point, (a[0] + along * (b[0] - a[0]), a[1] + along * (b[1] - a[1])))


def _part(group: Element) -> Part:
    shape = next(e for e in group if e.tag.removeprefix(diagram.SVG) in ("rect", "circle", "ellipse"))
    a = {key: float(v) for key, v in shape.attrib.items() if key in ("x", "y", "width", "height", "cx", "cy", "r", "rx", "ry")}
    if "width" in a:
        half = (a["width"] / 2, a["height"] / 2)
        centre = (a["x"] + half[0], a["y"] + half[1])
    else:
        half = (a.get("r", a.get("rx", 0)), a.get("r", a.get("ry", 0)))
        centre = (a["cx"], a["cy"])
    return Part(group.attrib["data-value"], group.get("data-signal", ""), centre, half)


def _line(path: Element) -> Line:
    a = path.attrib
    return Line(a["data-value"], frozenset(a["data-from"].split()), frozenset(a["data-to"].split()), _strokes(a["d"]))


def _strokes(d: str) -> tuple[tuple[Point, ...], ...]:
    """The points along a path of absolute M, H, V and Q, a list for each M."""
    strokes: list[list[Point]] = []
    for command, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", d):
        numbers = [float(n) for n in text.split()]
        x0, y0 = strokes[-1][-1] if strokes else (0.0, 0.0)
        match command, numbers:
            case "M", [px, py]:
                strokes.append([(px, py)])
            case "H", [px]:
                strokes[-1].append((px, y0))
            case "V", [py]:
                strokes[-1].append((x0, py))
            case "Q", [cx, cy, px, py]:
                for t in (k / 8 for k in range(1, 9)):
                    a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
                    strokes[-1].append((a * x0 + b * cx + c * px, a * y0 + b * cy + c * py))
            case _:
                raise AssertionError(f"lines are drawn with M, H, V and Q, not {command}{text}")
    return tuple(map(tuple, strokes))


def _inputs(node: Expression, drawn: set[str]) -> set[str]:
    """The lines that must end at the box that computes `node`, when only `drawn` values have boxes of their own."""
    if isinstance(node, Affine):
        spelled = [diagram.spelling(v) for v in node.inputs]
        return {spelled[0] if len(spelled) == 1 else f"[{', '.join(spelled)}]"}
    found: set[str] = set()
    for child in node.children:
        if isinstance(child, Vector) or diagram.spelling(child) in drawn:
            found.add(diagram.spelling(child))
        elif not isinstance(child, Diagonal):
            found |= _inputs(child, drawn)
    return found


def _items(value: str) -> list[str]:
    return value[1:-1].split(", ") if value.startswith("[") else [value]


@every_cell
def test_each_box_is_reached_by_what_its_equation_reads(cell: Cell) -> None:
    picture = Picture(cell)
    nodes = {diagram.spelling(node): node for node in cell.nodes} | {s.name: s.equation for s in cell.signals}
    drawn = {part.value for part in picture.parts}
    for part in picture.parts:
        arriving = {line.value for line in picture.lines if part.touches(line.end)}
        assert arriving == _inputs(nodes[part.value], drawn), f"at {part.value}"


@every_cell
def test_each_line_carries_what_it_comes_from(cell: Cell) -> None:
    picture = Picture(cell)
    for line in picture.lines:
        if picture.enters(line):
            assert line.start_names == {line.value}
        elif part := picture.part_at(line.start):
            into = [other.start_names for other in picture.lines if part.touches(other.end)]
            assert line.value == part.value
            assert line.start_names == ({part.value} if part.value in cell.names else frozenset().union(*into))
        else:
            before = picture.before(line)
            assert before, f"{line.value} at {line.start} comes from nowhere"
            assert line.start_names == frozenset().union(*(other.start_names for other in before))
            if {other.value for other in before} != {line.value}:
                merged = [item for other in before for item in _items(other.value)]
                assert sorted(merged) == sorted(_items(line.value))


@every_cell
def test_each_line_goes_where_it_says(cell: Cell) -> None:
    picture = Picture(cell)
    for line in picture.lines:
        reached = frozenset().union(*(other.targets for other in picture.after(line)))
        if part := picture.part_at(line.end):
            reached |= {part.signal}
        elif picture.leaves(line):
            reached |= {diagram.OUT}
        assert line.targets == reached, f"{line.value} from {line.start}"


@every_cell
def test_states_enter_and_leave_at_the_same_height(cell: Cell) -> None:
    picture = Picture(cell)
    for state in cell.states:
        left = {line.start[1] for line in picture.lines if line.start[0] == 10 and line.value == state + diagram.PREVIOUS}
        right = {line.end[1] for line in picture.lines if abs(line.end[0] - picture.width + 10) <= 6 and line.value == state}
        assert left == right and len(left) == 1


@every_cell
def test_lines_cross_only_where_one_of_them_has_a_gap(cell: Cell) -> None:
    for one, other in combinations(Picture(cell).lines, 2):
        for a, b in ((a, b) for s in one.strokes for t in other.strokes for a in pairwise(s) for b in pairwise(t)):
            assert not _cross(a, b), f"{one.value} crosses {other.value} near {a[0]}"


@every_cell
def test_no_line_runs_through_a_box(cell: Cell) -> None:
    picture = Picture(cell)
    for line in picture.lines:
        for a, b in (segment for stroke in line.strokes for segment in pairwise(stroke)):
            for part in picture.parts:
                assert all(not part.touches(_between(a, b, k / 50), -1) for k in range(51)), (
                    f"{line.value} through {part.value}"
                )


def _between(a: Point, b: Point, t: float) -> Point:
    return (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]))


def _cross(a: tuple[Point, Point], b: tuple[Point, Point]) -> bool:
    """True when two segments cross inside both: lines that only touch fork or merge."""

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(*a, b[0]) * side(*a, b[1]) < -1 and side(*b, a[0]) * side(*b, a[1]) < -1
