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
from lstm_core.words import tr
from pages.common import detail, markdown

ALIKE = 0.05  # nats: last losses nearer than this are not told apart


def show(models: Mapping[str, lc.ModelInfo]) -> None:
    """The shipped runs from one initial scale, with and without clipping, and what they show in words."""
    st.caption(
        tr(
            "Each step back multiplies the gradient by the recurrent weights. Where they lengthen vectors it can"
            " explode, and one such step of training throws the weights far away. The usual remedy is to clip it: a"
            " gradient longer than some limit is shortened to it, its direction kept."
        )
    )
    found = shipped()
    if isinstance(found, str):
        st.text(f"⚠ {found}")
        return
    radii = [radius for radius in found.protocol.radii if any(run.radius == radius for run in found.runs)]
    if not radii:
        st.text(tr("⚠ clipping.json holds no finished run."))
        return
    radius = st.segmented_control(
        tr("Spectral radius of the recurrent weights at the start"),
        radii,
        default=radii[-1],
        required=True,
        key="long range: radius",
        help=tr("The largest absolute value of their eigenvalues: above 1 some state grows from step to step."),
    )
    runs = {clip: found.of(radius, clip) for clip in found.protocol.clips if found.of(radius, clip)}
    caption = [_note(found, radius)]
    figure = in_training(runs, caption, found.uniform, detail.theme())
    st.plotly_chart(figure, key="long range: clipping", theme=None, config=detail.PLOT)
    st.markdown("\n".join(f"- {sentence}" for sentence in findings(runs, found.uniform)))
    _by_distance(runs, caption)
    _all_scales(found, radii)
    with st.expander(tr("How they were trained")):
        st.markdown(_protocol(found))
    with st.container(horizontal=True):
        st.download_button(tr("Numbers (CSV)"), to_csv(found.runs), "clipping.csv", "text/csv", on_click="ignore")
        st.download_button(
            tr("Interactive page (HTML)"), lambda: figure_file.to_html(figure), "clipping.html", "text/html", on_click="ignore"
        )


def shipped() -> ClippingResults | str:
    """The results that ship, or a sentence that says why there are none."""
    try:
        return experiments.clipping_results()
    except FileNotFoundError:
        return tr("The results of this experiment are not here: assets/experiments holds no clipping.json.")
    except (OSError, experiments.ExperimentError) as error:
        return tr("The results of this experiment can't be read: {error}.", error=error)


def _note(found: ClippingResults, radius: float) -> str:
    return tr(
        "{common}; spectral radius {radius:g} at the start. A thin line a seed ({value_count}).",
        common=_common(found),
        radius=radius,
        value_count=len({run.seed for run in found.runs}),
    )


def _common(found: ClippingResults) -> str:
    p = found.protocol
    descent = tr("plain gradient descent, rate {p.learning_rate:g}, {p.streams} × {p.window} characters a step", p=p)
    return tr("Plain RNN, {p.units} units, {descent}", p=p, descent=descent)


def _protocol(found: ClippingResults) -> str:
    p, corpus = found.protocol, found.corpus
    return tr(
        "Text: {plain}. {common}; the state is carried on from one piece of text to the next. The recurrent"
        " weights are drawn as always and then multiplied, so that their spectral radius is {radii}; seeds {map}."
        " A point every {p.every} steps.\n\nMade again by `{found.command}`, with {items}.",
        plain=markdown.plain(str(corpus.get("corpus", "not recorded"))),
        common=_common(found),
        radii=", ".join(f"{r:g}" for r in p.radii),
        map=", ".join(map(str, p.seeds)),
        p=p,
        found=found,
        items=", ".join(f"{name} {version}" for name, version in found.versions.items()),
    )


# What they show, in words


def findings(runs: Mapping[float | None, Sequence[ClippingRun]], uniform: float) -> list[str]:
    """What the runs from one initial scale show: how they end, how large their gradients get, what becomes of the weights."""
    sentences = [_ends(clip, several, uniform) for clip, several in runs.items()]
    sentences += [_norm_sizes(clip, several) for clip, several in runs.items()]
    sentences.append(_sigma(runs))
    sentences += _compared(runs)
    return sentences


def _named(clip: float | None) -> str:
    return tr("Not clipped") if clip is None else tr("Clipped at {clip:g}", clip=clip)


def _final(run: ClippingRun) -> float | None:
    """The loss at a run's end; None where it ended in no number."""
    return None if run.diverged is not None or len(run.points) < 2 else run.points[-1].loss


