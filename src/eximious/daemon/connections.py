"""Counting connections over all workers: memory that they share, in which each writes only its own part.

So no lock is needed, and what a worker that crashed had counted can be cleared away.
"""

from __future__ import annotations

import mmap
import socket
import struct
from typing import Final

SLOTS: Final = 16384  # connections that one worker may have
ENTRY: Final = 16  # octets: an IPv6 address, or an IPv4 address mapped into one
HEAD: Final = struct.Struct("=II")  # connections now, and slots in use up to the highest
FREE: Final = bytes(ENTRY)
PART: Final = HEAD.size + SLOTS * ENTRY


class ConnectionTable:
    """The connections of all workers. Made before they are forked; memory that is not used costs nothing."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._memory = mmap.mmap(-1, workers * PART)

    def total(self) -> int:
        """All connections."""
        return sum(int(HEAD.unpack_from(self._memory, worker * PART)[0]) for worker in range(self.workers))

    def from_host(self, address: str) -> int:
        """Connections from that address."""
        entry = pack(address)
        count = 0
        for worker in range(self.workers):
            start = worker * PART
            _, highest = HEAD.unpack_from(self._memory, start)
            count += self._occurrences(entry, start + HEAD.size, start + HEAD.size + highest * ENTRY)
        return count

    def _occurrences(self, entry: bytes, first: int, end: int) -> int:
        count = 0
        at = self._memory.find(entry, first, end)
        while at >= 0:
            if (at - first) % ENTRY == 0:
                count += 1
                at = self._memory.find(entry, at + ENTRY, end)
            else:
                at = self._memory.find(entry, at + 1, end)
        return count

    def clear(self, worker: int) -> None:
        """Forget the connections of a worker that is no more."""
        HEAD.pack_into(self._memory, worker * PART, 0, 0)

    def part(self, worker: int) -> OwnConnections:
        """The part that this worker writes."""
        return OwnConnections(self, self._memory, worker)


class OwnConnections:
    """One worker's part of the table."""

    def __init__(self, table: ConnectionTable, memory: mmap.mmap, worker: int) -> None:
        self.table = table
        self._memory = memory
        self._start = worker * PART
        self._free: list[int] = []
        self._highest = 0
        self.count = 0

    def enter(self, address: str) -> int | None:
        """Count a connection; gives its slot for `leave`, None if there is no room."""
        if self._free:
            slot = self._free.pop()
        elif self._highest < SLOTS:
            slot = self._highest
            self._highest += 1
        else:
            return None
        at = self._start + HEAD.size + slot * ENTRY
        self._memory[at : at + ENTRY] = pack(address)
        self.count += 1
        HEAD.pack_into(self._memory, self._start, self.count, self._highest)
        return slot

    def leave(self, slot: int) -> None:
        """The connection is over."""
        at = self._start + HEAD.size + slot * ENTRY
        self._memory[at : at + ENTRY] = FREE
        self._free.append(slot)
        self.count -= 1
        HEAD.pack_into(self._memory, self._start, self.count, self._highest)


def pack(address: str) -> bytes:
    """Sixteen octets for an address; those of a local connection, which has none, are all ones."""
    plain = address.partition("%")[0]
    if not plain:
        return b"\xff" * ENTRY
    if ":" in plain:
        return socket.inet_pton(socket.AF_INET6, plain)
    return bytes(10) + b"\xff\xff" + socket.inet_pton(socket.AF_INET, plain)
