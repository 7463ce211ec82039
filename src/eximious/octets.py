"""Letters as the C locale knows them, in text with one character an octet: only A to Z have a case."""

from __future__ import annotations

from typing import Final

SPACE: Final = " \t\n\r\f\v"  # what is white space; `str.strip` without it would also take octets above 127

_LOWER: Final = {upper: upper + 32 for upper in range(65, 91)}
_UPPER: Final = {lower: lower - 32 for lower in range(97, 123)}


def lower(text: str) -> str:
    """The text with A to Z in lower case; other octets as they are."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def upper(text: str) -> str:
    """The text with a to z in upper case; other octets as they are."""
    return text.upper() if text.isascii() else text.translate(_UPPER)