def _ends(clip: float | None, several: Sequence[ClippingRun], uniform: float) -> str:
    losses = [loss for run in several if (loss := _final(run)) is not None]
    broken = [run.diverged for run in several if run.diverged is not None]
    sentence = f"{_named(clip)}: "
    if losses:
        sentence += tr("the last loss is {range} nats a character", range=_range(losses))
        sentence += tr(
            ", {value} below the {uniform:.2f} of expecting every character alike",
            value="all" if max(losses) < uniform else "not all",
            uniform=uniform,
        )
    if broken:
        steps = ", ".join(f"{step:,}" for step in broken)
        sentence += tr(
            "{value}{broken_count} of {several_count} runs broke down, after {steps} steps",
            value="; " if losses else "",
            broken_count=len(broken),
            several_count=len(several),
            steps=steps,
        )
    return sentence + "."


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else tr("{low} to {high}", low=low, high=high)


def _span(values: Sequence[float]) -> str:
    low, high = short(min(values)), short(max(values))
    return low if low == high else f"{low}–{high}"


def _norms(run: ClippingRun) -> list[float]:
    return [point.largest for point in run.points[1:]]


def _norm_sizes(clip: float | None, several: Sequence[ClippingRun]) -> str:
    norms = [norm for run in several for norm in _norms(run)]
    usual, most = median(norms), max(norms)
    times = tr("{short} at most, {short_2} times that", short=short(most), short_2=short(most / usual))
    sentence = tr(
        "{named}: the gradient’s norm is {short} in the middle and {times}", named=_named(clip), short=short(usual), times=times
    )
    if clip is not None:
        over = sum(norm > clip for norm in norms) / len(norms)
        return tr(
            "{sentence}; at {percent} of the points it was above {clip:g}, and shortened.",
            sentence=sentence,
            percent=percent(over, 0),
            clip=clip,
        )
    return f"{sentence}."


def _sigma(runs: Mapping[float | None, Sequence[ClippingRun]]) -> str:
    changes = []
    for clip, several in runs.items():
        first = [run.points[0].sigma for run in several]
        last = [run.points[-1].sigma for run in several]
        changes.append(tr("{lower} from {span} to {span_2}", lower=_named(clip).lower(), span=_span(first), span_2=_span(last)))
    return tr("The largest singular value of the recurrent weights goes, {changes}.", changes="; ".join(changes))


def _compared(runs: Mapping[float | None, Sequence[ClippingRun]]) -> list[str]:
    """Whether clipping made a difference, run against run of the same seed."""
    limits = [clip for clip in runs if clip is not None]
    if None not in runs or not limits:
        return []
    free = {run.seed: _final(run) for run in runs[None]}
    held = {run.seed: _final(run) for run in runs[limits[0]]}
    pairs = [(free[seed], held[seed]) for seed in free if seed in held]
    if pairs and all(a is not None and b is not None and abs(a - b) < ALIKE for a, b in pairs):
        return [
            tr("Clipping makes no difference to the end here: no seed’s two last losses are {alike:g} nats apart.", alike=ALIKE)
        ]
    better = sum(b is not None and (a is None or b < a) for a, b in pairs)
    if better == len(pairs):
        return [tr("With clipping every one of the {pairs_count} seeds ends lower.", pairs_count=len(pairs))]
    if better == 0:
        return [
            tr(
                "With clipping none of the {pairs_count} seeds ends lower: from this start it does not help.",
                pairs_count=len(pairs),
            )
        ]
    return [
        tr(
            "With clipping {better} of {pairs_count} seeds end lower: chance has its part in it.",
            better=better,
            pairs_count=len(pairs),
        )
    ]


def _by_distance(runs: Mapping[float | None, Sequence[ClippingRun]], caption: Sequence[str]) -> None:
    """How far back the loss is felt, at one of the steps where it was measured."""
    steps = sorted({step for several in runs.values() for run in several for step in run.reach})
    if not steps:
        return
    step = st.segmented_control(
        tr("How far back the loss is felt after so many steps of training"),
        steps,
        default=steps[0],
        required=True,
        key="long range: felt",
        format_func=lambda number: f"{number:,}",
    )
    if step not in steps:  # another start may have been looked at before
        step = steps[0]
    figure = gradient_reach(runs, step, [*caption, tr("Mean over the streams.")], detail.theme())
    st.plotly_chart(figure, key="long range: felt picture", theme=None, config=detail.PLOT)


def _all_scales(found: ClippingResults, radii: Sequence[float]) -> None:
    """The last losses from every initial scale, as a table."""
    heads = [_named(clip).lower() for clip in found.protocol.clips]
    lines = [tr("| radius at the start | {heads} |", heads=" | ".join(heads)), "|---:|" + "---:|" * len(heads)]
    for radius in radii:
        cells = [_cell(found.of(radius, clip)) for clip in found.protocol.clips]
        lines.append(f"| {radius:g} | {' | '.join(cells)} |")
    st.markdown("\n".join(lines))
    st.caption(tr("The last loss of each seed, nats a character; × where it was no number any more."))


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
