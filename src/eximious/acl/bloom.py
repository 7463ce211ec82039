"""Which events have been counted already: a Bloom filter, for ``unique=`` of the condition ``ratelimit``.

It says "seen" of a few events that are new (about one in a thousand while it is not overfull), never "new" of one that
was seen. Stored data that does not look right begins a new filter.
"""

from __future__ import annotations

import hashlib
from typing import Final

BITS_PER_EVENT: Final = 16
LEAST: Final = 64  # bytes
MOST: Final = 1 << 20  # bytes
PROBES: Final = 8


class Bloom:
    """The filter of one key, thrown away when it is older than the period."""

    __slots__ = ("_bits", "epoch")

    def __init__(self, bits: bytearray, epoch: float) -> None:
        self._bits = bits
        self.epoch = epoch  # when it was begun, UNIX time

    @classmethod
    def load(cls, data: bytes, epoch: float, now: float, period: float, limit: float) -> Bloom:
        """The stored filter if it is still good, else a new one, large enough for `limit` events."""
        size = LEAST
        while size * 8 < limit * BITS_PER_EVENT and size < MOST:
            size *= 2
        if len(data) == size and 0 <= now - epoch < period:
            return cls(bytearray(data), epoch)
        return cls(bytearray(size), now)

    @property
    def data(self) -> bytes:
        """As it is stored."""
        return bytes(self._bits)

    def is_new(self, event: str) -> bool:
        """True if the event has not been added."""
        return not all(self._bits[place >> 3] >> (place & 7) & 1 for place in self._places(event))

    def add(self, event: str) -> None:
        """Note the event."""
        for place in self._places(event):
            self._bits[place >> 3] |= 1 << (place & 7)

    def _places(self, event: str) -> list[int]:
        digest = hashlib.blake2b(event.encode("latin-1", "replace"), digest_size=16).digest()
        first = int.from_bytes(digest[:8], "little")
        step = int.from_bytes(digest[8:], "little") | 1
        bits = len(self._bits) * 8
        return [(first + number * step) % bits for number in range(PROBES)]
