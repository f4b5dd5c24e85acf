"""What every figure of a trace shares: the theme, the words above it, and the time axis under the typed characters."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import plotly.io as pio

import lstm_core
from lstm_core.clamp import described
from lstm_core.errors import InputError
from lstm_core.figures import lettering, palette
from lstm_core.trace import Trace
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.analysis.gradients import Gradients

WIDTH = 1000  # pixels that a figure is laid out for when it is told none
LETTER = 7  # pixels that one character of a tick label needs
STRETCH = 7  # characters of the text that a tick of a long axis shows; odd, for the middle one is the step's
MARGINS = {"l": 64, "r": 92}
TITLE = 22  # pixels of a line of the title
LINE = 17  # pixels of a line of the caption
KINDS = ("bar", "heatmap", "scatter")  # of Plotly's traces, that our figures are made of
OTHER_LAYOUTS = ("geo", "polar", "scene", "ternary")
CAPTION = 360  # pixels that a caption is wrapped for: a phone's


def theme_layout(theme: palette.Theme) -> dict[str, Any]:
    """The layout of a theme: Plotly's own white or dark template on the palette's background and ink.

    Raises InputError for a theme that is neither "light" nor "dark".
    """
    if theme not in palette.BACKGROUND:
        raise InputError(
            tr("there is no theme {theme!r}; there are {BACKGROUND}", theme=theme, BACKGROUND=", ".join(palette.BACKGROUND))
        )
    return {
        "template": _template(theme),
        "paper_bgcolor": palette.BACKGROUND[theme],
        "plot_bgcolor": palette.BACKGROUND[theme],
        "font": {"color": palette.INK[theme]},
        "hoverlabel": {"bgcolor": palette.BACKGROUND[theme], "font": {"color": palette.INK[theme]}},
    }


@cache
def _template(theme: palette.Theme) -> go.layout.Template:
    """Plotly's template without the kinds of figures that are none of ours: each figure copies and checks all of it."""
    whole = pio.templates["plotly_dark" if theme == "dark" else "plotly_white"].to_plotly_json()
    layout = {name: value for name, value in whole["layout"].items() if name not in OTHER_LAYOUTS}
    return go.layout.Template(layout=layout, data={kind: whole["data"][kind] for kind in KINDS})


def convention(of: Trace | Gradients) -> str:
    """The cell and the convention a reader must know, and what was held in the run, in a few sentences."""
    cell = f"{of.cell.title}: {of.cell.note}" if of.cell.note else of.cell.title
    if not isinstance(of, Trace):  # gradients are of a run in which nothing was held
        return cell
    held = "; ".join(described(clamp, of.cell, of.layers, of.units) for clamp in of.clamps)
    return tr("{cell} Held: {held}.", cell=cell, held=held) if held else cell


def version() -> str:
    """Which program drew the figure, e.g. "Gatescope 0.1.0"."""
    return tr("Gatescope {version}", version=lstm_core.__version__)


def write_above(
    figure: go.Figure,
    title: str,
    sentences: Sequence[str],
    width: int | None,
    below: int = 0,
    of: Sequence[Trace | Gradients] = (),
) -> int:
    """Puts a title and its caption above the plot, wrapped for a phone where no width is given, and makes room for them.

    title, sentences: written by us, or `lettering.escaped`. below: pixels to leave between them and the plot. of: the traces
    or gradients that are shown; the beginning of their texts, their conventions, and always the program's version, are
    added where the sentences lack them. Returns the top margin in pixels.
    """
    sentences = _completed(sentences, of)
    room = (width or CAPTION) - 2 * 16
    titles = _wrapped([title], room / 8.5)
    lines = _wrapped(sentences, room / 6.6)
    top = 14 + TITLE * len(titles) + LINE * len(lines) + below
    figure.update_layout(
        margin={**MARGINS, "t": top, "b": 40},
        width=width,
        title={
            "text": "<br>".join(titles),
            "subtitle": {"text": "<br>".join(lines), "font": {"size": 12}},
            "font": {"size": 17},
            "x": 0, "xref": "container", "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top",
            "pad": {"l": 16, "t": 12},
        },
    )  # fmt: skip
    return top


