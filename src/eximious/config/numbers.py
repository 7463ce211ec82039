"""Numbers and times as configurations write them, and as ``-bP`` prints them.

Exim specification, "Integer values" to "Time intervals". All functions raise ValueError with Exim's words, without the
option's name.
"""

from __future__ import annotations

import re
from typing import Final

INT_MAX: Final = 2**31 - 1
INT64_MAX: Final = 2**63 - 1
_INTEGER: Final = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))([KkMmGgTt]?)")
_FACTORS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_TIME: Final = re.compile(r"(?:[0-9]+[wdhms])+")
_TIME_PART: Final = re.compile(r"([0-9]+)([wdhms])")
_SECONDS: Final = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_FIXED: Final = re.compile(r"([0-9]+)(?:\.([0-9]{0,3})[0-9]*)?")


def integer(text: str, limit: int = INT_MAX) -> int:
    """A number in decimal, octal (leading 0) or hexadecimal (0x), with K, M or G for powers of 1024."""
    found = _INTEGER.match(text)
    if found is None:
        raise ValueError("integer expected for")
    sign, hexadecimal, octal, decimal, unit = found.groups()
    digits = hexadecimal or octal or decimal
    if len(digits) > 40:
        raise ValueError(f'absolute value of integer "{text}" is too large (overflow)')
    value = int(digits, 16 if hexadecimal else 8 if octal else 10) * _FACTORS[unit.lower()]
    if value > limit:
        raise ValueError(f'absolute value of integer "{text}" is too large (overflow)')
    if found.end() != len(text):
        raise ValueError("extra characters follow integer value for")
    return -value if sign == "-" else value


def kilobytes(text: str) -> int:
    """A number of kilobytes, or with K, M or G of bytes; the value is bytes."""
    value = integer(text, INT64_MAX)
    return value if text[-1:].lower() in ("k", "m", "g", "t") else value * 1024


def octal(text: str) -> int:
    """A number in octal."""
    found = re.match("[0-7]+", text)
    if found is None or found.end() > 30:
        raise ValueError("octal integer expected for")
    if found.end() != len(text):
        raise ValueError("extra characters follow octal integer value for")
    return int(text, 8)


def fixed(text: str) -> float:
    """A decimal number of which three places count."""
    found = _FIXED.match(text)
    if found is None:
        raise ValueError("fixed-point number expected for")
    if found.end() != len(text):
        raise ValueError("extra characters follow fixed-point value for")
    whole = int(found[1][:12])
    if whole > INT_MAX // 1000:
        raise ValueError(f'integer "{text}" is too large (overflow)')
    return whole + int((found[2] or "").ljust(3, "0")) / 1000


def seconds(text: str) -> int:
    """A time such as ``1h30m``, in seconds."""
    if _TIME.fullmatch(text) is None:
        raise ValueError("invalid time value for")
    value = sum(int(number[:15]) * _SECONDS[unit] for number, unit in _TIME_PART.findall(text))
    if value > INT_MAX:
        raise ValueError("invalid time value for")
    return value


def show_size(value: int) -> str:
    """Bytes as Exim prints them: in K or M where they are a multiple."""
    if value and value % 1024**2 == 0:
        return f"{value >> 20}M"
    if value and value % 1024 == 0:
        return f"{value >> 10}K"
    return str(value)


def show_kilobytes(value: int) -> str:
    """Bytes in K, M or G."""
    if value <= 0:
        return "0" if value == 0 else str(value)
    if value % 1024**3 == 0:
        return f"{value >> 30}G"
    if value % 1024**2 == 0:
        return f"{value >> 20}M"
    return f"{value >> 10}K"


def show_octal(value: int) -> str:
    """With a leading zero."""
    return f"0{value:o}" if value else "0"


def show_fixed(value: float) -> str:
    """At least one decimal place, at most three."""
    text = f"{value:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def show_seconds(value: float) -> str:
    """In weeks, days, hours, minutes and seconds: ``1w2d3h4m5s``; ``0s`` for nothing."""
    rest = int(value)
    if rest <= 0:
        return "0s" if rest == 0 else f"{rest}s"
    parts = []
    for unit, length in _SECONDS.items():
        number, rest = divmod(rest, length)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts)
