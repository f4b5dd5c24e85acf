"""The command line: `python -m lstm_core --help`."""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lstm_core import command_line
from lstm_core.command_line._common import UsageError, set_threads
from lstm_core.errors import InputError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. argv: what follows `python -m lstm_core`, or None for this process' own.

    Returns the exit code: 0 fine, 1 an error named on stderr, 2 wrong usage (argparse leaves by SystemExit), 130 Ctrl-C.
    Any other error is a bug, and raised.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # models write any Unicode; a terminal may claim to know ASCII alone
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output closed it early, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(argv: Sequence[str] | None) -> int:
    arguments = parser().parse_args(argv)
    try:
        set_threads(arguments)
        return command_line.modules()[arguments.command].run(arguments)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise
    except InputError as error:
        print(f"Error: {str(error).rstrip('.')}.", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        if not _is_of(arguments, error):
            raise
        names = [os.fsdecode(name) for name in (error.filename, error.filename2) if name is not None]
        print(f"Error: {': '.join([*names, error.strerror or str(error)])}.", file=sys.stderr)
        return 1


def _is_of(arguments: argparse.Namespace, error: OSError) -> bool:
    """Whether an error is of a file that the person named, of one beside it (.part, .resume), or of a full disk.

    Without --output a file goes into the current folder.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    if not isinstance(error.filename, (str, bytes)):
        return False
    found = Path(os.fsdecode(error.filename)).absolute()
    given = [each for value in vars(arguments).values() for each in (value if isinstance(value, list) else [value])]
    named = [Path(each).absolute() for each in given if isinstance(each, (str, Path))]
    folders = {Path.cwd(), *named, *(path.parent for path in named)}
    return found in named or found.parent in folders


def parser() -> argparse.ArgumentParser:
    """The whole command line, as argparse knows it."""
    top = argparse.ArgumentParser(
        "python -m lstm_core",
        description="Trains recurrent character models, judges them, writes text with them, and records every gate.",
        epilog="Each command explains itself: python -m lstm_core train --help. Results go to standard output, progress"
        " and errors to standard error. The exit code is 0 when all went well, 1 after an error, 2 for a command that"
        " can't be understood, and 130 after Ctrl-C.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in command_line.modules().values():
        module.add(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
