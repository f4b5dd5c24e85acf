"""Gatescope: routes only. Run it with `streamlit run app.py`."""

import os

# On a Streamlit worker thread torch obeys nothing else, and two threads make a small recurrence slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pages.common import frame

frame.route()
