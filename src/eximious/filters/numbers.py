"""Numbers in filters."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(
    r"(?P<sign>[+-]?)(?:0x(?P<hex>[0-9a-f]{1,16})|0(?P<octal>[0-7]{0,21})|(?P<decimal>[1-9][0-9]{0,18}))", re.I
)


def integer(text: str) -> int | None:
    """A whole number of at most 64 bits, decimal, octal (``017``) or hexadecimal (``0x1f``); None for what is none."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    if match["hex"]:
        number = int(match["hex"], 16)
    elif match["decimal"]:
        number = int(match["decimal"])
    else:
        number = int(match["octal"] or "0", 8)
    return -number if match["sign"] == "-" else number
