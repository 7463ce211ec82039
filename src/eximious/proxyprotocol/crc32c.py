"""CRC-32C (Castagnoli), which the TLV of that name holds."""

from __future__ import annotations

from functools import cache
from typing import Final

POLYNOMIAL: Final = 0x82F63B78


@cache
def _table() -> tuple[int, ...]:
    entries: list[int] = []
    for octet in range(256):
        value = octet
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        entries.append(value)
    return tuple(entries)


def crc32c(octets: bytes) -> int:
    """The checksum of some octets."""
    table = _table()
    value = 0xFFFFFFFF
    for octet in octets:
        value = table[(value ^ octet) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF
