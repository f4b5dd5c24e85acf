"""Gates, the landing page: type, and see every gate of a trained network at every character."""

from pages.common import caches, detail, frame, process, selection, stage  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from lstm_core.analysis.first_look import first_look
from lstm_core.words import tr
from pages.common.gates.view import OPTIONS, gates_view

page = frame.begin(on_stage="gates")
chosen = selection.current()
model = caches.described(chosen.model)
st.caption(
    tr(
        "A trained {model.cell.title} reads the text. Each column is one {word}, each row one of its {model.units} units;"
        " downwards, a column is the cell’s equation.",
        model=model,
        word=model.vocabulary.reads.removesuffix("s"),
    )
)
has_torch = not page.is_new or process.has_torch()  # the first visitor sees the picture before torch is there
if page.has_stage:
    page.end(stage.stage_view("gates", page.models, page.query, OPTIONS, is_new=page.is_new, judged=has_torch))
else:  # too large for a browser: the server reads
    has_torch = True
    trace = caches.read(chosen.model, chosen.text)
    layers = chosen.layers(trace.layers)
    pin = chosen.pinned(*first_look(trace, layers[0]), layers[0])
    view = gates_view(trace, layers, key="read here", pin=pin, query=page.query)
    pin = view.pin or pin
    selection.change(step=pin["step"], unit=pin["unit"], pinned_layer=pin["layer"])
    page.end(view.options)

certificate = st.container()  # its place is above, but a long text's certificate takes longer than all the rest
detail.drawing(model)
opened = st.expander(tr("Zoom, compare, download"), key="take_away", on_change="rerun")
if opened.open:
    from pages.common.gates import take_away  # with Plotly, which nothing else on this page needs

    with opened:
        take_away.draw(selection.current())
with certificate:
    if has_torch:
        detail.certificate_line(chosen, caches.read(chosen.model, chosen.text))
