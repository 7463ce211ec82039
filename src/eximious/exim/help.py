"""What the program says of itself when it is called without anything to do, and for ``--help``."""

from __future__ import annotations

import sys

from eximious.exim.command_line import EXIT_FAILURE, EXIT_SUCCESS, CommandLine

TEXT = (
    "Exim is a Mail Transfer Agent. It is normally called by Mail User Agents,\n"
    "not directly from a shell command line. Options and/or arguments control\n"
    "what it does when called. For a list of options, see the Exim documentation.\n"
)


def run(line: CommandLine) -> int:
    """To standard output when asked for, else to standard error."""
    if line.asks("help"):
        sys.stdout.write(TEXT)
        return EXIT_SUCCESS
    sys.stderr.write(TEXT)
    return EXIT_FAILURE
