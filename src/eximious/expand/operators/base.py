"""Numbers in other bases."""

from __future__ import annotations

import re
from typing import Final

from eximious.errors import ExpandError
from eximious.expand.numbers import wrapped
from eximious.expand.operator import operator

DIGITS_62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS_32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_MASK: Final = (1 << 64) - 1
_DECIMAL = re.compile(r"(?:[ \t\n\r\f\v]*([+-]?)(?=[0-9]))?([0-9]*)\Z")


def _decimal(text: str, name: str) -> int:
    found = _DECIMAL.match(text)
    if found is None:
        raise ExpandError(f'argument for {name} operator is "{text}", which is not a decimal number')
    number = min(int(found[2][:400] or "0"), _MASK)
    return -number & _MASK if found[1] == "-" else number


@operator("base62", is_clean=True)
def base62(text: str) -> str:
    """Six digits of base 62, the last six if there are more."""
    number = _decimal(text, "base62")
    digits = []
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits.append(DIGITS_62[digit])
    return "".join(reversed(digits))


@operator("base62d", is_clean=True)
def base62d(text: str) -> str:
    """The decimal number."""
    return str(wrapped(_from(text, DIGITS_62, "base62d", "base 62")))


@operator("base32", is_clean=True)
def base32(text: str) -> str:
    """Digits of base 32 (``a`` to ``z``, ``2`` to ``7``); none for zero."""
    number = _decimal(text, "base32")
    digits = []
    while number:
        number, digit = divmod(number, 32)
        digits.append(DIGITS_32[digit])
    return "".join(reversed(digits))


@operator("base32d", is_clean=True)
def base32d(text: str) -> str:
    """The decimal number."""
    return str(wrapped(_from(text, DIGITS_32, "base32d", "base 32")))


def _from(text: str, digits: str, name: str, base: str) -> int:
    number = 0
    for character in text:
        digit = digits.find(character)
        if digit < 0:
            raise ExpandError(f'argument for {name} operator is "{text}", which is not a {base} number')
        number = (number * len(digits) + digit) & _MASK
    return number
