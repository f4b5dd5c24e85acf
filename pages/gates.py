"""Gates, the landing page: type, and see every gate of a trained network at every character."""

from pages.common import caches, frame, reading, selection  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from lstm_core.analysis.first_look import first_look
from pages.common import detail
from pages.common.gates.view import checked_look, gates_view

frame.begin()
models, damaged = caches.models()
if not models:
    st.text("⚠ There is no model to read with: assets/models holds none that can be read.")
    st.stop()
arrived = reading.start(models)
link_place = reading.sidebar(models)
reading.complain(damaged)

chosen = selection.current()
trace = caches.read(chosen.model, chosen.text)
layers = range(trace.layers) if chosen.layer == selection.ALL_LAYERS else (chosen.layer - 1,)

word = trace.vocabulary.reads.removesuffix("s")
st.caption(
    f"A trained {trace.cell.title} reads the text one {word} at a time. Each column is one {word}, each row one of"
    f" its {trace.units} units. Read a column downwards and it is the cell's equation; point anywhere for the numbers."
)
step, unit = first_look(trace, layers[0])
pin = {"step": step, "unit": unit, "layer": layers[0]}
wanted = {"step": chosen.step, "unit": chosen.unit, "layer": None if chosen.pinned_layer is None else chosen.pinned_layer - 1}
pin |= {name: value for name, value in wanted.items() if value is not None}
look = checked_look(st.query_params.to_dict()) if arrived else None
view = gates_view(trace, layers, key="gates", pin=pin, look=look)
pin = view.pin or pin
selection.change(step=pin["step"], unit=pin["unit"], pinned_layer=pin["layer"] + 1)
reading.write_address(view.look)
reading.link(link_place)

certificate = st.container()  # its place is above, but a long text's certificate takes longer than all the rest
detail.pinned(chosen, trace, pin)
detail.drawing(trace)
detail.take_away(chosen, trace, pin["layer"])
with certificate:
    detail.quiet_line(chosen, trace)
