"""Inside: the drawing of the cell, alive with the numbers of a trained model."""

from pages.common import caches, detail, frame, selection  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from lstm_core.analysis.first_look import first_look
from lstm_core.walk import walk
from lstm_core.words import N_, tr
from pages.common.inside import clamp_panel, lessons_panel, questions
from pages.common.inside.view import inside_view

page = frame.begin()
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
view = inside_view(trace, model, layer, key="inside", pin=pin, query=page.query, walk=walk(trace.cell))
pin = view.pin or pin
selection.change(step=pin["step"], unit=pin["unit"], pinned_layer=pin["layer"])
detail.certificate_line(chosen, trace)

PANELS = {"questions": questions.panel, "clamp": clamp_panel.panel}
TITLES = {"questions": N_("What readers ask"), "clamp": N_("Hold a gate, and see what it changes")}
if page.query is not None:
    st.session_state["more"] = "clamp" if clamp_panel.asked_for(page.query) else "questions"
st.session_state.setdefault("more", "questions")
panel = st.segmented_control(tr("More"), list(PANELS), format_func=TITLES.__getitem__, key="more", label_visibility="collapsed")
page.end(view.options, lesson, {} if panel is None else PANELS[panel](chosen, trace, pin, page.query))
