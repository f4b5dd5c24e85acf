"""Hold a gate and see what becomes of the predictions: the choice, both runs side by side, and what is said of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

import lstm_core as lc
from lstm_core import numbering, trace_file
from lstm_core.analysis.effect import Effect, effect
from lstm_core.clamp import check, described, number, span_in_words, typed_units, units_as_typed, units_in_words
from lstm_core.errors import InputError
from lstm_core.figures.effect import effect_lines, predictions
from lstm_core.figures.heatmaps import difference_heatmaps
from lstm_core.figures.lettering import glyph, plain_symbol
from lstm_core.figures.palette import Theme
from lstm_core.numbering import Counted
from lstm_core.numbers import fixed, rounded, signed
from lstm_core.words import N_, tr
from pages.common import caches, links
from pages.common.detail import MOST_DRAWN, PLOT, theme
from pages.common.links import Decimal, Field, Kind, Number, Parts, Refused, Text
from pages.common.markdown import plain
from pages.common.selection import Selection

PARAMETER, OLD_PARAMETER = "hold", "clamp"  # of the address; the old one counts characters from 0
MOST_CLAMPS = 6
# Of the session: the pin's layer when it was last looked at, what is held beside the chosen clamp, and the last good choice.
LAYER_OF_PIN, KEPT, LAST = "clamp: the pin's layer", "clamp: kept", "clamp: last"
SIGNAL, LAYER, UNITS, TYPED_UNITS, START, TYPED_START = (
    f"clamp_{name}" for name in ("signal", "layer", "units", "typed_units", "start", "typed_start")
)  # the widgets' keys
Clamps = tuple[lc.Clamp, ...]
Pin = Mapping[str, int]


def panel(chosen: Selection, trace: lc.Trace, pin: Pin, query: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole panel. Returns the query parameters that bring its clamps back, by the name PARAMETER.

    trace: of `chosen`, unclamped. pin: {"step", "unit", "layer"}, indices. query: of a link that the page has not answered yet,
    else None.
    """
    st.caption(
        tr(
            "Hold a gate at a value of your own, and the model reads the text again: at each character the gate is"
            " overwritten, and all that looks at it, in the layers above too, is computed from there."
        )
    )
    _open_linked(query or {}, trace, pin)
    _defaults(trace, pin)
    current = _current(trace, pin)
    kept = _kept(trace, current)
    if current is None:
        return {}
    clamps = (*kept, current)
    after, found = _run(chosen.model, chosen.text, clamps)
    st.markdown(_statement(trace, after, found))
    _pictures(trace, after, found, pin)
    _inside(chosen, trace, clamps, current.layer)
    _downloads(chosen, after)
    _certificate(chosen, clamps)
    return links.write(FIELDS, _Linked(clamps))


# In an address


@dataclass(frozen=True)
class _Units:
    """Numbers and ranges of units, joined by points: 3.7-9. bounds: how many units there are."""

    def read(self, text: str, bounds: int) -> links.Read:
        if text == "all":
            return range(bounds), []
        try:
            return typed_units(text.replace(".", ","), bounds), []
        except InputError:
            return None, [Refused(text, numbering.available("unit", bounds))]

    def write(self, value: Sequence[int] | None) -> str | None:
        return "all" if value is None else units_as_typed(value).replace(", ", ".")


