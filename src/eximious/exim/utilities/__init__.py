"""The utilities that come with Exim: one module for each, of its name.

Each has ``main(arguments) -> status`` and a ``console`` that the installed script calls. (Exim specification, chapter
"Exim utilities".)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn


def run(main: Callable[[list[str]], int]) -> NoReturn:
    """Call a utility with the words of the command line, octet for octet, and end with its status."""
    arguments = [os.fsencode(word).decode("latin-1") for word in sys.argv[1:]]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="latin-1", errors="replace")  # type: ignore[union-attr]
    try:
        status = main(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        status = 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def complain(text: str, status: int = 1) -> int:
    """Write a line to standard error; gives the status to end with."""
    sys.stderr.write(text + "\n")
    return status
