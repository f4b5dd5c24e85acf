"""Inside: the drawing of the cell, alive with the numbers of a trained model."""

from pages.common import caches, detail, frame, selection, stage  # first: sets the threads before torch is there

# isort: split
from dataclasses import asdict

import streamlit as st

from lstm_core.analysis.first_look import first_look
from lstm_core.walk import walk
from lstm_core.words import N_, tr
from pages.common.inside import clamp_panel, lessons_panel, questions
from pages.common.inside.view import OPTIONS, inside_view

page = frame.begin(on_stage="inside")
lesson = lessons_panel.panel(page.models, page.query)

chosen = selection.current()
trace, model, layer = caches.read(chosen.model, chosen.text), caches.model(chosen.model), chosen.one_layer
st.caption(
    tr(
        "The drawing of the essay, alive: each line carries the {trace.units} numbers that a trained"
        " {trace.cell.title} really computed for this text, one coloured cell a unit. Pick a unit, and each line"
        " becomes one number.",
        trace=trace,
    )
)
pin = {**chosen.pinned(*first_look(trace, layer), layer), "layer": layer}
steps = walk(trace.cell)
if page.has_stage:
    more = {"walk": [asdict(step) for step in steps]}
    options = stage.stage_view("inside", page.models, page.query, OPTIONS, is_new=page.is_new, more=more, asks_pins=True)
else:  # too large for a browser: the server reads
    view = inside_view(trace, model, layer, key="read here", pin=pin, query=page.query, walk=steps)
    pin, options = view.pin or pin, view.options
    selection.change(step=pin["step"], unit=pin["unit"], pinned_layer=pin["layer"])
detail.certificate_line(chosen, trace)

PANELS = {"questions": questions.panel, "clamp": clamp_panel.panel}
TITLES = {"questions": N_("What readers ask"), "clamp": N_("Hold a gate, and see what it changes")}
if page.query is not None:
    st.session_state["more"] = "clamp" if clamp_panel.asked_for(page.query) else "questions"
st.session_state.setdefault("more", "questions")
panel = st.segmented_control(tr("More"), list(PANELS), format_func=TITLES.__getitem__, key="more", label_visibility="collapsed")
page.end(options, lesson, {} if panel is None else PANELS[panel](chosen, trace, pin, page.query))
