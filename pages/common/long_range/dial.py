"""Long range, third section: a task whose gap is a dial, and how well each cell does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

import lstm_core as lc
from lstm_core import experiments, figure_file
from lstm_core.experiments import RecallResults
from lstm_core.figures.recall import accuracy_by_gap, by_cell
from lstm_core.numbers import percent
from lstm_core.recall import Protocol, Result
from lstm_core.words import N_, tr
from pages.common import detail

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

GOOD = 0.9  # of the answers right: the key is recalled
ALIKE = 0.05  # accuracies nearer than this are not told apart
DRAWS = {
    "alone": N_("one model for each gap"),
    "even": N_("one model, all gaps alike"),
    "short": N_("one model, short gaps more often"),
}
EXAMPLE = 8  # distractors of the example


@dataclass(frozen=True)
class Standing:
    """One cell in one protocol. means: gap -> the mean over its runs of the share of right answers, 0 to 1. spread: gap ->
    the largest minus the smallest share."""

    cell: str
    means: Mapping[int, float]
    spread: Mapping[int, float]
    runs: int

    @property
    def reaches(self) -> int:
        """The longest gap up to which, without a break, the key is recalled; 0 where not even over the shortest."""
        reached = 0
        for gap in sorted(self.means):
            if self.means[gap] < GOOD:
                break
            reached = gap
        return reached


def show(models: Mapping[str, lc.ModelInfo]) -> None:
    """The shipped results, with what they show in words."""
    st.caption(
        tr(
            "A key, some distractors, and a question mark: which key was it? The gap between key and question is a"
            " dial. In theory every recurrent network can carry the key over any gap; what is learnt in practice is"
            " another matter."
        )
    )
    found = shipped()
    if isinstance(found, str):
        st.text(f"⚠ {found}")
    else:
        _shipped(found)


def shipped() -> RecallResults | str:
    """The results that ship, or a sentence that says why there are none."""
    try:
        return experiments.recall_results()
    except FileNotFoundError:
        return tr("The results of this task are not here: assets/experiments holds no recall.json. It can be run below.")
    except (OSError, experiments.ExperimentError) as error:
        return tr("The results of this task can't be read: {error}.", error=error)


def _shipped(found: RecallResults) -> None:
    draws = [draw for draw in found.protocols if any(r.draw == draw for r in found.results)]
    if not draws:
        st.text(tr("⚠ recall.json holds no finished run."))
        return
    draw = next(name for name in DRAWS if name in draws)
    if len(draws) > 1:
        draw = st.segmented_control(
            tr("Trained on"),
            [name for name in DRAWS if name in draws],
            default=draw,
            required=True,
            key="long range: draw",
            format_func=DRAWS.__getitem__,
        )
    protocol, results = found.protocols[draw], [r for r in found.results if r.draw == draw]
    caption = [note(protocol, results, found.units)]
    figure = accuracy_by_gap(by_cell(results), protocol.chance, caption, theme=detail.theme())
    st.plotly_chart(figure, key="long range: dial", theme=None, config=detail.PLOT)
    st.markdown("\n".join(f"- {sentence}" for sentence in [*findings(results, protocol), *elsewhere(found, draw)]))
    _table(results)
    with st.expander(tr("How they were trained")):
        st.markdown(protocol_text(protocol, results, found))
    with st.container(horizontal=True):
        st.download_button(tr("Numbers (CSV)"), to_csv(results), f"recall-{draw}.csv", "text/csv", on_click="ignore")
        st.download_button(
            tr("Interactive page (HTML)"),
            lambda: figure_file.to_html(figure),
            f"recall-{draw}.html",
            "text/html",
            on_click="ignore",
        )


def note(protocol: Protocol, results: Sequence[Result], units: int) -> str:
    """A sentence under the figure: what its lines are."""
    seeds = len({r.seed for r in results})
    runs = tr("the mean of {seeds} seeds, bars from the least to the largest", seeds=seeds) if seeds > 1 else tr("one seed")
    return tr(
        "{protocol.keys} keys, {protocol.distractors} kinds of distractors, {units} units; {draws}. Lines:"
        " {runs}. Tested on {protocol.tests:,} fresh sequences at each gap.",
        protocol=protocol,
        units=units,
        draws=DRAWS[protocol.draw],
        runs=runs,
    )


def protocol_text(protocol: Protocol, results: Sequence[Result], found: RecallResults) -> str:
    """Markdown: everything that the runs have in common, from the record itself."""
    key, rest = protocol.vocabulary[0], protocol.vocabulary[protocol.keys : protocol.keys + protocol.distractors]
    example = (rest * EXAMPLE)[:EXAMPLE]
    sizes = {lc.cell(r.cell).title: r.parameters for r in results}
    counts = ", ".join(f"{title} {count:,}" for title, count in sizes.items())
    return tr(
        "A sequence: `{key}{example}?`, gap {example_2}, answer `{key}`. All cells are trained alike: the same"
        " sequences, {protocol.steps:,} steps of Adam on {protocol.batch} sequences each, learning rate"
        " {protocol.learning_rate:g} after {protocol.warmup} steps, then down to zero along a cosine, gradients"
        " clipped at {protocol.clip:g}, a forget bias of {protocol.forget_bias:g} where there is such a gate;"
        " loss at the question alone. Equal units, not equal weights: {counts}. Guessing is right once in"
        " {protocol.keys}.\n\nMade again by `{found.command}`, with {items}.",
        key=key,
        example=example,
        example_2=EXAMPLE,
        protocol=protocol,
        counts=counts,
        found=found,
        items=", ".join(f"{name} {version}" for name, version in found.versions.items()),
    )


def table(results: Sequence[Result]) -> Styler:
    """The means, a row a cell and a column a gap: shares of right answers, 0 to 1, shown as `percent` writes them.

    A column is sorted by its shares, whatever is shown: "over 99.9 %" stands below "100 %".
    """
    gaps = sorted({gap for result in results for gap in result.accuracy})
    rows = [{tr("cell"): _title(each), **{str(gap): each.means.get(gap) for gap in gaps}} for each in standings(results)]
    return pd.DataFrame(rows).style.format(percent, subset=[str(gap) for gap in gaps])


def _table(results: Sequence[Result]) -> None:
    """The means in numbers: lines that lie on each other look like one."""
    st.dataframe(table(results), hide_index=True)
    st.caption(tr("Right answers by gap: means over the seeds."))


# What they show, in words


def standings(results: Sequence[Result]) -> list[Standing]:
    """Each cell's means and spreads, in the order of their first runs."""
    found = []
    for name, runs in by_cell(results).items():
        shares = {gap: [run[gap] for run in runs if gap in run] for gap in sorted({gap for run in runs for gap in run})}
        means = {gap: sum(values) / len(values) for gap, values in shares.items()}
        found.append(Standing(name, means, {gap: max(v) - min(v) for gap, v in shares.items()}, len(runs)))
    return found


