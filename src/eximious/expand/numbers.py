"""Integers in expanded text, as the comparison operators and several items read them."""

from __future__ import annotations

import re
from typing import Final

from eximious.errors import ExpandError

LARGEST: Final = 2**63 - 1
_INTEGER = re.compile(r"[ \t\n\r\f\v]*([+-]?[0-9]+)(.?)[ \t\n\r\f\v]*\Z", re.DOTALL)
_DIGITS = re.compile(r"[ \t\n\r\f\v]*[+-]?[0-9]")
_FACTORS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def integer(text: str) -> int:
    """The number in the text, which may end in K, M or G; empty text is zero. Raises ExpandError with Exim's words."""
    if text.isdecimal() and len(text) < 19 and text.isascii():
        return int(text)
    if not text:
        return 0
    found = _INTEGER.match(text)
    factor = None if found is None else _FACTORS.get(found[2].lower().strip())
    if found is None or factor is None:
        if not text.strip(" \t\n\r\f\v"):
            return 0
        if _DIGITS.match(text):
            raise ExpandError(f'invalid integer "{text}"')
        raise ExpandError(f'integer expected but "{text}" found')
    number = int(found[1]) * factor if len(found[1]) < 40 else LARGEST + 1
    if not -LARGEST - 1 <= number <= LARGEST:
        raise ExpandError(f'absolute value of integer "{text}" is too large (overflow)')
    return number


def not_negative(text: str) -> int:
    """The same for numbers that must not be negative."""
    number = integer(text)
    if number < 0:
        raise ExpandError(f'non-negative integer expected but "{text}" found')
    return number


def wrapped(number: int) -> int:
    """The number in 64 bits with a sign, as it would overflow there."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)
