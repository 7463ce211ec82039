"""Times on the command line."""

from __future__ import annotations

from eximious.config import numbers
from eximious.exim.command_line import CommandLineError


def seconds(text: str, shown: str = "") -> int:
    """A time such as ``1h30m`` in seconds; `shown` is what the complaint names."""
    try:
        return numbers.seconds(text)
    except ValueError:
        raise CommandLineError(f"exim: bad time value {shown or text}: abandoned") from None
