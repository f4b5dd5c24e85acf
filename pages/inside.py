"""Inside: the drawing of the cell, alive with the numbers of a trained model."""

from pages.common import caches, frame, reading, selection  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from lstm_core.analysis.first_look import first_look
from lstm_core.walk import walk
from pages.common import detail
from pages.common.inside import clamp_panel, lessons_panel, questions
from pages.common.inside.view import checked_look, inside_view

frame.begin()
models, damaged = caches.models()
if not models:
    st.text("⚠ There is no model to read with: assets/models holds none that can be read.")
    st.stop()
arrived = reading.start(models)
link_place = reading.sidebar(models)
reading.complain(damaged)
asked = st.query_params.to_dict() if arrived else {}
lesson = lessons_panel.panel(models, arrived, asked)

chosen = selection.current()
trace, model = caches.read(chosen.model, chosen.text), caches.model(chosen.model)
layer = (chosen.pinned_layer or 1) - 1 if chosen.layer == selection.ALL_LAYERS else chosen.layer - 1

st.caption(
    f"The drawing of the essay, alive: each line carries the {trace.units} numbers that a trained {trace.cell.title} really"
    " computed for this text, one coloured cell a unit. Pick a unit, and each line becomes one number."
)
step, unit = first_look(trace, layer)
pin = {
    "step": step if chosen.step is None else chosen.step,
    "unit": unit if chosen.unit is None else chosen.unit,
    "layer": layer,
}
look = checked_look(asked) if arrived else None
view = inside_view(trace, model, layer, key="inside", pin=pin, look=look, walk=walk(trace.cell))
pin = view.pin or pin
selection.change(step=pin["step"], unit=pin["unit"], pinned_layer=pin["layer"] + 1)
detail.quiet_line(chosen, trace)

MORE = {"questions": "What readers ask", "clamp": "Hold a gate, and see what it changes"}
if arrived:
    st.session_state["more"] = "clamp" if clamp_panel.PARAMETER in asked else "questions"
st.session_state.setdefault("more", "questions")
shown = st.segmented_control("More", list(MORE), format_func=lambda name: MORE[name], key="more", label_visibility="collapsed")
more: dict[str, str] = {}
if shown == "questions":
    more = questions.panel(chosen, trace, pin, asked.get(questions.KEY))
elif shown == "clamp":
    more = clamp_panel.panel(chosen, trace, pin, asked)
reading.write_address({**view.look, **lesson, **more})
reading.link(link_place)
