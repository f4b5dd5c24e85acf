"""Gates, the landing page: type, and see every gate of a trained network at every character."""

from pages.common import caches, detail, frame, selection  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from lstm_core.analysis.first_look import first_look
from lstm_core.words import tr
from pages.common.gates import stage
from pages.common.gates.view import gates_view

is_new = selection.KEY not in st.session_state
stage.hear()
page = frame.begin(stage=stage.fits)
chosen = selection.current()
trace = caches.read(chosen.model, chosen.text)

word = trace.vocabulary.reads.removesuffix("s")
st.caption(
    tr(
        "A trained {trace.cell.title} reads the text. Each column is one {word}, each row one of its {trace.units} units;"
        " downwards, a column is the cell’s equation.",
        trace=trace,
        word=word,
    )
)
if stage.fits(caches.model(chosen.model)):
    origin: stage.Origin = "link" if page.query and "text" in page.query else "default" if is_new else "session"
    page.end(stage.stage_view(page.models, origin, page.query))
else:  # too large for a browser: the server reads
    layers = chosen.layers(trace.layers)
    pin = chosen.pinned(*first_look(trace, layers[0]), layers[0])
    view = gates_view(trace, layers, key="read here", pin=pin, query=page.query)
    pin = view.pin or pin
    selection.change(step=pin["step"], unit=pin["unit"], pinned_layer=pin["layer"])
    page.end(view.options)

certificate = st.container()  # its place is above, but a long text's certificate takes longer than all the rest
detail.drawing(trace)
detail.take_away(selection.current(), trace)
with certificate:
    detail.certificate_line(chosen, trace)