def _completed(sentences: Sequence[str], of: Sequence[Trace | Gradients]) -> list[str]:
    """A caption with what a picture must say wherever it is taken: text, convention, version."""
    notes = [*sentences]
    texts = [f"“{lettering.snippet(''.join(each.chars))}”" for each in of]
    small = [lettering.escaped(convention(each)) for each in of] + [version()]
    for wanted in texts:
        if not any(wanted in sentence for sentence in notes):
            notes.append(wanted)
    missing = [words for words in dict.fromkeys(small) if not any(words in sentence for sentence in notes)]
    if missing:
        notes.append(" ".join(words if words.endswith(".") else f"{words}." for words in missing))
    return notes


def _wrapped(sentences: Sequence[str], columns: float) -> list[str]:
    """Lines of about so many columns, broken between words, never inside an entity."""
    return [line for s in sentences for line in textwrap.wrap(s, int(columns), break_long_words=False, break_on_hyphens=False)]


def is_roomy(steps: int, width: int | None = None) -> bool:
    """Whether every character of a text has room to stand at its step, in a figure of so many pixels."""
    return steps * LETTER <= (width or WIDTH) - MARGINS["l"] - MARGINS["r"]


def letters_height(traces: Sequence[Trace], width: int | None = None) -> int:
    """Pixels that the labels of `time_axis` need above the plot."""
    lines = len({trace.chars for trace in traces}) if is_roomy(traces[0].steps, width) else 2
    return 3 + 15 * lines


def time_axis(figure: go.Figure, traces: Sequence[Trace], theme: palette.Theme, width: int | None = None) -> None:
    """Writes the typed characters along the x axis of a figure whose steps are x = 0, 1, 2, ...

    traces: one, or several of equal length; differing texts stand below each other, and all are told on hover.
    Steps keep their places, however often a character comes again: the axis counts, and each count has an alias.
    As long as every character has room it stands at its step. A longer text is labelled in stretches, with the step's
    number, and shows single characters when it is zoomed into.
    """
    chars = traces[0].chars
    # Formats make one number three keys: "40" the character, "+40" what hovering tells, " 40" the text around it.
    texts = dict.fromkeys(trace.chars for trace in traces)
    aliases = {str(t): "<br>".join(map(lettering.tick, column)) for t, column in enumerate(zip(*texts))}
    aliases |= {f"+{t}": " | ".join(dict.fromkeys(_hover_label(trace, t) for trace in traces)) for t in range(len(chars))}
    axis: dict[str, Any] = {"tickmode": "linear", "tick0": 0, "dtick": 1, "tickformat": "d"}
    if not is_roomy(len(chars), width):
        aliases |= {f" {t}": _stretch(chars, t) for t in range(len(chars))}
        stops = [{"dtickrange": [None, 1], "value": "~f"}, {"dtickrange": [2, None], "value": " d"}]
        axis = {"tickmode": "auto", "tickformatstops": stops}
    figure.update_xaxes(
        **axis, tickangle=0, labelalias=aliases, hoverformat="+d",
        range=[-0.5, len(chars) - 0.5], minallowed=-0.5, maxallowed=len(chars) - 0.5,
        tickfont={"family": "monospace", "size": 11}, ticks="", showgrid=False, zeroline=False,
        showspikes=True, spikemode="across", spikesnap=tr("hovered data"), spikethickness=1, spikedash="solid",
        spikecolor=palette.INK[theme],
    )  # fmt: skip


def _hover_label(trace: Trace, step: int) -> str:
    """One character as a hover label tells it, and what the model read in its place."""
    typed, read = trace.chars[step], trace.read_as[step]
    label = lettering.spoken(typed)
    return label if typed == read else tr("{label}, read as {spoken}", label=label, spoken=lettering.spoken(read))


def _stretch(chars: Sequence[str], step: int) -> str:
    """The step's number over the text around it, the step's own character in the middle."""
    shown = [c or lettering.glyph(c)[0] for c in chars[max(0, step - STRETCH // 2) : step + STRETCH // 2 + 1]]
    around = " " * max(0, STRETCH // 2 - step) + "".join(shown)
    return f"{step}<br>{lettering.snippet(around, STRETCH)}"
