"""Reading what ``exim -bp`` writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

FIRST: Final = re.compile(
    r"^\s*(?P<age>\d+[smhdw])\s+(?P<size>[\d.]+[KMG]?)?\s+(?P<id>[0-9A-Za-z]{6}-[0-9A-Za-z]+-[0-9A-Za-z]+)\s+"
    r"(?P<sender><.*?>)(?P<rest>.*)$"
)
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SIZES: Final = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


class Entry:
    """One message of a listing."""

    __slots__ = ("age", "id", "is_frozen", "pending", "recipients", "sender", "size", "size_text")

    def __init__(self, found: re.Match[str]) -> None:
        self.id = found["id"]
        self.age = int(found["age"][:-1]) * UNITS[found["age"][-1]]  # seconds, as exactly as the listing says
        self.size_text = found["size"] or "0"
        self.size = _octets(self.size_text)
        self.sender = found["sender"]  # with its brackets
        self.is_frozen = "*** frozen ***" in found["rest"]
        self.recipients: list[str] = []  # all that the listing has
        self.pending: list[str] = []  # those of them that still wait


def _octets(text: str) -> int:
    unit = text[-1] if text[-1:] in "KMG" else ""
    return round(float(text.rstrip("KMG")) * SIZES[unit])


def read(lines: Iterable[str]) -> Iterator[Entry]:
    """The messages of a listing."""
    entry: Entry | None = None
    for line in lines:
        found = FIRST.match(line)
        if found is not None:
            if entry is not None:
                yield entry
            entry = Entry(found)
        elif entry is not None and line.strip():
            mark, _, address = line.strip().rpartition(" ")
            entry.recipients.append(address)
            if not mark:
                entry.pending.append(address)
    if entry is not None:
        yield entry
