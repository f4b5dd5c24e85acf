"""Long range: the problem of long-term dependencies, seen in gradients, in gates, and on a task whose gap is a dial."""

from pages.common import caches, frame, reading  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from pages.common import (
    long_range_choice,
    long_range_clipping,
    long_range_dial,
    long_range_gradient,
    long_range_memory,
    long_range_rerun,
)

frame.begin()
models, damaged = caches.models()
if not models:
    st.text("⚠ There is no model to read with: assets/models holds none that can be read.")
    st.stop()
long_range_choice.start(models, reading.start(models))
section = long_range_choice.choose_section()
link_place = reading.sidebar(models, with_model=False)
reading.complain(damaged)

{
    "gradient": long_range_gradient.show,
    "memory": long_range_memory.show,
    "dial": long_range_dial.show,
    "clipping": long_range_clipping.show,
}[section](models)

reading.write_address(long_range_choice.current().query())
reading.link(link_place)
if section == "dial":  # last, for it goes on as long as the person lets it
    long_range_rerun.show()