@dataclass(frozen=True)
class _Clamps:
    """Clamps, joined by _: forget~0~2~3.7-9~12 holds units 3 and 7 to 9 of layer 2 from character 12 on.

    bounds: the trace that they are held in. character: how the first held step is counted.
    """

    character: Counted

    def _parts(self, trace: lc.Trace | None) -> Parts:
        def made(signal: str, value: float, layer: int, units: Sequence[int], start: int) -> lc.Clamp:
            clamp = lc.Clamp(signal, value, layer, None if isinstance(units, range) else units, start)
            if trace is not None:
                check([clamp], trace.cell, trace.layers, trace.units, trace.steps)
            return clamp

        kinds: dict[str, Kind] = {"signal": Text(), "value": Decimal(), "layer": Number("layer"), "units": _Units()}
        return Parts({**kinds, self.character: Number(self.character)}, "~", made, _taken)

    def read(self, text: str, bounds: lc.Trace) -> links.Read:
        parts, sizes = self._parts(bounds), (None, None, bounds.layers, bounds.units, bounds.steps)
        read = [parts.read(each, sizes) for each in text.split("_")[:MOST_CLAMPS]]
        return tuple(clamp for clamp, _ in read if clamp is not None) or None, [part for _, wrong in read for part in wrong]

    def write(self, value: Clamps) -> str | None:
        return "_".join(self._parts(None).write(clamp) or "" for clamp in value) or None


def _taken(clamp: lc.Clamp) -> Sequence[Any]:
    return clamp.signal, clamp.value, clamp.layer, clamp.units, clamp.start


@dataclass(frozen=True)
class _Linked:
    clamps: Clamps = ()


REFUSED = N_("The link asks for a clamp “{asked}”, which can't be had: {known}.")
FIELDS = (
    Field(PARAMETER, _Clamps("character"), lambda now, trace: trace, REFUSED, attribute="clamps"),
    Field(OLD_PARAMETER, _Clamps("step"), lambda now, trace: trace, REFUSED, attribute="clamps", replaced_by=PARAMETER),
)


def asked_for(query: Mapping[str, str]) -> bool:
    """Whether a link asks for a clamp."""
    return any(each.name in query for each in FIELDS)


def _open_linked(query: Mapping[str, str], trace: lc.Trace, pin: Pin) -> None:
    """Puts what a link asks for into the widgets, the last of its clamps, and beside them, the others."""
    linked, sentences = links.read(FIELDS, query, _Linked(), trace)
    for sentence in sentences:
        st.text(f"⚠ {sentence}")
    if not linked.clamps:
        return
    *kept, current = linked.clamps
    alone = (pin["unit"],)
    st.session_state[KEPT] = tuple(kept)
    st.session_state[LAYER_OF_PIN] = pin["layer"]
    st.session_state[SIGNAL], st.session_state[LAYER] = current.signal, current.layer
    st.session_state[UNITS] = "all" if current.units is None else "pinned" if current.units == alone else "these"
    st.session_state[TYPED_UNITS] = units_as_typed(current.units or alone)
    st.session_state[_value_key(trace, current.signal)] = current.value
    st.session_state[START] = "pinned" if current.start == pin["step"] else "first" if current.start == 0 else "other"
    st.session_state[TYPED_START] = numbering.character(current.start)


# The choice


def _defaults(trace: lc.Trace, pin: Pin) -> None:
    """What the widgets show at first, and again where another model or text has no such thing."""
    state, signals = st.session_state, _signals(trace.cell)
    if state.get(SIGNAL) not in signals:
        state[SIGNAL] = signals[0]
    if state.get(LAYER_OF_PIN) != pin["layer"] or not 0 <= state.get(LAYER, -1) < trace.layers:
        state[LAYER_OF_PIN], state[LAYER] = pin["layer"], pin["layer"]
    state.setdefault(UNITS, "pinned")
    state.setdefault(TYPED_UNITS, str(pin["unit"]))
    state.setdefault(START, "pinned")
    state[TYPED_START] = min(state.get(TYPED_START, numbering.character(pin["step"])), trace.steps)
    state.setdefault(_value_key(trace, state[SIGNAL]), 0.0)


def _signals(cell: lc.Cell) -> list[str]:
    """What can be held: the gates first."""
    return sorted(cell.names, key=lambda name: not cell[name].is_gate)


def _value_key(trace: lc.Trace, signal: str) -> str:
    """Signals of one range share a value."""
    return "clamp_value {:g} {:g}".format(*trace.cell[signal].range)


