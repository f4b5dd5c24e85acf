"""Models: what is shipped and how good it is, and bring your own."""

from pages.common import address, caches, frame  # first: sets the threads before torch is there

# isort: split
import streamlit as st

from lstm_core.words import tr
from pages.common.models import bring
from pages.common.models import listing as models_list

frame.enter()
models, damaged = caches.models()
address.show_warnings(damaged)
st.caption(
    tr(
        "The trained networks that every page can show: what each is made of, what it read, how well it predicts, and"
        " how to make it again. Below, bring one of your own."
    )
)
if models:
    models_list.show(models)
else:
    st.text(tr("⚠ No model is shipped with this copy: assets/models holds none that can be read."))
st.divider()
bring.show()
