"""Message ids: 23 characters, ``SSSSSS-PPPPPPPPPPP-FFFF``, each part a number in base 62.

The parts are the second in which the message began to arrive, the process that received it, and the fraction of that
second: microseconds, or, where `localhost_number` tells the hosts of a cluster apart, units of 2 microseconds plus
500,000 times that number. Exim specification, "Message identification". Ids of Exim before 4.97 are 16 characters
long (``SSSSSS-PPPPPP-FF``) and are still read.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Final

DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH: Final = 23

_ID: Final = re.compile(r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{11}-[0-9A-Za-z]{4}|[0-9A-Za-z]{6}-[0-9A-Za-z]{2})")
_VALUES: Final = {digit: value for value, digit in enumerate(DIGITS)}
_PAIRS: Final = [high + low for high in DIGITS for low in DIGITS]
_PAIR: Final = len(_PAIRS)
_MICROSECONDS: Final = 1_000_000


def is_message_id(text: str) -> bool:
    """True for the form of an id, of 23 or of 16 characters. Safe to build a file name from."""
    return _ID.fullmatch(text) is not None


def base62(number: int, width: int) -> str:
    """The number in base 62, padded with zeros on the left; never cut. ValueError for a negative number."""
    if number < 0:
        raise ValueError(f"{number} is negative")
    digits = ""
    while number or len(digits) < width:
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits


def from_base62(text: str) -> int:
    """The number that the digits stand for. ValueError if one is not a digit of base 62."""
    number = 0
    for digit in text:
        if digit not in _VALUES:
            raise ValueError(f'"{digit}" is not a base-62 digit')
        number = number * 62 + _VALUES[digit]
    return number


def received_seconds(message_id: str) -> int:
    """When the message began to arrive, in seconds of UNIX time, as its id says."""
    return from_base62(message_id[:6])


class MessageIds:
    """Hands out ids of one process: each is unique, and later ones are greater."""

    __slots__ = ("_clock", "_last", "_last_second", "_middle", "_offset", "_pid", "_seconds", "_unit")

    def __init__(
        self, localhost_number: int | None = None, clock: Callable[[], int] = time.time_ns, pid: int | None = None
    ) -> None:
        self._clock = clock  # UNIX time in nanoseconds
        self._unit = 1 if localhost_number is None else 2  # microseconds in one step of the last part
        self._offset = 0 if localhost_number is None else localhost_number * 500_000
        self._pid = pid
        self._last = 0  # steps since the epoch, of the last id
        self._last_second = -1
        self._seconds = ""
        self._middle = "" if pid is None else f"-{base62(pid, 11)}-"

    def new(self) -> str:
        """The next id, from the present time."""
        step = self._clock() // (1000 * self._unit)
        # Exim waits for the clock to tick; one step more keeps the promise too, even if the clock was set back.
        step = max(step, self._last + 1)
        self._last = step
        second, fraction = divmod(step, _MICROSECONDS // self._unit)
        if second != self._last_second:
            self._last_second = second
            self._seconds = base62(second, 6)
        high, low = divmod(fraction + self._offset, _PAIR)
        return f"{self._seconds}{self._middle}{_PAIRS[high]}{_PAIRS[low]}"

    def of_this_process(self) -> MessageIds:
        """These ids, with the process id of the caller: a forked process begins anew."""
        pid = os.getpid()
        if pid != self._pid:
            self._pid = pid
            self._middle = f"-{base62(pid, 11)}-"
        return self


_ids: dict[int | None, MessageIds] = {}


def new_id(localhost_number: int | None = None) -> str:
    """A new message id, unique on this host (and in the cluster whose hosts have different numbers).

    `localhost_number` is 0 to 16, or None where it is not set.
    """
    ids = _ids.get(localhost_number)
    if ids is None:
        ids = _ids[localhost_number] = MessageIds(localhost_number)
    return ids.of_this_process().new()
