"""What goes wrong by what a person gave. Anything else that is raised is a bug, and is shown as one."""

from __future__ import annotations


class InputError(ValueError):
    """What a person gave can't be used: one sentence that names it, and says what would work."""
