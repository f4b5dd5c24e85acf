"""Training: a text through a model's life, from random to trained, and a model of one's own."""

from pages.common import caches, frame, reading  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from pages.common.training import bias, choice, here, life

frame.begin()
models, damaged = caches.models()
if not models:
    st.text("⚠ There is no model to read with: assets/models holds none that can be read.")
    st.stop()
lives, damaged_lives = life.shipped()
choice.start(tuple(lives), reading.start(models))
section = choice.choose_section()
link_place = reading.sidebar(models, with_model=False)
reading.complain((*damaged, *damaged_lives))

{"life": life.show, "bias": bias.show, "here": here.show}[section](lives)

reading.write_address(choice.current().query())
reading.link(link_place)
