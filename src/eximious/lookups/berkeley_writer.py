"""Writing a Berkeley DB file: a btree, loaded in one go, that version 5.3 and Exim's dbm lookups read.

Layout: db_page.h of Berkeley DB 5.3. Keys and data that are too long for a page get pages of their own.
"""

from __future__ import annotations

import os
import struct
from typing import Final

from eximious.lookups.berkeley import BTREE_MAGIC, HEADER_SIZE, INTERNAL, LEAF, OVERFLOW

PAGE_SIZE: Final = 4096
VERSION: Final = 9
ROOT: Final = 1  # the page that the tree begins with
META: Final = 9  # the page type of a btree's first page
MINIMUM_KEYS: Final = 2  # on a page
LONGEST_INLINE: Final = 1000  # octets of an item that is kept in a leaf

_HEADER: Final = struct.Struct(
    "<IIIIIHHBB"
)  # two words of log position, number, before, next, entries, free, level, type


class _PageBuilder:
    """A page that is being filled: item offsets grow from the front, items from the back."""

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.body = bytearray(PAGE_SIZE)
        self.free = PAGE_SIZE

    def fits(self, *items: bytes) -> bool:
        """True if there is room for the items."""
        needed = sum(_aligned(len(item)) + 2 for item in items)
        return HEADER_SIZE + 2 * len(self.offsets) + needed <= self.free

    def add(self, item: bytes) -> None:
        """Put an item in; there must be room."""
        self.free -= _aligned(len(item))
        self.body[self.free : self.free + len(item)] = item
        self.offsets.append(self.free)

    def bytes(self, number: int, before: int, after: int, level: int, kind: int) -> bytes:
        """The finished page."""
        header = _HEADER.pack(0, 0, number, before, after, len(self.offsets), self.free, level, kind)
        self.body[:HEADER_SIZE] = header
        struct.pack_into(f"<{len(self.offsets)}H", self.body, HEADER_SIZE, *self.offsets)
        return bytes(self.body)


def _aligned(length: int) -> int:
    return (length + 3) & ~3


class Writer:
    """Collects records and turns them into the octets of a file."""

    def __init__(self) -> None:
        self._pages: dict[int, bytes] = {}
        self._next = ROOT + 1

    def build(self, records: dict[bytes, bytes]) -> bytes:
        """The whole file."""
        leaves = self._leaves(sorted(records.items()))
        level = 1
        while len(leaves) > 1:
            level += 1
            leaves = self._internal(leaves, level)
        meta = self._meta(len(records))
        return meta + b"".join(self._pages[number] for number in range(1, self._next))

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def _numbers(self, count: int) -> list[int]:
        """Numbers for the pages of one level; an only page is the root."""
        return [ROOT] if count == 1 else [self._number() for _ in range(count)]

    def _leaves(self, records: list[tuple[bytes, bytes]]) -> list[tuple[bytes, int]]:
        """Write the leaves; gives the first key and the number of each."""
        filled: list[tuple[bytes, _PageBuilder]] = []
        page = _PageBuilder()
        first = b""
        for key, data in records:
            items = self._item(key), self._item(data)
            if not page.fits(*items):
                filled.append((first, page))
                page = _PageBuilder()
            if not page.offsets:
                first = key
            for item in items:
                page.add(item)
        filled.append((first, page))
        numbers = self._numbers(len(filled))
        for index, (_, page) in enumerate(filled):
            before = numbers[index - 1] if index else 0
            after = numbers[index + 1] if index + 1 < len(numbers) else 0
            self._pages[numbers[index]] = page.bytes(numbers[index], before, after, 1, LEAF)
        return [(key, number) for (key, _), number in zip(filled, numbers, strict=True)]

    def _item(self, octets: bytes) -> bytes:
        if len(octets) <= LONGEST_INLINE:
            return struct.pack("<HB", len(octets), 1) + octets
        return struct.pack("<HBBII", 0, 3, 0, self._overflow(octets), len(octets))

    def _overflow(self, octets: bytes) -> int:
        """Write an item into pages of its own; gives the number of the first."""
        room = PAGE_SIZE - HEADER_SIZE
        pieces = [octets[start : start + room] for start in range(0, len(octets), room)]
        numbers = [self._number() for _ in pieces]
        for index, piece in enumerate(pieces):
            before = numbers[index - 1] if index else 0
            after = numbers[index + 1] if index + 1 < len(numbers) else 0
            header = _HEADER.pack(0, 0, numbers[index], before, after, 1, len(piece), 0, OVERFLOW)
            self._pages[numbers[index]] = (header + piece).ljust(PAGE_SIZE, b"\0")
        return numbers[0]

    def _internal(self, below: list[tuple[bytes, int]], level: int) -> list[tuple[bytes, int]]:
        """Write the pages that lead to those below; gives the first key and the number of each."""
        filled: list[tuple[bytes, _PageBuilder]] = []
        page = _PageBuilder()
        first = below[0][0]
        for key, number in below:
            item = _branch(key, number)
            if not page.fits(item):
                filled.append((first, page))
                page = _PageBuilder()
            if not page.offsets:
                first = key
                item = _branch(b"", number)
            page.add(item)
        filled.append((first, page))
        numbers = self._numbers(len(filled))
        for (_, page), number in zip(filled, numbers, strict=True):
            self._pages[number] = page.bytes(number, 0, 0, level, INTERNAL)
        return [(key, number) for (key, _), number in zip(filled, numbers, strict=True)]

    def _meta(self, count: int) -> bytes:
        head = struct.pack("<IIIIIIBBBB", 0, 0, 0, BTREE_MAGIC, VERSION, PAGE_SIZE, 0, META, 0, 0)
        head += struct.pack("<IIIIII", 0, self._next - 1, 0, count, count, 0) + os.urandom(20)
        head += struct.pack("<IIIII", 0, MINIMUM_KEYS, 0, ord(" "), ROOT)
        return head.ljust(PAGE_SIZE, b"\0")


def _branch(key: bytes, number: int) -> bytes:
    """An item of an internal page."""
    return struct.pack("<HBBII", len(key), 1, 0, number, 0) + key
