"""The questions that readers of the essay asked, each answered with this model's own numbers at the pinned character."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree

import numpy as np
import streamlit as st

import lstm_core as lc
from lstm_core import diagram, numbering, walk
from lstm_core.analysis import gru_forms, matrix
from lstm_core.analysis.biases import Bias, biases
from lstm_core.analysis.explain import explain
from lstm_core.analysis.gru_forms import Reading
from lstm_core.analysis.matrix import Row
from lstm_core.analysis.reach import Push, Reach, reach
from lstm_core.evaluation import evaluation
from lstm_core.figures.all_units import all_units
from lstm_core.figures.apart import apart
from lstm_core.figures.heatmaps import gate_heatmaps
from lstm_core.figures.lettering import escaped, glyph, plain_symbol
from lstm_core.figures.pushes import pushes
from lstm_core.figures.weight_row import weight_row
from lstm_core.formula import equation
from lstm_core.numbers import MINUS, adding_up, agrees, fixed, rounded
from lstm_core.words import N_, tr
from pages.common import caches, detail, links, markdown, selection, sidebar
from pages.common.links import Field, OneOf
from pages.common.selection import Selection

KEY = "question"
STRONGEST = 6  # gates that are listed
MOST_OFFERED = 4  # models that a question can be asked of


@dataclass(frozen=True)
class _Place:
    """What a question is answered about: a model, what it read, and the pinned unit and character."""

    model: lc.CharModel
    trace: lc.Trace
    layer: int
    step: int
    unit: int
    text: str
    name: str

    @property
    def character(self) -> str:
        typed = self.trace.chars[self.step] or self.trace.vocabulary.characters[self.trace.ids[self.step]]
        return f"“{glyph(typed)[0]}”"

    @property
    def where(self) -> str:
        character = tr("character {character}: {self.character}", character=numbering.character(self.step), self=self)
        return tr(
            "{self.name}, layer {layer}, unit {self.unit}, {character}",
            self=self,
            layer=numbering.layer(self.layer),
            character=character,
        )


@dataclass(frozen=True)
class _Linked:
    question: str = ""


FIELDS = (
    Field(KEY, OneOf(), lambda now, questions: questions, N_("The link asks for a question “{asked}”; there are {known}.")),
)


@dataclass(frozen=True)
class _Question:
    """asked: as a reader puts it. answer: draws the answer. fits: which cells it can be asked of; otherwise: what to say."""

    asked: str
    answer: Callable[[_Place], None]
    fits: Callable[[lc.Cell], bool] = lambda cell: True
    otherwise: str = ""


def panel(chosen: Selection, trace: lc.Trace, pin: Mapping[str, int], query: Mapping[str, str] | None = None) -> dict[str, str]:
    """The questions, and the answer to the one that is picked.

    query: of a link that the page has not answered yet, if there is one. Returns what the address must say to open this
    answer again.
    """
    linked, sentences = links.read(FIELDS, query or {}, _Linked(), QUESTIONS)
    if linked.question:
        st.session_state[KEY] = linked.question
    st.session_state.setdefault(KEY, next(iter(QUESTIONS)))
    st.subheader(tr("What readers ask"), anchor=False)
    for sentence in sentences:
        st.text(f"⚠ {sentence}")
    picked = st.pills(tr("Questions"), list(QUESTIONS), format_func=_asked, key=KEY, label_visibility="collapsed")
    if picked is None:
        return {}
    model, question = caches.model(chosen.model), QUESTIONS[picked]
    place = _Place(model, trace, pin["layer"], pin["step"], pin["unit"], chosen.text, chosen.model)
    if question.fits(trace.cell):
        st.caption(
            markdown.plain(tr("In numbers: {place.where}. Pin another character or unit above, and they change.", place=place))
        )
        question.answer(place)
    else:
        st.markdown(
            tr(
                "{question.otherwise} The {trace.cell.title} of {plain} can’t answer that; these can:",
                question=question,
                trace=trace,
                plain=markdown.plain(chosen.model),
            )
        )
        _offer(question.fits)
    return {KEY: picked}


def _asked(name: str) -> str:
    return QUESTIONS[name].asked


def _offer(fits: Callable[[lc.Cell], bool], beside: str = "") -> None:
    """A button for each model that a question can be asked of."""
    models, _ = caches.models()
    fitting = [name for name, info in models.items() if fits(lc.cell(info.config["cell"])) and name != beside][:MOST_OFFERED]
    with st.container(horizontal=True):
        for name in fitting:
            st.button(tr("Read this text with {name}", name=name), key=f"ask_{name}", on_click=_read_with, args=(name,))


def _read_with(name: str) -> None:
    layer = min(selection.current().layer, caches.described(name).layers - 1)
    sidebar.show(replace(selection.current(), model=name, layer=layer, unit=None, pinned_layer=None))


def _pick(place: _Place, names: Sequence[str]) -> str:
    """A choice among signals of the cell."""
    cell = place.trace.cell

    def titled(name: str) -> str:
        return f"{plain_symbol(cell[name].symbol)} {cell[name].title}"

    key = f"question_signal_{cell.name}_{len(names)}"
    return st.segmented_control(tr("Of which signal?"), names, default=names[0], required=True, format_func=titled, key=key)


def _aligned(rows: Sequence[str]) -> None:
    st.latex(r"\begin{aligned}" + r"\\[0.4em]".join(rows) + r"\end{aligned}")


def _signed(number: str) -> str:
    return f"({number})" if number.startswith(MINUS) else number


# Is [h, x] one matrix or two?


def _matrix(place: _Place) -> None:
    name = _pick(place, place.model.cell.weighed)
    row = matrix.row(place.model, place.trace, place.layer, place.step, place.unit, name)
    letters = [f"${piece.latex}$" for piece in row.pieces]
    sizes = " + ".join(str(len(piece.weights)) for piece in row.pieces)
    cut = " and ".join(
        tr("{row.units} × {weights_count} for {letter}", row=row, weights_count=len(piece.weights), letter=letter)
        for piece, letter in zip(row.pieces, letters)
    )
    if row.joined:
        st.markdown(
            tr(
                "Both: the same numbers, grouped one way or the other. The essay’s matrix has {row.units} rows, one a"
                " unit, and {row.width} = {sizes} columns; cut between them it is PyTorch’s matrices, {cut}. A"
                " product of the whole is the sum of the products of its parts.",
                row=row,
                sizes=sizes,
                cut=cut,
            )
        )
    else:
        st.markdown(
            tr(
                "Here it must be two, {cut}: a gate stands behind one of the products, so that no single matrix on"
                " both vectors gives the same sum. Elsewhere in this cell one and two are the same numbers.",
                cut=cut,
            )
        )
    _aligned(_sums(row))
    st.plotly_chart(
        weight_row(row, place.where, detail.theme(), of=place.trace), config=detail.PLOT, key="question_row", theme=None
    )
    if place.layer == 0 and place.model.embedding is None:
        st.caption(
            tr(
                "x is a 1 in the column of the character read, {plain}, and 0 in all others: of its part of the row,"
                " one weight counts. PyTorch stacks all gates’ rows: {shapes}.",
                plain=markdown.plain(place.character),
                shapes=_shapes(place.model, place.layer),
            )
        )


def _sums(row: Row) -> list[str]:
    """The pre-activation as the essay groups it, and as PyTorch does."""
    split = row.line.preactivation
    assert split is not None
    if not row.joined:
        return [rf"&{split.latex}"]
    joined = ",\\ ".join(piece.latex for piece in row.pieces)
    shares, whole = adding_up([piece.share for piece in row.pieces], row.together)
    one = rf"&\underbrace{{{whole}}}_{{{row.letter} \cdot [{joined}]}} = "
    two = " + ".join(
        rf"\underbrace{{{_signed(share) if k else share}}}_{{{row.letter}\,{piece.latex}}}"
        for k, (share, piece) in enumerate(zip(shares, row.pieces))
    )
    return [one + two, rf"&{split.latex}"]


def _shapes(model: lc.CharModel, layer: int) -> str:
    shapes = {name: tuple(p.shape) for name, p in model.rnn.layer(layer).items() if name.startswith("weight") and p.ndim == 2}
    return ", ".join(
        tr("{name}\\_l{layer} is {rows} × {columns}", name=name, layer=layer, rows=rows, columns=columns)
        for name, (rows, columns) in shapes.items()
    ).replace("weight_", "weight\\_")


# What is b?


def _bias(place: _Place) -> None:
    found = biases(place.model, place.trace, place.layer, place.step)
    if not found:
        st.markdown(
            tr(
                "{plain} was made without biases: there is nothing to add to its weighted sums.",
                plain=markdown.plain(place.name),
            )
        )
        return
    two = len(found[0].parts) == 2
    st.markdown(
        tr(
            "One trained number for each gate of each unit, added to the weighted sum: where the gate stands when"
            " $[h, x]$ says nothing. "
        )
        + (
            tr(
                "PyTorch keeps two of them, one beside each product; where both are added straight away only their"
                " sum counts, and that sum is the essay’s $b$."
            )
            if two
            else tr("This cell has one, as in the essay. PyTorch’s own cells keep two, whose sum is the same thing.")
        )
    )
    st.markdown(_table(place, found))
    shown = next((b for b in found if b.name == "forget" and b.total is not None), found[0])
    _forget(place, shown)
    if shown.total is not None:
        symbol = plain_symbol(place.trace.cell[shown.name].symbol)
        note = tr(
            "{escaped}, layer {layer}: the b of {symbol} in every unit.",
            escaped=escaped(place.name),
            layer=numbering.layer(place.layer),
            symbol=symbol,
        )
        figure = all_units(
            shown.total,
            place.unit,
            tr("b of {symbol}, all units", symbol=symbol),
            note,
            None,
            shown.name,
            detail.theme(),
            of=place.trace,
        )
        st.plotly_chart(figure, config=detail.PLOT, key="question_bias", theme=None)
    if any(b.total is None for b in found):
        st.caption(
            tr(
                "The candidate’s two can’t be added up: r multiplies the one that stands with W h, and leaves the"
                " other alone. That is why PyTorch’s GRU needs both."
            )
        )


def _table(place: _Place, found: Sequence[Bias]) -> str:
    """This unit's biases, gate by gate, and what each gate would be without."""
    cell, parts = place.trace.cell, list(found[0].parts)
    heads = ["", *([f"${p[0]}_{{{p[2:]}}}$" for p in parts] if len(parts) > 1 else []), "$b$", tr("as it is"), "with $b = 0$"]
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" + " ---: |" * (len(heads) - 1)]
    for b in found:
        own = [float(b.parts[p][place.unit]) for p in parts]
        if b.total is None:
            numbers, total = tuple(fixed(v, 2) for v in own), "–"
        else:
            numbers, total = adding_up(own, float(b.total[place.unit]))
        shown = [*(numbers if len(parts) > 1 else []), total, *(fixed(v[place.unit], 3) for v in (b.value, b.without))]
        lines.append(f"| ${cell[b.name].symbol}$ | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _forget(place: _Place, b: Bias) -> None:
    """What setting one gate's biases to 0 would do, here and on average."""
    symbol = place.trace.cell[b.name].symbol
    value, without = b.value[place.unit], b.without[place.unit]
    text = tr(
        "With $b = 0$, ${symbol}_t$ of this unit would go from {value:.3f} to {without:.3f} at this character,"
        " with the same $h_{{t-1}}$ and $x_t$; over all {place.model.units} units the mean goes from {mean:.3f}"
        " to {mean_2:.3f}.",
        symbol=symbol,
        value=value,
        without=without,
        place=place,
        mean=b.value.mean(),
        mean_2=b.without.mean(),
    )
    if b.name == "forget" and b.total is not None:
        text += tr(
            " A forget gate’s bias is best begun at 1 or more, so that an untrained cell keeps what it has"
            " (Jozefowicz et al. 2015). Training has since moved it: here the layer’s lie between {min:.2f} and"
            " {max:.2f}, {mean:.2f} in the mean.",
            min=b.total.min(),
            max=b.total.max(),
            mean=b.total.mean(),
        )
    st.markdown(text.replace(" -", " −"))


# 128 units in A, not one?


def _units(place: _Place) -> None:
    trace = place.trace
    name = _pick(place, trace.signals)
    signal, values = trace.cell[name], trace[name][place.layer, place.step].astype(float)
    own, symbol = values[place.unit], plain_symbol(signal.symbol)
    st.markdown(
        tr(
            "A is a whole layer: every line of the drawing carries {trace.units} numbers side by side, and every box"
            " holds {trace.units} units that compute the same equation, each with a row of weights of its own. They"
            " meet only in the products with W, which read all of $h$. Here is ${signal.symbol}_t$ of all of them at"
            " this one character: {sum} of the others are higher than unit {place.unit}, {sum_2} lower.",
            trace=trace,
            signal=signal,
            sum=int((values > own).sum()),
            place=place,
            sum_2=int((values < own).sum()),
        )
    )
    limits = signal.range if all(map(math.isfinite, signal.range)) else None
    character = tr(
        "character {character}: {escaped}", character=numbering.character(place.step), escaped=escaped(place.character)
    )
    note = tr(
        "{escaped}, layer {layer}, {character}.",
        escaped=escaped(trace.model),
        layer=numbering.layer(place.layer),
        character=character,
    )
    figure = all_units(
        values,
        place.unit,
        tr("{symbol}  {signal.title} of all units", symbol=symbol, signal=signal),
        note,
        limits,
        name,
        detail.theme(),
        of=place.trace,
    )
    st.plotly_chart(figure, config=detail.PLOT, key="question_units", theme=None)
    if signal.is_gate:
        shut, wide = int((values < 0.1).sum()), int((values > 0.9).sum())
        st.caption(
            tr(
                "Below 0.1, as good as shut: {shut} units. Above 0.9, as good as open: {wide}. Median {median:.3f}.",
                shut=shut,
                wide=wide,
                median=np.median(values),
            )
        )


# Do cell states affect each other?


def _states(place: _Place) -> None:
    trace, last = place.trace, place.trace.steps - 1
    if last == 0:
        st.markdown(tr("That takes a next character, and this text has one character alone: type a second one."))
        return
    step = min(place.step, last - 1)
    if step < place.step:
        st.caption(tr("The text ends at the pinned character, so this is the step before it."))
    has_cell = "cell" in trace.cell.states
    st.markdown(
        (_without_h(trace.cell) if has_cell else tr("This cell has no C beside h. Units reach each other through h: "))
        + tr(
            "what unit {place.unit} shows at this character is one entry of $h_t$, and one column of each gate’s"
            " weights on h hands it to all {trace.units} units at the next.",
            place=place,
            trace=trace,
        )
    )
    hidden = explain(place.model, trace, place.layer, step, place.unit)["hidden"]
    _aligned([detail.in_rows(hidden)])
    reached = reach(place.model, trace, place.layer, step, place.unit)
    st.plotly_chart(pushes(reached, trace, detail.theme()), config=detail.PLOT, key="question_pushes", theme=None)
    st.markdown(_moved(trace.cell, reached))
    _through_peepholes(place, reached)


def _without_h(cell: lc.Cell) -> str:
    """Whether one unit's C reaches another's, and the beginning of a sentence on the way through h."""
    if cell.rows_of("ch"):
        return tr("Yes: every gate reads the C of all units. That is one way; the other leads through h: ")
    return tr("Not directly: C is multiplied and added unit by unit. The way leads through h: ")


def _moved(cell: lc.Cell, reached: Reach) -> str:
    h = reached.states["hidden"]
    strongest = reached.strongest(STRONGEST)
    d = next((d for d in range(3, 7) if all(_multiplies(push, h, d) for push in strongest)), 7)
    times = f"× {_signed(fixed(h, d))}"
    lines = [
        tr("| moved most | weight on $h_t$ | {times} | without | with |", times=times),
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for push in strongest:
        scaled = "(× r) " if _is_scaled(push, h) else ""
        numbers = [fixed(push.weight, d), scaled + fixed(push.push, 3), fixed(push.without, 3), fixed(push.value, 3)]
        lines.append(
            tr(
                "| ${symbol}$ of {push.unit} | {numbers} |",
                symbol=cell[push.name].symbol,
                push=push,
                numbers=" | ".join(numbers),
            )
        )
    note = tr("Each row: a gate of a unit, its weight, what that adds to its sum, and the gate without this h and with it.")
    if gru_forms.is_gru(cell):
        note += tr(
            " In the candidate the reset gate has its say as well, (× r): it scales what a weight gives, and is itself moved."
        )
    return "\n".join([*lines, "", note])


def _multiplies(push: Push, h: float, decimals: int) -> bool:
    """Whether the written factors give the written product; where a reset gate takes part they need not."""
    given = rounded(push.weight, decimals) * rounded(h, decimals)
    return _is_scaled(push, h) or agrees(given, push.push, 3)


def _is_scaled(push: Push, h: float) -> bool:
    """Whether a reset gate takes part in what a weight gives."""
    return abs(push.weight * h - push.push) >= 1e-9


def _through_peepholes(place: _Place, reached: Reach) -> None:
    """In a cell with peepholes C reaches the gates without h as well."""
    if not reached.through_peepholes:
        return
    cell, unit = place.trace.cell, reached.unit
    far = {name: int(np.abs(push).argmax()) for name, push in reached.through_peepholes.items()}
    pushes = [
        tr("{fixed} to ${symbol}$ of unit {v}", fixed=fixed(reached.through_peepholes[n][v], 3), symbol=cell[n].symbol, v=v)
        for n, v in far.items()
    ]
    own = tr("its own gates, and no others") if cell.diagonals else tr("the gates of all units")
    most = tr("it adds") if cell.diagonals else tr("at most it adds")
    st.markdown(
        tr(
            "Through the peepholes the C of unit {unit} reaches {own}, without h: {most} {pushes}.",
            unit=unit,
            own=own,
            most=most,
            pushes=" and ".join(pushes),
        )
    )


# Which way does z point?


def _update(place: _Place) -> None:
    own, trace = place.trace.cell, place.trace
    swapped, renamed = (_read_as(place.name, place.text, form) for form in ("z_swapped", "z_renamed"))
    old, new = (tr("keeps the old"), tr("lets the new in"))
    meaning, opposite = (old, new) if gru_forms.keeps_old(own) else (new, old)
    z = float(trace["update"][place.layer, place.step, place.unit])
    st.markdown(
        tr(
            "Both ways, depending on who writes. In this model z near 1 {meaning}; turned round, z near 1 {opposite}. The"
            " essay lets z bring in the new; Cho et al., PyTorch, Keras and ONNX let it keep the old. To change sides"
            " the *values* must be swapped, each z for 1 − z, and the equation with them: here {z:.3f} for {z_2:.3f}."
            " Then h stays what it was.",
            meaning=meaning,
            opposite=opposite,
            z=z,
            z_2=1 - z,
        )
    )
    rows = []
    for model, read in ((place.model, trace), (swapped.model, swapped.trace)):
        line = explain(model, read, place.layer, place.step, place.unit, _gate_decimals(z))["hidden"]
        rows.append(detail.in_rows(line))
    _aligned(rows)
    _verdict(tr("Values swapped"), swapped)
    _verdict(tr("Only renamed, the values left as they are"), renamed)
    compact = trace.steps * trace.units > detail.LARGE
    for key, read in (("own", trace), ("turned", swapped.trace)):
        figure = gate_heatmaps(read, place.layer, ["update"], theme=detail.theme(), compact=compact)
        st.plotly_chart(figure, config=detail.PLOT, key=f"question_z_{key}", theme=None)
    _offer(gru_forms.is_gru, place.name)


def _gate_decimals(z: float) -> int:
    """Decimals enough for a gate that is nearly shut, or nearly open, not to be written as 0 or 1."""
    return min(6, max(2, math.ceil(-math.log10(max(min(z, 1 - z), 1e-9)))))


def _verdict(change: str, other: Reading) -> None:
    loss = (
        ""
        if math.isnan(other.after)
        else tr("; loss {other.before:.3f} before, {other.after:.3f} after, in nats a character", other=other)
    )
    st.markdown(
        tr("**{change}:** on this text h differs by {other.furthest:.2g} at most{loss}.", change=change, other=other, loss=loss)
    )


@caches.cached(6)
def _read_as(name: str, text: str, form: str) -> Reading:
    return gru_forms.read_as(caches.model(name), caches.read(name, text), getattr(gru_forms, form))


# Why can't a PyTorch GRU be drawn on the essay's figure?


def _reset(place: _Place) -> None:
    before = gru_forms.resets_before(place.trace.cell)
    st.markdown(
        tr(
            "Because r stands elsewhere. On the essay’s figure, the first one here, it multiplies h, and the weights"
            " come after; in PyTorch’s GRU, the second, the weights come first, and r scales what they give. A matrix"
            " mixes all units, so the order matters: in the first every unit’s r takes part in every unit’s"
            " candidate, in the second only its own."
        )
    )
    for column, drawn, against in zip(st.columns(2), ("gru", "gru_pytorch"), ("gru_pytorch", "gru")):
        with column:
            st.markdown(f'<div class="drawing">{marked(lc.cell(drawn), lc.cell(against))}</div>', unsafe_allow_html=True)
            st.caption(tr("{title}: in full ink, what it alone has on the way to the candidate.", title=lc.cell(drawn).title))
    moved = _read_as(place.name, place.text, "reset_moved")
    held = evaluation(place.model, place.trace, place.layer, place.step)
    cells = (place.model.cell, moved.model.cell)
    own, other = (replace(held, cell=c).term(c["candidate"].equation)[place.unit] for c in cells)
    here, there = ("before", "behind") if before else ("behind", "before")
    st.markdown(
        tr(
            "The proof in numbers: {plain} was trained with the reset {here} the product. These are its own weights,"
            " with the reset {there} it and nothing else changed: z and biases stay. From the very same h and x, the"
            " candidate of this unit would be another.",
            plain=markdown.plain(place.name),
            here=here,
            there=there,
        )
    )
    formulas = [equation(c, "candidate", place.model.rnn.bias).replace("=", "&=", 1) for c in cells]
    _aligned([rf"{formula} \\ &= {value:.3f}" for formula, value in zip(formulas, (own, other))])
    _verdict(tr("Read that way from the first character on"), moved)
    if not math.isnan(moved.after):
        even = math.log(len(place.model.vocabulary))
        worse = tr("worse than guessing evenly") if moved.after > even else tr("still better than guessing evenly")
        st.markdown(
            tr("That is {worse}, which costs {even:.3f}.", worse=worse, even=even)
            if moved.after > moved.before
            else tr("On this text it costs nothing.")
        )
    st.plotly_chart(
        apart(moved, place.trace, place.layer, detail.theme()), config=detail.PLOT, key="question_apart", theme=None
    )
    _offer(gru_forms.is_gru, place.name)


def marked(cell: lc.Cell, against: lc.Cell) -> str:
    """A cell's drawing in which the parts on the way to the candidate that another's has not stand out, as SVG in one line."""
    ElementTree.register_namespace("", diagram.SVG.strip("{}"))
    root = ElementTree.fromstring(" ".join(diagram.load(cell).split()))
    only = diagram.values(cell) - diagram.values(against)
    lights = [f"{value}{walk.TOWARDS}candidate" for value in only]
    for group in root.findall(f"{diagram.SVG}g"):
        lit = False
        for part in group:
            lit = any(walk.lit(light, part) for light in lights) if part.get("class") != "tip" else lit
            part.set("opacity", "1" if lit else "0.28")
    return ElementTree.tostring(root, "unicode")


QUESTIONS: Mapping[str, _Question] = {
    "matrix": _Question(N_("Is [h, x] one matrix or two?"), _matrix),
    "bias": _Question(
        N_("What is b?"),
        _bias,
        lambda cell: cell.biases > 0,
        N_("b is added to a gate’s weighted sum; the essay’s GRU has none."),
    ),
    "units": _Question(N_("128 units in A, not one?"), _units),
    "states": _Question(N_("Do cell states affect each other?"), _states),
    "z": _Question(N_("Which way does z point?"), _update, gru_forms.is_gru, N_("z is the update gate of a GRU.")),
    "reset": _Question(
        N_("Why can’t a PyTorch GRU be drawn on the essay’s figure?"),
        _reset,
        gru_forms.is_gru,
        N_("This is about the two GRUs, and about where their reset gate stands."),
    ),
}
