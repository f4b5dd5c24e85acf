"""Training, second section: the same LSTM, its forget gate's bias begun at 0, 1 and 2."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import streamlit as st

import lstm_core as lc
from lstm_core.analysis import growth, memory
from lstm_core.analysis.growth import Stage
from lstm_core.figures.growth import over_steps
from lstm_core.figures.memory import Lives, half_lives
from lstm_core.life import held_out
from lstm_core.numbers import short
from lstm_core.words import N_, tr
from pages.common import detail
from pages.common.training import life as training_life

READ = 2000  # characters of the held-out text that the gates are looked at on
LONG = 20.0  # characters: half-lives from here on are counted


def show(lives: Mapping[str, lc.Life]) -> None:
    """The curves of the three, their gates over their lives, their half-lives at the end, and what that says."""
    compared = by_bias(lives)
    if len(compared) < 2:
        st.text(tr("⚠ There is nothing to compare: assets/lives holds no LSTMs that differ in the forget gate’s bias alone."))
        return
    st.caption(
        tr(
            "An untrained forget gate with bias 0 stands half open: every unit’s memory halves at each step, and so"
            " does the gradient on its way back. Jozefowicz et al. (2015) advise to begin at 1 or more. Here are the"
            " same LSTM, the same text, the same seed, begun at "
        )
        + _listed([f"{bias:g}" for bias in compared])
        + "."
    )
    found = _stages(tuple(life.name for life in compared.values()))
    if found is None:
        st.text(tr("⚠ The text that the gates are looked at on is not here: assets/lives holds no held-out.txt."))
        return
    by_name = {_named(bias): stages for bias, stages in zip(compared, found)}
    st.markdown("\n".join(f"- {sentence}" for sentence in findings(dict(zip(compared, found)))))
    _pictures(by_name)
    st.caption(
        tr(
            "Gates and half-lives: on the first {read:,} characters of the held-out text. One seed each: another one"
            " moves such curves a little.",
            read=READ,
        )
    )


def by_bias(lives: Mapping[str, lc.Life]) -> dict[float, lc.Life]:
    """The LSTMs whose recipes differ in the forget gate's bias alone, by that bias, ascending."""
    usual = lives.get("lstm")
    if usual is None:
        return {}
    recipe = {**usual.card["recipe"], "forget_bias": None}
    alike = [life for life in lives.values() if {**life.card["recipe"], "forget_bias": None} == recipe]
    return dict(sorted((life.card["recipe"]["forget_bias"], life) for life in alike))


@st.cache_resource(max_entries=2, show_spinner=N_("Reading the held-out text …"))
def _stages(names: tuple[str, ...]) -> list[tuple[Stage, ...]] | None:
    try:
        text = held_out()[:READ]
    except OSError:
        return None
    return [training_life.stages(name, text) for name in names]


def _named(bias: float) -> str:
    return tr("bias {bias:g}", bias=bias)


def _pictures(by_name: Mapping[str, Sequence[Stage]]) -> None:
    theme = detail.theme()
    left, right = st.columns(2, gap="large")
    losses = {name: [(stage.step, stage.loss) for stage in stages] for name, stages in by_name.items()}
    kept = {name: [(stage.step, growth.mean_keep(stage.trace)) for stage in stages] for name, stages in by_name.items()}
    first = over_steps(losses, tr("Held-out loss"), tr("nats a character"), [tr("Less is better.")], theme=theme)
    notes = [tr("Of all units and characters; 1 keeps everything.")]
    second = over_steps(kept, tr("Mean forget gate"), tr("mean f, 0 to 1"), notes, limits=(0, 1), theme=theme)
    ends = [
        Lives(tr("LSTM, {name}", name=name), 0, 1, memory.half_life(stages[-1].trace)[0]) for name, stages in by_name.items()
    ]
    with left:
        st.plotly_chart(first, key="bias: losses", theme=None, config=detail.PLOT)
    with right:
        st.plotly_chart(second, key="bias: gates", theme=None, config=detail.PLOT)
    steps = next(iter(by_name.values()))[-1].trace.steps
    st.plotly_chart(half_lives(ends, steps, theme), key="bias: half-lives", theme=None, config=detail.PLOT)


# What they show, in words


def findings(found: Mapping[float, Sequence[Stage]]) -> list[str]:
    """Losses early and late, gates at the beginning and the end, half-lives at the end: from the numbers that are drawn."""
    sentences = [_gates(found), _early(found), _late(found), _advice(found), _half_lives(found)]
    return [sentence for sentence in sentences if sentence]


def _gates(found: Mapping[float, Sequence[Stage]]) -> str:
    means = [
        tr(
            "{named}: {mean_keep:.2f} to {mean_keep_2:.2f}",
            named=_named(bias),
            mean_keep=growth.mean_keep(stages[0].trace),
            mean_keep_2=growth.mean_keep(stages[-1].trace),
        )
        for bias, stages in found.items()
    ]
    ends = [growth.mean_keep(stages[-1].trace) for stages in found.values()]
    starts = [growth.mean_keep(stages[0].trace) for stages in found.values()]
    closer = max(ends) - min(ends) < max(starts) - min(starts)
    verdict = tr("training brings them closer together") if closer else tr("training does not bring them closer together")
    return tr("Mean forget gate, untrained to trained: {means}: {verdict}.", means="; ".join(means), verdict=verdict)


def _early(found: Mapping[float, Sequence[Stage]]) -> str:
    """Where the losses are furthest apart on the way, and who is ahead there."""
    shared = [step for step in growth.shared_steps(list(found.values())) if step > 0]
    if not shared:
        return ""
    at = {step: {bias: _loss(stages, step) for bias, stages in found.items()} for step in shared}
    widest = max(shared, key=lambda step: max(at[step].values()) - min(at[step].values()))
    return tr("Furthest apart at step {widest:,}: {ranked}.", widest=widest, ranked=_ranked(at[widest]))


def _late(found: Mapping[float, Sequence[Stage]]) -> str:
    ends = {bias: stages[-1].loss for bias, stages in found.items()}
    apart = max(ends.values()) - min(ends.values())
    return tr("At the end: {ranked}, {apart:.3f} nats from the best to the worst.", ranked=_ranked(ends), apart=apart)


def _advice(found: Mapping[float, Sequence[Stage]]) -> str:
    """What the advice to begin at 1 or more is worth here: on the way, and at the end."""
    advised = [bias for bias in found if bias >= 1]
    lower = [bias for bias in found if bias < 1]
    if not advised or not lower:
        return ""
    shared = growth.shared_steps(list(found.values()))
    ahead = [step for step in shared if step > 0 and _best(found, advised, step) < _best(found, lower, step)]
    last = shared[-1]
    verdict = tr("it holds") if last in ahead else tr("it does not hold: the lower bias ends with the lower loss")
    words = _listed([f"{step:,}" for step in ahead])
    way = (
        tr("an LSTM begun at 1 or more is ahead at step {words}", words=words)
        if ahead
        else tr("no LSTM begun at 1 or more is ever ahead")
    )
    reads = next(iter(found.values()))[-1].characters
    return tr(
        "The advice, begin at 1 or more, seen here, after {reads:,} characters: {verdict}; {way}.",
        reads=reads,
        verdict=verdict,
        way=way,
    )


def _best(found: Mapping[float, Sequence[Stage]], biases: Sequence[float], step: int) -> float:
    return min(_loss(found[bias], step) for bias in biases)


def _half_lives(found: Mapping[float, Sequence[Stage]]) -> str:
    lives_by_bias = []
    for bias, stages in found.items():
        lives = memory.half_life(stages[-1].trace).ravel()
        long = int((lives >= LONG).sum())
        lives_by_bias.append(
            tr(
                "{named} {short} characters, {long} of {lives.size}",
                named=_named(bias),
                short=short(growth.median_half_life(stages[-1].trace)),
                long=long,
                lives=lives,
            )
        )
    return tr(
        "Median half-life at the end, and units that hold for {long:g} characters or more: {lives_by_bias}.",
        long=LONG,
        lives_by_bias="; ".join(lives_by_bias),
    )


def _loss(stages: Sequence[Stage], step: int) -> float:
    return next((stage.loss for stage in stages if stage.step == step), math.nan)


def _ranked(losses: Mapping[float, float]) -> str:
    """The best first."""
    return ", ".join(f"{_named(bias)} {loss:.3f}" for bias, loss in sorted(losses.items(), key=lambda item: item[1]))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else tr("{words} and {words_2}", words=", ".join(words[:-1]), words_2=words[-1])
