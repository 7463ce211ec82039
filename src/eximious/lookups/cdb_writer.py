"""Writing cdb files. (Format: D. J. Bernstein, https://cr.yp.to/cdb/cdb.txt)"""

from __future__ import annotations

import struct
from array import array
from typing import BinaryIO, Final

from eximious.lookups.cdb import HEADER_SIZE, hash_of

TABLES: Final = 256
LARGEST: Final = 2**32 - 1  # octets of a file: positions have 32 bits
_PAIR = struct.Struct("<II")


class FileTooLarge(Exception):
    """A cdb file cannot have more than 4 GiB."""


class CdbWriter:
    """Writes records as they come, and the tables that lead to them at the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._position = HEADER_SIZE
        self._tables = [array("I") for _ in range(TABLES)]  # hash and position of each record in turn
        file.write(bytes(HEADER_SIZE))

    def add(self, key: bytes, data: bytes) -> None:
        """Write a record. Raises FileTooLarge."""
        number = hash_of(key)
        self._tables[number & 255].extend((number, self._position))
        self._write(_PAIR.pack(len(key), len(data)) + key + data)

    def finish(self) -> None:
        """Write the tables, and where they are."""
        header = bytearray()
        for table in self._tables:
            slots = len(table)  # twice as many as records
            header += _PAIR.pack(self._position, slots)
            self._write(_slots(table, slots))
        self._file.seek(0)
        self._file.write(header)

    def _write(self, octets: bytes) -> None:
        self._position += len(octets)
        if self._position > LARGEST:
            raise FileTooLarge
        self._file.write(octets)


def _slots(table: array[int], count: int) -> bytes:
    """A hash table: each record goes to the first free slot from where its hash says."""
    slots = bytearray(count * _PAIR.size)
    taken = bytearray(count)
    for index in range(0, len(table), 2):
        number = table[index]
        slot = (number >> 8) % count
        while taken[slot]:
            slot = (slot + 1) % count
        taken[slot] = 1
        _PAIR.pack_into(slots, slot * _PAIR.size, number, table[index + 1])
    return bytes(slots)
