"""The command line: `python -m lstm_core --help`, or `gatescope --help` where the package is installed."""

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

MODULE = "python -m lstm_core"


def gatescope() -> int:
    """The command `gatescope`: as `main`, and without arguments it opens the app."""
    return main(sys.argv[1:] or ["app"], "gatescope")


def main(argv: Sequence[str] | None = None, program: str = MODULE) -> int:
    """Runs one command. argv: what follows the program's name, or None for this process' own. program: its name in the help.

    Returns the exit code: 0 fine, 1 an error named on stderr, 2 wrong usage (argparse leaves by SystemExit), 130 Ctrl-C.
    Any other error is a bug, and raised.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # models write any Unicode; a terminal may claim to know ASCII alone
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv, program)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output closed it early, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(argv: Sequence[str], program: str) -> int:
    arguments = _parser(argv, program).parse_args(argv)
    try:
        set_threads(arguments)
        return command_line.module(arguments.command).run(arguments)
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


def _parser(argv: Sequence[str], program: str) -> argparse.ArgumentParser:
    """Of the commands only the one that is called is imported: the list of all of them needs no torch."""
    top = argparse.ArgumentParser(
        program,
        description="Trains recurrent character models, judges them, writes text with them, and records every gate.",
        epilog="Each command explains itself: %(prog)s train --help. Results go to standard output, progress"
        " and errors to standard error. The exit code is 0 when all went well, 1 after an error, 2 for a command that"
        " can't be understood, and 130 after Ctrl-C.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    called = next((word for word in argv if not word.startswith("-")), None)
    for name in command_line.names():
        if name == called:
            command_line.module(name).add(commands)
        else:
            commands.add_parser(name, help=command_line.line(name))
    return top


if __name__ == "__main__":
    sys.exit(main())
