"""What one unit kept of its past and what was written, as bars that add up to its state."""

from __future__ import annotations

import plotly.graph_objects as go

from lstm_core import numbering
from lstm_core.analysis.explain import Explanation, Line, Part, Split
from lstm_core.figures import lettering, palette, paper
from lstm_core.words import tr

DIGIT = 7  # pixels that one digit of a number beside a bar needs
NARROWEST = 190  # pixels of the plot between its labels, on a phone
BAR = 44  # pixels of one bar and the space to the next
COLOURS = {"kept": "forget", "written": "input"}  # as the gate that lets it through


def kept_and_written(explanation: Explanation, theme: palette.Theme = "light", width: int | None = None) -> go.Figure:
    """What a unit kept of its state and what was written to it, each bar beginning where the last one ended, and the sum.

    explanation: as `analysis.explain` gives it. The written numbers add up. A cell whose state is no sum (a plain RNN)
    shows what its pre-activation is made of instead. width: pixels to lay out for.
    Raises InputError for an unknown theme. Source: C_t = f_t * C_{t-1} + i_t * C~_t and its like in each cell's declaration.
    """
    line = explanation.remembering
    title = tr("Kept and written: unit {explanation.unit}", explanation=explanation)
    if line is None:
        line = explanation["hidden"]
        title = tr("What goes into {symbol}: unit {explanation.unit}", symbol=_symbol(line), explanation=explanation)
    where = tr(
        "{escaped}, layer {layer}, character {character}: “{tick}”",
        escaped=lettering.escaped(explanation.model),
        layer=numbering.layer(explanation.layer),
        character=numbering.character(explanation.step),
        tick=lettering.tick(explanation.character),
    )
    split = line.terms or line.preactivation
    assert split is not None, tr("{line.name} is neither a sum nor a squashed sum", line=line)
    figure = go.Figure(layout=paper.theme_layout(theme))
    top = paper.write_above(figure, title, [where], width, 8, [explanation.trace])
    names = [_name(part) for part in split.parts]
    start = 0.0
    for part, name in zip(split.parts, names):
        colour = palette.SIGNAL_COLOURS[COLOURS.get(part.label, "hidden")]
        figure.add_trace(_bar(name, start, part.value, part.written, colour))
        start += part.value
    figure.add_trace(
        _bar(_total(line), 0.0, split.value, split.total, palette.SIGNAL_COLOURS.get(line.name, palette.INK[theme]))
    )
    figure.update_layout(
        height=top + BAR * (len(names) + 1) + 36, showlegend=False, bargap=0.35, margin={"l": 16, "r": 16, "b": 36}
    )
    figure.update_xaxes(range=_range(split), zeroline=True, zerolinecolor=palette.INK[theme], zerolinewidth=1)
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, ticks="", tickfont={"size": 13}, type="category")
    return figure


def _bar(name: str, start: float, value: float, written: str, colour: str) -> go.Bar:
    number = written.replace("-", "−")
    return go.Bar(
        x=[value], base=[start], y=[name], orientation="h", marker={"color": colour}, text=[number],
        textposition="outside", cliponaxis=False, hovertemplate=f"{name} = {number}<extra></extra>",
    )  # fmt: skip


def _range(split: Split) -> list[float]:
    """From the lowest to the highest place that a bar reaches, with room for the numbers beside them."""
    places, place = [0.0, split.value], 0.0
    for part in split.parts:
        place += part.value
        places.append(place)
    longest = max(len(split.total), *(len(part.written) for part in split.parts))
    share = min(0.45, longest * DIGIT / NARROWEST)  # of the axis, that the longest number takes on the narrowest plot
    room = share / (1 - 2 * share) * (max(places) - min(places) or 1.0)
    return [min(places) - room, max(places) + room]


def _symbol(line: Line) -> str:
    return lettering.plain_formula(f"{line.symbol}_{{t}}")


def _name(part: Part) -> str:
    formula = lettering.plain_formula(part.latex)
    return f"{part.label}  {formula}" if part.label in COLOURS else formula


def _total(line: Line) -> str:
    return _symbol(line) if line.terms else tr("their sum")
