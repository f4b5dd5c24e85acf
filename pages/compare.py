"""Compare: several models on one text, two texts through one model, and what each cell costs."""

from pages.common import caches, frame, reading  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from pages.common.compare import choice, family, texts
from pages.common.compare import models as compare_models
from pages.common.gates.view import checked_look
from pages.common.looks import Look

frame.begin()
models, damaged = caches.models()
if len(models) < choice.FEWEST:
    st.text("⚠ There are not two models to compare: assets/models holds fewer that can be read.")
    st.stop()
arrived = reading.start(models)
choice.start(models, arrived)
view = choice.choose_view()
link_place = reading.sidebar(models, with_model=view == "texts")
reading.complain(damaged)

asked = checked_look(st.query_params.to_dict()) if arrived else None
look: Look = {}
if view == "family":
    family.show(models)
else:
    look = {"models": compare_models.show, "texts": texts.show}[view](models, asked)

reading.write_address({**choice.current().query(), **look})
reading.link(link_place)
