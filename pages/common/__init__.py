"""What the pages share: the frame, the selection, the caches, the linked view."""

import os

# Set before torch is imported, also when a page is run without app.py (see app.py for the reason).
os.environ.setdefault("OMP_NUM_THREADS", "1")