def _current(trace: lc.Trace, pin: Pin) -> lc.Clamp | None:
    """The clamp that the widgets say; a sentence, and the last good one, where they say none."""
    gate, where = st.columns([1, 2], gap="medium")
    name = gate.selectbox(tr("Hold the"), _signals(trace.cell), key=SIGNAL, format_func=lambda n: _named(trace, n), **_LASTING)
    with where:
        units = st.segmented_control(
            tr("of"), ["pinned", "all", "these"], key=UNITS, format_func=_unit_choice(trace, pin), **_CHOICE
        )
    value_place, *layer_place, from_place = st.columns([2, 1, 3] if trace.layers > 1 else [2, 4], gap="medium")
    with value_place:
        value = _value(trace, name)
    layer = st.session_state[LAYER]
    if layer_place:
        layer = layer_place[0].segmented_control(
            tr("in layer"), range(trace.layers), key=LAYER, format_func=_layer_number, **_CHOICE
        )
    with from_place:
        start = _start(trace, pin)
    try:
        chosen = {"all": None, "pinned": (pin["unit"],)}.get(units) if units != "these" else _typed(trace, where)
    except InputError as error:
        st.text(tr("⚠ {error.sentence} What is shown is of the last clamp.", error=error))
        last = st.session_state.get(LAST)
        return last if last is not None and _fits(last, trace) else None
    st.session_state[LAST] = lc.Clamp(name, value, layer, chosen, start)
    return st.session_state[LAST]


_LASTING: dict[str, Any] = {"persist_state": "session"}
_CHOICE: dict[str, Any] = {"required": True, **_LASTING}


def _named(trace: lc.Trace, name: str) -> str:
    signal = trace.cell[name]
    return f"{plain_symbol(signal.symbol)}  {signal.title}"


def _unit_choice(trace: lc.Trace, pin: Pin) -> Any:
    words = {
        "pinned": tr("unit {unit} (pinned)", unit=pin["unit"]),
        "all": units_in_words(None, trace.units),
        "these": tr("these units"),
    }
    return words.__getitem__


def _typed(trace: lc.Trace, place: Any) -> tuple[int, ...]:
    text = place.text_input(tr("Units"), key=TYPED_UNITS, help=tr("Numbers and ranges, counted from 0: 3, 7-9"), **_LASTING)
    return typed_units(text, trace.units)


def _value(trace: lc.Trace, name: str) -> float:
    low, high = trace.cell[name].range
    key = _value_key(trace, name)
    if math.isfinite(high - low):
        return st.slider(tr("at"), float(low), float(high), step=0.01, key=key, **_LASTING)
    least, most = (float(end) if math.isfinite(end) else None for end in (low, high))
    return st.number_input(tr("at"), least, most, step=0.5, format="%.2f", key=key, **_LASTING)


def _start(trace: lc.Trace, pin: Pin) -> int:
    """The first step that is held."""
    words = {
        "pinned": tr("{character} (pinned)", character=_character(trace, pin["step"])),
        "first": tr("the first"),
        "other": "another",
    }
    choice = st.segmented_control(tr("from character"), list(words), key=START, format_func=words.__getitem__, **_CHOICE)
    if choice == "pinned":
        return pin["step"]
    if choice == "first":
        return 0
    first, last = (numbering.character(step) for step in (0, trace.steps - 1))
    start = numbering.index("character", st.number_input(tr("Character"), first, last, key=TYPED_START, **_LASTING))
    st.caption(tr("That is {plain}.", plain=plain(_character(trace, start))))
    return start


def _layer_number(layer: int) -> str:
    return str(numbering.layer(layer))


def _character(trace: lc.Trace, step: int) -> str:
    """A character by its number, and itself, visibly: 12 “o”."""
    typed = trace.chars[step] or trace.vocabulary.characters[trace.ids[step]]
    return f"{numbering.character(step)} “{glyph(typed)[0]}”"


