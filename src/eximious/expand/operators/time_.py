"""Time intervals: ``1w2d3h4m5s``."""

from __future__ import annotations

from eximious.config.numbers import seconds, show_seconds
from eximious.errors import ConfigError, ExpandError
from eximious.expand.operator import operator


@operator("time_eval", is_clean=True)
def time_eval(text: str) -> str:
    """The interval in seconds."""
    try:
        return str(seconds(text))
    except (ConfigError, ValueError):
        raise ExpandError(f'string "{text}" is not an Exim time interval in "time_eval" operator') from None


@operator("time_interval", is_clean=True)
def time_interval(text: str) -> str:
    """Seconds as an interval."""
    if text and not (text.isdecimal() and text.isascii()):
        raise ExpandError(f'string "{text}" is not a positive number in "time_interval" operator')
    return show_seconds(int(text[:18] or "0"))
