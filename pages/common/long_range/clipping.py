"""Long range, fourth section: exploding gradients while a plain RNN is trained, and what clipping does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import streamlit as st

import lstm_core as lc
from lstm_core import experiments, figure_file
from lstm_core.analysis.spectrum import ClippingRun
from lstm_core.experiments import ClippingResults
from lstm_core.figures.clipping import gradient_reach, in_training
from lstm_core.numbers import percent, short
from pages.common import detail, markdown

ALIKE = 0.05  # nats: last losses nearer than this are not told apart


def show(models: Mapping[str, lc.ModelInfo]) -> None:
    """The shipped runs from one initial scale, with and without clipping, and what they show in words."""
    st.caption(
        "Each step back multiplies the gradient by the recurrent weights. Where they lengthen vectors it can explode, and one"
        " such step of training throws the weights far away. The usual remedy is to clip it: a gradient longer than some"
        " limit is shortened to it, its direction kept."
    )
    found = shipped()
    if isinstance(found, str):
        st.text(f"⚠ {found}")
        return
    radii = [radius for radius in found.protocol.radii if any(run.radius == radius for run in found.runs)]
    if not radii:
        st.text("⚠ clipping.json holds no finished run.")
        return
    radius = st.segmented_control(
        "Spectral radius of the recurrent weights at the start",
        radii,
        default=radii[-1],
        required=True,
        key="long range: radius",
        help="The largest absolute value of their eigenvalues: above 1 some state grows from step to step.",
    )
    runs = {clip: found.of(radius, clip) for clip in found.protocol.clips if found.of(radius, clip)}
    caption = [_told(found, radius)]
    figure = in_training(runs, caption, found.uniform, detail.theme())
    st.plotly_chart(figure, key="long range: clipping", theme=None, config=detail.PLOT)
    st.markdown("\n".join(f"- {sentence}" for sentence in findings(runs, found.uniform)))
    _felt(runs, caption)
    _all_scales(found, radii)
    with st.expander("How they were trained"):
        st.markdown(_protocol(found))
    with st.container(horizontal=True):
        st.download_button("Numbers (CSV)", to_csv(found.runs), "clipping.csv", "text/csv", on_click="ignore")
        st.download_button(
            "Interactive page (HTML)", lambda: figure_file.to_html(figure), "clipping.html", "text/html", on_click="ignore"
        )


def shipped() -> ClippingResults | str:
    """The results that ship, or a sentence that says why there are none."""
    try:
        return experiments.clipping_results()
    except FileNotFoundError:
        return "The results of this experiment are not here: assets/experiments holds no clipping.json."
    except (OSError, experiments.ExperimentError) as error:
        return f"The results of this experiment can't be read: {error}."


def _told(found: ClippingResults, radius: float) -> str:
    return (
        f"{_common(found)}; spectral radius {radius:g} at the start. A thin line a seed"
        f" ({len({run.seed for run in found.runs})})."
    )


def _common(found: ClippingResults) -> str:
    p = found.protocol
    descent = f"plain gradient descent, rate {p.learning_rate:g}, {p.streams} × {p.window} characters a step"
    return f"Plain RNN, {p.units} units, {descent}"


def _protocol(found: ClippingResults) -> str:
    p, corpus = found.protocol, found.corpus
    return (
        f"Text: {markdown.plain(str(corpus.get('corpus', 'not recorded')))}. {_common(found)}; the state is carried on from one"
        " piece of text to the next. The recurrent weights are drawn as always and then multiplied, so that"
        f" their spectral radius is {', '.join(f'{r:g}' for r in p.radii)}; seeds {', '.join(map(str, p.seeds))}. A point every"
        f" {p.every} steps.\n\nMade again by `{found.command}`, with"
        f" {', '.join(f'{name} {version}' for name, version in found.versions.items())}."
    )


# What they show, in words


def findings(runs: Mapping[float | None, Sequence[ClippingRun]], uniform: float) -> list[str]:
    """What the runs from one initial scale show: how they end, how large their gradients get, what becomes of the weights."""
    said = [_ends(clip, several, uniform) for clip, several in runs.items()]
    said += [_loud(clip, several) for clip, several in runs.items()]
    said.append(_sigma(runs))
    said += _compared(runs)
    return said


def _named(clip: float | None) -> str:
    return "Not clipped" if clip is None else f"Clipped at {clip:g}"


def _final(run: ClippingRun) -> float | None:
    """The loss at a run's end; None where it ended in no number."""
    return None if run.diverged is not None or len(run.points) < 2 else run.points[-1].loss


