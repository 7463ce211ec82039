"""Answers that were given lately: as long as their TTL says, and no more of them than there is room for."""

from __future__ import annotations

from typing import Final

from eximious.dns.answer import Answer

ROOM: Final = 20_000  # answers
LONGEST: Final = 86_400  # seconds


class Cache:
    """Answers by question. Time is given by the caller, in seconds of any steady clock."""

    __slots__ = ("_entries", "_room")

    def __init__(self, room: int = ROOM) -> None:
        self._entries: dict[tuple[str, str], tuple[float, Answer]] = {}
        self._room = room

    def get(self, key: tuple[str, str], now: float) -> Answer | None:
        """The answer to a question, if it may still be used."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= now:
            del self._entries[key]
            return None
        return entry[1]

    def put(self, key: tuple[str, str], answer: Answer, now: float) -> None:
        """Keep an answer for as long as it says. The oldest one makes room."""
        seconds = min(answer.ttl, LONGEST)
        if seconds <= 0:
            return
        entries = self._entries
        if len(entries) >= self._room:
            del entries[next(iter(entries))]
        entries[key] = (now + seconds, answer)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)
