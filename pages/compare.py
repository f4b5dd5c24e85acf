"""Compare: several models on one text, two texts through one model, and what each cell costs."""

from pages.common import caches, frame, reading  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from pages.common import compare_choice, compare_family, compare_models, compare_texts

frame.begin()
models, damaged = caches.models()
if len(models) < compare_choice.FEWEST:
    st.text("⚠ There are not two models to compare: assets/models holds fewer that can be read.")
    st.stop()
compare_choice.start(models, reading.start(models))
view = compare_choice.choose_view()
link_place = reading.sidebar(models, with_model=view == "texts")
reading.complain(damaged)

{"models": compare_models.show, "texts": compare_texts.show, "family": compare_family.show}[view](models)

reading.write_address(compare_choice.current().query())
reading.link(link_place)