def findings(results: Sequence[Result], protocol: Protocol) -> list[str]:
    """What the results show: how far each cell reaches, what the essay says, and where it is not what is seen here."""
    every = standings(results)
    sentences = [_reaches(every, protocol)]
    plain = next((each for each in every if each.cell == "rnn"), None)
    if plain is not None:
        sentences += [_compared_with_rnn(plain, every, protocol)]
    sentences += _at_longest_gap(every, protocol)
    sentences += _spread(every)
    return sentences


def elsewhere(found: RecallResults, draw: str) -> list[str]:
    """How far the plain RNN and the gated cells reach when they are trained by another protocol."""
    sentences = []
    for name in DRAWS:
        every = standings([r for r in found.results if r.draw == name])
        plain = next((each.reaches for each in every if each.cell == "rnn"), None)
        gated = [each.reaches for each in every if each.cell != "rnn"]
        if name == draw or plain is None or not gated:
            continue
        reach = (
            f"{min(gated)}" if min(gated) == max(gated) else tr("{gated} to {gated_2}", gated=min(gated), gated_2=max(gated))
        )
        reaches = (
            tr("the plain RNN recalls up to {plain}, the gated cells up to {reach}", plain=plain, reach=reach)
            if plain
            else (tr("the plain RNN recalls over no gap, the gated cells up to {reach}", reach=reach))
        )
        also = tr("; so here the plain RNN can do it too") if plain >= min(gated) else ""
        sentences.append(tr("Trained otherwise ({draws}): {reaches}{also}.", draws=DRAWS[name], reaches=reaches, also=also))
    return sentences


