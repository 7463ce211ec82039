"""Times as Exim writes them into logs: local time, with milliseconds and the zone where that is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable


class Timestamps:
    """Formats times, and remembers the last second, for most lines of a busy log share it."""

    __slots__ = ("_now", "_second", "_text", "_zone", "with_milliseconds", "with_zone")

    def __init__(self, now: Callable[[], float], with_milliseconds: bool = False, with_zone: bool = False) -> None:
        self._now = now
        self._second = -1
        self._text = ""
        self._zone = ""
        self.with_milliseconds = with_milliseconds
        self.with_zone = with_zone

    def now(self) -> str:
        """The present time: ``2026-11-24 22:35:50``, perhaps ``.794`` and `` +0100``."""
        moment = self._now()
        second = int(moment)
        if second != self._second:
            local = time.localtime(second)
            self._text = time.strftime("%Y-%m-%d %H:%M:%S", local)
            self._zone = f" {time.strftime('%z', local)}" if self.with_zone else ""
            self._second = second
        if self.with_milliseconds:
            return f"{self._text}.{int((moment - second) * 1000):03d}{self._zone}"
        return self._text + self._zone

    def date(self) -> str:
        """The present day, ``20261124``, for the names of datestamped files."""
        return time.strftime("%Y%m%d", time.localtime(self._now()))


def duration(seconds: float, with_milliseconds: bool) -> str:
    """A length of time in a log line: ``3m45s``; with milliseconds, and below a minute, ``0.304s``."""
    if with_milliseconds and seconds < 60:
        return f"{max(seconds, 0.0):.3f}s"
    left = max(int(seconds), 0)
    if left == 0:
        return "0s"
    text = ""
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            text += f"{count}{unit}"
    return text