def _kept(trace: lc.Trace, current: lc.Clamp | None) -> Clamps:
    """The clamps that are held beside the one that is chosen now; those that another model can't have are let go."""
    kept = tuple(clamp for clamp in st.session_state.get(KEPT, ()) if _fits(clamp, trace))
    for k, clamp in enumerate(kept):
        words = described(clamp, trace.cell, trace.layers, trace.units)
        if st.button(tr("Let go: {words}", words=words), key=f"clamp_let_go_{k}", icon=":material/close:"):
            st.session_state[KEPT] = kept[:k] + kept[k + 1 :]
            st.rerun()
    if (
        current is not None
        and len(kept) + 1 < MOST_CLAMPS
        and st.button(tr("Keep this, and hold another as well"), key="clamp_keep")
    ):
        st.session_state[KEPT] = (*(clamp for clamp in kept if clamp != current), current)
        st.rerun()
    st.session_state[KEPT] = kept
    return tuple(clamp for clamp in kept if clamp != current)


def _fits(clamp: lc.Clamp, trace: lc.Trace) -> bool:
    try:
        check([clamp], trace.cell, trace.layers, trace.units, trace.steps)
    except InputError:
        return False
    return True


# What comes of it


def _run(model: str, text: str, clamps: Clamps) -> tuple[lc.Trace, Effect]:
    return (_short if len(text) <= caches.SHORT_TEXT else _long)(model, text, clamps)


@caches.cached(8)
def _short(model: str, text: str, clamps: Clamps) -> tuple[lc.Trace, Effect]:
    after = lc.trace(caches.model(model), text, clamps=clamps)
    return after, effect(caches.read(model, text), after)


@caches.cached(1, N_("Reading the text again …"))
def _long(model: str, text: str, clamps: Clamps) -> tuple[lc.Trace, Effect]:
    return _short.__wrapped__(model, text, clamps)  # type: ignore[attr-defined]


@caches.cached(16)
def _certified(model: str, text: str, clamps: Clamps) -> lc.Certificate:
    return lc.certify(caches.model(model), _run(model, text, clamps)[0])


def _statement(trace: lc.Trace, after: lc.Trace, found: Effect) -> str:
    """What was held, and what that did to the loss and to the predictions."""
    lines = [f"**{_held(after.clamps, after)}:** {_losses(found)}."]
    if found.first is None:
        return tr("{lines} No prediction changes: the model expects the same at every character.", lines=lines[0])
    lines.append(
        tr("The first prediction to change is the one after character {plain}.", plain=plain(_character(trace, found.first)))
    )
    for step in found.most_changed(1):
        becomes = tr("more unlikely") if found.surprise[step] > 0 else "likelier"
        numbers = tr(
            "{surprise:.2f} → {surprise_2:.2f} nats of surprise", surprise=trace.surprise[step], surprise_2=after.surprise[step]
        )
        lines.append(
            tr(
                "Most changes for character {plain}, which becomes {becomes}: {numbers}.",
                plain=plain(_character(trace, step)),
                becomes=becomes,
                numbers=numbers,
            )
        )
    return " ".join(lines)


def _held(clamps: Clamps, trace: lc.Trace) -> str:
    if len(clamps) > 1:
        return "Held: " + "; ".join(plain(described(c, trace.cell, trace.layers, trace.units)) for c in clamps)
    (clamp,) = clamps
    layer = tr(" of layer {layer}", layer=numbering.layer(clamp.layer)) if trace.layers > 1 else ""
    what = tr(
        "the {title} of {units_in_words}{layer}",
        title=trace.cell[clamp.signal].title,
        units_in_words=units_in_words(clamp.units, trace.units),
        layer=layer,
    )
    return plain(
        tr(
            "Held at {number} {span_in_words}, {what}",
            number=number(clamp.value),
            span_in_words=span_in_words(clamp),
            what=what,
        )
    )


