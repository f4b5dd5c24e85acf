"""What is arranged once for a server: seen in a process of its own, for it changes the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import gc, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (200, min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
from pages.common import process
process.arrange()
held = gc.get_freeze_count()
process.arrange()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], held > 10_000, gc.get_freeze_count() == held)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of descriptors to raise")
def test_what_is_loaded_is_kept_and_descriptors_are_allowed_once() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["1000", "True", "True"]
