"""Long range: the problem of long-term dependencies, seen in gradients, in gates, and on a task whose gap is a dial."""

from pages.common import caches, frame, reading  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from pages.common.long_range import choice, clipping, dial, gradient, memory, rerun

frame.begin()
models, damaged = caches.models()
if not models:
    st.text("⚠ There is no model to read with: assets/models holds none that can be read.")
    st.stop()
choice.start(models, reading.start(models))
section = choice.choose_section()
link_place = reading.sidebar(models, with_model=False)
reading.complain(damaged)

{
    "gradient": gradient.show,
    "memory": memory.show,
    "dial": dial.show,
    "clipping": clipping.show,
}[section](models)

reading.write_address(choice.current().query())
reading.link(link_place)
if section == "dial":  # last, for it goes on as long as the person lets it
    rerun.show()
