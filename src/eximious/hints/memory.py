"""Hints in memory, for tests and for processes that may not touch the spool."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from eximious.hints.record import Record, decode, encode
from eximious.hints.store import Hints, Table, changed

R = TypeVar("R", bound=Record)


class MemoryHints(Hints):
    """Hints of one process, gone when it ends."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._tables: dict[str, _MemoryTable[Any]] = {}

    def table(self, name: str, kind: type[R]) -> Table[R]:
        """The database of that name."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = _MemoryTable(kind, self._now)
        return table

    def names(self) -> list[str]:
        """The names of the databases that hold something."""
        return sorted(name for name, table in self._tables.items() if table.records)

    def sync(self) -> None:
        """Nothing here is durable."""

    def close(self) -> None:
        """Nothing to give back."""


class _MemoryTable(Table[R]):
    def __init__(self, kind: type[R], now: Callable[[], float]) -> None:
        self._kind = kind
        self._now = now
        self.records: dict[str, bytes] = {}  # encoded, so that nobody shares a record with the table

    def get(self, key: str) -> R | None:
        data = self.records.get(key)
        return None if data is None else decode(data, self._kind)

    def put(self, key: str, record: R) -> None:
        record.written_at = self._now()
        self.records[key] = encode(record)

    def delete(self, key: str) -> None:
        self.records.pop(key, None)

    def change(self, key: str, function: Callable[[R | None], R | None]) -> R | None:
        record, data = changed(self.get(key), function, self._now())
        if record is None:
            self.delete(key)
        elif data is not None:
            self.records[key] = data
        return record

    def items(self, prefix: str = "") -> Iterator[tuple[str, R]]:
        for key in sorted(self.records):
            if key.startswith(prefix):
                record = self.get(key)
                if record is not None:
                    yield key, record
