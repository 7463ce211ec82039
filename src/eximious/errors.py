"""The exceptions of the program, and the places in configuration files that they point to.

Absent is a value (`None`); "later" is `Defer`; the postmaster's mistake is `ConfigError`; a string that cannot be
expanded is `ExpandError`, or `ForcedFail` where the configuration asked for the failure.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class EximiousError(Exception):
    """Base of all exceptions that the program raises on purpose; `str()` is meant for a person."""


class Place:
    """A position in a configuration file: `line` and `column` count from 1; `text` is the whole (physical) line."""

    __slots__ = ("column", "file", "line", "text")

    def __init__(self, file: str, line: int, column: int = 1, text: str = "") -> None:
        self.file = file
        self.line = line
        self.column = column
        self.text = text

    def at(self, offset: int) -> Place:
        """The place `offset` characters further on, in a value that begins here."""
        return Place(self.file, self.line, self.column + offset, self.text)

    @property
    def last_line(self) -> int:
        """The last physical line of what stands here, which may be continued over several lines."""
        return self.line

    def __repr__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class ConfigError(EximiousError):
    """Something in a configuration that cannot be accepted: what, where, and what would be right."""

    def __init__(self, message: str, place: Place | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.place is None else f"{self.place}: {self.message}"


class Note(ConfigError):
    """Something in a configuration that does no harm, but is not what was meant."""


class OldName(Note):
    """A name that still works, for which there is a newer one."""


class ConfigErrors(ConfigError):
    """Every fault of a configuration at once, in the order in which they were found; never empty."""

    def __init__(self, faults: list[ConfigError]) -> None:
        first = faults[0]
        super().__init__(first.message, first.place, first.hint)
        self.faults = faults
        self.config: Any = None  # the Configuration as far as it could be read: its options say where the logs are


class ExpandError(EximiousError):
    """A string could not be expanded; the message is the one that Exim gives."""


class ForcedFail(ExpandError):
    """The configuration itself asked for the expansion to fail (the word ``fail`` in ``${if`` or ``${lookup``).

    Many options take this as "as if unset".
    """


class Defer(EximiousError):
    """Cannot be answered now: try again later (a lookup's server is down, a DNS query timed out)."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean X?`` for the nearest known name, or an empty string if none is near."""
    near = nearest(name, known)
    return f"did you mean {near}?" if near else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` is most like; "" if it is like none. Where several are, one that begins alike."""
    near = difflib.get_close_matches(name, list(known), n=8, cutoff=0.6)
    if not near:
        return ""

    def likeness(candidate: str) -> float:
        alike = difflib.SequenceMatcher(a=candidate, b=name).ratio()
        begins_alike = sum(1 for end in range(1, 5) if candidate[:end] == name[:end])
        return alike + 0.05 * begins_alike - 0.02 * abs(len(candidate) - len(name))

    return max(near, key=likeness)