def _title(each: Standing) -> str:
    return lc.cell(each.cell).title


def _reaches(every: Sequence[Standing], protocol: Protocol) -> str:
    ranked = sorted(every, key=lambda each: -each.reaches)
    reaches = [f"{_title(each)} {f'up to {each.reaches}' if each.reaches else 'over none'}" for each in ranked]
    return tr(
        "Right at least {percent} of the time, at every gap: {reaches} (tested up to {gaps}).",
        percent=percent(GOOD, 0),
        reaches=", ".join(reaches),
        gaps=max(protocol.gaps),
    )


def _compared_with_rnn(plain: Standing, every: Sequence[Standing], protocol: Protocol) -> str:
    """The essay's claim, and what becomes of it here."""
    gated = [each for each in every if each.cell != "rnn"]
    further = [each for each in gated if each.reaches > plain.reaches]
    claim = tr("The essay says that plain RNNs seem unable to learn long gaps, and that LSTMs don’t have this problem.")
    if not gated:
        return tr("{claim} Only the plain RNN was run.", claim=claim)
    if len(further) == len(gated):
        return tr(
            "{claim} Here every gated cell reaches further than the plain RNN’s {plain.reaches}.", claim=claim, plain=plain
        )
    if not further:
        return tr(
            "{claim} Here no gated cell reaches further than the plain RNN’s {plain.reaches}: this task does not show it.",
            claim=claim,
            plain=plain,
        )
    others = [each for each in gated if each not in further]
    return tr(
        "{claim} Here it holds for {names}, which reach further than the plain RNN’s {plain.reaches}, and not for {names_2}.",
        claim=claim,
        names=_names(further),
        plain=plain,
        names_2=_names(others),
    )


def _at_longest_gap(every: Sequence[Standing], protocol: Protocol) -> list[str]:
    """At the longest gap: who still recalls, who guesses."""
    longest = max(protocol.gaps)
    there = [each for each in every if longest in each.means]
    guess = [each for each in there if each.means[longest] < protocol.chance + ALIKE]
    between = [each for each in there if protocol.chance + ALIKE <= each.means[longest] < GOOD]
    sentences = []
    if guess:
        sentences.append(
            tr("Over {longest} distractors no better than guessing: {names}.", longest=longest, names=_names(guess))
        )
    if between:
        shares = ", ".join(f"{_title(each)} {percent(each.means[longest], 0)}" for each in between)
        sentences.append(
            tr("Over {longest} distractors better than guessing, and not reliable: {shares}.", longest=longest, shares=shares)
        )
    return sentences


def _spread(every: Sequence[Standing]) -> list[str]:
    """Where runs that differ in their seed alone differ by half of all answers or more."""
    wide = [(each, [gap for gap, width in each.spread.items() if width >= 0.5]) for each in every if each.runs > 1]
    places = [tr("{title} at {gaps}", title=_title(each), gaps=_gaps(gaps)) for each, gaps in wide if gaps]
    if not places:
        return []
    return [
        tr(
            "Chance decides there: runs that differ in their seed alone are half of all answers apart or more: {places}.",
            places="; ".join(places),
        )
    ]


def _gaps(gaps: Sequence[int]) -> str:
    return ", ".join(map(str, gaps))


def _names(every: Sequence[Standing]) -> str:
    titles = [_title(each) for each in every]
    return titles[0] if len(titles) == 1 else tr("{titles} and {titles_2}", titles=", ".join(titles[:-1]), titles_2=titles[-1])


def to_csv(results: Sequence[Result]) -> str:
    """Every run's accuracy at every gap as CSV: draw, cell, units, seed, gap, accuracy."""
    lines = ["draw,cell,units,seed,gap,accuracy"]
    lines += [f"{r.draw},{r.cell},{r.units},{r.seed},{gap},{share:.6g}" for r in results for gap, share in r.accuracy.items()]
    return "\n".join(lines) + "\n"
