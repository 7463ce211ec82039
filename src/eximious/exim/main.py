"""The ``exim`` command: from its command line to the mode that does the work."""

from __future__ import annotations

import os
import sys

from eximious.exim import modes
from eximious.exim.command_line import EXIT_FAILURE, CommandLine, CommandLineError


def console() -> None:
    """Entry point of the ``exim`` script, and of the names by which it is also called."""
    arguments = [os.fsencode(word).decode("latin-1") for word in sys.argv]
    # Buffered, whatever PYTHONUNBUFFERED says: whoever has to see something at once flushes.
    sys.stdout.reconfigure(encoding="latin-1", errors="replace", write_through=False)  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="latin-1", errors="replace")  # type: ignore[union-attr]
    try:
        status = main(arguments)
    except BrokenPipeError:  # whoever read our output has seen enough
        os._exit(EXIT_FAILURE)
    leave(status)


def main(arguments: list[str]) -> int:
    """Run one command line, program name first; gives the exit status."""
    from eximious.exim.options import parse

    try:
        return run(parse(arguments))
    except CommandLineError as error:
        sys.stdout.flush()
        sys.stderr.write(f"{error}\n")
        return error.status


def run(line: CommandLine) -> int:
    """Do what the command line asks for. Raises CommandLineError."""
    from eximious.exim import combinations, start

    combinations.check(line)
    name = modes.mode_of(line)
    if name == "help":
        from eximious.exim import help

        return help.run(line)
    if name == "bI":
        from eximious.exim import bI

        return bI.run(line)
    if name == "bV":
        from eximious.exim import bV

        bV.print_version()
    invocation = start.prepare(line, name)
    status: int = start.module_of(name).run(invocation)
    return status


def leave(status: int) -> None:
    """End the process at once: buffers are written, but no module is taken apart."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or 1
    os._exit(status)
