"""Training: a text through a model's life, from random to trained, and a model of one's own."""

from pages.common import caches, frame, reading  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from pages.common import training_bias, training_choice, training_here, training_life

frame.begin()
models, damaged = caches.models()
if not models:
    st.text("⚠ There is no model to read with: assets/models holds none that can be read.")
    st.stop()
lives, damaged_lives = training_life.shipped()
training_choice.start(tuple(lives), reading.start(models))
section = training_choice.choose_section()
link_place = reading.sidebar(models, with_model=False)
reading.complain((*damaged, *damaged_lives))

{"life": training_life.show, "bias": training_bias.show, "here": training_here.show}[section](lives)

reading.write_address(training_choice.current().query())
reading.link(link_place)
