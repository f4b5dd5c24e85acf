"""What goes wrong by what a person gave. Anything else that is raised is a bug, and is shown as one."""

from __future__ import annotations


class InputError(ValueError):
    """What a person gave can't be used: one sentence that names it, and says what would work."""

    @property
    def sentence(self) -> str:
        """The message with a capital letter and a full stop, to stand by itself."""
        message = str(self)
        return f"{message[:1].upper()}{message[1:]}" + ("" if message.endswith((".", "!", "?")) else ".")


class FileError(InputError, OSError):
    """A file can't be written where it was asked for."""


class DivergenceError(InputError, FloatingPointError):
    """A training with these settings diverges: its loss is not a finite number any more."""


class DrawingError(InputError, RuntimeError):
    """A picture of that format can't be drawn here: a package or a browser is missing."""