def _losses(found: Effect) -> str:
    if math.isnan(found.loss):
        return tr("one character has no loss")
    before, after, change = _adding_up(found.loss_before, found.loss_after)
    return tr("loss **{before} → {after}** nats a character ({change})", before=before, after=after, change=change)


def _adding_up(before: float, after: float) -> tuple[str, str, str]:
    """Two losses with decimals enough to tell them apart, and the difference of what is written."""
    decimals = next((d for d in range(3, 7) if abs(after - before) >= 2 * 10**-d), 3)
    change = rounded(after, decimals) - rounded(before, decimals)
    return fixed(before, decimals), fixed(after, decimals), signed(change, decimals)


def _pictures(trace: lc.Trace, after: lc.Trace, found: Effect, pin: Pin) -> None:
    """Both runs over the text, and their predictions side by side: after the pinned character, and where they part most."""
    st.plotly_chart(effect_lines(trace, after, found, pin["step"], theme()), config=PLOT, key="clamp_lines", theme=None)
    farthest = int(found.divergence.argmax())
    for place, step, title in zip(
        st.columns(2, gap="large"),
        dict.fromkeys([pin["step"], farthest]),
        (tr("After the pinned character"), tr("Where they part most")),
    ):
        figure = predictions(trace, after, step, theme(), title=title)
        place.plotly_chart(figure, config=PLOT, key=f"clamp_predictions_{title}", theme=None)


def _inside(chosen: Selection, trace: lc.Trace, clamps: Clamps, layer: int) -> None:
    """What the clamp changes in every gate and state, where a person asks for it."""
    if not st.toggle(tr("Show what changes inside, gate by gate"), key="clamp_inside", **_LASTING):
        return
    if trace.steps * trace.units * len(trace.signals) > MOST_DRAWN:
        st.caption(tr("The heatmaps of so long a text are too much for a browser: take a shorter one."))
        return
    if layer + 1 < trace.layers:
        above = range(layer, trace.layers)
        layer = st.segmented_control(
            tr("Layer"), above, default=layer, key=f"clamp_inside_layer_{layer}", required=True, format_func=_layer_number
        )
    figure = _difference(chosen.model, chosen.text, clamps, layer, theme())
    st.plotly_chart(figure, config=PLOT, key="clamp_difference", theme=None)


@caches.cached(2)
def _difference(model: str, text: str, clamps: Clamps, layer: int, theme: Theme) -> go.Figure:
    """Clamped minus unclamped."""
    return difference_heatmaps(_run(model, text, clamps)[0], caches.read(model, text), layer, theme=theme)


def _downloads(chosen: Selection, after: lc.Trace) -> None:
    st.download_button(
        tr("Numbers of the clamped run (NPZ)"),
        lambda: trace_file.to_npz(after),
        f"{chosen.model}-clamped.npz",
        key="clamp_npz",
        on_click="ignore",
    )


def _certificate(chosen: Selection, clamps: Clamps) -> None:
    """How far the clamped run is from float64, which takes a while for a long text: then it is asked for."""
    if len(chosen.text) > caches.SHORT_TEXT and not st.button(
        tr("Certify the clamped run (takes a while)"), key="clamp_certify"
    ):
        return
    certificate = _certified(chosen.model, chosen.text, clamps)
    line = tr(
        "max |h − h_ref| = {certificate.h_error:.1e} against {certificate.against}; every signal within"
        " {certificate.signal_error:.1e} of its equation, or of the value it is held at",
        certificate=certificate,
    )
    if certificate.holds:
        st.caption(tr("✓ The clamped run is certified: {line}.", line=line))
    else:
        st.error(
            tr(
                "The clamped run is NOT what {certificate.against} computes: {line}. Do not trust it.",
                certificate=certificate,
                line=line,
            )
        )
