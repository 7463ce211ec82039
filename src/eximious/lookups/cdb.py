"""cdb: constant databases. (Format: D. J. Bernstein, https://cr.yp.to/cdb/cdb.txt)"""

from __future__ import annotations

import mmap
import os
import struct
from typing import TYPE_CHECKING, Final

from eximious.errors import Defer
from eximious.lookups.base import Options, SingleKeyLookup, lookups

if TYPE_CHECKING:
    from eximious.context import Context

PURPOSE: Final = "for cdb lookup"
HEADER_SIZE: Final = 2048  # 256 tables, for each its position and its number of slots
_PAIR = struct.Struct("<II")


class ConstantDatabase:
    """A file of records with hash tables behind them."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        self._data = data

    def get(self, key: bytes) -> bytes | None:
        """The data of the key, or None. Raises Defer if the file makes no sense."""
        number = hash_of(key)
        table, slots = _PAIR.unpack_from(self._data, (number & 255) * 8)
        if slots == 0:
            return None
        if table + slots * 8 > len(self._data):
            raise Defer("cdb: file is damaged")
        first = (number >> 8) % slots
        for step in range(slots):
            entry, position = _PAIR.unpack_from(self._data, table + (first + step) % slots * 8)
            if position == 0:
                return None
            if entry == number:
                found = self._record(position, key)
                if found is not None:
                    return found
        return None

    def _record(self, position: int, key: bytes) -> bytes | None:
        """The data of the record at that position if it is the key's."""
        if position + 8 > len(self._data):
            raise Defer("cdb: file is damaged")
        key_length, data_length = _PAIR.unpack_from(self._data, position)
        start = position + 8
        if key_length != len(key) or self._data[start : start + key_length] != key:
            return None
        start += key_length
        return self._data[start : start + data_length]


def hash_of(key: bytes) -> int:
    """The number by which a key is found."""
    number = 5381
    for octet in key:
        number = ((number << 5) + number & 0xFFFFFFFF) ^ octet
    return number


class CdbLookup(SingleKeyLookup):
    """The data of the first record with that key."""

    name = "cdb"

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        database: ConstantDatabase = context.services.lookups.files.get(path, self.name, PURPOSE, _read)
        found = database.get(key.encode("latin-1"))
        return None if found is None else found.decode("latin-1")


def _read(fd: int, status: os.stat_result) -> tuple[ConstantDatabase, int]:
    if status.st_size < HEADER_SIZE:
        raise Defer(f"cdb: file is too short ({status.st_size} octets)")
    return ConstantDatabase(mmap.mmap(fd, 0, prot=mmap.PROT_READ)), 4096


lookups.register("cdb")(CdbLookup())
