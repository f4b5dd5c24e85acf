"""What is arranged once for a server: seen in a process of its own, for it changes the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import gc, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (200, min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
from pages.common import detail, frame, process
from pages.common.gates import view
early = "torch" in sys.modules
loading = process.arrange()
loading.join()
held = gc.get_freeze_count()
again = process.arrange()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], early, "torch" in sys.modules, held > 100_000)
print(again is loading, gc.get_freeze_count() == held)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of descriptors to raise")
def test_torch_is_loaded_behind_the_first_page_and_kept_and_descriptors_are_allowed_once() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["1000", "False", "True", "True", "True", "True"]
