"""What ``-d`` shows: a line for each step that policy takes, of the categories that were asked for.

A context's `trace` is None when nobody looks, so that nothing is paid for it; else it is one of these, with a method
for each category: ``context.trace.acl("...")``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection

from eximious.exim.debug import CATEGORIES


class Trace:
    """Writes lines of the chosen categories."""

    def __init__(self, chosen: Collection[str], write: Callable[[str], object] | None = None) -> None:
        self._write = write or _to_stderr
        self._with_time = "timestamp" in chosen
        self._with_pid = "pid" in chosen
        for category in CATEGORIES:
            setattr(self, category, self.show if category in chosen else _nothing)

    def __getattr__(self, category: str) -> Callable[[str], None]:
        """The method of a category that `debug` does not know: it shows nothing."""
        return _nothing

    def show(self, text: str) -> None:
        """Write a line, whatever its category."""
        stamp = time.strftime("%H:%M:%S ") if self._with_time else ""
        pid = f"{os.getpid():5d} " if self._with_pid else ""
        self._write(f"{stamp}{pid}{text}\n")


def _nothing(text: str) -> None:
    """For categories that nobody asked for."""


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
