"""The live part of the pages Gates and Inside: a text field, and the picture of what a model in the browser reads there.

assets/stage/stage.js runs the model and paints. The browser is sent the model's file, once, and, when the person pauses, what
torch computes of the same text, to compare. It reports what stands in the field and what is chosen; nothing on the screen
waits for the server.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import streamlit as st

import lstm_core as lc
from lstm_core import examples
from lstm_core.browser import live
from pages.common import caches, components, own_models, selection
from pages.common.display import Options, displayed
from pages.common.links import Field
from pages.common.selection import ALL_LAYERS, Selection

MEMORY = "stage"  # one for both pages: what is typed on one is shown on the other
JUDGED = 40_000  # numbers of torch's trace that are sent to be compared: 160 kB
MOST_WEIGHTS = 8_000_000  # numbers of a model that a browser is given: 32 MB

Kind = Literal["gates", "inside"]  # the picture, and the component's key
Origin = Literal["link", "default", "session"]


@dataclass(frozen=True)
class _Known:
    """What is known of the browser. session: a name of this session, so that a report to another is told apart. shown: what
    the browser shows. serial: of the last time that it was told to show something else, and origin: where that came from.
    problem: why its text isn't read. loaded: versions of the models that it has. report: the last one that was taken over:
    Streamlit gives it at every run, also when a button has chosen something else since."""

    session: str
    shown: Selection | None = None
    serial: int = 0
    origin: Origin = "default"
    problem: str = ""
    loaded: frozenset[str] = frozenset()
    report: Mapping[str, Any] = field(default_factory=dict)


def _known() -> _Known:
    if MEMORY not in st.session_state:
        st.session_state[MEMORY] = _Known(secrets.token_hex(8))
    return st.session_state[MEMORY]


def fits(model: str) -> bool:
    """Whether a listed model is small enough to run in a browser."""
    return caches.parameters(model) <= MOST_WEIGHTS


def hear(kind: Kind) -> None:
    """Takes over what the browser reports, if it is well formed and not outdated: before anything is drawn."""
    known, report = _known(), (st.session_state.get(kind) or {}).get("stage")
    if not isinstance(report, Mapping) or selection.KEY not in st.session_state:
        return
    if report == known.report or (report.get("session"), report.get("serial")) != (known.session, known.serial):
        return
    models, _ = caches.models()
    reported = _selection(report, models)
    if reported is None:
        return
    version = report.get("loaded")
    loaded = known.loaded | {version} if isinstance(version, str) and len(known.loaded) < 100 else known.loaded
    problem = ""
    try:
        caches.check(reported.model, reported.text)
    except lc.TextError as error:  # the last good picture stays, here as there
        problem, kept = str(error), selection.current()
        reported = replace(reported, model=kept.model, text=kept.text)
    if reported != known.shown:
        st.session_state[selection.KEY] = reported
    st.session_state[MEMORY] = replace(known, shown=reported, problem=problem, loaded=loaded, report=dict(report))


def _selection(report: Mapping[str, Any], models: Mapping[str, lc.ModelInfo]) -> Selection | None:
    """What a report says is chosen; None where it is not well formed."""
    model, text, layer = report.get("model"), report.get("text"), report.get("layer")
    if not isinstance(model, str) or model not in models or not isinstance(text, str):
        return None
    sizes = models[model].config
    if type(layer) is not int or not (0 <= layer < sizes["layers"] or layer == ALL_LAYERS):
        return None
    step, unit, pinned = (report.get(name) for name in ("step", "unit", "pinnedLayer"))
    if not isinstance(step, int) or not isinstance(unit, int) or not isinstance(pinned, int):
        return Selection(model, text, layer)
    within = 0 <= step < caches.steps(model, text) and 0 <= unit < sizes["units"] and 0 <= pinned < sizes["layers"]
    return Selection(model, text, layer, step, unit, pinned) if within else Selection(model, text, layer)


def stage_view(
    kind: Kind,
    models: Mapping[str, lc.ModelInfo],
    query: Mapping[str, str] | None,
    fields: Sequence[Field],
    *,
    is_new: bool,
    more: Mapping[str, Any] | None = None,
    asks_pins: bool = False,
    judged: bool = True,
) -> Options:
    """Shows the field and the picture, and returns how the picture is displayed.

    kind: heatmaps or the drawing. models: to choose from, by name. query: of a link that is not answered yet. fields: of a
    link that say how the picture is displayed. is_new: whether this is the session's first run. more: what else the picture
    is told. asks_pins: whether the rest of the page shows the unit that is pinned; else a pin is reported with the next
    message. judged: whether torch's trace is sent along; the browser asks for it again.
    """
    chosen, known = selection.current(), _known()
    if chosen != known.shown:
        known = replace(known, shown=chosen, serial=known.serial + 1, origin=_origin(query, is_new))
    st.session_state[MEMORY] = known
    display = displayed(kind, query, fields)
    own = own_models.get(chosen.model) is not None
    version, file = _packed(chosen.model)
    place: dict[str, Any] = {"version": version, "most": caches.longest(chosen.model) if own else None}
    if not own:
        place["file"] = components.serve_file(f"{chosen.model}-{version}.bin", file)
    head = {
        "kind": kind,
        "asksPins": asks_pins,
        "session": known.session,
        "serial": known.serial,
        "origin": known.origin,
        "problem": known.problem,
        "chosen": asdict(chosen),
        "models": [_choice(name, info) for name, info in models.items()],
        "texts": examples.texts(),
        "model": place,
        "view": display.view() | dict(more or {}),
    }
    data: dict[str, Any] = {"stage": head}
    if judged:
        data |= _judge(chosen.model, chosen.text, display.options.get("order") == "grouped")
    if own and version not in known.loaded:
        data["file"] = pa.table({"bytes": np.frombuffer(file, np.uint8)})
    components.mount("stage", key=kind, data=data, on_stage_change=lambda: hear(kind), on_look_change=_nothing)
    return display.options


def _origin(query: Mapping[str, str] | None, is_new: bool) -> Origin:
    """Where what is chosen comes from: a link's text outranks what the browser has kept of an earlier visit, a text that nobody
    chose doesn't."""
    if query is not None and "text" in query:
        return "link"
    return "default" if is_new else "session"


def _nothing() -> None:
    """Streamlit keeps a component's state only where a callback is named."""


def _choice(name: str, info: lc.ModelInfo) -> dict[str, Any]:
    return {"name": name, "layers": info.config["layers"], "text": examples.text_for(name)}


@caches.cached(16)
def _packed(name: str) -> tuple[str, bytes]:
    """The version of a model's file for the browser, and the file."""
    try:
        return live.packed(name, caches.described(name))
    except lc.CheckpointError:
        caches.look_again()
        raise


@caches.cached(16)
def _judge(name: str, text: str, grouped: bool) -> dict[str, Any]:
    """Torch's trace at some of its steps, its surprise at all of them, and, where it is wanted, the order of grouped units."""
    trace = caches.read(name, text)
    steps, values = live.judge(trace, JUDGED)
    orders = [live.grouped(trace, layer) for layer in range(trace.layers)] if grouped else None
    return {
        "judge": {"model": name, "text": text, "steps": steps, "grouped": orders},
        "surprise": pa.table({"surprise": trace.surprise}),
        **{f"judge_{signal}": pa.table({signal: array.reshape(-1)}) for signal, array in values.items()},
    }