def _ends(clip: float | None, several: Sequence[ClippingRun], uniform: float) -> str:
    losses = [loss for run in several if (loss := _final(run)) is not None]
    broken = [run.diverged for run in several if run.diverged is not None]
    told = f"{_named(clip)}: "
    if losses:
        told += f"the last loss is {_range(losses)} nats a character"
        told += f", {'all' if max(losses) < uniform else 'not all'} below the {uniform:.2f} of expecting every character alike"
    if broken:
        steps = ", ".join(f"{step:,}" for step in broken)
        told += f"{'; ' if losses else ''}{len(broken)} of {len(several)} runs broke down, after {steps} steps"
    return told + "."


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def _span(values: Sequence[float]) -> str:
    low, high = short(min(values)), short(max(values))
    return low if low == high else f"{low}–{high}"


def _norms(run: ClippingRun) -> list[float]:
    return [point.largest for point in run.points[1:]]


def _loud(clip: float | None, several: Sequence[ClippingRun]) -> str:
    norms = [norm for run in several for norm in _norms(run)]
    usual, most = median(norms), max(norms)
    times = f"{short(most)} at most, {short(most / usual)} times that"
    told = f"{_named(clip)}: the gradient’s norm is {short(usual)} in the middle and {times}"
    if clip is not None:
        over = sum(norm > clip for norm in norms) / len(norms)
        return f"{told}; at {percent(over, 0)} of the points it was above {clip:g}, and shortened."
    return f"{told}."


def _sigma(runs: Mapping[float | None, Sequence[ClippingRun]]) -> str:
    told = []
    for clip, several in runs.items():
        first = [run.points[0].sigma for run in several]
        last = [run.points[-1].sigma for run in several]
        told.append(f"{_named(clip).lower()} from {_span(first)} to {_span(last)}")
    return f"The largest singular value of the recurrent weights goes, {'; '.join(told)}."


def _compared(runs: Mapping[float | None, Sequence[ClippingRun]]) -> list[str]:
    """Whether clipping made a difference, run against run of the same seed."""
    limits = [clip for clip in runs if clip is not None]
    if None not in runs or not limits:
        return []
    free = {run.seed: _final(run) for run in runs[None]}
    held = {run.seed: _final(run) for run in runs[limits[0]]}
    pairs = [(free[seed], held[seed]) for seed in free if seed in held]
    if pairs and all(a is not None and b is not None and abs(a - b) < ALIKE for a, b in pairs):
        return [f"Clipping makes no difference to the end here: no seed’s two last losses are {ALIKE:g} nats apart."]
    better = sum(b is not None and (a is None or b < a) for a, b in pairs)
    if better == len(pairs):
        return [f"With clipping every one of the {len(pairs)} seeds ends lower."]
    if better == 0:
        return [f"With clipping none of the {len(pairs)} seeds ends lower: from this start it does not help."]
    return [f"With clipping {better} of {len(pairs)} seeds end lower: chance has its part in it."]


def _felt(runs: Mapping[float | None, Sequence[ClippingRun]], caption: Sequence[str]) -> None:
    """How far back the loss is felt, at one of the steps where it was measured."""
    steps = sorted({step for several in runs.values() for run in several for step in run.reach})
    if not steps:
        return
    step = st.segmented_control(
        "How far back the loss is felt after so many steps of training",
        steps,
        default=steps[0],
        required=True,
        key="long range: felt",
        format_func=lambda number: f"{number:,}",
    )
    if step not in steps:  # another start may have been looked at before
        step = steps[0]
    figure = gradient_reach(runs, step, [*caption, "Mean over the streams."], detail.theme())
    st.plotly_chart(figure, key="long range: felt picture", theme=None, config=detail.PLOT)


def _all_scales(found: ClippingResults, radii: Sequence[float]) -> None:
    """The last losses from every initial scale, as a table."""
    heads = [_named(clip).lower() for clip in found.protocol.clips]
    lines = [f"| radius at the start | {' | '.join(heads)} |", "|---:|" + "---:|" * len(heads)]
    for radius in radii:
        cells = [_cell(found.of(radius, clip)) for clip in found.protocol.clips]
        lines.append(f"| {radius:g} | {' | '.join(cells)} |")
    st.markdown("\n".join(lines))
    st.caption("The last loss of each seed, nats a character; × where it was no number any more.")


def _cell(several: Sequence[ClippingRun]) -> str:
    losses = [_final(run) for run in several]
    return ", ".join("×" if loss is None else f"{loss:.2f}" for loss in losses) or "–"


def to_csv(runs: Sequence[ClippingRun]) -> str:
    """Every point of every run as CSV: radius, clip, seed, step, loss, norm, largest, sigma, spectral_radius."""
    lines = ["radius,clip,seed,step,loss,norm,largest,sigma,spectral_radius"]
    for run in runs:
        clip = "" if run.clip is None else f"{run.clip:g}"
        for p in run.points:
            values = ",".join(f"{value:.6g}" for value in (p.loss, p.norm, p.largest, p.sigma, p.radius))
            lines.append(f"{run.radius:g},{clip},{run.seed},{p.step},{values}")
    return "\n".join(lines) + "\n"
