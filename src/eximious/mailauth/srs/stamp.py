"""The timestamp of SRS addresses: two base32 digits that count days, and begin again every 1024 days."""

from __future__ import annotations

from typing import Final

DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SECONDS_PER_DAY: Final = 86_400
CYCLE: Final = 1024  # days


def stamp(now: float) -> str:
    """The stamp of the day that the UNIX time `now` is in."""
    day = int(now // SECONDS_PER_DAY) % CYCLE
    return DIGITS[day >> 5] + DIGITS[day & 31]


def age(text: str, now: float) -> int | None:
    """How many days ago the stamp was made, in 0 to 1023; None if it is no stamp."""
    if len(text) != 2:
        return None
    high, low = (DIGITS.find(digit) for digit in text.upper())
    if high < 0 or low < 0:
        return None
    return (int(now // SECONDS_PER_DAY) - (high << 5 | low)) % CYCLE
