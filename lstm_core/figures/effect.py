"""What a clamp does to the predictions: surprise and divergence over the text, and two predictions side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_core import numbering
from lstm_core.analysis.effect import Effect
from lstm_core.clamp import Clamp
from lstm_core.figures import lettering, palette, paper
from lstm_core.figures.unit_lines import MOST_MARKERS, READABLE
from lstm_core.numbers import percent
from lstm_core.trace import Trace
from lstm_core.words import N_, tr

SURPRISE, DIVERGENCE, GAP = 200, 110, 46  # pixels of the two plots and of the space between them
BAR = 21  # pixels of one bar
SHADE = {"light": 0.1, "dark": 0.2}  # of the span in which something is held
LIKELIEST = 5  # of each run
FREE, HELD = N_("unclamped run"), N_("clamped run")


def effect_lines(
    before: Trace,
    after: Trace,
    effect: Effect,
    step: int | None = None,
    theme: palette.Theme = "light",
    width: int | None = None,
) -> go.Figure:
    """The surprise of each character in both runs, and below it how far their predictions part after each character.

    before, after: the unclamped and the clamped trace of one text. effect: as `analysis.effect` gives it. step: the pinned
    one, marked (default: none). What is held, and when, is shaded. width: pixels to lay out for (default: as wide as its
    place). All numbers are nats.
    Raises InputError for a step that the trace lacks, or an unknown theme.
    """
    after.check(step=step or 0)
    figure = go.Figure(layout=paper.theme_layout(theme))
    colour = _colour(after, theme)
    figure.add_trace(_line(before.surprise, FREE, palette.INK[theme], "solid", "circle", tr("%{y:.3f} nats")))
    figure.add_trace(_line(after.surprise, HELD, colour, "dash", "square", tr("%{y:.3f} nats")))
    costs = {"y": effect.divergence, "yaxis": "y2", "showlegend": False, "hovertemplate": tr("%{y:.4f} nats")}
    figure.add_trace(go.Bar(**costs, name="divergence", marker={"color": colour, "line_width": 0}))
    letters = paper.letters_height([before], width)
    top = paper.write_above(figure, tr("What the clamp changes"), _notes(before, after), width, letters + 30)
    plot = SURPRISE + GAP + DIVERGENCE
    most = palette.rounded_up(float(effect.divergence.max())) or 1.0
    figure.update_layout(
        height=top + plot + 60, hovermode="x unified", bargap=0.25, margin={"b": 60},
        legend={"orientation": "h", "x": 0, "y": -0.04, "yanchor": "top", "itemwidth": 40},
        yaxis={"domain": [1 - SURPRISE / plot, 1], "rangemode": "tozero", "zeroline": False},
        yaxis2={"domain": [0, DIVERGENCE / plot], "range": [0, most], "nticks": 4, "zeroline": False},
    )  # fmt: skip
    _title(figure, tr("surprise at each character, nats"), 1, letters + 2, theme)
    _title(figure, tr("divergence of the next prediction, nats"), DIVERGENCE / plot, 2, theme)
    paper.time_axis(figure, [before], theme, width)
    figure.update_xaxes(side="top", anchor="y", showspikes=False)
    _mark(figure, after.clamps, step, before.steps, theme, colour)
    if before.steps > READABLE:  # more than eyes can follow: open about the pinned step, zoom out for the rest
        first = min(max((step or effect.first or 0) - READABLE // 2, 0), before.steps - READABLE)
        figure.update_xaxes(range=[first - 0.5, first + READABLE - 0.5])
    return figure


def predictions(
    before: Trace,
    after: Trace,
    step: int,
    theme: palette.Theme = "light",
    width: int | None = None,
    title: str = N_("What is expected next"),
) -> go.Figure:
    """What both runs expect after one character: the likeliest of either, as pairs of bars, in percent.

    step: counted from 0. The character that did come next is marked, and is there however unlikely it was. width: pixels
    to lay out for. title: written by us. Raises InputError for a step that the trace lacks, or an unknown theme.
    """
    after.check(step=step)
    came = int(before.ids[step + 1]) if step + 1 < before.steps else None
    wanted = _likeliest(before.probs[step], after.probs[step], came)
    known = before.vocabulary.characters
    figure = go.Figure(layout=paper.theme_layout(theme))
    labels = [lettering.spoken(known[k]) for k in wanted]
    for name, trace, colour, pattern in (
        (FREE, before, palette.INK[theme], ""),
        (HELD, after, _colour(after, theme), "/"),
    ):
        figure.add_trace(_bars(name, trace.probs[step][wanted], labels, colour, pattern, theme))
    following = (
        tr("the text ends here") if came is None else tr("what came is marked: “{tick}”", tick=lettering.tick(known[came]))
    )
    where = tr(
        "What {escaped} expects after character {character} of {before.steps}, “{tick}”; {following}",
        escaped=lettering.escaped(before.model),
        character=numbering.character(step),
        before=before,
        tick=lettering.tick(before.chars[step] or known[before.ids[step]]),
        following=following,
    )
    top = paper.write_above(figure, title, [where], width, 8, [after])
    largest = float(max(before.probs[step].max(), after.probs[step].max()))
    figure.update_layout(
        height=top + 2 * BAR * len(wanted) + 12 * len(wanted) + 68, barmode="group", bargap=0.28, bargroupgap=0.06,
        margin={"l": 56, "r": 16, "b": 68},
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(range=[0, 127 * largest], ticksuffix=" %", nticks=5, zeroline=True, zerolinewidth=1)
    labels = [_label(known[k], k == came) for k in wanted]
    figure.update_yaxes(
        tickvals=list(range(len(wanted))), ticktext=labels, range=[len(wanted) - 0.5, -0.5], showgrid=False, ticks="",
        tickfont={"family": "monospace", "size": 14}, zeroline=False,
    )  # fmt: skip
    return figure


# What is drawn


def _colour(after: Trace, theme: palette.Theme) -> str:
    """The clamped run has the colour of the signal that is held first."""
    held = after.clamps[0].signal if after.clamps else "hidden"
    return palette.SIGNAL_COLOURS.get(held, palette.INK[theme])


def _line(values: np.ndarray, name: str, colour: str, dash: str, symbol: str, hover: str) -> go.Scatter:
    return go.Scatter(
        y=values, name=name, mode="lines+markers", line={"color": colour, "width": 2, "dash": dash},
        marker={"symbol": symbol, "size": 6, "maxdisplayed": MOST_MARKERS}, hovertemplate=hover,
    )  # fmt: skip


def _bars(name: str, chances: np.ndarray, labels: list[str], colour: str, pattern: str, theme: palette.Theme) -> go.Bar:
    shape: dict[str, Any] = {"shape": pattern, "fgcolor": palette.BACKGROUND[theme], "fillmode": "overlay", "size": 6}
    return go.Bar(
        x=100 * chances, y=list(range(len(chances))), name=name, orientation="h", customdata=labels,
        marker={"color": colour, "pattern": shape if pattern else None, "line": {"color": colour, "width": 1}},
        text=[percent(chance) for chance in chances], textposition="outside", cliponaxis=False, textfont={"size": 12},
        hovertemplate="%{customdata}: %{text}<extra>" + name + "</extra>",
    )  # fmt: skip


def _label(character: str, came: bool) -> str:
    drawn = lettering.escaped(lettering.isolated(lettering.glyph(character)[0]))
    return f"<b>▸ {drawn}</b> " if came else f"{drawn} "


def _likeliest(p: np.ndarray, q: np.ndarray, came: int | None) -> list[int]:
    """The likeliest of either run, and the one that came: by what they have in the first run, most first."""
    chosen = {int(k) for each in (p, q) for k in np.argsort(-each, kind="stable")[:LIKELIEST]}
    if came is not None:
        chosen.add(came)
    return sorted(chosen, key=lambda k: (-p[k], k))


def _title(figure: go.Figure, words: str, place: float, shift: int, theme: palette.Theme) -> None:
    figure.add_annotation(
        text=f"<b>{words}</b>", xref="paper", yref="paper", x=0, y=place, xanchor="left", yanchor="bottom", yshift=shift,
        showarrow=False, font={"size": 13, "color": palette.INK[theme]},
    )  # fmt: skip


def _mark(
    figure: go.Figure, clamps: tuple[Clamp, ...], step: int | None, steps: int, theme: palette.Theme, colour: str
) -> None:
    """Shades when something is held, between lines at its ends, and marks the pinned step."""
    for start, stop in dict.fromkeys((c.start, min(c.stop or steps, steps)) for c in clamps):
        ends = [(end, end, 1, 2) for end in (start, stop) if end < steps]
        for x0, x1, opacity, line in ((start, stop, SHADE[theme], 0), *ends):
            figure.add_shape(
                type="rect", yref="paper", x0=x0 - 0.5, x1=x1 - 0.5, y0=0, y1=1, fillcolor=colour, opacity=opacity,
                line={"color": colour, "width": line}, layer="below",
            )  # fmt: skip
    if step is not None:
        dotted = {"color": palette.INK[theme], "width": 1.5, "dash": "dot"}
        figure.add_shape(type="line", yref="paper", x0=step, x1=step, y0=0, y1=1, line=dotted, layer="below")


def _notes(before: Trace, after: Trace) -> list[str]:
    return [
        f"{lettering.escaped(before.model)}, “{lettering.snippet(before.text)}”",
        f"{lettering.escaped(paper.convention(after))} {paper.version()}.",
    ]
